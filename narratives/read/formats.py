"""Read a file with the reader of its format; fingerprints of files, and errors of reading in words."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.characters import clean_document
from narratives.read.encoding import (
    MAX_DOCUMENT_SIZE,
    decode_text,
    describe_guess,
    limit_time,
    open_bytes,
    read_within_limit,
)
from narratives.read.html import read_html
from narratives.read.office import read_docx
from narratives.read.pdf import read_pdf
from narratives.read.rows import apply_manifest, get_field_columns, make_legible, make_rejected
from narratives.read.rows.delimited import count_preamble_rows
from narratives.read.tables import (
    list_csv_columns,
    list_jsonl_columns,
    list_parquet_columns,
    list_unused_columns,
    read_csv,
    read_jsonl,
    read_parquet,
)

log = logging.getLogger(__name__)

# Part of every fingerprint. Increase it when a reader changes its result for the same bytes.
READER_VERSION = 5
MAX_QUOTED = 200  # characters of a parser's message about a damaged file
GUESSED = (".txt", ".jsonl", ".csv")  # formats whose encoding is guessed where it is not UTF-8; a page declares it
PLAIN_TEXT = (".txt", ".html", ".htm", ".jsonl", ".csv")

# The function that lists the columns of a table, once for each shape of its rows.
TABLE_EXTENSIONS: Mapping[str, Callable[[InputFile, Mapping[str, str]], list[tuple[str, ...]]]] = {
    ".jsonl": list_jsonl_columns,
    ".csv": list_csv_columns,
    ".parquet": list_parquet_columns,
}
FileReader = Callable[[InputFile, Mapping[str, str]], Iterator[RawDocument | Rejected]]


def read_text(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a text file as one document with `row` 0; `columns` is not used."""
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
    """Return the extension of the format, in lower case and without `.gz`; may be empty."""
    name = Path(path.name.lower())
    return Path(name.stem).suffix if name.suffix == ".gz" else name.suffix


def check_format(path: Path) -> None:
    """Raise ReadError if no reader supports this format."""
    extension = get_format(path)
    if extension not in READERS:
        known = f"one of {' '.join(READERS)} (or its .gz)"
        raise ReadError(known, f"extension {path.suffix or '(none)'}", "Convert the file or leave it out.")


def compute_fingerprint(file: InputFile, columns: Mapping[str, str]) -> str:
    """Compute the sha256 (hex) of the bytes of a file and of everything else that determines its documents.

    These are the format, the row of the manifest, the column map and the version of the readers, but not the
    path. Raises ReadError if the file is no longer readable.
    """
    terms = [READER_VERSION, get_format(file.path), sorted(file.manifest.items()), sorted(columns.items())]
    digest = hashlib.sha256(json.dumps(terms).encode())
    try:
        with file.path.open("rb") as raw:
            return hashlib.file_digest(raw, lambda: digest).hexdigest()
    except OSError as error:
        raise make_read_error(error) from error


def read_file(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read the documents of one file, row by row; `columns` maps our fields to columns of the file.

    What cannot be read is returned as Rejected, with the reason in words: one row (`row` as in RawDocument),
    the whole file, or the rest of it (`row` 0). Raises nothing.
    """
    row = count = 0
    try:
        with convert_errors(file.path):
            check_format(file.path)
            for item in _read_items(file, columns):
                row, count = item.row, count + 1
                yield clean_document(item) if isinstance(item, RawDocument) else item
            if not count:
                raise ReadError("at least one row", "none", "Add rows, or leave the file out.")
    except ReadError as error:
        whole = make_rejected(file.source_path, 0, error)
        # Damaged bytes end the reading of a table.
        yield replace(whole, reason=f"{whole.reason} Rows up to {row} were read.") if row else whole


def _read_items(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    extension = get_format(file.path)
    items = READERS[extension](file, columns)
    if extension in TABLE_EXTENSIONS:
        return items
    # The rows of a table are limited in size; a page or an office file only in time.
    with limit_time():
        return iter(list(items))


def read_file_verified(file: InputFile, columns: Mapping[str, str], key: str) -> Iterator[RawDocument | Rejected]:
    """Read a file as `read_file` does, and check that its fingerprint is still `key`.

    Raises ReadError at the end if the file changed while it was read. Its rows must then be discarded.
    """
    yield from read_file(file, columns)
    if compute_fingerprint(file, columns) != key:
        hint = "Run `build` again when no other program is writing to it."
        raise ReadError("a file that does not change while it is read", "one that changed", hint)


def list_columns(file: InputFile) -> tuple[str, ...]:
    """List the columns of a table; for JSONL the keys of its first lines. Raises ReadError."""
    with convert_errors(file.path):
        shapes = TABLE_EXTENSIONS[get_format(file.path)](file, {})
        return tuple(dict.fromkeys(name for names in shapes for name in names))


def find_unused(file: InputFile, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Find the columns of a table that are not used; for JSONL those of its first lines.

    Empty if the file is no table or the columns cannot be read, which `read_file` reports.
    """
    list_shapes = TABLE_EXTENSIONS.get(get_format(file.path))
    if list_shapes is not None:
        with suppress(ReadError), convert_errors(file.path):
            return list_unused_columns(list_shapes(file, columns), columns)
    return ()


def find_notes(file: InputFile, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Find what was assumed to read a file: a guessed encoding, and rows above the header that were left out.

    Empty if the file cannot be read, which `read_file` reports.
    """
    extension = get_format(file.path)
    notes = []
    with suppress(ReadError), convert_errors(file.path):
        if extension in GUESSED and (name := describe_guess(file.path)):
            notes.append(f"read as {name}, which is a guess; check its letters, or save it as UTF-8")
        if extension == ".csv" and (number := count_preamble_rows(file.path, get_field_columns(columns).values())):
            rows = "one row" if number == 1 else f"{number} rows"
            notes.append(f"{rows} above the header not read")
    return tuple(notes)


@contextmanager
def convert_errors(path: Path) -> Iterator[None]:
    """Convert every error of the block into a ReadError.

    Parsers of other projects raise many kinds of errors for a damaged file, so all of them are caught here.
    """
    try:
        yield
    except ReadError:
        raise
    except Exception as error:
        log.debug("%s could not be read", path, exc_info=True)
        raise make_read_error(error, path) from error


def make_read_error(error: Exception, path: Path = Path()) -> ReadError:
    """Describe an error of reading a file as a ReadError."""
    if isinstance(error, PermissionError):
        return ReadError("a readable file", "permission denied", "Change its permissions so that you can read it.")
    if isinstance(error, OSError) and error.strerror:
        return ReadError("a readable file", error.strerror, "Check that the file still exists and is complete.")
    if isinstance(error, RecursionError):
        return ReadError("a file with a simple structure", "one that is nested too deeply", "Leave it out.")
    if isinstance(error, MemoryError):
        return ReadError("a file that fits into memory", "a larger one", "Split it, or leave it out.")
    reason = make_legible(str(error), MAX_QUOTED)
    got = f"a corrupt one ({reason or type(error).__name__})"
    extension = get_format(path)
    if path.suffix.lower() == ".gz" and isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return ReadError("an undamaged gzip file", got, "Download or compress it again.")
    if extension in PLAIN_TEXT and isinstance(error, UnicodeError):
        return ReadError("text in UTF-8 or UTF-16", reason, "Save the file as UTF-8.")
    expected = f"an undamaged {extension} file" if extension else "an undamaged file"
    return ReadError(expected, got, "Download it again, or save it again with the program that made it.")
