"""Read the rows of a Parquet file within limits of memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from narratives.model import ReadError
from narratives.read.encoding import (
    MAX_COMPRESSION_RATIO,
    MAX_DOCUMENT_SIZE,
    SAFE_UNPACKED_BYTES,
)

BATCH_ROWS = 1024
BATCH_BYTES = MAX_DOCUMENT_SIZE // 2  # of a batch of rows of average size
MAX_DELTA_BYTES = 100_000_000  # of a batch, if every text of a delta encoding has the greatest possible length
MAX_VALUES = 50_000_000  # of one column in one row group; references to a text take almost no space in a file
ParquetRow = Mapping[str, object]


class _LeafColumn(NamedTuple):
    """A physical column in use: its number, its full path, and the column of the table."""

    number: int
    path: str
    column: str
    is_text: bool
    is_nested: bool


def iterate_bounded_rows(source: BinaryIO, packed: int, columns: Sequence[str]) -> Iterator[ParquetRow | ReadError]:
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
                    raise _make_bomb_error(limit)
                yield from part.to_pylist()


def _read_row_group(
    source: BinaryIO, metadata: pq.FileMetaData, group: int, columns: Sequence[str], leaves: Sequence[_LeafColumn]
) -> Iterator[pa.RecordBatch]:
    """Read a row group in batches. Texts from a dictionary stay references until their size is checked.

    Delta encodings allow no references: there, each text may be as long as everything in the column.
    """
    group_metadata = metadata.row_group(group)
    references, size = [], 1
    for leaf in (leaf for leaf in leaves if leaf.is_text):
        chunk = group_metadata.column(leaf.number)
        if "DELTA_BYTE_ARRAY" in chunk.encodings:
            if leaf.is_nested and chunk.total_uncompressed_size * chunk.num_values > MAX_DELTA_BYTES:
                hint = "Write the file again with smaller row groups and the encodings of Parquet 1."
                raise ReadError("lists of text within bounds", f"more in column {leaf.column!r}", hint)
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
        raise _make_bomb_error(limit)
    most = max((chunk.num_values for chunk in chunks), default=0)
    if most > MAX_VALUES:
        expected = f"up to {MAX_VALUES / 1_000_000:g} million values to a column of a row group"
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


def _make_bomb_error(limit: int) -> ReadError:
    got = f"one that grows more than {MAX_COMPRESSION_RATIO}-fold, beyond {limit // 1_000_000} MB"
    return ReadError("a Parquet file of text", got, "If you trust the file, convert it to JSON lines.")
