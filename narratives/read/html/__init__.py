"""Read HTML pages into raw documents, with adapters for some sites and a generic reader for all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from lxml.html import HtmlElement

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import open_bytes
from narratives.read.html import generic, sites
from narratives.read.html.metadata import canonicalise_url
from narratives.read.html.page import MAX_PAGE_BYTES, HtmlPage, SiteAdapter, parse_page
from narratives.read.rows import apply_manifest, replace_unstorable

__all__ = ["HtmlPage", "read_html", "read_page"]


def read_html(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a page as one document with `row` 0; `columns` is not used."""
    with open_bytes(file.path) as raw:
        data = raw.read(MAX_PAGE_BYTES + 1)
    yield set_canonical_url(apply_manifest(page_to_document(read_page(data), file.source_path), file))


def read_page(data: bytes) -> HtmlPage:
    """Read a page with the first adapter that recognises it, or else with the generic reader.

    Raises ReadError if the page has no text.
    """
    tree = parse_page(data)
    adapter = next((a for a in load_adapters() if a.can_read(tree)), None)
    page = adapter.extract_page(tree) if adapter else generic.extract_page(tree)
    if not page.paragraphs and not (page.title and page.lead):
        raise ReadError(
            "a page with text",
            _describe_missing_text(tree),
            "Leave it out, or fetch the page that contains the text.",
        )
    return page


@lru_cache(maxsize=1)
def load_adapters() -> tuple[SiteAdapter, ...]:
    """Load all modules under `sites/`, in order of name. New modules need no registration."""
    names = sorted(module.name for module in iter_modules(sites.__path__))
    return tuple(cast(SiteAdapter, import_module(f"{sites.__name__}.{name}")) for name in names)


def page_to_document(page: HtmlPage, source_path: str) -> RawDocument:
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
    )


def set_canonical_url(document: RawDocument) -> RawDocument:
    """Return the document with the canonical address of its page."""
    return replace(document, url=canonicalise_url(document.url))


def _describe_missing_text(tree: HtmlElement) -> str:
    if next(tree.iter("frameset", "frame"), None) is not None:
        return "a set of frames, whose texts are in other files"
    return "none (a list of links, a form, or a page that is filled by scripts)"
