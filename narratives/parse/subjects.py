"""Who a sentence is about: its head, which verbs further on, and later pronouns, may mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from narratives.parse.mentions import (
    QUOTE,
    SOMEBODY,
    Mention,
    Token,
    is_capital,
    mention_after,
    unnamed,
)
from narratives.parse.vocabulary import (
    OPENERS,
    PROMPTED,
)

MAX_PROMPT = 30  # tokens from "Asked whether" to the comma behind what was asked
LONG_QUOTE = 20  # characters from which a quotation is taken to end a sentence
_ENDS = (".", "?", "!", ";")
_INDEFINITE = ("a", "an", "one", "another")


class Head(NamedTuple):
    """The subject of the sentence that begins at `start`; `pronoun` is "he" or "she" where it is one."""

    mention: Mention | None
    at: int
    start: int
    pronoun: str = ""


def starts(tokens: Sequence[Token]) -> Iterator[int]:
    """Where the sentences of a paragraph begin."""
    dash = next((i for i, token in enumerate(tokens[:8]) if token.text in ("—", "–", "-")), 0)
    dateline = dash if dash and tokens[0].text.isupper() else -1
    for i in range(len(tokens)):
        if i - 1 == dateline or not i or tokens[i - 1].text in _ENDS or tokens[i - 1].quoted >= LONG_QUOTE:
            yield i


def head_of(tokens: Sequence[Token], at: int) -> Head:
    """The head of the sentence that `tokens[at]` stands in; None for what is no person."""
    start = max((i for i in starts(tokens) if i <= at), default=0)
    return head_at(tokens, start)


def head_at(tokens: Sequence[Token], start: int) -> Head:
    """The head of the sentence that begins at `start`."""
    nothing = Head(None, start, start)
    if start >= len(tokens):
        return nothing
    first = tokens[start].text.casefold()
    if first in ("he", "she"):
        return Head(None, start, start, first)
    i = start
    if first in PROMPTED:
        i = next((j + 1 for j, t in enumerate(tokens[start : start + MAX_PROMPT], start) if t.text == ","), i)
        if i < len(tokens) and tokens[i].text in ("he", "she"):
            return Head(None, i, start, tokens[i].text)
    while i < len(tokens) and (tokens[i].text.casefold() in OPENERS or tokens[i].text == ","):
        if tokens[i].text in ("he", "she"):
            return Head(None, i, start, tokens[i].text)
        i += 1
    if i >= len(tokens) or tokens[i].text == QUOTE:
        return nothing
    if is_capital(tokens[i].text):
        mention = mention_after(tokens, i)
        return Head(mention, i, start) if mention is not None and (mention.name or mention.post) else nothing
    return _common(tokens, i, start)


def _common(tokens: Sequence[Token], i: int, start: int) -> Head:
    """`The man ...`, `A fisherman ...`: somebody; `His opponent, Linda Marsh, ...`: her."""
    before = tokens[i - 1].text.casefold() if i > start else ""
    mention = mention_after(tokens, i)
    if mention is not None and (mention.post or mention.name) and before in ("the", "his", "her", "their"):
        return Head(mention, i, start)
    comma = next((j for j, t in enumerate(tokens[i : i + 4], i) if not t.text.isalpha()), 0)
    if before in ("his", "her", "their") and comma and tokens[comma].text == ",":
        mention = mention_after(tokens, comma + 1)
        if mention is not None and len(mention.name) > 1:
            return Head(mention, comma + 1, start)
    word = tokens[i].text
    found = unnamed(word)
    is_somebody = found == SOMEBODY or (before in _INDEFINITE and word.endswith(("er", "or", "man", "ist")))
    return Head(SOMEBODY if is_somebody else None, i, start)
