"""Who a sentence is about: its head, which verbs further on, and later pronouns, may mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from narratives.parse.mentions import (
    DETERMINERS,
    INDEFINITE,
    POSSESSIVE,
    QUOTE,
    SOMEBODY,
    SOMETHING,
    Mention,
    Token,
    is_capital,
    is_head,
    mention_after,
    unnamed,
)
from narratives.parse.vocabulary import (
    BODIES,
    BODIES_OF_MANY,
    FRONTING,
    MALE,
    OPENERS,
    PREPOSITIONS,
    STATES,
)

MAX_FRONTED = 30  # tokens from "Asked whether" to the last comma behind which the subject may stand
MAX_PREPOSED = 8  # tokens of "In her remarks on Friday she"
LONG_QUOTE = 20  # characters from which a quotation is taken to end a sentence
_ENDS = (".", "?", "!", ";")
_PREPOSED = ("in", "on", "at", "during", "with", "within", "by")
_ADVERBS = ("however", "though", "then", "meanwhile", "too", "both", "still", "even", "but", "and")


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
    """The head of the sentence that begins at `start`, past what stands before its first clause."""
    nothing = Head(None, start, start)
    if start >= len(tokens):
        return nothing
    first = tokens[start].text.casefold()
    follows_name = start + 1 < len(tokens) and is_capital(tokens[start + 1].text)
    is_participle = first.endswith(("ing", "ed")) and not follows_name and first not in MALE
    if first in _PREPOSED and (at := _pronoun_before_comma(tokens, start)):
        return Head(None, at, start, tokens[at].text)
    if first in FRONTING or is_participle:
        for i in _past_commas(tokens, start):
            if (found := _opening(tokens, i, start)) is not None:
                return found
    i = start
    while i < len(tokens) and (tokens[i].text.casefold() in OPENERS or tokens[i].text == ","):
        if tokens[i].text.casefold() in ("he", "she"):
            break
        i += 1
    if i >= len(tokens) or tokens[i].text == QUOTE:
        return nothing
    if (found := _opening(tokens, i, start)) is not None:
        return found
    behind = (_opening(tokens, j, start) for j in _past_commas(tokens, start))
    return next((h for h in behind if h and (h.pronoun or (h.mention and h.mention.name))), nothing)


def _pronoun_before_comma(tokens: Sequence[Token], start: int) -> int:
    """Where "she" is in `In her remarks she thanked`, or 0."""
    for j, token in enumerate(tokens[start : start + MAX_PREPOSED], start):
        if token.text in ("he", "she"):
            return j
        if not token.text[0].isalnum():
            return 0
    return 0


def _past_commas(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """Where a clause may begin behind the commas of a sentence that opens with something else."""
    for j, token in enumerate(tokens[start : start + MAX_FRONTED], start):
        if token.text in _ENDS or token.text == QUOTE:
            return
        following = tokens[j + 1].text if j + 1 < len(tokens) else ""
        if token.text == "," and following.casefold() not in STATES:
            yield j + 1


def _opening(tokens: Sequence[Token], i: int, start: int) -> Head | None:
    """The subject whose words begin at `tokens[i]`, or None."""
    while i < len(tokens) and (tokens[i].text in DETERMINERS or tokens[i].text in _ADVERBS):
        i += 1
    if i >= len(tokens):
        return None
    if tokens[i].text.casefold() in ("he", "she"):
        return Head(None, i, start, tokens[i].text.casefold())
    before = tokens[i - 1].text.casefold() if i else ""
    of_another = is_capital(tokens[i].text) and POSSESSIVE.search(tokens[i].text)
    if (before in DETERMINERS or of_another) and (named := _renamed(tokens, i, start)) is not None:
        return named
    if is_capital(tokens[i].text):
        mention = mention_after(tokens, i)
        if mention is None or not (mention.name or mention.post):
            return None
        after = i + len(mention.post) + len(mention.name)
        noun = tokens[after].text if after < len(tokens) else ""
        if noun in BODIES_OF_MANY:
            return Head(SOMETHING, i, start)
        return Head(SOMEBODY if noun in BODIES else mention, i, start)
    found = _common(tokens, i, start)
    return found if found.mention is not None else None


def _renamed(tokens: Sequence[Token], i: int, start: int) -> Head | None:
    """`His Democratic opponent, Linda Marsh, ...`, `the local chairwoman, Ann Lee, ...`: her."""
    comma = next((j for j, t in enumerate(tokens[i : i + 7], i) if not t.text[0].isalpha()), 0)
    if not comma or tokens[comma].text != ",":
        return None
    mention = mention_after(tokens, comma + 1)
    named = mention is not None and len(mention.name) > 1
    return Head(mention, comma + 1, start) if named else None


def _common(tokens: Sequence[Token], i: int, start: int) -> Head:
    """`The man ...`, `A fisherman ...`: somebody; `the senator`: whoever holds that post."""
    before = tokens[i - 1].text.casefold() if i > start else ""
    mention = mention_after(tokens, i)
    if mention is not None and (mention.post or mention.name) and before in ("the", "his", "her", "their"):
        return Head(mention, i, start)
    end = next((j for j, t in enumerate(tokens[i : i + 6], i) if not t.text.islower()), i)
    if (
        end > i
        and is_capital(tokens[end].text)
        and (
            unnamed(tokens[end - 1].text) == SOMEBODY
            or (is_head(tokens[end].text) and tokens[end - 1].text not in PREPOSITIONS)
        )
    ):
        mention = mention_after(tokens, end)  # "longtime radio host Ann Lee"
        if mention is not None and len(mention.name) > 1:
            return Head(mention, end, start)
    word = tokens[i].text
    found = unnamed(word)
    is_somebody = found == SOMEBODY or (before in INDEFINITE and word.endswith(("er", "or", "man", "ist")))
    return Head(SOMEBODY if is_somebody else None, i, start)
