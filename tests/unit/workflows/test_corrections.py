"""Corrections from the decisions log: what a build changes, whatever the order in which they were made."""

from __future__ import annotations

import json

import pytest

from narratives.model import Edit, EditKind, compute_text_key
from narratives.store import DecisionLog
from narratives.workflows.corrections import SOURCE, load_corrections, parse_correction
from tests.helpers.factory import document

TEXT = "The press there has long been blinded by russophobia."
MADE, _ = document(
    1, "2016-11-10", "RT", "A title", [("M. Zakharova", "own", TEXT, {}), ("", "outlet", "It rained.", {})]
)


@pytest.fixture
def log(tmp_path) -> DecisionLog:
    return DecisionLog(tmp_path / "decisions.sqlite")


def edit(log: DecisionLog, kind: EditKind, subject: str, **fields: str) -> int:
    return log.edit(kind, subject, json.dumps(fields), "ann", "why")


def test_a_document_gets_its_date_and_outlet(log):
    edit(log, "document", "d001", date="2016-12", outlet="TASS")
    made = load_corrections(log).apply(MADE)
    assert (made.date, made.date_precision, made.date_source, made.outlet) == ("2016-12", "month", SOURCE, "TASS")
    edit(log, "document", "d001", date="")
    made = load_corrections(log).apply(MADE)
    assert (made.date, made.date_precision, made.outlet) == ("", "none", "RT")  # the latest edit applies as a whole


def test_a_paragraph_gets_its_speaker_and_a_person_one_name_everywhere(log):
    edit(log, "speaker", f"d001/{compute_text_key(TEXT)}", speaker="Zakharova")
    edit(log, "person", "Zakharova", name="M. V. Zakharova")
    edit(log, "person", "M. V. Zakharova", name="Maria Zakharova")
    made = load_corrections(log).apply(MADE)
    assert [p.speaker for p in made.paragraphs] == ["", "Maria Zakharova", ""]
    assert made.paragraphs[1].speaker_method == SOURCE and made.paragraphs[1].voice == "own"


def test_names_that_point_at_each_other_end_somewhere(log):
    edit(log, "person", "B", name="A")
    edit(log, "person", "A", name="B")
    edit(log, "person", "C", name="B")
    assert load_corrections(log).people == {"A": "A", "B": "A", "C": "A"}


def test_the_digest_follows_what_applies_and_not_the_order(log, tmp_path):
    assert load_corrections(log).digest == ""
    edit(log, "document", "d001", date="2017")
    edit(log, "person", "A", name="B")
    other = DecisionLog(tmp_path / "other.sqlite")
    edit(other, "person", "A", name="B")
    edit(other, "document", "d001", date="2018")
    edit(other, "document", "d001", date="2017")
    assert load_corrections(log) == load_corrections(other)
    before = load_corrections(log).digest
    log.edit("person", "A", "", "ann", "not the same")
    assert load_corrections(log).digest not in ("", before)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("document", '{"date": "31 May"}'),
        ("document", '{"colour": "red"}'),
        ("document", "{}"),
        ("document", "[]"),
        ("speaker", '{"voice": "shouted"}'),
        ("speaker", '{"speaker": 5}'),
        ("person", '{"name": ""}'),
        ("person", "not json"),
    ],
)
def test_what_no_build_can_apply_is_reported(log, kind, value):
    assert parse_correction(Edit(1, "", "", "", kind, "x", value)) is None
    log.edit(kind, "d001", value, "ann", "")
    found = load_corrections(log)
    assert found.apply(MADE) == MADE and len(found.refused) == 1 and found.digest == ""
