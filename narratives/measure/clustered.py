"""Shares of paragraphs where those of one document go together: design effects and their intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from narratives.measure.intervals import LEVEL, Floats, score_limits

# Sums over the documents i of a period, m_i statement paragraphs of which y_i advance the narrative: how many
# documents, sum m_i, sum y_i, sum m_i^2, sum m_i*y_i, sum y_i^2. One aggregate of SQL gives them.
SUMS = ("documents", "total_paragraphs", "paragraphs", "m2", "my", "y2")

# Set by simulation (benchmarks/coverage.py). What is believed of the likeness within a document before
# anything is seen, and how many positive paragraphs' worth of evidence that belief has; how much the other
# periods of a narrative weigh against one period of its own; what is added to the degrees of freedom.
PRIOR_LIKENESS, PRIOR_WEIGHT = 0.25, 2.0
POOL_WEIGHT = 10.0
EXTRA_FREEDOM = 5.0


def design(frame: pd.DataFrame) -> pd.DataFrame:
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
    documents, n, y, m2, my, y2 = (frame[name].to_numpy(np.float64) for name in SUMS)
    some = n > 0
    share = _ratio(y, n)
    p = np.where(some, share, 0.0)
    size = np.where(some, _ratio(m2, n), 1.0)  # of the document that a paragraph drawn at random lies in
    spread = np.maximum(y2 - 2 * p * my + p**2 * m2, 0) * _ratio(documents, documents - 1)
    taylor = _ratio(spread, n * p * (1 - p))

    group = _groups(frame)
    seen, possible = y2 - y, my - y  # pairs of positive ones, of a positive one with any
    prior = PRIOR_WEIGHT * _ratio(_sum(m2 - n, group), _sum(n, group))
    by_chance = np.nan_to_num(_ratio(_sum(possible * p, group), _sum(possible, group)))
    pooled = _likeness(_sum(seen, group), _sum(possible, group), by_chance, PRIOR_LIKENESS, prior)
    own = _likeness(seen, possible, p, pooled, POOL_WEIGHT * (size - 1))

    alone = m2 == n  # every document is one paragraph: nothing goes together
    effect = np.where(alone, 1.0, np.fmax(1 + own * (size - 1), taylor))
    telling = np.nan_to_num(_ratio(_sum(y, group) ** 2, _sum(y2, group)))
    freedom = np.fmin(_ratio(n**2, m2) - 1, telling + EXTRA_FREEDOM)
    return pd.DataFrame(
        {
            "share": share,
            "effect": np.where(some, effect, np.nan),
            "effective": np.where(some, n / np.maximum(effect, 1), 0.0),
            "freedom": np.where(alone, np.inf, np.fmax(freedom, 1.0)),
        },
        index=frame.index,
    )


def clustered_interval(frame: pd.DataFrame, level: float = LEVEL) -> tuple[Floats, Floats]:
    """The interval of the share of every row of `frame` (see `design`): (low, high), NaN where it has none.

    Wilson's limits at the effective number of paragraphs, with Student's quantile instead of the normal one.
    They hold the share, lie within 0..1 and never coincide. Where every document counts once (unit document)
    they are Wilson's own. Coverage: docs/statistics.md.
    """
    from scipy.special import (
        stdtrit,
    )  # here, since nothing else on a page needs scipy before a chart is drawn

    table = design(frame)
    quantile = stdtrit(table["freedom"].to_numpy(), (1 + level) / 2)
    return score_limits(table["share"].to_numpy(), table["effective"].to_numpy(), quantile)


def _likeness(
    seen: Floats, possible: Floats, chance: Floats, prior: Floats | float, weight: Floats
) -> Floats:
    """(share of positive pairs - chance) / (1 - chance), drawn to `prior` by `weight` pairs; within 0..1."""
    expected = prior + (1 - prior) * chance
    found = _ratio(seen + weight * expected, possible + weight)
    return np.clip(np.nan_to_num(_ratio(found - chance, 1 - chance)), 0, 1)


def _groups(frame: pd.DataFrame) -> npt.NDArray[np.intp]:
    if "narrative_id" not in frame:
        return np.zeros(len(frame), np.intp)
    return pd.factorize(frame["narrative_id"])[0]


def _sum(values: Floats, group: npt.NDArray[np.intp]) -> Floats:
    """For every row the sum over the rows of its group."""
    totals: Floats = np.bincount(group, values).astype(np.float64)[group]
    return totals


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return ratio
