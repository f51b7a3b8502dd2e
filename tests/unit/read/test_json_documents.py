"""JSON as people have it: lists, wrapped lists, objects in objects, exports of Telegram and Twitter."""

from __future__ import annotations

import json

import pytest

from narratives.model import InputFile, RawDocument, Rejected
from narratives.read import find_unused, list_columns
from tests.helpers.reading import read

ROWS = [
    {"id": "st-01", "date": "2019-03-02", "title": "Bridge", "text": "The bridge is open."},
    {"id": "st-02", "date": "2019-03-03", "title": "Tolls", "text": "The tolls are low."},
]
LINES = "\n".join(map(json.dumps, ROWS))
SHAPES = {
    "list": json.dumps(ROWS),
    "indented": json.dumps(ROWS, indent=2),
    "a line for each object of a list": "[\n" + LINES.replace("\n", ",\n") + "\n]",
    "lines": LINES,
    "lines with a blank one": LINES.replace("\n", "\n\n"),
    "wrapped": json.dumps({"status": "ok", "articles": ROWS}),
    "wrapped twice": json.dumps({"response": {"total": 2, "docs": ROWS}}, indent=1),
    "beside another list": json.dumps({"authors": [{"name": "Ann"}], "items": ROWS}),
    "table by columns": json.dumps({key: {str(i): row[key] for i, row in enumerate(ROWS)} for key in ROWS[0]}),
    "table by rows": json.dumps({str(i): row for i, row in enumerate(ROWS)}),
    "table split": json.dumps({"columns": list(ROWS[0]), "index": [0, 1], "data": [[*row.values()] for row in ROWS]}),
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_decides_and_not_the_extension(tmp_path, shape, name):
    found = read(tmp_path, SHAPES[shape], name)
    assert [(d.id, d.date, d.title, d.text) for d in found] == [tuple(row.values()) for row in ROWS]
    assert list_columns(InputFile(tmp_path / name, name)) == ("id", "date", "title", "text")


def test_one_object_is_one_document(tmp_path):
    value = {"title": "Bridge", "paragraphs": [{"text": "Open.", "speaker": "Edda Voss"}], "comments": [{"text": "x"}]}
    [document] = read(tmp_path, json.dumps(value, indent=2), "a.json")
    assert (document.title, document.paragraphs[0].speaker) == ("Bridge", "Edda Voss")
    assert find_unused(InputFile(tmp_path / "a.json", "a.json"), {}) == ("comments",)


def test_keys_in_objects_are_columns(tmp_path):
    rows = [{"user": {"name": "Tom Arkell", "place": {"town": "Marrow"}}, "body": {"plain": "No toll."}}]
    [document] = read(tmp_path, json.dumps(rows), "a.json", {"text": "body.plain", "speaker": "user.name"})
    assert (document.text, document.speaker) == ("No toll.", "Tom Arkell")
    assert list_columns(InputFile(tmp_path / "a.json", "a")) == ("user.name", "user.place.town", "body.plain")


def test_what_the_wrapping_object_says_holds_for_its_documents(tmp_path):
    value = {
        "outlet": "Herald",
        "date": "2019",
        "id": "page-1",
        "items": [{"text": "One."}, {"text": "T", "date": "2020"}],
    }
    found = read(tmp_path, json.dumps(value), "a.json")
    assert [(d.outlet, d.date, d.id) for d in found] == [("Herald", "2019", ""), ("Herald", "2020", "")]


def test_a_mapped_key_that_an_object_lacks_leaves_its_own(tmp_path):
    rows = [{"text": "One.", "date": "2019"}, {"body": "Two.", "date": "2020"}]
    found = read(tmp_path, json.dumps(rows), "a.json", {"text": "body"})
    assert [(d.text, d.date) for d in found] == [("One.", "2019"), ("Two.", "2020")]


@pytest.mark.parametrize(
    ("content", "row", "got"),
    [
        ('{"a": [{"text": "x"}], "b": [{"text": "y"}]}', 0, "the lists a, b"),
        ('[{"text": "x"},]', 0, "invalid JSON"),
        ("words\nand words", 0, "invalid JSON"),
        ('["x"]', 1, '"x"'),
        ("7", 0, "a int"),
        ('{"headline": "x"}', 1, "neither"),
        ("[" * 50_000, 0, "invalid JSON"),
    ],
)
def test_what_is_no_list_of_documents_is_rejected_once(tmp_path, content, row, got):
    [rejected] = read(tmp_path, content, "a.json")
    assert isinstance(rejected, Rejected) and rejected.row == row and got in rejected.reason


def test_a_faulty_line_does_not_spoil_the_others(tmp_path):
    first, *rest = read(tmp_path, '{"text": broken\n' + LINES, "a.jsonl")
    assert isinstance(first, Rejected) and first.row == 1 and [d.row for d in rest] == [2, 3]


CHANNEL = {
    "name": "Port Authority of Marrow Bay", "type": "public_channel", "id": 55,
    "messages": [
        {"id": 1, "type": "service", "date": "2019-03-01T08:00:00", "date_unixtime": "1551427200",
         "action": "create_channel", "text": ""},
        {"id": 2, "type": "message", "date": "2019-03-02T09:30:00", "date_unixtime": "1551519000",
         "from": "Port Authority of Marrow Bay", "from_id": "channel55", "text_entities": [],
         "text": ["The bridge ", {"type": "bold", "text": "is open"}, " from today."]},
        {"id": 3, "type": "message", "date": "2019-03-02T10:30:00", "date_unixtime": "1551522600",
         "from": "Port Authority of Marrow Bay", "photo": "a.jpg", "text": ""},
    ],
}  # fmt: skip


def test_a_channel_of_telegram_is_an_outlet(tmp_path):
    service, post, picture = read(tmp_path, json.dumps(CHANNEL, indent=1), "result.json")
    assert (post.text, post.date) == ("The bridge is open from today.", "2019-03-02T09:30:00")
    assert (post.outlet, post.speaker) == ("Port Authority of Marrow Bay", "")
    assert "create channel" in service.reason and "a picture" in picture.reason


@pytest.mark.parametrize("name", ["messages.jsonl", "messages.ndjson"])
def test_messages_without_their_wrapper_say_themselves_who_publishes(tmp_path, name):
    lines = "\n".join(json.dumps(message) for message in CHANNEL["messages"][1:2] * 2)
    found = read(tmp_path, lines, name)
    assert {(d.outlet, d.speaker) for d in found} == {("Port Authority of Marrow Bay", "")}


def test_in_a_group_people_speak(tmp_path):
    said = {"id": 2, "type": "message", "date": "2019-03-02T09:30:00", "date_unixtime": "1", "from": "Tom Arkell",
            "from_id": "user7", "text": "Nobody asked us."}  # fmt: skip
    passed_on = {**said, "id": 3, "forwarded_from": "Edda Voss", "text": "The tolls are low."}
    group = {"name": "Bridge talk", "type": "private_supergroup", "id": 1, "messages": [said, passed_on]}
    first, second = read(tmp_path, json.dumps(group), "result.json")
    assert (first.outlet, first.speaker) == ("Bridge talk", "Tom Arkell")
    assert second.speaker == "Edda Voss"


TWEET = {
    "created_at": "Sat Mar 02 21:40:52 +0000 2019", "id": 7, "id_str": "7", "lang": "en",
    "full_text": "Nobody asked us about the bridge.", "user": {"name": "Tom Arkell", "screen_name": "arkell"},
}  # fmt: skip


def test_a_tweet_is_read_by_its_shape(tmp_path):
    [document] = read(tmp_path, json.dumps(TWEET), "tweets.jsonl")
    assert (document.text, document.date, document.speaker) == (TWEET["full_text"], "2019-03-02", "Tom Arkell")
    assert (document.id, document.language, document.outlet) == ("7", "en", "")


@pytest.mark.parametrize("day", ["Xyz 02 21:40:52", "Mar 99 21:40:52", "Mar 02 99:99:99"])
def test_a_tweet_of_a_day_that_does_not_exist_is_read_and_so_are_those_after_it(tmp_path, day):
    odd = {**TWEET, "created_at": f"Sat {day} +0000 2019"}
    first, last = read(tmp_path, f"{json.dumps(odd)}\n{json.dumps(TWEET)}\n", "tweets.jsonl")
    assert (first.text, first.date, last.date) == (TWEET["full_text"], odd["created_at"], "2019-03-02")


def test_a_repost_has_the_words_and_the_name_of_the_first_author(tmp_path):
    repost = {
        **TWEET,
        "full_text": "RT @voss: The tolls…",
        "retweeted_status": {
            "text": "The tolls…",
            "extended_tweet": {"full_text": "The tolls are low."},
            "user": {"name": "Edda Voss"},
        },
    }
    [document] = read(tmp_path, json.dumps([repost]), "tweets.json")
    assert (document.text, document.speaker, document.date) == ("The tolls are low.", "Edda Voss", "2019-03-02")


def test_an_archive_of_tweets_is_read(tmp_path):
    inner = {key: value for key, value in TWEET.items() if key != "user"}
    content = f"window.YTD.tweets.part0 = {json.dumps([{'tweet': inner}], indent=1)};\n"
    [document] = read(tmp_path, content, "tweets.js")
    assert (document.text, document.speaker) == (TWEET["full_text"], "")
    [rejected] = read(tmp_path, "var x = 1;\nfunction f() {}\n", "page.js")
    assert isinstance(rejected, Rejected)


def test_an_answer_of_the_second_interface_names_its_authors(tmp_path):
    value = {"data": [{"id": "9", "author_id": "3", "created_at": "2019-03-02T21:40:52.000Z", "text": "No toll."}],
             "includes": {"users": [{"id": "3", "name": "Edda Voss"}]}}  # fmt: skip
    [document] = read(tmp_path, json.dumps(value), "answer.json")
    assert isinstance(document, RawDocument)
    assert (document.speaker, document.date[:10], document.text) == ("Edda Voss", "2019-03-02", "No toll.")
