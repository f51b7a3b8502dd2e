"""Turn labels: `Question:`, `Maria Zakharova:`, `President of France Emmanuel Macron (retranslated):`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from narratives.parse.roster import Roster, clean_name
from narratives.parse.settings import (
    count_words,
)
from narratives.parse.vocabulary import (
    ANSWER_LABELS,
    NAME_PREFIXES,
    NOT_NAMES,
    OPENERS,
    PARTICLES,
    QUESTION_LABELS,
    ROLE_HEADS,
    THINGS,
)

MAX_LABEL_WORDS = 20
MIN_TURN_WORDS = 4

_LABEL = re.compile(r"(?P<label>[A-ZÀ-ÖØ-ÞА-ЯЁ][^:“”\"?!;]{0,150}):\s+(?P<rest>\S.*)", re.DOTALL)
_SMALL = PARTICLES | {"of", "the", "and", "for", "in", "on", "at", "to"}


def is_question_label(label: str) -> bool:
    """Whether a label stands for someone who asks, unnamed: Question, Remark, From the audience."""
    return clean_name(label).casefold() in QUESTION_LABELS


def is_answer_label(label: str) -> bool:
    """Whether a label stands for whoever answers, unnamed."""
    return clean_name(label).casefold() in ANSWER_LABELS


def find_turns(texts: Sequence[str], roster: Roster, marked: Sequence[bool] = ()) -> list[str]:
    """For every text its turn label, or "" where it opens with none.

    `marked` tells for every text whether the page itself sets the label off, in bold: then a name needs no
    other evidence, and a surname that comes back will do.

    Unnamed askers and names of the roster are labels anywhere. Another name is one when it follows a post,
    or comes back, or the text has other labels: a colon after two capitalised words is often just prose.
    """
    split = [_LABEL.fullmatch(text) for text in texts]
    sure: list[bool] = []
    shaped: list[str] = []
    bold = Counter(m["label"] for m, b in zip(split, marked, strict=False) if m and b)
    for i, match in enumerate(split):
        label = match["label"] if match else ""
        set_off = i < len(marked) and marked[i] and (_is_name(label) or _is_surname(label, bold[label]))
        sure.append(set_off or (bool(match) and _is_sure(label, match["rest"] if match else "", roster)))
        shaped.append(label if match and _is_name(label) and _is_turn(match["rest"]) else "")
    often = Counter(label for label in shaped if label)
    several = sum(sure) >= 2
    return [
        match["label"] if match and (certain or (label and (several or often[label] > 1))) else ""
        for match, certain, label in zip(split, sure, shaped, strict=True)
    ]


def _is_surname(label: str, times: int) -> bool:
    return times > 1 and label.isalpha() and label.casefold() not in THINGS | NOT_NAMES | OPENERS


def _is_sure(label: str, rest: str, roster: Roster) -> bool:
    if is_question_label(label) or is_answer_label(label):
        return True
    if len(label.split()) > MAX_LABEL_WORDS or not _is_turn(rest):
        return False
    if roster.known(clean_name(label)) or (_is_name(label) and roster.known(roster.resolve(label))):
        return True
    return _is_name(label) and any(w.casefold() in ROLE_HEADS for w in clean_name(label).split()[:-2])


def _is_turn(rest: str) -> bool:
    # `Minister of Justice: Konstantin Chuichenko.` is an entry of a list.
    words = rest.split()
    entry = len(words) > 1 and all(word[:1].isupper() for word in words)
    return count_words(rest) >= MIN_TURN_WORDS or (not entry and rest.endswith((".", "!", "?", "…", ",")))


def _is_name(label: str) -> bool:
    words = clean_name(label).replace("’s ", " ").split()
    if not 2 <= len(words) <= MAX_LABEL_WORDS or words[0].casefold() in OPENERS - {"the"}:
        return False
    if not all(w[:1].isupper() or w[:1].isdigit() or w.casefold() in _SMALL or "-" in w for w in words):
        return False
    ending = [w for w in words[-2:] if w[:1].isupper() and w.casefold() not in ROLE_HEADS | NAME_PREFIXES]
    if words[-1].casefold() in THINGS or (len(words) > 2 and words[-3].casefold() in ("of", "for", "the")):
        return False
    return len(ending) == 2 and all(len(w) > 1 and not w.isupper() for w in ending)
