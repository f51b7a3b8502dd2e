"""Pages of kremlin.ru and its English twin: transcripts, news, letters, trips, documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from narratives.model import RawParagraph
from narratives.read.html.page import Page
from narratives.read.html.visible_text import chunks, classes, is_unseen, part_label, plain, seen_text, words

OUTLET = "Kremlin"
HOST = "kremlin.ru"
# What stands inside the text and is none of it: boxes of other pages, galleries, tags, publication data.
ASIDES = words("read__cut read__bottommeta read__tooltip slider media media__container")
MIN_REPEATED = 0.8  # share of a block quote's word triples that the text has too: then it is a pull quote

_BREAK = re.compile(r"\*\s*\*\s*\*")
_WORD = re.compile(r"\w+")


def recognises(tree: HtmlElement) -> bool:
    """A page whose own address is at kremlin.ru and that holds one text in the site's article layout."""
    return _is_of_site(_address(tree)) and len(_all(tree, "e-content")) == 1


def read(tree: HtmlElement) -> Page:
    """The text, with speakers from the bold labels, carried on until the next label or `* * *`."""
    [content] = _all(tree, "e-content")
    heading, published, lead = (
        next(iter(_all(tree, name)), None) for name in ("entry-title", "read__published", "read__lead")
    )
    return Page(
        paragraphs=tuple(_paragraphs(content)),
        title=seen_text(heading) if heading is not None else _meta(tree, "og:title"),
        outlet=OUTLET,
        date=(published.get("datetime") or seen_text(published)) if published is not None else "",
        lead=seen_text(lead) if lead is not None else "",
        url=_address(tree),
    )


def _paragraphs(content: HtmlElement) -> Iterator[RawParagraph]:
    blocks = list(chunks(content, lambda e: is_unseen(e) or bool(classes(e) & ASIDES)))
    said = _triples(" ".join(plain(b.runs) for b in blocks if b.kind != "quote"))
    speaker = ""
    for block in blocks:
        found = part_label(block.runs)
        text = found.text
        if block.kind == "quote":
            own = _triples(text)
            if len(own & said) < MIN_REPEATED * len(own):
                yield RawParagraph(text, speaker, kind="quote")
        elif block.kind == "heading":
            yield RawParagraph(text, kind="heading")
        else:
            if _BREAK.fullmatch(text):
                speaker = ""
            speaker = found.label or speaker
            # A remark ("retranslated") is told nowhere else, and a label in pieces may have lost some: such a
            # line stays whole.
            text = text if found.whole and not found.remark else plain(block.runs)
            yield RawParagraph(text, speaker, kind=block.kind, labelled=bool(found.label))


def _all(tree: HtmlElement, name: str) -> list[HtmlElement]:
    return [element for element in tree.iter("*") if name in classes(element)]


def _meta(tree: HtmlElement, name: str) -> str:
    return next((e.get("content") or "" for e in tree.iter("meta") if e.get("property") == name), "")


def _address(tree: HtmlElement) -> str:
    shown = (e.get("data-href") or "" for e in _all(tree, "read"))
    return _meta(tree, "og:url") or next(shown, "")


def _is_of_site(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:  # an address that is none
        return False
    return host == HOST or host.endswith("." + HOST)


def _triples(text: str) -> frozenset[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return frozenset(tuple(words[i : i + 3]) for i in range(max(len(words) - 2, 1)))
