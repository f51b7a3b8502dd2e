"""Results of the workers as Parquet files, from which a build takes them; a build that was stopped finds them again."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from narratives.store.files import open_atomically

log = logging.getLogger(__name__)

Row: TypeAlias = dict[str, Any]
KEY = "key"  # the column that names the item which a row is the result of


class Shards:
    """The results of one stage of a build in a folder. Each row has a `key`, a string, and columns of its stage.

    A file appears whole or not at all, and its pages have checksums. A damaged file is removed, so that its rows count
    as not done.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, table: pa.Table) -> None:
        """Write rows; on return they are on the disk. The same keys replace their file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("\n".join(table[KEY].to_pylist()).encode()).hexdigest()[:32]
        with open_atomically(self._folder / f"{name}.parquet") as file:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True)

    def load(self) -> Iterator[pa.Table]:
        """Yield the tables that an earlier run has written."""
        for path in sorted(self._folder.glob("*.parquet")):
            try:
                table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
            except (OSError, pa.ArrowException) as error:
                log.warning("The results in %s were damaged (%s) and are computed again.", path, error)
                path.unlink()
                continue
            yield table

    def remove(self) -> None:
        """Remove the folder: its rows were taken."""
        shutil.rmtree(self._folder, ignore_errors=True)


def split_blocks(rows: Iterable[Row], schema: pa.Schema, most: int, weigh: Callable[[Row], int]) -> Iterator[pa.Table]:
    """Split rows into tables, each for one worker at a time: at least one row, and rows that weigh `most` together."""
    block: list[Row] = []
    total = 0
    for row in rows:
        weight = weigh(row)
        if block and total + weight > most:
            yield pa.Table.from_pylist(block, schema)
            block, total = [], 0
        block.append(row)
        total += weight
    if block:
        yield pa.Table.from_pylist(block, schema)


def weigh_content(row: Row) -> int:
    """Weigh a row by the bytes of its content."""
    return len(row["content"])
