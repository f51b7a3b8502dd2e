"""Who says something in a paragraph: subjects of verbs of saying, outside its quotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from narratives.parse.people import QUOTE, Mention, Token, is_capital, mention_after, mention_before
from narratives.parse.settings import ACTING, BETWEEN, INVERTIBLE, PARTICLES, QUOTING, SAYING

MAX_APPOSITION = 14  # tokens between the commas of "Peskov, the Kremlin spokesman, said"

_INSIDE = PARTICLES | {"the"}
_PASSIVE = ("was", "is", "were", "been", "being")
_SAYINGS = ("statement", "statements", "words", "remark", "remarks")


@dataclass(frozen=True, slots=True)
class Claim:
    """One act of saying.

    `mention` is None for a pronoun; `at` is the place of the subject among the tokens; `sure` tells verbs of
    saying from acts ("dismissed"); `aside` marks a relative clause ("Putin, who said"); `beside` is the
    length of the quotation next to it; `quotes` is the person whose words the subject passes on.
    """

    mention: Mention | None
    at: int
    sure: bool
    aside: bool = False
    beside: int = 0
    quotes: Mention | None = None


def find_claims(tokens: Sequence[Token]) -> list[Claim]:
    """The acts of saying in a paragraph, in order."""
    words = [token.text.casefold() for token in tokens]
    claims: list[Claim] = []
    for i, word in enumerate(words):
        following = words[i + 1] if i + 1 < len(words) else ""
        if word == "according" and following == "to":
            _add(claims, tokens, mention_after(tokens, i + 2), i, sure=True)
        elif word == "as" and following in ("saying", "telling", "stating"):
            _cited(claims, tokens, words, i)
        elif word == "in" and words[i + 2 : i + 4] in (["interview", "to"], ["interview", "with"]):
            # "..., Peskov in an interview to RT": news drops the verb.
            if i and is_capital(tokens[i - 1].text):
                _add(claims, tokens, mention_before(tokens, i), i - 1, sure=True)
        elif tokens[i].text == word and (word in SAYING or word in ACTING or word in QUOTING):
            # In small letters only: "the United States" and "Claims Conference" are no verbs.
            _by_verb(claims, tokens, words, i)
    return claims


def relayed(tokens: Sequence[Token]) -> Mention | None:
    """The person in "the statement of X that", whose words the speaker of the paragraph passes on."""
    words = [token.text.casefold() for token in tokens]
    for i in range(len(words) - 2):
        if words[i] in _SAYINGS and words[i + 1] in (
            "of",
            "by",
        ):
            end = i + 2
            while end < len(words) and words[end] not in ("that", "who", ":", QUOTE, ".", ",", ";"):
                end += 1
            if end < len(words) and words[end] in ("that", "who", ":", QUOTE):
                mention = mention_after(tokens, i + 2)
                if mention is not None and mention.name:
                    return mention
    return None


def _by_verb(claims: list[Claim], tokens: Sequence[Token], words: Sequence[str], i: int) -> None:
    word = words[i]
    if words[i + 1 : i + 3] == ["as", "saying"]:
        return  # the passive is read at "as saying"
    sure = word in SAYING
    if word in INVERTIBLE and _after_quote(tokens, i):
        mention = mention_after(tokens, i + 1)
        if mention is not None:
            _add(claims, tokens, mention, i, sure=True)
            return
    end = i
    while end and (words[end - 1] in BETWEEN or (words[end - 1].endswith("ly") and end > 1)):
        end -= 1
    aside = bool(end) and words[end - 1] == "who"
    if aside:
        end -= 1
        end -= bool(end) and words[end - 1] == ","
    elif end and words[end - 1] == ",":
        end = _past_apposition(tokens, words, end)
    if not end:
        return
    if words[end - 1] in ("he", "she"):
        claims.append(Claim(None, end - 1, sure, aside, _beside(tokens, end - 1, i)))
        return
    mention = mention_before(tokens, end)
    if mention is None or _is_joint(tokens, end - len(mention.post) - len(mention.name)):
        return
    quotes = mention_after(tokens, i + 1) if word in QUOTING else None
    named = quotes if quotes is not None and (quotes.name or quotes.post) else None
    if word in QUOTING and "as" in words[i + 1 : i + 12] and "saying" in words[i + 1 : i + 12]:
        return
    _add(claims, tokens, mention, end - 1, sure or named is not None, aside, i, named)


def _cited(claims: list[Claim], tokens: Sequence[Token], words: Sequence[str], i: int) -> None:
    """`X cited Y as saying`, `Y was quoted by X as saying`: Y speaks; a person X passes it on."""
    verb = next((j for j in range(i - 1, max(i - 14, -1), -1) if words[j] in QUOTING), None)
    if verb is None:
        return
    passive = verb and (words[verb - 1] in _PASSIVE)
    if passive:
        end = verb
        while end and (words[end - 1] in BETWEEN or words[end - 1] in _PASSIVE):
            end -= 1
        _add(claims, tokens, mention_before(tokens, end), max(end - 1, 0), sure=True, verb=i)
        return
    cited = mention_after(tokens, verb + 1)
    end = verb
    while end and words[end - 1] in BETWEEN:
        end -= 1
    quoting = mention_before(tokens, end)
    if quoting is not None and quoting.name and cited is not None:
        claims.append(Claim(quoting, end - 1, True, quotes=cited, beside=_beside(tokens, end - 1, i)))
    else:
        _add(claims, tokens, cited, verb, sure=True, verb=i)


def _add(
    claims: list[Claim],
    tokens: Sequence[Token],
    mention: Mention | None,
    at: int,
    sure: bool,
    aside: bool = False,
    verb: int = -1,
    quotes: Mention | None = None,
) -> None:
    if mention is not None:
        beside = _beside(tokens, at, verb if verb >= 0 else at)
        claims.append(Claim(mention, at, sure, aside, beside, quotes))


def _past_apposition(tokens: Sequence[Token], words: Sequence[str], end: int) -> int:
    """The end of the name in `Peskov, the spokesman, said` and `her aide, Ann Lee, said`, or 0."""
    for j in range(end - 2, max(end - 2 - MAX_APPOSITION, -1), -1):
        if words[j] in (".", ";", QUOTE):
            return 0
        if words[j] == ",":
            outer, inner = mention_before(tokens, j), mention_before(tokens, end - 1)
            named_within = inner is not None and len(inner.name) > 1 and not (outer and outer.name)
            return end - 1 if named_within else j
    return 0


def _is_joint(tokens: Sequence[Token], start: int) -> bool:
    """Whether the subject is the second of two: "Putin and Macron said" is neither's own claim."""
    return start > 1 and tokens[start - 1].text == "and" and is_capital(tokens[start - 2].text)


def _after_quote(tokens: Sequence[Token], i: int) -> bool:
    before = i - 1
    while before > 0 and tokens[before].text == ",":
        before -= 1
    return before >= 0 and tokens[before].text == QUOTE


def _beside(tokens: Sequence[Token], subject: int, verb: int) -> int:
    """Length of the longest quotation right before the subject's words or right after the verb."""
    left = subject
    while left and (
        is_capital(tokens[left - 1].text) or tokens[left - 1].text.casefold() in PARTICLES | {"the"}
    ):
        left -= 1
    near = [*tokens[max(left - 3, 0) : left], *tokens[verb + 1 : verb + 5]]
    return max((token.quoted for token in near), default=0)
