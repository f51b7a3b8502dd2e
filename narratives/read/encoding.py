"""Limits on what is read at once, so that no input, however made, takes memory or time without bound."""

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
MAX_UNPACKED_TABLE_BYTES = 500_000_000  # bytes of a gzipped Parquet file once unpacked, which must be held whole
# Text packs to a third or a tenth; only what was made to burst packs a hundredfold.
MAX_COMPRESSION_RATIO = 100
SAFE_UNPACKED_BYTES = 50_000_000  # bytes that may be unpacked whatever the ratio
MAX_SECONDS = 180.0  # for one page or office file; a PDF of a thousand pages takes half a minute


class LongLineError(ReadError):
    """One line is too long; those after it can still be read."""


class GzipReader(io.RawIOBase):
    """The content of a gzip file; raises ReadError once it turns out to be a bomb."""

    def __init__(self, path: Path) -> None:
        self._packed = gzip.GzipFile(path, "rb")
        self._limit = max(SAFE_UNPACKED_BYTES, MAX_COMPRESSION_RATIO * path.stat().st_size)
        self._done = 0

    def readable(self) -> bool:
        """Always: there is no other use."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Unpack into the buffer."""
        data = self._packed.read(len(buffer))
        self._done += len(data)
        if self._done > self._limit:
            got = f"one that grows more than {MAX_COMPRESSION_RATIO}-fold, beyond {self._limit // 1_000_000} MB"
            raise ReadError("a gzip file of text", got, "If it is sound, unpack it and name the file itself.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file as well."""
        self._packed.close()
        super().close()


def read_within_limit(raw: BinaryIO, limit: int) -> bytes:
    """All bytes of a file that must be held at once; raises ReadError above the limit, without reading on."""
    data = raw.read(limit + 1)
    if len(data) > limit:
        hint = "Split it into several files, or rows of a table."
        raise ReadError(f"a file of up to {limit / 1_000_000:g} MB", "a larger one", hint)
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
        hint = "Leave it out, or give its text as .txt."
        raise ReadError(f"a file that is read within {MAX_SECONDS:g} s", "one that takes longer", hint)

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


class LimitedLines(Iterator[str]):
    """The lines of a text; in place of one above the limit it raises LongLineError, and then goes on.

    `number` is that of the last line, 1-based. A line that is too long is passed over piece by piece.
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
        hint = "Split the document, or check that the file has line ends."
        raise LongLineError(expected, f"a longer one, line {self.number}", hint)


HEAD_BYTES = 8192
# Control characters other than white space: text has hardly any, other files have many.
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
GUESS_SAMPLE_BYTES = 262_144  # from which the encoding of a table is guessed
MIN_NON_UTF8_LINES = 2
_CYRILLIC_RUN = re.compile(rb"[\xc0-\xff\xa8\xb8]{2,}")
MIN_CYRILLIC_LETTERS, MIN_CYRILLIC_SHARE = 8, 0.85  # letters, and their share of the bytes beyond ASCII
MAX_CONTROL_SHARE = 0.01
MIN_CHECKED_BYTES = 1000
_ESCAPED_BYTES = re.compile("[\udc80-\udcff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_bytes(path: Path) -> BinaryIO:
    """Open a file as bytes, unpacking `.gz`.

    Raises OSError, and while reading EOFError or zlib.error, or ReadError for a gzip bomb.
    """
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, io.BufferedReader(GzipReader(path), HEAD_BYTES * 8))
    return path.open("rb")


def decode_text(data: bytes) -> str:
    """The text of a whole file, line ends as `\\n`.

    A byte order mark decides, else UTF-8 if the bytes are valid UTF-8, else the guess of charset-normalizer.
    Raises ReadError where the file is empty or no text.
    """
    encoding = _get_marked_encoding(data)
    if encoding:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            raise _make_decoding_error(f"{error.reason} at byte {error.start}") from error
    else:
        _reject_binary(data)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            _reject_mixed_encodings(data)
            encoding = _guess_encoding(data)
            if not encoding:
                raise _make_decoding_error("bytes that fit no known encoding") from None
            text = data.decode(encoding, errors="replace")
    if "\0" in text:
        raise _make_binary_error("NUL characters")
    if not text.strip():
        raise _make_empty_error()
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def open_text(path: Path, newline: str | None = None, guess: bool = False) -> Iterator[TextIO]:
    """Open a table of text for reading line by line, as UTF-8 or as its byte order mark says.

    With `guess`, a table whose first part is in another encoding all through, as spreadsheets export it, is
    read in that. Bytes that do not fit the encoding come out as lone surrogates, which `is_damaged` finds, so
    that one bad row does not cost the rest. Raises ReadError where the file is empty or binary.
    """
    with open_bytes(path) as raw:
        head = raw.read(GUESS_SAMPLE_BYTES if guess else HEAD_BYTES)
    if not head:
        raise _make_empty_error()
    encoding = _get_marked_encoding(head)
    if not encoding:
        _reject_binary(head[:HEAD_BYTES])
        encoding = _detect_legacy_encoding(head) if guess else ""
    # UTF-16 has no such escape: its errors end the file.
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    with (
        open_bytes(path) as raw,
        io.TextIOWrapper(raw, encoding=encoding or "utf-8", errors=errors, newline=newline) as lines,
    ):
        yield lines


def has_undecoded_bytes(text: str) -> bool:
    """Whether `open_text` met bytes here that are not UTF-8."""
    return _ESCAPED_BYTES.search(text) is not None


def has_byte_order_mark(data: bytes) -> bool:
    """Whether a byte order mark says which encoding this is."""
    return bool(_get_marked_encoding(data))


def _get_marked_encoding(data: bytes) -> str:
    # The mark of UTF-32 starts with that of UTF-16: such a file is refused for its NUL characters.
    return next((name for mark, name in _BOMS if data.startswith(mark)), "")


def _reject_binary(data: bytes) -> None:
    if b"\0" in data:
        raise _make_binary_error("NUL bytes")
    if len(_CONTROL_BYTES.findall(data)) > MAX_CONTROL_SHARE * max(len(data), MIN_CHECKED_BYTES):
        raise _make_binary_error("control characters")


def _reject_mixed_encodings(data: bytes) -> None:
    """Refuse lines in UTF-8 beside lines that are not: any one encoding would garble the one or the other."""
    foreign = 0
    utf8 = False
    for number, line in enumerate(data.splitlines(), 1):
        if not line.isascii():
            try:
                line.decode("utf-8")
                utf8 = True
            except UnicodeDecodeError:
                foreign = foreign or number
        if foreign and utf8:
            hint = "Save the whole file as UTF-8."
            raise ReadError("text in one encoding", f"a mixture: line {foreign} is not UTF-8", hint)


def _detect_legacy_encoding(head: bytes) -> str:
    """The encoding of a table's first part where it is plainly not UTF-8, else ""."""
    foreign = 0
    lines = head.splitlines()
    # The last line may be cut in the middle of a character.
    for line in lines[:-1] if len(head) == GUESS_SAMPLE_BYTES else lines:
        if not line.isascii():
            try:
                line.decode("utf-8")
                return ""
            except UnicodeDecodeError:
                foreign += 1
    # One bad row is a bad row.
    return _guess_encoding(head) if foreign >= MIN_NON_UTF8_LINES or _is_cyrillic(head) else ""


def _guess_encoding(data: bytes) -> str:
    """The likely encoding of bytes that are not UTF-8, or "".

    Russian is told by its bytes, because a few words are too little for charset-normalizer: both encodings of
    it have the letters above 0xC0, but small ones where the other has capitals.
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


def _make_empty_error() -> ReadError:
    return ReadError("a file with content", "an empty file", "Leave it out or fill it.")
