"""Shares of counts, and how finely a corpus can be cut in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from narratives.measure.clustered import SUMS, clustered_interval
from narratives.measure.intervals import wilson
from narratives.model import Granularity

# A period is well filled with this many documents: below it, a share says little.
MIN_DOCUMENTS_PER_PERIOD = 30
WELL_FILLED = 0.9
MIN_DOCUMENTS = 300

_LENGTHS: tuple[tuple[Granularity, int], ...] = (("month", 1), ("quarter", 3), ("half", 6))


def with_share(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with columns share, share_low and share_high added: paragraphs / total_paragraphs.

    `frame` has integer columns `paragraphs` and `total_paragraphs`. If it also has `documents`, `m2`, `my`
    and `y2` (see clustered.SUMS), the limits allow for paragraphs of one document going together, each
    narrative of a `narrative_id` by itself; else every paragraph counts as independent (Wilson). All at
    95 %; the three are NaN where the total is 0. The frame given is left as it is.
    """
    k, n = frame["paragraphs"].to_numpy(), frame["total_paragraphs"].to_numpy()
    low, high = clustered_interval(frame) if set(SUMS) <= set(frame.columns) else wilson(k, n)
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
    for granularity, length in _LENGTHS:
        counts: Counter[tuple[str, int]] = Counter()
        for label, documents in documents_per_month.items():
            counts[label[:4], (int(label[5:7]) - 1) // length] += documents
        enough = sum(n >= MIN_DOCUMENTS_PER_PERIOD for n in counts.values())
        if enough >= WELL_FILLED * sum(n > 0 for n in counts.values()):
            return granularity
    return "year"
