"""What is learned from decisions: corrections by words, and how a classifier's outputs are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from narratives.match.calibration import MIDPOINT, SLOPE, to_evidence, to_score
from narratives.model import FloatArray, VectorArray

NEAR_EVIDENCE = 1.0  # evidence above which a paragraph's words may correct it
WORD_VARIANCE, BIAS_VARIANCE = 10.0, 1.0  # prior variances of a word's weight and of a narrative's shift
APPLIED_SHARE = 0.7  # share of the correction that is applied
CODEBOOK_WEIGHT = 10.0  # number of accepted paragraphs with the same weight as the codebook's threshold
POOLED_WEIGHT = 10.0  # number of accepted paragraphs with the same weight as the mean curve of all narratives
SMOOTHING, STEP = 0.4, 0.05  # bandwidth and step of the F1 curve, in standard deviations of evidence
FOLDS = 5
MIN_ACCEPTED = 10  # accepted paragraphs of a narrative from which anything is learned
F1_MARGIN = 0.04  # the codebook alone is kept where its F1 is higher by more than this
_THRESHOLD_GRID = np.arange(-1.0, 14.0, STEP)

Mask = NDArray[np.bool_]
SparseMatrix: TypeAlias = Any  # a scipy sparse matrix, which has no types


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Paragraphs that people decided on: `texts` and `documents` (n), `evidence` of the codebook alone (n, k).

    `accepted` and `known` (n, k): a pair that is known and not accepted is rejected. `thresholds` (k,) are
    the scores that the codebook sets.
    """

    texts: tuple[str, ...]
    documents: tuple[str, ...]
    evidence: FloatArray
    accepted: Mask
    known: Mask
    thresholds: NDArray[np.float32]

    def rows(self, which: Sequence[int] | NDArray[np.intp]) -> LabelledPairs:
        """Return these rows alone, in this order."""
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
    """Corrections learned from decisions: `weights` (v, k) of words, `shift` (k,), `thresholds` (k,) as scores.

    `terms` is the fitted TF-IDF vectoriser, None where no words were learned. `learned` (k,) is true for the
    narratives that the corrections improve; the weights of the others are 0.
    """

    terms: Any
    weights: FloatArray
    shift: FloatArray
    thresholds: NDArray[np.float32]
    learned: Mask

    def correct(self, evidence: FloatArray, texts: Sequence[str]) -> FloatArray:
        """Return the codebook's evidence (n, k) of the texts, corrected where it is above NEAR_EVIDENCE."""
        if self.terms is None or not texts:
            return evidence
        added: FloatArray = self.terms.transform(texts) @ self.weights + self.shift
        # Rounded because thresholds are learned from it, and last bits must not move them.
        corrected: FloatArray = np.round(evidence + np.where(evidence > NEAR_EVIDENCE, APPLIED_SHARE * added, 0.0), 6)
        return corrected


def learn_corrections(decided: LabelledPairs) -> LearnedCorrections:
    """Learn corrections from decisions; the order of the decisions makes no difference.

    1. Where the codebook's evidence is above NEAR_EVIDENCE, fit a logistic regression on the paragraph's words
       (TF-IDF) with that evidence as its offset: it learns only what the codebook misses (offset as in
       generalised linear models, McCullagh & Nelder 1989, section 6.3; Gaussian prior on the weights).
    2. Choose a threshold for each narrative: the peak of its smoothed F1 curve, pooled with the mean curve of
       all narratives and shrunk towards the codebook's threshold. The evidence of a paragraph comes from a
       fit without its own document.
    3. Keep the codebook alone, with its threshold, for narratives where it does better in cross-validation by
       document, and where too few paragraphs were accepted.

    Measured in docs/accuracy.md. On codebooks that had lost half of their examples, alternatives were no
    better beyond noise: vectors instead of words, a probe refitted with the decided paragraphs, nearest
    decided neighbours, and thresholds from calibrated probabilities.
    """
    order = sorted(range(len(decided.texts)), key=lambda row: (decided.documents[row], decided.texts[row]))
    decided = decided.rows(order)
    codebook_alone = _make_empty_corrections(decided)
    folds = assign_folds(decided.documents)
    accepted = decided.known & decided.accepted
    if folds.max(initial=0) == 0 or not accepted.any():
        return codebook_alone
    held_out = decided.evidence.copy()
    for fold in range(FOLDS):
        held = np.flatnonzero(folds == fold)
        inner = _learn_word_weights(decided.rows(np.flatnonzero(folds != fold)))
        held_out[held] = inner.correct(decided.evidence[held], [decided.texts[row] for row in held])
    everything = np.ones(len(decided.texts), np.bool_)
    assigned = to_score(decided.evidence).astype(np.float32) >= decided.thresholds
    better = _cross_validate_f1(decided, held_out, folds) >= _compute_f1(accepted, assigned & decided.known) - F1_MARGIN
    better &= accepted.sum(axis=0) >= MIN_ACCEPTED
    learned = to_score(_fit_thresholds(decided, held_out, everything)).astype(np.float32)
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
    """Fit the weights of words for every narrative."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import; pages do not need it

    terms = TfidfVectorizer(sublinear_tf=True, min_df=2)
    try:
        rows = terms.fit_transform(decided.texts)
    except ValueError:  # no word comes twice
        return _make_empty_corrections(decided)
    weights = np.zeros((rows.shape[1], len(decided.thresholds)))
    shift = np.zeros(len(decided.thresholds))
    for k in range(len(decided.thresholds)):
        use = np.flatnonzero(decided.known[:, k] & (decided.evidence[:, k] > NEAR_EVIDENCE))
        if len(use):
            offset = decided.evidence[use, k] - MIDPOINT
            weights[:, k], shift[k] = _fit_regression(rows[use], decided.accepted[use, k], offset)
    return replace(_make_empty_corrections(decided), terms=terms, weights=weights, shift=shift)


def _fit_regression(rows: SparseMatrix, accepted: Mask, offset: FloatArray) -> tuple[FloatArray, float]:
    """Fit a logistic regression with an offset and a Gaussian prior: weights (v,) and shift."""
    from scipy.optimize import minimize

    sign = np.where(accepted, 1.0, -1.0)
    precision = np.append(np.full(rows.shape[1], 1 / WORD_VARIANCE), 1 / BIAS_VARIANCE)

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        mismatch, pull = _compute_logistic_loss(offset + rows @ values[:-1] + values[-1], sign)
        slope = np.append(rows.T @ pull, pull.sum()) + precision * values
        return float(mismatch + (precision * values**2).sum() / 2), slope

    optimum = minimize(
        loss,
        np.zeros(len(precision)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 500, "gtol": 1e-6, "ftol": 1e-12},
    )
    return optimum.x[:-1], float(optimum.x[-1])


def _compute_logistic_loss(log_odds: FloatArray, sign: FloatArray) -> tuple[float, FloatArray]:
    """Compute the loss of n log-odds, whose true `sign` is 1 or -1, and its gradient (n,)."""
    margin = sign * log_odds
    gradient: FloatArray = -sign / (1 + np.exp(np.clip(margin, -500, 500)))
    return float(np.logaddexp(0, -margin).sum()), gradient


def assign_folds(documents: Sequence[str], count: int = FOLDS) -> NDArray[np.intp]:
    """Assign each row a fold, whole documents to one fold, whatever the order of the rows."""
    names, number = np.unique(np.asarray(documents, np.str_), return_inverse=True)
    dealt = np.random.default_rng(0).permutation(len(names)) % count
    folds: NDArray[np.intp] = dealt[number]
    return folds


def _fit_thresholds(decided: LabelledPairs, evidence: FloatArray, rows: Mask) -> FloatArray:
    """Fit thresholds (k,), in evidence, on `rows`."""
    reach = np.arange(-32, 33) * STEP
    kernel = np.exp(-0.5 * (reach / SMOOTHING) ** 2)
    curves, accepted = [], []
    for k in range(len(decided.thresholds)):
        use = rows & decided.known[:, k]
        truth = decided.accepted[use, k]
        assigned = evidence[use, k, None] >= _THRESHOLD_GRID
        curve = 2 * assigned[truth].sum(axis=0) / np.maximum(1, truth.sum() + assigned.sum(axis=0))
        curves.append(np.convolve(np.pad(curve, 32, mode="edge"), kernel / kernel.sum(), "valid"))
        accepted.append(int(truth.sum()))
    shared = np.mean(curves, axis=0)
    counts = np.array(accepted)
    # Rounded so that last bits do not choose between equal peaks.
    peaks = [np.round(n / POOLED_WEIGHT * curve + shared, 9).argmax() for n, curve in zip(counts, curves, strict=True)]
    before = to_evidence(decided.thresholds)
    thresholds: FloatArray = (counts * _THRESHOLD_GRID[peaks] + CODEBOOK_WEIGHT * before) / (counts + CODEBOOK_WEIGHT)
    return thresholds


def _cross_validate_f1(decided: LabelledPairs, evidence: FloatArray, folds: NDArray[np.intp]) -> FloatArray:
    """Compute F1 (k,) with thresholds that were fitted without the row's document."""
    assigned = np.zeros_like(decided.accepted)
    for fold in range(FOLDS):
        held = folds == fold
        assigned[held] = evidence[held] >= _fit_thresholds(decided, evidence, ~held)
    return _compute_f1(decided.accepted & decided.known, assigned & decided.known)


def _compute_f1(truth: Mask, assigned: Mask) -> FloatArray:
    """Compute F1 along the first axis; 0 where nothing is true and nothing is assigned."""
    f1: FloatArray = 2 * (truth & assigned).sum(axis=0) / np.maximum(1, truth.sum(axis=0) + assigned.sum(axis=0))
    return f1


# Only texts with more evidence than this for some narrative are classified. Of the reference pairs, 1 in 200 is in a
# text that has less (docs/accuracy.md).
MIN_CLASSIFIED_EVIDENCE = 2.5
OWN_PRECISION = 30.0  # inverse prior variance of how far a narrative's weights are from the common ones
THRESHOLDS = np.arange(0.1, 0.9, 0.01)

ClassifyFunction = Callable[[Sequence[str]], VectorArray]


@dataclass(frozen=True, slots=True)
class Combination:
    """How evidence and outputs make one score, for the m narratives that a classifier was trained for.

    The log-odds that a paragraph advances narrative k are `weights[k, 0]` * evidence + `weights[k, 1]` * output +
    `weights[k, 2]`. `columns` (m,) are the narratives' columns in the matcher, and `outputs` (m,) in the classifier's
    outputs. A narrative is assigned from `threshold` up, a probability.
    """

    columns: NDArray[np.intp]
    outputs: NDArray[np.intp]
    weights: FloatArray
    threshold: float

    def combine(self, evidence: FloatArray, texts: Sequence[str], classify: ClassifyFunction) -> FloatArray:
        """Return the evidence (n, k) with that of the columns replaced where a text is near a narrative.

        The result is on the scale of the evidence, so that `to_score` of it is the probability.
        """
        rows = np.flatnonzero(is_near(evidence))
        combined = evidence.copy()
        if len(rows):
            outputs = classify([texts[row] for row in rows.tolist()])[:, self.outputs].astype(np.float64)
            combined[np.ix_(rows, self.columns)] = _combine(evidence[np.ix_(rows, self.columns)], outputs, self.weights)
        # Outputs may differ in their last bits between processors.
        rounded: FloatArray = np.round(combined, 4)
        return rounded


def _combine(evidence: FloatArray, outputs: FloatArray, weights: FloatArray) -> FloatArray:
    """Combine evidence and outputs (n, k) with weights (k, 3), to evidence whose score is the probability."""
    log_odds: FloatArray = weights[:, 0] * evidence + weights[:, 1] * outputs + weights[:, 2]
    return MIDPOINT + SLOPE * log_odds


def is_near(evidence: FloatArray) -> Mask:
    """Return which texts (n,) are classified, given their evidence (n, k)."""
    near: Mask = evidence.max(axis=1, initial=-np.inf) > MIN_CLASSIFIED_EVIDENCE
    return near


def fit_combination(decided: LabelledPairs, outputs: VectorArray, folds: NDArray[np.intp]) -> tuple[Combination, Gains]:
    """Fit a combination to decided pairs whose `outputs` (n, k) come from classifiers that did not see their document.

    Logistic regression over the pairs of all narratives (Platt 1999), with weights for each that are shrunk to the
    common ones. A narrative is used only if at least MIN_ACCEPTED of its pairs were accepted and the combination ranks
    better than the codebook alone, by average precision. The combination that is compared is fitted without the row's
    fold; the threshold is the one with the highest F1 over the pairs of the used narratives.
    """
    near = is_near(decided.evidence)
    precise = outputs.astype(np.float64)
    held_out = decided.evidence.copy()
    for fold in np.unique(folds):
        held = near & (folds == fold)
        weights = _fit_weights(decided, precise, near & (folds != fold))
        held_out[held] = _combine(decided.evidence[held], precise[held], weights)
    gains = _compare(decided, held_out)
    used = np.flatnonzero(gains.used)
    known = decided.known[:, used]
    truth, scores = decided.accepted[:, used][known], to_score(held_out[:, used])[known]
    best = THRESHOLDS[np.argmax([_compute_f1(truth, scores >= threshold) for threshold in THRESHOLDS])]
    weights = _fit_weights(decided, precise, near)[used]
    return Combination(used, used, weights, round(float(best), 2)), gains


@dataclass(frozen=True, slots=True)
class Gains:
    """What training gained, out of fold: average precision (k,) of the codebook alone and combined; which are used.

    `accepted` (k,) counts the accepted pairs.
    """

    accepted: NDArray[np.intp]
    codebook: FloatArray
    combined: FloatArray
    used: Mask


def _fit_weights(decided: LabelledPairs, outputs: FloatArray, rows: Mask) -> FloatArray:
    """Fit the weights (k, 3) of all narratives on these rows."""
    from scipy.optimize import minimize

    known = decided.known[rows]
    column = np.nonzero(known)[1]
    evidence, output = decided.evidence[rows][known], outputs[rows][known]
    features = np.stack([evidence, output, np.ones(len(column))], axis=1)
    sign = np.where(decided.accepted[rows][known], 1.0, -1.0)
    count = decided.known.shape[1]

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        common, own = values[:3], values[3:].reshape(count, 3)
        mismatch, gradient = _compute_logistic_loss((features * (common + own[column])).sum(axis=1), sign)
        pull = gradient[:, None] * features
        by_narrative = np.stack([np.bincount(column, part, count) for part in pull.T], axis=1)
        slope = np.concatenate([pull.sum(axis=0), (by_narrative + OWN_PRECISION * own).ravel()])
        return float(mismatch + OWN_PRECISION * (own**2).sum() / 2), slope

    values = minimize(loss, np.zeros(3 + 3 * count), jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    weights: FloatArray = np.round(values[:3] + values[3:].reshape(count, 3), 6)
    return weights


def _compare(decided: LabelledPairs, combined: FloatArray) -> Gains:
    from sklearn.metrics import average_precision_score

    count = decided.known.shape[1]
    accepted = (decided.accepted & decided.known).sum(axis=0)
    alone, together = np.full(count, np.nan), np.full(count, np.nan)
    for k in np.flatnonzero(accepted):
        known = decided.known[:, k]
        alone[k] = average_precision_score(decided.accepted[known, k], decided.evidence[known, k])
        together[k] = average_precision_score(decided.accepted[known, k], combined[known, k])
    used = (accepted >= MIN_ACCEPTED) & (together > alone)
    return Gains(accepted, alone, together, used)
