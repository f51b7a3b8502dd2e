"""Find the quotations of a text by their marks."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from narratives.parse.segmentation import WORD

MIN_QUOTED_SHARE = 0.5  # share of a paragraph's words, from which its voice is "quoted"
MAX_QUOTED_PARAGRAPHS = 8  # paragraphs over which one unclosed quotation may continue
QuoteSpan = tuple[int, int]

_QUOTE_MARK = re.compile(r"[“”„«»\"]|‘|’(?!\w)|(?<!\w)'(?=\w)|(?<=[\w.,!?])'(?!\w)")
_SINGLE_MARKS = frozenset("‘’'")
_OPENING_MARKS, _CLOSING_MARKS = frozenset("“„«‘"), frozenset("”»’")


def find_quote_spans(texts: Sequence[str]) -> list[list[QuoteSpan]]:
    """Return the quoted spans (start, end) of every paragraph, marks included, in order and disjoint.

    A quotation that is not closed extends to the end of its paragraph. If the first mark of one of the next
    `MAX_QUOTED_PARAGRAPHS` paragraphs closes it, all paragraphs up to there belong to it.
    """
    spans: list[list[QuoteSpan]] = []
    carried_to = -1
    for i, text in enumerate(texts):
        carried = i <= carried_to
        own, still_open = _find_text_spans(text, carried, closes=i == carried_to)
        spans.append(own)
        if still_open and not carried:
            carried_to = _find_closing_paragraph(texts, i)
    return spans


def compute_quoted_share(text: str, spans: Sequence[QuoteSpan]) -> float:
    """Return the share of the words of `text` inside the spans; 0.0 for a text without words."""
    words = [match.start() for match in WORD.finditer(text)]
    quoted = sum(bisect_left(words, end) - bisect_left(words, start) for start, end in spans)
    return quoted / len(words) if words else 0.0


def _find_text_spans(text: str, carried: bool, closes: bool) -> tuple[list[QuoteSpan], bool]:
    if carried and not closes:
        return ([(0, len(text))] if text else []), False
    spans: list[QuoteSpan] = []
    start, mark = (0, "“") if carried else (-1, "")
    for match in _QUOTE_MARK.finditer(text):
        sign, at = match.group(), match.start()
        if start < 0:
            if _is_opening_mark(text, at, sign):
                start, mark = at, sign
        elif (sign in _SINGLE_MARKS) == (mark in _SINGLE_MARKS) and not _is_opening_mark(text, at, sign):
            spans.append((start, at + 1))
            start = -1
    # A lone single mark is an apostrophe more often than a quotation left open.
    if start >= 0 and mark not in _SINGLE_MARKS:
        spans.append((start, len(text)))
        return spans, mark != '"'
    return spans, False


def _is_opening_mark(text: str, at: int, sign: str) -> bool:
    # Sources confuse “ and ”, so white space decides, and the sign only if white space does not.
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    left, right = before.isspace() or before in "([—–-‘“\"'/", after.isspace() or after in ".,;:!?)]—–"
    if left != right:
        return left
    return sign in _OPENING_MARKS or (sign not in _CLOSING_MARKS and left)


def _find_closing_paragraph(texts: Sequence[str], i: int) -> int:
    for j in range(i + 1, min(i + 1 + MAX_QUOTED_PARAGRAPHS, len(texts))):
        first = next((m for m in _QUOTE_MARK.finditer(texts[j]) if m.group() not in _SINGLE_MARKS), None)
        if first is not None:
            # An opening mark starts another quotation, or continues this one, which its paragraph then closes.
            return -1 if _is_opening_mark(texts[j], first.start(), first.group()) else j
    return -1
