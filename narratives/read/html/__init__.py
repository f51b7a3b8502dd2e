"""Read HTML pages into raw documents, with an adapter for some sites and a generic reader for all others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from lxml.html import HtmlElement

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import open_bytes
from narratives.read.exports import EXPORT_MARK, read_export
from narratives.read.html import digest, generic, kremlin
from narratives.read.html.page import MAX_PAGE_BYTES, HtmlPage, SiteAdapter, iterate_blocks, join_runs, parse_page
from narratives.read.rows import apply_manifest, make_document, replace_unstorable

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
    """Read a page as one document with `row` 0, or as the articles of a digest or of an export."""
    with open_bytes(file.path) as raw:
        data = raw.read(MAX_PAGE_BYTES + 1)
    tree = parse_page(data)
    adapter = _find_adapter(tree)
    if adapter is None:
        blocks = iterate_blocks(tree) if EXPORT_MARK.search(data) else ()
        if articles := read_export("\n\n".join(join_runs(block.runs) for block in blocks), file, columns):
            yield from articles
            return
        if found := digest.find_articles(tree):
            site = generic.find_site_name(tree, [])
            for number, article in enumerate(found, 1):
                url = canonicalise_url(article.url)
                values = {"title": article.title, "date": article.date, "url": url, "outlet": site}
                yield make_document(values, file, number, columns, article.paragraphs)
            return
    document = apply_manifest(_make_document(_read_tree(tree, adapter), file.source_path), file)
    yield replace(document, url=canonicalise_url(document.url))


def read_page(data: bytes) -> HtmlPage:
    """Read a page with the first adapter that recognises it, or else with the generic reader.

    Raises ReadError if the page has no text.
    """
    tree = parse_page(data)
    return _read_tree(tree, _find_adapter(tree))


def _find_adapter(tree: HtmlElement) -> SiteAdapter | None:
    return next((adapter for adapter in ADAPTERS if adapter.can_read(tree)), None)


def _read_tree(tree: HtmlElement, adapter: SiteAdapter | None) -> HtmlPage:
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
