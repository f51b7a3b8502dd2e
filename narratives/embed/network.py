"""What computes the states of tokens: the networks of the encoder have one interface, and batches are made here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from narratives.model.text import TextPart, VectorArray, find_sentences

Features: TypeAlias = dict[str, NDArray[np.int64]]

# Measured with 1, 4, 8, 16 and 32 rows per batch: none is faster than 8, and few rows are wasted on padding.
BATCH_ROWS = 8
TOKEN_STEP = 16
MAX_TOKENS = 512
# Texts that are tokenised and sorted together.
CHUNK_TEXTS = 2048


class Network(Protocol):
    """A network that gives each token of a text a state.

    `pools_tokens` says whether a text's vector is the mean of the states of its tokens. `workers` is the number of
    batches that are computed at the same time, one thread each.
    """

    workers: int
    pools_tokens: bool

    def make_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[Piece], Features]]:
        """Cut texts into batches of one padded length each, with the features that the network takes."""

    def start_thread(self) -> None:
        """Prepare a thread that will compute batches."""

    def compute(self, features: Features, count: int) -> list[VectorArray]:
        """Compute the states (t, d) of the tokens of each of the first `count` rows."""


def multiplies_bf16() -> bool:
    """Whether this CPU multiplies numbers in bf16, which is about twice as fast as in fp32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        return False
    return any(name in flags for name in ("amx_bf16", "avx512_bf16"))


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text `row` that the model reads in one go; the text has `count` pieces.

    `start` is where it begins in the text; `offsets` (t, 2) are the characters of its tokens, in the piece.
    """

    row: int
    count: int
    start: int
    offsets: NDArray[np.int64]

    def find_tokens(self, part: TextPart) -> tuple[int, int]:
        """Return the first and the last token of a part, plus one; tokens without characters belong to no part."""
        begins, ends = self.offsets.T + self.start
        inside = np.flatnonzero((ends > part.start) & (begins < part.end) & (ends > begins))
        return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)


class Tokens(NamedTuple):
    """The tokens of one text: lists by the name of the feature, and characters (t, 2), empty where not known."""

    features: Mapping[str, Sequence[int]]
    offsets: NDArray[np.int64]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.features["input_ids"])


class Tokeniser(Protocol):
    """Cuts texts into tokens. `limit` is how many the model reads, of which `reserved` are in every text."""

    limit: int
    reserved: int

    def cut(self, texts: Sequence[str], *, truncate: bool = False) -> list[Tokens]:
        """Return the tokens of each text; with `truncate` at most `limit`."""

    def pad(self, rows: Sequence[Tokens], length: int) -> Features:
        """Return arrays (r, length) of the features of rows."""


def make_batches(tokeniser: Tokeniser, texts: Sequence[str]) -> Iterator[tuple[list[Piece], Features]]:
    """Cut texts into batches of `BATCH_ROWS` rows of one padded length; empty rows fill the last of each length."""
    [filler] = tokeniser.cut([""])
    for start in range(0, len(texts), CHUNK_TEXTS):
        by_length: dict[int, list[tuple[Piece, Tokens]]] = {}
        for piece, tokens in _cut_into_pieces(tokeniser, texts[start : start + CHUNK_TEXTS], start):
            length = -(-tokens.number // TOKEN_STEP) * TOKEN_STEP
            by_length.setdefault(length, []).append((piece, tokens))
        for length, members in sorted(by_length.items()):
            for first in range(0, len(members), BATCH_ROWS):
                batch = members[first : first + BATCH_ROWS]
                rows = [tokens for _, tokens in batch] + [filler] * (BATCH_ROWS - len(batch))
                yield [piece for piece, _ in batch], tokeniser.pad(rows, length)


def _cut_into_pieces(tokeniser: Tokeniser, texts: Sequence[str], first_row: int) -> Iterator[tuple[Piece, Tokens]]:
    """Yield the pieces of all texts, with their tokens."""
    for row, (text, whole) in enumerate(zip(texts, tokeniser.cut(texts), strict=True), first_row):
        if whole.number <= tokeniser.limit:
            yield Piece(row, 1, 0, whole.offsets), whole
            continue
        spans = [(0, len(text))]
        if len(whole.offsets):
            spans = _divide(text, whole.offsets, tokeniser.limit - tokeniser.reserved)
        parts = tokeniser.cut([text[start:end] for start, end in spans], truncate=True)
        for (start, _), tokens in zip(spans, parts, strict=True):
            yield Piece(row, len(spans), start, tokens.offsets), tokens


def _divide(text: str, offsets: NDArray[np.int64], limit: int) -> list[tuple[int, int]]:
    """Divide a text into pieces of at most `limit` tokens, between sentences where possible."""
    begins = offsets[:, 0][offsets[:, 1] > np.maximum(offsets[:, 0], 0)]
    ends = [*(start for start, _ in find_sentences(text)[1:]), len(text)]
    cuts, done = [0], 0
    while len(begins) - done > limit:
        last = int(begins[done + limit])  # where the first token that is too much begins
        cuts.append(max((end for end in ends if cuts[-1] < end <= last), default=last))
        done = int(np.searchsorted(begins, cuts[-1]))
    return list(pairwise([*cuts, len(text)]))
