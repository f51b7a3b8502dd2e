"""HTML pages to raw documents: one adapter a site, and a generic reader for all others."""

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
from narratives.read.html.metadata import canonical
from narratives.read.html.page import MAX_BYTES, Adapter, Page, parse_page
from narratives.read.tables.rows import clean, with_manifest

__all__ = ["Page", "read_html", "read_page"]


def read_html(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """A page is one document, `row` 0; `columns` has no bearing on it."""
    with open_bytes(file.path) as raw:
        data = raw.read(MAX_BYTES + 1)
    yield with_address(with_manifest(to_document(read_page(data), file.source_path), file))


def read_page(data: bytes) -> Page:
    """What a page holds, by the first adapter that recognises it, else by the generic reader.

    Raises ReadError where there is no text.
    """
    tree = parse_page(data)
    adapter = next((a for a in adapters() if a.recognises(tree)), None)
    page = adapter.read(tree) if adapter else generic.read(tree)
    if not page.paragraphs and not (page.title and page.lead):
        raise ReadError(
            "a page with text", _lack(tree), "Leave it out, or fetch the page that holds the text."
        )
    return page


@lru_cache(maxsize=1)
def adapters() -> tuple[Adapter, ...]:
    """The modules under `sites/`, by name: a new one is found without being entered anywhere."""
    names = sorted(module.name for module in iter_modules(sites.__path__))
    return tuple(cast(Adapter, import_module(f"{sites.__name__}.{name}")) for name in names)


def to_document(page: Page, source_path: str) -> RawDocument:
    """The raw document that a page is, every field fit to be stored."""
    return RawDocument(
        source_path=source_path,
        paragraphs=tuple(replace(p, text=clean(p.text), speaker=clean(p.speaker)) for p in page.paragraphs),
        url=clean(page.url),
        outlet=clean(page.outlet),
        title=clean(page.title),
        date=clean(page.date),
        date_source=page.date_source,
        lead=clean(page.lead),
    )


def with_address(document: RawDocument) -> RawDocument:
    """The document under one address, whichever version of the page was saved."""
    return replace(document, url=canonical(document.url))


def _lack(tree: HtmlElement) -> str:
    if next(tree.iter("frameset", "frame"), None) is not None:
        return "a set of frames, whose texts are in other files"
    return "none (a list of links, a form, or a page that scripts fill)"
