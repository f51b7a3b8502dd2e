"""Whom a report means by "he", "she", "the nominee" or a handle: what earlier words leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from narratives.parse.implied import introduced
from narratives.parse.mentions import QUOTE, SOMETHING, Mention, Token, is_capital, mention_after, start_of
from narratives.parse.people import Cast
from narratives.parse.roster import surname_of
from narratives.parse.speech import Claim
from narratives.parse.subjects import Head, head_at, starts
from narratives.parse.verbs import BETWEEN, MODALS
from narratives.parse.vocabulary import AFTER_NAMES, EPITHETS, FEMALE, MALE, OPENERS, RUSSIAN_WOMEN, STATES

MIN_BORROWED = 8  # characters of a quotation beside which an act ("called") is a claim


class Heard(NamedTuple):
    """What the paragraphs before leave behind.

    `main` is the person of metadata or title; `recent` are persons, the latest first, "" for one unnamed;
    `asker` is who asked something in the paragraph right before.
    """

    main: str
    talkers: frozenset[str]
    recent: tuple[str, ...]
    asker: str = ""


def begun_small(tokens: list[Token], cast: Cast) -> list[Token]:
    """The tokens with small letters for words that only begin a sentence: "Fresh off a rout, Ann Lee"."""
    out = list(tokens)
    for i in starts(tokens):
        after = tokens[i + 1].text if i + 1 < len(tokens) else "."
        word = tokens[i].text
        if not (word.isalpha() and is_capital(word)) or word.isupper() or word.casefold() in OPENERS | STATES:
            continue
        if (word.endswith("ly") or not _may_be_verb(after)) and not cast.is_name(word):
            out[i] = Token(word.casefold())
    return out


def _may_be_verb(word: str) -> bool:
    """Whether a word may follow a name at the beginning of a sentence: a verb, "and", a mark."""
    is_regular = word.endswith(("ed", "s")) and word not in ("across", "towards")
    return not (word.isalpha() and word.islower()) or is_regular or word in AFTER_NAMES | MODALS | BETWEEN


def last_head(tokens: Sequence[Token], at: int) -> Mention | None:
    """The subject of the last sentence before `at` that has one: "Marsh has been there. “...,” she said"."""
    begins = [i for i in starts(tokens) if i < at]
    heads = (head_at(tokens, i).mention for i in reversed(begins))
    return next((mention for mention in heads if mention is not None), None)


def with_names(tokens: list[Token], cast: Cast) -> list[Token]:
    """The tokens with `@realAnnLee` as the name that it is of, where there is such a person."""
    out: list[Token] = []
    for i, token in enumerate(tokens):
        name = cast.by_handle(token.text) if i and tokens[i - 1].text == "@" else ""
        if name:
            out[-1:] = [Token(word) for word in name.split()]
        else:
            out.append(token)
    return out


def is_epithet(tokens: Sequence[Token], claim: Claim) -> bool:
    """Whether `the New York businessman` says what stands in quotation marks beside it."""
    the = any(token.text.casefold() == "the" for token in tokens[max(claim.at - 4, 0) : claim.at + 2])
    post = claim.mention.post if claim.mention else ()
    word = post[-1] if post else tokens[claim.at].text
    return the and word.casefold() in EPITHETS and claim.beside >= MIN_BORROWED


def meant(
    tokens: Sequence[Token], claim: Claim, named: Sequence[tuple[int, str]], heard: Heard
) -> tuple[str, str]:
    """Whom "he" or "she" means: the nearest person before who may be one, and whether the title told."""
    # "Marsh, he said, was late": he is not Marsh.
    is_inserted = claim.at > 1 and tokens[claim.at - 1].text == "," and is_capital(tokens[claim.at - 2].text)
    first = start_of(tokens, claim.at - 1) if is_inserted else claim.at
    limit = first if first in {*starts(tokens)} else claim.at
    here = [name for at, name in sorted(named, reverse=True) if at < limit]
    # Whoever was asked answers.
    earlier = [name for name in heard.recent if name != heard.asker] if heard.asker else heard.recent
    before = [*here, *earlier]
    name = next((name for name in before if not name or _agrees(name, claim.pronoun)), None)
    if name is None and not before and _agrees(heard.main, claim.pronoun):
        return heard.main, "title"
    return name or "", "pronoun"


def _agrees(name: str, pronoun: str) -> bool:
    """Whether a person may be "he" or "she", by the first name; an unknown one may be either."""
    first, last = name.split()[0].casefold() if name else "", surname_of(name).casefold()
    is_man = first in MALE
    is_woman = first in FEMALE or (not is_man and " " in name and last.endswith(RUSSIAN_WOMEN))
    return not (is_woman if pronoun == "he" else is_man)


def subjects_of(tokens: Sequence[Token], cast: Cast) -> list[tuple[int, str]]:
    """Persons at the head of a sentence, "" for somebody unnamed: what "he" may refer to."""
    found: list[tuple[int, str]] = []
    for start in starts(tokens):
        head = head_at(tokens, start)
        name = cast.who(head.mention)
        if name and cast.is_full_name(name):
            found.append((head.at, name))
        elif head.mention is not None and not head.mention.name and cast.is_stranger(head.mention):
            found.append((head.at, ""))
        if head.mention == SOMETHING and (name := cast.who(mention_after(tokens, head.at))):
            found.append((head.at, name))  # "The Marsh campaign notes that she"
        end = next((i for i in range(start, len(tokens)) if tokens[i].text in (".", QUOTE)), len(tokens))
        if head.mention is None and not head.pronoun:
            at, name = introduced(tokens, start, end, cast)
            found += [(at, name)] * bool(name)
        if head.pronoun and head.at > start:
            found += _named_before(tokens, start, head, cast)
        elif not name:
            found += asked(tokens, start, end, cast)
    return found


def _named_before(tokens: Sequence[Token], start: int, head: Head, cast: Cast) -> list[tuple[int, str]]:
    """Whom the words before a pronoun name: "As for Marsh, she", "After Marsh lost, she"."""
    if any(token.text in ("him", "her", "his") for token in tokens[start : head.at]):
        return []
    found = []
    for i in range(start, head.at):
        if is_capital(tokens[i].text) and not (i > start and is_capital(tokens[i - 1].text)):
            name = cast.who(mention_after(tokens, i))
            found += [(i, name)] * bool(name and cast.is_full_name(name))
    return found


def asked(tokens: Sequence[Token], start: int, end: int, cast: Cast) -> list[tuple[int, str]]:
    """Where, and whom, somebody asks: "When a reporter asked Marsh about it, she laughed"."""
    for i in range(start, end):
        if tokens[i].text.casefold() in ("asked", "pressed", "questioned", "confronted"):
            name = cast.who(mention_after(tokens, i + 1))
            return [(i + 1, name)] if name and cast.is_full_name(name) else []
    return []
