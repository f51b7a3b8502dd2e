"""How well assignments agree with reference labels, with intervals that respect documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from narratives.model import QualityMetrics

CONFIDENCE_LEVEL = 0.95
_MAX_CELLS = 2_000_000  # weights held at a time, resamples x paragraphs: 16 MB

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def compute_quality(
    truth: Bools,
    known: Bools,
    scores: npt.NDArray[np.floating],
    predicted: Bools,
    documents: Sequence[str],
    narrative_ids: Sequence[str],
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[QualityMetrics, ...]:
    """Precision, recall, F1, average precision and false-positive rate of every narrative; last, their mean.

    truth, known, predicted: (n, k) bool for n paragraphs and k narratives; scores: (n, k), higher says more;
    documents: the n documents that the paragraphs are of. A pair that is not `known` is left out of
    everything. Ties of scores count as one threshold. NaN stands for what is undefined: precision where
    nothing is predicted, the next three where nothing is true, the false-positive rate where all is. The last
    row (macro) is the mean over the narratives that have anything true, of the values that are defined.

    The limits are percentiles of a bootstrap that draws whole documents, since paragraphs of one speech are
    alike: `resamples` draws, the same for every narrative, from `seed`. They are NaN for fewer than two
    documents. Where no error at all was seen the interval is a point, which says too much: look at the
    support. Raises ValueError where shapes disagree.

    Average precision: sum of precision times the step in recall over the distinct scores, without
    interpolation (https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html).
    Bootstrap: Davison and Hinkley (1997), Bootstrap Methods and their Application, sections 3.8 and 5.3.
    """
    shape = (len(documents), len(narrative_ids))
    for name, array in (("truth", truth), ("known", known), ("scores", scores), ("predicted", predicted)):
        if array.shape != shape:
            raise ValueError(f"expected {name} of shape {shape}, got {array.shape}")
    names, group = np.unique(np.asarray(documents, dtype=np.str_), return_inverse=True)
    columns = [
        _RankedPairs(truth[rows, k], scores[rows, k], predicted[rows, k], group[rows])
        for k in range(shape[1])
        for rows in [np.flatnonzero(known[:, k])]
    ]
    seen = np.array([column.truth.any() for column in columns], dtype=np.bool_)

    point = _compute_measures(columns, seen, np.ones((1, len(names))))[0]
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    if len(names) > 1:
        draw = np.random.default_rng(seed)
        even = np.full(len(names), 1 / len(names))
        size = max(1, _MAX_CELLS // shape[0])
        drawn = np.concatenate(
            [
                _compute_measures(columns, seen, draw.multinomial(len(names), even, min(size, resamples - start)))
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
    """`values` (5, 3): each measure, in the order of `_of_column`, with its limits."""
    *measures, (rate, low, high) = values.tolist()
    row = QualityMetrics(narrative_id, support, *(value for measure in measures for value in measure))
    return replace(
        row,
        negatives=negatives,
        false_positive_rate=rate,
        false_positive_rate_low=low,
        false_positive_rate_high=high,
    )


class _RankedPairs:
    """One narrative's known pairs in order of falling score, with the ends of runs of equal scores."""

    def __init__(
        self,
        truth: Bools,
        scores: npt.NDArray[np.floating],
        predicted: Bools,
        group: npt.NDArray[np.intp],
    ) -> None:
        order = np.argsort(-scores, kind="stable")
        self.truth, self.predicted, self.group = truth[order], predicted[order], group[order]
        self.ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))[: len(order)]


def _compute_measures(columns: Sequence[_RankedPairs], seen: Bools, weights: npt.NDArray[np.number]) -> Floats:
    """The five measures (r, k + 1, 5), macro last, for r sets of document weights (r, d)."""
    found = np.full((len(weights), len(columns) + 1, 5), np.nan)
    for k, column in enumerate(columns):
        found[:, k] = _measure_pairs(column, weights[:, column.group].astype(np.float64))
    having = found[:, :-1][:, seen]
    defined = ~np.isnan(having)
    found[:, -1] = _divide(np.where(defined, having, 0.0).sum(axis=1), defined.sum(axis=1))
    return found


def _measure_pairs(column: _RankedPairs, weights: Floats) -> Floats:
    """The five measures (r, 5) of one narrative, whose pairs count by `weights` (r, m)."""
    true, said = column.truth.astype(np.float64), column.predicted.astype(np.float64)
    hits, positives, claims = weights @ (true * said), weights @ true, weights @ said
    f1 = _divide(2 * hits, np.where(positives > 0, positives + claims, 0.0))
    above = np.cumsum(weights, axis=1)[:, column.ends]
    true_above = np.cumsum(weights * true, axis=1)[:, column.ends]
    steps = np.diff(true_above, axis=1, prepend=0.0)
    area = (steps * np.divide(true_above, above, out=np.zeros_like(above), where=above > 0)).sum(axis=1)
    wrong = _divide(claims - hits, weights.sum(axis=1) - positives)
    measures = [_divide(hits, claims), _divide(hits, positives), f1, _divide(area, positives), wrong]
    return np.stack(measures, axis=1)


def _divide(part: npt.NDArray[np.number], whole: npt.NDArray[np.number]) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return shares


def _compute_limits(drawn: Floats, point: Floats) -> tuple[Floats, Floats]:
    """Percentile limits over the draws in which a measure is defined; NaN where the measure itself is not."""
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    for at in zip(*np.nonzero(~np.isnan(point)), strict=True):
        values = drawn[(slice(None), *at)]
        values = values[~np.isnan(values)]
        if len(values):
            low[at], high[at] = np.quantile(values, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return low, high
