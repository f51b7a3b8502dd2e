"""Sentences, two-sentence windows, words and questions of a text; the interface of an encoder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import sentencex
from numpy.typing import NDArray


class TextPart(NamedTuple):
    """The characters of a text from `start` to `end`, for which a vector is made while the whole text is encoded."""

    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.text[self.start : self.end]


Text: TypeAlias = str | TextPart
VectorArray = NDArray[np.float32]
FloatArray = NDArray[np.float64]
EmbedFunction = Callable[[Sequence[Text]], VectorArray]


class VectorRows(Protocol):
    """Unit rows (n, d) float32: an array, or a part of a file that gives arrays of the rows that are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows and of columns."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, rows: Any, /) -> VectorArray:  # noqa: ANN401  # an index, a slice, or an array of either kind
        """Return these rows as an array; one of them alone as (d,)."""


LoadFunction = Callable[[Sequence[Text]], VectorRows]


def split_windows(text: str) -> list[str]:
    """Split `text` into all pairs of consecutive sentences; `[text]` if it has at most two sentences.

    A claim often spans two sentences ("They say so every year. It is a lie."), and a long paragraph dilutes
    it. The best window therefore represents the paragraph (passage-level evidence, Callan, SIGIR 1994).
    """
    spans = find_sentences(text)
    if len(spans) <= 2:
        return [text]
    return [text[start:end] for (start, _), (_, end) in pairwise(spans)]


def embed_passages(texts: Sequence[str], embed: EmbedFunction) -> tuple[VectorArray, list[VectorArray]]:
    """Return the unit rows (n, d) of the texts, and those (w, d) of the windows of each (`split_windows`).

    A window's vector is the mean of those of its two sentences, weighted by their lengths.
    """
    parts = [own if len(own) > 2 else [] for own in map(split_sentences, texts)]
    rows = embed([*texts, *(part for own in parts for part in own)])
    whole, sentences = rows[: len(texts)], np.split(rows[len(texts) :], np.cumsum([len(own) for own in parts])[:-1])
    windows = []
    for row, own, vectors in zip(whole, parts, sentences, strict=True):
        if not own:
            windows.append(row[None])
            continue
        weighted = vectors * np.array([[len(str(part))] for part in own], np.float32)
        pairs = weighted[:-1] + weighted[1:]
        windows.append(pairs / np.linalg.norm(pairs, axis=1, keepdims=True))
    return whole, windows


def split_sentences(text: str) -> list[Text]:
    """Split `text` into its sentences; `[text]` if it is a single one."""
    return [take_part(text, start, end) for start, end in find_sentences(text)]


def take_part(text: str, start: int, end: int) -> Text:
    """Return the part of `text` from `start` to `end`, or `text` if that is all of it."""
    return text if (start, end) == (0, len(text)) else TextPart(text, start, end)


@lru_cache(maxsize=65_536)  # a build asks three times for those of each statement
def find_sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Find the start and end of each sentence, without the spaces around it."""
    spans = []
    for sentence in sentencex.get_sentence_boundaries("en", text):
        start, content = sentence["start_index"], sentence["text"].strip()
        if content:
            start = text.index(content, start)
            spans.append((start, start + len(content)))
    return tuple(spans)


ALPHABETIC_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:[-'’][^\W\d_]+)*")

# Forms of address, courtesies and common words of speeches, in addition to the usual stop words.
EXTRA_STOP_WORDS = """
also colleague colleagues course did didn't do does doesn't don't friends gentlemen good help
important it's ladies let like madam matter matters minister mr mrs ms need people president prime
question questions said say says sir thank thanks that's thing things think time today want we're
we've will work would year years yes you're
"""


@cache
def load_stop_words() -> frozenset[str]:
    """Load the English stop words, with those of speeches."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS) | frozenset(EXTRA_STOP_WORDS.split())


_ALPHANUMERIC_RUN = re.compile(r"[^\W_]+")
_OFFICE_TITLE = "(?:president|prime minister|minister|chancellor|ambassador|secretary|chair(?:man|woman)?|speaker)"
_DIRECT_ADDRESS = re.compile(
    rf"\b(?i:you|your|(?:mr|mrs|ms|madam|madame)\.? {_OFFICE_TITLE})\b"
    # A title and a name at the start of a sentence, then a comma: "Mr Smith, what will happen?"
    rf"|(?:^|[.!?]\s)(?:Mr|Mrs|Ms|Madam|Madame|Dr|Professor|General|(?i:{_OFFICE_TITLE}))\.?(?: [A-Z][\w’'-]+)+,"
)
_CLOSING_THANKS = re.compile(r"(?:\s*\b(?:thank you|thanks|please)\b[^.?!]*[.!]?)+$", re.IGNORECASE)
_QUESTION_PHRASE = re.compile(
    r"^question:|\b(?:my (?:next |second |first |other )?question (?:is|relates|concerns)"
    r"|(?:here|this) is my question"
    r"|(?:have|got) (?:a|one|another|two)(?: more)? questions?|there is another (?:related )?question"
    r"|one more question|a question for you|the question is for you|may i ask|let me ask you|i[’']ll ask you"
    r"|i (?:want|would like|wanted) to ask you|(?:can|could) you (?:explain|tell us|comment))\b",
    re.IGNORECASE,
)
_QUESTION_WORDS = "question", "ask", "can you", "could you"  # each phrase has one of them
_QUOTE_MARKS = " \"'”’)"


def normalise_words(text: str) -> str:
    """Return the lower-case words with spaces around each, so that `in` finds whole words.

    Hyphens and apostrophes separate words, so that `Skripal's` contains the cue `Skripal`.
    """
    return f" {' '.join(_ALPHANUMERIC_RUN.findall(text.casefold()))} "


def is_question_to_speaker(text: str) -> bool:
    """Return whether an English text asks the speaker: it ends with a question to "you", or announces one.

    Thanks after the question mark are ignored.
    """
    if "?" in text:  # without one the slower searches would find nothing
        question = _CLOSING_THANKS.sub("", text.rstrip(_QUOTE_MARKS)).rstrip(_QUOTE_MARKS)
        if question.endswith("?") and _DIRECT_ADDRESS.search(text):
            return True
    lower = text.lower()
    return any(word in lower for word in _QUESTION_WORDS) and _QUESTION_PHRASE.search(text) is not None


class Encoder(Protocol):
    """A model that turns texts into vectors. Tests pass a small fake."""

    @property
    def name(self) -> str:
        """The name of the model, which is the key of its stored vectors."""

    @property
    def variant(self) -> str:
        """The arithmetic, `fp32` or `bf16`. Vectors of different variants must not be mixed."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages the model reads."""

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield batches of (indices into `texts`, unit rows of shape (n, dimension)); each index occurs once.

        A text and its parts are encoded together, if the model allows it.
        """
