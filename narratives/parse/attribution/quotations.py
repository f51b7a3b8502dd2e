"""Find the quotations of a text by their marks."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from narratives.parse.attribution import lexicon
from narratives.parse.segmentation import WORD

MIN_QUOTED_SHARE = 0.5  # share of a paragraph's words, from which its voice is "quoted"
MAX_QUOTED_PARAGRAPHS = 8  # paragraphs over which one unclosed quotation may continue
QuoteSpan = tuple[int, int]

# `''` and two backticks are the marks of TeX; an apostrophe before a word such as `'em` or `'90s` is no mark.
_QUOTE_MARK = re.compile(
    r"[“”„‟«»\"]|``|''|&quot;|[‚‹›]|(?:‘|(?<![\w`])[`'](?=[\w“\"…($£€]))(?!(?:\d?\ds|(?i:em|til|tis|twas|n))\b)"
    r"|’(?!\w)|(?<=[\w.,!?…;:)—–-])['`](?!\w)"
)
_OPENING_MARKS, _CLOSING_MARKS = frozenset("“„‟«‘‚‹"), frozenset("”»’›")
_SINGLE_MARKS = frozenset("‘’'‚‹›`")
_PLAIN_MARKS = {"``": "“", "''": '"', "&quot;": '"'}
_SENTENCE_MARKS = frozenset(".,!?…;:—–")
_DASHES = "–—―-"


class _Mark(NamedTuple):
    """A quotation mark at `start` to `end`; `opens` is None where the text does not decide."""

    start: int
    end: int
    sign: str
    opens: bool | None

    @property
    def is_single(self) -> bool:
        return self.sign in _SINGLE_MARKS


def find_quote_spans(texts: Sequence[str]) -> list[list[QuoteSpan]]:
    """Return the quoted spans (start, end) of every paragraph, marks included, in order and disjoint.

    A quotation that is not closed extends to the end of its paragraph. If the first mark of one of the next
    `MAX_QUOTED_PARAGRAPHS` paragraphs closes it, all paragraphs up to there belong to it. In a paragraph that
    begins with a dash and has no marks, the words up to the clause with the verb of saying are a quotation.
    """
    spans: list[list[QuoteSpan]] = []
    carried_to = -1
    for i, text in enumerate(texts):
        if i < carried_to:
            spans.append([(0, len(text))] if text else [])
            continue
        following = texts[i + 1][:2] if i + 1 < len(texts) else ""
        own, still_open = _find_text_spans(text, i == carried_to, following)
        spans.append(own or list(_find_dialogue_spans(text)))
        if still_open and i != carried_to:
            carried_to = _find_closing_paragraph(texts, i)
    return spans


def is_quote_mark(character: str) -> bool:
    """Return whether a character is a quotation mark."""
    return bool(character) and (character in _OPENING_MARKS or character in _CLOSING_MARKS or character in "\"'`")


def compute_quoted_share(text: str, spans: Sequence[QuoteSpan]) -> float:
    """Return the share of the words of `text` inside the spans; 0.0 for a text without words."""
    words = [match.start() for match in WORD.finditer(text)]
    quoted = sum(bisect_left(words, end) - bisect_left(words, start) for start, end in spans)
    return quoted / len(words) if words else 0.0


def _find_text_spans(text: str, carried: bool, following: str) -> tuple[list[QuoteSpan], bool]:
    """Return the spans of one paragraph, and whether the last may continue; `following` begins the next one."""
    marks = list(_iterate_marks(text))
    closes_later = _find_later_closings(text, marks)
    spans: list[QuoteSpan] = []
    start, opener = (0, "“") if carried else (-1, "")
    is_continued = following[:1] in _SINGLE_MARKS and following[1:2].isalnum()

    def is_apostrophe(i: int) -> bool:
        goes_on = closes_later[i] or (start == 0 and is_continued)
        return marks[i].is_single and goes_on and _may_be_apostrophe(text, marks[i])

    for i, mark in enumerate(marks):
        if start < 0:
            is_opening = mark.opens if mark.opens is not None else _stands_before_word(text, mark)
            start, opener = (mark.start, mark.sign) if is_opening else (-1, "")
        elif mark.is_single == (opener in _SINGLE_MARKS) and not mark.opens and not is_apostrophe(i):
            spans.append((start, mark.end))
            start = -1
    if start < 0:
        return spans, False
    if opener not in _SINGLE_MARKS:
        spans.append((start, len(text)))
        return spans, opener != '"'
    # A lone single mark is an apostrophe more often than a quotation left open.
    if is_continued and (not text[:start].strip() or text[start - 2] in ":,.!?"):
        spans.append((start, len(text)))
    return spans, False


def _iterate_marks(text: str) -> Iterator[_Mark]:
    for match in _QUOTE_MARK.finditer(text):
        sign = _PLAIN_MARKS.get(match.group(), match.group())
        yield _Mark(match.start(), match.end(), sign, _decide_opening(text, match.start(), match.end(), sign))


def _decide_opening(text: str, start: int, end: int, sign: str) -> bool | None:
    # Sources confuse “ and ”, so white space decides, and the sign only if white space does not.
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    left, right = before.isspace() or before in "([—–-‘“\"'/", after.isspace() or after in ".,;:!?)]—–"
    if left != right:
        return left
    if sign in _OPENING_MARKS or sign in _CLOSING_MARKS:
        return sign in _OPENING_MARKS
    return None


def _stands_before_word(text: str, mark: _Mark) -> bool:
    return mark.start == 0 or text[mark.start - 1].isspace()


def _find_later_closings(text: str, marks: Sequence[_Mark]) -> list[bool]:
    """Return, for every mark, whether a single mark beside punctuation follows before the next one that opens."""
    later = [False] * len(marks)
    is_closed = False
    for i in range(len(marks) - 1, -1, -1):
        later[i] = is_closed
        mark = marks[i]
        if not mark.is_single:
            continue
        beside = text[mark.start - 1 : mark.start] + text[mark.end : mark.end + 1]
        is_closed = not mark.opens and (is_closed or mark.end == len(text) or not _SENTENCE_MARKS.isdisjoint(beside))
    return later


def _may_be_apostrophe(text: str, mark: _Mark) -> bool:
    """Return whether a single mark may belong to its word: `the workers’ hall`, `fishin’ boats`, `rock ’n’ roll`."""
    before = text[max(mark.start - 2, 0) : mark.start].casefold()
    follows_word = text[mark.end : mark.end + 1] == " " and text[mark.end + 1 : mark.end + 2].isalnum()
    return follows_word and (before[-1:] in "sxz" or before in ("in", "’n", "'n", "‘n"))


def _find_closing_paragraph(texts: Sequence[str], i: int) -> int:
    for j in range(i + 1, min(i + 1 + MAX_QUOTED_PARAGRAPHS, len(texts))):
        first = next((mark for mark in _iterate_marks(texts[j]) if not mark.is_single), None)
        if first is not None:
            # An opening mark starts another quotation, or continues this one, which its paragraph then closes.
            is_opening = first.opens if first.opens is not None else _stands_before_word(texts[j], first)
            return -1 if is_opening else j
    return -1


_VERBS = "|".join(sorted(lexicon.INVERTIBLE_VERBS))
# `..., said Ann Lee`, `..., Ann Lee answered`, `..., the minister said` after words that are spoken.
_DIALOGUE_CLAUSE = re.compile(
    rf"(?:(?<=[\w”»\"][,!?.…])\s(?:[{_DASHES}]\s?)?|(?<=\w)\s[—–](?=[a-z]))(?=(?:{_VERBS})\s(?:(?:the|an?|one|his|her|he|she)\s|[A-ZÀ-Þ])|(?:he|she|(?:the|a)\s[a-z]{{2,20}})\s(?:{_VERBS})\b"
    rf"|(?:[A-ZÀ-Þ][\w.’'-]{{0,30}}\s){{1,4}}(?:{_VERBS})\b)"
)
_DIALOGUE_START = re.compile(rf"[{_DASHES}]\s|—(?=[A-ZÀ-Þ¿¡])")
_DIALOGUE_RESUMPTION = re.compile(rf"[.,:;]\s(?=[{_DASHES}]\s)")


def _find_dialogue_spans(text: str) -> Iterator[QuoteSpan]:
    """Yield the spoken words of `– We shall stay, said Ann Lee. – Nobody will leave.`."""
    start = 0
    while _DIALOGUE_START.match(text, start):
        clause = _DIALOGUE_CLAUSE.search(text, start)
        if clause is None:
            if start:
                yield start, len(text)
            return
        yield start, clause.start()
        resumption = _DIALOGUE_RESUMPTION.search(text, clause.end())
        if resumption is None:
            return
        start = resumption.end()
