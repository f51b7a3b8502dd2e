"""What a build would make of a table, before it is built: its columns, a proposed map, its first rows.

Composes `read` and `parse`; writes nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from narratives import parse, read
from narratives.model import Document, InputFile, RawDocument, Rejected

FORMATS = (".csv", ".jsonl", ".html", ".htm", ".txt")
TABLE_FORMATS = (".csv", ".jsonl")
FIELDS = ("text", "date", "speaker", "outlet", "title", "url", "id")
# Other names that columns go by, as tables of news archives, crawlers and transcripts have them.
COLUMN_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "text": ("body", "content", "statement", "transcript", "paragraph", "fulltext", "articletext", "message"),
    "date": ("published", "publishedat", "datepublished", "pubdate", "day", "datetime", "timestamp", "when"),
    "speaker": ("author", "person", "who", "spokesperson", "byline", "saidby", "speakername"),
    "outlet": ("source", "publisher", "publication", "media", "site", "domain", "newspaper", "channel"),
    "title": ("headline", "heading", "subject", "topic", "name"),
    "url": ("link", "address", "href", "uri", "permalink", "webpage"),
    "id": ("identifier", "guid", "uid", "documentid", "docid", "key", "number"),
}
MIN_NAME_RATIO = 0.8  # difflib's ratio from which two names are taken for the same, slips of the pen included
MAX_ROWS_READ = 200  # rows that a preview reads
PREVIEW_TEXT_LENGTH = 300  # letters of a text


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as a build would read it; `date` is empty where none is found, and `date_source` says why."""

    row: int
    date: str
    date_source: str
    speaker: str
    outlet: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file, those rejected among the rows looked at, and how many these were.

    `complete` says whether that was the whole file.
    """

    rows: tuple[PreviewRow, ...]
    rejected: tuple[Rejected, ...]
    looked_at: int
    complete: bool


def read_columns(path: Path) -> tuple[str, ...]:
    """The column names of a table, in its order. Raises ReadError where they cannot be read."""
    return read.list_columns(InputFile(path, path.name))


def propose_columns(columns: Sequence[str]) -> dict[str, str]:
    """Which column holds which of our fields, judged by its name: field to column; no column twice.

    The same name goes before a known other name, that before a similar one.
    """
    ranked = sorted(
        ((-score_column_name(field, column), column != field, FIELDS.index(field), at) for field in FIELDS
         for at, column in enumerate(columns)),
    )  # fmt: skip
    found: dict[str, str] = {}
    for score, _, field, column in ranked:
        free = FIELDS[field] not in found and columns[column] not in found.values()
        if free and -score >= MIN_NAME_RATIO:
            found[FIELDS[field]] = columns[column]
    return {field: found[field] for field in FIELDS if field in found}


def holds_own(columns: Sequence[str], field: str) -> bool:
    """Whether a column has the name of the field, and is read as it unless another is named."""
    return field in map(read.fold, columns)


def score_column_name(field: str, column: str) -> float:
    """How well a column's name fits a field, 0 to 1."""
    name = re.sub(r"[\W_]+", "", column).casefold()
    if name == field:
        return 1.0
    if name in COLUMN_SYNONYMS[field]:
        return 0.95
    words = {word.casefold() for word in re.findall(r"[^\W_]+?(?=[A-Z]|[\W_]|$)", column)}
    if field in words:
        return 0.9
    if words & set(COLUMN_SYNONYMS[field]):
        return 0.85
    known = difflib.get_close_matches(name, (field, *COLUMN_SYNONYMS[field]), n=1, cutoff=MIN_NAME_RATIO)
    return 0.8 if known and len(name) > 3 else 0.0


def preview_file(path: Path, columns: Mapping[str, str], rows: int = 5) -> Preview:
    """The first `rows` documents of a file as a build with this column map would read them.

    `columns` maps our fields to theirs. Raises nothing: what cannot be read is among the rejected.
    """
    looked = list(islice(read.read_file(InputFile(path, path.name), columns), MAX_ROWS_READ + 1))
    within = looked[:MAX_ROWS_READ]
    raw = [item for item in within if isinstance(item, RawDocument)]
    return Preview(
        rows=tuple(_make_row(item, parse.parse_document(item, parse.Roster(()))) for item in raw[:rows]),
        rejected=tuple(item for item in within if isinstance(item, Rejected)),
        looked_at=len(within),
        complete=len(looked) <= MAX_ROWS_READ,
    )


def _make_row(raw: RawDocument, document: Document) -> PreviewRow:
    text = " ".join(p.text for p in document.paragraphs if p.kind != "title")
    return PreviewRow(
        row=raw.row,
        date=document.date,
        date_source=document.date_source,
        speaker=raw.speaker.strip() or next((p.speaker for p in raw.paragraphs if p.speaker), ""),
        outlet=document.outlet,
        title=document.title,
        text=text[:PREVIEW_TEXT_LENGTH] + ("…" if len(text) > PREVIEW_TEXT_LENGTH else ""),
    )
