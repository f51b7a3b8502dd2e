"""Preview of a file before a build: its columns, a proposed column map and its first rows. Writes nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from narratives import parse, read
from narratives.model import Document, InputFile, RawDocument, Rejected

FORMATS = tuple(read.READERS)
TABLE_FORMATS = tuple(read.TABLE_EXTENSIONS)
FIELDS = ("text", "date", "speaker", "outlet", "title", "url", "id")
# Other column names in tables of news archives, crawlers and transcripts.
COLUMN_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "text": ("body", "content", "statement", "transcript", "paragraph", "fulltext", "articletext", "message"),
    "date": ("published", "publishedat", "datepublished", "pubdate", "day", "datetime", "timestamp", "when"),
    "speaker": ("author", "person", "who", "spokesperson", "byline", "saidby", "speakername"),
    "outlet": ("source", "publisher", "publication", "media", "site", "domain", "newspaper", "channel"),
    "title": ("headline", "heading", "subject", "topic", "name"),
    "url": ("link", "address", "href", "uri", "permalink", "webpage"),
    "id": ("identifier", "guid", "uid", "documentid", "docid", "key", "number"),
}
MIN_NAME_RATIO = 0.8  # difflib's ratio from which two names count as the same, to allow for typing errors
MAX_ROWS_READ = 200
PREVIEW_TEXT_LENGTH = 300  # characters


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as a build would read it; where `date` is empty, `date_source` gives the reason."""

    row: int
    date: str
    date_source: str
    speaker: str
    outlet: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file, the rejected rows among those read, and the number of rows read.

    `complete` is true if the whole file was read.
    """

    rows: tuple[PreviewRow, ...]
    rejected: tuple[Rejected, ...]
    looked_at: int
    complete: bool


def read_columns(path: Path) -> tuple[str, ...]:
    """Return the column names of a table in order. Raises ReadError if they cannot be read."""
    return read.list_columns(InputFile(path, path.name))


def propose_columns(columns: Sequence[str]) -> dict[str, str]:
    """Propose a column for each of our fields by its name: field to column, no column twice.

    An exact name wins over a synonym, and a synonym over a similar name.
    """
    fits = [(score_column_name(field, column), field, column) for field in FIELDS for column in columns]
    proposed: dict[str, str] = {}
    # The sort is stable: of equal scores an exact name wins, then the earlier field and column.
    for score, field, column in sorted(fits, key=lambda fit: (-fit[0], fit[2] != fit[1])):
        if score >= MIN_NAME_RATIO and field not in proposed and column not in proposed.values():
            proposed[field] = column
    return {field: proposed[field] for field in FIELDS if field in proposed}


def holds_own(columns: Sequence[str], field: str) -> bool:
    """Return whether a column has the name of the field, so that it is read as this field by default."""
    return field in map(read.fold, columns)


def score_column_name(field: str, column: str) -> float:
    """Score how well a column's name fits a field, 0 to 1."""
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
    """Read the first `rows` documents of a file as a build with this column map would.

    `columns` maps our fields to the table's columns. Rows that cannot be read are among the rejected.
    """
    items = list(islice(read.read_file(InputFile(path, path.name), columns), MAX_ROWS_READ + 1))
    within = items[:MAX_ROWS_READ]
    raw = [item for item in within if isinstance(item, RawDocument)]
    return Preview(
        rows=tuple(_make_row(item, parse.parse_document(item, parse.Roster(()))) for item in raw[:rows]),
        rejected=tuple(item for item in within if isinstance(item, Rejected)),
        looked_at=len(within),
        complete=len(items) <= MAX_ROWS_READ,
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
