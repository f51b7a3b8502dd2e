"""One address for one page: print versions, tracking marks and fragments make no other document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml.html import HtmlElement

from narratives.read.html.visible_text import classes, is_unseen, seen_text, words

_PRINT_PATH = re.compile(r"/(?:print|printable)(?:\.html?|\.php)?/?$", re.IGNORECASE)
_NO_MATTER = re.compile(
    r"utm_\w+=.*|(?:fbclid|gclid|yclid)=.*|print(?:able)?(?:=(?:1|y|yes|true)?)?|(?:output|view|mode)=print",
    re.IGNORECASE,
)


def canonical(url: str) -> str:
    """The address without print suffix, tracking marks and fragment; as it is where it is no web address."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return url.strip()
    kept = [pair for pair in parts.query.split("&") if pair and not _NO_MATTER.fullmatch(pair)]
    path = _PRINT_PATH.sub("", parts.path)
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "&".join(kept), ""))


Node = Mapping[str, object]

ARTICLES = re.compile(
    r"(?:News|Reportage|Opinion|Analysis|Scholarly|Tech|Blog|Advertiser\w*)?(?:Article|Posting)|Report"
    r"|SpecialAnnouncement|Interview|SpeechArticle|WebPage"
)
MAX_DEPTH = 12
LEAD_WORDS = (5, 90)
# Dates in metadata that tell when a page was posted; dates of changing it are none of these.
POSTED = words(
    "article:published_time og:article:published_time article:published datepublished date.issued"
    " dc.date.issued dcterms.issued dcterms.created dc.date.created publishdate publish-date"
    " publish_date pubdate publication_date published_time sailthru.date parsely-pub-date"
    " cxenseparse:recs:publishtime mediator_published_time article.published ya:ovs:upload_date"
    " citation_publication_date citation_date date dc.date dcterms.date"
)
_LEAD = re.compile(r"(?:^|[-_])(?:lead|lede|standfirst|dek|summary|subtitle|subheadline|announce|excerpt)$")
_SITE_TAIL = re.compile(r"\s+[|•·—–»-]+\s+(?P<tail>[^|•·—–»]{2,60})$")


def nodes(tree: HtmlElement) -> list[Node]:
    """The JSON-LD objects of a page that describe an article, in order; broken JSON is left aside."""
    found: list[Node] = []
    for script in tree.iter("script"):
        if (script.get("type") or "").split(";")[0].strip().lower() == "application/ld+json":
            try:
                value = json.loads((script.text or "").strip().rstrip(";"), strict=False)
            except (ValueError, RecursionError):
                continue
            found += (node for node in _walk(value, 0) if _is_article(node))
    # Articles before the web pages that hold them.
    return sorted(found, key=lambda node: "WebPage" in _types(node))


def title_of(tree: HtmlElement, articles: list[Node], site: str) -> str:
    """The headline that heading and structured data agree on, else either, else the window's title."""
    headings = [text for h in tree.iter("h1") if not is_unseen(h) and (text := seen_text(h))]
    stated = [_string(node.get("headline")) for node in articles if "WebPage" not in _types(node)]
    stated += [meta(tree, "og:title"), meta(tree, "twitter:title")]
    window = next((seen for t in tree.iter("title") if (seen := " ".join((t.text or "").split()))), "")
    names = [text for text in stated if text]
    for heading in headings:
        # A heading that the metadata repeats is the page's own title, whatever else stands in an h1.
        if any(_same(heading, name) or _same(heading, _less_site(name, site)) for name in [*names, window]):
            return heading
    if len(headings) == 1 and not names:
        return headings[0]
    return _less_site(next(iter([*names, window, *headings]), ""), site)


def site_of(tree: HtmlElement, articles: list[Node]) -> str:
    """The name of the site or publisher, or ""."""
    if name := meta(tree, "og:site_name"):
        return name
    for node in articles:
        publisher = node.get("publisher")
        for item in publisher if isinstance(publisher, list) else [publisher]:
            if isinstance(item, Mapping) and (name := _string(item.get("name"))):
                return name
    return meta(tree, "application-name")


def address_of(tree: HtmlElement, articles: list[Node]) -> str:
    """The page's own address, whole and with http(s), or ""."""
    base = next((e.get("href") or "" for e in tree.iter("base")), "")
    links = [e.get("href") or "" for e in tree.iter("link") if "canonical" in (e.get("rel") or "").split()]
    shown = meta(tree, "og:url")
    stated = [_string(node.get("url")) or _id(node.get("mainEntityOfPage")) for node in articles]
    for link in [*links, shown, *stated]:
        for start in (base, shown):
            try:
                address = str(urljoin(start, link.strip()))
                parts = urlsplit(address)
            except ValueError:  # an address that is none
                continue
            if parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/"):
                return address
    return ""


def posted_on(tree: HtmlElement, articles: list[Node]) -> str:
    """The day of posting as structured data has it: JSON-LD, metadata, the one marked time; or ""."""
    for node in articles:
        if stated := _string(node.get("datePublished")) or _string(node.get("dateCreated")):
            return stated
    for element in tree.iter("meta"):
        names = {(element.get(key) or "").strip().lower() for key in ("property", "name", "itemprop")}
        if names & POSTED and (stated := (element.get("content") or "").strip()) and _has_year(stated):
            return stated
    marked = {
        stated
        for element in tree.iter("time", "span", "div", "p")
        if (element.get("itemprop") or "").lower() == "datepublished" or element.get("pubdate") is not None
        if (stated := element.get("datetime") or element.get("content") or seen_text(element))
    }
    return str(marked.pop()) if len(marked) == 1 else ""


def lead_of(tree: HtmlElement) -> str:
    """The summary that the page sets between heading and text, by its markup; or ""."""
    heading = next((h for h in tree.iter("h1") if not is_unseen(h)), None)
    if heading is None:
        return ""
    for element in heading.xpath("following::*[self::div or self::p or self::h2 or self::span][@class]")[:60]:
        if any(_LEAD.search(name.lower()) for name in classes(element)) and not is_unseen(element):
            text = seen_text(element)
            if LEAD_WORDS[0] <= len(text.split()) <= LEAD_WORDS[1]:
                return text
    return ""


def meta(tree: HtmlElement, name: str) -> str:
    """The content of the first meta element of that name or property that has any."""
    for element in tree.iter("meta"):
        if name in (element.get("property"), element.get("name")):
            content = " ".join((element.get("content") or "").split())
            if content:
                return content
    return ""


def _walk(value: object, depth: int) -> Iterator[Node]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _walk(value.get(key), depth + 1)


def _is_article(node: Node) -> bool:
    return any(ARTICLES.fullmatch(name) for name in _types(node))


def _types(node: Node) -> list[str]:
    kinds = node.get("@type")
    return [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]


def _string(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _id(value: object) -> str:
    return _string(cast(Node, value).get("@id")) if isinstance(value, dict) else _string(value)


def _same(one: str, other: str) -> bool:
    return re.findall(r"\w+", one.casefold()) == re.findall(r"\w+", other.casefold()) != []


def _less_site(title: str, site: str) -> str:
    tail = _SITE_TAIL.search(title)
    named = tail and (not site or _same(tail["tail"], site) or len(tail["tail"].split()) <= 3)
    return title[: tail.start()] if tail and named and len(title[: tail.start()].split()) > 2 else title


def _has_year(text: str) -> bool:
    return bool(re.search(r"(?:19|20)\d\d", text))
