"""Tuning on labelled rows: thresholds, maps from topics to narratives, and the choice among settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.labels import Labels, Mask, Scores
from narratives.match import LabelledPairs, learn_corrections, to_score

FOLDS = 5
SMOOTHING = 0.4  # of the F1 curve over thresholds, in standard deviations of a narrative's scores
SHARED = 10  # positives that the mean curve of all narratives counts as, beside a narrative's own
GRID = np.arange(-1.0, 8.0, 0.05)

# What a setting says of all pairs once it is tuned on some rows, and its scores where it has such.
Setting = Callable[[Mask], tuple[Mask, Scores | None]]


def f1(gold: Labels, said: Mask, rows: Mask) -> float:
    """Macro-F1 over the narratives that are true somewhere in `rows`; disputed pairs left out."""
    use = gold.usable & rows[:, None]
    hits, true, claims = ((use & part).sum(axis=0) for part in (gold.truth & said, gold.truth, said))
    seen = true > 0
    return float((2 * hits[seen] / (true + claims)[seen]).mean())


def thresholded(gold: Labels, scores: Scores, steady: bool = True) -> Setting:
    """One threshold a narrative, at the peak of its F1 curve.

    With ten positives that curve is jagged and its peak is luck, so a `steady` choice smooths it and shrinks
    it toward the mean curve of all narratives. Every method that has scores is offered both.
    """
    scaled = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    offsets = np.arange(-30, 31) * 0.05
    kernel = np.exp(-0.5 * (offsets / SMOOTHING) ** 2)

    def decide(rows: Mask) -> tuple[Mask, Scores]:
        curves, weights = [], []
        for k in range(scaled.shape[1]):
            use = rows & gold.usable[:, k]
            truth, said = gold.truth[use, k], scaled[use, k, None] >= GRID
            curve = 2 * said[truth].sum(axis=0) / np.maximum(1, truth.sum() + said.sum(axis=0))
            smooth = np.convolve(np.pad(curve, 30, mode="edge"), kernel / kernel.sum(), "valid")
            curves.append(smooth if steady else curve)
            weights.append(truth.sum() / SHARED)
        shared = np.mean(curves, axis=0) * steady
        pairs = zip(weights, curves, strict=True)
        return scaled >= GRID[[int((weight * own + shared).argmax()) for weight, own in pairs]], scaled

    return decide


def mapped(gold: Labels, topics: Sequence[int], least: float) -> Setting:
    """Topics that no one has named: one is taken for the narratives of at least that share of its rows."""
    of = np.asarray(topics)

    def decide(rows: Mask) -> tuple[Mask, None]:
        said = np.zeros_like(gold.truth)
        for topic in set(topics) - {-1}:
            inside = (of == topic) & rows
            said[of == topic] = gold.truth[inside].sum(axis=0) >= max(1.0, least * inside.sum())
        return said, None

    return decide


def taught(gold: Labels, evidence: Scores, thresholds: NDArray[np.float32]) -> Setting:
    """This project's evidence with what the labels of the rows, taken as decisions, teach."""

    def decide(rows: Mask) -> tuple[Mask, Scores]:
        use = np.flatnonzero(rows).tolist()
        decided = LabelledPairs(
            texts=tuple(gold.texts[row] for row in use),
            documents=tuple(gold.documents[row] for row in use),
            evidence=evidence[use],
            accepted=gold.truth[use],
            known=gold.usable[use],
            thresholds=thresholds,
        )
        lessons = learn_corrections(decided)
        corrected = lessons.correct(evidence, gold.texts)
        return to_score(corrected).astype(np.float32) >= lessons.thresholds, corrected

    return decide


def fixed(said: Mask) -> Setting:
    """A setting that has nothing left to tune."""
    return lambda rows: (said, None)


def trained(gold: Labels, features: Scores) -> Setting:
    """Logistic regression a narrative, trained on the labels of the rows, thresholds cross-fitted there."""

    def scores_of(train: Mask) -> Scores:
        found = np.full(gold.truth.shape, -10.0)
        for k in range(len(gold.narratives)):
            use = train & gold.usable[:, k]
            if gold.truth[use, k].any():
                model = LogisticRegression(C=3.0, class_weight="balanced", max_iter=500)
                found[:, k] = model.fit(features[use], gold.truth[use, k]).decision_function(features)
        return found

    def decide(rows: Mask) -> tuple[Mask, Scores]:
        folds, inner = folds_of(gold.documents, FOLDS, seed=1), np.zeros(gold.truth.shape)
        for fold in range(FOLDS):
            inner[folds == fold] = scores_of(rows & (folds != fold))[folds == fold]
        outer = np.where(rows[:, None], inner, scores_of(rows))
        return thresholded(gold, outer)(rows)[0], outer

    return decide


def folds_of(documents: Sequence[str], folds: int, seed: int = 0) -> NDArray[np.intp]:
    """A fold for every row, the same for all rows of a document."""
    names, group = np.unique(np.asarray(documents, dtype=np.str_), return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(names)) % folds
    return np.asarray(drawn[group], dtype=np.intp)


def choose(gold: Labels, settings: Sequence[Setting], rows: Mask) -> Setting:
    """The setting with the best macro-F1 on `rows`, each tuned without the document that it is tried on."""
    if len(settings) == 1:
        return settings[0]
    folds = folds_of(gold.documents, FOLDS, seed=1)

    def tried(setting: Setting) -> float:
        said = np.zeros_like(gold.truth)
        for fold in range(FOLDS):
            said[folds == fold] = setting(rows & (folds != fold))[0][folds == fold]
        return f1(gold, said, rows)

    return max(settings, key=tried)
