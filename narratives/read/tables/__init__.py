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
    MAX_DOCUMENT,
    MAX_PACKED_TABLE,
    Lines,
    LongLineError,
    is_damaged,
    open_bytes,
    open_text,
    read_whole,
)
from narratives.read.tables.parquet import Row, bounded_rows
from narratives.read.tables.rows import (
    CONTENT,
    fold,
    json_value,
    locate,
    match,
    refuse,
    to_document,
    unused,
    wanted_columns,
)

DELIMITERS = ",;\t|"
HEADER_CHARACTERS = 65_536  # that are looked at for the header


def find_delimiter(path: Path, names: Collection[str]) -> str:
    """The delimiter that finds most of the `names` in the header, or else most columns; a comma in doubt.

    Only the header tells: texts are full of commas and semicolons, on which guessing by frequency (as
    csv.Sniffer does) goes wrong. Raises what `open_text` raises.
    """
    with open_text(path, newline="", guess=True) as lines:
        head = lines.read(HEADER_CHARACTERS)
    if is_declared(head[:5].casefold().rstrip("\r\n")):
        return head[4]

    known = {fold(name) for name in names}

    def found(delimiter: str) -> tuple[int, int]:
        try:
            header = next(
                row for row in csv.reader(io.StringIO(head), delimiter=delimiter, strict=True) if row
            )
        except (csv.Error, StopIteration):
            return 0, 0
        return len(known & {fold(name) for name in header}), len(header)

    return max(DELIMITERS, key=found)


def is_declared(start: str) -> bool:
    """Whether a file starts as Excel's do that name their delimiter: `sep=;`."""
    return len(start) == len("sep=;") and start.startswith("sep=") and start[4] in DELIMITERS


def csv_rows(lines: TextIO, delimiter: str = ",") -> Iterator[list[str] | ReadError]:
    """The rows of CSV text, or in place of a row what is wrong with it; blank lines are no rows."""
    # One cell may hold a whole book; the csv module's own limit is 128 KiB.
    csv.field_size_limit(MAX_DOCUMENT)
    reader = csv.reader(Lines(lines), strict=True, delimiter=delimiter)
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
        elif cells and not (first == 1 and is_declared(delimiter.join(cells).casefold())):
            yield cells


def csv_record(cells: list[str] | ReadError, header: list[str]) -> dict[str, str]:
    """A CSV row by column name; raises ReadError where it is faulty or not as long as the header."""
    cells = take(cells)
    if len(cells) != len(header):
        todo = "Quote cells that hold the delimiter or line breaks."
        raise ReadError(f"{len(header)} cells as in the header", f"{len(cells)} cells", todo)
    return dict(zip(header, cells, strict=True))


def take(cells: list[str] | ReadError) -> list[str]:
    """The cells of a row; raises what came in their place."""
    if isinstance(cells, ReadError):
        raise cells
    return cells


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
