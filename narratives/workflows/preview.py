"""Preview of a file before a build: its columns, a proposed column map and its first rows. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from pathlib import Path

from narratives import parse, read
from narratives.model import Document, InputFile, RawDocument, Rejected

FORMATS = tuple(read.READERS)
TABLE_FORMATS = tuple(read.TABLE_EXTENSIONS)
FIELDS = read.COLUMN_FIELDS
# Fields whose values a sample can have at once; the text is read beside them.
_SAMPLE_FIELDS = ("title", "outlet", "speaker", "date", "url", "id", "source_ref", "lead", "language")
MIN_FITTING_SHARE = 0.8  # of the values of a column that must be of the kind of its field
MAX_DATES_TRIED = 30
MIN_SAMPLE = 3  # values from which a column is proposed by its content alone
MIN_TEXT_WORDS, MIN_UNNAMED_TEXT_WORDS = 3, 8  # mean number of words
MAX_WORDS: Mapping[str, int] = {"speaker": 8, "outlet": 8, "title": 40}
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

    `complete` is true if the whole file was read. `notes` say what was assumed to read it.
    """

    rows: tuple[PreviewRow, ...]
    rejected: tuple[Rejected, ...]
    looked_at: int
    complete: bool
    notes: tuple[str, ...] = ()


def read_columns(path: Path) -> tuple[str, ...]:
    """Return the column names of a table in order. Raises ReadError if they cannot be read."""
    return read.list_columns(InputFile(path, path.name))


def propose_columns(columns: Sequence[str], samples: Mapping[str, Sequence[str]] | None = None) -> dict[str, str]:
    """Propose a column for each of our fields by its name and its values: field to column, no column twice.

    `samples` has the first values of the columns. A column with a fitting name is proposed if its values are of the
    right kind: dates, addresses, ids that differ. A column with another name is proposed as text, date or url if
    it is the only one with such values.
    """
    known = samples or {}
    fits = {
        (field, column): _check_values(field, read.score_column_name(field, column), known.get(column, ()))
        for field in FIELDS
        for column in columns
    }
    proposed = read.propose_columns(columns, fits)
    for field in ("text", "date", "url"):
        free = [column for column in columns if column not in proposed.values()]
        if field not in proposed and (column := _find_unnamed(field, free, known)):
            proposed[field] = column
    return {field: proposed[field] for field in FIELDS if field in proposed}


def sample_columns(path: Path, columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the first values of each column of a table, without empty ones."""
    samples: dict[str, list[str]] = {column: [] for column in columns}
    text = read.propose_columns(columns).get("text")
    if text is None:
        for column in columns:
            samples[column] = [row.text for row in _read_rows(path, {"text": column})]
        return samples
    others = [column for column in columns if column != text]
    for start in range(0, max(len(others), 1), len(_SAMPLE_FIELDS)):
        fields = dict(zip(_SAMPLE_FIELDS, others[start : start + len(_SAMPLE_FIELDS)], strict=False))
        rows = _read_rows(path, {"text": text, **fields})
        samples[text] = [row.text for row in rows]
        for field, column in fields.items():
            samples[column] = [value for row in rows if (value := str(getattr(row, field)))]
    return samples


def _read_rows(path: Path, columns: Mapping[str, str]) -> list[RawDocument]:
    items = islice(read.read_file(InputFile(path, path.name), columns), MAX_ROWS_READ)
    return [item for item in items if isinstance(item, RawDocument)]


def _check_values(field: str, score: float, values: Sequence[str]) -> float:
    """Return the score of a column's name, or 0 if its values are not of the kind of the field."""
    # A column with exactly the name of a field is read by default.
    if score in (0.0, 1.0) or not values:
        return score
    words = sum(len(value.split()) for value in values) / len(values)
    if field == "text":
        return score if words >= MIN_TEXT_WORDS else 0.0
    if field == "date":
        return score if _is_mostly(_is_date, values[:MAX_DATES_TRIED]) else 0.0
    if field == "url":
        return score if _is_mostly(_is_url, values) else 0.0
    if field == "id":
        return score if len(set(values)) == len(values) else 0.0
    is_other = _is_mostly(_is_url, values) or _is_mostly(str.isdecimal, values) or words > MAX_WORDS[field]
    return 0.0 if is_other else score


def _find_unnamed(field: str, columns: Sequence[str], samples: Mapping[str, Sequence[str]]) -> str:
    """Return the only column that holds values of this kind, although its name does not say so; or ""."""
    filled = [column for column in columns if len(samples.get(column, ())) >= MIN_SAMPLE]
    if field == "text":
        lengths = {column: sum(len(value.split()) for value in samples[column]) for column in filled}
        longest = max(filled, key=lambda column: lengths[column], default="")
        return longest if lengths.get(longest, 0) >= MIN_UNNAMED_TEXT_WORDS * len(samples.get(longest, "x")) else ""
    # The words of a name that is no other than `date` say which date: that of a download, or a birthday.
    unnamed = [column for column in filled if not read.has_field_word(field, column)]
    test = _is_day if field == "date" else _is_url
    fitting = [column for column in unnamed if all(map(test, samples[column][:MAX_DATES_TRIED]))]
    return fitting[0] if len(fitting) == 1 else ""


def _is_mostly(test: Callable[[str], bool], values: Sequence[str]) -> bool:
    return sum(map(test, values)) >= MIN_FITTING_SHARE * len(values)


def _is_date(value: str) -> bool:
    return bool(parse.parse_date(value).date)


def _is_day(value: str) -> bool:
    return len(parse.parse_date(value).date) == len("2018-05-15") and not value.isdecimal()


def _is_url(value: str) -> bool:
    return value.lower().startswith(("http://", "https://", "www.")) and " " not in value


def holds_own(columns: Sequence[str], field: str) -> bool:
    """Return whether a column has the name of the field, so that it is read as this field by default."""
    return field in map(read.fold, columns)


def has_name_date(path: Path) -> bool:
    """Return whether the name of a file that is one document has a date."""
    return path.suffix.lower() not in TABLE_FORMATS and bool(parse.find_name_date(path.name))


def preview_file(path: Path, columns: Mapping[str, str], rows: int = 5) -> Preview:
    """Read the first `rows` documents of a file as a build with this column map would.

    `columns` maps our fields to the table's columns. Rows that cannot be read are among the rejected.
    """
    items = list(islice(read.read_file(InputFile(path, path.name), columns), MAX_ROWS_READ + 1))
    within = items[:MAX_ROWS_READ]
    raw = [item for item in within if isinstance(item, RawDocument)]
    order = reduce(parse.add_to_date_order, raw, parse.DateOrder())
    return Preview(
        rows=tuple(_make_row(item, parse.parse_document(item, parse.Roster(()), order)) for item in raw[:rows]),
        rejected=tuple(item for item in within if isinstance(item, Rejected)),
        looked_at=len(within),
        complete=len(items) <= MAX_ROWS_READ,
        notes=read.find_notes(InputFile(path, path.name), columns),
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
