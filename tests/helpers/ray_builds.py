"""Builds with `--engine ray`, for tests/integration/builds/test_ray_engine.py.

    python -m tests.helpers.ray_builds TEXTS STORE LOG

Builds TEXTS with an encoder that writes what it encodes to LOG and takes its time, in a cluster of two workers.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from narratives.model import EncoderError, Text
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.engines import cluster, ray_engine
from tests.helpers.fakes import FakeEncoder

SMALL_BLOCK = 2048  # bytes, so that a few documents are work for two workers


class WatchedEncoder(FakeEncoder):
    """Writes a line for every text to a log. It can fail, or kill its process once, when it meets a word."""

    def __init__(self, log: Path, seconds: float = 0, fails_at: str = "", dies_at: str = "") -> None:
        super().__init__()
        self._log, self._seconds, self._fails_at, self._dies_at = log, seconds, fails_at, dies_at

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], np.ndarray]]:
        wholes = {text if isinstance(text, str) else text.text for text in texts}
        if self._fails_at and any(self._fails_at in text for text in wholes):
            raise EncoderError("a text without this word", self._fails_at, "Leave it out.")
        if self._dies_at and any(self._dies_at in text for text in wholes):
            died = self._log.with_suffix(".died")
            if not died.exists():
                died.write_text(str(os.getpid()), "utf-8")
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self._seconds * len(wholes))
        yield from super().encode(texts)
        with self._log.open("a", encoding="utf-8") as log:
            log.write("".join(f"{os.getpid()} {text!r}\n" for text in sorted(wholes)))


def read_log(log: Path) -> list[str]:
    """The texts that were encoded, in the order in which they were done."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [line.partition(" ")[2] for line in lines]


def share_little_work() -> None:
    """Let the workers do even the least work, in small blocks."""
    for stage in ray_engine.LEAST_ITEMS:
        ray_engine.LEAST_ITEMS[stage], ray_engine.BLOCK_BYTES[stage] = 1, SMALL_BLOCK


if __name__ == "__main__":
    share_little_work()
    with cluster.open_cluster(2):
        request = BuildRequest((sys.argv[1],), Path(sys.argv[2]), engine="ray")
        build(request, encoder=WatchedEncoder(Path(sys.argv[3]), seconds=0.02))
