"""What a text shows of its names: who is a person, what is a place or a thing, and which posts they have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from narratives.parse.mentions import DETERMINERS, POSSESSIVE, Token, is_capital, is_head
from narratives.parse.verbs import ACTING, SAYING
from narratives.parse.vocabulary import OF_PERSONS, PARTIES

_BREAKS = (".", "?", "!", ":", ";", "—", "–", "*")


def party_of(words: Sequence[str]) -> str:
    """The party that some words name first, or ""."""
    return next((PARTIES[w.casefold()] for w in words if w.casefold() in PARTIES), "")


def things(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words, in small letters, that have an article: "The Enquirer said", "the Democrat"."""
    found = set()
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        has_article = before.text.casefold() in ("the", "a", "an") and is_capital(token.text)
        if has_article and (after.text in (",", ".") or after.text in SAYING | ACTING):
            found.add(token.text.casefold())
    return found


def within_sentences(tokens: Sequence[Token]) -> set[str]:
    """The capitalised words, in small letters, that have a capital though they begin no sentence."""
    pairs = pairwise(tokens)
    return {
        POSSESSIVE.sub("", token.text.casefold())
        for before, token in pairs
        if is_capital(token.text) and before.text not in _BREAKS and not before.quoted
    }


def places(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words that stand where places do: "in Toledo"."""
    found = set()
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        stands = before.text in ("in", "near", "outside", "across") and is_capital(token.text)
        if stands and not is_capital(after.text) and not POSSESSIVE.search(token.text):
            found.add(token.text.casefold())
    return found


def persons(tokens: Sequence[Token]) -> set[str]:
    """Lone capitalised words that stand as persons’ names do: "the Marsh campaign", "Marsh, who"."""
    found = set()
    for token, after, next_but_one in zip(tokens, tokens[1:], [*tokens[2:], Token(".")], strict=False):
        is_ones = after.text in OF_PERSONS or (after.text == "," and next_but_one.text == "who")
        if is_ones and is_capital(token.text):
            found.add(POSSESSIVE.sub("", token.text.casefold()))
    return found


def apposition(tokens: Sequence[Token], end: int) -> tuple[str, ...]:
    """The post in `Ann Lee, the governor of the state,`; empty where none follows."""
    words = [token.text for token in tokens[end : end + 8]]
    if len(words) < 3 or words[0] != ",":
        return ()
    is_ones = POSSESSIVE.search(words[1]) is not None
    if words[1].casefold() not in DETERMINERS and not is_ones:
        return ()
    first = 2 - is_ones
    heads = (i for i, word in enumerate(words[first:], first) if is_head(word) or not word[0].isalpha())
    i = next(heads, 0)
    return tuple(words[first : i + 1]) if i and is_head(words[i]) else ()


def description(tokens: Sequence[Token], start: int) -> tuple[str, ...]:
    """The post in `the Florida senator, Ann Lee,`; empty where none stands before."""
    if start < 3 or tokens[start - 1].text != "," or not is_head(tokens[start - 2].text):
        return ()
    words = [token.text for token in tokens[max(start - 8, 0) : start - 1]]
    first = next((i for i in range(len(words) - 1, -1, -1) if words[i].casefold() in DETERMINERS), -1)
    return tuple(words[first + 1 :]) if first >= 0 else ()
