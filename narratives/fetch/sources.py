"""Sitemaps, feeds and lists of addresses: bytes in, entries out."""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from time import struct_time
from typing import Literal

import feedparser
from lxml import etree, html

from narratives.fetch.client import decompress
from narratives.fetch.host_policy import HostPolicy, normalise_url
from narratives.fetch.records import (
    Clock,
    CrawlPolicy,
    DateRange,
    FetchedPage,
    FetchError,
    FetchFailure,
    ListedPage,
    Listing,
    extract_day,
)
from narratives.model import Progress, ReadError, UsageError

SourceKind = Literal["sitemap", "feed", "addresses", "page"]

ROOT_SEARCH_BYTES = 4096
# What may stand before the first element of an XML document.
_PROLOGUE = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ROOT_ELEMENT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")
_ROOT_KINDS: dict[bytes, SourceKind] = {
    b"urlset": "sitemap",
    b"sitemapindex": "sitemap",
    b"rss": "feed",
    b"feed": "feed",
    b"RDF": "feed",
}
_BOM = b"\xef\xbb\xbf"


def detect_source_kind(body: bytes, content_type: str) -> SourceKind:
    """What a fetched body is by its root element; plain text in which each line is an address is a list."""
    head = body[:ROOT_SEARCH_BYTES].removeprefix(_BOM)
    if content_type.startswith("text/plain"):
        lines = [line for line in body.removeprefix(_BOM).split(b"\n") if line.strip()]
        is_list = lines and all(line.startswith((b"http://", b"https://", b"#")) for line in lines)
        return "addresses" if is_list else "page"
    position = 0
    while skipped := _PROLOGUE.match(head, position):
        position = skipped.end()
    root = _ROOT_ELEMENT.match(head, position)
    return _ROOT_KINDS.get(root[1], "page") if root else "page"


def read_sitemap(body: bytes) -> tuple[list[ListedPage], list[ListedPage]]:
    """The pages and the further sitemaps that a sitemap or sitemap index names (sitemaps.org 0.9).

    `published` comes from the news extension, `modified` from lastmod. Entities are not expanded and nothing
    is loaded. Raises FetchError where it is no XML.
    """
    pages: list[ListedPage] = []
    sitemaps: list[ListedPage] = []
    try:
        elements = etree.iterparse(
            io.BytesIO(body), events=("end",), resolve_entities=False, no_network=True, load_dtd=False
        )
        for _, element in elements:
            name = _get_local_name(element)
            if name in ("url", "sitemap"):
                # Extensions nest: an image has a `loc` of its own.
                said = {_get_local_name(child): (child.text or "").strip() for child in element}
                dates = [child.text or "" for child in element.iter() if _get_local_name(child) == "publication_date"]
                published, modified = extract_day("".join(dates[:1])), extract_day(said.get("lastmod", ""))
                (pages if name == "url" else sitemaps).append(ListedPage(said.get("loc", ""), published, modified))
                element.clear()
    except etree.XMLSyntaxError as error:
        raise FetchError("a sitemap", f"broken XML ({error})", "Tell the owner of the site.") from error
    return pages, sitemaps


def read_feed(body: bytes) -> list[ListedPage]:
    """The entries of an RSS or Atom feed; those without a link are left out."""
    # A stream, because feedparser takes a bare string for an address or the name of a file.
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    # Asked for a date that is not there, feedparser would put the other in its place.
    return [
        ListedPage(
            item["link"],
            published=_format_day(item["published_parsed"]) if "published_parsed" in item else "",
            modified=_format_day(item["updated_parsed"]) if "updated_parsed" in item else "",
        )
        for item in feed.entries
        if item.get("link")
    ]


def read_addresses(text: str) -> Iterator[str]:
    """The addresses of a list, one a line; blank lines and those that begin with # are left out."""
    for line in text.removeprefix("\ufeff").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _get_local_name(element: etree._Element) -> str:
    # A comment or processing instruction has a function in place of a name.
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _format_day(moment: struct_time | None) -> str:
    if moment is None:
        return ""
    return datetime.fromtimestamp(calendar.timegm(moment), UTC).date().isoformat()


KREMLIN_SITE = "http://en.kremlin.ru"
# Moscow has kept UTC+3 since 2014.
KREMLIN_TIME_ZONE = timezone(timedelta(hours=3))
_EVENT_URL = re.compile(r"https?://en\.kremlin\.ru/events/president/(?:news|transcripts)/(\d+)/?")
# So many events does a listing show, as far as is known; one with as many of a single day may hide more.
EVENTS_PER_LISTING = 20


def list_events(window: DateRange, today: date, look: Callable[[str], FetchedPage]) -> Listing:
    """Every event that the listings by date show inside the window, newest first.

    A listing shows the latest events up to its day, each with its date. The walk goes back in time: to the
    oldest day that a listing shows, which may be cut off there, or else to the day before. An event without
    a date counts as inside. Raises UsageError without a first day, since the archive goes back to 1999.
    """
    if window.first is None:
        raise UsageError("--from D for kremlin", "none", "Say from when, as in --from 2016-01.")
    dates: dict[str, str] = {}
    failures: list[FetchFailure] = []
    day = min(window.last or today, today)
    while day >= window.first:
        url = f"{KREMLIN_SITE}/events/president/news/by-date/{day:%d.%m.%Y}"
        oldest = day.isoformat()
        try:
            shown = read_event_listing(look(url).body, url)
            dates |= {key: published for key, published in shown.items() if not dates.get(key)}
            oldest = min(filter(None, shown.values()), default=oldest)
            if len(shown) >= EVENTS_PER_LISTING and set(shown.values()) == {day.isoformat()}:
                hint = "Look at the day on the site."
                raise FetchError("fewer events than a listing shows", f"{len(shown)} of one day", hint)
        except FetchError as error:
            failures.append(FetchFailure(url, str(error)))
            if error.blames_host:
                break
        day = date.fromisoformat(oldest) if oldest < day.isoformat() else day - timedelta(days=1)
    entries = [ListedPage(f"{KREMLIN_SITE}/events/president/news/{key}", published) for key, published in dates.items()]
    inside = tuple(entry for entry in entries if not window.excludes(entry))
    return Listing(inside, failures=tuple(failures))


def read_event_listing(body: bytes, base: str) -> dict[str, str]:
    """The events of a listing by their number, each with the day that stands in the same block, or "".

    Raises FetchError where there is no HTML.
    """
    try:
        page = html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8"))
    except (ValueError, etree.ParserError) as error:
        raise FetchError("a listing of events", f"no HTML ({error})", "Try again later.") from error
    dates: dict[str, str] = {}
    for link in page.iter("a"):
        key = _get_event_number(link.get("href", ""), base)
        if key and not dates.get(key):
            dates[key] = _find_adjacent_date(link)
    return dates


def _get_event_number(href: str, base: str) -> str:
    try:
        match = _EVENT_URL.fullmatch(normalise_url(href, base))
    except FetchError:
        return ""
    return match[1] if match else ""


def _find_adjacent_date(link: html.HtmlElement) -> str:
    """The date of the smallest block around a link that has one; several in it belong to several events."""
    for block in (link, *link.iterancestors()):
        days = {day for time in block.iter("time") if (day := extract_day(time.get("datetime", "")))}
        if days:
            return days.pop() if len(days) == 1 else ""
    return ""


KREMLIN_SOURCE = "kremlin"
# An index of indexes is against the protocol, but exists.
MAX_SITEMAP_DEPTH = 3
_URL_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Decode = Callable[[bytes], str]
FetchPage = Callable[[str], FetchedPage]


def is_remote(source: str) -> bool:
    """Whether a source lies in the web, rather than in a file."""
    return source == KREMLIN_SOURCE or _URL_SCHEME.match(source) is not None


def allow_source_host(source: str, guard: HostPolicy) -> None:
    """Let the host of a source that lies in the web be asked; raises UsageError where it is no source."""
    if is_remote(source):
        try:
            guard.name(KREMLIN_SITE if source == KREMLIN_SOURCE else normalise_url(source))
        except FetchError as error:
            raise UsageError(error.expected, error.got, error.hint) from error


class SourceLister:
    """Lists what a source has; `look` fetches a listing, `guard` learns the hosts of a file of addresses.

    `decode` turns the bytes of a list into text.
    """

    def __init__(
        self,
        look: FetchPage,
        guard: HostPolicy,
        window: DateRange,
        manners: CrawlPolicy,
        clock: Clock,
        progress: Progress,
        decode: Decode,
    ) -> None:
        self._look, self._guard, self._window = look, guard, window
        self._manners, self._clock, self._progress = manners, clock, progress
        self._decode = decode
        self._looked = 0

    def list(self, source: str) -> Listing:
        """The entries of a source, each address once, without those outside the window.

        A local file is a list of addresses, whose hosts are thereby named. An address is looked at: it is a
        sitemap, a feed, a list, or else a page itself. Raises UsageError where the source is none of these or
        cannot be limited to dates, FetchError or ReadError where it cannot be had.
        """
        if source == KREMLIN_SOURCE:
            today = datetime.fromtimestamp(self._clock.now(), KREMLIN_TIME_ZONE).date()
            return list_events(self._window, today, self._counted)
        if not is_remote(source):
            return self._from_file(Path(source))
        url = normalise_url(source)
        page = self._counted(url)
        body = decompress(page.body, self._manners.listing_bytes)
        kind = detect_source_kind(body, page.header("Content-Type").lower())
        if kind == "sitemap":
            return self._from_sitemap(page.final_url, body)
        if kind == "feed":
            return self._chosen(read_feed(body), page.final_url)
        self._refuse_dates(source)
        if kind == "addresses":
            return self._chosen(map(ListedPage, read_addresses(self._decode(body))), page.final_url)
        return Listing((ListedPage(url, page=page),))

    def _from_file(self, path: Path) -> Listing:
        if not path.is_file():
            hint = f"Name {KREMLIN_SOURCE}, an address that begins with http, or such a file."
            raise UsageError("a source or a file of addresses", repr(str(path)), hint)
        self._refuse_dates(str(path))
        try:
            text = self._decode(path.read_bytes())
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "Check its name and your right to read it."
            raise FetchError(f"a readable file at {path}", reason, hint) from error
        listing = self._chosen(map(ListedPage, read_addresses(text)), "")
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
                body = decompress(self._counted(child.url).body, self._manners.listing_bytes)
                pages, sitemaps = read_sitemap(body)
                if sitemaps and depth == MAX_SITEMAP_DEPTH:
                    raise FetchError("pages", f"an index {MAX_SITEMAP_DEPTH} levels deep", "Name it as the source.")
            except ReadError as error:
                more = Listing((), 0, (FetchFailure(child.url, str(error)),))
            else:
                more = self._chosen(pages, child.url)
                waiting += [(entry, depth + 1) for entry in self._chosen(sitemaps, child.url).entries]
            found = _merge_listings(found, more)
        return found

    def _chosen(self, entries: Iterable[ListedPage], base: str) -> Listing:
        """Entries with their address in one spelling, each once; what is no address becomes a failure."""
        chosen: dict[str, ListedPage] = {}
        failures = []
        outside = 0
        for entry in entries:
            try:
                url = normalise_url(entry.url, base)
            except FetchError as error:
                failures.append(FetchFailure(entry.url, str(error)))
                continue
            if self._window.excludes(entry):
                outside += 1
            else:
                chosen.setdefault(url, replace(entry, url=url))
        return Listing(tuple(chosen.values()), outside, tuple(failures))

    def _counted(self, url: str) -> FetchedPage:
        page = self._look(url)
        self._looked += 1
        self._progress("listing", self._looked, None)
        return page

    def _refuse_dates(self, source: str) -> None:
        if not self._window.is_open:
            hint = "Leave out --from and --to: a page's date is found when it is read."
            raise UsageError("a sitemap, a feed or kremlin with --from or --to", repr(source), hint)


def _merge_listings(one: Listing, other: Listing) -> Listing:
    entries = {entry.url: entry for entry in (*other.entries, *one.entries)}
    return Listing(tuple(entries.values()), one.outside + other.outside, one.failures + other.failures)
