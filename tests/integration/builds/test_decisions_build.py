"""A build with decisions: what people said stands, what it taught goes further, and all can be replayed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from narratives import measure
from narratives.model import (
    BuildReport,
    Codebook,
    ConfigError,
    Decision,
    LabelledText,
    Narrative,
    Slice,
    Verdict,
    compute_text_key,
)
from narratives.store import DECISIONS_FILE, EXPORT_TABLES, DecisionLog, Store, export_slice, hash_decisions
from narratives.workflows.match import collect_verdicts
from tests.integration.builds.test_build import CLAIMS, rows, run, tables, write


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write(tmp_path / "a.jsonl", rows(0, 12))


def decide(log: Path, *pairs: tuple[str, str, Verdict]) -> DecisionLog:
    made = DecisionLog(log)
    made.add([LabelledText(1, text, "d", {narrative: verdict}) for text, narrative, verdict in pairs], "ann", "")
    return made


def assigned(store: Path) -> pd.DataFrame:
    out = store.parent / "assignments.parquet"
    export_slice(store, "assignments", Slice(copies="all"), out, measure.add_shares)
    return pd.read_parquet(out)


def paragraphs(store: Path) -> list[dict[str, str]]:
    out = store.parent / "paragraphs.jsonl"
    export_slice(store, "paragraphs", Slice(copies="all"), out, measure.add_shares)
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def counted(report: BuildReport) -> int:
    assert report.counts is not None
    return report.counts.assigned


def test_what_people_accepted_or_rejected_stands(tmp_path: Path, source: str) -> None:
    store = tmp_path / "s"
    first = run(store, source)
    before = assigned(store)
    machine = before[before["narrative_id"] == "bases"].iloc[0]
    ids = set(before[before["narrative_id"] == "bases"]["paragraph_id"])
    texts = {row["paragraph_id"]: row["text"] for row in paragraphs(store)}
    other = next(key for key in sorted(texts) if key not in ids and texts[key].startswith(CLAIMS[2]))
    decide(
        store / DECISIONS_FILE,
        (machine["text"], "bases", "rejected"),
        (texts[other], "bases", "accepted"),
        (texts[other], "sanctions", "undecided"),
    )
    second = run(store, source)
    assert not second.unchanged and second.snapshot != first.snapshot
    after = assigned(store).set_index(["paragraph_id", "narrative_id"])
    assert after.loc[(machine["paragraph_id"], "bases"), "status"] == "rejected"
    assert after.loc[(other, "bases"), "status"] == "confirmed"
    rest = after.drop([(machine["paragraph_id"], "bases"), (other, "bases")])
    assert set(rest["status"]) == {"auto"}


def test_what_was_rejected_is_counted_nowhere(tmp_path: Path, source: str) -> None:
    store = tmp_path / "s"
    before = counted(run(store, source))
    frame = assigned(store)
    decide(store / DECISIONS_FILE, *((row.text, row.narrative_id, "rejected") for row in frame.itertuples()))
    report = run(store, source)
    assert before > 0 and counted(report) == 0
    assert set(assigned(store)["status"]) == {"rejected"}
    out = tmp_path / "prevalence.parquet"
    export_slice(store, "prevalence", Slice(), out, measure.add_shares)
    assert pd.read_parquet(out)["paragraphs"].sum() == 0


def test_decisions_are_part_of_what_a_snapshot_is(tmp_path: Path, source: str) -> None:
    store = Store(tmp_path / "s")
    first = run(store.path, source).snapshot
    assert store.manifest(first).parameters["decisions"] == ""
    log = decide(store.path / DECISIONS_FILE, ("Nobody ever said this here.", "bases", "undecided"))
    assert run(store.path, source).unchanged  # undecided says nothing
    log.add([LabelledText(1, "Nobody ever said this here.", "d", {"bases": "rejected"})], "ann", "")
    second = run(store.path, source)
    assert not second.unchanged and second.snapshot != first
    assert store.manifest(second.snapshot).parameters["decisions"] == hash_decisions(log.current())
    assert run(store.path, source).unchanged


def test_a_log_elsewhere_is_taken_where_it_is_named(tmp_path: Path, source: str) -> None:
    run(tmp_path / "s", source)
    frame = assigned(tmp_path / "s")
    log = tmp_path / "elsewhere.sqlite"
    decide(log, (frame.iloc[0]["text"], frame.iloc[0]["narrative_id"], "rejected"))
    run(tmp_path / "s", source, decisions=log)
    assert "rejected" in set(assigned(tmp_path / "s")["status"])
    with pytest.raises(ConfigError, match="review import"):
        run(tmp_path / "s", source, decisions=tmp_path / "none.sqlite")


def test_replayed_in_another_order_it_gives_the_same_bytes(tmp_path: Path, source: str) -> None:
    run(tmp_path / "first", source)
    frame = assigned(tmp_path / "first").drop_duplicates(["text", "narrative_id"])
    pairs = [
        (row.text, row.narrative_id, "rejected" if number % 3 else "accepted")
        for number, row in enumerate(frame.itertuples())
    ]
    decide(tmp_path / "one" / DECISIONS_FILE, *pairs)
    for pair in reversed(pairs):
        decide(tmp_path / "two" / DECISIONS_FILE, (pair[0], pair[1], "undecided"), pair)
    run(tmp_path / "one", source)
    run(tmp_path / "two", source)
    assert tables(tmp_path / "one", *EXPORT_TABLES) == tables(tmp_path / "two", *EXPORT_TABLES)


def narrative(name: str, *replaces: str) -> Narrative:
    return Narrative(name, name, name, replaces=replaces)


@pytest.mark.parametrize(
    ("narratives", "said", "expected"),
    [
        ([narrative("new", "old")], {"old": "accepted"}, {"new": "accepted"}),
        ([narrative("new", "old")], {"old": "rejected"}, {"new": "rejected"}),
        ([narrative("new", "old")], {"old": "accepted", "new": "rejected"}, {"new": "rejected"}),
        ([narrative("both", "a", "b")], {"a": "accepted", "b": "rejected"}, {"both": "accepted"}),
        ([narrative("both", "a", "b")], {"a": "rejected", "b": "rejected"}, {"both": "rejected"}),
        ([narrative("both", "a", "b")], {"a": "rejected"}, {}),
        ([narrative("x", "old"), narrative("y", "old")], {"old": "accepted"}, {}),
        ([narrative("x", "old"), narrative("y", "old")], {"old": "rejected"}, {"x": "rejected", "y": "rejected"}),
        ([narrative("x", "old"), narrative("old")], {"old": "accepted"}, {"old": "accepted"}),
        ([narrative("x")], {"gone": "accepted"}, {}),
    ],
)
def test_a_narrative_takes_over_what_was_decided_of_those_it_replaces(
    narratives: list[Narrative], said: dict[str, Verdict], expected: dict[str, str]
) -> None:
    made = [Decision(1, "", "", "", "key", "A text.", "d", name, verdict) for name, verdict in said.items()]
    found = collect_verdicts(Codebook(tuple(narratives), "0" * 64), made)
    assert found.get("key", {}) == expected


def test_decisions_on_narratives_that_the_codebook_lacks_are_left_aside(tmp_path: Path, source: str) -> None:
    run(tmp_path / "s", source)
    before = tables(tmp_path / "s", "assignments")
    decide(tmp_path / "s" / DECISIONS_FILE, ("Nobody ever said this here.", "gone", "accepted"))
    run(tmp_path / "s", source)
    assert tables(tmp_path / "s", "assignments") == before


def test_corrections_are_applied_and_the_same_log_gives_the_same_snapshot(tmp_path: Path, source: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    stores = [tmp_path / "a" / "s", tmp_path / "b" / "s"]
    first = run(stores[0], source)
    text = f"{CLAIMS[0]} This was item 0 and 0."
    before = next(row for row in paragraphs(stores[0]) if row["text"] == text)
    for store in stores:
        log = DecisionLog(store / DECISIONS_FILE)
        log.edit("document", before["document_id"], '{"date": "2015-02-03", "outlet": "Fourth Paper"}', "ann", "")
        log.edit("speaker", f"{before['document_id']}/{compute_text_key(text)}", '{"speaker": "D. Peskov"}', "ann", "")
        log.edit("person", "Dmitry Peskov", '{"name": "Peskov"}', "ann", "")
    second = run(stores[0], source)
    after = {row["text"]: row for row in paragraphs(stores[0])}
    assert second.snapshot != first.snapshot
    assert (after[text]["date"], after[text]["outlet"], after[text]["speaker"]) == (
        "2015-02-03",
        "Fourth Paper",
        "D. Peskov",
    )
    assert {row["speaker"] for row in after.values()} - {""} == {"Peskov", "D. Peskov"}
    manifest = Store(stores[0]).manifest(second.snapshot)
    assert (manifest.decided, manifest.edited) == (0, 3)
    # An entry that changes no snapshot is known after the next build all the same.
    DecisionLog(stores[0] / DECISIONS_FILE).edit("note", "x", '{"text": "read it"}', "ann", "")
    assert run(stores[0], source).unchanged
    assert Store(stores[0]).manifest(second.snapshot).edited == 4
    run(stores[1], source)
    columns = ("text", "date", "outlet", "speaker")
    contents = [sorted([row[name] for name in columns] for row in paragraphs(store)) for store in stores]
    assert contents[0] == contents[1]


def test_a_correction_that_no_build_can_apply_is_reported(tmp_path: Path, source: str) -> None:
    store = tmp_path / "s"
    DecisionLog(store / DECISIONS_FILE).edit("document", "d", '{"date": "someday"}', "ann", "")
    report = run(store, source)
    assert any("Correction 1 of document d cannot be applied" in note for note in report.notes)
