"""Read any page: trafilatura (Barbaresi 2021) extracts the text, and blocks keep the structure of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy

from lxml.html import HtmlElement

from narratives.model import RawParagraph, RawParagraphKind
from narratives.read.html.metadata import (
    find_article_nodes,
    find_lead,
    find_page_url,
    find_posted_date,
    find_site_name,
    find_title,
)
from narratives.read.html.page import HtmlPage
from narratives.read.html.visible_text import (
    HtmlBlock,
    TextRun,
    is_bold,
    is_hidden,
    iterate_blocks,
    join_runs,
    make_word_set,
    split_label,
)

MIN_SENTENCE_WORDS = 5  # of a block that counts as a sentence without other evidence
MAX_ELEMENTS = 30_000  # real pages have a few thousand
MAX_CHARACTERS = 2_000_000
MAX_HEADING_WORDS = 20
MIN_QUESTIONS = 2  # in bold, from which a page is an interview
MIN_LINE_WORDS = 10  # on average, for lines between single breaks to be paragraphs
_SENTENCE_END = re.compile(r"[.!?…:;,][\"”“’'»)\]]*$")
_QUESTION_END = re.compile(r"\?[\"”“’'»)\]]*$")
_NAVIGATION_TAGS = make_word_set("nav header footer aside form figure")


def extract_page(tree: HtmlElement) -> HtmlPage:
    """Extract the page; it has no paragraphs if no text is found."""
    articles = find_article_nodes(tree)
    site = find_site_name(tree, articles)
    title, lead = find_title(tree, articles, site), find_lead(tree)
    posted = find_posted_date(tree, articles)
    address = find_page_url(tree, articles)
    paragraphs = tuple(_drop_title_and_lead(_build_paragraphs(list(_iterate_text_blocks(tree))), title, lead))
    if not posted:
        posted, kind = _guess_date(tree, address)
    else:
        kind = "posted"
    return HtmlPage(paragraphs, title, site, posted, kind if posted else "", lead, address)


def _iterate_text_blocks(tree: HtmlElement) -> Iterator[HtmlBlock]:
    """Iterate over the blocks of the main text."""
    body = (
        [] if _is_too_large(tree) else _extract_main_text(tree, recall=False) or _extract_main_text(tree, recall=True)
    )
    if len(body) == 1 and len(join_runs(body[0].runs)) > max(
        (len(join_runs(chunk.runs)) for chunk in iterate_blocks(tree)), default=0
    ):
        body = []  # trafilatura's last resort: the whole page in one piece, with menus
    for chunk in body or _extract_sentence_blocks(tree):
        yield from _split_at_lines(chunk)


def _extract_main_text(tree: HtmlElement, recall: bool) -> list[HtmlBlock]:
    from trafilatura import bare_extraction  # takes a quarter of a second, which a build of tables does not need

    document = bare_extraction(
        deepcopy(tree),  # because it changes the tree
        include_comments=False,
        include_formatting=True,
        include_tables=True,
        favor_recall=recall,
    )
    body = getattr(document, "body", None)
    # Hidden elements are already removed, and `head` is trafilatura's tag for a heading.
    return list(iterate_blocks(body, lambda element: not isinstance(element.tag, str))) if body is not None else []


def _guess_date(tree: HtmlElement, address: str) -> tuple[str, str]:
    """Find a date with htmldate (Barbaresi 2020), from markup (`posted`) or anywhere in the text (`guess`)."""
    from htmldate import find_date

    for extensive, kind in () if _is_too_large(tree) else ((False, "posted"), (True, "guess")):
        day = find_date(deepcopy(tree), extensive_search=extensive, original_date=True, url=address or None)
        if day:
            return str(day), kind
    return "", ""


def _is_too_large(tree: HtmlElement) -> bool:
    """Return whether heuristics with dozens of passes over a page would take minutes for this one."""
    elements = characters = 0
    for element in tree.iter():
        elements += 1
        characters += len(element.text or "") + len(element.tail or "")
    return elements > MAX_ELEMENTS or characters > MAX_CHARACTERS


def _extract_sentence_blocks(tree: HtmlElement) -> list[HtmlBlock]:
    """Extract blocks of sentences outside navigation, for pages too short or simple for trafilatura."""
    body = iterate_blocks(tree, lambda e: is_hidden(e) or e.tag in _NAVIGATION_TAGS)
    texts = ((chunk, join_runs(chunk.runs)) for chunk in body)
    return [c for c, text in texts if _SENTENCE_END.search(text) and len(text.split()) >= MIN_SENTENCE_WORDS]


def _split_at_lines(chunk: HtmlBlock) -> Iterator[HtmlBlock]:
    """Split a block at single breaks if the lines are whole sentences; other breaks are only line ends."""
    lines: list[list[TextRun]] = [[]]
    for run in chunk.runs:
        if run == TextRun("\n"):
            lines.append([])
        else:
            lines[-1].append(run)
    texts = [text for line in lines if (text := join_runs(line))]
    whole = all(_SENTENCE_END.search(text) for text in texts)
    if len(texts) > 1 and whole and sum(len(t.split()) for t in texts) >= MIN_LINE_WORDS * len(texts):
        yield from (HtmlBlock(chunk.kind, line) for line in lines if join_runs(line))
    else:
        yield chunk


def _build_paragraphs(body: Sequence[HtmlBlock]) -> list[RawParagraph]:
    """Build paragraphs, with their kinds from markup and bold type."""
    bold = [is_bold(chunk.runs) for chunk in body]
    is_question = [
        strong and bool(_QUESTION_END.search(join_runs(c.runs))) for c, strong in zip(body, bold, strict=True)
    ]
    interview = sum(is_question) >= MIN_QUESTIONS
    shaped: list[RawParagraph] = []
    for chunk, strong, question in zip(body, bold, is_question, strict=True):
        text = join_runs(chunk.runs)
        kind: RawParagraphKind = chunk.kind
        if not kind and interview and question:
            kind = "question"
        elif not kind and strong and not all(bold) and _is_heading(text):
            kind = "heading"
        shaped.append(RawParagraph(text, kind=kind, labelled=bool(split_label(chunk.runs).label)))
    return shaped


def _is_heading(text: str) -> bool:
    return len(text.split()) <= MAX_HEADING_WORDS and (text.endswith("?") or not _SENTENCE_END.search(text))


def _drop_title_and_lead(paragraphs: list[RawParagraph], title: str, lead: str) -> list[RawParagraph]:
    """Remove title and lead from the start of the text."""
    at = next((i for i, p in enumerate(paragraphs) if p.text not in (title, lead)), len(paragraphs))
    return paragraphs[at:]
