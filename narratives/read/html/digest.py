"""Split a page that holds several whole articles, each with its own heading and date: a digest, a newsletter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice, takewhile
from typing import NamedTuple

from lxml.html import Element, HtmlElement

from narratives.model import RawParagraph
from narratives.read.exports.lines import find_date
from narratives.read.html.generic import find_article_nodes
from narratives.read.html.page import (
    extract_visible_text,
    get_classes,
    get_meta_content,
    is_hidden,
    iterate_blocks,
    join_runs,
    make_word_set,
    split_label,
)

MIN_ARTICLES, MAX_ARTICLES = 2, 500
MIN_ARTICLE_WORDS = 25  # of prose in each; teasers have fewer
MIN_PROSE_WORDS = 8  # of a paragraph that is prose
MAX_DATE_CHARACTERS = 60
MAX_DATE_ELEMENTS = 6  # in the element that holds a date
MAX_OTHER_SHARE = 0.2  # prose of the page outside its articles, as a share of all
_ASIDE_TAGS = make_word_set("nav aside form figure button")
_CUT_OFF = re.compile(
    r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])\s*(?:(?:read|continue|more|mehr|weiter|lire|leer|далее)\b.{0,40})?$", re.I
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DATE_LINE = re.compile(r"[^\W_][\w .,/:-]{4,60}")
_DATE_CLASS = re.compile(r"(?:^|[-_])(?:date|time|posted|published|meta)(?:$|[-_])", re.IGNORECASE)


class PageArticle(NamedTuple):
    """One article of a digest; `date` is as the page writes it, and `url` as it links to it."""

    title: str
    date: str
    url: str
    paragraphs: list[RawParagraph]


def find_articles(tree: HtmlElement) -> list[PageArticle]:
    """Return the articles of a digest in order; empty for any other page.

    In a digest, elements beside one another have a heading of one level each, a date with its year and whole
    paragraphs, and the page has hardly any other text. The days differ, or no article has a time: the posts of a
    live report are of one day, and one report. A page whose metadata date it as an article is one article.
    """
    if get_meta_content(tree, "article:published_time") or any("datePublished" in n for n in find_article_nodes(tree)):
        return []
    for level in ("h2", "h3", "h1", "h4"):
        headings = [h for h in tree.iter(level) if not _is_outside(h) and extract_visible_text(h)]
        if MIN_ARTICLES <= len(headings) <= MAX_ARTICLES and (articles := _read_items(_find_items(headings), level)):
            return articles if _are_whole(tree, articles) else []
    return []


def _find_items(headings: Sequence[HtmlElement]) -> list[HtmlElement]:
    """Return the largest element around each heading that holds no other one, or what follows each heading."""
    above = [set(heading.iterancestors()) for heading in headings]
    shared = next((node for node in headings[0].iterancestors() if all(node in nodes for nodes in above)), None)
    if shared is None:
        return []
    if all(heading.getparent() is shared for heading in headings):
        return [_wrap_section(heading, set(headings)) for heading in headings]
    items = []
    for heading in headings:
        path = [heading, *heading.iterancestors()]
        items.append(path[path.index(shared) - 1])
    return items if len(set(items)) == len(items) and not set(items) & set(headings) else []


def _wrap_section(heading: HtmlElement, headings: set[HtmlElement]) -> HtmlElement:
    """Return a copy of a heading with what follows it up to the next one, in an element of their own."""
    section: HtmlElement = Element("div")
    following = takewhile(lambda node: node not in headings, heading.itersiblings())
    section.extend(deepcopy(node) for node in (heading, *following))
    return section


def _read_items(items: Sequence[HtmlElement], level: str) -> list[PageArticle]:
    """Return the articles in the items; none if one of them is no article."""
    articles: list[PageArticle] = []
    for item in items:
        article = _read_item(item, level)
        if article is None:
            return []
        articles.append(article)
    return articles


def _read_item(item: HtmlElement, level: str) -> PageArticle | None:
    date = _find_item_date(item)
    if not date:
        return None
    heading = next(item.iter(level))
    title = extract_visible_text(heading)
    links = (a.get("href") or "" for a in (*heading.iter("a"), *heading.iterancestors("a")))
    address = next((link for link in links if link.startswith(("http://", "https://"))), "")
    paragraphs = []
    for block in iterate_blocks(
        item, lambda e: is_hidden(e) or e.tag in _ASIDE_TAGS or e.tag in ("footer", "time", level)
    ):
        text = join_runs(block.runs)
        if text != title and not _is_date(text) and not _states_date(text, date):
            label = bool(split_label(block.runs).label)
            paragraphs.append(RawParagraph(text, kind=block.kind, labelled=label))
    prose = [p.text for p in paragraphs if len(p.text.split()) >= MIN_PROSE_WORDS]
    is_whole = sum(len(text.split()) for text in prose) >= MIN_ARTICLE_WORDS and not _CUT_OFF.search(prose[-1])
    return PageArticle(title, date, address, paragraphs) if is_whole else None


def _find_item_date(item: HtmlElement) -> str:
    """Return the date of an article: of a time element, or else of a line that is marked as date or is only a date."""
    for element in item.iter("time"):
        for text in ((element.get("datetime") or "").strip(), extract_visible_text(element)):
            if _YEAR.search(text) and len(text) <= MAX_DATE_CHARACTERS:
                return text
    for element in item.iter("p", "div", "span", "small", "em", "li"):
        if sum(1 for _ in islice(element.iter(), MAX_DATE_ELEMENTS + 1)) > MAX_DATE_ELEMENTS:
            continue
        text = extract_visible_text(element)
        is_marked = any(_DATE_CLASS.search(name) for name in get_classes(element))
        if len(text) <= MAX_DATE_CHARACTERS and (_is_date(text) or (is_marked and _YEAR.search(text))):
            return text if _is_date(text) else find_date(text) or text
    return ""


def _is_date(text: str) -> bool:
    """Return whether a line is a date with its year and nothing else, such as `15 May 2018, 09:30`."""
    if not _DATE_LINE.fullmatch(text) or not _YEAR.search(text) or len(text.split()) > 6:
        return False
    words = re.findall(r"[^\W\d_]+", text)
    return len(words) <= 3 and sum(map(len, re.findall(r"\d+", text))) >= 5


def _states_date(text: str, date: str) -> bool:
    """Return whether a short line says when the article was posted, such as `Posted on 15 May 2018 by admin`."""
    is_short = len(text.split()) < MIN_PROSE_WORDS and len(text) <= MAX_DATE_CHARACTERS
    return is_short and (date in text or (find_date(text) != "" and find_date(text) == date[:10]))


def _are_whole(tree: HtmlElement, articles: Sequence[PageArticle]) -> bool:
    inside = sum(len(p.text.split()) for article in articles for p in article.paragraphs)
    prose = _iterate_prose(tree)
    # With the titles and dates of the articles, which are too short to count as prose.
    if sum(prose) > inside * (1 + MAX_OTHER_SHARE):
        return False
    days = {article.date[:10] for article in articles}
    has_times = any(re.search(r"\d:\d\d", article.date) for article in articles)
    return len(days) > 1 or not has_times


def _iterate_prose(tree: HtmlElement) -> Iterator[int]:
    """Iterate over the numbers of words of the paragraphs of a page outside its navigation."""
    for block in iterate_blocks(tree, lambda element: is_hidden(element) or _is_page_part(element)):
        words = len(join_runs(block.runs).split())
        if words >= MIN_PROSE_WORDS:
            yield words


def _is_outside(element: HtmlElement) -> bool:
    return any(_is_page_part(node) or is_hidden(node) for node in (element, *element.iterancestors()))


def _is_page_part(element: HtmlElement) -> bool:
    """Return whether an element is navigation or the like. An article may have a header and a footer of its own."""
    is_frame = element.tag in ("header", "footer") and next(element.iterancestors("article", "section"), None) is None
    return element.tag in _ASIDE_TAGS or is_frame
