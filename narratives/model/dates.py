"""Partial dates (`2016`, `2016-11`, `2016-11-10`) and periods: the days they span, and their labels."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal

from narratives.model.slice import Granularity

_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def parse_partial_date(partial: str) -> tuple[date, date]:
    """Return the first and last day of a partial date; raises ValueError if the text is none."""
    match = _PARTIAL_DATE.fullmatch(partial)
    if match is None:
        raise ValueError(f"not a date of the form 2016, 2016-11 or 2016-11-10: {partial!r}")
    year, month, day = (int(part) if part else 0 for part in match.groups())
    if day:
        exact = date(year, month, day)
        return exact, exact
    last_month = month or 12
    first = date(year, month or 1, 1)
    return first, date(year, last_month, calendar.monthrange(year, last_month)[1])


def is_partial_date(text: str) -> bool:
    """Return whether a text is a valid partial date; `2016-02-31` is not."""
    try:
        parse_partial_date(text)
    except ValueError:
        return False
    return True


def get_all_period_labels(partial: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Return the year, half-year, quarter and month label of a partial date; None where it is too coarse."""
    if not partial:
        return None, None, None, None
    first, last = parse_partial_date(partial)
    year = get_period_label(first, "year")
    if first.month != last.month:
        return year, None, None, None
    return year, get_period_label(first, "half"), get_period_label(first, "quarter"), get_period_label(first, "month")


MONTHS_PER_PERIOD: dict[Granularity, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}
# The choices of a control: a length, or "auto" for one that fits the amount of text.
Length = Granularity | Literal["auto"]
LENGTHS: Mapping[Length, str] = {
    "auto": "Auto",
    "year": "Year",
    "half": "Half-year",
    "quarter": "Quarter",
    "month": "Month",
}
GRANULARITY_NOUNS: dict[Granularity, str] = {
    "year": "year",
    "half": "half-year",
    "quarter": "quarter",
    "month": "month",
}
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def detect_granularity(label: str) -> Granularity:
    """Return the granularity of a period label."""
    if len(label) == 4:
        return "year"
    return {"H": "half", "Q": "quarter"}.get(label[5], "month")  # type: ignore[return-value]


def get_period_bounds(label: str) -> tuple[date, date]:
    """Return the first and last day of a period."""
    months = MONTHS_PER_PERIOD[detect_granularity(label)]
    index = 0 if months == 12 else int(label[5:].lstrip("HQ")) - 1
    start = date(int(label[:4]), index * months + 1, 1)
    after = start.year * 12 + start.month - 1 + months
    return start, date(after // 12, after % 12 + 1, 1) - timedelta(days=1)


def get_period_middle(label: str, aside: float = 0.0) -> date:
    """Return the position of a period on a time axis: its middle, moved by `aside` periods."""
    start, end = get_period_bounds(label)
    return start + (end - start) * (0.5 + aside)


def get_period_label(day: date, by: Granularity) -> str:
    """Return the label of the period that contains `day`."""
    if by == "year":
        return f"{day.year:04}"
    if by == "month":
        return f"{day.year:04}-{day.month:02}"
    return f"{day.year:04}-{'H' if by == 'half' else 'Q'}{(day.month - 1) // MONTHS_PER_PERIOD[by] + 1}"


def list_period_labels(first: str, last: str) -> list[str]:
    """List all labels from `first` to `last`, in order; both have the same granularity."""
    by, labels = detect_granularity(first), [first]
    while labels[-1] < last:
        labels.append(get_period_label(get_period_bounds(labels[-1])[1] + timedelta(days=1), by))
    return labels


def describe_period(label: str) -> str:
    """Format a period label for display: `2016`, `H2 2016`, `Q3 2016`, `Jul 2016`."""
    by = detect_granularity(label)
    if by == "year":
        return label
    part = _MONTH_NAMES[int(label[5:]) - 1] if by == "month" else label[5:]
    return f"{part} {label[:4]}"


def get_period_partial_dates(label: str) -> tuple[str, str]:
    """Return the partial dates of a period for filters: `2016-07` and `2016-09` for `2016-Q3`."""
    by = detect_granularity(label)
    if by == "year":
        return label, label
    start, end = get_period_bounds(label)
    return f"{start:%Y-%m}", f"{end:%Y-%m}"


def select_periods(labels: Iterable[str], first: str, last: str) -> list[str]:
    """Return the periods that are wholly within two partial dates, either of which may be empty."""
    start = parse_partial_date(first)[0] if first else date.min
    end = parse_partial_date(last)[1] if last else date.max
    bounds = {label: get_period_bounds(label) for label in labels}
    return [label for label, (low, high) in bounds.items() if start <= low and high <= end]


def is_divided(first: str, last: str, by: Granularity) -> bool:
    """Return whether a period begins before two partial dates or ends after them; also where one is no date."""
    try:
        starts = [parse_partial_date(first)[0]] if first else []
        ends = [parse_partial_date(last)[1]] if last else []
    except ValueError:
        return True
    before = any(get_period_bounds(get_period_label(day, by))[0] < day for day in starts)
    return before or any(get_period_bounds(get_period_label(day, by))[1] > day for day in ends)
