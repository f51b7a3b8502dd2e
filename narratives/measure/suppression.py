"""Suppression of shares on a small base, and smoothing over neighbouring periods."""

from __future__ import annotations

import numpy as np
import pandas as pd

from narratives.measure.shares import Floats
from narratives.model.build_report import SuppressionRule

SHARE_COLUMNS = ("share", "share_low", "share_high", "corrected", "corrected_low", "corrected_high")
SMOOTHING_PERIODS = 3  # periods in a smoothed share

# Periods to the year, by the letter after the dash of a label; months have none.
_PERIODS_PER_YEAR = {"H": 2, "Q": 4}


SAMPLE_RULE = SuppressionRule(documents=5, expected=1.0)  # for the sample, which is small and only a demonstration


def choose_suppression_rule(notice: str) -> SuppressionRule:
    """Choose the rule for a snapshot; a `notice`, as of the sample, marks one that is no study."""
    return SAMPLE_RULE if notice else SuppressionRule()


def suppress_small_bases(frame: pd.DataFrame, base: SuppressionRule) -> pd.DataFrame:
    """Add the columns base_ok, base_code and base_reason, and set shares on a small base to NaN.

    `frame` has documents, total_paragraphs and paragraphs, and narrative_id if there are several. Its
    SHARE_COLUMNS are suppressed where the base is too small; counts stay. The expected number is the share of
    the narrative over all rows times total_paragraphs, so that a period with few matches is not suppressed for
    that. base_code is "" (large enough), "documents" or "expected"; base_reason is the reason in words, such as
    "12 documents, fewer than 30".
    """
    documents, total = (frame[name].to_numpy(np.float64) for name in ("documents", "total_paragraphs"))
    sums = frame[["paragraphs", "total_paragraphs"]].astype("float64")
    if "narrative_id" in frame:
        overall = sums.groupby(frame["narrative_id"].to_numpy()).transform("sum").to_numpy()
    else:
        overall = np.broadcast_to(sums.sum().to_numpy(), sums.shape)
    share = np.divide(overall[:, 0], overall[:, 1], out=np.zeros(len(frame)), where=overall[:, 1] > 0)
    expected = share * total
    few, rare = documents < base.documents, expected < base.expected
    code = np.select([few, rare], ["documents", "expected"], "")
    reason = [
        _describe_few_documents(int(d), base.documents)
        if c == "documents"
        else _describe_few_expected(e, base.expected)
        if c
        else ""
        for c, d, e in zip(code, documents, expected, strict=True)
    ]
    shown = {name: frame[name].where(code == "") for name in SHARE_COLUMNS if name in frame}
    return frame.assign(**shown, base_ok=code == "", base_code=code, base_reason=reason)


def smooth_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the column smoothed: the share over SMOOTHING_PERIODS around each period, weighted by paragraphs.

    `frame` has period, paragraphs and total_paragraphs, narrative_id if there are several, and base_ok after
    `suppress_small_bases`: suppressed periods are left out of every mean and have none themselves. Neighbours
    are those of the calendar; the mean leaves out missing ones.
    """
    used = frame["base_ok"].to_numpy(bool) if "base_ok" in frame else np.ones(len(frame), bool)
    when = np.array([compute_period_index(label) for label in frame["period"]], np.int64)
    names = frame["narrative_id"] if "narrative_id" in frame else pd.Series("", index=frame.index)
    group = pd.factorize(names)[0]
    if not len(frame):
        return frame.assign(smoothed=np.zeros(0))
    # A grid of groups by period, with empty margins at both ends.
    margin = SMOOTHING_PERIODS // 2
    when = when - when.min() + margin
    grid = np.zeros((2, group.max() + 1, when.max() + margin + 1))
    for sums, column in zip(grid, ("paragraphs", "total_paragraphs"), strict=True):
        np.add.at(sums, (group[used], when[used]), frame[column].to_numpy(np.float64)[used])
    around: Floats = sum(grid[:, group, when + step] for step in range(-margin, margin + 1))  # type: ignore[assignment]
    share = np.divide(around[0], around[1], out=np.full(len(frame), np.nan), where=(around[1] > 0) & used)
    return frame.assign(smoothed=share)


def compute_period_index(label: str) -> int:
    """Compute a period's position in the calendar: consecutive labels differ by one.

    `2016`, `2016-H2`, `2016-Q3` or `2016-07`. Raises ValueError for anything else.
    """
    year, _, part = label.partition("-")
    if not part:
        return int(year)
    parts = _PERIODS_PER_YEAR.get(part[0], 12)
    return int(year) * parts + int(part.removeprefix(part[0]) if part[0] in _PERIODS_PER_YEAR else part) - 1


def _describe_few_documents(documents: int, least: int) -> str:
    return f"{documents} document{'' if documents == 1 else 's'}, fewer than {least}"


def _describe_few_expected(expected: float, least: float) -> str:
    return f"{expected:.1f} paragraphs expected at the overall share, fewer than {least:g}"
