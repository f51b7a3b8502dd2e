"""Training on decisions: what it gains, that it can be stopped, and that builds and evaluations use it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from narratives import cli, embed
from narratives.embed import classifier as classifiers
from narratives.model import ConfigError, EncoderError, LabelledText, StoreError
from narratives.read import read_labels
from narratives.store import DECISIONS_FILE, DecisionLog, Store, open_snapshot
from narratives.store.files import get_sums_path
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.evaluate import EvaluationRequest, evaluate_matching
from narratives.workflows.match import CLASSIFIER_FILE
from narratives.workflows.train import TRAINING_FOLDER, TrainRequest, train
from tests.conftest import ROOT

pytestmark = pytest.mark.model

CODEBOOK = """
[[narrative]]
id = "harbour_promises"
name = "The harbour was promised"
definition = "The town was promised a harbour, and the promise was broken."
exemplars = ["They promised us a harbour and broke their word.", "The harbour that we were promised never came."]
contrasts = ["The harbour has three piers and a lighthouse."]

[[narrative]]
id = "a_railway_neglected"
name = "The railway is neglected"
definition = "The railway is left to decay on purpose."
exemplars = ["They let the railway rot on purpose.", "Nobody mends the railway, and that is no accident."]
contrasts = ["The railway carries two million passengers a year."]
"""
WHO = ("The mayor", "A council member", "The union", "An old captain", "The ministry")
CLAIMS = {
    "harbour_promises": "{} said again that the promise of a harbour was given and not kept in year {}.",
    "a_railway_neglected": "{} said again that the railway is left to fall apart by intent in year {}.",
    # Its words are those of the exemplars, so the codebook alone is misled.
    "": "{} said that they promised us a harbour and kept their word in year {}.",
}


def write_texts(folder: Path, count: int = 12) -> Path:
    """Write labelled texts of two narratives and of none, two to a document."""
    rows = []
    for number in range(count):
        for narrative, pattern in CLAIMS.items():
            text = pattern.format(WHO[number % len(WHO)], 1950 + number)
            rows.append({"id": f"d{number // 2}-{len(rows)}", "text": text, "labels": [narrative] if narrative else []})
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    (folder / "codebook.toml").write_text(CODEBOOK)
    labels = write_texts(folder)
    texts = [json.loads(line)["text"] for line in labels.read_text().splitlines()]
    (folder / "texts").mkdir()
    for number, text in enumerate(texts):
        (folder / "texts" / f"{number}.txt").write_text(text)
    return folder


def make_store(folder: Path, name: str) -> Path:
    store = folder / name
    rows = [row for row in read_labels(folder / "labels.jsonl", list(CLAIMS)[:2]) if isinstance(row, LabelledText)]
    Store(store).path.mkdir()
    DecisionLog(store / DECISIONS_FILE).add(rows, "reader", "")
    return store


@pytest.fixture(scope="module")
def trained(folder) -> Path:
    """A store with a trained classifier. The training contacts no other machine and looks up no name."""
    store = make_store(folder, "trained")
    with pytest.MonkeyPatch.context() as patched:
        for name in ("socket.socket.connect", "socket.socket.connect_ex", "socket.getaddrinfo"):
            patched.setattr(name, None)  # calling it fails
        train(TrainRequest(store, folder / "codebook.toml"))
    return store


def test_a_stopped_training_continues_to_the_same_result(folder, trained):
    store = make_store(folder, "stopped")

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage.startswith("training, all texts, pass 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TrainRequest(store, folder / "codebook.toml"), stop)
    assert list((store / TRAINING_FOLDER).glob("*/*.safetensors")) and not (store / CLASSIFIER_FILE).exists()
    stages = []
    train(TrainRequest(store, folder / "codebook.toml"), lambda stage, done, total: stages.append(stage))
    assert not any("pass 1" in stage for stage in stages if "all texts" in stage)
    assert not (store / TRAINING_FOLDER).exists()
    assert (store / CLASSIFIER_FILE).read_bytes() == (trained / CLASSIFIER_FILE).read_bytes()


def test_outputs_depend_on_the_text_alone(trained):
    classifier = embed.load_classifier(trained / CLASSIFIER_FILE, embed.load_encoder())
    texts = [pattern.format("Somebody", year) for year in range(30) for pattern in CLAIMS.values()]
    together = embed.encode_all(classifier, texts)
    assert together.shape == (90, 2)
    assert np.array_equal(embed.encode_all(classifier, texts[::-1])[::-1], together)
    assert np.array_equal(embed.encode_all(classifier, texts[:1]), together[:1])


def test_loading_a_classifier_does_not_import_torch(trained):
    code = (
        "import sys; from pathlib import Path; from narratives.embed import load_classifier, load_encoder\n"
        "assert load_classifier(Path(sys.argv[1]), load_encoder()).held_out.shape[1] == 2\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(trained / CLASSIFIER_FILE)], cwd=ROOT, check=True)


def test_builds_and_evaluations_use_what_was_trained(folder, trained, capsys):
    request = BuildRequest((str(folder / "texts"),), trained, folder / "codebook.toml")
    report = build(request)
    assert not report.unchanged and build(request).unchanged
    with closing(open_snapshot(trained)) as snapshot:
        parameters = snapshot.meta().parameters
    assert parameters["classifier"].startswith("classifier-")
    result = evaluate_matching(EvaluationRequest(folder / "labels.jsonl", trained, folder / "codebook.toml"))
    assert result.snapshot == report.snapshot
    assert "trained classifier" in result.evaluation.caveat
    (trained / CLASSIFIER_FILE).rename(folder / "kept")
    try:
        with pytest.raises(StoreError, match="no such file"):
            build(request)
        get_sums_path(trained / CLASSIFIER_FILE).unlink()
        assert not build(request).unchanged
    finally:
        (folder / "kept").rename(trained / CLASSIFIER_FILE)


def test_too_few_decisions_are_an_error(folder, tmp_path, capsys):
    arguments = ["train", "--store", str(tmp_path / "s"), "--codebook", str(folder / "codebook.toml")]
    assert cli.main([*arguments, "--progress", "none"]) == 2
    assert "at least 20 accepted pairs" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        train(TrainRequest(tmp_path / "s", folder / "codebook.toml"))


def test_the_command_prints_what_was_gained(folder, monkeypatch, capsys):
    monkeypatch.setattr(classifiers, "PASSES", 1)
    store = make_store(folder, "command")
    assert cli.main(["train", "--store", str(store), "--codebook", str(folder / "codebook.toml")]) == 0
    printed = capsys.readouterr().out
    assert "harbour_promises" in printed and "the next build uses it" in printed


def test_a_damaged_classifier_is_named(folder, tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / CLASSIFIER_FILE).write_bytes(b"not a classifier")
    with pytest.raises(EncoderError, match=r"Delete it to do without it"):
        build(BuildRequest((str(folder / "texts"),), tmp_path / "s", folder / "codebook.toml"))
