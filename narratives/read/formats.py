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
from narratives.read.characters import clean_item
from narratives.read.debates import DEBATE_TAGS, read_debates
from narratives.read.encoding import describe_guess, limit_time, open_bytes
from narratives.read.feeds import FEED_TAGS, find_first_tag, is_feed, read_feed
from narratives.read.html import read_html
from narratives.read.json_documents import list_json_columns, read_json
from narratives.read.office import read_doc, read_docx, read_rtf
from narratives.read.pdf import read_pdf
from narratives.read.rows import get_field_columns, make_legible, make_rejected
from narratives.read.rows.delimited import count_preamble_rows
from narratives.read.spreadsheets import list_spreadsheet_columns, read_spreadsheet
from narratives.read.tables import list_csv_columns, list_parquet_columns, list_unused_columns, read_csv, read_parquet
from narratives.read.text import read_subtitles, read_text
from narratives.read.text.mail import read_eml, read_mbox
from narratives.read.text.markdown import read_markdown

log = logging.getLogger(__name__)

# Part of every fingerprint. Increase it when a reader changes its result for the same bytes.
READER_VERSION = 7
MAX_QUOTED = 200  # characters of a parser's message about a damaged file
# Formats whose encoding is guessed where it is not UTF-8; pages, feeds and mails declare theirs.
GUESSED = (".txt", ".jsonl", ".csv", ".tsv", ".ndjson", ".md", ".srt", ".vtt")
PLAIN_TEXT = (*GUESSED, ".html", ".htm", ".json", ".xml")
_HEAD_BYTES = 4096

# The function that lists the columns of a table, once for each shape of its rows.
TABLE_EXTENSIONS: Mapping[str, Callable[[InputFile, Mapping[str, str]], list[tuple[str, ...]]]] = {
    ".csv": list_csv_columns,
    ".tsv": list_csv_columns,
    ".xlsx": list_spreadsheet_columns,
    ".xls": list_spreadsheet_columns,
    ".ods": list_spreadsheet_columns,
    ".jsonl": list_json_columns,
    ".ndjson": list_json_columns,
    ".json": list_json_columns,
    ".js": list_json_columns,
    ".parquet": list_parquet_columns,
}
FileReader = Callable[[InputFile, Mapping[str, str]], Iterator[RawDocument | Rejected]]


def read_web_page(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a page, or a feed that was saved with the extension of a page."""
    return read_feed(file, columns) if is_feed(_read_head(file)) else read_html(file, columns)


def read_xml(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a feed, a record of debates or a page in XHTML. Raises ReadError for any other XML."""
    head = _read_head(file)
    tag = find_first_tag(head)
    if tag in FEED_TAGS or is_feed(head):
        return read_feed(file, columns)
    if tag in DEBATE_TAGS:
        return read_debates(file, columns)
    if tag == "html":
        return read_html(file, columns)
    if tag in ("urlset", "sitemapindex"):
        hint = "It lists addresses. Download their pages with `fetch` and its address."
        raise ReadError("a feed or a record of debates", "a sitemap", hint)
    hint = "Convert it to .jsonl or .csv, with a row for each document."
    raise ReadError("a feed (RSS, Atom) or a record of debates", f"XML of the kind {tag or 'unknown'!r}", hint)


def _read_head(file: InputFile) -> bytes:
    with open_bytes(file.path) as raw:
        return raw.read(_HEAD_BYTES)


READERS: Mapping[str, FileReader] = {
    ".txt": read_text,
    ".html": read_web_page,
    ".htm": read_web_page,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".doc": read_doc,
    ".rtf": read_rtf,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".eml": read_eml,
    ".mbox": read_mbox,
    ".srt": read_subtitles,
    ".vtt": read_subtitles,
    ".rss": read_feed,
    ".atom": read_feed,
    ".xml": read_xml,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_spreadsheet,
    ".xls": read_spreadsheet,
    ".ods": read_spreadsheet,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".json": read_json,
    ".js": read_json,
    ".parquet": read_parquet,
}
# These are read document by document, each within limits of its own, and not as a whole within a limit of time.
STREAMED = frozenset({*TABLE_EXTENSIONS, ".mbox"})
_OFFICE_HINT = "Open it in Word or LibreOffice, and save it as .docx."
_PAGE_HINT = "Open it in a browser, and save it as a page with HTML only (.html)."
_PICTURE_HINT = "Run text recognition (OCR) on it, and save the text as .txt."
_SOUND_HINT = "Transcribe it, and save the transcript as .txt, .srt or .vtt."
_TABLE_HINT = "Open it in the program that made it, and export it as .csv."
_SLIDES_HINT = "Open it in the program that made it, and export it as .pdf."
_PACKED_HINT = "Unpack it, or put its files into a .zip."
# How to convert what is not read, by extension.
CONVERSIONS: Mapping[str, str] = {
    **dict.fromkeys((".odt", ".pages", ".wps", ".wpd", ".docm", ".dotx"), _OFFICE_HINT),
    **dict.fromkeys((".mhtml", ".mht", ".webarchive", ".maff"), _PAGE_HINT),
    **dict.fromkeys(
        (".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".heic", ".djvu"), _PICTURE_HINT
    ),
    **dict.fromkeys((".mp3", ".mp4", ".m4a", ".wav", ".ogg", ".avi", ".mov", ".mkv", ".webm"), _SOUND_HINT),
    **dict.fromkeys((".numbers", ".xlsb", ".xlsm", ".sav", ".dta", ".rds", ".rdata", ".sqlite", ".db"), _TABLE_HINT),
    **dict.fromkeys((".pptx", ".ppt", ".odp", ".key"), _SLIDES_HINT),
    **dict.fromkeys((".rar", ".7z", ".tar", ".tgz", ".bz2", ".xz", ".zst"), _PACKED_HINT),
    ".msg": "Open it in the mail program, and save it as .eml or .txt.",
    ".pst": "Export its folders as .mbox, or its mails as .eml.",
    ".epub": "Convert it to .docx or .txt, for example with Calibre.",
    ".tex": "Convert it to .txt or .docx, for example with Pandoc.",
    ".ass": "Convert it to .srt, for example with Aegisub.",
}
_ABOUT_FILES = ("readme", "license", "licence", "copying")
_OF_SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")


def describe_skip(name: str) -> str:
    """Return why a file or folder with this name is clearly no text to read, in words; empty if it may be one."""
    lower = name.lower()
    if lower in _OF_SYSTEM or lower.startswith("~$"):
        return "made by the system or an office program"
    if name.startswith(".") and name not in (".", ".."):
        return "hidden: its name starts with a dot"
    if lower.split(".")[0] in _ABOUT_FILES:
        return "a note about the files; rename it if it is a text to read"
    return ""


def get_format(path: Path) -> str:
    """Return the extension of the format, in lower case and without `.gz`; may be empty."""
    name = Path(path.name.lower())
    return Path(name.stem).suffix if name.suffix == ".gz" else name.suffix


def check_format(path: Path) -> None:
    """Raise ReadError if no reader supports this format."""
    extension = get_format(path)
    if extension not in READERS:
        known = f"one of {' '.join(READERS)} (or its .gz) or .zip"
        hint = CONVERSIONS.get(extension, "Convert the file or leave it out.")
        raise ReadError(known, f"extension {path.suffix or '(none)'}", hint)


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
                yield clean_item(item)
            if not count:
                raise ReadError("at least one row", "none", "Add rows, or leave the file out.")
    except ReadError as error:
        whole = make_rejected(file.source_path, 0, error)
        # Damaged bytes end the reading of a table.
        yield replace(whole, reason=f"{whole.reason} Rows up to {row} were read.") if row else whole


def _read_items(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    extension = get_format(file.path)
    items = READERS[extension](file, columns)
    if extension in STREAMED:
        return items
    with limit_time():
        documents = list(items)
    if file.manifest.get("url") and sum(isinstance(item, RawDocument) for item in documents) > 1:
        hint = "Leave the url of this file empty in manifest.csv."
        raise ReadError("no url for a file with several documents", repr(file.manifest["url"]), hint)
    return iter(documents)


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
        names = get_field_columns(columns).values()
        if extension in (".csv", ".tsv") and (number := count_preamble_rows(file.path, names)):
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
