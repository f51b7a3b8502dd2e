"""The decisions log: only ever added to, the latest holds, nothing is lost between processes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.model import ConfigError, Decision, LabelledText, StoreError, Verdict
from narratives.read import read_labels
from narratives.store import DecisionLog, hash_decisions

IDS = ("bases", "history", "sanctions")


def labelled(text: str, verdicts: Mapping[str, Verdict], document: str = "d") -> LabelledText:
    return LabelledText(1, text, document, dict(verdicts))


def said(decisions: list[Decision]) -> set[tuple[str, str, str, str]]:
    return {(d.text, d.document, d.narrative_id, d.verdict) for d in decisions}


@pytest.fixture
def log(tmp_path) -> DecisionLog:
    return DecisionLog(tmp_path / "decisions.sqlite")


def test_a_log_that_is_not_there_holds_nothing_and_is_not_made_by_looking(log):
    assert log.current() == log.history() == []
    assert log.add([], "me", "why") == 0
    assert not log.path.exists()


def test_the_latest_decision_holds_and_the_earlier_stays_readable(log):
    assert log.add([labelled("A text.", {"bases": "accepted", "history": "rejected"})], "ann", "first") == 2
    assert log.add([labelled("A  text.", {"bases": "rejected"})], "bob", "second look") == 1
    assert said(log.current()) == {("A text.", "d", "bases", "rejected"), ("A text.", "d", "history", "rejected")}
    assert [(d.who, d.why, d.verdict) for d in log.history()] == [
        ("ann", "first", "accepted"),
        ("ann", "first", "rejected"),
        ("bob", "second look", "rejected"),
    ]
    assert all(d.decided_at.endswith("+00:00") for d in log.history())


def test_what_holds_already_is_not_added_again(log):
    row = labelled("A text.", {"bases": "accepted"})
    assert [log.add([row, row], "ann", ""), log.add([row], "ann", "again")] == [1, 0]
    assert log.add([labelled("A text.", {"bases": "undecided"}), row], "ann", "") == 2
    assert len(log.history()) == 3


def test_the_same_verdict_of_another_person_is_kept_as_an_opinion(log):
    row = labelled("A text.", {"bases": "accepted"})
    assert [log.add([row], "ann", ""), log.add([row], "bob", "")] == [1, 1]
    assert [(d.who, d.verdict) for d in log.opinions()] == [("ann", "accepted"), ("bob", "accepted")]
    assert len(log.current()) == 1


def test_undo_brings_back_the_decision_before_and_keeps_the_history(log):
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "", drawn=0.25)
    log.add([labelled("A text.", {"bases": "rejected"})], "bob", "")
    log.add([labelled("A text.", {"bases": "undecided"})], "ann", "")
    undone = log.undo("ann")
    assert undone and undone.verdict == "undecided"
    assert [(d.who, d.verdict) for d in log.current()] == [("bob", "rejected")]
    assert [(d.who, d.verdict, d.drawn) for d in log.opinions()] == [
        ("ann", "accepted", 0.25),
        ("bob", "rejected", None),
    ]
    assert log.undo("ann") and log.undo("ann") is None
    assert [(d.who, d.verdict) for d in log.current()] == [("bob", "rejected")]
    assert log.undo("bob") and log.current() == log.opinions() == []
    assert [d.undoes for d in log.history()] == [0, 0, 0, 3, 1, 2]


def test_decisions_since_a_build_are_those_that_it_does_not_know(log):
    for text in "abcd":
        log.add([labelled(text, {"bases": "accepted"})], "ann", "")
    log.add([labelled("a", {"bases": "rejected"})], "a-model", "prompt 1", annotator="machine")
    assert log.count_since(0, 0) == (4, 0) and log.count_since(4, 0) == (0, 0)
    log.undo("ann")
    assert log.count_since(0, 0)[0] == 3  # made and taken back since
    assert log.count_since(3, 0)[0] == 0
    assert log.count_since(4, 0)[0] == 1  # the build knows the decision that was taken back


def test_machines_decisions_are_kept_apart_from_those_of_people(log):
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    log.add([labelled("A text.", {"bases": "rejected"})], "a-model", "prompt 1", annotator="machine")
    assert [d.verdict for d in log.current()] == ["accepted"]
    assert [d.verdict for d in log.current("machine")] == ["rejected"]


def test_the_latest_edit_of_a_subject_applies_until_it_is_withdrawn(log):
    assert log.edits() == [] and log.current_edits("document") == {}
    first = log.edit("document", "d1", '{"date": "2016"}', "ann", "the page says so")
    second = log.edit("document", "d1", '{"date": "2017"}', "bob", "a slip")
    log.edit("person", "Mr Lavrov", '{"name": "Sergei Lavrov"}', "ann", "")
    assert log.current_edits("document")["d1"].value == '{"date": "2017"}'
    third = log.edit("document", "d1", "", "ann", "neither")
    assert "d1" not in log.current_edits("document")
    assert [edit.edit_id for edit in log.edits("document")] == [first, second, third]


VERSION_1 = """
CREATE TABLE texts (text_key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE decisions (
    decision_id INTEGER PRIMARY KEY AUTOINCREMENT, decided_at TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,
    text_key TEXT NOT NULL REFERENCES texts, document TEXT NOT NULL, narrative_id TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected', 'undecided'))
);
CREATE INDEX of_pair ON decisions (text_key, narrative_id, decision_id);
CREATE TRIGGER no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
INSERT INTO texts VALUES ('k', 'A text.');
INSERT INTO decisions VALUES (7, '2026-01-01T00:00:00+00:00', 'ann', 'import', 'k', 'd', 'bases', 'accepted');
PRAGMA user_version = 1;
"""


def test_a_log_of_version_1_is_read_as_it_is_and_kept_when_it_is_written(log):
    connection = sqlite3.connect(log.path)
    connection.executescript(VERSION_1)
    connection.close()
    before = log.path.read_bytes()
    assert [(d.decision_id, d.verdict, d.annotator) for d in log.current()] == [(7, "accepted", "person")]
    assert log.edits() == []
    assert log.path.read_bytes()[100:] == before[100:]  # the header says whether the file has a write-ahead log
    log.add([labelled("B text.", {"bases": "rejected"})], "bob", "")
    assert [d.decision_id for d in log.history()] == [7, 8]
    assert log.undo("ann") and [d.who for d in log.current()] == ["bob"]
    with pytest.raises(sqlite3.IntegrityError), sqlite3.connect(log.path) as changed:
        changed.execute("DELETE FROM decisions")


@pytest.mark.parametrize("statement", ["UPDATE decisions SET verdict = 'rejected'", "DELETE FROM decisions"])
def test_nothing_is_changed_or_taken_away(log, statement):
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    connection = sqlite3.connect(log.path)
    with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        connection.execute(statement)
    connection.close()


def test_a_failure_in_the_middle_adds_nothing(log):
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    bad = labelled("Another.", {"bases": "maybe"})  # type: ignore[dict-item]
    with pytest.raises(ConfigError):
        log.add([labelled("A third.", {"bases": "accepted"}), bad], "ann", "")
    assert len(log.history()) == 1


verdicts = st.dictionaries(st.sampled_from(IDS), st.sampled_from(["accepted", "rejected", "undecided"]), min_size=1)
texts = st.sampled_from(["One text.", "Two  texts.", '=three\n"quoted"', "Четыре", "five, ‘5’"])
rows = st.lists(st.builds(labelled, texts, verdicts, st.sampled_from(["a", "b-1"])), min_size=1, max_size=12)


@given(rows)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_importing_an_export_gives_the_same_decisions(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("logs")
    first, second = DecisionLog(folder / "first.sqlite"), DecisionLog(folder / "second.sqlite")
    first.add(made, "ann", "")
    count = first.export(folder / "out.jsonl")
    again = list(read_labels(folder / "out.jsonl", IDS))
    assert len(again) == count
    second.add(again, "bob", "import")
    assert said(second.current()) == said(first.current())
    assert hash_decisions(second.current()) == hash_decisions(first.current())
    assert second.export(folder / "again.jsonl") == count
    assert (folder / "again.jsonl").read_bytes() == (folder / "out.jsonl").read_bytes()


def test_the_digest_is_of_what_holds_whatever_came_before(tmp_path, log):
    assert hash_decisions([]) == ""
    log.add([labelled("A text.", {"bases": "undecided"})], "ann", "")
    assert hash_decisions(log.current()) == ""
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    log.add([labelled("B text.", {"bases": "rejected"})], "ann", "")
    other = DecisionLog(tmp_path / "other.sqlite")
    other.add([labelled("B text.", {"bases": "rejected"})], "bob", "elsewhere")
    other.add([labelled("A text.", {"bases": "accepted"})], "bob", "elsewhere")
    assert hash_decisions(log.current()) == hash_decisions(other.current()) != ""
    other.add([labelled("A text.", {"bases": "rejected"})], "bob", "")
    assert hash_decisions(log.current()) != hash_decisions(other.current())


def test_a_file_that_is_no_log_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Just some notes, rather long, so that nobody takes them for a database. " * 20)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="was not changed"):
        DecisionLog(path).current()
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE songs (name TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigError, match="songs"):
        DecisionLog(other).add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    assert path.read_bytes() == before


def test_a_log_of_a_later_version_asks_for_a_later_program(log):
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    connection = sqlite3.connect(log.path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(ConfigError, match=r"version 9.*Update"):
        log.current()


def test_a_place_that_cannot_be_written_is_told(tmp_path, log):
    with pytest.raises(StoreError, match="decisions log"):
        DecisionLog(tmp_path).current()
    log.add([labelled("A text.", {"bases": "accepted"})], "ann", "")
    with pytest.raises(StoreError, match="to write"):
        log.export(tmp_path / "none" / "out.jsonl")


def test_an_export_is_plain_rows(log, tmp_path: Path):
    log.add([labelled("A text.", {"bases": "accepted", "history": "undecided", "sanctions": "rejected"})], "a", "")
    assert log.export(tmp_path / "out.jsonl") == 1
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8")) == {
        "text": "A text.",
        "document": "d",
        "labels": ["bases"],
        "disputed": ["history"],
        "rejected": ["sanctions"],
    }


def test_the_state_of_the_log_changes_with_every_entry(log):
    states = [log.describe_state()]
    for verdict in ("accepted", "rejected", "accepted"):
        log.add([labelled("A text.", {"bases": verdict})], "ann", "")
        states.append(log.describe_state())
    log.edit("note", "A text.", '"seen"', "ann", "")
    states.append(log.describe_state())
    assert len(set(states)) == len(states)
