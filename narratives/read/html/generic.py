"""Any page: trafilatura finds the text (Barbaresi 2021), its blocks keep the structure that the page gave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy

from lxml.html import HtmlElement

from narratives.model import RawKind, RawParagraph
from narratives.read.html.metadata import address_of, lead_of, nodes, posted_on, site_of, title_of
from narratives.read.html.page import Page
from narratives.read.html.visible_text import Chunk, Run, chunks, is_bold, is_unseen, part_label, plain, words

MIN_WORDS = 5  # of a block that is taken for a sentence where nothing else tells
MAX_ELEMENTS = 30_000  # real pages have a few thousand
MAX_CHARACTERS = 2_000_000
MAX_HEADING_WORDS = 20
MIN_QUESTIONS = 2  # bold questions that make a page an interview
MIN_LINE_WORDS = 10  # mean words of lines that single breaks part, from which each is a paragraph
_SENTENCE_END = re.compile(r"[.!?…:;,][\"”“’'»)\]]*$")
_QUESTION_END = re.compile(r"\?[\"”“’'»)\]]*$")
_FURNITURE_TAGS = words("nav header footer aside form figure")


def read(tree: HtmlElement) -> Page:
    """The page; without paragraphs where it has no text worth the name."""
    articles = nodes(tree)
    site = site_of(tree, articles)
    title, lead = title_of(tree, articles, site), lead_of(tree)
    posted = posted_on(tree, articles)
    address = address_of(tree, articles)
    paragraphs = tuple(_without_lead(_shape(list(_text(tree))), title, lead))
    if not posted:
        posted, kind = _guess(tree, address)
    else:
        kind = "posted"
    return Page(paragraphs, title, site, posted, kind if posted else "", lead, address)


def _text(tree: HtmlElement) -> Iterator[Chunk]:
    """The blocks of the main text."""
    body = [] if _is_vast(tree) else _extract(tree, recall=False) or _extract(tree, recall=True)
    if len(body) == 1 and len(plain(body[0].runs)) > max(
        (len(plain(chunk.runs)) for chunk in chunks(tree)), default=0
    ):
        body = []  # its last resort, the whole page in one piece, menus included
    for chunk in body or _bare(tree):
        yield from _by_lines(chunk)


def _extract(tree: HtmlElement, recall: bool) -> list[Chunk]:
    from trafilatura import bare_extraction  # a quarter second, which a build of tables need not wait

    found = bare_extraction(
        deepcopy(tree),  # it takes the tree apart
        include_comments=False,
        include_formatting=True,
        include_tables=True,
        favor_recall=recall,
    )
    body = getattr(found, "body", None)
    # What is hidden is gone by now, and `head` is trafilatura's word for a heading.
    return list(chunks(body, lambda element: not isinstance(element.tag, str))) if body is not None else []


def _guess(tree: HtmlElement, address: str) -> tuple[str, str]:
    """A date by htmldate (Barbaresi 2020), from markup (`posted`) or from anywhere in the text (`guess`)."""
    from htmldate import find_date

    for extensive, kind in () if _is_vast(tree) else ((False, "posted"), (True, "guess")):
        found = find_date(deepcopy(tree), extensive_search=extensive, original_date=True, url=address or None)
        if found:
            return str(found), kind
    return "", ""


def _is_vast(tree: HtmlElement) -> bool:
    """Whether heuristics that go through a page dozens of times would take minutes over this one."""
    elements = characters = 0
    for element in tree.iter():
        elements += 1
        characters += len(element.text or "") + len(element.tail or "")
    return elements > MAX_ELEMENTS or characters > MAX_CHARACTERS


def _bare(tree: HtmlElement) -> list[Chunk]:
    """The blocks outside navigation that are sentences: for pages too short or plain for trafilatura."""
    body = chunks(tree, lambda e: is_unseen(e) or e.tag in _FURNITURE_TAGS)
    texts = ((chunk, plain(chunk.runs)) for chunk in body)
    return [c for c, text in texts if _SENTENCE_END.search(text) and len(text.split()) >= MIN_WORDS]


def _by_lines(chunk: Chunk) -> Iterator[Chunk]:
    """Lines of whole sentences that single breaks part are paragraphs; other breaks are just line ends."""
    lines: list[list[Run]] = [[]]
    for run in chunk.runs:
        if run == Run("\n"):
            lines.append([])
        else:
            lines[-1].append(run)
    texts = [text for line in lines if (text := plain(line))]
    whole = all(_SENTENCE_END.search(text) for text in texts)
    if len(texts) > 1 and whole and sum(len(t.split()) for t in texts) >= MIN_LINE_WORDS * len(texts):
        yield from (Chunk(chunk.kind, line) for line in lines if plain(line))
    else:
        yield chunk


def _shape(body: Sequence[Chunk]) -> list[RawParagraph]:
    """Paragraphs with the kinds that markup and bold type show."""
    bold = [is_bold(chunk.runs) for chunk in body]
    asked = [
        strong and bool(_QUESTION_END.search(plain(c.runs))) for c, strong in zip(body, bold, strict=True)
    ]
    interview = sum(asked) >= MIN_QUESTIONS
    shaped: list[RawParagraph] = []
    for chunk, strong, question in zip(body, bold, asked, strict=True):
        text = plain(chunk.runs)
        kind: RawKind = chunk.kind
        if not kind and interview and question:
            kind = "question"
        elif not kind and strong and not all(bold) and _is_heading(text):
            kind = "heading"
        shaped.append(RawParagraph(text, kind=kind, labelled=bool(part_label(chunk.runs).label)))
    return shaped


def _is_heading(text: str) -> bool:
    return len(text.split()) <= MAX_HEADING_WORDS and (text.endswith("?") or not _SENTENCE_END.search(text))


def _without_lead(paragraphs: list[RawParagraph], title: str, lead: str) -> list[RawParagraph]:
    """The text without title and lead where it opens with them."""
    at = next((i for i, p in enumerate(paragraphs) if p.text not in (title, lead)), len(paragraphs))
    return paragraphs[at:]
