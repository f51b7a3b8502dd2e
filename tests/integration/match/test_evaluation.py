"""Evaluation: figures out of fold, kept where they belong, with the caveat that goes with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from narratives import match
from narratives.cli import main
from narratives.model import ConfigError, LabelledText
from narratives.read import read_labels
from narratives.store import DECISIONS_FILE, DecisionLog, Store, open_snapshot
from narratives.store.files import read_evaluation
from narratives.workflows import evaluate
from narratives.workflows.evaluate import EvaluationRequest, EvaluationResult, evaluate_matching
from tests.helpers.fakes import FakeEncoder, use_encoder
from tests.integration.builds.test_build import CLAIMS, rows, run, small_codebook, write


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """48 labelled texts of 24 documents; every fourth advances the first narrative, the next the second."""
    labels = (["bases"], ["sanctions"], [], [])
    path = tmp_path / "gold.jsonl"
    lines = [
        {"id": f"doc{i // 2}-{i}", "text": f"{CLAIMS[i % 4]} Number {i}.", "labels": labels[i % 4], "disputed": []}
        for i in range(48)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    run(tmp_path / "s", write(tmp_path / "a.jsonl", rows(0, 12)))
    return Store(tmp_path / "s")


def ask(gold: Path, store: Path, **more: object) -> EvaluationResult:
    request = EvaluationRequest(gold, store, small_codebook(gold.parent), **more)  # type: ignore[arg-type]
    return evaluate_matching(request, encoder=FakeEncoder())


def test_the_current_snapshot_carries_the_figures(gold: Path, store: Store) -> None:
    found = ask(gold, store.path)
    assert [row.narrative_id for row in found.evaluation.rows] == ["bases", "sanctions", ""]
    assert [row.support for row in found.evaluation.rows] == [12, 12, 24]
    assert found.evaluation.rows[-1].average_precision > 0.8
    assert found.snapshot == store.current() and not found.note
    kept = store.quality(found.snapshot)
    assert kept is not None and kept[-1].f1 == pytest.approx(found.evaluation.rows[-1].f1, abs=1e-4)
    caveat = open_snapshot(store.path).quality_caveat()
    assert "machine annotation" in caveat and "codebook alone" in caveat and "24 documents" in caveat
    assert "are human coding" in ask(gold, store.path, annotation="human").evaluation.caveat


def test_without_a_snapshot_only_the_file_is_written_and_that_is_said(gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    found = ask(gold, tmp_path / "none", out=out)
    assert not found.snapshot and "no snapshot" in found.note
    assert not (tmp_path / "none").exists()
    written = read_evaluation(out)
    assert written is not None and written.caveat == found.evaluation.caveat
    assert written.rows[-1].f1 == pytest.approx(found.evaluation.rows[-1].f1, abs=1e-4)


def test_figures_of_another_matching_are_not_kept(gold: Path, store: Store) -> None:
    DecisionLog(store.path / DECISIONS_FILE).add([LabelledText(1, "A text.", "d", {"bases": "rejected"})], "ann", "")
    found = ask(gold, store.path)
    assert not found.snapshot and "another codebook, model, classifier, threshold or decisions" in found.note
    assert store.quality(store.current() or "") is None


def imported(gold: Path, store: Store) -> DecisionLog:
    log = DecisionLog(store.path / DECISIONS_FILE)
    made = [row for row in read_labels(gold, ("bases", "sanctions")) if isinstance(row, LabelledText)]
    log.add(made, "ann", "")
    return log


def test_a_decided_text_is_scored_without_its_document(
    gold: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(gold, store)
    asked: list[set[str]] = []

    learn = match.learn_corrections

    def spied(decided: match.LabelledPairs) -> match.LearnedCorrections:
        asked.append(set(decided.documents))
        return learn(decided)

    monkeypatch.setattr(match, "learn_corrections", spied)
    found = ask(gold, store.path)
    everything, *folds = asked
    assert len(everything) == 24 and len(folds) == evaluate.FOLDS
    left_out = [everything - kept for kept in folds]
    assert sum(map(len, left_out)) == 24 and set().union(*left_out) == everything
    assert "without the decisions on its own document" in found.evaluation.caveat


def test_foreign_texts_are_scored_with_all_that_was_taught(gold: Path, store: Store, tmp_path: Path) -> None:
    imported(gold, store)
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"id": "x-1", "text": f"{CLAIMS[0]} Elsewhere.", "labels": ["bases"]}) + "\n")
    assert "none of them from these documents" in ask(other, store.path).evaluation.caveat


def test_a_file_without_any_label_is_refused(tmp_path: Path, store: Store) -> None:
    (tmp_path / "gold.jsonl").write_text('{"text": "A text."}\n')
    with pytest.raises(ConfigError, match="`labels`"):
        ask(tmp_path / "gold.jsonl", store.path)


def test_the_commands_from_import_to_figures(
    gold: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_encoder(monkeypatch, FakeEncoder())
    codebook = str(small_codebook(tmp_path))
    place = ["--store", str(store.path), "--codebook", codebook]
    gold.write_text(gold.read_text("utf-8") + '{"text": ""}\n', "utf-8")
    assert main(["review", "import", str(gold), *place, "--who", "ann"]) == 0
    said = capsys.readouterr().out
    assert "gold.jsonl:49" in said and " 96" in said
    assert {d.who for d in DecisionLog(store.path / DECISIONS_FILE).current()} == {"ann"}
    out = tmp_path / "out.jsonl"
    assert main(["review", "export", str(out), "--store", str(store.path)]) == 0
    assert len(out.read_text("utf-8").splitlines()) == 48
    assert main(["build", *place, "--progress", "none"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--gold", str(gold), *place, "--progress", "none"]) == 0
    said = capsys.readouterr().out
    assert "sanctions" in said and "mean" in said and f"kept with snapshot {store.current()}" in said
    assert main(["review", "import", str(tmp_path / "none.jsonl"), *place]) == 2
