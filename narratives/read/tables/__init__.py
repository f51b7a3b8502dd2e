"""CSV as spreadsheets write it: its delimiter, its rows, and what is wrong with a row."""

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
    fold,
    map_columns,
    match,
    parse_json,
    refuse,
    row_to_document,
    unused,
    wanted_columns,
)

DELIMITERS = ",;\t|"
MAX_HEADER_CHARACTERS = 65_536  # that are looked at for the header


def find_delimiter(path: Path, names: Collection[str]) -> str:
    """The delimiter that finds most of the `names` in the header, or else most columns; a comma in doubt.

    Only the header tells: texts are full of commas and semicolons, on which guessing by frequency (as
    csv.Sniffer does) goes wrong. Raises what `open_text` raises.
    """
    with open_text(path, newline="", guess=True) as lines:
        head = lines.read(MAX_HEADER_CHARACTERS)
    if has_delimiter_line(head[:5].casefold().rstrip("\r\n")):
        return head[4]

    known = {fold(name) for name in names}

    def found(delimiter: str) -> tuple[int, int]:
        try:
            header = next(row for row in csv.reader(io.StringIO(head), delimiter=delimiter, strict=True) if row)
        except (csv.Error, StopIteration):
            return 0, 0
        return len(known & {fold(name) for name in header}), len(header)

    return max(DELIMITERS, key=found)


def has_delimiter_line(start: str) -> bool:
    """Whether a file starts as Excel's do that name their delimiter: `sep=;`."""
    return len(start) == len("sep=;") and start.startswith("sep=") and start[4] in DELIMITERS


def iterate_csv_rows(lines: TextIO, delimiter: str = ",") -> Iterator[list[str] | ReadError]:
    """The rows of CSV text, or in place of a row what is wrong with it; blank lines are no rows."""
    # One cell may hold a whole book; the csv module's own limit is 128 KiB.
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
    """A CSV row by column name; raises ReadError where it is faulty or not as long as the header."""
    cells = unwrap_row(cells)
    if len(cells) != len(header):
        hint = "Quote cells that hold the delimiter or line breaks."
        raise ReadError(f"{len(header)} cells as in the header", f"{len(cells)} cells", hint)
    return dict(zip(header, cells, strict=True))


def unwrap_row(cells: list[str] | ReadError) -> list[str]:
    """The cells of a row; raises what came in their place."""
    if isinstance(cells, ReadError):
        raise cells
    return cells


JSONL_HEAD_LINES = 50  # of JSONL whose keys are taken for the columns
SHAPES = 64  # of JSONL rows, by their keys, whose fields are remembered


def read_jsonl(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a line; `row` is the line number, and each line has names of its own."""
    locate_keys = _key_finder(columns)
    with open_text(file.path) as opened:
        lines = LimitedLines(opened)
        while True:
            try:
                line = next(lines)
            except StopIteration:
                return
            except LongLineError as error:
                yield refuse(file.source_path, lines.number, error)
                continue
            if line.strip():
                yield _build_document(file, lines.number, partial(_map_json_cells, line, locate_keys))


def read_csv(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row under a header; `row` counts from the first row after the header.

    Cells may be parted by commas, semicolons, tabs or bars, as the header shows.
    """
    with _opened_csv(file, columns) as (header, rows):
        names = map_columns(header, columns)
        for number, cells in enumerate(rows, 1):
            yield _build_document(file, number, partial(_map_csv_cells, cells, header, names))


def read_parquet(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """One document a row; only the columns in use are read, within bounds (`bounded_rows`)."""
    with _opened_parquet(file) as source:
        packed = source.seek(0, io.SEEK_END)
        schema = pq.read_schema(source)
        names = map_columns(schema.names, columns)
        _check_types(schema, names)
        for number, cells in enumerate(iterate_bounded_rows(source, packed, list(names.values())), 1):
            yield _build_document(file, number, partial(_map_parquet_cells, cells, names))


def csv_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The names of the columns of a CSV file, as its one shape of rows."""
    with _opened_csv(file, columns) as (header, _):
        return [tuple(header)]


def jsonl_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The keys of the first lines of JSONL: every shape of rows once."""
    with open_text(file.path) as lines:
        shapes: dict[tuple[str, ...], None] = {}
        for line in islice(LimitedLines(lines), JSONL_HEAD_LINES):
            try:
                value = parse_json(line, "one JSON object on the line")
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
        rows = iterate_csv_rows(lines, delimiter)
        yield [name.strip() for name in unwrap_row(next(rows, []))], rows


@contextmanager
def _opened_parquet(file: InputFile) -> Iterator[BinaryIO]:
    with open_bytes(file.path) as raw:
        # Parquet is read from its end: what is packed as a whole must be unpacked as a whole.
        yield (
            io.BytesIO(read_within_limit(raw, MAX_UNPACKED_TABLE_BYTES)) if file.path.suffix.lower() == ".gz" else raw
        )


def _key_finder(columns: Mapping[str, str]) -> Callable[[tuple[str, ...]], Mapping[str, str]]:
    """Which key of a row of JSONL holds which field; rows of the same keys are looked at once."""
    wanted = wanted_columns(columns)
    return lru_cache(maxsize=SHAPES)(lambda names: match(names, wanted))


def _build_document(file: InputFile, row: int, cells: Callable[[], Mapping[str, object]]) -> RawDocument | Rejected:
    try:
        return row_to_document(cells(), file, row)
    except ReadError as error:
        return refuse(file.source_path, row, error)


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
    """Refuse a Parquet file whose columns cannot hold what they are meant to, once and not row by row."""
    for field, column in names.items():
        kind = schema.field(column).type
        if not (_is_paragraphs_type(kind) if field == "paragraphs" else _is_metadata_type(kind, field)):
            meant = "text" if field in CONTENT_FIELDS else "text, numbers or dates"
            meant = "a list of strings or of structs" if field == "paragraphs" else meant
            hint = f"Convert the column, or name another one with --map {field}=COLUMN."
            raise ReadError(f"{meant} in column {column!r}", f"type {kind}", hint)


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
