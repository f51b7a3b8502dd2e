"""Sitemaps, feeds and lists of addresses: bytes in, entries out."""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from time import struct_time
from typing import Literal

import feedparser
from lxml import etree

from narratives.read.web.records import Entry, FetchError
from narratives.read.web.window import day_of

Kind = Literal["sitemap", "feed", "addresses", "page"]

HEAD_BYTES = 4096
# What may stand before the first element of an XML document.
_PROLOGUE = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")
_KINDS: dict[bytes, Kind] = {
    b"urlset": "sitemap",
    b"sitemapindex": "sitemap",
    b"rss": "feed",
    b"feed": "feed",
    b"RDF": "feed",
}
_BOM = b"\xef\xbb\xbf"


def kind_of(body: bytes, content_type: str) -> Kind:
    """What a fetched body is by its root element; plain text in which each line is an address is a list."""
    head = body[:HEAD_BYTES].removeprefix(_BOM)
    if content_type.startswith("text/plain"):
        lines = [line for line in body.removeprefix(_BOM).split(b"\n") if line.strip()]
        is_list = lines and all(line.startswith((b"http://", b"https://", b"#")) for line in lines)
        return "addresses" if is_list else "page"
    position = 0
    while skipped := _PROLOGUE.match(head, position):
        position = skipped.end()
    root = _ROOT.match(head, position)
    return _KINDS.get(root[1], "page") if root else "page"


def read_sitemap(body: bytes) -> tuple[list[Entry], list[Entry]]:
    """The pages and the further sitemaps that a sitemap or sitemap index names (sitemaps.org 0.9).

    `published` comes from the news extension, `modified` from lastmod. Entities are not expanded and nothing
    is loaded. Raises FetchError where it is no XML.
    """
    pages: list[Entry] = []
    sitemaps: list[Entry] = []
    try:
        elements = etree.iterparse(
            io.BytesIO(body), events=("end",), resolve_entities=False, no_network=True, load_dtd=False
        )
        for _, element in elements:
            name = _name(element)
            if name in ("url", "sitemap"):
                # Extensions nest: an image has a `loc` of its own.
                said = {_name(child): (child.text or "").strip() for child in element}
                dates = [child.text or "" for child in element.iter() if _name(child) == "publication_date"]
                published, modified = day_of("".join(dates[:1])), day_of(said.get("lastmod", ""))
                (pages if name == "url" else sitemaps).append(Entry(said.get("loc", ""), published, modified))
                element.clear()
    except etree.XMLSyntaxError as error:
        raise FetchError("a sitemap", f"broken XML ({error})", "Tell the owner of the site.") from error
    return pages, sitemaps


def read_feed(body: bytes) -> list[Entry]:
    """The entries of an RSS or Atom feed; those without a link are left out."""
    # A stream, because feedparser takes a bare string for an address or the name of a file.
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    # Asked for a date that is not there, feedparser would put the other in its place.
    return [
        Entry(
            item["link"],
            published=_day(item["published_parsed"]) if "published_parsed" in item else "",
            modified=_day(item["updated_parsed"]) if "updated_parsed" in item else "",
        )
        for item in feed.entries
        if item.get("link")
    ]


def read_addresses(text: str) -> Iterator[str]:
    """The addresses of a list, one a line; blank lines and those that begin with # are left out."""
    for line in text.removeprefix("\ufeff").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _name(element: etree._Element) -> str:
    # A comment or processing instruction has a function in place of a name.
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _day(moment: struct_time | None) -> str:
    if moment is None:
        return ""
    return datetime.fromtimestamp(calendar.timegm(moment), UTC).date().isoformat()
