"""Tables whose rows are documents: JSON lines, CSV and Parquet, read row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.bounds import MAX_DOCUMENT, MAX_PACKED_TABLE, Lines, LongLineError, read_whole
from narratives.read.encoding import is_damaged, open_bytes, open_text
from narratives.read.rows import CONTENT, FIELDS, json_value, locate, to_document

BATCH_ROWS = 64
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
    """One document a row under a header; `row` counts from the first row after the header."""
    with open_text(file.path, newline="") as lines:
        rows = csv_rows(lines)
        header = [name.strip() for name in _take(next(rows, []))]
        names = locate(header, columns)
        for number, cells in enumerate(rows, 1):
            yield _document(file, number, partial(_csv_cells, cells, header, names))


def read_parquet(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row; only the columns in use are read, a batch of rows at a time."""
    with open_bytes(file.path) as raw:
        # Parquet is read from its end: what is packed as a whole must be unpacked as a whole.
        source = io.BytesIO(read_whole(raw, MAX_PACKED_TABLE)) if file.path.suffix.lower() == ".gz" else raw
        table = pq.ParquetFile(source)
        names = locate(table.schema_arrow.names, columns)
        _check_types(table.schema_arrow, names)
        batches = table.iter_batches(batch_size=BATCH_ROWS, columns=list(names.values()))
        rows = (cells for batch in batches for cells in batch.to_pylist())
        for number, cells in enumerate(rows, 1):
            yield _document(file, number, partial(_rename, cells, names))


def column_names(file: InputFile) -> tuple[str, ...]:
    """The names of the columns of a CSV or JSONL file: for JSONL the keys of its first lines.

    Raises ReadError where the file is empty or no text.
    """
    is_csv = ".csv" in file.path.suffixes
    with open_text(file.path, newline="" if is_csv else None) as lines:
        if is_csv:
            return tuple(name.strip() for name in _take(next(csv_rows(lines), [])))
        found: dict[str, None] = {}
        for line in islice(Lines(lines), HEAD_LINES):
            try:
                value = json_value(line, "one JSON object on the line")
            except ReadError:
                continue  # told where the line is read
            found |= dict.fromkeys(value if isinstance(value, dict) else ())
        return tuple(found)


def csv_rows(lines: TextIO) -> Iterator[list[str] | ReadError]:
    """The rows of CSV text, or in place of a row what is wrong with it; blank lines are no rows."""
    # One cell may hold a whole book; the csv module's own limit is 128 KiB.
    csv.field_size_limit(MAX_DOCUMENT)
    reader = csv.reader(Lines(lines), strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            where = f"line {first}" if reader.line_num == first else f"lines {first} to {reader.line_num}"
            yield ReadError("a well-formed CSV row", f"{error} in {where}", "Check the quotation marks.")
            continue
        except LongLineError as error:
            yield error
            continue
        if any(is_damaged(cell) for cell in cells):
            yield ReadError("text in UTF-8", f"other bytes in line {first}", "Save the file as UTF-8.")
        elif cells:
            yield cells


def csv_record(cells: list[str] | ReadError, header: list[str]) -> dict[str, str]:
    """A CSV row by column name; raises ReadError where it is faulty or not as long as the header."""
    cells = _take(cells)
    if len(cells) != len(header):
        todo = "Quote cells that hold commas or line breaks."
        raise ReadError(f"{len(header)} cells as in the header", f"{len(cells)} cells", todo)
    return dict(zip(header, cells, strict=True))


def _take(cells: list[str] | ReadError) -> list[str]:
    if isinstance(cells, ReadError):
        raise cells
    return cells


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
