"""A snapshot as decided: what decisions change at once, counted by hand on the small store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from narratives.model import EvidenceQuery, LabelledText, Slice, StoreError, Verdict
from narratives.store import DECISIONS_FILE, DecisionLog, Snapshot, open_snapshot
from narratives.store.queries.review import query_decided_counts
from tests.helpers.factory import build_store, content

RUSSOPHOBIA, MEDDLING, MEMORY = "western_russophobia", "us_meddles_too", "wwii_memory"
BLINDED = "The press there has long been blinded by russophobia."
LIMA = "The minister will visit Lima on Friday next."
INTERFERES = "The United States interferes in elections everywhere."


@pytest.fixture
def store(tmp_path) -> Path:
    return build_store(tmp_path / "store").path


def decide(store: Path, text: str, narrative: str, verdict: Verdict) -> None:
    DecisionLog(store / DECISIONS_FILE).add([LabelledText(1, text, "d", {narrative: verdict})], "ann", "")


def as_decided(store: Path) -> Snapshot:
    return open_snapshot(store, decided=DecisionLog(store / DECISIONS_FILE).pairs())


def count(snapshot: Snapshot, narrative: str, copies: str = "originals") -> int:
    return snapshot.count_paragraphs(EvidenceQuery(Slice(narratives=(narrative,), copies=copies)))  # type: ignore[arg-type]


def share(snapshot: Snapshot, narrative: str, period: str) -> tuple[int, int]:
    frame = snapshot.prevalence(Slice(by="year"))
    [row] = frame[(frame["narrative_id"] == narrative) & (frame["period"] == period)].to_dict("records")
    return row["paragraphs"], row["total_paragraphs"]


def test_a_rejected_paragraph_leaves_evidence_counts_and_shares(store):
    built = open_snapshot(store)
    assert (count(built, RUSSOPHOBIA), share(built, RUSSOPHOBIA, "2016")) == (2, (2, 5))
    decide(store, BLINDED, RUSSOPHOBIA, "rejected")
    shown = as_decided(store)
    assert (count(shown, RUSSOPHOBIA), share(shown, RUSSOPHOBIA, "2016")) == (1, (1, 5))
    assert shown.totals(Slice()).assigned == built.totals(Slice()).assigned - 1
    assert shown.options().narratives.set_index("narrative_id")["paragraphs"][RUSSOPHOBIA] == 1
    status = "SELECT status FROM snap.assignments WHERE paragraph_id = 'd001-002'"
    assert shown.frame(status)["status"].tolist() == ["rejected"]
    assert query_decided_counts(shown).to_dict("records") == [
        {"narrative_id": RUSSOPHOBIA, "assigned": 1, "others": 8, "removed": 1, "added": 0}
    ]


def test_an_added_narrative_counts_and_a_confirmed_one_is_marked(store):
    decide(store, LIMA, MEDDLING, "accepted")
    decide(store, BLINDED, RUSSOPHOBIA, "accepted")
    shown = as_decided(store)
    assert share(shown, MEDDLING, "2016") == (3, 5)
    rows = shown.paragraphs(EvidenceQuery(Slice(narratives=(RUSSOPHOBIA,))))
    assert dict(zip(rows["paragraph_id"], rows["status"], strict=True)) == {"d001-002": "confirmed", "d001-003": "auto"}


def test_a_decision_holds_for_copies_too(store):
    assert count(open_snapshot(store), MEDDLING, "all") == 3
    decide(store, INTERFERES, MEDDLING, "rejected")
    assert count(as_decided(store), MEDDLING, "all") == 1


def test_what_was_taken_back_is_again_as_scored(store, tmp_path):
    log = DecisionLog(store / DECISIONS_FILE)
    decide(store, BLINDED, RUSSOPHOBIA, "rejected")
    log.undo("ann")
    assert log.pairs() == [(BLINDED, RUSSOPHOBIA, "undecided")]
    assert count(as_decided(store), RUSSOPHOBIA) == 2
    # The same where the snapshot was built with the decision: the score decides again.
    made = content()
    statuses = {"d001-002": "rejected", "d001-003": "confirmed"}
    assignments = [
        replace(a, status=statuses.get(a.paragraph_id, "auto"), score=0.2 if a.paragraph_id == "d001-003" else a.score)
        if a.narrative_id == RUSSOPHOBIA
        else a
        for a in made.assignments
    ]
    other = build_store(tmp_path / "other")
    other.write_snapshot(replace(made, assignments=assignments))
    decide(other.path, "Washington has meddled in elections and breeds russophobia.", RUSSOPHOBIA, "undecided")
    decide(other.path, BLINDED, RUSSOPHOBIA, "undecided")
    rows = as_decided(other.path).paragraphs(EvidenceQuery(Slice(narratives=(RUSSOPHOBIA,))))
    assert rows["paragraph_id"].tolist() == ["d001-002"]  # 0.91 reaches the threshold of 0.5, 0.2 does not


def test_decisions_that_the_snapshot_knows_change_nothing(store):
    decide(store, "A text of another store.", RUSSOPHOBIA, "rejected")
    decide(store, BLINDED, "a_narrative_of_another_codebook", "rejected")
    decide(store, BLINDED, "c-0000beef", "accepted")  # only a build could name a discovered narrative
    built, shown = open_snapshot(store), as_decided(store)
    assert shown.prevalence(Slice()).equals(built.prevalence(Slice()))
    assert shown.has_map and query_decided_counts(built).empty


def test_probabilities_follow_decisions(tmp_path):
    made = replace(
        content(),
        probabilities=[("d001-002", RUSSOPHOBIA, 0.9), ("d001-003", RUSSOPHOBIA, 0.6)],
        rest={RUSSOPHOBIA: 0.0},
    )
    store = build_store(tmp_path / "store")
    store.write_snapshot(made)

    def expected() -> float:
        frame = as_decided(store.path).prevalence(Slice(by="year", narratives=(RUSSOPHOBIA,)))
        return round(float(frame["expected"].sum()), 6)

    assert expected() == 1.5
    decide(store.path, BLINDED, RUSSOPHOBIA, "rejected")
    assert expected() == 0.6
    decide(store.path, LIMA, RUSSOPHOBIA, "accepted")
    assert expected() == 1.6


def test_a_snapshot_as_decided_is_locked_as_well(store):
    decide(store, BLINDED, RUSSOPHOBIA, "rejected")
    for statement in ("SELECT * FROM read_csv('/etc/passwd')", "SET lock_configuration = false"):
        with pytest.raises(Exception, match=r"(?i)disabled|locked|read-only|cannot|permission"):
            as_decided(store).frame(statement)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_log_in_a_folder_that_cannot_be_written_to_is_read(store):
    decide(store, BLINDED, RUSSOPHOBIA, "rejected")
    store.chmod(0o500)
    try:
        assert len(DecisionLog(store / DECISIONS_FILE).pairs()) == 1
        with pytest.raises(StoreError):
            decide(store, LIMA, RUSSOPHOBIA, "rejected")
    finally:
        store.chmod(0o700)
