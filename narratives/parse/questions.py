"""Questions by named people: a journalist's or a guest's turn that an official is to answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from narratives.parse.roster import Roster, clean_name
from narratives.parse.settings import ASKED_AND_THANKED, MAX_QUESTION_WORDS, count_words
from narratives.parse.vocabulary import ASKING_HEADS, ROLE_HEADS


class Turn(NamedTuple):
    """One body paragraph of a transcript: who has the turn, "" where nobody is told to have one."""

    speaker: str
    text: str
    is_unnamed_question: bool = False


def find_questions(turns: Sequence[Turn], labels: Mapping[str, str], roster: Roster, on: str) -> set[int]:
    """Which paragraphs are questions by somebody who is named; `labels` are the names behind the labels.

    A turn is one where it ends with a question mark, thanks aside, somebody else speaks next, and the text
    has an official's words in it: those of a person of the roster who is no journalist. It must be a
    journalist's, or that of somebody whom the roster does not have and whom no label gives a post: officials
    who ask one another make statements still. Of a long turn by somebody who is no journalist only the last
    paragraph is the question, the rest being what they came to say.
    """
    journalists = {name for name in labels.values() if _is_journalist(name, roster, on)}
    officials = {name for name in labels.values() if roster.known(name)} - journalists
    if not any(turn.speaker in officials for turn in turns):
        return set()
    posted = {name for label, name in labels.items() if _has_post(label)} - journalists
    found: set[int] = set()
    for start, end in _runs(turns):
        name = turns[start].speaker
        if name in officials or name in posted or not ASKED_AND_THANKED.search(turns[end - 1].text):
            continue
        if end == len(turns) or not (turns[end].speaker or turns[end].is_unnamed_question):
            continue
        whole = name in journalists or _words(turns, range(start, end)) <= MAX_QUESTION_WORDS
        found |= set(range(start, end)) if whole else {end - 1}
    return found


def _runs(turns: Sequence[Turn]) -> Iterator[tuple[int, int]]:
    """The turns of one person each, as (first, one past the last)."""
    start = 0
    for i in range(1, len(turns) + 1):
        if i == len(turns) or turns[i].speaker != turns[start].speaker:
            if turns[start].speaker:
                yield start, i
            start = i


def _words(turns: Sequence[Turn], of: Collection[int]) -> int:
    return sum(count_words(turns[i].text) for i in of)


def _is_journalist(name: str, roster: Roster, on: str) -> bool:
    return any(roster.is_a(name, head, on) for head in ASKING_HEADS)


def _has_post(label: str) -> bool:
    words = {re.sub(r"[’']s$", "", word.casefold()) for word in clean_name(label).split()[:-1]}
    return bool(words & ROLE_HEADS) and not words & ASKING_HEADS
