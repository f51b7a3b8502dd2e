"""Whose words a quotation gives where no verb of saying tells: by its sentence and the one before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from narratives.parse.mentions import DETERMINERS, POSSESSIVE, QUOTE, Token, is_capital, mention_after
from narratives.parse.people import Cast
from narratives.parse.subjects import Head, head_at, starts
from narratives.parse.vocabulary import OTHERS_WORDS, REPLIES

MIN_HEARD = 20  # characters from which a quotation is more than a borrowed word
_BE = ("was", "were", "is", "are", "been", "being", "be")
# "Hobbs is heard saying" is no passive that matters here.
_OVERHEARD = ("heard", "quoted", "caught", "seen", "recorded", "unmoved", "unimpressed", "undeterred")
_INTRODUCING = ("is", "was", "are", "were", "by", "like", "including", "comes", "from", "as", "with")


def implied(tokens: Sequence[Token], cast: Cast) -> tuple[str, Head | None]:
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


def _only_one(tokens: Sequence[Token], start: int, at: int, cast: Cast) -> str:
    """The only person whom a sentence names: `That prompted Marsh to reply: “...”`."""
    first = (i for i in range(start, at) if is_capital(tokens[i].text) and not is_capital(tokens[i - 1].text))
    names = {cast.who(mention_after(tokens, i)) for i in first} - {""}
    return names.pop() if len(names) == 1 else ""


def introduced(tokens: Sequence[Token], start: int, end: int, cast: Cast) -> tuple[int, str]:
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


def _possessor(tokens: Sequence[Token], start: int, at: int, cast: Cast) -> str:
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
