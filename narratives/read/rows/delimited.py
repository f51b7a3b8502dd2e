"""Read the rows of CSV text, as spreadsheets, databases and programs write it."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from narratives.model import ReadError
from narratives.read.encoding import MAX_DOCUMENT_SIZE, LimitedLines, LongLineError, has_undecoded_bytes, open_text
from narratives.read.rows import fold
from narratives.read.rows.columns import COLUMN_FIELDS, SYNONYM, score_column_name

DELIMITERS = ",;\t|"
MAX_HEAD_CHARACTERS = 65_536  # in which the header must be
MAX_HEAD_ROWS = 30  # of which one is the header
MIN_HEADER_NAMES = 2  # known names that make a row below others the header
MAX_LINES_AHEAD = 1000  # of a record that a program wrote with backslashes before quotation marks
_INCHES = re.compile(r'(?<=[0-9])"')
_NOTHING = " \t\x1a"  # a cell with nothing else is empty; Ctrl-Z ends the files of old programs


class TableLayout(NamedTuple):
    """How a table is written: its delimiter, the columns, and the number of lines up to the end of the header.

    `skipped` is the number of rows above the header that are no part of the table. `is_spaced` says that a space
    follows every delimiter, which is no part of the cell.
    """

    delimiter: str
    header: list[str]
    lines: int
    skipped: int
    is_spaced: bool = False


class _Header(NamedTuple):
    """A row that may be the header: how many of its names are known exactly, or otherwise, and where it is."""

    known: int
    similar: int
    names: list[str]
    lines: int
    row: int
    is_spaced: bool


@contextmanager
def open_csv(path: Path, names: Collection[str]) -> Iterator[tuple[list[str], Iterator[list[str] | ReadError]]]:
    """Open a CSV file and return its header and the rows below; `names` are columns that it should have.

    A faulty row is returned as an error. Rows with nothing but empty cells are skipped. Raises the same errors as
    `open_text`.
    """
    with open_text(path, newline="") as lines:
        head = lines.read(MAX_HEAD_CHARACTERS)
    layout = find_layout(head, names)
    with open_text(path, newline="") as lines:
        yield layout.header, iterate_csv_rows(lines, layout)


def count_preamble_rows(path: Path, names: Collection[str]) -> int:
    """Return the number of rows above the header, which are not read."""
    with open_text(path, newline="") as lines:
        return find_layout(lines.read(MAX_HEAD_CHARACTERS), names).skipped


def find_layout(head: str, names: Collection[str]) -> TableLayout:
    """Find the delimiter and the header of a table from its beginning.

    The delimiter is that with most of `names` in the header, or else with most columns. Guessing by frequency, as
    csv.Sniffer does, would fail: texts contain many commas and semicolons. The header is the first row, unless it
    has no known name and a later row has several: exports start with the name of the search, or its date.
    """
    declared = _get_declared_delimiter(head)
    known = {fold(name) for name in names}
    best: tuple[tuple[int, int, int], TableLayout] | None = None
    for delimiter in [declared] if declared else DELIMITERS:
        rows = _read_head_rows(head, delimiter, known)
        if declared:
            rows = rows[1:]
        if not rows:
            continue
        chosen = _choose_header(rows)
        rank = (chosen.known, chosen.similar, len(chosen.names))
        if best is None or rank > best[0]:
            best = rank, TableLayout(delimiter, chosen.names, chosen.lines, rows.index(chosen), chosen.is_spaced)
    return best[1] if best else TableLayout(declared or ",", [], 0, 0)


def _get_declared_delimiter(head: str) -> str:
    """Return the delimiter of a first line in which Excel states it, such as `sep=;`; "" if there is none."""
    line = head[:8].replace('"', "").casefold()
    is_declared = line[:4] == "sep=" and line[4:5] in DELIMITERS and line[5:6] in ("\r", "\n", "")
    return line[4:5] if is_declared else ""


def _read_head_rows(head: str, delimiter: str, known: AbstractSet[str]) -> list[_Header]:
    rows: list[_Header] = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        for cells in islice(reader, MAX_HEAD_ROWS):
            is_spaced = len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])
            names = [" ".join(cell.replace("\ufeff", "").split()) for cell in cells]
            names = [name.strip('"') for name in names] if is_spaced else names
            while names and not names[-1]:
                names.pop()
            if not names:
                continue
            matched = len(known & {fold(name) for name in names})
            similar = sum(any(score_column_name(field, name) >= SYNONYM for field in COLUMN_FIELDS) for name in names)
            rows.append(_Header(matched, similar, names, reader.line_num, len(rows), is_spaced))
    except csv.Error:
        pass  # reported when the rows are read
    return rows


def _choose_header(rows: list[_Header]) -> _Header:
    first = rows[0]
    if first.known or first.similar:
        return first
    # A single column has a single name.
    others = [
        row for row in rows if max(row.known, row.similar) >= MIN_HEADER_NAMES or row.names in (["text"], ["Text"])
    ]
    return max(others, key=lambda row: (row.known, row.similar, -row.row), default=first)


class _Lines(Iterator[str]):
    """Lines that can be put back; `taken` holds those of the current record."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._ahead, self.taken = lines, deque[str](), list[str]()
        self.number = 0

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def keep(self, number: int) -> None:
        """Put back all lines of the record except the first `number`."""
        self._ahead.extendleft(reversed(self.taken[number:]))
        self.number -= len(self.taken) - number
        del self.taken[number:]


def iterate_csv_rows(opened: TextIO, layout: TableLayout) -> Iterator[list[str] | ReadError]:
    """Iterate over the rows below the header; a faulty row is returned as an error. Empty rows are skipped.

    A row that is not well-formed is read all the same where only one reading has as many cells as the header: with
    backslashes before quotation marks, with quotation marks in the middle of a cell, or with a delimiter and a space
    in a cell without quotation marks.
    """
    # One cell may contain a whole book, but the default limit of the csv module is 128 KiB.
    csv.field_size_limit(MAX_DOCUMENT_SIZE)
    lines = _Lines(LimitedLines(opened))
    for _ in islice(lines, layout.lines):
        pass
    width = len(layout.header)
    while True:
        lines.taken.clear()
        first = lines.number + 1
        try:
            cells = _read_record(lines, layout)
        except StopIteration:
            return
        except LongLineError as error:
            yield error
            continue
        if isinstance(cells, csv.Error):
            where = f"line {first}" if lines.number == first else f"lines {first} to {lines.number}"
            yield ReadError("a well-formed CSV row", f"{cells} in {where}", "Check the quotation marks.")
        elif any(has_undecoded_bytes(cell) for cell in cells):
            yield ReadError("text in UTF-8", f"other bytes in line {first}", "Save the file as UTF-8.")
        elif len(cells) != width and cells:
            hint = "Put cells with the delimiter or line breaks in quotation marks."
            yield ReadError(f"{width} cells as in the header", f"{len(cells)} cells in line {first}", hint)
        elif cells:
            yield cells


def _read_record(lines: _Lines, layout: TableLayout) -> list[str] | csv.Error:
    """Return the cells of the next record, none if all are empty, or the error of one that cannot be read."""
    cells: list[str] | csv.Error
    delimiter, width = layout.delimiter, len(layout.header)
    try:
        reader = csv.reader(lines, strict=True, delimiter=delimiter, skipinitialspace=layout.is_spaced)
        cells = next(reader)
    except csv.Error as error:
        cells = error
    if isinstance(cells, list):
        while cells and not cells[-1].strip(_NOTHING) and (len(cells) > width or not any(map(_has_content, cells))):
            cells.pop()
        if len(cells) in (0, width):
            return cells
    return _repair_row(lines, delimiter, width) or cells


def _has_content(cell: str) -> bool:
    return bool(cell.strip(_NOTHING))


def _repair_row(lines: _Lines, delimiter: str, width: int) -> list[str] | None:
    """Return the cells of a row that is not well-formed, or None if no reading has the right number of them."""
    taken = len(lines.taken)
    text = "".join(lines.taken)
    if '\\"' in text and (cells := _read_backslashes(lines, delimiter, width)):
        return cells
    lines.keep(taken)
    if taken > 1:
        return None
    if width == 1 and '"' not in text:
        return [text.rstrip("\r\n")]
    readings = (_split_loosely(text, delimiter), _join_after_spaces(text, delimiter))
    return next((cells for cells in readings if len(cells) == width), None)


def _read_backslashes(lines: _Lines, delimiter: str, width: int) -> list[str] | None:
    """Read a record in which a backslash before a quotation mark makes it a part of the cell."""
    lines.keep(0)
    ahead = (line.replace('\\"', '""') for line in islice(lines, MAX_LINES_AHEAD))
    reader = csv.reader(ahead, strict=True, delimiter=delimiter)
    try:
        cells = next(reader)
    except (csv.Error, StopIteration, LongLineError):
        cells = []
    return cells if len(cells) == width else None


def _split_loosely(line: str, delimiter: str) -> list[str]:
    """Split a line at delimiters; a quotation mark ends a cell only before a delimiter or the end of the line."""
    line = line.rstrip("\r\n")
    cells: list[str] = []
    at = 0
    while at <= len(line):
        if line[at : at + 1] != '"':
            end = line.find(delimiter, at)
            end = len(line) if end < 0 else end
            cells.append(line[at:end])
        else:
            end = line.find(f'"{delimiter}', at + 1)
            end = end + 1 if end >= 0 else len(line)
            inner = line[at + 1 : end - 1].replace('""', '"')
            # One that is not closed shows that the cell goes on in the next line, unless it stands for inches.
            is_open = _INCHES.sub("", inner).count('"') % 2
            if line[end - 1] != '"' or end - at < 2 or is_open:
                return []
            cells.append(inner)
        at = end + 1
    return cells


def _join_after_spaces(line: str, delimiter: str) -> list[str]:
    """Split a line without quotation marks at delimiters that no space follows."""
    cells: list[str] = []
    for cell in [] if '"' in line or delimiter == "\t" else line.rstrip("\r\n").split(delimiter):
        if cells and cell.startswith(" "):
            cells[-1] += delimiter + cell
        else:
            cells.append(cell)
    return cells
