"""One row to one document, whatever table it stands in."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, RawParagraph, Rejected
from tests.helpers.reading import read_json, rows_of


def test_all_fields_of_a_row_are_taken_and_others_left(tmp_path):
    row = {
        "id": "x1", "url": "https://example.org/1", "outlet": "TASS", "title": "A title", "date": "2016-11",
        "speaker": "Ann", "language": "en", "source_ref": "kremlin 1 2", "text_kind": "paraphrase",
        "text": "One.\n\nTwo.", "lead": "In short.", "tags": ["a"],
    }  # fmt: skip
    own = {name: value for name, value in row.items() if name != "tags"}
    assert read_json(tmp_path, row) == [RawDocument("a.jsonl", row=1, **own)]


def test_paragraphs_are_strings_or_objects(tmp_path):
    paragraphs = [
        "One.",
        {"text": "Two.", "speaker": "Ann", "speaker_label_in_source": True, "source_ref": "s 2"},
        {"text": "Three.", "speaker": "Ann", "speaker_label_in_source": False},
        {"text": "Four.", "speaker": None},
        "  ",
    ]
    [document] = read_json(tmp_path, {"paragraphs": paragraphs, "text": "not taken beside paragraphs"})
    assert document.paragraphs == (
        RawParagraph("One."),
        RawParagraph("Two.", "Ann", "s 2", labelled=True),
        RawParagraph("Three.", "Ann"),
        RawParagraph("Four."),
    )
    assert document.text == ""


def test_empty_paragraphs_leave_the_text(tmp_path):
    [document] = read_json(tmp_path, {"paragraphs": [], "text": "Text."})
    assert (document.text, document.paragraphs) == ("Text.", ())


def test_a_page_without_text_is_a_document_if_it_says_so_and_has_a_title(tmp_path):
    title = {"title": "Photographs"}
    found = read_json(tmp_path, title | {"paragraphs": []}, title, title | {"paragraphs": None}, {"paragraphs": []})
    assert rows_of(found, RawDocument) == [1]
    assert rows_of(found, Rejected) == [2, 3, 4]


@pytest.mark.parametrize(
    ("given_id", "expected"), [(63953, "63953"), (12.0, "12"), (1.5, "1.5"), (" a ", "a"), (None, ""), (0, "0")]
)
def test_an_id_becomes_text(tmp_path, given_id, expected):
    [document] = read_json(tmp_path, {"id": given_id, "text": "Text."})
    assert document.id == expected


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"title": "T"}, "a text or paragraphs; got neither"),
        ({"text": " ", "paragraphs": None}, "a text or paragraphs; got neither"),
        ({"text": 7}, "a string as `text`; got a number"),
        ({"text": "t", "title": ["a"]}, "as `title`; got a list"),
        ({"text": "t", "speaker": True}, "as `speaker`; got a truth value"),
        ({"text": "t", "text_kind": "quote"}, "text_kind verbatim or paraphrase; got 'quote'"),
        ({"paragraphs": {"text": "t"}}, "paragraphs as a list; got an object"),
        ({"paragraphs": "no list"}, "paragraphs as a JSON list; got invalid JSON"),
        ({"paragraphs": "{}"}, "paragraphs as a list; got an object"),
        ({"paragraphs": ["t", 7]}, "a number as paragraph 2"),
        ({"paragraphs": [{"speaker": "Ann"}]}, "an object as paragraph 1"),
        ({"paragraphs": [{"text": "t", "speaker": ["Ann"]}]}, "`speaker of paragraph 1`; got a list"),
        (["t"], "one JSON object on the line; got a list"),
        ("{broken", "invalid JSON"),
        ("[" * 100_000, "invalid JSON"),
        ('{"text": "t", "id": ' + "9" * 5000 + "}", "invalid JSON"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_rest_goes_on(tmp_path, row, why):
    before, rejected, after = read_json(tmp_path, {"text": "First."}, row, {"text": "Third."})
    assert (before.text, after.text) == ("First.", "Third.")
    assert (rejected.source_path, rejected.row) == ("a.jsonl", 2)
    assert why in rejected.reason
    assert rejected.reason.startswith("Expected ") and "; got " in rejected.reason


def test_what_cannot_be_stored_is_replaced(tmp_path):
    [document] = read_json(tmp_path, r'{"text": "a\ud800b\u0000c \ud83d\ude00", "title": "\udc00"}')
    assert (document.text, document.title) == ("a\ufffdb\ufffdc \U0001f600", "\ufffd")


def test_a_manifest_overrides_every_row(tmp_path):
    rows = [{"text": "One.", "outlet": "A", "date": "2016"}, {"text": "Two."}]
    found = read_json(tmp_path, *rows, manifest={"outlet": "B"})
    assert [(d.outlet, d.date, d.from_manifest) for d in found] == [("B", "2016", ("outlet",)), ("B", "", ("outlet",))]
