"""Training: decisions, exemplars and contrasts to a classifier, which is used where it is better."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from narratives import embed, match, model, read
from narratives.model import Codebook, ConfigError, EncoderError, Progress, no_progress
from narratives.resources import DATA_FOLDER
from narratives.store import Store, hash_decisions
from narratives.store.files import write_atomically
from narratives.workflows.build import load_decisions
from narratives.workflows.match import (
    CLASSIFIER_FILE,
    Embedder,
    label_pairs,
    load_background,
    load_store_encoder,
    mend_vectors,
)

TRAINING_FOLDER = "training"
FOLDS = 2
MIN_ACCEPTED = 20  # accepted pairs below which nothing is trained
EXAMPLE_WEIGHT = 0.5  # of an exemplar or contrast, against a decided text
DIRECTION_SCALE = 2.0


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """The request to train on the decisions of a store, for a codebook and a model."""

    store: Path
    codebook: Path = DATA_FOLDER / "codebook.toml"
    decisions: Path | None = None
    model: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What training gave: the `gains` out of fold for the `narrative_ids` (k), and where the classifier is.

    `texts` is the number of decided texts that were trained on, `seconds` the time taken.
    """

    narrative_ids: tuple[str, ...]
    gains: match.Gains
    texts: int
    path: Path
    seconds: float


def train(request: TrainRequest, progress: Progress = no_progress) -> TrainReport:
    """Train a classifier and keep it in the store, where the next `build` uses it.

    The decided texts are divided into two halves by document. A classifier is trained on each half and tested on the
    other; from this follow how its outputs are combined with the codebook's evidence, and for which narratives the
    combination is better than the codebook alone. A third classifier is then trained on all texts. If training is
    stopped, the same command continues after the last complete pass over the texts.

    Raises ConfigError where there are too few decisions, and EncoderError for a model that cannot be trained.
    """
    started = time.monotonic()
    store = Store(request.store)
    with store.lock():
        codebook = read.load_codebook(request.codebook)
        decisions = load_decisions(store, request.decisions)
        encoder = load_store_encoder(store, request.model)
        if not isinstance(encoder, embed.SentenceEncoder):
            raise EncoderError("a sentence-transformers model", type(encoder).__name__, "Train with another --model.")
        mend_vectors(store, encoder)
        embedder = Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), progress)
        background = load_background(embedder, encoder.name)
        matcher = match.fit_matcher(codebook, embedder, background)
        decided, keys, _ = label_pairs(matcher, codebook, decisions, embedder)
        accepted = int((decided.accepted & decided.known).sum())
        if accepted < MIN_ACCEPTED or len(set(decided.documents)) < FOLDS:
            hint = "Import more decisions with `review import`."
            raise ConfigError(f"at least {MIN_ACCEPTED} accepted pairs of {FOLDS} documents", f"{accepted}", hint)

        folder = store.path / TRAINING_FOLDER / _hash_run(codebook, decisions, encoder, request.seed)
        folder.mkdir(parents=True, exist_ok=True)
        exemplars = np.stack([embedder(n.statements).mean(axis=0) for n in codebook.narratives])
        directions = DIRECTION_SCALE * (exemplars - background.paragraph_vectors.mean(axis=0))
        run = _Run(encoder, codebook, decided, directions.astype(np.float32), folder, request.seed, progress)
        near = match.is_near(decided.evidence)
        folds = match.assign_folds(decided.documents, FOLDS)
        outputs = np.zeros(decided.evidence.shape, np.float32)
        for fold in range(FOLDS):
            held = np.flatnonzero(near & (folds == fold))
            classifier = run.train(f"fold {fold + 1} of {FOLDS}", np.flatnonzero(near & (folds != fold)))
            outputs[held] = embed.encode_all(classifier, [decided.texts[row] for row in held])
        combination, gains = match.fit_combination(decided, outputs, folds)
        rows = np.flatnonzero(near)
        classifier = run.train("all texts", rows)
        path = store.path / CLASSIFIER_FILE
        metadata = {
            "narratives": {narrative.id: narrative.definition for narrative in codebook.narratives},
            "texts": [keys[row] for row in rows],
            "used": [codebook.narratives[column].id for column in combination.columns],
            "weights": combination.weights.tolist(),
            "threshold": combination.threshold,
        }
        write_atomically(path, embed.dump_classifier(classifier, outputs[rows], metadata))
        shutil.rmtree(store.path / TRAINING_FOLDER)
    seconds = time.monotonic() - started
    return TrainReport(matcher.narrative_ids, gains, len(rows), path, seconds)


def _hash_run(
    codebook: Codebook, decisions: Sequence[model.Decision], encoder: embed.SentenceEncoder, seed: int
) -> str:
    """Name a run by what its result depends on, so that only the same run is continued."""
    terms = [codebook.digest, hash_decisions(decisions), encoder.name, encoder.variant, seed, embed.TRAINING_VERSION]
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Run:
    encoder: embed.SentenceEncoder
    codebook: Codebook
    decided: match.LabelledPairs
    directions: model.VectorArray
    folder: Path
    seed: int
    progress: Progress

    def train(self, name: str, rows: NDArray[np.intp]) -> embed.ParagraphClassifier:
        """Train on these decided texts and on the examples of the codebook."""
        training = _add_examples(self.decided.rows(rows), self.codebook)
        checkpoint = self.folder / f"{name.replace(' ', '-')}.safetensors"

        def show(done: int, steps: int, loss: float) -> None:
            self.progress(f"training, {name}", done, steps)
            passes, rest = divmod(done * embed.PASSES, steps)
            if not rest:
                self.progress(f"training, {name}, pass {passes}: loss {loss:.3f}", done, steps)

        return embed.train_classifier(self.encoder, training, self.directions, show, checkpoint, self.seed)


def _add_examples(decided: match.LabelledPairs, codebook: Codebook) -> embed.TrainingRows:
    """Return the decided texts, and the codebook's exemplars and contrasts with less weight."""
    texts, count = list(decided.texts), len(codebook.narratives)
    labels, known = [decided.accepted], [decided.known]
    for column, narrative in enumerate(codebook.narratives):
        for examples, advances in ((narrative.statements, True), (narrative.contrasts, False)):
            own = np.zeros((len(examples), count), np.bool_)
            own[:, column] = True
            texts += examples
            labels.append(own & advances)
            known.append(own)
    weights = np.full(len(texts), EXAMPLE_WEIGHT, np.float32)
    weights[: len(decided.texts)] = 1
    return embed.TrainingRows(texts, np.concatenate(labels), np.concatenate(known), weights)
