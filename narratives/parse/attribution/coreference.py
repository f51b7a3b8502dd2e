"""Whose words a quotation gives where no verb of saying tells: by its sentence and the one before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from narratives.parse.attribution.entities import EntityIndex
from narratives.parse.attribution.lexicon import (
    AFTER_NAMES,
    BETWEEN,
    EPITHETS,
    FEMALE,
    MALE,
    MODALS,
    OPENERS,
    OTHERS_WORDS,
    REPLIES,
    RUSSIAN_WOMEN,
    STATES,
)
from narratives.parse.attribution.mentions import (
    DETERMINERS,
    POSSESSIVE,
    QUOTE,
    SOMETHING,
    Head,
    Mention,
    Token,
    head_at,
    is_capital,
    mention_after,
    start_of,
    starts,
)
from narratives.parse.attribution.reporting_clauses import SpeechAct
from narratives.parse.attribution.roster import surname_of

MIN_HEARD = 20  # characters from which a quotation is more than a borrowed word
_BE = ("was", "were", "is", "are", "been", "being", "be")
# "Hobbs is heard saying" is no passive that matters here.
_OVERHEARD = ("heard", "quoted", "caught", "seen", "recorded", "unmoved", "unimpressed", "undeterred")
_INTRODUCING = ("is", "was", "are", "were", "by", "like", "including", "comes", "from", "as", "with")


def implied(tokens: Sequence[Token], cast: EntityIndex) -> tuple[str, Head | None]:
    """The person whose the first long quotation is, or ""; with it the head where that is a pronoun.

    That is the subject of its sentence ("Hobbs ended the night with a promise: ..."); where it is a sentence
    of its own, the subject of the one before, whoever that one introduces ("Then there is Ann Lee."), or the
    owner of a word for speech ("Marsh’s answer was short.").
    """
    at = next((i for i, token in enumerate(tokens) if token.quoted >= MIN_HEARD), 0)
    begins = [i for i in starts(tokens) if i <= at]
    if not at or not begins:
        return "", None
    start = begins[-1]
    if start == at:
        # “...” on its own: but what stands behind it may be a tag that could not be read.
        if len(begins) < 2 or (at + 1 < len(tokens) and tokens[at + 1].text[:1].islower()):
            return "", None
        start = begins[-2]
    if any(_is_others(tokens, i) for i in range(start, at)):
        return "", None
    if whose := _possessor(tokens, start, at, cast):
        return whose, None
    head = head_at(tokens, start)
    name = cast.who(head.mention)
    if name and cast.is_full_name(name):
        return ("" if _suffers(tokens, head, at) else name), None
    if head.pronoun:
        return "", None if _suffers(tokens, head, at) else head
    name = introduced(tokens, start, at, cast)[1] if head.mention is None else ""
    if not name and head.mention is None and tokens[at - 1].text == ":":
        name = _only_one(tokens, start, at, cast)
    return name, None


def _is_others(tokens: Sequence[Token], i: int) -> bool:
    word = tokens[i].text.casefold()
    if word in ("sign", "signs"):
        return tokens[i + 1].text != "of"  # "no sign of backing down"
    return word in OTHERS_WORDS or word == QUOTE


def _only_one(tokens: Sequence[Token], start: int, at: int, cast: EntityIndex) -> str:
    """The only person whom a sentence names: `That prompted Marsh to reply: “...”`."""
    first = (i for i in range(start, at) if is_capital(tokens[i].text) and not is_capital(tokens[i - 1].text))
    names = {cast.who(mention_after(tokens, i)) for i in first} - {""}
    return names.pop() if len(names) == 1 else ""


def introduced(tokens: Sequence[Token], start: int, end: int, cast: EntityIndex) -> tuple[int, str]:
    """Where, and who, a sentence without a person for its subject brings in: `One of them is Ann Lee.`"""
    for i in range(start + 1, end):
        if not is_capital(tokens[i].text) or is_capital(tokens[i - 1].text):
            continue
        mention = mention_after(tokens, i)
        if mention is None or len(mention.name) < 2:
            continue
        after = i + len(mention.post) + len(mention.name)
        name = cast.who(mention)
        follows = [token.text for token in tokens[after : after + 2]]
        is_brought = tokens[i - 1].text in _INTRODUCING and follows[:1] in ([","], ["."], [":"])
        is_described = follows[:1] == [","] and follows[1:] and follows[1] in DETERMINERS
        if name and cast.is_full_name(name) and (is_brought or is_described):
            return i, name
    return start, ""


def _possessor(tokens: Sequence[Token], start: int, at: int, cast: EntityIndex) -> str:
    """Whose answer it is: `Marsh’s answer was short.`"""
    for i in range(start + 1, at):
        if tokens[i].text.casefold() not in REPLIES:
            continue
        for j in range(i, max(i - 3, start), -1):
            if is_capital(tokens[j - 1].text) and POSSESSIVE.search(tokens[j - 1].text):
                first = j - 1
                while first > start and is_capital(tokens[first - 1].text):
                    first -= 1
                mention = mention_after([*tokens[first : j - 1], Token(_bare(tokens[j - 1].text))], 0)
                return cast.who(mention) if mention is not None else ""
    return ""


def _bare(word: str) -> str:
    return POSSESSIVE.sub("", word)


def _suffers(tokens: Sequence[Token], head: Head, at: int) -> bool:
    """Whether the subject is acted upon: `Hobbs was described as “...”`, `Hobbs was greeted by “...”`."""
    words = [token.text.casefold() for token in tokens[head.at : at]]
    pairs = pairwise(words)
    return any(
        before in _BE and word not in _OVERHEARD and word.endswith(("ed", "en", "told", "met", "hit"))
        for before, word in pairs
    )


MIN_BORROWED = 8  # characters of a quotation beside which an act ("called") is a claim


class DiscourseState(NamedTuple):
    """What the paragraphs before leave behind.

    `main` is the person of metadata or title; `recent` are persons, the latest first, "" for one unnamed;
    `asker` is who asked something in the paragraph right before.
    """

    main: str
    talkers: frozenset[str]
    recent: tuple[str, ...]
    asker: str = ""


def begun_small(tokens: list[Token], cast: EntityIndex) -> list[Token]:
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


def with_names(tokens: list[Token], cast: EntityIndex) -> list[Token]:
    """The tokens with `@realAnnLee` as the name that it is of, where there is such a person."""
    out: list[Token] = []
    for i, token in enumerate(tokens):
        name = cast.by_handle(token.text) if i and tokens[i - 1].text == "@" else ""
        if name:
            out[-1:] = [Token(word) for word in name.split()]
        else:
            out.append(token)
    return out


def is_epithet(tokens: Sequence[Token], claim: SpeechAct) -> bool:
    """Whether `the New York businessman` says what stands in quotation marks beside it."""
    the = any(token.text.casefold() == "the" for token in tokens[max(claim.at - 4, 0) : claim.at + 2])
    post = claim.mention.post if claim.mention else ()
    word = post[-1] if post else tokens[claim.at].text
    return the and word.casefold() in EPITHETS and claim.beside >= MIN_BORROWED


def meant(
    tokens: Sequence[Token], claim: SpeechAct, named: Sequence[tuple[int, str]], heard: DiscourseState
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


def subjects_of(tokens: Sequence[Token], cast: EntityIndex) -> list[tuple[int, str]]:
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


def _named_before(
    tokens: Sequence[Token], start: int, head: Head, cast: EntityIndex
) -> list[tuple[int, str]]:
    """Whom the words before a pronoun name: "As for Marsh, she", "After Marsh lost, she"."""
    if any(token.text in ("him", "her", "his") for token in tokens[start : head.at]):
        return []
    found = []
    for i in range(start, head.at):
        if is_capital(tokens[i].text) and not (i > start and is_capital(tokens[i - 1].text)):
            name = cast.who(mention_after(tokens, i))
            found += [(i, name)] * bool(name and cast.is_full_name(name))
    return found


def asked(tokens: Sequence[Token], start: int, end: int, cast: EntityIndex) -> list[tuple[int, str]]:
    """Where, and whom, somebody asks: "When a reporter asked Marsh about it, she laughed"."""
    for i in range(start, end):
        if tokens[i].text.casefold() in ("asked", "pressed", "questioned", "confronted"):
            name = cast.who(mention_after(tokens, i + 1))
            return [(i + 1, name)] if name and cast.is_full_name(name) else []
    return []
