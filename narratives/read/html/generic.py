"""Read any page: trafilatura (Barbaresi 2021) extracts the text, and its metadata give title, outlet and date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import dropwhile
from typing import cast
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from narratives.model import RawParagraph, RawParagraphKind
from narratives.read.html.main_text import SENTENCE_END, extract_main_blocks, is_too_large
from narratives.read.html.page import (
    HtmlBlock,
    HtmlPage,
    extract_visible_text,
    get_classes,
    get_meta_content,
    is_bold,
    is_hidden,
    join_runs,
    make_word_set,
    split_label,
)

MAX_HEADING_WORDS = 20
MIN_QUESTIONS = 2  # questions in bold, from which a page is an interview
_QUESTION_END = re.compile(r"\?[\"”“’'»)\]]*$")


def extract_page(tree: HtmlElement) -> HtmlPage:
    """Extract the page; it has no paragraphs if no text is found."""
    articles = find_article_nodes(tree)
    site = find_site_name(tree, articles)
    title, lead = find_title(tree, articles, site), find_lead(tree)
    address = find_page_url(tree, articles)
    paragraphs = _build_paragraphs(list(extract_main_blocks(tree)))
    text = tuple(dropwhile(lambda paragraph: paragraph.text in (title, lead), paragraphs))
    text = tuple(p for p in text if p.kind != "heading" or p.text != title)
    posted, date_source = find_posted_date(tree, articles), "posted"
    if not posted:
        posted, date_source = _guess_date(tree, address)
    return HtmlPage(text, title, site, posted, date_source, lead, address)


def _guess_date(tree: HtmlElement, address: str) -> tuple[str, str]:
    """Find a date with htmldate (Barbaresi 2020), from markup (`posted`) or anywhere in the text (`guess`)."""
    from htmldate import find_date

    for extensive, kind in () if is_too_large(tree) else ((False, "posted"), (True, "guess")):
        day = find_date(deepcopy(tree), extensive_search=extensive, original_date=True, url=address or None)
        if day:
            return str(day), kind
    return "", ""


def _build_paragraphs(body: Sequence[HtmlBlock]) -> list[RawParagraph]:
    """Build paragraphs, with their kinds from markup and bold type."""
    texts = [join_runs(block.runs) for block in body]
    bold = [is_bold(block.runs) for block in body]
    questions = [strong and bool(_QUESTION_END.search(text)) for text, strong in zip(texts, bold, strict=True)]
    is_interview = sum(questions) >= MIN_QUESTIONS
    paragraphs: list[RawParagraph] = []
    for block, text, strong, is_question in zip(body, texts, bold, questions, strict=True):
        kind: RawParagraphKind = block.kind
        if not kind and is_interview and is_question:
            kind = "question"
        elif kind == "heading" and len(text.split()) > MAX_HEADING_WORDS and SENTENCE_END.search(text):
            kind = ""  # the opening paragraph in large type
        elif not kind and strong and not all(bold) and _is_heading(text):
            kind = "heading"
        paragraphs.append(RawParagraph(text, kind=kind, labelled=bool(split_label(block.runs).label)))
    return paragraphs


def _is_heading(text: str) -> bool:
    return len(text.split()) <= MAX_HEADING_WORDS and (text.endswith("?") or not SENTENCE_END.search(text))


JsonLdNode = Mapping[str, object]

ARTICLE_TYPES = re.compile(
    r"(?:News|Reportage|Opinion|Analysis|Scholarly|Tech|Blog|Advertiser\w*)?(?:Article|Posting)|Report"
    r"|SpecialAnnouncement|Interview|SpeechArticle|WebPage"
)
MAX_JSON_LD_DEPTH = 12
LEAD_WORD_LIMITS = (5, 90)
# Metadata fields with the date of posting, not of the last change.
POSTED_DATE_FIELDS = make_word_set(
    "article:published_time og:article:published_time article:published datepublished date.issued"
    " dc.date.issued dcterms.issued dcterms.created dc.date.created publishdate publish-date"
    " publish_date pubdate publication_date published_time sailthru.date parsely-pub-date"
    " cxenseparse:recs:publishtime mediator_published_time article.published ya:ovs:upload_date"
    " citation_publication_date citation_date date dc.date dcterms.date"
)
_LEAD_CLASS = re.compile(r"(?:^|[-_])(?:lead|lede|standfirst|dek|summary|subtitle|subheadline|announce|excerpt)$")
_TITLE_SEPARATOR = re.compile(r"\s+[|•·—–»-]+\s+")
_SITE_SUFFIX = re.compile(r"\s+[|•·—–»-]+\s+(?P<tail>[^|•·—–»]{2,60})$")


def find_article_nodes(tree: HtmlElement) -> list[JsonLdNode]:
    """Find the JSON-LD objects that describe an article, in order; broken JSON is skipped."""
    nodes: list[JsonLdNode] = []
    for script in tree.iter("script"):
        if (script.get("type") or "").split(";")[0].strip().lower() == "application/ld+json":
            try:
                value = json.loads((script.text or "").strip().rstrip(";"), strict=False)
            except (ValueError, RecursionError):
                continue
            nodes += (node for node in _iterate_nodes(value, 0) if _is_article(node))
    # Articles before the web pages that contain them.
    return sorted(nodes, key=lambda node: "WebPage" in _get_types(node))


def find_title(tree: HtmlElement, articles: list[JsonLdNode], site: str) -> str:
    """Find the headline: a heading that the metadata repeat, else metadata or heading, else the window title."""
    headings = [text for h in tree.iter("h1") if not is_hidden(h) and (text := extract_visible_text(h))]
    stated = [_to_string(node.get("headline")) for node in articles if "WebPage" not in _get_types(node)]
    stated += [get_meta_content(tree, "og:title"), get_meta_content(tree, "twitter:title")]
    window = next((seen for t in tree.iter("title") if (seen := " ".join((t.text or "").split()))), "")
    names = [text for text in stated if text]
    for heading in headings:
        # A heading that the metadata repeat is the title, even if there are other h1 elements.
        if any(
            _is_same_title(heading, part)
            for name in [*names, window]
            for part in (name, _drop_site_suffix(name, site), *_split_first_part(name, site))
        ):
            return heading
    if len(headings) == 1 and not names:
        return headings[0]
    return _drop_site_suffix(next(iter([*names, window, *headings]), ""), site)


def find_site_name(tree: HtmlElement, articles: list[JsonLdNode]) -> str:
    """Find the name of the site or publisher, or ""."""
    if name := get_meta_content(tree, "og:site_name"):
        return name
    for node in articles:
        publisher = node.get("publisher")
        for item in publisher if isinstance(publisher, list) else [publisher]:
            names = item.get("name") if isinstance(item, Mapping) else ""
            if name := next(filter(None, map(_to_string, names if isinstance(names, list) else [names])), ""):
                return name
    return get_meta_content(tree, "application-name")


def find_page_url(tree: HtmlElement, articles: list[JsonLdNode]) -> str:
    """Find the absolute http(s) address of the page, or ""."""
    base = next((e.get("href") or "" for e in tree.iter("base")), "")
    links = [e.get("href") or "" for e in tree.iter("link") if "canonical" in (e.get("rel") or "").split()]
    shown = get_meta_content(tree, "og:url")
    stated = [_to_string(node.get("url")) or _get_node_id(node.get("mainEntityOfPage")) for node in articles]
    for link in [*links, shown, *stated]:
        for start in (base, shown):
            try:
                address = str(urljoin(start, link.strip()))
                parts = urlsplit(address)
            except ValueError:
                continue
            if parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/"):
                return address
    return ""


def find_posted_date(tree: HtmlElement, articles: list[JsonLdNode]) -> str:
    """Find the date of posting in JSON-LD, metadata, or a single marked time; or ""."""
    for node in articles:
        if stated := _to_string(node.get("datePublished")) or _to_string(node.get("dateCreated")):
            return stated
    for element in tree.iter("meta"):
        names = {(element.get(key) or "").strip().lower() for key in ("property", "name", "itemprop")}
        if names & POSTED_DATE_FIELDS and (stated := (element.get("content") or "").strip()) and _has_year(stated):
            return stated
    marked = {
        stated
        for element in tree.iter("time", "span", "div", "p")
        if (element.get("itemprop") or "").lower() == "datepublished" or element.get("pubdate") is not None
        if (stated := element.get("datetime") or element.get("content") or extract_visible_text(element))
    }
    return str(marked.pop()) if len(marked) == 1 else ""


def find_lead(tree: HtmlElement) -> str:
    """Find the summary between heading and text by its markup, or ""."""
    heading = next((h for h in tree.iter("h1") if not is_hidden(h)), None)
    if heading is None:
        return ""
    for element in heading.xpath("following::*[self::div or self::p or self::h2 or self::span][@class]")[:60]:
        if any(_LEAD_CLASS.search(name.lower()) for name in get_classes(element)) and not is_hidden(element):
            text = extract_visible_text(element)
            if LEAD_WORD_LIMITS[0] <= len(text.split()) <= LEAD_WORD_LIMITS[1]:
                return text
    return ""


def _iterate_nodes(value: object, depth: int) -> Iterator[JsonLdNode]:
    if depth > MAX_JSON_LD_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _iterate_nodes(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _iterate_nodes(value.get(key), depth + 1)


def _is_article(node: JsonLdNode) -> bool:
    return any(ARTICLE_TYPES.fullmatch(name) for name in _get_types(node))


def _get_types(node: JsonLdNode) -> list[str]:
    kinds = node.get("@type")
    return [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]


def _to_string(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _get_node_id(value: object) -> str:
    return _to_string(cast(JsonLdNode, value).get("@id")) if isinstance(value, dict) else _to_string(value)


def _is_same_title(one: str, other: str) -> bool:
    return re.findall(r"\w+", one.casefold()) == re.findall(r"\w+", other.casefold()) != []


def _drop_site_suffix(title: str, site: str) -> str:
    suffix = _SITE_SUFFIX.search(title)
    if suffix is None:
        return title
    if len(title[: suffix.start()].split()) <= 2:
        is_site = _is_same_title(suffix["tail"], site)
    else:
        is_site = not site or _is_same_title(suffix["tail"], site) or len(suffix["tail"].split()) <= 3
    return title[: suffix.start()] if is_site else title


def _split_first_part(title: str, site: str) -> list[str]:
    """Return what stands before the first separator of a title, unless that is the name of the site."""
    first, separator, _ = _TITLE_SEPARATOR.sub("\x1f", title, count=1).partition("\x1f")
    return [first] if separator and not _is_same_title(first, site) else []


def _has_year(text: str) -> bool:
    return bool(re.search(r"(?:19|20)\d\d", text))
