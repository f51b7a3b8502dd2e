"""Training: decisions, exemplars and contrasts to a classifier, which is used where it is better."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from narratives import embed, match, model
from narratives.model import Codebook, ConfigError, EncoderError, Progress, StoreError, no_progress
from narratives.store import Store, hash_decisions, open_snapshot
from narratives.store.files import write_summed
from narratives.store.queries.evidence import query_statement_texts
from narratives.workflows.build import load_decisions
from narratives.workflows.codebook import SHIPPED_CODEBOOK, load_codebook
from narratives.workflows.engines.embedder import Embedder
from narratives.workflows.match import (
    BLOCK_STATEMENTS,
    CLASSIFIER_FILE,
    combine_classifiers,
    label_pairs,
    load_background,
    load_classifiers,
    load_store_encoder,
    match_texts,
    mend_vectors,
)

TRAINING_FOLDER = "training"
FOLDS = 2
MIN_ACCEPTED = 20  # accepted pairs below which nothing is trained
EXAMPLE_WEIGHT = 0.5  # of an exemplar or contrast, against a decided text
DIRECTION_SCALE = 2.0
WEIGHT_GROUPS = 20  # of decided texts with similar evidence
MIN_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """The request to train on the decisions of a store, for a codebook and a model."""

    store: Path
    codebook: Path = SHIPPED_CODEBOOK
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
    other; from this follow how its outputs are combined with the evidence, and for which narratives the combination
    is better than what is used without it: the codebook and, for the default codebook, the classifier that ships with
    the program. A third classifier is then trained on all texts. If training is stopped, the same command continues
    after the last complete pass over the texts.

    Raises ConfigError where there are too few decisions, and EncoderError for a model that cannot be trained.
    """
    started = time.monotonic()
    store = Store(request.store)
    with store.lock():
        codebook = load_codebook(request.store, request.codebook, request.decisions)
        decisions = load_decisions(store, request.decisions)
        encoder = load_store_encoder(store, request.model)
        if not isinstance(encoder, embed.SentenceEncoder):
            raise EncoderError("a sentence-transformers model", type(encoder).__name__, "Train with another --model.")
        mend_vectors(store, encoder)
        embedder = Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), progress)
        background = load_background(embedder, encoder.name)
        plain = match.fit_matcher(codebook, embedder, background)
        decided, keys, _ = label_pairs(plain, codebook, decisions, embedder)
        accepted = int((decided.accepted & decided.known).sum())
        if accepted < MIN_ACCEPTED or len(set(decided.documents)) < FOLDS:
            hint = "Import more decisions with `review import`."
            raise ConfigError(f"at least {MIN_ACCEPTED} accepted pairs of {FOLDS} documents", f"{accepted}", hint)
        near = match.is_near(decided.evidence)
        weights = _weigh_by_corpus(store, plain, decided, embedder)
        shipped = load_classifiers(codebook, encoder, store, progress)
        for trained in shipped:
            mend_vectors(store, trained.classifier)
        if shipped:
            matcher = combine_classifiers(plain, codebook, shipped)
            classify = [trained.classify_held_out for trained in shipped]
            decided, _, _ = label_pairs(matcher, codebook, decisions, embedder, classify)

        folder = store.path / TRAINING_FOLDER / _hash_run(codebook, decisions, encoder, request.seed)
        folder.mkdir(parents=True, exist_ok=True)
        examples = list_examples(codebook)
        exemplars = np.stack([embedder(n.statements).mean(axis=0) for n in codebook.narratives])
        directions = exemplars - background.paragraph_vectors.mean(axis=0)
        training = Training(encoder, codebook, examples, directions, folder, request.seed, progress)
        outputs, folds = training.predict_out_of_fold(decided, near)
        weighted = replace(decided, weights=weights)
        combination, gains = match.fit_combination(weighted, near, outputs, folds)
        path = store.path / CLASSIFIER_FILE
        rows = np.flatnonzero(near)
        classifier = training.fit("all texts", decided.rows(rows))
        trained_keys = [keys[row] for row in rows.tolist()]
        write_summed(path, training.dump(classifier, trained_keys, outputs[rows], combination))
        shutil.rmtree(store.path / TRAINING_FOLDER)
    seconds = time.monotonic() - started
    return TrainReport(plain.narrative_ids, gains, int(near.sum()), path, seconds)


def _hash_run(
    codebook: Codebook, decisions: Sequence[model.Decision], encoder: embed.SentenceEncoder, seed: int
) -> str:
    """Name a run by what its result depends on, so that only the same run is continued."""
    arithmetic = encoder.variant, embed.trains_in_bf16(encoder)
    terms = [codebook.digest, hash_decisions(decisions), encoder.name, *arithmetic, seed, embed.TRAINING_VERSION]
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()[:12]


def _weigh_by_corpus(
    store: Store, matcher: match.Matcher, decided: match.LabelledPairs, embedder: Embedder
) -> model.FloatArray | None:
    """Compute how many statement paragraphs of the current snapshot each decided text stands for, (n,).

    Decided texts are rarely a random sample: people review what is likely to advance a narrative. So the texts are
    grouped by their highest evidence, and each stands for as many of the snapshot's paragraphs in its group as there
    are per decided text (post-stratification). Without a snapshot there is nothing to compare with: None.
    """
    current = store.current()
    if current is None:
        return None
    try:
        with closing(open_snapshot(store.path, current)) as snapshot:
            texts = list(dict.fromkeys(query_statement_texts(snapshot)["text"]))
    except StoreError:  # damaged: the next build makes it again
        return None
    if not texts:
        return None
    parts = [texts[start : start + BLOCK_STATEMENTS] for start in range(0, len(texts), BLOCK_STATEMENTS)]
    corpus = np.concatenate([match_texts(matcher, part, embedder).evidence.max(axis=1) for part in parts])
    own = decided.evidence.max(axis=1)
    edges = np.unique(np.quantile(own, np.linspace(0, 1, WEIGHT_GROUPS + 1)[1:-1]))
    group, corpus_group = np.searchsorted(edges, own), np.searchsorted(edges, corpus)
    sizes = np.bincount(corpus_group, minlength=len(edges) + 1) / np.maximum(
        1, np.bincount(group, minlength=len(edges) + 1)
    )
    weights: model.FloatArray = np.maximum(sizes, MIN_WEIGHT)[group]
    return weights


@dataclass(frozen=True, slots=True)
class Training:
    """A training of classifiers, on halves and on all of the decided texts, each with the `examples`.

    `directions` (k, d) are the means of the narratives' exemplars less that of the background. Checkpoints are kept in
    `folder`, and continued from.
    """

    encoder: embed.SentenceEncoder
    codebook: Codebook
    examples: embed.TrainingRows
    directions: model.VectorArray
    folder: Path
    seed: int = 0
    progress: Progress = no_progress

    def predict_out_of_fold(
        self, decided: match.LabelledPairs, near: NDArray[np.bool_]
    ) -> tuple[model.VectorArray, NDArray[np.intp]]:
        """Return the outputs (n, k) of a classifier trained on the other half, 0 where not near, and the halves."""
        folds = match.assign_folds(decided.documents, FOLDS)
        outputs = np.zeros(decided.evidence.shape, np.float32)
        for fold in range(FOLDS):
            held = np.flatnonzero(near & (folds == fold))
            outputs[held] = self.predict_fold(decided, near, folds, fold)
        return outputs, folds

    def predict_fold(
        self, decided: match.LabelledPairs, near: NDArray[np.bool_], folds: NDArray[np.intp], fold: int
    ) -> model.VectorArray:
        """Return the outputs of the texts near a narrative in one fold, of a classifier trained on the others."""
        classifier = self.fit(f"fold {fold + 1} of {FOLDS}", decided.rows(np.flatnonzero(near & (folds != fold))))
        texts = [decided.texts[row] for row in np.flatnonzero(near & (folds == fold))]
        return embed.encode_all(classifier, texts)

    def dump(
        self,
        classifier: embed.ParagraphClassifier,
        keys: Sequence[str],
        outputs: model.VectorArray,
        combination: match.Combination,
    ) -> bytes:
        """Return the file of a classifier: its outputs (n, k) out of fold for the texts of these keys, and its use."""
        ids = [narrative.id for narrative in self.codebook.narratives]
        metadata = {
            # A list, in the order of the outputs: the file has the keys of objects in alphabetical order.
            "narratives": [[narrative.id, narrative.definition] for narrative in self.codebook.narratives],
            "texts": list(keys),
            "used": {
                ids[column]: {"near": list(weights), "far": list(far)}
                for column, weights, far in zip(
                    combination.columns, combination.weights.tolist(), combination.far.tolist(), strict=True
                )
            },
            "threshold": combination.threshold,
            # Whether one more output, after those of the narratives, is for texts that refute a claim.
            "refutation": combination.refutation is not None,
        }
        return embed.dump_classifier(classifier, outputs, metadata)

    def fit(self, name: str, decided: match.LabelledPairs) -> embed.ParagraphClassifier:
        """Train on these decided texts and on the examples."""
        rows = embed.TrainingRows(
            [*decided.texts, *self.examples.texts],
            np.concatenate([decided.accepted, self.examples.labels]),
            np.concatenate([decided.known, self.examples.known]),
            np.concatenate([np.ones(len(decided.texts), np.float32), self.examples.weights]),
        )
        directions = (DIRECTION_SCALE * self.directions).astype(np.float32)
        checkpoint = self.folder / f"{name.replace(' ', '-')}.safetensors"

        def show(done: int, steps: int, loss: float) -> None:
            self.progress(f"training, {name}", done, steps)
            passes, rest = divmod(done * embed.PASSES, steps)
            if not rest:
                self.progress(f"training, {name}, pass {passes}: loss {loss:.3f}", done, steps)

        return embed.train_classifier(self.encoder, rows, directions, show, checkpoint, self.seed)


def list_examples(codebook: Codebook) -> embed.TrainingRows:
    """List the exemplars and contrasts of the codebook, with less weight than a decided text."""
    texts: list[str] = []
    count = len(codebook.narratives)
    labels, known = [np.zeros((0, count), np.bool_)], [np.zeros((0, count), np.bool_)]
    for column, narrative in enumerate(codebook.narratives):
        for examples, advances in ((narrative.statements, True), (narrative.contrasts, False)):
            own = np.zeros((len(examples), count), np.bool_)
            own[:, column] = True
            texts += examples
            labels.append(own & advances)
            known.append(own)
    weights = np.full(len(texts), EXAMPLE_WEIGHT, np.float32)
    return embed.TrainingRows(texts, np.concatenate(labels), np.concatenate(known), weights)
