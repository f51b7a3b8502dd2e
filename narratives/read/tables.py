"""Tables whose rows are documents: JSON lines, CSV and Parquet, read row by row."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.batches import Row, bounded_rows
from narratives.read.bounds import MAX_PACKED_TABLE, Lines, LongLineError, read_whole
from narratives.read.delimited import csv_record, csv_rows, find_delimiter, take
from narratives.read.encoding import is_damaged, open_bytes, open_text
from narratives.read.rows import (
    CONTENT,
    json_value,
    locate,
    match,
    refuse,
    to_document,
    unused,
    wanted_columns,
)

HEAD_LINES = 50  # of JSONL whose keys are taken for the columns
SHAPES = 64  # of JSONL rows, by their keys, whose fields are remembered


def read_jsonl(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a line; `row` is the line number, and each line has names of its own."""
    locate_keys = _key_finder(columns)
    with open_text(file.path) as opened:
        lines = Lines(opened)
        while True:
            try:
                line = next(lines)
            except StopIteration:
                return
            except LongLineError as error:
                yield refuse(file.source_path, lines.number, error)
                continue
            if line.strip():
                yield _document(file, lines.number, partial(_json_cells, line, locate_keys))


def read_csv(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row under a header; `row` counts from the first row after the header.

    Cells may be parted by commas, semicolons, tabs or bars, as the header shows.
    """
    with _opened_csv(file, columns) as (header, rows):
        names = locate(header, columns)
        for number, cells in enumerate(rows, 1):
            yield _document(file, number, partial(_csv_cells, cells, header, names))


def read_parquet(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row; only the columns in use are read, within bounds (`bounded_rows`)."""
    with _opened_parquet(file) as source:
        packed = source.seek(0, io.SEEK_END)
        schema = pq.read_schema(source)
        names = locate(schema.names, columns)
        _check_types(schema, names)
        for number, cells in enumerate(bounded_rows(source, packed, list(names.values())), 1):
            yield _document(file, number, partial(_parquet_cells, cells, names))


def csv_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The names of the columns of a CSV file, as its one shape of rows."""
    with _opened_csv(file, columns) as (header, _):
        return [tuple(header)]


def jsonl_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The keys of the first lines of JSONL: every shape of rows once."""
    with open_text(file.path) as lines:
        shapes: dict[tuple[str, ...], None] = {}
        for line in islice(Lines(lines), HEAD_LINES):
            try:
                value = json_value(line, "one JSON object on the line")
            except ReadError:
                continue  # told where the line is read
            if isinstance(value, dict):
                shapes[tuple(value)] = None
        return list(shapes)


def parquet_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The names of the columns of a Parquet file, as its one shape of rows."""
    with _opened_parquet(file) as source:
        return [tuple(pq.read_schema(source).names)]


def unused_columns(shapes: Iterable[tuple[str, ...]], columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that hold none of our fields; raises ReadError where it cannot be said which does."""
    wanted = wanted_columns(columns)
    return tuple(dict.fromkeys(name for names in shapes for name in unused(names, match(names, wanted))))


@contextmanager
def _opened_csv(
    file: InputFile, columns: Mapping[str, str]
) -> Iterator[tuple[list[str], Iterator[list[str] | ReadError]]]:
    """The header of a CSV file, and the rows below it."""
    delimiter = find_delimiter(file.path, wanted_columns(columns).values())
    with open_text(file.path, newline="", guess=True) as lines:
        rows = csv_rows(lines, delimiter)
        yield [name.strip() for name in take(next(rows, []))], rows


@contextmanager
def _opened_parquet(file: InputFile) -> Iterator[BinaryIO]:
    with open_bytes(file.path) as raw:
        # Parquet is read from its end: what is packed as a whole must be unpacked as a whole.
        yield io.BytesIO(read_whole(raw, MAX_PACKED_TABLE)) if file.path.suffix.lower() == ".gz" else raw


def _key_finder(columns: Mapping[str, str]) -> Callable[[tuple[str, ...]], Mapping[str, str]]:
    """Which key of a row of JSONL holds which field; rows of the same keys are looked at once."""
    wanted = wanted_columns(columns)
    return lru_cache(maxsize=SHAPES)(lambda names: match(names, wanted))


def _document(file: InputFile, row: int, cells: Callable[[], Mapping[str, object]]) -> RawDocument | Rejected:
    try:
        return to_document(cells(), file, row)
    except ReadError as error:
        return refuse(file.source_path, row, error)


def _csv_cells(
    cells: list[str] | ReadError, header: list[str], names: Mapping[str, str]
) -> dict[str, object]:
    return _rename(csv_record(cells, header), names)


def _json_cells(line: str, locate_keys: Callable[[tuple[str, ...]], Mapping[str, str]]) -> dict[str, object]:
    if is_damaged(line):
        raise ReadError("a line in UTF-8", "other bytes", "Save the file as UTF-8.")
    value = json_value(line, "one JSON object on the line")
    if not isinstance(value, dict):
        todo = "Write each document as one object on one line."
        raise ReadError("one JSON object on the line", f"a {type(value).__name__}", todo)
    return _rename(value, locate_keys(tuple(value)))


def _parquet_cells(cells: Row | ReadError, names: Mapping[str, str]) -> dict[str, object]:
    if isinstance(cells, ReadError):
        raise cells
    return _rename(cells, names)


def _rename(cells: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    return {field: cells.get(column) for field, column in names.items()}


def _check_types(schema: pa.Schema, names: Mapping[str, str]) -> None:
    """Refuse a Parquet file whose columns cannot hold what they are meant to, once and not row by row."""
    for field, column in names.items():
        kind = schema.field(column).type
        if not (_is_paragraphs(kind) if field == "paragraphs" else _is_plain(kind, field)):
            meant = "text" if field in CONTENT else "text, numbers or dates"
            meant = "a list of strings or of structs" if field == "paragraphs" else meant
            todo = f"Convert the column, or name another one with --map {field}=COLUMN."
            raise ReadError(f"{meant} in column {column!r}", f"type {kind}", todo)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in tests)


def _is_plain(kind: pa.DataType, field: str) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_date, pa.types.is_timestamp)
    return _is_text(kind) or (field != "text" and any(test(kind) for test in tests))


def _is_paragraphs(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_text(kind.value_type) or pa.types.is_struct(kind.value_type)
    return _is_text(kind)
