"""CSV that a spreadsheet shows and does not run."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

# What starts a formula in a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = r"^[=+\-@\t\r\n]"


def neutralised(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before every text cell that a spreadsheet would run; numbers stay."""
    for at, column in enumerate(table.columns):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            safe = pc.binary_join_element_wise(
                pa.scalar("'", column.type), column, pa.scalar("", column.type)
            )
            runs = pc.match_substring_regex(column, _FORMULA)
            table = table.set_column(at, table.field(at).name, pc.if_else(runs, safe, column))
    return table


def from_table(table: pa.Table, bom: bool = False) -> bytes:
    """The table as CSV in UTF-8: header, all text quoted, lines end in a line feed, NULL is empty."""
    sink = io.BytesIO(b"\xef\xbb\xbf" if bom else b"")
    sink.seek(0, io.SEEK_END)
    arrow_csv.write_csv(neutralised(table), sink)
    return sink.getvalue()


def to_csv(frame: pd.DataFrame, bom: bool = False) -> bytes:
    """The frame as CSV, index left out. With `bom`, spreadsheets take it for UTF-8 without being told."""
    return from_table(pa.Table.from_pandas(frame, preserve_index=False), bom)
