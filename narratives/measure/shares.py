"""Shares with their intervals, the difference of two shares, and the changes of a share over time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from narratives.model import Granularity
from narratives.model.dates import get_period_bounds, get_period_label

Floats = npt.NDArray[np.float64]
CONFIDENCE_LEVEL = 0.95


def divide(part: npt.NDArray[np.number], whole: npt.NDArray[np.number], otherwise: float = math.nan) -> Floats:
    """Divide two arrays of one shape; the result is `otherwise` where the whole is 0, negative or NaN."""
    ratio: Floats = np.divide(part, whole, out=np.full(part.shape, otherwise), where=whole > 0)
    return ratio


def compute_wilson_interval(
    k: npt.ArrayLike, n: npt.ArrayLike, level: float = CONFIDENCE_LEVEL
) -> tuple[Floats, Floats]:
    """Compute Wilson's score interval of k successes in n trials.

    k, n: counts of one shape, 0 <= k <= n. Returns (low, high), float64 of that shape, within 0..1; NaN where
    n is 0. The trials count as independent. Raises ValueError if a count is out of range.
    Method: Wilson (1927). It is implemented here because the libraries that have it take over a second to
    import, which would delay the first page.
    """
    successes, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    wrong = (successes < 0) | (successes > trials)
    if wrong.any():
        raise ValueError(f"expected 0 <= k <= n, got k={successes[wrong][0]:g} of n={trials[wrong][0]:g}")
    return compute_score_limits(divide(successes, trials), trials, np.asarray(NormalDist().inv_cdf((1 + level) / 2)))


def compute_score_limits(share: Floats, trials: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Compute Wilson's limits around `share` in `trials`, which need not be whole numbers.

    share: within 0..1, NaN where unknown; trials: above 0 where the share is known. All have one shape;
    `quantile` may be a single number. Returns (low, high), NaN where the share is. No interval has width zero.
    """
    low, high = np.full(share.shape, np.nan), np.full(share.shape, np.nan)
    some = ~np.isnan(share)
    if some.any():
        p, n = share[some], trials[some]
        z2 = np.broadcast_to(quantile, share.shape)[some] ** 2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
        # Rounding can put the share outside of its own interval at 0 and at 1.
        low[some] = np.clip(np.minimum(centre - half, p), 0, 1)
        high[some] = np.clip(np.maximum(centre + half, p), 0, 1)
    return low, high


def compute_difference(
    share: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    other: npt.ArrayLike,
    other_low: npt.ArrayLike,
    other_high: npt.ArrayLike,
) -> tuple[Floats, Floats, Floats]:
    """Compute share - other with limits from those of the two: (difference, low, high).

    All have one shape. The limits returned are at the level of those given. The shares count as independent:
    those of two periods are, those of two speakers in the same documents are not quite. An interval on one side
    of 0 means that the two differ. NaN where any of the six is.
    Method: square-and-add (MOVER): Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; for any
    limits Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    a, a_low, a_high, b, b_low, b_high = (
        np.asarray(values, dtype=np.float64) for values in (share, low, high, other, other_low, other_high)
    )
    gap: Floats = a - b
    return gap, gap - np.hypot(a - a_low, b_high - b), gap + np.hypot(a_high - a, b - b_low)


def propagate_limits(formula: Callable[..., Floats], terms: Sequence[tuple[Floats, ...]]) -> Floats:
    """Apply a formula to independent terms, each (value, low, high) of n: (estimate, low, high), shape (3, n).

    `formula` is monotone in each term. Each term in turn moves to its limits; the resulting changes are
    squared and added, separately for each side. Method: as for `compute_difference`; for other formulas Zou,
    Huang and Zhang (2009), Computational Statistics and Data Analysis 53, 1080-1085.
    """
    values = [term[0] for term in terms]
    point = formula(*values)
    down, up = np.zeros_like(point), np.zeros_like(point)
    for at, (_, low, high) in enumerate(terms):
        ends = [formula(*values[:at], limit, *values[at + 1 :]) for limit in (low, high)]
        down += np.maximum(point - np.minimum(*ends), 0) ** 2
        up += np.maximum(np.maximum(*ends) - point, 0) ** 2
    return np.stack([point, point - np.sqrt(down), point + np.sqrt(up)])


# Sums over the documents i of a period, with m_i statement paragraphs of which y_i advance the narrative: the
# number of documents, sum m_i, sum y_i, sum m_i^2, sum m_i*y_i, sum y_i^2. One SQL aggregate computes them.
SUM_COLUMNS = ("documents", "total_paragraphs", "paragraphs", "m2", "my", "y2")

# Set by simulation (benchmarks/coverage.py): the prior correlation within a document and its weight in positive
# paragraphs; the weight of the other periods of a narrative; what is added to the degrees of freedom.
PRIOR_CORRELATION, PRIOR_WEIGHT = 0.25, 2.0
POOL_WEIGHT = 10.0
EXTRA_FREEDOM = 5.0


def compute_design_effect(frame: pd.DataFrame) -> pd.DataFrame:
    """Compute the effective number of paragraphs of each row: how many independent ones they amount to.

    `frame` has SUM_COLUMNS, and `narrative_id` if there are several narratives; its rows are periods (or
    speakers, or outlets) of each. Returns, on the index of `frame`, float columns

    share        paragraphs / total_paragraphs, NaN where there are none
    effect       the design effect, >= 1: the factor by which correlation within documents raises the variance
    effective    total_paragraphs / effect
    freedom      its degrees of freedom, >= 1; infinite where each document counts once

    The effect is the greater of two. One is Taylor's linearisation of the ratio estimator: the spread of
    y_i - share * m_i over the documents, against that of independent draws (Kish 1965; Korn and Graubard
    1998, Survey Methodology 24, 193-201). It is far too small if the few positive paragraphs are in short
    documents, and undefined if there are none. So the other is Kish's 1 + r * (sum m_i^2 / sum m_i - 1). The
    correlation r within a document comes from pairs: of the paragraphs in one document with a positive one, the
    share that is positive too. r of a period is shrunk towards that of all periods of the narrative, and this
    towards PRIOR_CORRELATION.

    Freedom: Kish's effective number of documents less one, and at most the effective number of documents
    that advance the narrative in any period plus EXTRA_FREEDOM, as r is estimated from these.
    """
    documents, n, y, m2, my, y2 = (frame[name].to_numpy(np.float64) for name in SUM_COLUMNS)
    some = n > 0
    share = divide(y, n)
    p = np.where(some, share, 0.0)
    size = np.where(some, divide(m2, n), 1.0)  # of the document of a random paragraph
    spread = np.maximum(y2 - 2 * p * my + p**2 * m2, 0) * divide(documents, documents - 1)
    taylor = divide(spread, n * p * (1 - p))

    group = number_narratives(frame)
    seen, possible = y2 - y, my - y  # pairs of two positive paragraphs, and of a positive one with any
    prior = PRIOR_WEIGHT * divide(sum_by_group(m2 - n, group), sum_by_group(n, group))
    all_seen, all_possible = sum_by_group(seen, group), sum_by_group(possible, group)
    by_chance = np.nan_to_num(divide(sum_by_group(possible * p, group), all_possible))
    pooled = _estimate_correlation(all_seen, all_possible, by_chance, PRIOR_CORRELATION, prior)
    own = _estimate_correlation(seen, possible, p, pooled, POOL_WEIGHT * (size - 1))

    alone = m2 == n  # every document is one paragraph: there is no correlation
    effect = np.where(alone, 1.0, np.fmax(1 + own * (size - 1), taylor))
    positive = np.nan_to_num(divide(sum_by_group(y, group) ** 2, sum_by_group(y2, group)))
    freedom = np.fmin(divide(n**2, m2) - 1, positive + EXTRA_FREEDOM)
    return pd.DataFrame(
        {
            "share": share,
            "effect": np.where(some, effect, np.nan),
            "effective": np.where(some, n / np.maximum(effect, 1), 0.0),
            "freedom": np.where(alone, np.inf, np.fmax(freedom, 1.0)),
        },
        index=frame.index,
    )


def compute_clustered_interval(
    frame: pd.DataFrame, level: float = CONFIDENCE_LEVEL, around: Floats | None = None
) -> tuple[Floats, Floats]:
    """Compute the interval of each row's share (see `compute_design_effect`): (low, high), NaN without one.

    With `around`, it is the interval of these shares instead, with the same effective number of paragraphs.

    These are Wilson's limits at the effective number of paragraphs, with Student's quantile instead of the
    normal one. They enclose the share, are within 0..1 and never coincide. If every document counts once (unit
    document), they are Wilson's own. Coverage: docs/statistics.md.
    """
    from scipy.special import stdtrit  # imported here because pages need it only when they draw a chart

    table = compute_design_effect(frame)
    quantile = stdtrit(table["freedom"].to_numpy(), (1 + level) / 2)
    share = table["share"].to_numpy() if around is None else around
    return compute_score_limits(share, table["effective"].to_numpy(), quantile)


def _estimate_correlation(
    seen: Floats, possible: Floats, chance: Floats, prior: Floats | float, weight: Floats
) -> Floats:
    """Compute (share of positive pairs - chance) / (1 - chance), shrunk to `prior` by `weight` pairs, in 0..1."""
    expected = prior + (1 - prior) * chance
    positive_pairs = divide(seen + weight * expected, possible + weight)
    return np.clip(np.nan_to_num(divide(positive_pairs - chance, 1 - chance)), 0, 1)


def number_narratives(frame: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return for every row the number of its narrative; 0 everywhere without a column narrative_id."""
    if "narrative_id" not in frame:
        return np.zeros(len(frame), np.intp)
    return pd.factorize(frame["narrative_id"])[0]


def sum_by_group(values: Floats, group: npt.NDArray[np.intp]) -> Floats:
    """Return for every row the sum over the rows of its group."""
    totals: Floats = np.bincount(group, values).astype(np.float64)[group]
    return totals


# The least documents of a well-filled period; with fewer, a share is very uncertain.
MIN_DOCUMENTS_PER_PERIOD = 30
WELL_FILLED_SHARE = 0.9
MIN_DOCUMENTS = 300


def add_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns share (paragraphs / total_paragraphs), share_low and share_high.

    `frame` has integer columns `paragraphs` and `total_paragraphs`. If it also has `documents`, `m2`, `my`
    and `y2` (see SUM_COLUMNS), the limits allow for the correlation of paragraphs within a document, for each
    `narrative_id` separately; else every paragraph counts as independent (Wilson). The limits are at 95 %; all
    three are NaN where the total is 0. Returns a new frame.
    """
    k, n = frame["paragraphs"].to_numpy(np.float64), frame["total_paragraphs"].to_numpy(np.float64)
    has_sums = set(SUM_COLUMNS) <= set(frame.columns)
    low, high = compute_clustered_interval(frame) if has_sums else compute_wilson_interval(k, n)
    return frame.assign(share=divide(k, n), share_low=low, share_high=high)


def choose_granularity(documents_per_month: Mapping[str, int]) -> Granularity:
    """Choose the finest granularity for which there is enough data: the default of the charts.

    `documents_per_month` has the number of documents by month label (`2016-07`); months without any may be
    left out. With fewer than MIN_DOCUMENTS documents it is the year. Otherwise it is the finest of month, quarter
    and half-year at which nine in ten periods with documents have MIN_DOCUMENTS_PER_PERIOD, or else the year.
    """
    if sum(documents_per_month.values()) < MIN_DOCUMENTS:
        return "year"
    finer: tuple[Granularity, ...] = ("month", "quarter", "half")
    for granularity in finer:
        counts: Counter[str] = Counter()
        for label, documents in documents_per_month.items():
            counts[get_period_label(get_period_bounds(label)[0], granularity)] += documents
        enough = sum(n >= MIN_DOCUMENTS_PER_PERIOD for n in counts.values())
        if enough >= WELL_FILLED_SHARE * sum(n > 0 for n in counts.values()):
            return granularity
    return "year"


Trend = Literal["growing", "fading", "steady", ""]


def find_trends(parts: pd.DataFrame) -> dict[str, Trend]:
    """Find the topics whose share differs between the earlier and the later half of a slice.

    `parts` has topic_id, part ("earlier" or "later") and SUM_COLUMNS; a topic that is absent from a half has no row for
    it. A share is growing if its 95 % interval in the later half lies above that in the earlier one, fading if it lies
    below, and steady otherwise. The result is "" for a topic with fewer than 5 paragraphs in both halves together.
    Where a half has no text, there is no result.
    """
    totals = parts.groupby("part")[["documents", "total_paragraphs", "m2"]].first()
    if set(totals.index) != {"earlier", "later"}:
        return {}
    ids = parts["topic_id"].unique()
    every = pd.MultiIndex.from_product([ids, ["earlier", "later"]], names=["topic_id", "part"])
    sums = parts.set_index(["topic_id", "part"])[["paragraphs", "my", "y2"]].reindex(every, fill_value=0).reset_index()
    full = sums.merge(totals.reset_index(), on="part").assign(narrative_id=lambda rows: rows["topic_id"])
    shares = add_shares(full).set_index(["part", "topic_id"])
    earlier, later = shares.loc["earlier"].loc[ids], shares.loc["later"].loc[ids]
    trend = np.where(later["share_low"] > earlier["share_high"], "growing", "steady")
    trend = np.where(later["share_high"] < earlier["share_low"], "fading", trend)
    trend = np.where(earlier["paragraphs"] + later["paragraphs"] < MIN_FOR_TREND, "", trend)
    return dict(zip(ids.tolist(), trend.tolist(), strict=True))


MIN_FOR_TREND = 5  # paragraphs
MIN_SEGMENT = 2  # periods of a level: a single period that stands out is a peak, not a level
# The least gain of a change in twice the log-likelihood is OFFSET + SLOPE * ln(periods). Set by simulation
# (benchmarks/coverage.py): 1 % of series without any change show one, about 5 % where positives are frequent.
PENALTY_OFFSET, PENALTY_SLOPE = 3.0, 2.7

CHANGE_COLUMNS = (
    *("narrative_id", "period", "direction", "before", "before_low", "before_high"),
    *("after", "after_low", "after_high", "gain"),
)


def find_change_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Find the periods in which the share of a narrative moves to another level.

    `frame` has narrative_id, period (labels of one granularity, which sort by time) and the SUM_COLUMNS; one
    row for each period with statements. Returns a row for every change, by narrative in the order of `frame`
    and time, with columns

    narrative_id, period     `period` is the first of the new level
    direction                "up" or "down"
    before, after            shares of the whole levels before and after, with _low and _high at 95 % (which do
                             not allow for the search for the place)
    gain                     twice the log-likelihood that this change adds

    Method: of the divisions into levels of at least MIN_SEGMENT periods, take the one with the highest binomial
    likelihood less a penalty for every change (optimal partitioning: Jackson et al. 2005, IEEE Signal Processing
    Letters 12, 105-108). Counts are taken at their effective size (`compute_design_effect`), so that one long
    speech is no change. Periods with few documents have little weight and need not be left out.
    """
    rows = []
    table = compute_design_effect(frame)
    group, keys = pd.factorize(frame["narrative_id"])
    place, periods = pd.factorize(frame["period"], sort=True)
    trials, counts = np.zeros((2, len(keys), len(periods)))
    trials[group, place] = table["effective"]
    counts[group, place] = np.nan_to_num(table["share"] * table["effective"])
    starts = _find_level_starts(counts, trials)
    for at in np.flatnonzero([len(levels) > 1 for levels in starts]):
        own = group == at
        level = np.searchsorted(starts[at], place[own], side="right")
        levels = add_shares(frame.loc[own, list(SUM_COLUMNS)].groupby(level).sum())
        k, n = (np.add.reduceat(values[at], starts[at]) for values in (counts, trials))
        gains = 2 * (
            _compute_log_likelihood(k[:-1], n[:-1])
            + _compute_log_likelihood(k[1:], n[1:])
            - _compute_log_likelihood(k[:-1] + k[1:], n[:-1] + n[1:])
        )
        for i, start in enumerate(starts[at][1:]):
            limits = levels.iloc[i : i + 2][["share", "share_low", "share_high"]].to_numpy()
            direction = "up" if limits[1, 0] > limits[0, 0] else "down"
            rows.append((str(keys[int(at)]), str(periods[start]), direction, *limits.ravel(), gains[i]))
    return pd.DataFrame(rows, columns=list(CHANGE_COLUMNS))


def _find_level_starts(k: Floats, n: Floats) -> list[list[int]]:
    """Find where the levels start, for each series (row) of k successes in n trials, both (series, periods)."""
    series, length = k.shape
    penalty = PENALTY_OFFSET + PENALTY_SLOPE * math.log(max(length, 1))
    k, n = (np.pad(values.cumsum(axis=1), ((0, 0), (1, 0))) for values in (k, n))
    value = np.full((series, length + 1), -np.inf)  # value of the best division of the periods before each
    value[:, 0] = penalty
    last = np.zeros((series, length + 1), np.intp)  # start of the last level in that division
    for end in range(MIN_SEGMENT, length + 1):
        starts = slice(0, end - MIN_SEGMENT + 1)
        fits = 2 * _compute_log_likelihood(k[:, end, None] - k[:, starts], n[:, end, None] - n[:, starts])
        total = value[:, starts] + fits - penalty
        last[:, end] = total.argmax(axis=1)
        value[:, end] = total.max(axis=1)
    all_starts = []
    for row in last:
        level_starts, at = [], length
        while at > 0:
            at = int(row[at])
            level_starts.append(at)
        all_starts.append(level_starts[::-1])
    return all_starts


def _compute_log_likelihood(k: Floats, n: Floats) -> Floats:
    """Compute the binomial log-likelihood of k in n at the share k / n, without the constant."""
    share = divide(k, n, otherwise=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        likelihood = k * np.log(share) + (n - k) * np.log1p(-share)
    return np.where((share > 0) & (share < 1), likelihood, 0.0)
