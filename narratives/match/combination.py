"""Scores from two sources: the codebook's evidence and the outputs of a trained classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from narratives.match.calibration import MIDPOINT, SLOPE, to_score
from narratives.match.learning import MIN_ACCEPTED, LabelledPairs
from narratives.model import FloatArray, VectorArray

# Only texts with more evidence than this for some narrative are classified. On the reference labels, 1 in 200
# paragraphs that advance a narrative has less (docs/accuracy.md).
NEAR_EVIDENCE = 2.5
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
            combined[np.ix_(rows, self.columns)] = self._to_evidence(evidence[np.ix_(rows, self.columns)], outputs)
        # Outputs may differ in their last bits between processors.
        rounded: FloatArray = np.round(combined, 4)
        return rounded

    def _to_evidence(self, evidence: FloatArray, outputs: FloatArray) -> FloatArray:
        log_odds = self.weights[:, 0] * evidence + self.weights[:, 1] * outputs + self.weights[:, 2]
        return MIDPOINT + SLOPE * log_odds


def is_near(evidence: FloatArray) -> NDArray[np.bool_]:
    """Return which texts (n,) are classified, given their evidence (n, k)."""
    near: NDArray[np.bool_] = evidence.max(axis=1, initial=-np.inf) > NEAR_EVIDENCE
    return near


def fit_combination(decided: LabelledPairs, outputs: VectorArray, folds: NDArray[np.intp]) -> tuple[Combination, Gains]:
    """Fit a combination to decided pairs whose `outputs` (n, k) come from classifiers that did not see their document.

    Logistic regression over the pairs of all narratives (Platt 1999), with weights for each that are shrunk to the
    common ones. A narrative is used only if at least MIN_ACCEPTED of its pairs were accepted and the combination ranks
    better than the codebook alone, by average precision. The combination that is compared is fitted without the row's
    fold; the threshold is the one with the highest F1 over the pairs of the used narratives.
    """
    near = is_near(decided.evidence)
    held_out = np.zeros_like(decided.evidence)
    for fold in np.unique(folds):
        rows = near & (folds != fold)
        held_out[folds == fold] = _fit(decided, outputs, rows)._to_evidence(
            decided.evidence[folds == fold], outputs[folds == fold].astype(np.float64)
        )
    held_out = np.where(near[:, None], held_out, decided.evidence)
    gains = _compare(decided, held_out)
    used = np.flatnonzero(gains.used)
    probability = to_score(held_out)
    known = decided.known[:, used]
    truth, scores = decided.accepted[:, used][known], probability[:, used][known]
    best = THRESHOLDS[np.argmax([_compute_f1(truth, scores >= threshold) for threshold in THRESHOLDS])]
    whole = _fit(decided, outputs, near)
    return (
        replace(whole, columns=used, outputs=used, weights=whole.weights[used], threshold=round(float(best), 2)),
        replace(gains, scores=probability),
    )


@dataclass(frozen=True, slots=True)
class Gains:
    """What training gained, out of fold: average precision (k,) of the codebook alone and combined; which are used.

    `accepted` (k,) counts the accepted pairs, and `scores` (n, k) are the combined scores out of fold.
    """

    accepted: NDArray[np.intp]
    codebook: FloatArray
    combined: FloatArray
    used: NDArray[np.bool_]
    scores: FloatArray


def _fit(decided: LabelledPairs, outputs: VectorArray, rows: NDArray[np.bool_]) -> Combination:
    """Fit the weights of all narratives on these rows."""
    from scipy.optimize import minimize

    known = decided.known[rows]
    column = np.nonzero(known)[1]
    evidence, output = decided.evidence[rows][known], outputs[rows][known].astype(np.float64)
    features = np.stack([evidence, output, np.ones(len(column))], axis=1)
    sign = np.where(decided.accepted[rows][known], 1.0, -1.0)
    count = decided.known.shape[1]

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        common, own = values[:3], values[3:].reshape(count, 3)
        margin = sign * (features * (common + own[column])).sum(axis=1)
        pull = (-sign / (1 + np.exp(np.clip(margin, -500, 500))))[:, None] * features
        by_narrative = np.stack([np.bincount(column, part, count) for part in pull.T], axis=1)
        slope = np.concatenate([pull.sum(axis=0), (by_narrative + OWN_PRECISION * own).ravel()])
        return float(np.logaddexp(0, -margin).sum() + OWN_PRECISION * (own**2).sum() / 2), slope

    values = minimize(loss, np.zeros(3 + 3 * count), jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    weights = np.round(values[:3] + values[3:].reshape(count, 3), 6)
    every = np.arange(count)
    return Combination(every, every, weights, 0.5)


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
    return Gains(accepted, alone, together, used, combined)


def _compute_f1(truth: NDArray[np.bool_], assigned: NDArray[np.bool_]) -> float:
    return float(2 * (truth & assigned).sum() / max(1, truth.sum() + assigned.sum()))
