"""What goes in and out of fetching: how patient to be, what was asked for, what came, and what did not."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from narratives.model import ReadError, UsageError

PageChange = Literal["new", "changed", "unchanged", "already"]


class FetchError(ReadError):
    """A page cannot be had. `passing`: trying again later may help; `status`: what the server said, or 0."""

    def __init__(self, expected: str, got: str, hint: str, *, passing: bool = False, status: int = 0) -> None:
        super().__init__(expected, got, hint)
        self.passing, self.status = passing, status

    @property
    def blames_host(self) -> bool:
        """Whether the host as a whole may be in trouble, or tired of us, rather than one page missing."""
        return self.passing or self.status in (401, 403)


@dataclass(frozen=True, slots=True)
class CrawlPolicy:
    """How politely a host is asked and how long it is waited for; times in seconds, sizes in bytes.

    `between` is the least pause between two requests to a host; `connect` and `silence` bound the wait for a
    connection and for the next bytes, `deadline` a whole answer; `longest_wait` what a Retry-After may ask
    and `longest_delay` what a Crawl-delay may; after `failures` in a row a host is left alone. The size of a
    sitemap is what sitemaps.org allows.
    """

    between: float = 1.0
    connect: float = 10.0
    silence: float = 30.0
    deadline: float = 180.0
    attempts: int = 4
    longest_wait: float = 120.0
    longest_delay: float = 600.0
    redirects: int = 10
    failures: int = 10
    page_bytes: int = 10_000_000
    listing_bytes: int = 52_428_800


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and waiting: tests hand in their own."""

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def stamp(self) -> str:
        """The present in UTC, ISO 8601 with microseconds: such stamps sort as text."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """An answer. `url` is what was asked, `final_url` where redirects ended; `body` is empty unless 200.

    `headers` are those of the last answer as sent; `body` is unpacked from its transfer and content
    encodings and otherwise as sent.
    """

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header (name in any case), "" if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class ListedPage:
    """An address that a source lists, with the dates it gives for it (`2016-11-10`, or empty).

    `page` is there where looking at the source fetched this very page.
    """

    url: str
    published: str = ""
    modified: str = ""
    page: FetchedPage | None = None


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """An address that brought nothing, with the reason in words."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source lists: the entries inside the dates, how many were outside, and what failed."""

    entries: tuple[ListedPage, ...]
    outside: int = 0
    failures: tuple[FetchFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What to fetch (`kremlin`, an address, or a file of addresses), of when, whereto.

    `allow_hosts` are names as `host` or `host:port` that may be asked although the source does not lie there
    or their addresses are not public. `contact` is where those who run the hosts may turn to.
    """

    source: str
    into: Path
    date_from: str = ""
    date_to: str = ""
    allow_hosts: tuple[str, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch brought: how many pages by `Change`, and every failure."""

    into: Path
    listed: int = 0
    outside: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[FetchFailure, ...] = ()
    seconds: float = 0.0

    @property
    def had(self) -> int:
        """Pages that are in the archive now, whether they came in this run or had been there."""
        return sum(self.counts.values())


_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True)
class DateRange:
    """First and last day, both inclusive; None where that side is open."""

    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, date_from: str, date_to: str) -> DateRange:
        """From two partial dates (`2016`, `2016-11`, `2016-11-10`, empty for open), or UsageError."""
        first = _parse_day(date_from, is_last=False) if date_from else None
        last = _parse_day(date_to, is_last=True) if date_to else None
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

    def excludes(self, entry: ListedPage) -> bool:
        """Whether an entry is certainly outside; what has no date of its own may be inside.

        What was last changed before the window was also published before it; what was changed after it may
        have been published in it.
        """
        if entry.published:
            return not self.holds(date.fromisoformat(entry.published))
        changed = date.fromisoformat(entry.modified) if entry.modified else None
        return changed is not None and self.first is not None and changed < self.first


def extract_day(text: str) -> str:
    """The day that a machine-written date or time begins with, as `2016-11-10`; "" if it begins with none."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""


def _parse_day(text: str, *, is_last: bool) -> date:
    match = _PARTIAL_DATE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) if part else 0 for part in match.groups())
        month = month or (12 if is_last else 1)
        return date(year, month, day or (calendar.monthrange(year, month)[1] if is_last else 1))
    except ValueError as error:
        raise UsageError("2016, 2016-11 or 2016-11-10", repr(text), "Correct --from or --to.") from error
