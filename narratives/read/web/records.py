"""What goes in and out of fetching: how patient to be, what was asked for, what came, and what did not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from narratives.model import ReadError

Change = Literal["new", "changed", "unchanged", "already"]


class FetchError(ReadError):
    """A page cannot be had. `passing`: trying again later may help; `status`: what the server said, or 0."""

    def __init__(self, expected: str, got: str, todo: str, *, passing: bool = False, status: int = 0) -> None:
        super().__init__(expected, got, todo)
        self.passing, self.status = passing, status

    @property
    def blames_host(self) -> bool:
        """Whether the host as a whole may be in trouble, or tired of us, rather than one page missing."""
        return self.passing or self.status in (401, 403)


@dataclass(frozen=True, slots=True)
class Manners:
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
class Page:
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
class Entry:
    """An address that a source lists, with the dates it gives for it (`2016-11-10`, or empty).

    `page` is there where looking at the source fetched this very page.
    """

    url: str
    published: str = ""
    modified: str = ""
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An address that brought nothing, with the reason in words."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source lists: the entries inside the dates, how many were outside, and what failed."""

    entries: tuple[Entry, ...]
    outside: int = 0
    failures: tuple[Failure, ...] = ()


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
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0

    @property
    def had(self) -> int:
        """Pages that are in the archive now, whether they came in this run or had been there."""
        return sum(self.counts.values())
