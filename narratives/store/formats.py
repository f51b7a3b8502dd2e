"""Tables as CSV, JSON lines or Parquet: the same rows in each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from narratives.store import csv

SUFFIXES = (".csv", ".jsonl", ".parquet")


def write(
    table: pa.Table, suffix: str, file: BinaryIO, bom: bool = False, about: Mapping[str, str] | None = None
) -> None:
    """Write the table in the format of `suffix`, one of SUFFIXES.

    Only CSV neutralises formulas, and only it has a byte-order mark if asked for. `about` is kept once, as
    the metadata of a Parquet file; the others have no place for it.
    """
    if suffix == ".csv":
        file.write(csv.from_table(table, bom))
    elif suffix == ".parquet":
        parquet.write_table(table.replace_schema_metadata(dict(about) if about else None), file)
    else:
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
