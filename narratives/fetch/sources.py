"""List the pages of a source: sitemaps, feeds, files of addresses, and the Kremlin's archive."""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path
from typing import Any, Literal

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
MAX_TITLE_CHARACTERS = 500
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
    """Detect what a body is, by its root element; plain text with an address on each line is a list."""
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
    """Return the pages and the further sitemaps that a sitemap or sitemap index lists (sitemaps.org 0.9).

    `published`, title and outlet come from the news extension, `modified` from lastmod. Raises FetchError if the
    body is no XML.
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
                # Extensions nest: an image has its own `loc`.
                fields = {_get_local_name(child): (child.text or "").strip() for child in element}
                news = _read_news_extension(element)
                published, modified = (
                    extract_day(news.get("publication_date", "")),
                    extract_day(fields.get("lastmod", "")),
                )
                page = ListedPage(
                    fields.get("loc", ""), published, modified, title=news.get("title", ""), outlet=news.get("name", "")
                )
                (pages if name == "url" else sitemaps).append(page)
                element.clear()
    except etree.XMLSyntaxError as error:
        raise FetchError("a sitemap", f"broken XML ({error})", "Report it to the owner of the site.") from error
    return pages, sitemaps


def _read_news_extension(element: etree._Element) -> dict[str, str]:
    """Return the first text of each field in the element `news` of a sitemap, by its name."""
    news = next((child for child in element if _get_local_name(child) == "news"), ())
    fields: dict[str, str] = {}
    for field in chain.from_iterable(child.iter() for child in news):
        fields.setdefault(_get_local_name(field), " ".join((field.text or "").split()))
    return fields


def read_feed(body: bytes) -> list[ListedPage]:
    """Return the entries of an RSS or Atom feed; those without a link are omitted.

    The outlet of an entry is the source that it names, or else the title of the feed.
    """
    # A stream, because feedparser reads a plain string as an address or a file name.
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    return [
        ListedPage(
            item["link"],
            _get_feed_day(item, "published"),
            _get_feed_day(item, "updated"),
            title=_get_feed_text(item),
            outlet=_get_feed_text(item.get("source", {})) or _get_feed_text(feed.feed),
        )
        for item in feed.entries
        if item.get("link")
    ]


def read_addresses(text: str) -> Iterator[str]:
    """Iterate over the addresses of a list, one on each line; blank lines and # comments are omitted."""
    for line in text.removeprefix("\ufeff").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _get_local_name(element: etree._Element) -> str:
    # A comment or processing instruction has a function in place of a name.
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _get_feed_day(item: Mapping[str, Any], name: str) -> str:
    """Return the day of a field as written, in its own time zone; of a form that is not usual, the day in UTC."""
    # Checked with `in`, because feedparser returns the other date for a missing one.
    if f"{name}_parsed" not in item or item[f"{name}_parsed"] is None:
        return ""
    written = str(item.get(name, ""))
    if day := extract_day(written):
        return day
    try:
        return parsedate_to_datetime(written).date().isoformat()
    except ValueError:
        return datetime.fromtimestamp(calendar.timegm(item[f"{name}_parsed"]), UTC).date().isoformat()


def _get_feed_text(item: Mapping[str, Any]) -> str:
    """Return the title of a feed or entry on one line, without markup."""
    text = str(item.get("title") or "")
    if "<" in text or "&" in text:
        text = html.document_fromstring(f"<p>{text}</p>").text_content()
    return " ".join(text.split())[:MAX_TITLE_CHARACTERS]


KREMLIN_SITE = "http://en.kremlin.ru"
# Moscow has kept UTC+3 since 2014.
KREMLIN_TIME_ZONE = timezone(timedelta(hours=3))
_EVENT_URL = re.compile(r"https?://en\.kremlin\.ru/events/president/(?:news|transcripts)/(\d+)/?")
# A listing shows up to this many events. If all of them are of one day, it may omit others.
EVENTS_PER_LISTING = 20


def list_events(date_range: DateRange, today: date, fetch_page: Callable[[str], FetchedPage]) -> Listing:
    """List every event inside the date range from the listings by date, newest first.

    A listing shows the latest events up to its day, each with its date. The next listing is that of the oldest
    day shown, because that day may be incomplete, or else of the day before. An event without a date counts as
    inside. Raises UsageError without a first day, because the archive starts in 1999.
    """
    if date_range.first is None:
        raise UsageError("--from D with kremlin", "none", "Add a first date, as in --from 2016-01.")
    dates: dict[str, str] = {}
    failures: list[FetchFailure] = []
    day = min(date_range.last or today, today)
    while day >= date_range.first:
        url = f"{KREMLIN_SITE}/events/president/news/by-date/{day:%d.%m.%Y}"
        oldest = day.isoformat()
        try:
            shown = read_event_listing(fetch_page(url).body, url)
            dates |= {key: published for key, published in shown.items() if not dates.get(key)}
            oldest = min(filter(None, shown.values()), default=oldest)
            if len(shown) >= EVENTS_PER_LISTING and set(shown.values()) == {day.isoformat()}:
                hint = "Some events may be missing. Check this day on the site."
                raise FetchError(f"fewer than {EVENTS_PER_LISTING} events of one day", str(len(shown)), hint)
        except FetchError as error:
            failures.append(FetchFailure(url, str(error)))
            if error.blames_host:
                break
        day = date.fromisoformat(oldest) if oldest < day.isoformat() else day - timedelta(days=1)
    entries = [ListedPage(f"{KREMLIN_SITE}/events/president/news/{key}", published) for key, published in dates.items()]
    inside = tuple(entry for entry in entries if not date_range.excludes(entry))
    return Listing(inside, failures=tuple(failures))


def read_event_listing(body: bytes, base: str) -> dict[str, str]:
    """Map the number of each event of a listing to the day in the same block, or "".

    Raises FetchError if the body is no HTML.
    """
    try:
        page = html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8"))
    except (ValueError, etree.ParserError) as error:
        raise FetchError("a list of events", f"no HTML ({error})", "Try again later.") from error
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
    """Return the date of the smallest block around a link, or "" if that block has dates of several events."""
    for block in (link, *link.iterancestors()):
        days = {day for time in block.iter("time") if (day := extract_day(time.get("datetime", "")))}
        if days:
            return days.pop() if len(days) == 1 else ""
    return ""


KREMLIN_SOURCE = "kremlin"
# The protocol forbids an index of indexes, but they exist.
MAX_SITEMAP_DEPTH = 3
_URL_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Decode = Callable[[bytes], str]
FetchPage = Callable[[str], FetchedPage]


def is_remote(source: str) -> bool:
    """Return whether a source is on the web, rather than a file."""
    return source == KREMLIN_SOURCE or _URL_SCHEME.match(source) is not None


def allow_source_host(source: str, hosts: HostPolicy) -> None:
    """Allow requests to the host of a source on the web; raises UsageError if the address is invalid."""
    if is_remote(source):
        try:
            hosts.allow(KREMLIN_SITE if source == KREMLIN_SOURCE else normalise_url(source))
        except FetchError as error:
            raise UsageError(error.expected, error.got, error.hint) from error


@dataclass(slots=True)
class SourceLister:
    """List the pages of a source.

    `fetch_page` fetches a listing, `decode` turns the bytes of a list into text, and `hosts` allows the hosts
    of a file of addresses. `fetched` counts the listings.
    """

    fetch_page: FetchPage
    hosts: HostPolicy
    date_range: DateRange
    policy: CrawlPolicy
    clock: Clock
    progress: Progress
    decode: Decode
    fetched: int = 0

    def list(self, source: str) -> Listing:
        """List the entries of a source, each address once, without those outside the date range.

        A local file is a list of addresses, whose hosts are allowed. A web address is that of a sitemap, a
        feed, a list, or else a page. Raises UsageError if the source is none of these or cannot be limited to
        dates, and FetchError or ReadError if it is not available.
        """
        if source == KREMLIN_SOURCE:
            today = datetime.fromtimestamp(self.clock.now(), KREMLIN_TIME_ZONE).date()
            return list_events(self.date_range, today, self._fetch_listing)
        if not is_remote(source):
            return self._list_file(Path(source))
        url = normalise_url(source)
        page = self._fetch_listing(url)
        body = decompress(page.body, self.policy.listing_bytes)
        kind = detect_source_kind(body, page.get_header("Content-Type").lower())
        if kind == "sitemap":
            return self._list_sitemap(page.final_url, body)
        if kind == "feed":
            return self._select(read_feed(body), page.final_url)
        self._reject_dates(source)
        if kind == "addresses":
            return self._select(map(ListedPage, read_addresses(self.decode(body))), page.final_url)
        return Listing((ListedPage(url, page=page),))

    def _list_file(self, path: Path) -> Listing:
        if not path.is_file():
            hint = f"Use {KREMLIN_SOURCE}, an address that starts with http, or a file of addresses."
            raise UsageError("a source or a file of addresses", repr(str(path)), hint)
        self._reject_dates(str(path))
        try:
            text = self.decode(path.read_bytes())
        except OSError as error:
            reason = error.strerror or str(error)
            raise FetchError(f"a readable file {path}", reason, "Check the path and the permissions.") from error
        listing = self._select(map(ListedPage, read_addresses(text)), "")
        for entry in listing.entries:
            self.hosts.allow(entry.url)
        return listing

    def _list_sitemap(self, url: str, body: bytes) -> Listing:
        pages, sitemaps = read_sitemap(body)
        listing = self._select(pages, url)
        seen = {url}
        waiting = [(child, 1) for child in self._select(sitemaps, url).entries]
        while waiting:
            child, depth = waiting.pop(0)
            if child.url in seen:
                continue
            seen.add(child.url)
            try:
                body = decompress(self._fetch_listing(child.url).body, self.policy.listing_bytes)
                pages, sitemaps = read_sitemap(body)
                if sitemaps and depth == MAX_SITEMAP_DEPTH:
                    expected = f"sitemap indexes up to {MAX_SITEMAP_DEPTH} levels deep"
                    raise FetchError(expected, "a deeper one", "Use it as the source.")
            except ReadError as error:
                more = Listing((), 0, (FetchFailure(child.url, str(error)),))
            else:
                more = self._select(pages, child.url)
                waiting += [(entry, depth + 1) for entry in self._select(sitemaps, child.url).entries]
            listing = _merge_listings(listing, more)
        return listing

    def _select(self, entries: Iterable[ListedPage], base: str) -> Listing:
        """Normalise the addresses of entries and keep each once; an invalid address becomes a failure."""
        chosen: dict[str, ListedPage] = {}
        failures = []
        outside = 0
        for entry in entries:
            try:
                url = normalise_url(entry.url, base)
            except FetchError as error:
                failures.append(FetchFailure(entry.url, str(error)))
                continue
            if self.date_range.excludes(entry):
                outside += 1
            else:
                chosen.setdefault(url, replace(entry, url=url))
        return Listing(tuple(chosen.values()), outside, tuple(failures))

    def _fetch_listing(self, url: str) -> FetchedPage:
        page = self.fetch_page(url)
        self.fetched += 1
        self.progress("listing", self.fetched, None)
        return page

    def _reject_dates(self, source: str) -> None:
        if not self.date_range.is_open:
            hint = "Remove --from and --to: a page must be read before its date is known."
            raise UsageError("a sitemap, a feed or kremlin if --from or --to is used", repr(source), hint)


def _merge_listings(one: Listing, other: Listing) -> Listing:
    entries = {entry.url: entry for entry in (*other.entries, *one.entries)}
    return Listing(tuple(entries.values()), one.outside + other.outside, one.failures + other.failures)
