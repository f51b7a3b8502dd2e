"""Read HTML pages into raw documents, with an adapter for some sites and a generic reader for all others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import open_bytes
from narratives.read.html import generic, kremlin
from narratives.read.html.page import MAX_PAGE_BYTES, HtmlPage, SiteAdapter, parse_page
from narratives.read.rows import apply_manifest, replace_unstorable

__all__ = ["ADAPTERS", "HtmlPage", "canonicalise_url", "read_html", "read_page"]

# A page is read by the first adapter that recognises it.
ADAPTERS: tuple[SiteAdapter, ...] = (kremlin,)
_NO_TEXT = "a list of links, a form, or a page filled by scripts"
_PRINT_PATH = re.compile(r"/(?:print|printable)(?:\.html?|\.php)?/?$", re.IGNORECASE)
_IGNORED_PARAMETER = re.compile(
    r"utm_\w+=.*|(?:fbclid|gclid|yclid)=.*|print(?:able)?(?:=(?:1|y|yes|true)?)?|(?:output|view|mode)=print",
    re.IGNORECASE,
)


def canonicalise_url(url: str) -> str:
    """Remove print suffix, tracking parameters and fragment from a web address; return other text unchanged."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return url.strip()
    kept = [pair for pair in parts.query.split("&") if pair and not _IGNORED_PARAMETER.fullmatch(pair)]
    path = _PRINT_PATH.sub("", parts.path)
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "&".join(kept), ""))


def read_html(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a page as one document with `row` 0; `columns` is not used."""
    with open_bytes(file.path) as raw:
        data = raw.read(MAX_PAGE_BYTES + 1)
    document = apply_manifest(_make_document(read_page(data), file.source_path), file)
    yield replace(document, url=canonicalise_url(document.url))


def read_page(data: bytes) -> HtmlPage:
    """Read a page with the first adapter that recognises it, or else with the generic reader.

    Raises ReadError if the page has no text.
    """
    tree = parse_page(data)
    adapter = next((adapter for adapter in ADAPTERS if adapter.can_read(tree)), None)
    page = adapter.extract_page(tree) if adapter else generic.extract_page(tree)
    if not page.paragraphs and not (page.title and page.lead):
        has_frames = next(tree.iter("frameset", "frame"), None) is not None
        got = "a set of frames, whose text is in other files" if has_frames else _NO_TEXT
        raise ReadError("a page with text", got, "Leave it out, or fetch the page that contains the text.")
    return page


def _make_document(page: HtmlPage, source_path: str) -> RawDocument:
    """Convert a page to a raw document, without characters that cannot be stored."""
    return RawDocument(
        source_path=source_path,
        paragraphs=tuple(
            replace(p, text=replace_unstorable(p.text), speaker=replace_unstorable(p.speaker)) for p in page.paragraphs
        ),
        url=replace_unstorable(page.url),
        outlet=replace_unstorable(page.outlet),
        title=replace_unstorable(page.title),
        date=replace_unstorable(page.date),
        date_source=page.date_source,
        lead=replace_unstorable(page.lead),
        date_lines=tuple(map(replace_unstorable, page.date_lines)),
    )
