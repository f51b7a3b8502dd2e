"""Read CSV and Parquet tables: one raw document for each row."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import BinaryIO, NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import (
    MAX_COMPRESSION_RATIO,
    MAX_DOCUMENT_SIZE,
    MAX_UNPACKED_TABLE_BYTES,
    SAFE_UNPACKED_BYTES,
    make_expansion_error,
    open_bytes,
    read_within_limit,
)
from narratives.read.rows import (
    find_unmatched,
    get_field_columns,
    make_rejected,
    map_columns,
    match_columns,
    row_to_document,
)
from narratives.read.rows.delimited import open_csv


def read_csv(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each row below the header; `row` starts at 1.

    Cells may be separated by commas, semicolons, tabs or bars, according to the header.
    """
    with open_csv(file.path, get_field_columns(columns).values()) as (header, rows):
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
            yield _build_document(file, number, partial(_rename_cells, cells, names))


def list_csv_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the columns of a CSV file, as the only shape of its rows."""
    with open_csv(file.path, get_field_columns(columns).values()) as (header, _):
        return [tuple(header)]


def list_parquet_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the columns of a Parquet file, as the only shape of its rows."""
    with _open_parquet(file) as source:
        return [tuple(pq.read_schema(source).names)]


def list_unused_columns(shapes: Iterable[tuple[str, ...]], columns: Mapping[str, str]) -> tuple[str, ...]:
    """List the columns that match no field; raises ReadError if several columns match one field."""
    wanted = get_field_columns(columns)
    unused = (find_unmatched(names, match_columns(names, wanted)) for names in shapes)
    return tuple(dict.fromkeys(chain.from_iterable(unused)))


@contextmanager
def _open_parquet(file: InputFile) -> Iterator[BinaryIO]:
    is_packed = file.path.suffix.lower() == ".gz"
    with open_bytes(file.path) as raw:
        # Parquet is read from its end, so a gzipped file must be unpacked as a whole.
        yield io.BytesIO(read_within_limit(raw, MAX_UNPACKED_TABLE_BYTES)) if is_packed else raw


def _build_document(file: InputFile, row: int, cells: Callable[[], Mapping[str, object]]) -> RawDocument | Rejected:
    try:
        return row_to_document(cells(), file, row)
    except ReadError as error:
        return make_rejected(file.source_path, row, error)


def make_csv_record(cells: list[str] | ReadError, header: list[str]) -> dict[str, str]:
    """Return a CSV row by column name; raises the error of a row that could not be read."""
    if isinstance(cells, ReadError):
        raise cells
    return dict(zip(header, cells, strict=True))


def _map_csv_cells(cells: list[str] | ReadError, header: list[str], names: Mapping[str, str]) -> dict[str, object]:
    return _rename_cells(make_csv_record(cells, header), names)


def _rename_cells(cells: TableRow | ReadError, names: Mapping[str, str]) -> dict[str, object]:
    """Return the cells of a row by field; raises the error of a row that could not be read."""
    if isinstance(cells, ReadError):
        raise cells
    return {field: cells.get(column) for field, column in names.items()}


def _check_types(schema: pa.Schema, names: Mapping[str, str]) -> None:
    """Reject a Parquet file if a column has the wrong type, once and not for each row."""
    rules = {"text": ("text", _is_text_type), "paragraphs": ("a list of strings or of structs", _is_paragraphs_type)}
    for field, column in names.items():
        kind = schema.field(column).type
        expected, is_allowed = rules.get(field, ("text, numbers or dates", _is_metadata_type))
        if not is_allowed(kind):
            hint = f"Convert the column, or choose another one with --map {field}=COLUMN."
            raise ReadError(f"{expected} in column {column!r}", f"type {kind}", hint)


def _is_text_type(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(value) for test in tests)


def _is_metadata_type(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_date, pa.types.is_timestamp)
    return _is_text_type(kind) or any(test(kind) for test in tests)


def _is_paragraphs_type(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_text_type(kind.value_type) or pa.types.is_struct(kind.value_type)
    return _is_text_type(kind)


BATCH_ROWS = 1024
BATCH_BYTES = MAX_DOCUMENT_SIZE // 2  # of a batch of rows of average size
MAX_DELTA_BYTES = 100_000_000  # of a batch, if every delta-encoded text is as long as it can be
MAX_VALUES = 50_000_000  # of one column in one row group; references to a text take almost no space in a file
TableRow = Mapping[str, object]


class _LeafColumn(NamedTuple):
    """A physical column in use: its number, its full path, and the column of the table."""

    number: int
    path: str
    column: str
    is_text: bool
    is_nested: bool


def iterate_bounded_rows(source: BinaryIO, packed: int, columns: Sequence[str]) -> Iterator[TableRow | ReadError]:
    """Iterate over the rows of some columns; a row that is too long is returned as a ReadError.

    `packed` is the size of the file in bytes. Raises ReadError if the pages of the file, or its rows in total,
    are more than a hundred times as large, or if one column has too many values.
    """
    metadata = pq.ParquetFile(source).metadata
    limit = max(SAFE_UNPACKED_BYTES, MAX_COMPRESSION_RATIO * packed)
    leaves = _find_leaf_columns(metadata.schema, columns)
    _check_page_sizes(metadata, leaves, limit)
    total = 0
    for group in range(metadata.num_row_groups):
        for batch in _read_row_group(source, metadata, group, columns, leaves):
            # Measured as a whole, which is fast, and row by row only if it is large.
            is_large = _measure_size(batch) > MAX_DOCUMENT_SIZE
            for part in [batch.slice(i, 1) for i in range(batch.num_rows)] if is_large else [batch]:
                size = _measure_size(part)
                if size > MAX_DOCUMENT_SIZE:
                    expected = f"rows of up to {MAX_DOCUMENT_SIZE / 1_000_000:g} MB"
                    yield ReadError(expected, f"one of {size / 1_000_000:,.0f} MB", "Split the document.")
                    continue
                total += size
                if total > limit:
                    raise _make_parquet_expansion_error(limit)
                yield from _list_rows(part)


def _list_rows(batch: pa.RecordBatch) -> list[TableRow | ReadError]:
    """Return the rows of a batch; a row with a value that Python cannot hold, such as the year 292277, as an error."""
    try:
        return cast(list[TableRow | ReadError], batch.to_pylist())
    except (ValueError, OverflowError, KeyError, pa.ArrowException) as error:
        if batch.num_rows > 1:
            return [row for i in range(batch.num_rows) for row in _list_rows(batch.slice(i, 1))]
        return [
            ReadError("dates from the year 1 to 9999, in a known time zone", str(error), "Correct or empty the date.")
        ]


def _read_row_group(
    source: BinaryIO, metadata: pq.FileMetaData, group: int, columns: Sequence[str], leaves: Sequence[_LeafColumn]
) -> Iterator[pa.RecordBatch]:
    """Read a row group in batches. Texts from a dictionary stay references until their size is checked.

    Delta encodings allow no references, so each of their texts may be as long as everything in the column.
    """
    group_metadata = metadata.row_group(group)
    references, size = [], 1
    for leaf in (leaf for leaf in leaves if leaf.is_text):
        chunk = group_metadata.column(leaf.number)
        if "DELTA_BYTE_ARRAY" in chunk.encodings:
            if leaf.is_nested and chunk.total_uncompressed_size * chunk.num_values > MAX_DELTA_BYTES:
                hint = "Write the file again with smaller row groups and the encodings of Parquet 1."
                raise ReadError("lists of text of limited size", f"larger ones in column {leaf.column!r}", hint)
            size += 0 if leaf.is_nested else chunk.total_uncompressed_size
        elif chunk.has_dictionary_page and "DELTA_LENGTH_BYTE_ARRAY" not in chunk.encodings:
            references.append(leaf.path)
    source.seek(0)
    file = pq.ParquetFile(source, metadata=metadata, read_dictionary=references)
    sizes = (group_metadata.column(leaf.number).total_uncompressed_size for leaf in leaves)
    average = sum(sizes) / max(group_metadata.num_rows, 1)
    rows = int(min(BATCH_ROWS, BATCH_BYTES / max(average, 1), MAX_DELTA_BYTES / size))
    return iter(file.iter_batches(batch_size=max(rows, 1), row_groups=[group], columns=list(columns)))


def _find_leaf_columns(schema: pq.ParquetSchema, columns: Sequence[str]) -> list[_LeafColumn]:
    leaves = []
    for i in range(len(schema)):
        leaf = schema.column(i)
        # The name of a flat column may contain a point.
        column = leaf.path if leaf.path in columns else leaf.path.split(".")[0]
        if column in columns:
            is_text = leaf.physical_type == "BYTE_ARRAY"
            leaves.append(_LeafColumn(i, leaf.path, column, is_text, leaf.max_repetition_level > 0))
    return leaves


def _check_page_sizes(metadata: pq.FileMetaData, leaves: Sequence[_LeafColumn], limit: int) -> None:
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    chunks = [group.column(leaf.number) for group in groups for leaf in leaves]
    if sum(chunk.total_uncompressed_size for chunk in chunks) > limit:
        raise _make_parquet_expansion_error(limit)
    most = max((chunk.num_values for chunk in chunks), default=0)
    if most > MAX_VALUES:
        expected = f"up to {MAX_VALUES / 1_000_000:g} million values per column and row group"
        raise ReadError(expected, f"{most / 1_000_000:,.0f} million", "Write the file again with smaller row groups.")


def _measure_size(values: pa.RecordBatch | pa.Array) -> int:
    """Return the bytes of text in the values, plus one for every value."""
    if isinstance(values, pa.RecordBatch):
        return sum(_measure_size(column) for column in values.columns)
    if isinstance(values, pa.DictionaryArray):
        lengths = pc.binary_length(values.dictionary).cast(pa.int64())
        return int(pc.sum(pc.take(lengths, values.indices)).as_py() or 0) + len(values)
    if isinstance(values, pa.StructArray):
        return sum(_measure_size(field) for field in values.flatten())
    if isinstance(values, pa.ListArray | pa.LargeListArray):
        return _measure_size(values.flatten()) + len(values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return int(pc.sum(pc.binary_length(values).cast(pa.int64())).as_py() or 0) + len(values)
    return len(values)


def _make_parquet_expansion_error(limit: int) -> ReadError:
    return make_expansion_error("a Parquet file of text", limit, "convert it to JSON lines")
