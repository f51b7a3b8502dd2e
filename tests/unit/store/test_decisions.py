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
    assert [log.add([row, row], "ann", ""), log.add([row], "bob", "")] == [1, 0]
    assert log.add([labelled("A text.", {"bases": "undecided"}), row], "ann", "") == 2
    assert len(log.history()) == 3


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
