"""Find the date of posting in the metadata of a page, and the lines beside its text that may date it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from lxml.html import HtmlElement

from narratives.read.html.page import TextRun, extract_visible_text, is_hidden, iterate_blocks, join_runs, make_word_set

JsonLdNode = Mapping[str, object]

MAX_LINE_CHARACTERS = 150
MAX_LINES = 12  # blocks between heading and text that are looked at
MAX_LINES_ABOVE = 3  # blocks just above the heading
MAX_MARKED_LINES = 30  # a page with more is a list of other pages
MAX_CLASS_CHARACTERS = 500
MIN_TEXT_WORDS = 25  # of a block that belongs to the text
# Metadata fields with the date of posting, and those with that of the last change.
POSTED_DATE_FIELDS = make_word_set(
    "article:published_time og:article:published_time article:published datepublished date.issued"
    " dc.date.issued dcterms.issued dcterms.created dc.date.created publishdate publish-date"
    " publish_date pubdate publication_date published_time sailthru.date parsely-pub-date"
    " cxenseparse:recs:publishtime mediator_published_time article.published ya:ovs:upload_date"
    " citation_publication_date citation_date date dc.date dcterms.date"
)
CHANGED_DATE_FIELDS = make_word_set(
    "article:modified_time og:updated_time og:article:modified_time datemodified dc.date.modified dcterms.modified"
    " last-modified lastmod article.updated revised"
)
_TIME_TAGS = make_word_set("time abbr relative-time")
_TEXT_TAGS = make_word_set("p li blockquote")
_MACHINE_ATTRIBUTES = ("data-datetime", "data-timestamp", "data-date", "data-time", "data-utime", "data-published")
_SECONDS = re.compile(r"(\d{10})(?:\d{3})?")  # since 1970, with or without their thousandths
_ASIDE_TAGS = make_word_set("nav aside form")
# Parts of a page that date something else: calendars, lists of other pages, the clock at the top, the foot.
_ASIDE_WORDS = make_word_set(
    "related sidebar widget calendar comment comments copyright popular latest recent trending recommended"
    " recommendations teaser teasers promo archive archives event events upcoming newsletter menu navbar breadcrumb"
    " breadcrumbs share sharing cookie banner ticker masthead clock today weather footer agenda more"
)
_DATE_WORDS = make_word_set("date dateline datetime published publishdate pubdate pubtime posted timestamp time byline")
_CLASS_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WHOLE_DATE = re.compile(
    r"\b\d{1,2}\D{1,20}(?:19|20)\d{2}\b|\b(?:19|20)\d{2}\D{1,12}\d{1,2}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2}\b"
)
_YEAR = re.compile(r"\b(?:19|20)\d{2}(?!\d)|\d[./-]\d{2}\b")
_STATED_IN_SCRIPT = re.compile(r'"datePublished"\s{0,9}:\s{0,9}"([^"]{4,40})"')


def find_posted_date(tree: HtmlElement, articles: Sequence[JsonLdNode], title: str) -> str:
    """Find the date of posting in JSON-LD, metadata, or the one marked with `datePublished`; or ""."""
    if stated := _find_json_ld_date(articles, title):
        return stated
    for element in tree.iter("meta"):
        stated = " ".join((element.get("content") or "").split())
        if _get_names(element) & POSTED_DATE_FIELDS and re.search(r"\d{4}", stated):
            return stated
    marked = {
        stated
        for element in tree.iter("time", "span", "div", "p", "meta", "abbr")
        if (element.get("itemprop") or "").lower() == "datepublished" or element.get("pubdate") is not None
        if (stated := element.get("datetime") or element.get("content") or extract_visible_text(element))
    }
    if not marked:
        scripts = (s.text or "" for s in tree.iter("script") if "ld+json" in (s.get("type") or ""))
        marked = {stated for text in scripts if _is_broken(text) for stated in _STATED_IN_SCRIPT.findall(text)}
    return str(marked.pop()) if len(marked) == 1 else ""


def _is_broken(text: str) -> bool:
    """Return whether JSON-LD has an error, so that it is not among the articles."""
    try:
        json.loads(text.strip().rstrip(";"), strict=False)
    except (ValueError, RecursionError):
        return True
    return False


def _find_json_ld_date(articles: Sequence[JsonLdNode], title: str) -> str:
    """Return the date of the article that the page is about; of several, that with the page's title."""
    dated = []
    for node in articles:
        values = (node.get("datePublished"), node.get("dateCreated"))
        if stated := next((value.strip() for value in values if isinstance(value, str) and value.strip()), ""):
            dated.append((node, stated))
    named = [stated for node, stated in dated if _fold(node.get("headline") or node.get("name")) == _fold(title)]
    if named:
        return named[0]
    # `articles` come before the pages that contain them.
    pages = [stated for node, stated in dated if "WebPage" in str(node.get("@type"))]
    others = [stated for node, stated in dated if "WebPage" not in str(node.get("@type"))]
    days = {stated[:10] for stated in others or pages}
    return (others or pages)[0] if len(days) == 1 else ""


def _fold(text: object) -> list[str]:
    return re.findall(r"\w+", text.casefold()) if isinstance(text, str) else []


def _get_names(element: HtmlElement) -> set[str]:
    return {(element.get(key) or "").strip().lower() for key in ("property", "name", "itemprop", "http-equiv")}


def find_date_lines(tree: HtmlElement, title: str) -> tuple[str, ...]:
    """Find the lines of a page that may date it, without judging them.

    These are the short blocks between the heading and the text and just above the heading. If none has a date,
    they are the elements that the page marks as times or dates. Navigation, calendars, lists of other pages,
    comments and the foot of the page are left out. The date of the last change, from the metadata, is a line
    that says so.
    """
    heading = _find_heading(tree, title)
    ancestors = list(heading.iterancestors()) if heading is not None else []
    is_in_article = any(element.tag == "article" for element in ancestors)
    kept = set(ancestors)

    def skip(element: HtmlElement) -> bool:
        return is_hidden(element) or (element not in kept and _is_aside(element, is_in_article))

    lines = [] if heading is None else _list_lines_at_heading(tree, heading, skip)
    if not any(map(_WHOLE_DATE.search, lines)):
        lines += islice(_iterate_marked_lines(tree, skip), MAX_MARKED_LINES)
    lines += (
        f"Last modified: {stated}"
        for element in tree.iter("meta")
        if _get_names(element) & CHANGED_DATE_FIELDS and (stated := (element.get("content") or "").strip())
    )
    return tuple(dict.fromkeys(line for line in lines if len(line) <= MAX_LINE_CHARACTERS and _YEAR.search(line)))


def _find_heading(tree: HtmlElement, title: str) -> HtmlElement | None:
    headings = [h for h in tree.iter("h1", "h2") if not is_hidden(h)]
    same = (h for h in headings if _fold(extract_visible_text(h)) == _fold(title))
    return next(same, next((h for h in headings if h.tag == "h1"), None))


def _is_aside(element: HtmlElement, is_in_article: bool) -> bool:
    """Return whether an element does not belong to the article; `is_in_article` says that the heading is in one."""
    if element.tag in _ASIDE_TAGS or (element.tag == "article" and is_in_article):
        return True
    if element.tag == "footer":
        return all(ancestor.tag != "article" for ancestor in element.iterancestors())
    return bool(_ASIDE_WORDS & _get_class_words(element))


def _get_class_words(element: HtmlElement) -> set[str]:
    names = f"{element.get('class') or ''} {element.get('id') or ''}"[:MAX_CLASS_CHARACTERS]
    return {word.lower() for word in _CLASS_WORD.findall(names)}


def _list_lines_at_heading(tree: HtmlElement, heading: HtmlElement, skip: Callable[[HtmlElement], bool]) -> list[str]:
    """List the short lines below the heading up to the text, then those just above it in its own part of the page."""
    name = extract_visible_text(heading)
    page = list(_iterate_lines(tree, skip))
    start = next((i for i, (_, line) in enumerate(page) if line == name), len(page)) + 1
    lines: list[str] = []
    paragraphs = 0
    for kind, line in page[start : start + MAX_LINES]:
        paragraphs += len(line.split()) >= MIN_TEXT_WORDS
        if paragraphs > 1:
            break
        # A heading below the first paragraph belongs to what follows it.
        if not (paragraphs and kind == "heading"):
            lines.append(line)
    part = next((e for e in heading.iterancestors() if e.tag in ("article", "main")), heading.getparent())
    if part is not None and part.tag not in ("body", "html"):
        within = [line for _, line in _iterate_lines(part, skip)]
        position = within.index(name) if name in within else 0
        lines += within[max(position - MAX_LINES_ABOVE, 0) : position]
    return [line for line in lines if len(line) <= MAX_LINE_CHARACTERS]


def _iterate_lines(element: HtmlElement, skip: Callable[[HtmlElement], bool]) -> Iterator[tuple[str, str]]:
    """Iterate over the lines of an element with the kind of their block; a single break ends a line."""
    for block in iterate_blocks(element, skip):
        runs: list[TextRun] = []
        for run in (*block.runs, TextRun("\n")):
            if run == TextRun("\n"):
                if line := join_runs(runs):
                    yield block.kind, line
                runs = []
            else:
                runs.append(run)


def _iterate_marked_lines(element: HtmlElement, skip: Callable[[HtmlElement], bool]) -> Iterator[str]:
    """Iterate over what the page marks as a time or a date, by tag or class, outside what is skipped and the text."""
    for child in element:
        if not isinstance(child.tag, str) or skip(child) or _is_text(child):
            continue
        is_time = child.tag in _TIME_TAGS
        shown = extract_visible_text(child) if is_time or _DATE_WORDS & _get_class_words(child) else ""
        stated = _get_machine_date(child) if shown or is_time else ""
        if len(shown) > MAX_LINE_CHARACTERS or not (shown or stated):
            yield from _iterate_marked_lines(child, skip)
        elif _YEAR.search(shown) or not stated:
            yield shown
        else:
            names = f"{child.get('itemprop') or ''} {child.get('class') or ''}".lower()
            yield f"Last modified: {stated}" if "modified" in names or "updated" in names else stated


def _is_text(element: HtmlElement) -> bool:
    """Return whether a block is a paragraph of the text, in which a time may be marked as well."""
    return element.tag in _TEXT_TAGS and len("".join(element.itertext()).split()) >= MIN_TEXT_WORDS


def _get_machine_date(element: HtmlElement) -> str:
    """Return the date in an attribute of a marked time, or ""."""
    names = ("datetime", *(("title",) if element.tag in _TIME_TAGS else ()), *_MACHINE_ATTRIBUTES)
    stated = next((value for name in names if (value := (element.get(name) or "").strip())), "")
    if count := _SECONDS.fullmatch(stated):
        return datetime.fromtimestamp(int(count[1]), UTC).date().isoformat()
    return stated
