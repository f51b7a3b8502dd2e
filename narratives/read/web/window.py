"""The dates that a fetch is limited to."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from narratives.model import UsageError
from narratives.read.web.records import Entry

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day, both inclusive; None where that side is open."""

    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, date_from: str, date_to: str) -> Window:
        """From two partial dates (`2016`, `2016-11`, `2016-11-10`, empty for open), or UsageError."""
        first = _day(date_from, is_last=False) if date_from else None
        last = _day(date_to, is_last=True) if date_to else None
        if first and last and first > last:
            raise UsageError("--from before --to", f"{date_from} and {date_to}", "Swap them.")
        return cls(first, last)

    @property
    def is_open(self) -> bool:
        """Whether nothing is left out."""
        return self.first is None and self.last is None

    def holds(self, day: date) -> bool:
        """Whether a day is inside."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def excludes(self, entry: Entry) -> bool:
        """Whether an entry is certainly outside; what has no date of its own may be inside.

        What was last changed before the window was also published before it; what was changed after it may
        have been published in it.
        """
        if entry.published:
            return not self.holds(date.fromisoformat(entry.published))
        changed = date.fromisoformat(entry.modified) if entry.modified else None
        return changed is not None and self.first is not None and changed < self.first


def day_of(text: str) -> str:
    """The day that a machine-written date or time begins with, as `2016-11-10`; "" if it begins with none."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""


def _day(text: str, *, is_last: bool) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) if part else 0 for part in match.groups())
        month = month or (12 if is_last else 1)
        return date(year, month, day or (calendar.monthrange(year, month)[1] if is_last else 1))
    except ValueError as error:
        raise UsageError("2016, 2016-11 or 2016-11-10", repr(text), "Correct --from or --to.") from error
