"""Tables whose rows are documents: JSON lines, CSV and Parquet, read row by row."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.batches import Row, bounded_rows
from narratives.read.bounds import MAX_PACKED_TABLE, Lines, LongLineError, read_whole
from narratives.read.delimited import csv_record, csv_rows, find_delimiter, take
from narratives.read.encoding import is_damaged, open_bytes, open_text
from narratives.read.rows import CONTENT, FIELDS, json_value, locate, to_document

HEAD_LINES = 50  # of JSONL whose keys are taken for the columns


def read_jsonl(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a line; `row` is the line number."""
    names = {field: columns.get(field, field) for field in FIELDS}
    with open_text(file.path) as opened:
        lines = Lines(opened)
        while True:
            try:
                line = next(lines)
            except StopIteration:
                return
            except LongLineError as error:
                yield Rejected(file.source_path, lines.number, str(error))
                continue
            if line.strip():
                yield _document(file, lines.number, partial(_json_cells, line, names))


def read_csv(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row under a header; `row` counts from the first row after the header.

    Cells may be parted by commas, semicolons, tabs or bars, as the header shows.
    """
    delimiter = find_delimiter(file.path, [columns.get(field, field) for field in FIELDS])
    with open_text(file.path, newline="", guess=True) as lines:
        rows = csv_rows(lines, delimiter)
        header = [name.strip() for name in take(next(rows, []))]
        names = locate(header, columns)
        for number, cells in enumerate(rows, 1):
            yield _document(file, number, partial(_csv_cells, cells, header, names))


def read_parquet(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row; only the columns in use are read, within bounds (`bounded_rows`)."""
    with open_bytes(file.path) as raw:
        # Parquet is read from its end: what is packed as a whole must be unpacked as a whole.
        source = io.BytesIO(read_whole(raw, MAX_PACKED_TABLE)) if file.path.suffix.lower() == ".gz" else raw
        packed = source.seek(0, io.SEEK_END)
        schema = pq.read_schema(source)
        names = locate(schema.names, columns)
        _check_types(schema, names)
        for number, cells in enumerate(bounded_rows(source, packed, list(names.values())), 1):
            yield _document(file, number, partial(_parquet_cells, cells, names))


def column_names(file: InputFile) -> tuple[str, ...]:
    """The names of the columns of a CSV or JSONL file: for JSONL the keys of its first lines.

    Raises ReadError where the file is empty or no text.
    """
    if ".csv" in file.path.suffixes:
        delimiter = find_delimiter(file.path, FIELDS)
        with open_text(file.path, newline="", guess=True) as lines:
            return tuple(name.strip() for name in take(next(csv_rows(lines, delimiter), [])))
    with open_text(file.path) as lines:
        found: dict[str, None] = {}
        for line in islice(Lines(lines), HEAD_LINES):
            try:
                value = json_value(line, "one JSON object on the line")
            except ReadError:
                continue  # told where the line is read
            found |= dict.fromkeys(value if isinstance(value, dict) else ())
        return tuple(found)


def _document(file: InputFile, row: int, cells: Callable[[], Mapping[str, object]]) -> RawDocument | Rejected:
    try:
        return to_document(cells(), file, row)
    except ReadError as error:
        return Rejected(file.source_path, row, str(error))


def _csv_cells(
    cells: list[str] | ReadError, header: list[str], names: Mapping[str, str]
) -> dict[str, object]:
    return _rename(csv_record(cells, header), names)


def _json_cells(line: str, names: Mapping[str, str]) -> dict[str, object]:
    if is_damaged(line):
        raise ReadError("a line in UTF-8", "other bytes", "Save the file as UTF-8.")
    value = json_value(line, "one JSON object on the line")
    if not isinstance(value, dict):
        todo = "Write each document as one object on one line."
        raise ReadError("one JSON object on the line", f"a {type(value).__name__}", todo)
    return _rename(value, names)


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
