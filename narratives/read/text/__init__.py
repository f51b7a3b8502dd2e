"""Read plain text: an article, an export with many articles, or subtitles, whatever its extension says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from narratives.model import InputFile, RawDocument, RawParagraph, ReadError, Rejected
from narratives.read.encoding import MAX_DOCUMENT_SIZE, decode_text, open_bytes, read_within_limit
from narratives.read.exports import read_export
from narratives.read.rows import apply_manifest, make_document
from narratives.read.text.subtitles import is_subtitles, read_cues


def read_text(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read a text file as one document with `row` 0, or as the articles of an export."""
    text = load_text(file)
    if is_subtitles(text):
        yield make_document({}, file, 0, columns, _read_spoken(text))
        return
    yield from read_export(text, file, columns) or [apply_manifest(RawDocument(file.source_path, text=text), file)]


def read_subtitles(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read subtitles as one document with `row` 0: a paragraph for each turn."""
    text = load_text(file)
    if not is_subtitles(text):
        hint = "Check that it is a file of subtitles, or save it as .txt."
        raise ReadError("subtitles, with times such as 00:00:01,000 --> 00:00:04,000", "a text without times", hint)
    yield make_document({}, file, 0, columns, _read_spoken(text))


def load_text(file: InputFile) -> str:
    """Load and decode a text file. Raises ReadError if it is too large, empty or no text."""
    with open_bytes(file.path) as raw:
        return decode_text(read_within_limit(raw, MAX_DOCUMENT_SIZE))


def _read_spoken(text: str) -> list[RawParagraph]:
    paragraphs = read_cues(text)
    if not paragraphs:
        raise ReadError("subtitles with words", "only times and sounds", "Leave it out.")
    return paragraphs
