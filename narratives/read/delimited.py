"""CSV as spreadsheets write it: its delimiter, its rows, and what is wrong with a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TextIO

from narratives.model import ReadError
from narratives.read.bounds import MAX_DOCUMENT, Lines, LongLineError
from narratives.read.encoding import is_damaged, open_text
from narratives.read.rows import fold

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
