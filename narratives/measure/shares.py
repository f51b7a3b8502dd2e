"""Interval estimates of a share, and of the difference of two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from narratives.model import Granularity

Floats = npt.NDArray[np.float64]
CONFIDENCE_LEVEL = 0.95


def compute_wilson_interval(
    k: npt.ArrayLike, n: npt.ArrayLike, level: float = CONFIDENCE_LEVEL
) -> tuple[Floats, Floats]:
    """Wilson's score interval of k successes in n trials.

    k, n: counts of one shape, 0 <= k <= n. Returns (low, high), float64 of that shape, within 0..1; NaN where
    n is 0. The trials are taken as independent. Raises ValueError where a count is out of range.
    Method: Wilson (1927). Written out, because the libraries that have it take over a second to import, and
    every first page would wait for them.
    """
    successes, trials = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))
    wrong = (successes < 0) | (successes > trials)
    if wrong.any():
        raise ValueError(f"expected 0 <= k <= n, got k={successes[wrong][0]:g} of n={trials[wrong][0]:g}")
    share = np.divide(successes, trials, out=np.full(trials.shape, np.nan), where=trials > 0)
    return compute_score_limits(share, trials, np.asarray(NormalDist().inv_cdf((1 + level) / 2)))


def compute_score_limits(share: Floats, trials: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Wilson's limits around `share` in `trials`, which need not be whole, at a quantile for each.

    share: within 0..1, NaN where unknown; trials: above 0 where the share is known. All of one shape, or the
    quantile a single one. Returns (low, high), NaN where the share is. The interval never has width zero.
    """
    low, high = np.full(share.shape, np.nan), np.full(share.shape, np.nan)
    some = ~np.isnan(share)
    if some.any():
        p, n = share[some], trials[some]
        z2 = np.broadcast_to(quantile, share.shape)[some] ** 2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
        # Rounding must not put the share itself outside of its interval, as it can at 0 and at 1.
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
    """share - other with the limits that follow from the limits of the two: (difference, low, high).

    All of one shape; the limits of the two shares are at one level, and so are those returned. The two are
    taken as independent: shares of two periods are, those of two speakers of the same documents not quite.
    An interval on one side of 0 says that the two differ. NaN where any of the six is.
    Method: square-and-add (MOVER): Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; for any
    limits Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    a, a_low, a_high, b, b_low, b_high = (
        np.asarray(values, dtype=np.float64) for values in (share, low, high, other, other_low, other_high)
    )
    gap: Floats = a - b
    return gap, gap - np.hypot(a - a_low, b_high - b), gap + np.hypot(a_high - a, b - b_low)


def propagate_limits(formula: Callable[..., Floats], terms: Sequence[tuple[Floats, ...]]) -> Floats:
    """(estimate, low, high), shape (3, n), of a formula of independent terms, each (value, low, high) of n.

    `formula` is monotone in each term. Each term is moved to its limits by itself; the steps that the result
    then makes are squared and added, on either side. Method: as for `difference`; for other formulas Zou,
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


# Sums over the documents i of a period, m_i statement paragraphs of which y_i advance the narrative: how many
# documents, sum m_i, sum y_i, sum m_i^2, sum m_i*y_i, sum y_i^2. One aggregate of SQL gives them.
SUM_COLUMNS = ("documents", "total_paragraphs", "paragraphs", "m2", "my", "y2")

# Set by simulation (benchmarks/coverage.py). What is believed of the likeness within a document before
# anything is seen, and how many positive paragraphs' worth of evidence that belief has; how much the other
# periods of a narrative weigh against one period of its own; what is added to the degrees of freedom.
PRIOR_CORRELATION, PRIOR_WEIGHT = 0.25, 2.0
POOL_WEIGHT = 10.0
EXTRA_FREEDOM = 5.0


def compute_design_effect(frame: pd.DataFrame) -> pd.DataFrame:
    """How many independent paragraphs the paragraphs of each row are worth.

    `frame` has the columns SUMS, and `narrative_id` if there are several narratives; its rows are periods
    (or speakers, or outlets) of each. Returns, on the index of `frame`, float columns

    share        paragraphs / total_paragraphs, NaN where there are none
    effect       the design effect, >= 1: by how much likeness within documents inflates the variance
    effective    total_paragraphs / effect
    freedom      degrees of freedom of that, >= 1; infinite where each document counts once

    The effect is the greater of two. One is Taylor's linearisation of the ratio estimator: the spread of
    y_i - share * m_i over the documents, against that of independent draws (Kish 1965; Korn and Graubard
    1998, Survey Methodology 24, 193-201). It knows when long documents differ from short ones, but is far
    too small where the few positive paragraphs happen to lie in short documents, and nothing where there
    are none. So the other is Kish's 1 + r * (sum m_i^2 / sum m_i - 1), where r, the likeness within a
    document, comes from pairs: of the paragraphs that share a document with a positive one, how many are
    positive too. That holds whatever the lengths of the documents seen. r of a period is drawn towards that
    of all periods of the narrative, and this towards PRIOR_LIKENESS.

    Freedom: Kish's effective number of documents less one, and at most the effective number of documents
    that advance the narrative in any period plus EXTRA_FREEDOM, since those tell of r.
    """
    documents, n, y, m2, my, y2 = (frame[name].to_numpy(np.float64) for name in SUM_COLUMNS)
    some = n > 0
    share = _divide(y, n)
    p = np.where(some, share, 0.0)
    size = np.where(some, _divide(m2, n), 1.0)  # of the document that a paragraph drawn at random lies in
    spread = np.maximum(y2 - 2 * p * my + p**2 * m2, 0) * _divide(documents, documents - 1)
    taylor = _divide(spread, n * p * (1 - p))

    group = _number_narratives(frame)
    seen, possible = y2 - y, my - y  # pairs of positive ones, of a positive one with any
    prior = PRIOR_WEIGHT * _divide(_sum_by_group(m2 - n, group), _sum_by_group(n, group))
    by_chance = np.nan_to_num(_divide(_sum_by_group(possible * p, group), _sum_by_group(possible, group)))
    pooled = _estimate_correlation(
        _sum_by_group(seen, group), _sum_by_group(possible, group), by_chance, PRIOR_CORRELATION, prior
    )
    own = _estimate_correlation(seen, possible, p, pooled, POOL_WEIGHT * (size - 1))

    alone = m2 == n  # every document is one paragraph: nothing goes together
    effect = np.where(alone, 1.0, np.fmax(1 + own * (size - 1), taylor))
    telling = np.nan_to_num(_divide(_sum_by_group(y, group) ** 2, _sum_by_group(y2, group)))
    freedom = np.fmin(_divide(n**2, m2) - 1, telling + EXTRA_FREEDOM)
    return pd.DataFrame(
        {
            "share": share,
            "effect": np.where(some, effect, np.nan),
            "effective": np.where(some, n / np.maximum(effect, 1), 0.0),
            "freedom": np.where(alone, np.inf, np.fmax(freedom, 1.0)),
        },
        index=frame.index,
    )


def compute_clustered_interval(frame: pd.DataFrame, level: float = CONFIDENCE_LEVEL) -> tuple[Floats, Floats]:
    """The interval of the share of every row of `frame` (see `design`): (low, high), NaN where it has none.

    Wilson's limits at the effective number of paragraphs, with Student's quantile instead of the normal one.
    They hold the share, lie within 0..1 and never coincide. Where every document counts once (unit document)
    they are Wilson's own. Coverage: docs/statistics.md.
    """
    from scipy.special import (
        stdtrit,
    )  # here, since nothing else on a page needs scipy before a chart is drawn

    table = compute_design_effect(frame)
    quantile = stdtrit(table["freedom"].to_numpy(), (1 + level) / 2)
    return compute_score_limits(table["share"].to_numpy(), table["effective"].to_numpy(), quantile)


def _estimate_correlation(
    seen: Floats, possible: Floats, chance: Floats, prior: Floats | float, weight: Floats
) -> Floats:
    """(share of positive pairs - chance) / (1 - chance), drawn to `prior` by `weight` pairs; within 0..1."""
    expected = prior + (1 - prior) * chance
    found = _divide(seen + weight * expected, possible + weight)
    return np.clip(np.nan_to_num(_divide(found - chance, 1 - chance)), 0, 1)


def _number_narratives(frame: pd.DataFrame) -> npt.NDArray[np.intp]:
    if "narrative_id" not in frame:
        return np.zeros(len(frame), np.intp)
    return pd.factorize(frame["narrative_id"])[0]


def _sum_by_group(values: Floats, group: npt.NDArray[np.intp]) -> Floats:
    """For every row the sum over the rows of its group."""
    totals: Floats = np.bincount(group, values).astype(np.float64)[group]
    return totals


def _divide(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return ratio


# A period is well filled with this many documents: below it, a share says little.
MIN_DOCUMENTS_PER_PERIOD = 30
WELL_FILLED_SHARE = 0.9
MIN_DOCUMENTS = 300

_PERIOD_MONTHS: tuple[tuple[Granularity, int], ...] = (("month", 1), ("quarter", 3), ("half", 6))


def add_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with columns share, share_low and share_high added: paragraphs / total_paragraphs.

    `frame` has integer columns `paragraphs` and `total_paragraphs`. If it also has `documents`, `m2`, `my`
    and `y2` (see clustered.SUMS), the limits allow for paragraphs of one document going together, each
    narrative of a `narrative_id` by itself; else every paragraph counts as independent (Wilson). All at
    95 %; the three are NaN where the total is 0. The frame given is left as it is.
    """
    k, n = frame["paragraphs"].to_numpy(), frame["total_paragraphs"].to_numpy()
    low, high = (
        compute_clustered_interval(frame) if set(SUM_COLUMNS) <= set(frame.columns) else compute_wilson_interval(k, n)
    )
    share = frame["paragraphs"] / frame["total_paragraphs"].where(n > 0)
    return frame.assign(share=share.astype("float64"), share_low=low, share_high=high)


def choose_granularity(documents_per_month: Mapping[str, int]) -> Granularity:
    """The finest granularity that the amount of data bears, for charts that nobody has set otherwise.

    `documents_per_month` has the number of documents by month label (`2016-07`); months without any may be
    left out. Years where fewer than MIN_DOCUMENTS are dated to the month; else the finest of month, quarter
    and half-year of whose periods, of those that have any, nine in ten hold MIN_DOCUMENTS_PER_PERIOD; else
    years. (A median would let a few thin periods, with their wide intervals, set the scale of every chart.)
    """
    if sum(documents_per_month.values()) < MIN_DOCUMENTS:
        return "year"
    for granularity, length in _PERIOD_MONTHS:
        counts: Counter[tuple[str, int]] = Counter()
        for label, documents in documents_per_month.items():
            counts[label[:4], (int(label[5:7]) - 1) // length] += documents
        enough = sum(n >= MIN_DOCUMENTS_PER_PERIOD for n in counts.values())
        if enough >= WELL_FILLED_SHARE * sum(n > 0 for n in counts.values()):
            return granularity
    return "year"
