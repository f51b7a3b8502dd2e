"""Which parts of the paragraphs stand in quotation marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from narratives.parse.patterns import MAX_QUOTED_RUN, WORD

Span = tuple[int, int]

_MARK = re.compile(r"[“”„«»\"]|‘|’(?!\w)|(?<!\w)'(?=\w)|(?<=[\w.,!?])'(?!\w)")
_SINGLE = frozenset("‘’'")
_OPENING, _CLOSING = frozenset("“„«‘"), frozenset("”»’")


def quote_spans(texts: Sequence[str]) -> list[list[Span]]:
    """For every paragraph its quoted spans (start, end), marks included, in order and disjoint.

    A quotation that is not closed runs to the end of its paragraph, and over following paragraphs when a
    closing mark comes first among the marks of a later one (at most MAX_QUOTED_RUN further on).
    """
    spans: list[list[Span]] = []
    carried_to = -1
    for i, text in enumerate(texts):
        carried = i <= carried_to
        found, still_open = _spans(text, carried, closes=i == carried_to)
        spans.append(found)
        if still_open and not carried:
            carried_to = _closed_in(texts, i)
    return spans


def quoted_share(text: str, spans: Sequence[Span]) -> float:
    """Share of the words of `text` that stand inside the spans; 0.0 for a text without words."""
    inside = words = at = 0
    for match in WORD.finditer(text):
        while at < len(spans) and spans[at][1] <= match.start():
            at += 1
        inside += at < len(spans) and spans[at][0] <= match.start()
        words += 1
    return inside / words if words else 0.0


def _spans(text: str, carried: bool, closes: bool) -> tuple[list[Span], bool]:
    if carried and not closes:
        return ([(0, len(text))] if text else []), False
    found: list[Span] = []
    start, mark = (0, "“") if carried else (-1, "")
    for match in _MARK.finditer(text):
        sign, at = match.group(), match.start()
        if start < 0:
            if _opens(text, at, sign):
                start, mark = at, sign
        elif (sign in _SINGLE) == (mark in _SINGLE) and not _opens(text, at, sign):
            found.append((start, at + 1))
            start = -1
    # A lone single mark is an apostrophe more often than a quotation left open.
    if start >= 0 and mark not in _SINGLE:
        found.append((start, len(text)))
        return found, mark != '"'
    return found, False


def _opens(text: str, at: int, sign: str) -> bool:
    # Sources mix up “ and ”, so white space decides and the sign only where it does not.
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    left, right = before.isspace() or before in "([—–-‘“\"'/", after.isspace() or after in ".,;:!?)]—–"
    if left != right:
        return left
    return sign in _OPENING or (sign not in _CLOSING and left)


def _closed_in(texts: Sequence[str], i: int) -> int:
    for j in range(i + 1, min(i + 1 + MAX_QUOTED_RUN, len(texts))):
        first = next((m for m in _MARK.finditer(texts[j]) if m.group() not in _SINGLE), None)
        if first is None:
            continue
        if not _opens(texts[j], first.start(), first.group()):
            return j
        if first.start() > 0:
            return -1
        # A new opening mark at the paragraph's start goes on with the same quotation and closes it itself.
        return -1
    return -1
