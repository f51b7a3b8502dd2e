"""Open and decode files, within limits of memory and time."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import signal
import threading
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NamedTuple, TextIO, cast

from narratives.model import ReadError
from narratives.read import charsets

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


def is_locked(member: zipfile.ZipInfo) -> bool:
    """Return whether a member of a zip archive needs a password."""
    return bool(member.flag_bits & 1)


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
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
SCANNED_BYTES = 65_536  # that are checked at once; MAX_RUNS end the scan of a large file
MAX_CARRIED_BYTES = 65_536  # of a run beyond ASCII that a chunk cuts
MAX_RUNS = 5000  # of bytes beyond ASCII that decide about an encoding
MIN_UTF8_SHARE = 0.05  # share of runs that are valid UTF-8, from which other runs are damage and not the encoding
_BEYOND_ASCII = bytes(range(0x80, 0x100))
_RUN_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
UTF16_SPACES = (" ", "\n", "\t", ",", ";")
MIN_UTF16_SPACE_SHARE = 0.01  # of the characters in text; read in the wrong byte order, it has none
MAX_UTF16_BLOCKS, MIN_UTF16_USUAL_SHARE = 3, 0.9  # blocks of 256 characters with nearly all of a text
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


class TextEncoding(NamedTuple):
    """The encoding of a file: a name for `bytes.decode`, and whether it was guessed."""

    name: str
    is_guess: bool = False


def decode_text(data: bytes) -> str:
    """Decode a whole file by its byte order mark, else as UTF-8, else by a guess; line ends become line feeds.

    Raises ReadError if the file is empty or no text.
    """
    encoding = _detect_encoding([data])
    if encoding.name == "utf-8" or encoding.name in charsets.CANDIDATES:
        _reject_binary(data)
    try:
        text = data.decode(encoding.name, errors="replace" if encoding.is_guess else "strict")
    except UnicodeDecodeError as error:
        if encoding.name != "utf-8":
            raise _make_decoding_error(f"{error.reason} at byte {error.start}") from error
        _reject_mixed_encodings(data)
        raise _make_decoding_error("bytes in an unknown encoding") from None
    if "\0" in text:
        raise _make_binary_error("NUL characters")
    if not text.strip():
        raise make_empty_error()
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def open_text(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a text table for reading by lines, in the encoding of the whole file.

    Invalid bytes become lone surrogates, which `has_undecoded_bytes` detects, so that one bad row does not
    spoil the others. Raises ReadError if the file is empty or binary.
    """
    encoding = detect_encoding(path).name
    # UTF-16 has no such escape, so an error ends the reading.
    errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline=newline) as lines:
        yield lines


def detect_encoding(path: Path) -> TextEncoding:
    """Detect the encoding of a whole text file by its byte order mark, else UTF-8 if valid, else by a guess.

    A file with few damaged bytes is UTF-8, as is one whose encoding cannot be guessed. Memory is bounded. Raises
    ReadError if the file is empty or binary, and what `open_bytes` and reading raise.
    """
    with open_bytes(path) as raw:
        return _detect_encoding(_read_chunks(raw))


def _read_chunks(raw: BinaryIO) -> Iterator[bytes]:
    """Iterate over the bytes of a file in chunks, up to the place where a gzip file breaks off."""
    head = raw.read(HEAD_BYTES)
    if not head:
        raise make_empty_error()
    yield head
    with suppress(EOFError, OSError, zlib.error):  # reported when the rows are read
        yield from iter(lambda: raw.read(SCANNED_BYTES), b"")


def describe_guess(path: Path) -> str:
    """Return the name of the encoding of a text file if it was guessed, else ""."""
    encoding = detect_encoding(path)
    return charsets.NAMES.get(encoding.name, encoding.name) if encoding.is_guess else ""


def _detect_encoding(chunks: Iterable[bytes]) -> TextEncoding:
    counts = _RunCounts()
    carried = b""
    for number, read in enumerate(chunks):
        if not number and (named := _detect_from_start(read)):
            return named
        chunk = carried + read
        # A character of several bytes may be cut at the end of the chunk.
        whole = chunk.rstrip(_BEYOND_ASCII)
        carried = chunk[len(whole) :] if len(chunk) - len(whole) <= MAX_CARRIED_BYTES else b""
        if not counts.add(whole):
            break
    counts.add(carried)
    if counts.invalid * MIN_UTF8_SHARE > counts.valid:
        guessed = charsets.guess_charset(bytes(counts.sample), counts.has_line_feeds)
        if guessed:
            return TextEncoding(guessed, is_guess=True)
    return TextEncoding("utf-8")


class _RunCounts:
    """How many runs of bytes beyond ASCII are valid UTF-8, and a sample of the lines in which some are not."""

    def __init__(self) -> None:
        self.valid = self.invalid = 0
        self.sample = bytearray()
        self.has_line_feeds = False

    def add(self, data: bytes) -> bool:
        """Count the runs in a part of the file; returns whether further parts are needed."""
        self.has_line_feeds = self.has_line_feeds or b"\n" in data
        if data.isascii():
            return True
        for match in islice(_RUN_BEYOND_ASCII.finditer(data), MAX_RUNS):
            if is_utf8(match[0]):
                self.valid += 1
            else:
                self.invalid += 1
        for line in data.splitlines(keepends=True):
            if len(self.sample) < charsets.MAX_SAMPLE_BYTES and not line.isascii():
                self.sample += line[: charsets.MAX_SAMPLE_BYTES]
        return self.valid + self.invalid < MAX_RUNS


def _detect_from_start(chunk: bytes) -> TextEncoding | None:
    """Return the encoding that a byte order mark or the bytes of UTF-16 show; raises ReadError for binary data."""
    if marked := _get_marked_encoding(chunk):
        return TextEncoding(marked)
    if b"\0" in chunk and (unmarked := _detect_unmarked_utf16(chunk)):
        return TextEncoding(unmarked, is_guess=True)
    _reject_binary(chunk[:HEAD_BYTES])
    return None


def _detect_unmarked_utf16(data: bytes) -> str:
    """Return the byte order of UTF-16 without a mark, or "" for other data.

    In the right order, there are spaces, and nearly all characters are of few blocks of 256.
    """
    head = data[: HEAD_BYTES - HEAD_BYTES % 2]
    head = head[: len(head) - len(head) % 2]
    for encoding in ("utf-16-le", "utf-16-be"):
        text = head.decode(encoding, "replace")
        # A pair of surrogates may be cut at the end.
        if "\ufffd" in text[:-1] or _CONTROL_CHARACTERS.search(text):
            continue
        blocks = Counter(ord(character) >> 8 for character in text)
        usual = sum(count for _, count in blocks.most_common(MAX_UTF16_BLOCKS))
        spaces = sum(map(text.count, UTF16_SPACES))
        if spaces >= MIN_UTF16_SPACE_SHARE * len(text) > 0 and usual >= MIN_UTF16_USUAL_SHARE * len(text):
            return encoding
    return ""


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


def _make_binary_error(what: str) -> ReadError:
    return ReadError("text", f"binary content ({what})", "Export the file as plain text in UTF-8.")


def _make_decoding_error(what: str) -> ReadError:
    return ReadError("text in UTF-8 or UTF-16", what, "Save the file as UTF-8.")


def make_empty_error() -> ReadError:
    """Make the error for an empty file."""
    return ReadError("a file with content", "an empty file", "Add text, or leave it out.")
