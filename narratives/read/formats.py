"""Which reader reads which format, what an input's bytes hash to, and how a failed reading is told."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, decode_text, open_bytes, read_within_limit, time_limit
from narratives.read.html import read_html
from narratives.read.office import read_docx, read_pdf
from narratives.read.tables import (
    csv_columns,
    jsonl_columns,
    parquet_columns,
    read_csv,
    read_jsonl,
    read_parquet,
    unused_columns,
)
from narratives.read.tables.rows import apply_manifest, legible, refuse

log = logging.getLogger(__name__)

# Part of every fingerprint: raise it when the same bytes are to be read another way.
READER_VERSION = 5
MAX_QUOTED = 200  # characters of what a parser says of a broken file
PLAIN = (".txt", ".html", ".htm", ".jsonl", ".csv")

# The columns of a table, as a list of the shapes that its rows have.
TABLE_EXTENSIONS: Mapping[str, Callable[[InputFile, Mapping[str, str]], list[tuple[str, ...]]]] = {
    ".jsonl": jsonl_columns,
    ".csv": csv_columns,
    ".parquet": parquet_columns,
}
FileReader = Callable[[InputFile, Mapping[str, str]], Iterator[RawDocument | Rejected]]


def read_text(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """A text file is one document, `row` 0; `columns` has no bearing on it."""
    with open_bytes(file.path) as raw:
        text = decode_text(read_within_limit(raw, MAX_DOCUMENT_SIZE))
    yield apply_manifest(RawDocument(file.source_path, text=text), file)


READERS: Mapping[str, FileReader] = {
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


def get_format(path: Path) -> str:
    """The extension that names the format, in lower case and without `.gz`; may be empty."""
    name = Path(path.name.lower())
    return Path(name.stem).suffix if name.suffix == ".gz" else name.suffix


def check_format(path: Path) -> None:
    """Raise ReadError where no reader reads this kind of file."""
    extension = get_format(path)
    if extension in READERS:
        return
    known = f"one of {' '.join(READERS)} (or its .gz)"
    raise ReadError(known, f"extension {path.suffix or '(none)'}", "Convert the file or leave it out.")


def compute_fingerprint(file: InputFile, columns: Mapping[str, str]) -> str:
    """sha256 (hex) over the file's bytes and everything else that decides what is read from it.

    Namely the format, the manifest's row, the column map and the version of the readers; not the path.
    Raises ReadError where the file has become unreadable.
    """
    terms = [READER_VERSION, get_format(file.path), sorted(file.manifest.items()), sorted(columns.items())]
    digest = hashlib.sha256(json.dumps(terms).encode())
    try:
        with file.path.open("rb") as raw:
            while block := raw.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise make_read_error(error) from error
    return digest.hexdigest()


def read_file(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read the documents of one file, row by row; `columns` maps our field to their column.

    What cannot be read comes as Rejected, with the reason in words: one row (`row` as in RawDocument), or the
    file or its remainder (`row` 0). Raises nothing, whatever the file holds.
    """
    row = count = 0
    try:
        with as_read_error(file.path):
            check_format(file.path)
            for item in _items(file, columns):
                row, count = item.row, count + 1
                yield item
            if not count:
                raise ReadError("at least one row", "none", "Leave the file out or fill it.")
    except ReadError as error:
        whole = refuse(file.source_path, 0, error)
        # An error of the bytes ends a table wherever they lie.
        yield replace(whole, reason=f"{whole.reason} Rows up to {row} were read.") if row else whole


def _items(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    extension = get_format(file.path)
    items = READERS[extension](file, columns)
    if extension in TABLE_EXTENSIONS:
        return items
    # The rows of a table are bounded in size; of a page or an office file only the time tells.
    with time_limit():
        return iter(list(items))


def read_file_verified(file: InputFile, columns: Mapping[str, str], key: str) -> Iterator[RawDocument | Rejected]:
    """`read_file`, sure that all rows are of the content whose fingerprint is `key`.

    Raises ReadError at the end where the file changed while it was read: its rows are then to be thrown away.
    """
    yield from read_file(file, columns)
    if compute_fingerprint(file, columns) != key:
        hint = "Build again once nothing writes to it."
        raise ReadError("a file at rest", "one that changed while it was read", hint)


def column_names(file: InputFile) -> tuple[str, ...]:
    """The names of a table's columns; for JSONL the keys of its first lines. Raises ReadError."""
    with as_read_error(file.path):
        shapes = TABLE_EXTENSIONS[get_format(file.path)](file, {})
        return tuple(dict.fromkeys(name for names in shapes for name in names))


def find_unused(file: InputFile, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns of a table that are read as none of our fields; of JSONL those of its first lines.

    Empty for what is no table, and where the columns cannot be read, which reading the file tells.
    """
    extension = get_format(file.path)
    try:
        with as_read_error(file.path):
            return (
                unused_columns(TABLE_EXTENSIONS[extension](file, columns), columns)
                if extension in TABLE_EXTENSIONS
                else ()
            )
    except ReadError:
        return ()


@contextmanager
def as_read_error(path: Path) -> Iterator[None]:
    """Turn whatever reading a file fails with into a ReadError: the one place where that is done.

    The parsers are other people's, and what they raise on a broken file no list would hold.
    """
    try:
        yield
    except ReadError:
        raise
    except Exception as error:
        log.debug("%s could not be read", path, exc_info=True)
        raise make_read_error(error, path) from error


def make_read_error(error: Exception, path: Path = Path()) -> ReadError:
    """What went wrong with the bytes of a file, in words."""
    if isinstance(error, PermissionError):
        return ReadError("a readable file", "permission denied", "Give yourself the right to read it.")
    if isinstance(error, OSError) and error.strerror:
        return ReadError("a readable file", error.strerror, "Check that it is still there and whole.")
    if isinstance(error, RecursionError):
        return ReadError("a file", "one whose parts are nested too deeply to follow", "Leave it out.")
    if isinstance(error, MemoryError):
        return ReadError("a file that fits into memory", "a larger one", "Split it, or leave it out.")
    what = f"a corrupt one ({legible(str(error), MAX_QUOTED) or type(error).__name__})"
    if path.suffix.lower() == ".gz" and isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return ReadError("a whole gzip file", what, "Fetch or pack it anew.")
    if get_format(path) in PLAIN and isinstance(error, UnicodeError):
        return ReadError("text in UTF-8 or UTF-16", legible(str(error), MAX_QUOTED), "Save the file as UTF-8.")
    kind = f"{get_format(path)} file" if get_format(path) else "file"
    return ReadError(f"a whole {kind}", what, "Fetch it anew, or save it anew with its own program.")
