"""The web: a source in, an archive of raw pages out that `build` reads."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from narratives.fetch.archive import Archive, check_type, get_media_type, write_atomically
from narratives.fetch.client import (
    RETRY_HINT,
    HttpClient,
    RateLimiter,
    RobotsRules,
    build_user_agent,
    describe_status,
)
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
    """A file in the archive that is there while a fetch is unfinished.

    A page that was checked after `started` needs no second look; once all are done the file goes, and the
    same command then asks each host what has changed.
    """

    def __init__(self, request: FetchRequest, now: str) -> None:
        terms = [request.source, request.date_from, request.date_to]
        key = hashlib.sha256(json.dumps(terms).encode()).hexdigest()[:16]
        self._path = request.into / ".unfinished" / f"{key}.json"
        self._now = now
        self._said: dict[str, Any] = {
            "source": request.source,
            "started": now,
            "listed": now,
            "listing": None,
        }
        try:
            self._said |= json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            self._save()

    @property
    def started(self) -> str:
        """When the unfinished fetch began, as `Clock.stamp` writes it."""
        return str(self._said["started"])

    @property
    def listing(self) -> Listing | None:
        """What was listed, if the listing had been finished and is not a day old."""
        said = self._said["listing"]
        age = datetime.fromisoformat(self._now) - datetime.fromisoformat(self._said["listed"])
        if said is None or age > MAX_LISTING_AGE:
            return None
        entries = tuple(ListedPage(**entry) for entry in said["entries"])
        return Listing(entries, said["outside"], tuple(FetchFailure(**each) for each in said["failures"]))

    def note(self, listing: Listing) -> None:
        """Remember a finished listing."""
        bare = [ListedPage(entry.url, entry.published, entry.modified) for entry in listing.entries]
        self._said["listing"] = asdict(Listing(tuple(bare), listing.outside, listing.failures))
        self._said["listed"] = self._now
        self._save()

    def finish(self) -> None:
        """Forget the fetch: it is done."""
        self._path.unlink(missing_ok=True)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self._said, ensure_ascii=False).encode())


DEFAULT_POLICY, DEFAULT_CLOCK = CrawlPolicy(), Clock()
_GZIP_TYPES = ("application/gzip", "application/x-gzip")


def fetch_source(
    request: FetchRequest,
    progress: Progress = no_progress,
    *,
    manners: CrawlPolicy = DEFAULT_POLICY,
    clock: Clock = DEFAULT_CLOCK,
    resolve: ResolveHost = resolve_host,
    decode: Decode = bytes.decode,
) -> FetchReport:
    """List what a source has, fetch each page that is new or has changed, and say what failed and why.

    May be stopped at any moment: the same request goes on where it was. Raises UsageError for a request that
    cannot be meant, ReadError (FetchError) where the source itself or the folder cannot be had.
    """
    began = clock.elapsed()
    window = DateRange.of(request.date_from, request.date_to)
    guard = HostPolicy(request.allow_hosts, resolve)
    allow_source_host(request.source, guard)
    pace = RateLimiter(manners, clock)
    client = HttpClient(guard, pace, manners, clock, build_user_agent(request.contact))
    robots = RobotsRules(client, pace, manners)
    with _lock_archive(request.into):
        journal = FetchState(request, clock.stamp())
        archive = Archive(request.into)
        run = _FetchRun(client, robots, archive, manners, clock, journal.started)
        sources = SourceLister(run.look, guard, window, manners, clock, progress, decode)
        try:
            listing = journal.listing or _list_source(sources, request.source, journal)
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
        journal.finish()
    return FetchReport(
        into=request.into,
        listed=len(listing.entries),
        outside=listing.outside,
        counts=dict(counts),
        failures=tuple(failures),
        seconds=clock.elapsed() - began,
    )


def _list_source(sources: SourceLister, source: str, journal: FetchState) -> Listing:
    try:
        listing = sources.list(source)
    except NarrativesError:
        # Nothing was begun, so there is nothing to go on with.
        journal.finish()
        raise
    if is_remote(source):
        # A file of addresses is read anew each time, for it may have been edited.
        journal.note(listing)
    return listing


class _FetchRun:
    """One run over the pages, with the hosts that have failed too often in it."""

    def __init__(
        self,
        client: HttpClient,
        robots: RobotsRules,
        archive: Archive,
        manners: CrawlPolicy,
        clock: Clock,
        started: str,
    ) -> None:
        self._client, self._robots, self._archive = client, robots, archive
        self._manners, self._clock, self._started = manners, clock, started
        self._failed: Counter[str] = Counter()

    def look(self, url: str) -> FetchedPage:
        """A listing, or a page that may be one, as it is now."""
        is_listing = url.lower().endswith((".xml", ".gz", ".txt", ".rss", ".atom"))
        limit = self._manners.listing_bytes if is_listing else self._manners.page_bytes
        page = self._client.get(url, limit=limit, permit=self._robots.permit, accept=_check_source_type)
        return _check_page(page)

    def visit(self, entry: ListedPage) -> PageChange:
        """Fetch one page into the archive, if still to do; raises FetchError where it cannot be had."""
        known = self._archive.find(entry.url)
        if known and known.checked_at >= self._started:
            return "already"
        host = get_host(entry.url)
        if self._failed[host] >= self._manners.failures:
            got = f"{self._failed[host]} failures in a row at {host}, which is left alone now"
            raise FetchError("a host that answers", got, RETRY_HINT, passing=True)
        try:
            page = entry.page or self._client.get(
                entry.url,
                limit=self._manners.page_bytes,
                permit=self._robots.permit,
                accept=check_type,
                extra=known.validators if known else {},
            )
            if known and page.status == HTTPStatus.NOT_MODIFIED:
                self._archive.touch(known, self._clock.stamp())
                change: PageChange = "unchanged"
            else:
                change = self._archive.keep(_check_page(page), known, self._clock.stamp())
        except FetchError as error:
            self._failed[host] = self._failed[host] + 1 if error.blames_host else 0
            raise
        self._failed[host] = 0
        return change


def _check_page(page: FetchedPage) -> FetchedPage:
    """The page itself; raises FetchError where the answer is something else or empty."""
    if page.status != HTTPStatus.OK:
        hint = "Check the address, or leave it out."
        raise FetchError("a page", describe_status(page.status), hint, status=page.status)
    if not page.body.strip():
        raise FetchError("a page with content", "an empty one", "Leave it out.")
    return page


def _check_source_type(page: FetchedPage) -> None:
    if get_media_type(page) not in _GZIP_TYPES:
        check_type(page)


@contextmanager
def _lock_archive(folder: Path) -> Iterator[None]:
    """Hold the archive; raises ReadError where it cannot be made or another fetch holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        hint = "Wait for it, or fetch into another folder."
        raise ReadError("a folder that no other fetch writes to", str(folder), hint) from error
    except OSError as error:
        got = f"{folder} ({error.strerror or error})"
        raise ReadError("a folder to write to", got, "Name another with --into.") from error
