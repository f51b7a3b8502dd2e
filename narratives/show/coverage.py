"""Coverage in words and tables: which outlet has text of when, and where it has none. Pure.

Every frame has the columns outlet, period, documents and statements, one row an outlet and period with text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from narratives.model import Granularity
from narratives.show import periods, words

MOST_PERIODS = 72  # that a phone can still tell apart
ENOUGH = 0.9  # of the dated documents must have a month for months or quarters to be shown unasked


class Gap(NamedTuple):
    """A run of periods in which an outlet has no document: the first and last label, and how many."""

    outlet: str
    first: str
    last: str
    periods: int

    @property
    def length(self) -> str:
        """`4 months`."""
        return words.count(self.periods, periods.NOUN[periods.granularity(self.first)])

    @property
    def in_words(self) -> str:
        """`No document of MFA from Mar 2017 to Jun 2017 (4 months).`"""
        return f"No document of {_named(self.outlet)} {span(self.first, self.last)} ({self.length})."


def choose(years: Sequence[str], dated: pd.DataFrame) -> Granularity:
    """The shortest period that keeps the chart legible and hides few documents.

    `dated` has columns date_precision and documents; documents dated to the year stand in no month.
    """
    counts = dated.groupby("date_precision")["documents"].sum()
    fine, coarse = int(counts.get("day", 0) + counts.get("month", 0)), int(counts.get("year", 0))
    if not years or fine < ENOUGH * (fine + coarse):
        return "year"
    span = int(max(years)) - int(min(years)) + 1
    if span * 12 <= MOST_PERIODS:
        return "month"
    return "quarter" if span * 4 <= MOST_PERIODS else "year"


def outlets(frame: pd.DataFrame) -> list[str]:
    """The outlets, most documents first."""
    totals = frame.groupby("outlet")["documents"].sum()
    return sorted(totals.index, key=lambda name: (-int(totals[name]), name))


def labels(frame: pd.DataFrame) -> list[str]:
    """All periods from the first with text to the last, those without text included."""
    return periods.between(min(frame["period"]), max(frame["period"])) if len(frame) else []


def gaps(frame: pd.DataFrame) -> list[Gap]:
    """The periods without any document, longest gap first.

    A gap lies between an outlet's own first and last period with text: what was before or after is not known
    to be missing.
    """
    found: list[Gap] = []
    for outlet in outlets(frame):
        has = set(frame.loc[frame["outlet"] == outlet, "period"])
        run: list[str] = []
        for label in periods.between(min(has), max(has)):
            if label not in has:
                run.append(label)
            elif run:
                found.append(Gap(outlet, run[0], run[-1], len(run)))
                run = []
    return sorted(found, key=lambda gap: (-gap.periods, gap.first, gap.outlet))


def span(first: str, last: str) -> str:
    """A run of periods in words: `in Mar 2017`, `from Mar 2017 to Jun 2017`."""
    start, end = periods.in_words(first), periods.in_words(last)
    return f"in {start}" if first == last else f"from {start} to {end}"


def telling(frame: pd.DataFrame, missing: Sequence[Gap], most: int = 3) -> list[Gap]:
    """The longest gap of each of the largest outlets that have one: a small outlet is nearly all gaps."""
    longest = {gap.outlet: gap for gap in reversed(missing)}
    return [longest[outlet] for outlet in outlets(frame) if outlet in longest][:most]


def by_outlet(frame: pd.DataFrame, missing: Sequence[Gap]) -> pd.DataFrame:
    """Columns outlet, documents, statements, first, last, gap: one row an outlet, most documents first.

    `gap` is the longest of `missing` (see `gaps`) in words, empty where the outlet has none.
    """
    longest = {gap.outlet: gap for gap in reversed(missing)}
    rows = []
    for outlet in outlets(frame):
        own = frame[frame["outlet"] == outlet]
        gap = longest.get(outlet)
        counts = int(own["documents"].sum()), int(own["statements"].sum())
        ends = periods.in_words(own["period"].min()), periods.in_words(own["period"].max())
        rows.append(
            (_named(outlet), *counts, *ends, f"{gap.length}, {span(gap.first, gap.last)}" if gap else "")
        )
    return pd.DataFrame(rows, columns=["outlet", "documents", "statements", "first", "last", "gap"])


def summary(frame: pd.DataFrame, missing: Sequence[Gap]) -> str:
    """The chart in a few sentences, for those who cannot see it."""
    named = outlets(frame)
    parts = [
        f"{words.count(int(frame['documents'].sum()), 'document')} of {words.count(len(named), 'outlet')} "
        f"{span(min(frame['period']), max(frame['period']))}."
    ]
    for outlet in named[:3]:
        own = frame[frame["outlet"] == outlet]
        most = own.sort_values(["documents", "period"]).iloc[-1]
        parts.append(
            f"{_named(outlet)}: {words.count(int(own['documents'].sum()), 'document')}, most "
            f"({int(most['documents']):,}) in {periods.in_words(most['period'])}."
        )
    parts += [gap.in_words for gap in telling(frame, missing, 1)]
    return " ".join(parts)


def _named(outlet: str) -> str:
    return outlet or words.NOBODY
