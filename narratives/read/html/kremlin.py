"""Pages of kremlin.ru and its English twin: transcripts, news, letters, trips, documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from narratives.model import RawParagraph
from narratives.read.html.page import (
    HtmlPage,
    extract_visible_text,
    get_classes,
    is_hidden,
    iterate_blocks,
    join_runs,
    make_word_set,
    split_label,
)

OUTLET = "Kremlin"
HOST = "kremlin.ru"
# Elements inside the text that are not part of it: links to other pages, galleries, tags, publication data.
ASIDE_CLASSES = make_word_set("read__cut read__bottommeta read__tooltip slider media media__container")
MIN_REPEATED_SHARE = 0.8  # share of its word trigrams found in the text, from which a block quote is a pull quote

_SECTION_BREAK = re.compile(r"\*\s*\*\s*\*")
_WORD = re.compile(r"\w+")


def can_read(tree: HtmlElement) -> bool:
    """Return whether the address of the page is at kremlin.ru and the page has one text in article layout."""
    return _is_site_url(_get_page_url(tree)) and len(_find_by_class(tree, "e-content")) == 1


def extract_page(tree: HtmlElement) -> HtmlPage:
    """Extract the text. A bold label gives the speaker until the next label or `* * *`."""
    [content] = _find_by_class(tree, "e-content")
    heading, published, lead = (
        next(iter(_find_by_class(tree, name)), None) for name in ("entry-title", "read__published", "read__lead")
    )
    return HtmlPage(
        paragraphs=tuple(_iterate_paragraphs(content)),
        title=extract_visible_text(heading) if heading is not None else _get_meta_property(tree, "og:title"),
        outlet=OUTLET,
        date=(published.get("datetime") or extract_visible_text(published)) if published is not None else "",
        lead=extract_visible_text(lead) if lead is not None else "",
        url=_get_page_url(tree),
    )


def _iterate_paragraphs(content: HtmlElement) -> Iterator[RawParagraph]:
    blocks = list(iterate_blocks(content, lambda e: is_hidden(e) or bool(get_classes(e) & ASIDE_CLASSES)))
    text_trigrams = _make_word_trigrams(" ".join(join_runs(b.runs) for b in blocks if b.kind != "quote"))
    speaker = ""
    for block in blocks:
        paragraph = split_label(block.runs)
        text = paragraph.text
        if block.kind == "quote":
            trigrams = _make_word_trigrams(text)
            if len(trigrams & text_trigrams) < MIN_REPEATED_SHARE * len(trigrams):
                yield RawParagraph(text, speaker, kind="quote")
        elif block.kind == "heading":
            yield RawParagraph(text, kind="heading")
        else:
            if _SECTION_BREAK.fullmatch(text):
                speaker = ""
            speaker = paragraph.label or speaker
            # Removing the label would lose a remark ("retranslated"). A label in several pieces may be incomplete.
            text = text if paragraph.whole and not paragraph.remark else join_runs(block.runs)
            yield RawParagraph(text, speaker, kind=block.kind, labelled=bool(paragraph.label))


def _find_by_class(tree: HtmlElement, name: str) -> list[HtmlElement]:
    return [element for element in tree.iter("*") if name in get_classes(element)]


def _get_meta_property(tree: HtmlElement, name: str) -> str:
    return next((e.get("content") or "" for e in tree.iter("meta") if e.get("property") == name), "")


def _get_page_url(tree: HtmlElement) -> str:
    shown = (e.get("data-href") or "" for e in _find_by_class(tree, "read"))
    return _get_meta_property(tree, "og:url") or next(shown, "")


def _is_site_url(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return f".{host}".endswith(f".{HOST}")


def _make_word_trigrams(text: str) -> frozenset[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return frozenset(tuple(words[i : i + 3]) for i in range(max(len(words) - 2, 1)))
