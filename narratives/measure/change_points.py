"""Change points: the periods in which the share of a narrative moved to another level."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from narratives.measure.shares import SUM_COLUMNS, Floats, add_shares, compute_design_effect

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
    before, after            shares of the levels before and after, each over its whole length, with _low and
                             _high at 95 % (which do not allow for the search of the place)
    gain                     twice the log-likelihood that this change adds

    Method: among the divisions into levels of at least MIN_SEGMENT periods, the one with the highest binomial
    likelihood less a penalty for every change. It is found exactly (optimal partitioning: Jackson et al. 2005,
    IEEE Signal Processing Letters 12, 105-108; PELT, Killick et al. 2012, finds the same, faster in long
    series). Counts are taken at their effective size (`compute_design_effect`), so that one long speech is no
    change. Periods with few documents have little weight and need not be left out.
    """
    rows = []
    table = frame.assign(**compute_design_effect(frame)[["share", "effective"]])
    hits = table.assign(hits=(table["share"] * table["effective"]).fillna(0))
    order = frame["narrative_id"].unique()
    trials = hits.pivot(index="narrative_id", columns="period", values="effective").reindex(order).fillna(0)
    counts = hits.pivot(index="narrative_id", columns="period", values="hits").reindex(order).fillna(0)
    starts = _find_level_starts(counts.to_numpy(np.float64), trials.to_numpy(np.float64))
    periods = trials.columns
    for at in np.flatnonzero([len(levels) > 1 for levels in starts]):
        rows_of_narrative = frame[frame["narrative_id"] == order[at]]
        level = np.searchsorted(starts[at], periods.get_indexer(rows_of_narrative["period"]), side="right")
        levels = add_shares(rows_of_narrative[list(SUM_COLUMNS)].groupby(level).sum())
        k, n = (np.add.reduceat(values.iloc[at].to_numpy(), starts[at]) for values in (counts, trials))
        gains = 2 * (
            _compute_log_likelihood(k[:-1], n[:-1])
            + _compute_log_likelihood(k[1:], n[1:])
            - _compute_log_likelihood(k[:-1] + k[1:], n[:-1] + n[1:])
        )
        for i, start in enumerate(starts[at][1:]):
            limits = levels.iloc[i : i + 2][["share", "share_low", "share_high"]].to_numpy()
            direction = "up" if limits[1, 0] > limits[0, 0] else "down"
            rows.append((order[at], periods[start], direction, *limits.ravel(), gains[i]))
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
    share = np.divide(k, n, out=np.zeros_like(k), where=n > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        likelihood = k * np.log(share) + (n - k) * np.log1p(-share)
    return np.where((share > 0) & (share < 1), likelihood, 0.0)
