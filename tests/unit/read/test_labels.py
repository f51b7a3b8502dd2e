"""Labelled paragraphs: what a row may say, what is taken from silence, and what is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from narratives.model import ConfigError, LabelledText, Rejected, compute_text_key
from narratives.read import read_labels

IDS = ("bases", "history", "sanctions")


def read(folder: Path, *rows: object) -> list[LabelledText | Rejected]:
    path = folder / "labels.jsonl"
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines))
    return list(read_labels(path, IDS))


def test_what_is_not_named_is_rejected(tmp_path):
    [row] = read(tmp_path, {"text": "A text.", "labels": ["bases"], "disputed": ["history"]})
    assert row.verdicts == {"bases": "accepted", "history": "undecided", "sanctions": "rejected"}


def test_where_rejected_ones_are_named_only_these_are(tmp_path):
    [row] = read(tmp_path, {"text": "A text.", "labels": ["bases"], "rejected": ["history"]})
    assert row.verdicts == {"bases": "accepted", "history": "rejected"}
    [row] = read(tmp_path, {"text": "A text.", "labels": ["bases"], "rejected": []})
    assert row.verdicts == {"bases": "accepted"}


@pytest.mark.parametrize(
    ("more", "document"),
    [
        ({"document": "speech-7"}, "speech-7"),
        ({"id": "speech-7-12"}, "speech-7"),
        ({"id": "speech"}, "speech"),
        ({"id": "x-1", "document": "y"}, "y"),
        ({}, compute_text_key("A text.")),
    ],
)
def test_the_document_is_told_or_the_text_is_its_own(tmp_path, more, document):
    [row] = read(tmp_path, {"text": "A text.", "labels": [], **more})
    assert row.document == document


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"{", "JSON object"),
        (b"[1]", "JSON object"),
        (b'{"text": "\xff", "labels": []}', "UTF-8"),
        ({"labels": []}, "`text`"),
        ({"text": "  ", "labels": []}, "`text`"),
        ({"text": 5, "labels": []}, "`text`"),
        ({"text": "A text."}, "`labels`"),
        ({"text": "A text.", "labels": "bases"}, "a list"),
        ({"text": "A text.", "labels": ["base"]}, "got base.*--codebook"),
        ({"text": "A text.", "labels": [], "rejected": ["base"]}, "`rejected`; got base"),
        ({"text": "A text.", "labels": ["bases"], "disputed": ["bases"]}, "bases under two"),
        ({"text": "A text.", "labels": [], "id": 5}, "`id`"),
    ],
)
def test_a_bad_row_is_told_and_the_others_go_on(tmp_path, row, reason):
    good = {"text": "Another text.", "labels": []}
    first, bad, last = read(tmp_path, good, row, good)
    assert isinstance(first, LabelledText) and isinstance(last, LabelledText)
    assert isinstance(bad, Rejected) and bad.row == 2
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(bad.reason)


def test_empty_lines_are_none_and_characters_that_cannot_be_stored_are_replaced(tmp_path):
    [row] = read(tmp_path, b"", {"text": "A \ud800 text.", "labels": []}, b"  ")
    assert row.text == "A � text." and row.row == 2


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.jsonl"):
        list(read_labels(tmp_path / "none.jsonl", IDS))


def test_white_space_does_not_make_another_text():
    assert compute_text_key("A  text\n here ") == compute_text_key("A text here") != compute_text_key("A text there")
