"""Which reader reads which format, what an input's bytes hash to, and how a failed reading is told."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.bounds import MAX_DOCUMENT, read_whole
from narratives.read.encoding import decode, open_bytes
from narratives.read.html import read_html
from narratives.read.office import read_docx, read_pdf
from narratives.read.rows import with_manifest
from narratives.read.tables import read_csv, read_jsonl, read_parquet

# Part of every fingerprint: raise it when the same bytes are to be read another way.
READER_VERSION = 4
# A value that Arrow cannot turn into a Python one is a ValueError or OverflowError; an unknown time zone a
# LookupError.
_UNREADABLE = (OSError, EOFError, zlib.error, ValueError, OverflowError, LookupError, pa.ArrowException)
TABLES = (".jsonl", ".csv", ".parquet")

Reader = Callable[[InputFile, Mapping[str, str]], Iterator[RawDocument | Rejected]]


def read_text(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """A text file is one document, `row` 0; `columns` has no bearing on it."""
    with open_bytes(file.path) as raw:
        text = decode(read_whole(raw, MAX_DOCUMENT))
    yield with_manifest(RawDocument(file.source_path, text=text), file)


READERS: Mapping[str, Reader] = {
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


def format_of(path: Path) -> str:
    """The extension that names the format, in lower case and without `.gz`; may be empty."""
    name = Path(path.name.lower())
    return Path(name.stem).suffix if name.suffix == ".gz" else name.suffix


def check_format(path: Path) -> None:
    """Raise ReadError where no reader reads this kind of file."""
    extension = format_of(path)
    if extension in READERS:
        return
    known = f"one of {' '.join(READERS)} (or its .gz)"
    raise ReadError(known, f"extension {path.suffix or '(none)'}", "Convert the file or leave it out.")


def fingerprint(file: InputFile, columns: Mapping[str, str]) -> str:
    """sha256 (hex) over the file's bytes and everything else that decides what is read from it.

    Namely the format, the manifest's row, the column map and the version of the readers; not the path.
    Raises ReadError where the file has become unreadable.
    """
    terms = [READER_VERSION, format_of(file.path), sorted(file.manifest.items()), sorted(columns.items())]
    digest = hashlib.sha256(json.dumps(terms).encode())
    try:
        with file.path.open("rb") as raw:
            while block := raw.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise unreadable(error) from error
    return digest.hexdigest()


def read_file(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read the documents of one file, row by row; `columns` maps our field to their column.

    What cannot be read comes as Rejected, with the reason in words: one row (`row` as in RawDocument), or the
    file or its remainder (`row` 0). Raises nothing.
    """
    row = count = 0
    try:
        check_format(file.path)
        for item in READERS[format_of(file.path)](file, columns):
            row, count = item.row, count + 1
            yield item
        if not count:
            raise ReadError("at least one row", "none", "Leave the file out or fill it.")
    except ReadError as error:
        yield Rejected(file.source_path, 0, str(error))
    except _UNREADABLE as error:
        reason = str(unreadable(error)) + (f" Rows up to {row} were read." if row else "")
        yield Rejected(file.source_path, 0, reason)


def read_unchanged(file: InputFile, columns: Mapping[str, str], key: str) -> Iterator[RawDocument | Rejected]:
    """`read_file`, sure that all rows are of the content whose fingerprint is `key`.

    Raises ReadError at the end where the file changed while it was read: its rows are then to be thrown away.
    """
    yield from read_file(file, columns)
    if fingerprint(file, columns) != key:
        todo = "Build again once nothing writes to it."
        raise ReadError("a file at rest", "one that changed while it was read", todo)


def unreadable(error: Exception) -> ReadError:
    """What went wrong with the bytes of a file, in words."""
    if isinstance(error, PermissionError):
        return ReadError("a readable file", "permission denied", "Give yourself the right to read it.")
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return ReadError("a whole gzip file", f"a corrupt one ({error})", "Fetch or pack it anew.")
    if isinstance(error, UnicodeError):
        return ReadError("text in UTF-8 or UTF-16", str(error), "Save the file as UTF-8.")
    if isinstance(error, pa.ArrowException):
        return ReadError("a whole Parquet file", f"a corrupt one ({error})", "Write it anew.")
    what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ReadError("a readable file", what, "Check that it is still there and whole.")
