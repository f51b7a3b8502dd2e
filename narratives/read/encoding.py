"""Open and decode files, within limits of memory and time."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO, TextIO, cast

from charset_normalizer import from_bytes

from narratives.model import ReadError

MAX_DOCUMENT_SIZE = 20_000_000  # bytes of one text file, characters of one row; a long book has two million
MAX_UNPACKED_TABLE_BYTES = 500_000_000  # of a gzipped Parquet file, which must be in memory as a whole
# Text is compressed to a third or a tenth; only a gzip bomb is compressed a hundredfold.
MAX_COMPRESSION_RATIO = 100
SAFE_UNPACKED_BYTES = 50_000_000  # bytes that may be unpacked with any ratio
MAX_SECONDS = 180.0  # for one page or office file; a PDF of a thousand pages takes half a minute


class LongLineError(ReadError):
    """One line is too long. The lines after it can still be read."""


class GzipReader(io.RawIOBase):
    """The content of a gzip file. Reading raises ReadError if the file is a gzip bomb."""

    def __init__(self, path: Path) -> None:
        self._packed = gzip.GzipFile(path, "rb")
        self._limit = max(SAFE_UNPACKED_BYTES, MAX_COMPRESSION_RATIO * path.stat().st_size)
        self._done = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Unpack into the buffer."""
        data = self._packed.read(len(buffer))
        self._done += len(data)
        if self._done > self._limit:
            raise make_expansion_error("a gzip file of text", self._limit, "unpack it first")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the reader and the file."""
        self._packed.close()
        super().close()


def make_expansion_error(expected: str, limit: int, remedy: str) -> ReadError:
    """Make the error for a file that unpacks to more than `limit` bytes, as text never does."""
    got = f"one that expands more than {MAX_COMPRESSION_RATIO}-fold, to over {limit // 1_000_000} MB"
    return ReadError(expected, got, f"If you trust the file, {remedy}.")


def read_within_limit(raw: BinaryIO, limit: int) -> bytes:
    """Read all bytes of a file; raises ReadError above the limit, without reading further."""
    data = raw.read(limit + 1)
    if len(data) > limit:
        hint = "Split it into several files, or into rows of a table."
        raise ReadError(f"a file of up to {limit / 1_000_000:g} MB", "a larger one", hint)
    return data


@contextmanager
def limit_time() -> Iterator[None]:
    """Raise ReadError in the block after MAX_SECONDS, but only in the main thread, which can set the alarm."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        hint = "Leave it out, or save its text as .txt."
        raise ReadError(f"a file that can be read within {MAX_SECONDS:g} s", "one that takes longer", hint)

    started, before = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    # Repeated every second, because a parser may catch the error and continue.
    left, interval = signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if left:
            rest = max(left - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


class LimitedLines(Iterator[str]):
    """Iterate over lines. A line above the limit raises LongLineError, and the iteration can continue.

    `number` is the number of the last line, starting at 1.
    """

    def __init__(self, lines: TextIO, limit: int = 0) -> None:
        self._lines, self._limit, self.number = lines, limit or MAX_DOCUMENT_SIZE, 0

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
        hint = "Split the document, or check the line ends of the file."
        raise LongLineError(expected, f"a longer one, line {self.number}", hint)


HEAD_BYTES = 8192
# Control characters other than white space are rare in text and frequent in other files.
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
GUESS_SAMPLE_BYTES = 262_144  # of a table, from which its encoding is guessed
MIN_NON_UTF8_LINES = 2
_CYRILLIC_RUN = re.compile(rb"[\xc0-\xff\xa8\xb8]{2,}")
MIN_CYRILLIC_LETTERS, MIN_CYRILLIC_SHARE = 8, 0.85  # letters, and their share of the bytes beyond ASCII
MAX_CONTROL_SHARE = 0.01
MIN_CHECKED_BYTES = 1000
_ESCAPED_BYTES = re.compile("[\udc80-\udcff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_bytes(path: Path) -> BinaryIO:
    """Open a file as bytes, and unpack `.gz`.

    Raises OSError. Reading may raise EOFError or zlib.error, or ReadError for a gzip bomb.
    """
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, io.BufferedReader(GzipReader(path), HEAD_BYTES * 8))
    return path.open("rb")


def decode_text(data: bytes) -> str:
    """Decode a whole file by its byte order mark, else as UTF-8, else by a guess; line ends become line feeds.

    Raises ReadError if the file is empty or no text.
    """
    marked = _get_marked_encoding(data)
    if not marked:
        _reject_binary(data)
    try:
        text = data.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        if marked:
            raise _make_decoding_error(f"{error.reason} at byte {error.start}") from error
        _reject_mixed_encodings(data)
        guessed = _guess_encoding(data)
        if not guessed:
            raise _make_decoding_error("bytes in an unknown encoding") from None
        text = data.decode(guessed, errors="replace")
    if "\0" in text:
        raise _make_binary_error("NUL characters")
    if not text.strip():
        raise make_empty_error()
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def open_text(path: Path, newline: str | None = None, guess: bool = False) -> Iterator[TextIO]:
    """Open a text table for reading by lines, as UTF-8 or with the encoding of its byte order mark.

    With `guess`, a table that starts in another encoding, as saved by a spreadsheet, is read in that encoding.
    Invalid bytes become lone surrogates, which `has_undecoded_bytes` detects, so that one bad row does not
    spoil the others. Raises ReadError if the file is empty or binary.
    """
    with open_bytes(path) as raw:
        head = raw.read(GUESS_SAMPLE_BYTES if guess else HEAD_BYTES)
    if not head:
        raise make_empty_error()
    encoding = _get_marked_encoding(head)
    if not encoding:
        _reject_binary(head[:HEAD_BYTES])
        encoding = _detect_legacy_encoding(head) if guess else ""
    # UTF-16 has no such escape, so an error ends the reading.
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    with (
        open_bytes(path) as raw,
        io.TextIOWrapper(raw, encoding=encoding or "utf-8", errors=errors, newline=newline) as lines,
    ):
        yield lines


def has_undecoded_bytes(text: str) -> bool:
    """Return whether `open_text` read invalid bytes in this text."""
    return _ESCAPED_BYTES.search(text) is not None


def is_utf8(data: bytes) -> bool:
    """Return whether the data are valid UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def has_byte_order_mark(data: bytes) -> bool:
    """Return whether the data start with a byte order mark."""
    return bool(_get_marked_encoding(data))


def _get_marked_encoding(data: bytes) -> str:
    # The mark of UTF-32 starts with that of UTF-16; such a file is rejected for its NUL characters.
    return next((name for mark, name in _BOMS if data.startswith(mark)), "")


def _reject_binary(data: bytes) -> None:
    if b"\0" in data:
        raise _make_binary_error("NUL bytes")
    if len(_CONTROL_BYTES.findall(data)) > MAX_CONTROL_SHARE * max(len(data), MIN_CHECKED_BYTES):
        raise _make_binary_error("control characters")


def _reject_mixed_encodings(data: bytes) -> None:
    """Reject a file with lines in UTF-8 and lines in another encoding, because no encoding fits both."""
    utf8 = {number: is_utf8(line) for number, line in enumerate(data.splitlines(), 1) if not line.isascii()}
    if any(utf8.values()):
        foreign = next(number for number, is_valid in utf8.items() if not is_valid)
        hint = "Save the whole file as UTF-8."
        raise ReadError("text in one encoding", f"a mixture: line {foreign} is not UTF-8", hint)


def _detect_legacy_encoding(head: bytes) -> str:
    """Detect the encoding of the first part of a table; "" if it may be UTF-8."""
    lines = head.splitlines()
    # The last line may end in the middle of a character.
    whole = lines[:-1] if len(head) == GUESS_SAMPLE_BYTES else lines
    beyond_ascii = [line for line in whole if not line.isascii()]
    if any(map(is_utf8, beyond_ascii)):
        return ""
    # A single line may just be damaged.
    return _guess_encoding(head) if len(beyond_ascii) >= MIN_NON_UTF8_LINES or _is_cyrillic(head) else ""


def _guess_encoding(data: bytes) -> str:
    """Guess the encoding of bytes that are not UTF-8, or return "".

    Russian is detected by its bytes, because a few words are not enough for charset-normalizer. Both Russian
    encodings have letters above 0xC0. Where one has small letters, the other has capitals.
    """
    if _is_cyrillic(data):
        small = sum(byte >= 0xE0 for byte in data)
        return "cp1251" if 2 * small >= sum(byte >= 0xC0 for byte in data) else "koi8_r"
    best = from_bytes(data).best()
    return best.encoding if best is not None else ""


def _is_cyrillic(data: bytes) -> bool:
    letters = sum(len(run) for run in _CYRILLIC_RUN.findall(data))
    return letters >= MIN_CYRILLIC_LETTERS and letters >= MIN_CYRILLIC_SHARE * sum(byte >= 0x80 for byte in data)


def _make_binary_error(what: str) -> ReadError:
    return ReadError("text", f"binary content ({what})", "Export the file as plain text in UTF-8.")


def _make_decoding_error(what: str) -> ReadError:
    return ReadError("text in UTF-8 or UTF-16", what, "Save the file as UTF-8.")


def make_empty_error() -> ReadError:
    """Make the error for an empty file."""
    return ReadError("a file with content", "an empty file", "Add text, or leave it out.")
