"""Agreement of assignments with reference labels, with intervals from whole documents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from narratives.measure.shares import CONFIDENCE_LEVEL, Floats, compute_wilson_interval, divide
from narratives.model import QualityMetrics
from narratives.model.snapshot import Calibration, CalibrationBin, ThresholdQuality

_MAX_CELLS = 2_000_000  # weights in memory at a time, resamples x paragraphs: 16 MB

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Labels and predictions for n paragraphs and k narratives.

    `truth`, `known` and `predicted` are (n, k) bool; `scores` (n, k), higher for more likely pairs;
    `documents` (n) are the documents of the paragraphs. A pair that is not `known` is left out of everything.
    `weights` (n,) are the numbers of paragraphs of a corpus that they stand for; without them, each counts as one.
    """

    truth: Bools
    known: Bools
    scores: npt.NDArray[np.floating]
    predicted: Bools
    documents: Sequence[str]
    weights: Floats | None = None


def compute_quality(
    pairs: ScoredPairs, narrative_ids: Sequence[str], seed: int = 0, resamples: int = 1000, pooled: bool = False
) -> tuple[QualityMetrics, ...]:
    """Compute precision, recall, F1, average precision and false-positive rate by narrative; last, their mean.

    With `pooled`, the last row is computed over the pairs of all narratives instead: the mean is dominated by the
    rarest narratives, of which a sample of a corpus has few.

    Equal scores count as one threshold. Undefined values are NaN: precision where nothing is predicted; recall,
    F1 and average precision where nothing is true; the false-positive rate where everything is true. The last
    row (macro) is the mean of the defined values, over the narratives that have any true pair.

    The limits are percentiles of a bootstrap that draws whole documents, since paragraphs of one speech are
    similar: `resamples` draws, the same for every narrative, from `seed`. They are NaN for fewer than two
    documents. If there is no error at all, the interval is a single point, which is too narrow. Raises ValueError
    if shapes differ.

    Average precision: the sum of precision times the step in recall over the distinct scores, as in scikit-learn.
    Bootstrap: Davison and Hinkley (1997), Bootstrap Methods and their Application, sections 3.8 and 5.3.
    """
    shape = (len(pairs.documents), len(narrative_ids))
    for name in ("truth", "known", "scores", "predicted"):
        if getattr(pairs, name).shape != shape:
            raise ValueError(f"expected {name} of shape {shape}, got {getattr(pairs, name).shape}")
    names, group = np.unique(np.asarray(pairs.documents, dtype=np.str_), return_inverse=True)
    mass = np.ones(shape[0]) if pairs.weights is None else pairs.weights
    columns = [
        _RankedPairs(pairs.truth[rows, k], pairs.scores[rows, k], pairs.predicted[rows, k], group[rows], mass[rows])
        for k in range(shape[1])
        for rows in [np.flatnonzero(pairs.known[:, k] & (mass > 0))]
    ]
    seen = np.array([column.truth.any() for column in columns], dtype=np.bool_)
    together = None
    if pooled:
        at = np.nonzero(pairs.known & (mass > 0)[:, None])
        together = _RankedPairs(pairs.truth[at], pairs.scores[at], pairs.predicted[at], group[at[0]], mass[at[0]])

    point = _compute_measures(columns, seen, np.ones((1, len(names))), together)[0]
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    if len(names) > 1:
        draw = np.random.default_rng(seed)
        equal = np.full(len(names), 1 / len(names))
        size = max(1, _MAX_CELLS // (shape[0] * (shape[1] if pooled else 1)))
        drawn = np.concatenate(
            [
                _compute_measures(
                    columns, seen, draw.multinomial(len(names), equal, min(size, resamples - start)), together
                )
                for start in range(0, resamples, size)
            ]
        )
        low, high = _compute_limits(drawn, point)
    support = [int(column.truth.sum()) for column in columns]
    negatives = [int((~column.truth).sum()) for column in columns]
    counts = zip([*narrative_ids, ""], [*support, sum(support)], [*negatives, sum(negatives)], strict=True)
    return tuple(
        _make_quality(*named, np.stack(limits, axis=1))
        for named, limits in zip(counts, zip(point, low, high, strict=True), strict=True)
    )


def _make_quality(narrative_id: str, support: int, negatives: int, values: Floats) -> QualityMetrics:
    """Make a row from `values` (5, 3): each measure, in the order of `_measure_pairs`, with its limits."""
    rest = [*values[:4].ravel().tolist(), negatives, *values[4].tolist()]
    return QualityMetrics(narrative_id, support, *rest)


class _RankedPairs:
    """One narrative's known pairs by decreasing score, with the ends of runs of equal scores."""

    def __init__(
        self,
        truth: Bools,
        scores: npt.NDArray[np.floating],
        predicted: Bools,
        group: npt.NDArray[np.intp],
        mass: Floats,
    ) -> None:
        order = np.argsort(-scores, kind="stable")
        self.truth, self.predicted, self.group, self.mass = truth[order], predicted[order], group[order], mass[order]
        self.ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))[: len(order)]


def _compute_measures(
    columns: Sequence[_RankedPairs], seen: Bools, weights: npt.NDArray[np.number], together: _RankedPairs | None
) -> Floats:
    """Compute the five measures (r, k + 1, 5), macro or those of all `together` last, for r sets of weights (r, d)."""
    measures = np.full((len(weights), len(columns) + 1, 5), np.nan)
    for k, column in enumerate(columns):
        measures[:, k] = _measure_pairs(column, weights[:, column.group].astype(np.float64) * column.mass)
    if together:
        measures[:, -1] = _measure_pairs(together, weights[:, together.group].astype(np.float64) * together.mass)
        return measures
    averaged = measures[:, :-1][:, seen]
    defined = ~np.isnan(averaged)
    measures[:, -1] = divide(np.where(defined, averaged, 0.0).sum(axis=1), defined.sum(axis=1))
    return measures


def _measure_pairs(column: _RankedPairs, weights: Floats) -> Floats:
    """Compute the five measures (r, 5) of one narrative, with `weights` (r, m) of its pairs."""
    true, predicted = column.truth.astype(np.float64), column.predicted.astype(np.float64)
    hits, positives, assigned = weights @ (true * predicted), weights @ true, weights @ predicted
    f1 = divide(2 * hits, np.where(positives > 0, positives + assigned, 0.0))
    above = np.cumsum(weights, axis=1)[:, column.ends]
    true_above = np.cumsum(weights * true, axis=1)[:, column.ends]
    steps = np.diff(true_above, axis=1, prepend=0.0)
    area = (steps * divide(true_above, above, otherwise=0.0)).sum(axis=1)
    false_positives = divide(assigned - hits, weights.sum(axis=1) - positives)
    measures = [divide(hits, assigned), divide(hits, positives), f1, divide(area, positives), false_positives]
    return np.stack(measures, axis=1)


def _compute_limits(drawn: Floats, point: Floats) -> tuple[Floats, Floats]:
    """Compute percentile limits over the draws in which a measure is defined; NaN where the measure is not."""
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    for at in zip(*np.nonzero(~np.isnan(point)), strict=True):
        values = drawn[(slice(None), *at)]
        values = values[~np.isnan(values)]
        if len(values):
            low[at], high[at] = np.quantile(values, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return low, high


BINS = 10
THRESHOLDS = np.arange(5, 96, 5) / 100


def compute_calibration(pairs: ScoredPairs, seed: int = 0, resamples: int = 1000) -> Calibration:
    """Compute how far the scores of all known pairs are probabilities, by bins of equal width, and what thresholds do.

    A bin's interval is Wilson's, with Kish's effective number of pairs. Reliability diagrams: DeGroot and Fienberg
    1983; expected calibration error: Naeini et al. 2015. The other intervals are from resampling whole documents.
    """
    mass = np.ones(len(pairs.documents)) if pairs.weights is None else pairs.weights
    names, group = np.unique(np.asarray(pairs.documents, dtype=np.str_), return_inverse=True)
    rows = np.nonzero(pairs.known & (mass > 0)[:, None])
    scores, truth = pairs.scores[rows].astype(np.float64), pairs.truth[rows].astype(np.float64)
    weights, owner = mass[rows[0]], group[rows[0]]
    number = np.minimum((scores * BINS).astype(np.intp), BINS - 1)
    bins = []
    for part in np.unique(number):
        inside = number == part
        total = float(weights[inside].sum())
        share = float(np.clip((weights * truth)[inside].sum() / total, 0, 1))
        effective = total**2 / (weights[inside] ** 2).sum()
        low, high = compute_wilson_interval([share * effective], [effective])
        mean = float((weights * scores)[inside].sum() / total)
        bins.append(CalibrationBin(int(inside.sum()), total, mean, share, float(low[0]), float(high[0])))
    documents = len(names)

    def sum_by_document(values: Floats) -> Floats:
        return np.bincount(owner, values, documents).astype(np.float64)

    # The last row counts every document once: the point estimate.
    drawn = np.random.default_rng(seed).multinomial(documents, np.full(documents, 1 / documents), resamples)
    counts = np.concatenate([drawn, np.ones((1, documents), drawn.dtype)])
    confirmed = counts @ sum_by_document(weights * truth)
    ratio = divide(confirmed, counts @ sum_by_document(weights * scores))
    thresholds = []
    for threshold in THRESHOLDS.tolist():
        reached = weights * (scores >= threshold)
        hits = counts @ sum_by_document(reached * truth)
        precision, recall = divide(hits, counts @ sum_by_document(reached)), divide(hits, confirmed)
        thresholds.append(ThresholdQuality(threshold, *_describe(precision), *_describe(recall)))
    return Calibration(tuple(bins), *_describe(ratio), tuple(thresholds))


def _describe(values: Floats) -> tuple[float, float, float]:
    """Return the point estimate, which is last, and the limits of its interval from the resampled values before it."""
    if np.isnan(values).all():
        return math.nan, math.nan, math.nan
    limits = np.nanquantile(values[:-1], [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return float(values[-1]), float(limits[0]), float(limits[1])
