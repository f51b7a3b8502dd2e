"""Vector files of tiny vectors, and writes that are killed half-way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np

from narratives.store import VectorFile, vectors
from narratives.store.vectors import make_key

DIMENSION = 3


def vector_of(text: str) -> np.ndarray:
    """The one unit vector that belongs to a text."""
    numbers = np.frombuffer(make_key(text)[:6] * 2, dtype=np.uint8)[: DIMENSION * 4].view(np.uint32)
    return (numbers / np.linalg.norm(numbers.astype("f8"))).astype("f4")


def vectors_of(texts: list[str]) -> np.ndarray:
    return np.array([vector_of(text) for text in texts], dtype=np.float32).reshape(len(texts), DIMENSION)


def opened(path: Path) -> VectorFile:
    return VectorFile(path / "v", "tiny", "fp32", DIMENSION)


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_after(writes: int, written: int) -> Iterator[None]:
    """Let `writes` writes to the disk succeed, and of the next one only the first `written` bytes."""
    real, done = vectors._write_at, 0

    def write(path: Path, offset: int, data: bytes) -> None:
        nonlocal done
        real(path, offset, data if done < writes else data[:written])
        if done == writes:
            raise Killed
        done += 1

    with patch.object(vectors, "_write_at", write), suppress(Killed):
        yield
