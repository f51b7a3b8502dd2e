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
    the scores that the codebook sets. `weights` (n,) say how many paragraphs of a corpus each row stands for; without
    them, each counts as one.
    """

    texts: tuple[str, ...]
    documents: tuple[str, ...]
    evidence: FloatArray
    accepted: Mask
    known: Mask
    thresholds: NDArray[np.float32]
    weights: FloatArray | None = None

    def rows(self, which: Sequence[int] | NDArray[np.intp]) -> LabelledPairs:
        """Return these rows alone, in this order."""
        return replace(
            self,
            texts=tuple(self.texts[row] for row in which),
            documents=tuple(self.documents[row] for row in which),
            evidence=self.evidence[which],
            accepted=self.accepted[which],
            known=self.known[which],
            weights=None if self.weights is None else self.weights[which],
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

    def take(self, column: int) -> LearnedCorrections:
        """Return the corrections of one narrative alone."""
        own = [column]
        return replace(
            self,
            weights=self.weights[:, own],
            shift=self.shift[own],
            thresholds=self.thresholds[own],
            learned=self.learned[own],
        )

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


def _compute_logistic_loss(
    log_odds: FloatArray, sign: FloatArray, weights: FloatArray | float = 1.0
) -> tuple[float, FloatArray]:
    """Compute the weighted loss of n log-odds, whose true `sign` is 1 or -1, and its gradient (n,)."""
    margin = sign * log_odds
    gradient: FloatArray = -sign * weights / (1 + np.exp(np.clip(margin, -500, 500)))
    return float((weights * np.logaddexp(0, -margin)).sum()), gradient


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


# Only texts with more evidence than this for some narrative are classified. Of the reference pairs, 1 in 140 is in a
# text that has less (docs/accuracy.md).
MIN_CLASSIFIED_EVIDENCE = 3.0
# Inverse prior variances of how far the slopes and the shift of a narrative are from the common ones.
OWN_PRECISION = 10_000.0, 30.0
THRESHOLDS = np.arange(0.1, 0.9, 0.01)
THRESHOLD_SMOOTHING = 0.05  # standard deviation, in probability

ClassifyFunction = Callable[[Sequence[str]], VectorArray]


@dataclass(frozen=True, slots=True)
class Combination:
    """How evidence and a classifier's outputs make probabilities, for m narratives of the matcher.

    The log-odds that a paragraph near some narrative advances narrative k are `weights[k, 0]` * evidence +
    `weights[k, 1]` * output + `weights[k, 2]`; those of other paragraphs, which are not classified, are `far[k, 0]` *
    evidence + `far[k, 1]`. `columns` (m,) are the narratives' columns in the matcher, and `outputs` (m,) in the
    classifier's outputs. `refutation` is the column of the output for texts that refute a claim, if there is one: the
    probability that a text does not refute what it says is a factor of all its probabilities. A narrative is assigned
    from the probability `threshold` up.
    """

    columns: NDArray[np.intp]
    outputs: NDArray[np.intp]
    weights: FloatArray
    far: FloatArray
    threshold: float
    refutation: int | None = None

    def take(self, column: int) -> Combination:
        """Return the combination of one narrative, at this column of the matcher, for a matcher of it alone."""
        own = np.flatnonzero(self.columns == column)
        return replace(
            self, columns=np.zeros(1, np.intp), outputs=self.outputs[own], weights=self.weights[own], far=self.far[own]
        )

    def combine(self, evidence: FloatArray, near: Mask, texts: Sequence[str], classify: ClassifyFunction) -> FloatArray:
        """Return the evidence (n, k) with that of the columns replaced; `near` (n,) are the texts to classify.

        The result is on the scale of the evidence, so that `to_score` of it is the probability.
        """
        combined = evidence.copy()
        rows = np.flatnonzero(near)
        own = evidence[:, self.columns]
        combined[:, self.columns] = _to_scale(self.far[:, 0] * own + self.far[:, 1])
        if len(rows) and len(self.columns):
            all_outputs = classify([texts[row] for row in rows.tolist()]).astype(np.float64)
            outputs = all_outputs[:, self.outputs]
            log_odds = self.weights[:, 0] * own[rows] + self.weights[:, 1] * outputs + self.weights[:, 2]
            if self.refutation is not None:
                log_odds = _discount(log_odds, all_outputs[:, self.refutation, None])
            combined[np.ix_(rows, self.columns)] = _to_scale(log_odds)
        # Outputs may differ in their last bits between processors.
        rounded: FloatArray = np.round(combined, 4)
        return rounded


def _discount(log_odds: FloatArray, refutation: FloatArray) -> FloatArray:
    """Return the log-odds of the product of two probabilities: that of `log_odds`, and that it is not refuted."""
    # log p(1 - r) - log(1 - p(1 - r)), in terms of exp(-x) and exp(r), which cannot overflow at these sizes.
    bounded, refuted = np.clip(log_odds, -60, 60), np.exp(np.clip(refutation, -60, 60))
    discounted: FloatArray = -np.log(np.exp(-bounded) * (1 + refuted) + refuted)
    return discounted


def _to_scale(log_odds: FloatArray) -> FloatArray:
    """Return the evidence whose score is the probability with these log-odds."""
    return MIDPOINT + SLOPE * log_odds


def is_near(evidence: FloatArray) -> Mask:
    """Return which texts (n,) are classified, given their evidence (n, k) from the codebook alone."""
    near: Mask = evidence.max(axis=1, initial=-np.inf) > MIN_CLASSIFIED_EVIDENCE
    return near


@dataclass(frozen=True, slots=True)
class Gains:
    """What training gained, out of fold: average precision (k,) of the evidence alone and combined; which are used.

    `accepted` (k,) counts the accepted pairs. `probabilities` (n, k) are those of the decided pairs, out of fold.
    """

    accepted: NDArray[np.intp]
    before: FloatArray
    after: FloatArray
    used: Mask
    probabilities: FloatArray


def fit_combination(
    decided: LabelledPairs,
    near: Mask,
    outputs: VectorArray,
    folds: NDArray[np.intp],
    refutation: VectorArray | None = None,
    calibrate_all: bool = False,
) -> tuple[Combination, Gains]:
    """Fit a combination to decided pairs whose `outputs` (n, k) come from classifiers that did not see their document.

    Logistic regression over the pairs of all narratives (Platt 1999), with weights for each that are shrunk to the
    common ones; rows count as many times as the paragraphs of a corpus that they stand for. The outputs are used only
    for narratives of which at least MIN_ACCEPTED pairs were accepted and that they help to rank better than the
    evidence alone, by average precision. With `calibrate_all`, the combination also has the others of them, for which
    the evidence alone gives the probability. `refutation` (n,) are outputs for texts that refute a claim, out of fold;
    they discount the probabilities of near texts, and the classifier has this output after the k narratives. What is
    compared is fitted without the row's fold. The threshold is at the peak of F1 over all pairs, out of fold.
    """
    precise = outputs.astype(np.float64)
    rows = np.ones(len(near), np.bool_)
    both, alone = np.zeros(decided.evidence.shape), np.zeros(decided.evidence.shape)
    for fold in np.unique(folds):
        held, others = folds == fold, folds != fold
        alone[held] = _apply_weights(_fit_weights(decided, (), others), decided.evidence[held])
        both[held] = alone[held]
        weights = _fit_weights(decided, (precise,), others & near)
        both[held & near] = _apply_weights(weights, decided.evidence[held & near], precise[held & near])
    accepted = (decided.accepted & decided.known).sum(axis=0)
    before, after = _compute_average_precision(decided, decided.evidence), _compute_average_precision(decided, both)
    used = (accepted >= MIN_ACCEPTED) & (after > before)
    log_odds = np.where(used, both, alone)
    if refutation is not None:
        log_odds[near] = _discount(log_odds[near], refutation[near, None].astype(np.float64))
    probabilities = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    columns = np.flatnonzero(accepted >= MIN_ACCEPTED) if calibrate_all else np.flatnonzero(used)
    far = _fit_weights(decided, (), rows)
    plain = np.stack([far[:, 0], np.zeros(len(far)), far[:, 1]], axis=1)
    weights = np.where(used[:, None], _fit_weights(decided, (precise,), near), plain)
    threshold = _choose_threshold(decided, probabilities, columns)
    gains = Gains(accepted, before, after, used, probabilities)
    place = None if refutation is None else len(used)
    return Combination(columns, columns, weights[columns], far[columns], threshold, place), gains


def _choose_threshold(decided: LabelledPairs, probabilities: FloatArray, columns: NDArray[np.intp]) -> float:
    """Choose the threshold at the peak of the smoothed curve of weighted F1 over all pairs of these narratives."""
    known = decided.known[:, columns]
    truth, scores = decided.accepted[:, columns][known], probabilities[:, columns][known]
    weights = np.broadcast_to(_get_weights(decided)[:, None], known.shape)[known]
    if not weights[truth].sum():
        return 0.5
    hits = np.array([weights[truth & (scores >= threshold)].sum() for threshold in THRESHOLDS])
    assigned = np.array([weights[scores >= threshold].sum() for threshold in THRESHOLDS])
    # F1 hardly changes over a wide range of thresholds; without smoothing, single rows of great weight would choose.
    steps = (THRESHOLDS[:, None] - THRESHOLDS) / THRESHOLD_SMOOTHING
    kernel = np.exp(-0.5 * steps**2)
    curve = kernel @ (2 * hits / (weights[truth].sum() + assigned)) / kernel.sum(axis=1)
    return round(float(THRESHOLDS[np.argmax(np.round(curve, 9))]), 2)


def _get_weights(decided: LabelledPairs) -> FloatArray:
    return np.ones(len(decided.texts)) if decided.weights is None else decided.weights


def _apply_weights(weights: FloatArray, *features: FloatArray) -> FloatArray:
    log_odds: FloatArray = sum((weights[:, at] * part for at, part in enumerate(features)), start=weights[:, -1])
    return log_odds


def _fit_weights(decided: LabelledPairs, outputs: Sequence[FloatArray], rows: Mask) -> FloatArray:
    """Fit the weights (k, 2 or 3) of the evidence, the outputs if given, and the shift, on these rows."""
    from scipy.optimize import minimize

    known = decided.known[rows]
    column = np.nonzero(known)[1]
    parts = [part[rows][known] for part in (decided.evidence, *outputs)]
    features = np.stack([*parts, np.ones(len(column))], axis=1)
    sign = np.where(decided.accepted[rows][known], 1.0, -1.0)
    counts = np.broadcast_to(_get_weights(decided)[rows][:, None], known.shape)[known]
    count, width = decided.known.shape[1], features.shape[1]
    precision = np.array([*[OWN_PRECISION[0]] * (width - 1), OWN_PRECISION[1]])

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        common, own = values[:width], values[width:].reshape(count, width)
        mismatch, gradient = _compute_logistic_loss((features * (common + own[column])).sum(axis=1), sign, counts)
        pull = gradient[:, None] * features
        by_narrative = np.stack([np.bincount(column, part, count) for part in pull.T], axis=1)
        slope = np.concatenate([pull.sum(axis=0), (by_narrative + precision * own).ravel()])
        return float(mismatch + (precision * own**2).sum() / 2), slope

    values = minimize(loss, np.zeros(width * (1 + count)), jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    weights: FloatArray = np.round(values[:width] + values[width:].reshape(count, width), 6)
    return weights


def _compute_average_precision(decided: LabelledPairs, ranked: FloatArray) -> FloatArray:
    """Compute the average precision (k,) of a ranking of the decided pairs; NaN where none was accepted."""
    from sklearn.metrics import average_precision_score

    precisions = np.full(decided.known.shape[1], np.nan)
    for k in np.flatnonzero((decided.accepted & decided.known).any(axis=0)):
        known = decided.known[:, k]
        precisions[k] = average_precision_score(decided.accepted[known, k], ranked[known, k])
    return precisions
