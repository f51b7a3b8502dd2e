"""What a table is shown to be before it is built: proposed columns and first rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from narratives import read
from narratives.model import ReadError
from narratives.workflows.preview import (
    FIELDS,
    FORMATS,
    holds_own,
    preview_file,
    propose_columns,
    read_columns,
    sample_columns,
)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["text", "date", "speaker"], {"text": "text", "date": "date", "speaker": "speaker"}),
        (
            ["Headline", "Published on", "Body text", "Person", "Source", "Link"],
            {
                "text": "Body text",
                "date": "Published on",
                "speaker": "Person",
                "outlet": "Source",
                "title": "Headline",
                "url": "Link",
            },
        ),
        (["doc_id", "full_text", "datePublished"],
         {"text": "full_text", "date": "datePublished", "id": "doc_id"}),
        (["TEXT ", "Author"], {"text": "TEXT ", "speaker": "Author"}),
        (["headlin", "contnet"], {"text": "contnet", "title": "headlin"}),
        (["a", "b", "c"], {}),
        ([], {}),
        (["content", "body", "text"], {"text": "text"}),
        (["texte", "date_download", "party.facts.id", "text_length", "user_id", "image_url"], {"text": "texte"}),
        (["speech_id", "speaker_party", "speaker_id", "speakerName", "sitting date", "content_type"],
         {"date": "sitting date", "speaker": "speakerName", "id": "speech_id"}),
        (["tweet_id", "user_username", "created_at", "text", "retweet_count"],
         {"text": "text", "date": "created_at", "speaker": "user_username", "id": "tweet_id"}),
        (["Überschrift", "Volltext", "Erscheinungsdatum", "Zeitung", "Autor"],
         {"text": "Volltext", "date": "Erscheinungsdatum", "speaker": "Autor", "outlet": "Zeitung",
          "title": "Überschrift"}),
        (["title_length", "date of birth", "last update", "downloaded", "source_id", "sourceid"], {}),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_names(columns, expected):
    assert propose_columns(columns) == expected


SPEECH = "The quay of Arnholm is to be rebuilt before the winter, said the mayor, and nobody spoke against it."


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # By the name alone, `published` and `key` would be the date and the id.
        ([{"body": SPEECH, "published": "yes", "key": "a"}] * 4, {"text": "body"}),
        ([{"body": SPEECH, "published": f"2018-05-1{i}", "key": f"a{i}"} for i in range(4)],
         {"text": "body", "date": "published", "id": "key"}),
        ([{"body": SPEECH, "source": f"https://a.example/{i}", "author": str(i)} for i in range(4)],
         {"text": "body", "url": "source"}),
        # What no name tells, the values tell, if only one column has such values.
        ([{"Rede": SPEECH, "Zeitpunkt": f"2018-05-1{i}", "Fundort": f"https://a.example/{i}"} for i in range(4)],
         {"text": "Rede", "date": "Zeitpunkt", "url": "Fundort"}),
        ([{"Rede": SPEECH, "von": f"2018-05-1{i}", "bis": f"2018-06-1{i}"} for i in range(4)], {"text": "Rede"}),
        ([{"text": SPEECH, "date_download": f"2018-05-1{i}", "Jahr": "2018"} for i in range(4)], {"text": "text"}),
        ([{"content": str(i), "Wortlaut": SPEECH} for i in range(4)], {"text": "Wortlaut"}),
    ],
)  # fmt: skip
def test_values_decide_beside_names(tmp_path, name, rows, expected):
    lines = [",".join(rows[0]), *(",".join(f'"{value}"' for value in row.values()) for row in rows)]
    content = "\n".join(map(json.dumps, rows)) if name.endswith("jsonl") else "\n".join(lines)
    path = written(tmp_path, name, content)
    columns = read_columns(path)
    assert propose_columns(columns, sample_columns(path, columns)) == expected


def test_a_preview_says_what_was_assumed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("Report;;\n\nid;text;speaker\n1;Bonjour à tous.;Hélène Crépeau\n".encode("cp1252"))
    found = preview_file(path, {})
    assert found.rows[0].speaker == "Hélène Crépeau"
    assert [note.partition(",")[0] for note in found.notes] == [
        "read as Windows-1252 (Western European)",
        "one row above the header not read",
    ]
    assert preview_file(written(tmp_path, "b.csv", "text\nÀ tous.\n"), {}).notes == ()


def test_no_column_is_proposed_twice():
    found = propose_columns(["source", "source url", "title", "name", "published date", "id"])
    assert len(set(found.values())) == len(found)
    assert set(found) <= set(FIELDS)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_column_of_our_name_in_any_case_is_read_without_being_asked_for():
    assert propose_columns(["Date", "text", "date"]) == {"text": "text", "date": "date"}
    assert holds_own(["Text", " DATE"], "date") and not holds_own(["when"], "date")


def test_columns_of_csv_and_jsonl(tmp_path):
    table = written(tmp_path, "a.csv", "\ufeffBody text, When\nx,2017\n")
    assert read_columns(table) == ("Body text", "When")
    rows = ['{"body": "x"}', "no json", "[1]", '{"when": "2017", "body": "y"}']
    assert read_columns(written(tmp_path, "a.jsonl", "\n".join(rows))) == ("body", "when")
    with pytest.raises(ReadError):
        read_columns(written(tmp_path, "empty.csv", ""))


def test_rows_stand_as_a_build_would_read_them(tmp_path):
    rows = [{"body": f"Paragraph number {n} of the day.", "when": f"2017-0{n + 1}"} for n in range(7)]
    lines = [*map(json.dumps, rows), '{"body": 5}', "no json"]
    path = written(tmp_path, "a.jsonl", "\n".join(lines))
    found = preview_file(path, {"text": "body", "date": "when"})
    assert [row.date for row in found.rows] == ["2017-01", "2017-02", "2017-03", "2017-04", "2017-05"]
    assert found.rows[0].text == "Paragraph number 0 of the day."
    assert [item.row for item in found.rejected] == [8, 9]
    assert found.looked_at == 9 and found.complete
    read_all = list(read.read_file(read.find_inputs([str(path)])[0][0], {"text": "body", "date": "when"}))
    assert len(read_all) == found.looked_at


def test_a_missing_text_is_said(tmp_path):
    found = preview_file(written(tmp_path, "a.csv", "body,when\nx,2017\n"), {"date": "when"})
    assert not found.rows and "a column `text`" in found.rejected[0].reason


def test_a_long_table_is_not_read_whole(tmp_path):
    path = written(tmp_path, "a.csv", "text\n" + "A row of the table.\n" * 500)
    found = preview_file(path, {})
    assert not found.complete and found.looked_at == 200 and len(found.rows) == 5


def test_every_format_that_is_taken_has_a_reader(tmp_path):
    for extension in FORMATS:
        path = written(tmp_path, f"a{extension}", '{"text": "A text."}')
        files, refused = read.find_inputs([str(path)])
        assert files and not refused
