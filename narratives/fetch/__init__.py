"""Fetch the pages of a source into an archive that `build` can read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from narratives.fetch.archive import Archive, check_type, get_media_type, write_atomically
from narratives.fetch.client import RETRY_HINT, HttpClient, RateLimiter, RobotsRules, build_user_agent, describe_status
from narratives.fetch.host_policy import HostPolicy, ResolveHost, get_host, resolve_host
from narratives.fetch.records import (
    Clock,
    CrawlPolicy,
    DateRange,
    FetchedPage,
    FetchError,
    FetchFailure,
    FetchReport,
    FetchRequest,
    ListedPage,
    Listing,
    PageChange,
)
from narratives.fetch.sources import Decode, SourceLister, allow_source_host, is_remote
from narratives.model import NarrativesError, Progress, ReadError, no_progress

__all__ = ["FetchError", "FetchFailure", "FetchReport", "FetchRequest", "fetch_source"]


MAX_LISTING_AGE = timedelta(days=1)


class FetchState:
    """The state of an unfinished fetch, kept in a file of the archive.

    A page that was checked after `started` is not requested again. The file is deleted when the fetch is
    complete, so that the next fetch asks each host which pages have changed.
    """

    def __init__(self, request: FetchRequest, now: str) -> None:
        terms = [request.source, request.date_from, request.date_to]
        key = hashlib.sha256(json.dumps(terms).encode()).hexdigest()[:16]
        self._path = request.into / ".unfinished" / f"{key}.json"
        self._now = now
        self._values: dict[str, Any] = {"source": request.source, "started": now, "listed": now, "listing": None}
        try:
            self._values |= json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            self._save()

    @property
    def started(self) -> str:
        """The start of the unfinished fetch, in the form of `Clock.stamp`."""
        return str(self._values["started"])

    @property
    def listing(self) -> Listing | None:
        """The listing, if it was completed less than a day ago, else None."""
        listing = self._values["listing"]
        age = datetime.fromisoformat(self._now) - datetime.fromisoformat(self._values["listed"])
        if listing is None or age > MAX_LISTING_AGE:
            return None
        entries = tuple(ListedPage(**entry) for entry in listing["entries"])
        return Listing(entries, listing["outside"], tuple(FetchFailure(**each) for each in listing["failures"]))

    def save_listing(self, listing: Listing) -> None:
        """Save a completed listing."""
        bare = [replace(entry, page=None) for entry in listing.entries]
        self._values["listing"] = asdict(Listing(tuple(bare), listing.outside, listing.failures))
        self._values["listed"] = self._now
        self._save()

    def finish(self) -> None:
        """Delete the state, because the fetch is complete."""
        self._path.unlink(missing_ok=True)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self._values, ensure_ascii=False).encode())


DEFAULT_POLICY, DEFAULT_CLOCK = CrawlPolicy(), Clock()
_GZIP_TYPES = ("application/gzip", "application/x-gzip")


def fetch_source(
    request: FetchRequest,
    progress: Progress = no_progress,
    *,
    policy: CrawlPolicy = DEFAULT_POLICY,
    clock: Clock = DEFAULT_CLOCK,
    resolve: ResolveHost = resolve_host,
    decode: Decode = bytes.decode,
) -> FetchReport:
    """List the pages of a source, fetch those that are new or changed, and report failures with reasons.

    A fetch may be stopped at any time; the same request continues it. Raises UsageError for an invalid
    request, and ReadError (FetchError) if the source or the folder is not available.
    """
    began = clock.elapsed()
    date_range = DateRange.parse(request.date_from, request.date_to)
    hosts = HostPolicy(request.allow_hosts, resolve)
    allow_source_host(request.source, hosts)
    limiter = RateLimiter(policy, clock)
    client = HttpClient(hosts, limiter, policy, clock, build_user_agent(request.contact))
    robots = RobotsRules(client, limiter, policy)
    with _lock_archive(request.into):
        state = FetchState(request, clock.stamp())
        archive = Archive(request.into)
        run = _FetchRun(client, robots, archive, policy, clock, state.started)
        sources = SourceLister(run.fetch_page, hosts, date_range, policy, clock, progress, decode)
        try:
            listing = state.listing or _list_source(sources, request.source, state)
            failures = list(listing.failures)
            counts: Counter[str] = Counter()
            for number, entry in enumerate(listing.entries):
                progress("fetching", number, len(listing.entries))
                try:
                    counts[run.visit(entry)] += 1
                except FetchError as error:
                    failures.append(FetchFailure(entry.url, str(error)))
            progress("fetching", len(listing.entries), len(listing.entries))
        finally:
            client.close()
            archive.close()
        state.finish()
    return FetchReport(
        into=request.into,
        listed=len(listing.entries),
        outside=listing.outside,
        counts=dict(counts),
        failures=tuple(failures),
        seconds=clock.elapsed() - began,
    )


def _list_source(sources: SourceLister, source: str, state: FetchState) -> Listing:
    try:
        listing = sources.list(source)
    except NarrativesError:
        # No page was fetched, so there is nothing to continue.
        state.finish()
        raise
    if is_remote(source):
        # A file of addresses is read each time, because it may have been edited.
        state.save_listing(listing)
    return listing


@dataclass(frozen=True, slots=True)
class _FetchRun:
    """One run over the pages. `failures` counts the failures in a row of each host."""

    client: HttpClient
    robots: RobotsRules
    archive: Archive
    policy: CrawlPolicy
    clock: Clock
    started: str
    failures: Counter[str] = field(default_factory=Counter)

    def fetch_page(self, url: str) -> FetchedPage:
        """Fetch the current version of a listing, or of a page that may be one."""
        is_listing = url.lower().endswith((".xml", ".gz", ".txt", ".rss", ".atom"))
        limit = self.policy.listing_bytes if is_listing else self.policy.page_bytes
        return _check_page(self.client.get(url, limit, self.robots.check_permission, _check_source_type))

    def visit(self, entry: ListedPage) -> PageChange:
        """Fetch one page into the archive, unless this run has already done so; raises FetchError on failure."""
        known = self.archive.find(entry.url)
        if known and known.checked_at >= self.started:
            self.archive.list_page(known, entry)
            return "already"
        host = get_host(entry.url)
        if self.failures[host] >= self.policy.failures:
            got = f"{self.failures[host]} failures in a row at {host}, which is not contacted again in this run"
            raise FetchError("a host that responds", got, RETRY_HINT, passing=True)
        validators = known.validators if known else {}
        try:
            page = entry.page or self.client.get(
                entry.url, self.policy.page_bytes, self.robots.check_permission, check_type, validators
            )
            if known and page.status == HTTPStatus.NOT_MODIFIED:
                self.archive.touch(known, entry, self.clock.stamp())
                change: PageChange = "unchanged"
            else:
                change = self.archive.keep(_check_page(page), entry, known, self.clock.stamp())
        except FetchError as error:
            self.failures[host] = self.failures[host] + 1 if error.blames_host else 0
            raise
        self.failures[host] = 0
        return change


def _check_page(page: FetchedPage) -> FetchedPage:
    """Return the page; raises FetchError if the answer is no page, or an empty one."""
    if page.status != HTTPStatus.OK:
        hint = "Check the address, or remove it."
        raise FetchError("a page", describe_status(page.status), hint, status=page.status)
    if not page.body.strip():
        raise FetchError("a page with content", "an empty page", "Leave it out.")
    return page


def _check_source_type(page: FetchedPage) -> None:
    if get_media_type(page) not in _GZIP_TYPES:
        check_type(page)


@contextmanager
def _lock_archive(folder: Path) -> Iterator[None]:
    """Lock the archive; raises ReadError if it cannot be created or another fetch uses it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        hint = "Wait until that fetch ends, or fetch into another folder."
        raise ReadError("a folder that no other fetch uses", str(folder), hint) from error
    except OSError as error:
        got = f"{folder} ({error.strerror or error})"
        raise ReadError("a folder to write to", got, "Name another folder with --into.") from error
