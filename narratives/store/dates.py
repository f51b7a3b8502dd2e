"""Partial dates (`2016`, `2016-11`, `2016-11-10`): the days they span and the periods they fall in."""

from __future__ import annotations

import calendar
import re
from datetime import date

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def span(partial: str) -> tuple[date, date]:
    """First and last day that a partial date can mean. Raises ValueError where it is no partial date."""
    match = _PARTIAL.fullmatch(partial)
    if match is None:
        raise ValueError(f"not a date of the form 2016, 2016-11 or 2016-11-10: {partial!r}")
    year, month, day = (int(part) if part else 0 for part in match.groups())
    if day:
        exact = date(year, month, day)
        return exact, exact
    last_month = month or 12
    first = date(year, month or 1, 1)
    return first, date(year, last_month, calendar.monthrange(year, last_month)[1])


def is_partial(text: str) -> bool:
    """Whether a text is a partial date of the calendar: `2016-02-31` is none."""
    try:
        span(text)
    except ValueError:
        return False
    return True


def periods(partial: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Year, half-year, quarter and month label of a partial date; None where it is too coarse to tell."""
    if not partial:
        return None, None, None, None
    first, last = span(partial)
    year = f"{first.year:04d}"
    if first.month != last.month:
        return year, None, None, None
    half, quarter = (first.month + 5) // 6, (first.month + 2) // 3
    return year, f"{year}-H{half}", f"{year}-Q{quarter}", f"{year}-{first.month:02d}"
