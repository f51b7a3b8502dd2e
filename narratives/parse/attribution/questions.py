"""Find the questions that named persons ask in a transcript."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from narratives.parse.attribution import lexicon
from narratives.parse.attribution.labels import parse_label
from narratives.parse.attribution.roster import Roster, clean_name
from narratives.parse.segmentation import count_words

# The end of a question: a question mark, and at most thanks or "please" after it.
QUESTION_WITH_THANKS = re.compile(
    r"\?[\"”’'»)\]]*(?:\s+(?:thank you|thanks|please|spasibo|go ahead)\b[^?]{0,60})*\s*(?:\([^()]*\)\s*)?$",
    re.IGNORECASE,
)
MAX_QUESTION_WORDS = 250  # of a guest's turn that is a question as a whole if it ends with one


class Turn(NamedTuple):
    """One body paragraph of a transcript; `speaker` is the person who has the turn, or "" for nobody.

    `is_in_text` says that the label is part of the text, not given by the source.
    """

    speaker: str
    text: str
    is_unnamed_question: bool = False
    is_in_text: bool = False


def find_questions(turns: Sequence[Turn], labels: Mapping[str, str], roster: Roster, on: str) -> set[int]:
    """Return the paragraphs that are questions by a named person; `labels` gives the name behind each label.

    A turn is a question if it ends with a question mark (thanks may follow), somebody else speaks next, and an
    official speaks in the text: a person of the roster who is not a journalist. The asker is a journalist, or
    is not on the roster and has no post in any label: officials who ask one another still make statements. In
    a long turn by someone who is not a journalist, only the last paragraph is the question.
    """
    journalists = {name for name in labels.values() if _is_journalist(name, roster, on)}
    officials = {name for name in labels.values() if roster.is_known(name)} - journalists
    if not any(turn.speaker in officials for turn in turns):
        return set()
    posted = {name for label, name in labels.items() if _has_post(label)} - journalists
    posted |= _find_answerers(turns) - journalists
    questions: set[int] = set()
    for start, end in _group_turns(turns):
        name = turns[start].speaker
        if name in officials or name in posted or not QUESTION_WITH_THANKS.search(turns[end - 1].text):
            continue
        if end == len(turns) or not (turns[end].speaker or turns[end].is_unnamed_question):
            continue
        is_short = sum(count_words(turn.text) for turn in turns[start:end]) <= MAX_QUESTION_WORDS
        questions |= set(range(start, end)) if is_short or name in journalists else {end - 1}
    return questions


def _find_answerers(turns: Sequence[Turn]) -> set[str]:
    """Return the persons most of whose turns follow the questions of unnamed askers."""
    taken: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for start, _ in _group_turns(turns):
        taken[turns[start].speaker] += 1
        answered[turns[start].speaker] += start > 0 and turns[start].is_in_text and turns[start - 1].is_unnamed_question
    return {name for name, times in taken.items() if answered[name] > 1 and 2 * answered[name] >= times}


def _group_turns(turns: Sequence[Turn]) -> Iterator[tuple[int, int]]:
    """Yield the turns of one person each, as (first, one past the last)."""
    end = 0
    for speaker, group in groupby(turns, key=lambda turn: turn.speaker):
        start, end = end, end + len(list(group))
        if speaker:
            yield start, end


def _is_journalist(name: str, roster: Roster, on: str) -> bool:
    return any(roster.holds_post(name, head, on) for head in lexicon.INTERVIEWER_HEADS)


def _has_post(label: str) -> bool:
    """Return whether a label gives a post, or stands for a country or group: `Mr. Hale (Vellmar)`."""
    words = {re.sub(r"[’']s$", "", word.casefold()) for word in clean_name(label).split()[:-1]}
    if words & lexicon.INTERVIEWER_HEADS:
        return False
    parts = parse_label(label)
    if parts is None:
        return bool(words & lexicon.ROLE_HEADS)
    after = set(parts.after.casefold().split())
    is_delegate = parts.form == "titled" and parts.bracket[:1].isupper()
    is_posted = bool((words | after) & lexicon.ROLE_HEADS) or "behalf" in after
    return (is_posted or is_delegate) and not after & lexicon.INTERVIEWER_HEADS
