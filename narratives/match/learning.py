"""Learning from decisions: what the words of decided paragraphs add to the evidence of the codebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from narratives.match.calibration import MIDPOINT, to_evidence, to_score
from narratives.model import FloatArray

NEAR_EVIDENCE = 1.0  # evidence from which a paragraph is near enough to a narrative for its words to matter
WORD_VARIANCE, BIAS_VARIANCE = 10.0, 1.0  # prior variances of a word's weight and of a narrative's shift
APPLIED_SHARE = 0.7  # share of the correction that is applied
CODEBOOK_WEIGHT = 10.0  # accepted paragraphs that weigh as much as the thresholds of the codebook
POOLED_WEIGHT = 10.0  # accepted paragraphs that weigh as much as the mean curve of all narratives
SMOOTHING, STEP = 0.4, 0.05  # of the F1 curve over thresholds, in standard deviations of evidence
FOLDS = 5
MIN_ACCEPTED = 10  # accepted paragraphs of a narrative before anything is learned of it
F1_MARGIN = 0.04  # F1 by which the codebook alone must be better to be kept
_THRESHOLD_GRID = np.arange(-1.0, 14.0, STEP)

Mask = NDArray[np.bool_]
SparseMatrix: TypeAlias = Any  # a scipy sparse matrix, which has no types


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Decided paragraphs: `texts` and `documents` (n), evidence of the codebook alone (n, k).

    `accepted` and `known` (n, k): a pair that is known and not accepted is rejected. `thresholds` (k,) are
    the codebook's scores.
    """

    texts: tuple[str, ...]
    documents: tuple[str, ...]
    evidence: FloatArray
    accepted: Mask
    known: Mask
    thresholds: NDArray[np.float32]

    def rows(self, which: Sequence[int] | NDArray[np.intp]) -> LabelledPairs:
        """Only these rows, in this order."""
        return replace(
            self,
            texts=tuple(self.texts[row] for row in which),
            documents=tuple(self.documents[row] for row in which),
            evidence=self.evidence[which],
            accepted=self.accepted[which],
            known=self.known[which],
        )


@dataclass(frozen=True, slots=True)
class LearnedCorrections:
    """What decisions taught: `weights` (v, k) of words, `shift` (k,) and `thresholds` (k,), which are scores.

    `terms` is the fitted TF-IDF vectoriser, None where no words were learned. `learned` (k,) says for which
    narratives decisions did better than the codebook alone; the weights of the others are 0.
    """

    terms: Any
    weights: FloatArray
    shift: FloatArray
    thresholds: NDArray[np.float32]
    learned: Mask

    def correct(self, evidence: FloatArray, texts: Sequence[str]) -> FloatArray:
        """The codebook's evidence (n, k) of the texts with what was learned added, where it is near."""
        if self.terms is None or not texts:
            return evidence
        added: FloatArray = self.terms.transform(texts) @ self.weights + self.shift
        # Last bits must not decide: the scores are rounded after this, but thresholds are learned from it.
        corrected: FloatArray = np.round(evidence + np.where(evidence > NEAR_EVIDENCE, APPLIED_SHARE * added, 0.0), 6)
        return corrected


def learn_corrections(decided: LabelledPairs) -> LearnedCorrections:
    """What the decisions teach; the same for the same decisions in any order.

    1. Where the codebook finds a narrative near, a logistic regression on the paragraph's words (TF-IDF) with
       the codebook's evidence as its offset: it learns only what the codebook does not know (offset as in
       generalised linear models, McCullagh & Nelder 1989, section 6.3; Gaussian prior on the weights).
    2. A threshold a narrative: the peak of the smoothed F1 curve of evidence from which the paragraph's own
       document was left out, the narrative's own curve beside the mean of all; shrunk to the codebook's.
    3. Per narrative the codebook alone, thresholds included, where that is better by cross-validation by
       document, or where too little was accepted to tell.

    Measured in docs/accuracy.md. On codebooks weakened by half, other ways were no better by more than noise:
    vectors instead of words, a probe refitted with the decided paragraphs, nearest decided neighbours, and
    thresholds from calibrated probabilities.
    """
    order = sorted(range(len(decided.texts)), key=lambda row: (decided.documents[row], decided.texts[row]))
    decided = decided.rows(order)
    alone = _make_empty_corrections(decided)
    folds = _assign_folds(decided.documents)
    if folds.max(initial=0) == 0 or not (decided.known & decided.accepted).any():
        return alone
    taught = decided.evidence.copy()
    for fold in range(FOLDS):
        held = np.flatnonzero(folds == fold)
        inner = _learn_word_weights(decided.rows(np.flatnonzero(folds != fold)))
        taught[held] = inner.correct(decided.evidence[held], [decided.texts[row] for row in held])
    everything = np.ones(len(decided.texts), np.bool_)
    said = to_score(decided.evidence).astype(np.float32) >= decided.thresholds
    better = _cross_validate_f1(decided, taught, folds) >= _compute_f1(decided, said) - F1_MARGIN
    better &= (decided.known & decided.accepted).sum(axis=0) >= MIN_ACCEPTED
    learned = to_score(_fit_thresholds(decided, taught, everything)).astype(np.float32)
    whole = _learn_word_weights(decided)
    return replace(
        whole,
        weights=whole.weights * better,
        shift=whole.shift * better,
        thresholds=np.where(better, learned, decided.thresholds),
        learned=better,
    )


def _make_empty_corrections(decided: LabelledPairs) -> LearnedCorrections:
    narratives = len(decided.thresholds)
    none = np.zeros(narratives, np.bool_)
    return LearnedCorrections(None, np.zeros((0, narratives)), np.zeros(narratives), decided.thresholds, none)


def _learn_word_weights(decided: LabelledPairs) -> LearnedCorrections:
    """The weights of words for every narrative."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second: not on the page-load path

    terms = TfidfVectorizer(sublinear_tf=True, min_df=2)
    try:
        rows = terms.fit_transform(decided.texts)
    except ValueError:  # no word comes twice
        return _make_empty_corrections(decided)
    lessons = _make_empty_corrections(decided)
    weights = np.zeros((rows.shape[1], len(decided.thresholds)))
    shift = np.zeros(len(decided.thresholds))
    for k in range(len(decided.thresholds)):
        use = np.flatnonzero(decided.known[:, k] & (decided.evidence[:, k] > NEAR_EVIDENCE))
        if len(use):
            offset = decided.evidence[use, k] - MIDPOINT
            weights[:, k], shift[k] = _fit_regression(rows[use], decided.accepted[use, k], offset)
    return replace(lessons, terms=terms, weights=weights, shift=shift)


def _fit_regression(rows: SparseMatrix, accepted: Mask, offset: FloatArray) -> tuple[FloatArray, float]:
    """Weights (v,) and shift of the most probable logistic regression with an offset and a Gaussian prior."""
    from scipy.optimize import minimize

    sign = np.where(accepted, 1.0, -1.0)
    precision = np.append(np.full(rows.shape[1], 1 / WORD_VARIANCE), 1 / BIAS_VARIANCE)

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (offset + rows @ values[:-1] + values[-1])
        pull = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
        slope = np.append(rows.T @ pull, pull.sum()) + precision * values
        return float(np.logaddexp(0, -margin).sum() + (precision * values**2).sum() / 2), slope

    found = minimize(
        loss,
        np.zeros(len(precision)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 500, "gtol": 1e-6, "ftol": 1e-12},
    )
    return found.x[:-1], float(found.x[-1])


def _assign_folds(documents: Sequence[str]) -> NDArray[np.intp]:
    """A fold for each row, whole documents in one fold, dealt out in the order of their names."""
    names, number = np.unique(np.asarray(documents, np.str_), return_inverse=True)
    dealt = np.random.default_rng(0).permutation(len(names)) % FOLDS
    folds: NDArray[np.intp] = dealt[number]
    return folds


def _fit_thresholds(decided: LabelledPairs, evidence: FloatArray, rows: Mask) -> FloatArray:
    """Thresholds (k,) in evidence, from `rows`."""
    reach = np.arange(-32, 33) * STEP
    kernel = np.exp(-0.5 * (reach / SMOOTHING) ** 2)
    curves, own = [], []
    for k in range(len(decided.thresholds)):
        use = rows & decided.known[:, k]
        truth = decided.accepted[use, k]
        said = evidence[use, k, None] >= _THRESHOLD_GRID
        curve = 2 * said[truth].sum(axis=0) / np.maximum(1, truth.sum() + said.sum(axis=0))
        curves.append(np.convolve(np.pad(curve, 32, mode="edge"), kernel / kernel.sum(), "valid"))
        own.append(int(truth.sum()))
    shared = np.mean(curves, axis=0)
    # Rounded: a tie between two places must not be broken by last bits.
    peaks = [np.round(n / POOLED_WEIGHT * curve + shared, 9).argmax() for n, curve in zip(own, curves, strict=True)]
    counts = np.array(own)
    before = to_evidence(decided.thresholds)
    thresholds: FloatArray = (counts * _THRESHOLD_GRID[peaks] + CODEBOOK_WEIGHT * before) / (counts + CODEBOOK_WEIGHT)
    return thresholds


def _cross_validate_f1(decided: LabelledPairs, evidence: FloatArray, folds: NDArray[np.intp]) -> FloatArray:
    """F1 (k,) at thresholds that were chosen without the row's document."""
    said = np.zeros_like(decided.accepted)
    for fold in range(FOLDS):
        held = folds == fold
        said[held] = evidence[held] >= _fit_thresholds(decided, evidence, ~held)
    return _compute_f1(decided, said)


def _compute_f1(decided: LabelledPairs, said: Mask) -> FloatArray:
    """F1 (k,) of what is said of the decided pairs; 0 where nothing is true and nothing is said."""
    truth, said = decided.accepted & decided.known, said & decided.known
    f1: FloatArray = 2 * (truth & said).sum(axis=0) / np.maximum(1, truth.sum(axis=0) + said.sum(axis=0))
    return f1
