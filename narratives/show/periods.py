"""Period labels (`2016`, `2016-H2`, `2016-Q3`, `2016-07`) as dates, ranges and words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from narratives.model import Granularity

MONTHS_IN: dict[Granularity, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}
# What a control offers: a length, or the one that the amount of text supports.
Length = Granularity | Literal["auto"]
LENGTHS: Mapping[Length, str] = {
    "auto": "Auto",
    "year": "Year",
    "half": "Half-year",
    "quarter": "Quarter",
    "month": "Month",
}
NOUN: dict[Granularity, str] = {"year": "year", "half": "half-year", "quarter": "quarter", "month": "month"}
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def granularity(label: str) -> Granularity:
    """The granularity that a label is written in."""
    if len(label) == 4:
        return "year"
    return {"H": "half", "Q": "quarter"}.get(label[5], "month")  # type: ignore[return-value]


def bounds(label: str) -> tuple[date, date]:
    """First and last day of a period."""
    months = MONTHS_IN[granularity(label)]
    index = 0 if months == 12 else int(label[5:].lstrip("HQ")) - 1
    start = date(int(label[:4]), index * months + 1, 1)
    after = start.year * 12 + start.month - 1 + months
    return start, date(after // 12, after % 12 + 1, 1) - timedelta(days=1)


def middle(label: str, aside: float = 0.0) -> date:
    """The day that stands for the period on a time axis: its middle, moved by `aside` periods."""
    start, end = bounds(label)
    return start + (end - start) * (0.5 + aside)


def label_of(day: date, by: Granularity) -> str:
    """The label of the period that holds `day`."""
    if by == "year":
        return f"{day.year}"
    if by == "month":
        return f"{day.year}-{day.month:02}"
    return f"{day.year}-{'H' if by == 'half' else 'Q'}{(day.month - 1) // MONTHS_IN[by] + 1}"


def between(first: str, last: str) -> list[str]:
    """All labels from `first` to `last`, in order and without gaps; both of one granularity."""
    by, labels = granularity(first), [first]
    while labels[-1] < last:
        labels.append(label_of(bounds(labels[-1])[1] + timedelta(days=1), by))
    return labels


def in_words(label: str) -> str:
    """A label as people write it: `2016`, `H2 2016`, `Q3 2016`, `Jul 2016`."""
    by = granularity(label)
    if by == "year":
        return label
    part = _MONTH_NAMES[int(label[5:]) - 1] if by == "month" else label[5:]
    return f"{part} {label[:4]}"


def partial_dates(label: str) -> tuple[str, str]:
    """First and last year or month of a period as filters write them: `2016-07`, `2016-09` of `2016-Q3`."""
    by = granularity(label)
    if by == "year":
        return label, label
    start, end = bounds(label)
    return f"{start:%Y-%m}", f"{end:%Y-%m}"
