"""Read any page: trafilatura (Barbaresi 2021) extracts the text, and its metadata give title, outlet and date."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import dropwhile, takewhile
from typing import cast
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from narratives.model import RawParagraph, RawParagraphKind
from narratives.read.html.dates import JsonLdNode, find_date_lines, find_posted_date
from narratives.read.html.page import (
    HtmlBlock,
    HtmlPage,
    TextRun,
    extract_visible_text,
    get_classes,
    get_meta_content,
    is_bold,
    is_hidden,
    iterate_blocks,
    join_runs,
    make_word_set,
    split_label,
)

MIN_SENTENCE_WORDS = 5  # for a block to count as a sentence without other evidence
MAX_ELEMENTS = 30_000  # real pages have a few thousand
MAX_CHARACTERS = 2_000_000
MAX_HEADING_WORDS = 20
MAX_NAME_WORDS = 6  # of a text in bold that can be the name of a speaker
MIN_BOLD_NAMES = 2  # names in bold that recur, from which a page is an interview
MIN_QUESTIONS = 2  # questions in bold, from which a page is an interview
MIN_LINE_WORDS = 10  # average length from which lines between single breaks are paragraphs
MAX_COMPARED_CHARACTERS = 80  # of a quotation, by which its repetition on a page is found
_SENTENCE_END = re.compile(r"[.!?…:;,][\"”“’'»)\]]*$")
_QUESTION_END = re.compile(r"\?[\"”“’'»)\]]*$")
_NAVIGATION_TAGS = make_word_set("nav header footer aside form figure")


def extract_page(tree: HtmlElement) -> HtmlPage:
    """Extract the page; it has no paragraphs if no text is found."""
    articles = find_article_nodes(tree)
    site = find_site_name(tree, articles)
    title, lead = find_title(tree, articles, site), find_lead(tree)
    address = find_page_url(tree, articles)
    paragraphs = _build_paragraphs(list(_iterate_text_blocks(tree)))
    text = tuple(dropwhile(lambda paragraph: paragraph.text in (title, lead), paragraphs))
    posted = find_posted_date(tree, articles, title)
    return HtmlPage(text, title, site, posted, "posted", lead, address, find_date_lines(tree, title))


def _iterate_text_blocks(tree: HtmlElement) -> Iterator[HtmlBlock]:
    """Iterate over the blocks of the main text."""
    body: list[HtmlBlock] = []
    if not _is_too_large(tree):
        body = _extract_main_text(tree, recall=False) or _extract_main_text(tree, recall=True)
    if len(body) == 1:
        longest = max((len(join_runs(block.runs)) for block in iterate_blocks(tree)), default=0)
        if len(join_runs(body[0].runs)) > longest:
            body = []  # trafilatura's last resort: the whole page in one piece, with menus
    blocks = body or _extract_sentence_blocks(tree)
    names = _find_bold_names(blocks)
    for block in blocks:
        yield from _split_bold_name(block) if _get_bold_start(block) in names else _split_at_lines(block)


def _extract_main_text(tree: HtmlElement, recall: bool) -> list[HtmlBlock]:
    from trafilatura import bare_extraction  # takes a quarter of a second, which a build of tables does not need

    copy = deepcopy(tree)  # because it changes the tree
    _keep_sources(copy)
    document = bare_extraction(
        copy, include_comments=False, include_formatting=True, include_tables=True, favor_recall=recall
    )
    body = getattr(document, "body", None)
    # Hidden elements are already removed, and `head` is trafilatura's tag for a heading.
    return list(iterate_blocks(body, lambda element: not isinstance(element.tag, str))) if body is not None else []


def _keep_sources(tree: HtmlElement) -> None:
    """Turn the sources of block quotes into paragraphs `— Ann Lee`, in place; trafilatura drops `footer` and `figure`.

    A pull quote, whose words the page has elsewhere too, stays in its figure.
    """
    quotes = list(tree.iter("blockquote"))
    whole = extract_visible_text(tree) if quotes else ""
    for quote in quotes:
        sources = [element for element in quote.iter("footer", "cite") if _is_set_apart(element, quote)]
        figure = quote.getparent()
        if figure is not None and figure.tag == "figure" and figure.find(".//img") is None and not sources:
            words = extract_visible_text(quote)
            if whole.count(words[:MAX_COMPARED_CHARACTERS]) > 1:
                continue
            sources = figure.findall("figcaption")
            figure.tag = "div"
            for source in sources:
                quote.append(source)
        for source in sources:
            name = extract_visible_text(source).lstrip("—–- ")
            tail = source.tail
            source.clear()
            source.tag, source.text, source.tail = "p", f"— {name}" if name else "", tail


def _is_set_apart(element: HtmlElement, quote: HtmlElement) -> bool:
    """Return whether an element stands at the end of a block quote, and not within one of its sentences."""
    parent = element.getparent()
    return element.tag == "footer" or (parent is quote and not (element.tail or "").strip())


def _is_too_large(tree: HtmlElement) -> bool:
    """Return whether trafilatura, with dozens of passes over a page, would take minutes."""
    sizes = [len(element.text or "") + len(element.tail or "") for element in tree.iter()]
    return len(sizes) > MAX_ELEMENTS or sum(sizes) > MAX_CHARACTERS


def _extract_sentence_blocks(tree: HtmlElement) -> list[HtmlBlock]:
    """Extract blocks of sentences outside navigation, for pages too short or simple for trafilatura."""
    body = iterate_blocks(tree, lambda element: is_hidden(element) or element.tag in _NAVIGATION_TAGS)
    texts = ((block, join_runs(block.runs)) for block in body)
    return [block for block, text in texts if _SENTENCE_END.search(text) and len(text.split()) >= MIN_SENTENCE_WORDS]


def _find_bold_names(blocks: Sequence[HtmlBlock]) -> frozenset[str]:
    """Find the short texts in bold with which blocks begin again and again, as names in an interview do.

    They have no sign after them, and plain text follows: `<p><b>Ann Lee</b> We hid nothing.</p>`.
    """
    starts = Counter(start for block in blocks if (start := _get_bold_start(block)))
    is_used = sum(times > 1 for times in starts.values()) >= MIN_BOLD_NAMES
    return frozenset(starts) if is_used else frozenset()


def _get_bold_start(block: HtmlBlock) -> str:
    """Return the text in bold at the start of a block in which capitalised plain text follows, or ""."""
    start = join_runs(takewhile(lambda run: run.bold or not run.text.strip(), block.runs))
    rest = join_runs(dropwhile(lambda run: run.bold or not run.text.strip(), block.runs))
    is_short = start and len(start.split()) <= MAX_NAME_WORDS and start[-1].isalnum()
    return start if is_short and rest[:1].isupper() else ""


def _split_bold_name(block: HtmlBlock) -> Iterator[HtmlBlock]:
    """Split a block after the text in bold at its start."""
    bold = list(takewhile(lambda run: run.bold or not run.text.strip(), block.runs))
    yield HtmlBlock(block.kind, bold)
    yield HtmlBlock(block.kind, block.runs[len(bold) :])


def _split_at_lines(block: HtmlBlock) -> Iterator[HtmlBlock]:
    """Split a block at single breaks if the lines are whole sentences; other breaks are only line ends."""
    lines: list[list[TextRun]] = [[]]
    for run in block.runs:
        if run == TextRun("\n"):
            lines.append([])
        else:
            lines[-1].append(run)
    texts = [text for line in lines if (text := join_runs(line))]
    are_sentences = all(_SENTENCE_END.search(text) for text in texts)
    if len(texts) > 1 and are_sentences and sum(len(t.split()) for t in texts) >= MIN_LINE_WORDS * len(texts):
        yield from (HtmlBlock(block.kind, line) for line in lines if join_runs(line))
    else:
        yield block


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
        elif not kind and strong and not all(bold) and _is_heading(text):
            kind = "heading"
        paragraphs.append(RawParagraph(text, kind=kind, labelled=bool(split_label(block.runs).label)))
    return paragraphs


def _is_heading(text: str) -> bool:
    return len(text.split()) <= MAX_HEADING_WORDS and (text.endswith("?") or not _SENTENCE_END.search(text))


ARTICLE_TYPES = re.compile(
    r"(?:https?://schema\.org/|schema:)?(?:\w{0,40}Article|(?!Job)\w{0,40}Posting|Report|SpecialAnnouncement|Interview"
    r"|WebPage)"
)
MAX_JSON_LD_DEPTH = 12
LEAD_WORD_LIMITS = (5, 90)
_LEAD_CLASS = re.compile(r"(?:^|[-_])(?:lead|lede|standfirst|dek|summary|subtitle|subheadline|announce|excerpt)$")
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
            _is_same_title(heading, name) or _is_same_title(heading, _drop_site_suffix(name, site))
            for name in [*names, window]
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
            if isinstance(item, Mapping) and (name := _to_string(item.get("name"))):
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
    if suffix is None or len(title[: suffix.start()].split()) <= 2:
        return title
    is_site = not site or _is_same_title(suffix["tail"], site) or len(suffix["tail"].split()) <= 3
    return title[: suffix.start()] if is_site else title
