"""What the bare words of a paragraph say: cue phrases, and whether it only asks."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"\b(?:you|your|mr president|president putin)\b", re.IGNORECASE)
_ASKING = re.compile(
    r"\b(?:my (?:next |second |first |other )?question is|i have a question|a question for you"
    r"|the question is for you|let me ask you|i (?:want|would like|wanted) to ask you)\b",
    re.IGNORECASE,
)


def words(text: str) -> str:
    """Lower-case words with a space before, between and after: whole-word search is then plain `in`.

    Hyphens and apostrophes divide words, so that `Skripal's` holds the cue `Skripal`.
    """
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def is_question_put(text: str) -> bool:
    """Whether an English text puts a question to the speaker: ends by asking "you", or announces one."""
    asks = text.rstrip(" \"'”’)").endswith("?") and _ADDRESS.search(text) is not None
    return asks or _ASKING.search(text) is not None
