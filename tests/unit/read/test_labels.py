"""Labelled paragraphs: what a row may say, what is taken from silence, and what is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from narratives.model import ConfigError, LabelledText, Rejected, Verdict, compute_text_key
from narratives.read import read_labels
from narratives.store import DecisionLog

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
        ({"text": "\u200b", "labels": []}, "`text`"),
        ({"text": 5, "labels": []}, "`text`"),
        ({"text": "A text."}, "`labels`"),
        ({"text": "A text.", "labels": "bases"}, "a list"),
        ({"text": "A text.", "labels": ["base"]}, "got base.*--codebook"),
        ({"text": "A text.", "labels": [], "rejected": ["base"]}, "`rejected`; got base"),
        ({"text": "A text.", "labels": ["bases"], "disputed": ["bases"]}, "bases under two"),
        ({"text": "A text.", "labels": [], "id": 5}, "`id`"),
        ({"text": "A text.", "labels": [], "weight": 10**400}, "`weight`"),
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


def test_a_name_that_cannot_be_stored_is_mended(tmp_path):
    [row] = read(tmp_path, {"text": "A text.", "labels": [], "who": "\ud800"})
    assert isinstance(row, LabelledText) and row.who == "\ufffd"
    assert DecisionLog(tmp_path / "log.sqlite").add([row], row.who, "import") == len(IDS)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.jsonl"):
        list(read_labels(tmp_path / "none.jsonl", IDS))


def test_white_space_does_not_make_another_text():
    assert compute_text_key("A  text\n here ") == compute_text_key("A text here") != compute_text_key("A text there")


def read_as(folder: Path, content: bytes) -> list[LabelledText | Rejected]:
    path = folder / "export"
    path.write_bytes(content)
    return list(
        read_labels(path, IDS, {"bases": "Bases at the border", "history": "History", "sanctions": "Sanctions"})
    )


def choices(name: str, *chosen: str) -> dict[str, object]:
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(chosen)}}


def test_a_label_studio_export_gives_a_row_for_each_annotation(tmp_path):
    tasks = [
        {
            "id": 7,
            "data": {"text": "A text.", "document": "speech"},
            "annotations": [
                {"completed_by": {"email": "ann@example.org"}, "result": [choices("topic", "Bases at the border")]},
                {"completed_by": 3, "result": [choices("topic"), choices("disputed", "history")]},
                {"completed_by": 4, "was_cancelled": True, "result": [choices("topic", "sanctions")]},
            ],
        },
        {"id": 8, "data": {"text": "Another."}, "annotations": []},
        {"id": 9, "data": {"text": "A third."}, "annotations": [{"result": [choices("topic", "Whales")]}]},
        {"id": 10},
        "no task",
    ]
    ann, other, *bad = read_as(tmp_path, json.dumps(tasks, indent=1).encode())
    assert isinstance(ann, LabelledText) and isinstance(other, LabelledText)
    assert (ann.who, ann.document, ann.verdicts["bases"], ann.verdicts["history"]) == (
        "ann@example.org",
        "speech",
        "accepted",
        "rejected",
    )
    assert (other.who, other.verdicts["bases"], other.verdicts["history"]) == ("user 3", "rejected", "undecided")
    assert [row.row for row in bad if isinstance(row, Rejected)] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "annotations",
    [5, {"result": []}, [5], [{"result": 5}], [{"result": [5]}], [{"result": [{"type": "choices", "value": ["x"]}]}]],
)
def test_a_task_of_another_shape_is_rejected_and_the_others_go_on(tmp_path, annotations):
    good = {"data": {"text": "A text."}, "annotations": [{"result": [choices("topic")]}]}
    bad = {"data": {"text": "Another."}, "annotations": annotations}
    first, rejected, last = read_as(tmp_path, json.dumps([good, bad, good]).encode())
    assert isinstance(first, LabelledText) and isinstance(last, LabelledText)
    assert isinstance(rejected, Rejected) and rejected.row == 2 and "Correct that row" in rejected.reason


def test_a_doccano_export_is_known_by_its_label(tmp_path):
    lines = [
        {"id": 5, "text": "A text.", "label": ["History"], "Comments": []},
        {"id": 6, "text": "Another.", "label": []},
        {"id": 7, "text": "A third.", "label": ["Whales"]},
        {"id": 8, "text": "A fourth.", "label": 5},
    ]
    first, second, *bad = read_as(tmp_path, "\n".join(map(json.dumps, lines)).encode())
    assert isinstance(first, LabelledText) and isinstance(second, LabelledText)
    assert [key for key, verdict in first.verdicts.items() if verdict == "accepted"] == ["history"]
    assert set(second.verdicts.values()) == {"rejected"}
    assert len(bad) == 2 and all(isinstance(row, Rejected) for row in bad)


def test_a_broken_list_of_tasks_is_refused_as_a_whole(tmp_path):
    with pytest.raises(ConfigError, match="JSON list of tasks"):
        read_as(tmp_path, b'[{"id": 1')


@pytest.mark.parametrize("form", ["narratives", "label-studio", "doccano"])
def test_what_is_exported_for_a_tool_is_read_back(tmp_path, form):
    log, other = (DecisionLog(tmp_path / f"{name}.sqlite") for name in ("one", "two"))
    verdicts: dict[str, Verdict] = {"bases": "accepted", "history": "undecided", "sanctions": "rejected"}
    log.add([LabelledText(1, "A text.", "speech", verdicts)], "ann", "")
    log.add([LabelledText(2, "Another [text].", "speech", {"bases": "rejected"})], "ann", "")
    assert log.export(tmp_path / "export", form) == 2
    rows = [row for row in read_labels(tmp_path / "export", IDS) if isinstance(row, LabelledText)]
    other.add(rows, "bob", "")
    ours, theirs = ([(d.text, d.document, d.narrative_id, d.verdict) for d in one.current()] for one in (log, other))
    assert ours == theirs and len(ours) == 4
