"""A tiny encoder: words hashed into a few dimensions, so that like texts lie close and no model is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from narratives import embed
from narratives.model import Text

DIMENSION = 48


class FakeEncoder:
    """Counts what it is asked to encode, and can be told to stop in the middle as Ctrl-C would."""

    def __init__(self, stop_after: int | None = None, batch: int = 16) -> None:
        self.name, self.variant, self.dimension = "fake", "fp32", DIMENSION
        self.languages = frozenset({"en"})
        self.encoded: list[Text] = []
        self._stop_after, self._batch = stop_after, batch

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], np.ndarray]]:
        for start in range(0, len(texts), self._batch):
            if self._stop_after is not None and len(self.encoded) >= self._stop_after:
                raise KeyboardInterrupt
            indices = list(range(start, min(start + self._batch, len(texts))))
            self.encoded += [texts[i] for i in indices]
            yield indices, np.stack([vector(texts[i]) for i in indices])


def use_encoder(monkeypatch: pytest.MonkeyPatch, encoder: FakeEncoder) -> FakeEncoder:
    """Give `encoder` to every command: commands load a model by its name and take no encoder."""
    monkeypatch.setattr(embed, "load_encoder", lambda *_, **__: encoder)
    return encoder


def vector(text: Text) -> np.ndarray:
    """A unit row that depends on the text's words alone."""
    row = np.full(DIMENSION, 0.01)
    for word in str(text).lower().split():
        digest = hashlib.sha256(word.encode()).digest()
        row[digest[0] % DIMENSION] += 1.0 if digest[1] % 2 else -1.0
    return (row / np.linalg.norm(row)).astype(np.float32)
