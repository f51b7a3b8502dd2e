"""Rows of a Parquet file, however small the file and however large what it stands for."""

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
    MAX_UNPACKED_TABLE_BYTES,
    SAFE_UNPACKED_BYTES,
)

BATCH_ROWS = 64
BATCH_BYTES = 100_000_000  # of text, that a batch of rows may hold
MAX_VALUES = 50_000_000  # of one column in one row group; references to a text cost a file next to nothing
ParquetRow = Mapping[str, object]


class _LeafColumn(NamedTuple):
    """A physical column in use: number, full path, the column of the table, and how its values lie."""

    number: int
    path: str
    column: str
    is_text: bool
    is_nested: bool


class _ReadPlan(NamedTuple):
    """How to read a row group: rows at once, and the columns to take as references instead of text."""

    rows: int
    references: tuple[str, ...]


def iterate_bounded_rows(source: BinaryIO, packed: int, columns: Sequence[str]) -> Iterator[ParquetRow | ReadError]:
    """The rows of some columns, a batch at a time, or in place of a row that it is too long.

    `packed` is the size of the file in bytes. Raises ReadError once the file turns out to be a bomb: its
    pages, or what its rows hold in all, grow more than a hundredfold, or one column has too many values.
    """
    metadata = pq.ParquetFile(source).metadata
    limit = max(SAFE_UNPACKED_BYTES, MAX_COMPRESSION_RATIO * packed)
    leaves = _find_leaf_columns(metadata.schema, columns)
    _check_page_sizes(metadata, leaves, limit)
    done = 0
    for group in range(metadata.num_row_groups):
        plan = _plan_row_group(source, metadata, group, leaves)
        for batch in _read_row_group(source, metadata, group, columns, plan):
            # Measured as a whole, which is quick, and row by row only where that is much.
            is_much = _measure_size(batch) > MAX_DOCUMENT_SIZE
            for part in [batch.slice(i, 1) for i in range(batch.num_rows)] if is_much else [batch]:
                size = _measure_size(part)
                if size > MAX_DOCUMENT_SIZE:
                    expected = f"rows of up to {MAX_DOCUMENT_SIZE / 1_000_000:g} MB"
                    yield ReadError(expected, f"one of {size / 1_000_000:,.0f} MB", "Split the document.")
                    continue
                done += size
                if done > limit:
                    raise _make_bomb_error(limit)
                yield from part.to_pylist()


def _read_row_group(
    source: BinaryIO, metadata: pq.FileMetaData, group: int, columns: Sequence[str], plan: _ReadPlan
) -> Iterator[pa.RecordBatch]:
    source.seek(0)
    file = pq.ParquetFile(source, metadata=metadata, read_dictionary=list(plan.references))
    return iter(file.iter_batches(batch_size=plan.rows, row_groups=[group], columns=list(columns)))


def _find_leaf_columns(schema: pq.ParquetSchema, columns: Sequence[str]) -> list[_LeafColumn]:
    found = []
    for i in range(len(schema)):
        leaf = schema.column(i)
        # A flat column may have a point in its name.
        column = leaf.path if leaf.path in columns else leaf.path.split(".")[0]
        if column in columns:
            is_text = leaf.physical_type == "BYTE_ARRAY"
            found.append(_LeafColumn(i, leaf.path, column, is_text, leaf.max_repetition_level > 0))
    return found


def _check_page_sizes(metadata: pq.FileMetaData, leaves: Sequence[_LeafColumn], limit: int) -> None:
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    chunks = [group.column(leaf.number) for group in groups for leaf in leaves]
    if sum(chunk.total_uncompressed_size for chunk in chunks) > limit:
        raise _make_bomb_error(limit)
    most = max((chunk.num_values for chunk in chunks), default=0)
    if most > MAX_VALUES:
        expected = f"up to {MAX_VALUES / 1_000_000:g} million values to a column of a row group"
        raise ReadError(expected, f"{most / 1_000_000:,.0f} million", "Write it anew in smaller row groups.")


def _plan_row_group(
    source: BinaryIO, metadata: pq.FileMetaData, group: int, leaves: Sequence[_LeafColumn]
) -> _ReadPlan:
    """So many rows at once that they fit even if each were the longest that the row group refers to.

    A text stands once in the dictionary of its row group, whence any number of values may refer to it. Lists
    of such references, which cannot be cut, are left as references where all of them together are too much.
    """
    chunks = {leaf: metadata.row_group(group).column(leaf.number) for leaf in leaves if leaf.is_text}
    # Its values borrow from those before them: each may be as long as all that is written.
    borrowing = {leaf for leaf, chunk in chunks.items() if "DELTA_BYTE_ARRAY" in chunk.encodings}
    longest = {leaf: chunks[leaf].total_uncompressed_size for leaf in borrowing}
    probed = [leaf for leaf in chunks if leaf.column not in {borrower.column for borrower in borrowing}]
    longest |= _measure_longest_texts(source, metadata, group, probed)
    flat = sum(length for leaf, length in longest.items() if not leaf.is_nested)
    references = []
    for leaf, length in longest.items():
        chunk = chunks[leaf]
        if leaf.is_nested and length * chunk.num_values > BATCH_BYTES:
            if leaf in borrowing or chunk.total_uncompressed_size > MAX_UNPACKED_TABLE_BYTES:
                hint = "Write it anew in smaller row groups, with the encodings of Parquet 1."
                raise ReadError("lists of text within bounds", f"more in column {leaf.column!r}", hint)
            references.append(leaf.path)
    return _ReadPlan(max(1, min(BATCH_ROWS, BATCH_BYTES // max(flat, 1))), tuple(references))


def _measure_longest_texts(
    source: BinaryIO, metadata: pq.FileMetaData, group: int, leaves: Sequence[_LeafColumn]
) -> dict[_LeafColumn, int]:
    """The length of the longest text in the dictionary of each column, in bytes."""
    found = dict.fromkeys(leaves, 0)
    for leaf in leaves:
        first = next(_read_row_group(source, metadata, group, [leaf.path], _ReadPlan(1, (leaf.path,))), None)
        for values in _iterate_dictionaries(first) if first is not None else ():
            found[leaf] = max(found[leaf], pc.max(pc.binary_length(values)).as_py() or 0)
    return found


def _iterate_dictionaries(values: pa.RecordBatch | pa.Array) -> Iterator[pa.Array]:
    if isinstance(values, pa.DictionaryArray):
        yield values.dictionary
    elif isinstance(values, pa.RecordBatch):
        for column in values.columns:
            yield from _iterate_dictionaries(column)
    elif isinstance(values, pa.StructArray):
        for field in values.flatten():
            yield from _iterate_dictionaries(field)
    elif isinstance(values, pa.ListArray | pa.LargeListArray):
        yield from _iterate_dictionaries(values.values)


def _measure_size(values: pa.RecordBatch | pa.Array) -> int:
    """Bytes of text that the values stand for, and one for every value."""
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
    return ReadError("a Parquet file of text", got, "If it is sound, convert it to JSON lines.")
