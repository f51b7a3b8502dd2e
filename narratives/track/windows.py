"""The sentences of a paragraph, and its two-sentence windows: the sentence level of matching."""

from __future__ import annotations

from itertools import pairwise

import sentencex


def windows(text: str) -> list[str]:
    """Every two consecutive sentences of `text`, in order; `[text]` where it has one or two (or none).

    A claim often takes a sentence and its neighbour ("They say so every year. It is a lie."), and a long
    paragraph dilutes it: the best passage speaks for the whole (passage-level evidence, Callan, SIGIR 1994).
    """
    of_text = sentences(text)
    if len(of_text) <= 2:
        return [text]
    return [f"{first} {second}" for first, second in pairwise(of_text)]


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order."""
    found = (sentence.strip() for sentence in sentencex.segment("en", text))
    return [sentence for sentence in found if sentence]
