"""Bytes to text: compression, byte order marks, guessed encodings, and the refusal of binary content."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from charset_normalizer import from_bytes

from narratives.model import ReadError
from narratives.read.bounds import Unpacking

HEAD_BYTES = 8192
# Control characters other than white space: text has hardly any, other files have many.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MAX_CONTROL_SHARE = 0.01
MIN_JUDGED_BYTES = 1000
_ESCAPED = re.compile("[\udc80-\udcff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_bytes(path: Path) -> BinaryIO:
    """Open a file as bytes, unpacking `.gz`.

    Raises OSError, and while reading EOFError or zlib.error, or ReadError for a gzip bomb.
    """
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, io.BufferedReader(Unpacking(path), HEAD_BYTES * 8))
    return path.open("rb")


def decode(data: bytes) -> str:
    """The text of a whole file, line ends as `\\n`.

    A byte order mark decides, else UTF-8 if the bytes are valid UTF-8, else the guess of charset-normalizer.
    Raises ReadError where the file is empty or no text.
    """
    encoding = _marked_encoding(data)
    if encoding:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            raise _undecodable(f"{error.reason} at byte {error.start}") from error
    else:
        _refuse_binary(data)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            _refuse_mixture(data)
            guess = from_bytes(data).best()
            if guess is None:
                raise _undecodable("bytes that fit no known encoding") from None
            text = str(guess)
    if "\0" in text:
        raise _binary("NUL characters")
    if not text.strip():
        raise _empty()
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def open_text(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """Open a table of text for reading line by line, as UTF-8 or as its byte order mark says.

    Bytes that are not UTF-8 come out as lone surrogates, which `is_damaged` finds, so that one bad row does
    not cost the rest. Raises ReadError where the file is empty or binary.
    """
    with open_bytes(path) as raw:
        head = raw.read(HEAD_BYTES)
    if not head:
        raise _empty()
    encoding = _marked_encoding(head)
    if not encoding:
        _refuse_binary(head)
    # UTF-16 has no such escape: its errors end the file.
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    with (
        open_bytes(path) as raw,
        io.TextIOWrapper(raw, encoding=encoding or "utf-8", errors=errors, newline=newline) as lines,
    ):
        yield lines


def is_damaged(text: str) -> bool:
    """Whether `open_text` met bytes here that are not UTF-8."""
    return _ESCAPED.search(text) is not None


def is_marked(data: bytes) -> bool:
    """Whether a byte order mark says which encoding this is."""
    return bool(_marked_encoding(data))


def _marked_encoding(data: bytes) -> str:
    # The mark of UTF-32 starts with that of UTF-16: such a file is refused for its NUL characters.
    return next((name for mark, name in _BOMS if data.startswith(mark)), "")


def _refuse_binary(data: bytes) -> None:
    if b"\0" in data:
        raise _binary("NUL bytes")
    if len(_CONTROL.findall(data)) > MAX_CONTROL_SHARE * max(len(data), MIN_JUDGED_BYTES):
        raise _binary("control characters")


def _refuse_mixture(data: bytes) -> None:
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
            todo = "Save the whole file as UTF-8."
            raise ReadError("text in one encoding", f"a mixture: line {foreign} is not UTF-8", todo)


def _binary(what: str) -> ReadError:
    return ReadError("text", f"binary content ({what})", "Export the file as plain text in UTF-8.")


def _undecodable(what: str) -> ReadError:
    return ReadError("text in UTF-8 or UTF-16", what, "Save the file as UTF-8.")


def _empty() -> ReadError:
    return ReadError("a file with content", "an empty file", "Leave it out or fill it.")
