"""What the bare words of a paragraph say: cue phrases, and whether it only asks."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_OFFICE = "(?:president|prime minister|minister|chancellor|ambassador|secretary|chair(?:man|woman)?|speaker)"
_ADDRESS = re.compile(
    rf"\b(?i:you|your|(?:mr|mrs|ms|madam|madame)\.? {_OFFICE})\b"
    # A title and a name at the beginning of a sentence, then a comma: "Mr Smith, what will happen?"
    rf"|(?:^|[.!?]\s)(?:Mr|Mrs|Ms|Madam|Madame|Dr|Professor|General|(?i:{_OFFICE}))\.?(?: [A-Z][\w’'-]+)+,"
)
_THANKS = re.compile(r"(?:\s*\b(?:thank you|thanks|please)\b[^.?!]*[.!]?)+$", re.IGNORECASE)
_ASKING = re.compile(
    r"^question:|\b(?:my (?:next |second |first |other )?question (?:is|relates|concerns)"
    r"|(?:here|this) is my question"
    r"|(?:have|got) (?:a|one|another|two)(?: more)? questions?|there is another (?:related )?question"
    r"|one more question|a question for you|the question is for you|may i ask|let me ask you|i[’']ll ask you"
    r"|i (?:want|would like|wanted) to ask you|(?:can|could) you (?:explain|tell us|comment))\b",
    re.IGNORECASE,
)
_QUOTES = " \"'”’)"


def words(text: str) -> str:
    """Lower-case words with a space before, between and after: whole-word search is then plain `in`.

    Hyphens and apostrophes divide words, so that `Skripal's` holds the cue `Skripal`.
    """
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def is_question_put(text: str) -> bool:
    """Whether an English text puts a question to the speaker: ends by asking "you", or announces one.

    Thanks after the question mark are courtesy, not an answer.
    """
    said = _THANKS.sub("", text.rstrip(_QUOTES)).rstrip(_QUOTES)
    asks = said.endswith("?") and _ADDRESS.search(text) is not None
    return asks or _ASKING.search(text) is not None
