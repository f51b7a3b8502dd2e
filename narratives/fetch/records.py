"""Records of fetching: the request, the crawl policy, pages, listings, failures and the report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from narratives.model import ReadError, UsageError
from narratives.model.dates import parse_partial_date

PageChange = Literal["new", "changed", "unchanged", "already"]


class FetchError(ReadError):
    """A page is not available. `passing`: a later attempt may succeed; `status`: the HTTP status, or 0."""

    def __init__(self, expected: str, got: str, hint: str, *, passing: bool = False, status: int = 0) -> None:
        super().__init__(expected, got, hint)
        self.passing, self.status = passing, status

    @property
    def blames_host(self) -> bool:
        """Whether the host as a whole may be unavailable or refuse us, rather than one page missing."""
        return self.passing or self.status in (401, 403)


@dataclass(frozen=True, slots=True)
class CrawlPolicy:
    """Pauses, timeouts and limits of requests to a host; times in seconds, sizes in bytes.

    `between` is the shortest pause between two requests to a host. `connect` and `silence` limit the wait for
    a connection and for the next bytes, `deadline` the time of a whole answer. `longest_wait` limits a
    Retry-After, `longest_delay` a Crawl-delay. After `failures` in a row a host is not contacted again. The
    size limit of a sitemap is that of sitemaps.org.
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
    """Time and waiting. Tests pass their own."""

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def stamp(self) -> str:
        """Return the current time in UTC, as ISO 8601 with microseconds, so that stamps sort as text."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """An answer. `url` was requested; `final_url` is the end of the redirects.

    `headers` are those of the last answer. `body` is decompressed, and empty unless the status is 200.
    """

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def get_header(self, name: str) -> str:
        """Return the value of a header (name in any case), or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class ListedPage:
    """An address that a source lists, with what the source says of it: days (`2016-11-10`), title and outlet, or "".

    `published` is the day as written, in the time zone of the source. `page` is set if the source itself is this
    page and was therefore already fetched.
    """

    url: str
    published: str = ""
    modified: str = ""
    page: FetchedPage | None = None
    title: str = ""
    outlet: str = ""


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """An address that could not be fetched, with the reason in words."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The listing of a source: entries inside the date range, the number outside it, and failures."""

    entries: tuple[ListedPage, ...]
    outside: int = 0
    failures: tuple[FetchFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What to fetch (`kremlin`, an address, or a file of addresses), for which dates, into which folder.

    `allow_hosts` are further hosts (`host` or `host:port`) that may be contacted, even at private addresses.
    `contact` is an address or email for the operators of the hosts.
    """

    source: str
    into: Path
    date_from: str = ""
    date_to: str = ""
    allow_hosts: tuple[str, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """The result of a fetch: the number of pages by `PageChange`, and every failure."""

    into: Path
    listed: int = 0
    outside: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[FetchFailure, ...] = ()
    seconds: float = 0.0

    @property
    def archived(self) -> int:
        """The number of listed pages that are now in the archive, from this run or an earlier one."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class DateRange:
    """First and last day, both inclusive; None if that side is open."""

    first: date | None = None
    last: date | None = None

    @classmethod
    def parse(cls, date_from: str, date_to: str) -> DateRange:
        """Parse two partial dates (`2016`, `2016-11`, `2016-11-10`, empty for open); raises UsageError."""
        first = _parse_days(date_from)[0] if date_from else None
        last = _parse_days(date_to)[1] if date_to else None
        if first and last and first > last:
            raise UsageError("--from before --to", f"{date_from} to {date_to}", "Swap them.")
        return cls(first, last)

    @property
    def is_open(self) -> bool:
        """Whether both sides are open."""
        return self.first is None and self.last is None

    def contains(self, day: date) -> bool:
        """Return whether a day is inside."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def excludes(self, entry: ListedPage) -> bool:
        """Return whether an entry is certainly outside; an entry without a date may be inside.

        An entry that was last modified before the range was also published before it. One that was modified
        later may have been published inside it.
        """
        if entry.published:
            return not self.contains(date.fromisoformat(entry.published))
        changed = date.fromisoformat(entry.modified) if entry.modified else None
        return changed is not None and self.first is not None and changed < self.first


def extract_day(text: str) -> str:
    """Return the day at the start of an ISO date or time, as `2016-11-10`, or ""."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""


def _parse_days(text: str) -> tuple[date, date]:
    try:
        return parse_partial_date(text)
    except ValueError as error:
        raise UsageError("2016, 2016-11 or 2016-11-10", repr(text), "Correct --from or --to.") from error
