"""Limits on what is read at once, so that no input, however made, takes memory or time without bound."""

from __future__ import annotations

import gzip
import io
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO, TextIO

from narratives.model import ReadError

MAX_DOCUMENT = 20_000_000  # bytes of one text file, characters of one row; a long book has two million
MAX_PACKED_TABLE = 500_000_000  # bytes of a gzipped Parquet file once unpacked, which must be held whole
# Text packs to a third or a tenth; only what was made to burst packs a hundredfold.
MAX_RATIO = 100
HARMLESS = 50_000_000  # bytes that may be unpacked whatever the ratio
MAX_SECONDS = 180.0  # for one page or office file; a PDF of a thousand pages takes half a minute


class LongLineError(ReadError):
    """One line is too long; those after it can still be read."""


class Unpacking(io.RawIOBase):
    """The content of a gzip file; raises ReadError once it turns out to be a bomb."""

    def __init__(self, path: Path) -> None:
        self._packed = gzip.GzipFile(path, "rb")
        self._limit = max(HARMLESS, MAX_RATIO * path.stat().st_size)
        self._done = 0

    def readable(self) -> bool:
        """Always: there is no other use."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Unpack into the buffer."""
        data = self._packed.read(len(buffer))
        self._done += len(data)
        if self._done > self._limit:
            got = f"one that grows more than {MAX_RATIO}-fold, beyond {self._limit // 1_000_000} MB"
            raise ReadError("a gzip file of text", got, "If it is sound, unpack it and name the file itself.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file as well."""
        self._packed.close()
        super().close()


def read_whole(raw: BinaryIO, limit: int) -> bytes:
    """All bytes of a file that must be held at once; raises ReadError above the limit, without reading on."""
    data = raw.read(limit + 1)
    if len(data) > limit:
        todo = "Split it into several files, or rows of a table."
        raise ReadError(f"a file of up to {limit / 1_000_000:g} MB", "a larger one", todo)
    return data


@contextmanager
def time_limit() -> Iterator[None]:
    """Raise ReadError within, once it has taken longer than MAX_SECONDS.

    It needs the alarm clock of the process, which the main thread alone may set: elsewhere it has no effect.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        todo = "Leave it out, or give its text as .txt."
        raise ReadError(f"a file that is read within {MAX_SECONDS:g} s", "one that takes longer", todo)

    started, before = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    # Again every second: a parser may take the error for one of its own, and go on.
    left, interval = signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if left:
            rest = max(left - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


class Lines(Iterator[str]):
    """The lines of a text; in place of one above the limit it raises LongLineError, and then goes on.

    `number` is that of the last line, 1-based. A line that is too long is passed over piece by piece.
    """

    def __init__(self, lines: TextIO, limit: int = 0) -> None:
        self._lines, self._limit, self.number = lines, limit or MAX_DOCUMENT, 0

    def __next__(self) -> str:
        line = self._lines.readline(self._limit + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) <= self._limit or line[-1] in "\r\n":
            return line
        while line and line[-1] not in "\r\n":
            line = self._lines.readline(self._limit + 1)
        expected = f"lines of up to {self._limit / 1_000_000:g} million characters"
        todo = "Split the document, or check that the file has line ends."
        raise LongLineError(expected, f"a longer one, line {self.number}", todo)
