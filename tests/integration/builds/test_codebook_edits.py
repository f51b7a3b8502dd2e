"""Edits of the codebook and builds: what a preview says is what the next build assigns."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from narratives import embed
from narratives.model import Codebook, LabelledText, Narrative
from narratives.store import DECISIONS_FILE, DecisionLog, Store, open_snapshot
from narratives.store.queries.codebook import query_assigned_scores
from narratives.store.queries.evidence import query_statement_texts
from narratives.workflows import codebook
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.codebook import Change
from narratives.workflows.codebook import draft as drafts
from narratives.workflows.codebook.preview import Previewer, PreviewResult, preview_edit
from tests.conftest import ROOT
from tests.helpers.fakes import FakeEncoder
from tests.integration.builds.test_build import rows, run, write

HARVEST = Narrative(
    "harvest",
    "Good harvests",
    "Harvests are good.",
    exemplars=("The harvest was good this year, and grain exports will grow.",),
)


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write(tmp_path / "a.jsonl", rows(0, 12))


def edit(store: Path, *changes: Change) -> None:
    codebook.save_changes(DecisionLog(store / DECISIONS_FILE), codebook.load_file(store), changes, "ann", "test")


def assigned(store: Path, narrative_id: str) -> dict[str, float]:
    with closing(open_snapshot(store)) as snapshot:
        return query_assigned_scores(snapshot, narrative_id)


def preview(store: Path, edited: Codebook, narrative_id: str, encoder: embed.SentenceEncoder | FakeEncoder):
    with closing(open_snapshot(store)) as snapshot:
        return preview_edit(store, snapshot, edited, narrative_id, lambda: encoder)


def check_prediction(store: Path, before: dict[str, float], seen: PreviewResult, narrative_id: str) -> None:
    """The build after a preview assigns what it said."""
    after = assigned(store, narrative_id)
    gained, lost = after.keys() - before.keys(), before.keys() - after.keys()
    assert (seen.before, seen.after, seen.kept) == (len(before), len(after), len(before.keys() & after.keys()))
    assert {e.paragraph_id for e in seen.gained} <= gained and len(seen.gained) == min(20, len(gained))
    assert {e.paragraph_id for e in seen.lost} <= lost and len(seen.lost) == min(20, len(lost))
    assert {e.paragraph_id: round(e.score, 3) for e in seen.gained} == {
        e.paragraph_id: after[e.paragraph_id] for e in seen.gained
    }


def test_an_edit_makes_a_snapshot_and_an_undone_one_does_not(tmp_path: Path, source: str) -> None:
    store = tmp_path / "s"
    first = run(store, source)
    change = codebook.set_narrative(codebook.load_file(store), HARVEST)
    edit(store, change)
    edit(store, Change("harvest", ""))
    assert run(store, source).unchanged
    edit(store, change)
    second = run(store, source)
    assert not second.unchanged and second.snapshot != first.snapshot
    assert Store(store).manifest(second.snapshot).parameters["codebook"] == codebook.load_codebook(store).digest


def test_the_same_log_and_an_exported_file_give_the_same_snapshot(tmp_path: Path, source: str) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for store in (one, two):
        run(store, source)
        base = codebook.load_file(store)
        edit(store, codebook.set_narrative(base, HARVEST))
        edit(store, *codebook.merge_narratives(base, codebook.load_codebook(store), "sanctions", "bases"))
    reports = [run(store, source) for store in (one, two)]
    assert reports[0].snapshot == reports[1].snapshot
    codebook.export_codebook(one, tmp_path / "exported.toml")
    run(three, source)
    assert run(three, source, codebook=tmp_path / "exported.toml").snapshot == reports[0].snapshot
    assert codebook.find_codebook(three).read_bytes() == (tmp_path / "exported.toml").read_bytes()
    with closing(open_snapshot(one)) as snapshot:
        events = snapshot.lineage()
    ours = events[events["origin"] == "codebook"]
    assert set(zip(ours["kind"], ours["subject"], strict=True)) == {
        ("added", "harvest"),
        ("changed", "bases"),
        ("merge", "sanctions"),
    }


def test_a_preview_says_what_the_next_build_assigns(tmp_path: Path, source: str) -> None:
    store, encoder = tmp_path / "s", FakeEncoder()
    run(store, source, encoder=encoder)
    base = codebook.load_file(store)
    other = replace(
        base.narratives[1], exemplars=("The harvest in the southern regions was good this year.",), cues=("syria",)
    )
    for change, narrative_id in (
        (codebook.set_narrative(base, HARVEST), "harvest"),
        (codebook.set_narrative(base, other), "sanctions"),
        (Change("bases", codebook.RETIRED), "bases"),
    ):
        before = assigned(store, narrative_id)
        log = DecisionLog(store / DECISIONS_FILE)
        edited = codebook.apply_changes(base, log.edits("narrative"), [change])
        seen = preview(store, edited, narrative_id, encoder)
        assert seen.statements == 36
        edit(store, change)
        run(store, source, encoder=encoder)
        check_prediction(store, before, seen, narrative_id)


def test_decisions_count_in_a_preview(tmp_path: Path, source: str) -> None:
    store, encoder = tmp_path / "s", FakeEncoder()
    run(store, source, encoder=encoder)
    with closing(open_snapshot(store)) as snapshot:
        texts = query_statement_texts(snapshot)["text"].tolist()
    log = DecisionLog(store / DECISIONS_FILE)
    good = [text for text in texts if text.startswith("The harvest")]
    judged = [*((text, "accepted") for text in good), *((text, "rejected") for text in texts if text not in good)]
    log.add([LabelledText(1, t, f"d{at % 9}", {"harvest": v}) for at, (t, v) in enumerate(judged)], "ann", "")
    change = codebook.set_narrative(codebook.load_file(store), HARVEST)
    edited = codebook.apply_changes(codebook.load_file(store), (), [change])
    seen = preview(store, edited, "harvest", encoder)
    edit(store, change)
    run(store, source, encoder=encoder)
    assert len(good) < 36
    check_prediction(store, {}, seen, "harvest")


def test_a_draft_from_a_cluster_and_from_a_search(tmp_path: Path, source: str) -> None:
    store, encoder = tmp_path / "s", FakeEncoder()
    run(store, source, encoder=encoder)
    with closing(open_snapshot(store)) as snapshot:
        texts = query_statement_texts(snapshot)["text"].tolist()
        for found in drafts.list_sources(snapshot):
            draft = drafts.draft_from_cluster(store, snapshot, found.cluster_id)
            assert draft.name and 1 <= len(draft.exemplars) <= drafts.EXEMPLARS
            assert all(any(text in paragraph for paragraph in texts) for text in draft.exemplars)
            assert not set(draft.exemplars) & set(draft.contrasts)
        ids = query_statement_texts(snapshot)["paragraph_id"].tolist()
        [(_, vectors)] = encoder.encode(["the harvest was good"])
        similar = dict.fromkeys(ids[:20], 0.5)
        draft = drafts.draft_from_search(store, snapshot, "the harvest was good", vectors[0], similar)
    assert (draft.id, draft.name) == ("", "The harvest was good")
    assert draft.exemplars and drafts.make_id("The  Harvest!", ["the_harvest"]) == "the_harvest_2"


@pytest.mark.model
def test_on_the_sample_a_preview_says_what_the_next_build_assigns(tmp_path: Path) -> None:
    """With the real model and the classifier that ships with the program."""
    store = tmp_path / "s"
    inputs = (str(ROOT / "data" / "sample" / "seeds.jsonl"),)
    build(BuildRequest(inputs, store))
    base = codebook.load_file(store)
    first, second = base.narratives[0], base.narratives[10]
    changes = {
        first.id: replace(first, exemplars=first.exemplars[:4], cues=()),
        second.id: replace(second, definition=f"{second.definition} Always.", threshold=None),
        "farming": replace(HARVEST, id="farming"),
    }
    before = {key: assigned(store, key) for key in changes}
    edited = codebook.apply_changes(base, (), [codebook.set_narrative(base, n) for n in changes.values()])
    encoder = embed.load_encoder()
    with closing(open_snapshot(store)) as snapshot:
        previewer = Previewer(store, snapshot, lambda: encoder).prepare(base)
        seen = {key: previewer.preview(edited, key) for key in changes}
    assert [seen[key].by_classifier for key in changes] == [True, False, False]
    edit(store, *(codebook.set_narrative(base, narrative) for narrative in changes.values()))
    build(BuildRequest(inputs, store))
    for key in changes:
        check_prediction(store, before[key], seen[key], key)
