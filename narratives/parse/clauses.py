"""What stands between a subject and its verb of saying, and what only looks like one."""

from __future__ import annotations

from collections.abc import Sequence

from narratives.parse.mentions import (
    DETERMINERS,
    QUOTE,
    Mention,
    Token,
    is_capital,
    mention_before,
    start_of,
    unnamed,
)
from narratives.parse.subjects import Head, starts
from narratives.parse.verbs import BETWEEN, MODALS
from narratives.parse.vocabulary import NOT_NAMES, OCCASIONS, PARTICLES, PREPOSITIONS, STATES, WEEKDAYS

MAX_APPOSITION = 24  # tokens between the commas of "Peskov, the Kremlin spokesman, said"


_WHEN = ("when", "as", "while", "after", "before", "because", "since")


# Before the first word of a clause’s subject.
_BOUNDS = ("and", "but", "that", "when", "while", "as", "then", "mr.", "ms.", "mrs.", "dr.", "the")


def may_stand_between(tokens: Sequence[Token], i: int) -> bool:
    """Whether a word may come between subject and verb: an adverb, a modal, a day, `on Friday night`."""
    word = tokens[i].text.casefold()
    if word in BETWEEN or word in MODALS or word in WEEKDAYS or (word.endswith("ly") and i):
        return True
    following = tokens[i + 1].text.casefold() if i + 1 < len(tokens) else ""
    in_day = word in ("night", "morning", "afternoon", "evening") and i > 0
    if in_day and tokens[i - 1].text.casefold() in WEEKDAYS:
        return True
    return (word == "on" and following in WEEKDAYS) or word in ("tonight", "yesterday", "today")


def is_named(tokens: Sequence[Token], start: int, mention: Mention | None) -> bool:
    """Whether the mention behind `said a` says it: `a smiling Ann Lee`, not `a Lee supporter`."""
    if mention is None or not mention.name:
        return False
    last = next((i for i in range(start, len(tokens)) if tokens[i].text.startswith(mention.name[-1])), start)
    after = tokens[last + 1].text if last + 1 < len(tokens) else ""
    return not (after.isalpha() and after.islower() and unnamed(after) is not None)


def is_in_words(tokens: Sequence[Token], words: Sequence[str], i: int) -> bool:
    start = max((s for s in starts(tokens) if s <= i), default=0)
    opening = words[start : start + 3]
    return opening[:1] == ["in"] and opening[1:2] in (["a"], ["an"]) and set(opening[2:]) <= OCCASIONS


def past_apposition(tokens: Sequence[Token], words: Sequence[str], end: int, only_named: bool = False) -> int:
    """The end of the name in `Peskov, the spokesman, said` and `her aide, Ann Lee, said`, or 0.

    `only_named` wants a name with words about its bearer behind it: `by Ann Lee, a painter, who said`.
    """
    inner = mention_before(tokens, end - 1)
    is_name = inner is not None and len(inner.name) > 1 and not _is_within(words, start_of(tokens, end - 1))
    if only_named and is_name:
        return 0
    first = 0
    for j in range(end - 2, max(end - 2 - MAX_APPOSITION, -1), -1):
        if words[j] in (".", ";", QUOTE):
            break
        if words[j] != ",":
            continue
        outer = mention_before(tokens, j)
        start = start_of(tokens, j)
        within = _is_within(words, start) and not (
            outer and outer.name and outer.name[-1] != tokens[j - 1].text
        )
        # "the firm Nightwatch, which": the name of something within the apposition.
        lone = outer is not None and len(outer.name) == 1 and not outer.post
        before = tokens[start - 1].text if start else ""
        within = within or (lone and before.islower() and before not in _BOUNDS)
        within = within or (outer is not None and outer.loose and before == ",")
        if outer is not None and outer.loose and is_name:
            return end - 1  # "a spokesman for Mr. Marsh, Paul Renner, said"
        if outer is not None and outer.name and (not within or (only_named and words[start - 1] == "by")):
            return j if not only_named or words[j + 1] in DETERMINERS else 0
        if is_name:
            return end - 1
        # `Josh Feld, 24, a student, said`: there may be a name before an earlier comma.
        first = first or (0 if within else j)
    return 0 if only_named else first


def _is_within(words: Sequence[str], start: int) -> bool:
    """Whether what begins at `start` is part of a phrase: "of Ohio", "for the Hobbs campaign"."""
    left = start - 1 - (start > 1 and words[start - 1] in ("the", "a", "an"))
    return left >= 0 and words[left] in PREPOSITIONS


def is_circumstance(tokens: Sequence[Token], words: Sequence[str], end: int, i: int) -> bool:
    """Whether a verb only tells when something else was said: "“...,” they chanted when Marsh spoke"."""
    start = start_of(tokens, end)
    if not start or words[start - 1] not in _WHEN or beside_it(tokens, end - 1, i):
        return False
    return any(t.quoted for t in tokens[:start]) and not any(t.quoted for t in tokens[i:])


def is_beyond(words: Sequence[str], tokens: Sequence[Token], end: int) -> bool:
    """Whether a name only tells who speaks: "two people close to Marsh said"."""
    start = start_of(tokens, end)
    if start > 1 and words[start - 1] == "to" and words[start - 2] == "according":
        return False
    is_day = words[start] in NOT_NAMES or words[start] in STATES
    return start > 1 and words[start - 1] in ("to", "of", "for", "with", "from", "behind") and not is_day


def is_joint(tokens: Sequence[Token], start: int) -> bool:
    """Whether the subject is the second of two: "Putin and Macron said" is neither's own claim."""
    return start > 1 and tokens[start - 1].text == "and" and is_capital(tokens[start - 2].text)


def is_pair(tokens: Sequence[Token], head: Head, i: int) -> bool:
    """Whether the sentence is about two: "Putin and Macron met, saying"."""
    width = len(head.mention.post) + len(head.mention.name) if head.mention else 0
    following = tokens[head.at + width : min(head.at + width + 2, i)]
    return len(following) == 2 and following[0].text == "and" and is_capital(following[1].text)


def may_invert(tokens: Sequence[Token], i: int) -> bool:
    """Whether `said X` may stand at `tokens[i]`: after a quotation, or after a comma if a name follows."""
    before = i - 1
    while before > 0 and tokens[before].text == ",":
        before -= 1
    if before >= 0 and tokens[before].text == QUOTE:
        return True
    follows = i + 1 < len(tokens) and is_capital(tokens[i + 1].text)
    follows = follows and tokens[i + 1].text.casefold() not in WEEKDAYS
    return follows and before >= 0 and before < i - 1


def beside_it(tokens: Sequence[Token], subject: int, verb: int) -> int:
    """Length of the longest quotation right before the subject's words or right after the verb."""
    left = subject
    while left and (
        is_capital(tokens[left - 1].text) or tokens[left - 1].text.casefold() in PARTICLES | {"the"}
    ):
        left -= 1
    near = [*tokens[max(left - 3, 0) : left], *tokens[verb + 1 : verb + 5]]
    return max((token.quoted for token in near), default=0)
