"""Read CSV, JSONL and Parquet tables: one raw document for each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import (
    MAX_DOCUMENT_SIZE,
    MAX_UNPACKED_TABLE_BYTES,
    LimitedLines,
    LongLineError,
    has_undecoded_bytes,
    open_bytes,
    open_text,
    read_within_limit,
)
from narratives.read.tables.parquet import ParquetRow, iterate_bounded_rows
from narratives.read.tables.rows import (
    CONTENT_FIELDS,
    find_unmatched,
    fold,
    get_field_columns,
    make_rejected,
    map_columns,
    match_columns,
    parse_json,
    row_to_document,
)

DELIMITERS = ",;\t|"
MAX_HEADER_CHARACTERS = 65_536  # in which the header must be


def find_delimiter(path: Path, names: Collection[str]) -> str:
    """Return the delimiter with most of `names` in the header, or else with most columns, or a comma.

    Only the header is used. Texts contain many commas and semicolons, so that guessing by frequency (as in
    csv.Sniffer) fails. Raises the same errors as `open_text`.
    """
    with open_text(path, newline="", guess=True) as lines:
        head = lines.read(MAX_HEADER_CHARACTERS)
    if has_delimiter_line(head[:5].casefold().rstrip("\r\n")):
        return head[4]

    known = {fold(name) for name in names}

    def rate(delimiter: str) -> tuple[int, int]:
        try:
            header = next(row for row in csv.reader(io.StringIO(head), delimiter=delimiter, strict=True) if row)
        except (csv.Error, StopIteration):
            return 0, 0
        return len(known & {fold(name) for name in header}), len(header)

    return max(DELIMITERS, key=rate)


def has_delimiter_line(start: str) -> bool:
    """Return whether a file starts with the line in which Excel states its delimiter: `sep=;`."""
    return len(start) == len("sep=;") and start.startswith("sep=") and start[4] in DELIMITERS


def iterate_csv_rows(lines: TextIO, delimiter: str = ",") -> Iterator[list[str] | ReadError]:
    """Iterate over the rows of CSV text; a faulty row is returned as an error. Blank lines are skipped."""
    # One cell may contain a whole book, but the default limit of the csv module is 128 KiB.
    csv.field_size_limit(MAX_DOCUMENT_SIZE)
    reader = csv.reader(LimitedLines(lines), strict=True, delimiter=delimiter)
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
        if any(has_undecoded_bytes(cell) for cell in cells):
            yield ReadError("text in UTF-8", f"other bytes in line {first}", "Save the file as UTF-8.")
        elif cells and not (first == 1 and has_delimiter_line(delimiter.join(cells).casefold())):
            yield cells


def make_csv_record(cells: list[str] | ReadError, header: list[str]) -> dict[str, str]:
    """Return a CSV row by column name; raises ReadError if it is faulty or its length is not that of the header."""
    cells = unwrap_row(cells)
    if len(cells) != len(header):
        hint = "Put cells with the delimiter or line breaks in quotation marks."
        raise ReadError(f"{len(header)} cells as in the header", f"{len(cells)} cells", hint)
    return dict(zip(header, cells, strict=True))


def unwrap_row(cells: list[str] | ReadError) -> list[str]:
    """Return the cells of a row, or raise its error."""
    if isinstance(cells, ReadError):
        raise cells
    return cells


JSONL_HEAD_LINES = 50  # of JSONL, whose keys are the columns
SHAPES = 64  # of JSONL rows (sets of keys) whose columns are cached


def read_jsonl(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each line; `row` is the line number. Each line has its own keys."""
    locate_keys = _make_key_locator(columns)
    with open_text(file.path) as opened:
        lines = LimitedLines(opened)
        while True:
            try:
                line = next(lines)
            except StopIteration:
                return
            except LongLineError as error:
                yield make_rejected(file.source_path, lines.number, error)
                continue
            if line.strip():
                yield _build_document(file, lines.number, partial(_map_json_cells, line, locate_keys))


def read_csv(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each row below the header; `row` starts at 1.

    Cells may be separated by commas, semicolons, tabs or bars, according to the header.
    """
    with _open_csv(file, columns) as (header, rows):
        names = map_columns(header, columns)
        for number, cells in enumerate(rows, 1):
            yield _build_document(file, number, partial(_map_csv_cells, cells, header, names))


def read_parquet(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each row; only the columns in use are read, within limits."""
    with _open_parquet(file) as source:
        packed = source.seek(0, io.SEEK_END)
        schema = pq.read_schema(source)
        names = map_columns(schema.names, columns)
        _check_types(schema, names)
        for number, cells in enumerate(iterate_bounded_rows(source, packed, list(names.values())), 1):
            yield _build_document(file, number, partial(_map_parquet_cells, cells, names))


def list_csv_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the columns of a CSV file, as the only shape of its rows."""
    with _open_csv(file, columns) as (header, _):
        return [tuple(header)]


def list_jsonl_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the keys of the first lines of JSONL: each shape of rows once."""
    with open_text(file.path) as lines:
        shapes: dict[tuple[str, ...], None] = {}
        for line in islice(LimitedLines(lines), JSONL_HEAD_LINES):
            try:
                value = parse_json(line, "one JSON object on the line")
            except ReadError:
                continue  # reported by read_jsonl
            if isinstance(value, dict):
                shapes[tuple(value)] = None
        return list(shapes)


def list_parquet_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the columns of a Parquet file, as the only shape of its rows."""
    with _open_parquet(file) as source:
        return [tuple(pq.read_schema(source).names)]


def list_unused_columns(shapes: Iterable[tuple[str, ...]], columns: Mapping[str, str]) -> tuple[str, ...]:
    """List the columns that match no field; raises ReadError if several columns match one field."""
    wanted = get_field_columns(columns)
    return tuple(
        dict.fromkeys(name for names in shapes for name in find_unmatched(names, match_columns(names, wanted)))
    )


@contextmanager
def _open_csv(
    file: InputFile, columns: Mapping[str, str]
) -> Iterator[tuple[list[str], Iterator[list[str] | ReadError]]]:
    """Open a CSV file and return its header and the rows below."""
    delimiter = find_delimiter(file.path, get_field_columns(columns).values())
    with open_text(file.path, newline="", guess=True) as lines:
        rows = iterate_csv_rows(lines, delimiter)
        yield [name.strip() for name in unwrap_row(next(rows, []))], rows


@contextmanager
def _open_parquet(file: InputFile) -> Iterator[BinaryIO]:
    with open_bytes(file.path) as raw:
        # Parquet is read from its end, so a gzipped file must be unpacked as a whole.
        yield (
            io.BytesIO(read_within_limit(raw, MAX_UNPACKED_TABLE_BYTES)) if file.path.suffix.lower() == ".gz" else raw
        )


def _make_key_locator(columns: Mapping[str, str]) -> Callable[[tuple[str, ...]], Mapping[str, str]]:
    """Make a cached function from the keys of a JSONL row to the key of each field."""
    wanted = get_field_columns(columns)
    return lru_cache(maxsize=SHAPES)(lambda names: match_columns(names, wanted))


def _build_document(file: InputFile, row: int, cells: Callable[[], Mapping[str, object]]) -> RawDocument | Rejected:
    try:
        return row_to_document(cells(), file, row)
    except ReadError as error:
        return make_rejected(file.source_path, row, error)


def _map_csv_cells(cells: list[str] | ReadError, header: list[str], names: Mapping[str, str]) -> dict[str, object]:
    return _rename_cells(make_csv_record(cells, header), names)


def _map_json_cells(line: str, locate_keys: Callable[[tuple[str, ...]], Mapping[str, str]]) -> dict[str, object]:
    if has_undecoded_bytes(line):
        raise ReadError("a line in UTF-8", "other bytes", "Save the file as UTF-8.")
    value = parse_json(line, "one JSON object on the line")
    if not isinstance(value, dict):
        hint = "Write each document as one object on one line."
        raise ReadError("one JSON object on the line", f"a {type(value).__name__}", hint)
    return _rename_cells(value, locate_keys(tuple(value)))


def _map_parquet_cells(cells: ParquetRow | ReadError, names: Mapping[str, str]) -> dict[str, object]:
    if isinstance(cells, ReadError):
        raise cells
    return _rename_cells(cells, names)


def _rename_cells(cells: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    return {field: cells.get(column) for field, column in names.items()}


def _check_types(schema: pa.Schema, names: Mapping[str, str]) -> None:
    """Reject a Parquet file if a column has the wrong type, once and not for each row."""
    for field, column in names.items():
        kind = schema.field(column).type
        if not (_is_paragraphs_type(kind) if field == "paragraphs" else _is_metadata_type(kind, field)):
            expected = "text" if field in CONTENT_FIELDS else "text, numbers or dates"
            expected = "a list of strings or of structs" if field == "paragraphs" else expected
            hint = f"Convert the column, or choose another one with --map {field}=COLUMN."
            raise ReadError(f"{expected} in column {column!r}", f"type {kind}", hint)


def _is_text_type(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in tests)


def _is_metadata_type(kind: pa.DataType, field: str) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_date, pa.types.is_timestamp)
    return _is_text_type(kind) or (field != "text" and any(test(kind) for test in tests))


def _is_paragraphs_type(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_text_type(kind.value_type) or pa.types.is_struct(kind.value_type)
    return _is_text_type(kind)
