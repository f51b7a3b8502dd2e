"""Whose words a speaker passes on."""

from __future__ import annotations

from collections.abc import Sequence

from narratives.parse.mentions import QUOTE, Mention, Token, mention_after

_SAYINGS = ("statement", "statements", "words", "remark", "remarks")


def relayed(tokens: Sequence[Token]) -> Mention | None:
    """The person in "the statement of X that" or "Citing X, Y said", whose words the speaker passes on."""
    words = [token.text.casefold() for token in tokens]
    for i in range(len(words) - 2):
        if words[i] in ("citing", "quoting") and (not i or words[i - 1] == "."):
            mention = mention_after(tokens, i + 1)
            if mention is not None and mention.name:
                return mention
        if words[i] in _SAYINGS and words[i + 1] in ("of", "by"):
            end = i + 2
            while end < len(words) and words[end] not in ("that", "who", ":", QUOTE, ".", ",", ";"):
                end += 1
            if end < len(words) and words[end] in ("that", "who", ":", QUOTE):
                mention = mention_after(tokens, i + 2)
                if mention is not None and mention.name:
                    return mention
    return None
