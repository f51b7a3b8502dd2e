"""A SOURCE as it was typed to the entries that it lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from narratives.model import Progress, ReadError, UsageError
from narratives.read.encoding import decode
from narratives.read.formats import unreadable
from narratives.read.web import kremlin
from narratives.read.web.body import unpack
from narratives.read.web.guard import Guard, normal
from narratives.read.web.listings import kind_of, read_addresses, read_feed, read_sitemap
from narratives.read.web.records import Clock, Entry, Failure, FetchError, Listing, Manners, Page
from narratives.read.web.window import Window

KREMLIN = "kremlin"
# An index of indexes is against the protocol, but exists.
MAX_DEPTH = 3
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Look = Callable[[str], Page]


def is_remote(source: str) -> bool:
    """Whether a source lies in the web, rather than in a file."""
    return source == KREMLIN or _ADDRESS.match(source) is not None


def name_host(source: str, guard: Guard) -> None:
    """Let the host of a source that lies in the web be asked; raises UsageError where it is no source."""
    if is_remote(source):
        try:
            guard.name(kremlin.SITE if source == KREMLIN else normal(source))
        except FetchError as error:
            raise UsageError(error.expected, error.got, error.todo) from error


class Sources:
    """Lists what a source has; `look` fetches a listing, `guard` learns the hosts of a file of addresses."""

    def __init__(
        self, look: Look, guard: Guard, window: Window, manners: Manners, clock: Clock, progress: Progress
    ) -> None:
        self._look, self._guard, self._window = look, guard, window
        self._manners, self._clock, self._progress = manners, clock, progress
        self._looked = 0

    def list(self, source: str) -> Listing:
        """The entries of a source, each address once, without those outside the window.

        A local file is a list of addresses, whose hosts are thereby named. An address is looked at: it is a
        sitemap, a feed, a list, or else a page itself. Raises UsageError where the source is none of these or
        cannot be limited to dates, FetchError or ReadError where it cannot be had.
        """
        if source == KREMLIN:
            today = datetime.fromtimestamp(self._clock.now(), kremlin.TIME_ZONE).date()
            return kremlin.list_events(self._window, today, self._counted)
        if not is_remote(source):
            return self._from_file(Path(source))
        url = normal(source)
        page = self._counted(url)
        body = unpack(page.body, self._manners.listing_bytes)
        kind = kind_of(body, page.header("Content-Type").lower())
        if kind == "sitemap":
            return self._from_sitemap(page.final_url, body)
        if kind == "feed":
            return self._chosen(read_feed(body), page.final_url)
        self._refuse_dates(source)
        if kind == "addresses":
            return self._chosen(map(Entry, read_addresses(decode(body))), page.final_url)
        return Listing((Entry(url, page=page),))

    def _from_file(self, path: Path) -> Listing:
        if not path.is_file():
            todo = f"Name {KREMLIN}, an address that begins with http, or such a file."
            raise UsageError("a source or a file of addresses", repr(str(path)), todo)
        self._refuse_dates(str(path))
        try:
            text = decode(path.read_bytes())
        except OSError as error:
            raise unreadable(error) from error
        listing = self._chosen(map(Entry, read_addresses(text)), "")
        for entry in listing.entries:
            self._guard.name(entry.url)
        return listing

    def _from_sitemap(self, url: str, body: bytes) -> Listing:
        pages, sitemaps = read_sitemap(body)
        found = self._chosen(pages, url)
        seen = {url}
        waiting = [(child, 1) for child in self._chosen(sitemaps, url).entries]
        while waiting:
            child, depth = waiting.pop(0)
            if child.url in seen:
                continue
            seen.add(child.url)
            try:
                body = unpack(self._counted(child.url).body, self._manners.listing_bytes)
                pages, sitemaps = read_sitemap(body)
                if sitemaps and depth == MAX_DEPTH:
                    raise FetchError("pages", f"an index {MAX_DEPTH} levels deep", "Name it as the source.")
            except ReadError as error:
                more = Listing((), 0, (Failure(child.url, str(error)),))
            else:
                more = self._chosen(pages, child.url)
                waiting += [(entry, depth + 1) for entry in self._chosen(sitemaps, child.url).entries]
            found = _joined(found, more)
        return found

    def _chosen(self, entries: Iterable[Entry], base: str) -> Listing:
        """Entries with their address in one spelling, each once; what is no address becomes a failure."""
        chosen: dict[str, Entry] = {}
        failures = []
        outside = 0
        for entry in entries:
            try:
                url = normal(entry.url, base)
            except FetchError as error:
                failures.append(Failure(entry.url, str(error)))
                continue
            if self._window.excludes(entry):
                outside += 1
            else:
                chosen.setdefault(url, replace(entry, url=url))
        return Listing(tuple(chosen.values()), outside, tuple(failures))

    def _counted(self, url: str) -> Page:
        page = self._look(url)
        self._looked += 1
        self._progress("listing", self._looked, None)
        return page

    def _refuse_dates(self, source: str) -> None:
        if not self._window.is_open:
            todo = "Leave out --from and --to: a page's date is found when it is read."
            raise UsageError("a sitemap, a feed or kremlin with --from or --to", repr(source), todo)


def _joined(one: Listing, other: Listing) -> Listing:
    entries = {entry.url: entry for entry in (*other.entries, *one.entries)}
    return Listing(tuple(entries.values()), one.outside + other.outside, one.failures + other.failures)
