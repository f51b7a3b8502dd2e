"""Read spreadsheets (.xlsx, .xls, .ods) with calamine: one document from each row."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import IO, NamedTuple

from lxml import etree

from narratives.model import InputFile, RawDocument, ReadError, Rejected
from narratives.read.encoding import (
    MAX_SECONDS,
    is_locked,
    make_empty_error,
    make_expansion_error,
    open_bytes,
    read_within_limit,
)
from narratives.read.rows import (
    CONTENT_FIELDS,
    get_field_columns,
    make_rejected,
    map_columns,
    match_columns,
    row_to_document,
)

MAX_FILE_BYTES = 100_000_000
MAX_UNPACKED = 1_000_000_000  # bytes of all parts of a packed spreadsheet
MAX_RATIO = 100
HARMLESS_BYTES = 50_000_000  # bytes of parts that may be unpacked at any ratio
MAX_CELLS = 10_000_000  # of one sheet from its first to its last filled cell; calamine holds all of them
MAX_HEADER_ROWS = 20  # in which the header must be
MAX_DIGITS = 12  # of a number of repetitions
# The attributes of a cell in an .ods file that holds nothing.
_EMPTY_CELL = ("style-name", "number-columns-repeated", "content-validation-name")
# A row or a cell in the XML of a sheet, up to its attribute `r` if it has one. Quoted values may hold any characters.
_XLSX_TAG = re.compile(
    rb"""<(?:[^\s<>/:"'=]++:)?(?:(c)|row)(?=[\s/>])(?:(?!(?<=[\s"'])r\s*=)(?:[^<>"']|"[^"]*+"|'[^']*+'))*+"""
    rb"""(?:r\s*=\s*(?:["']([A-Za-z]{0,3})(\d{1,7})["']|(.{0,20})))?""",
    re.DOTALL,
)
_BINARY_WORKBOOK = "xl/workbook.bin"
_PACKED, _BINARY = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MAX_BINARY_MEMORY = 2_000_000_000  # bytes for the largest sheet of an .xls file
# Its exit status is 0 if the file can be loaded, or if it is refused with a reason.
_LOAD_ALONE = """
import io, sys
import python_calamine
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), -1))
except (ImportError, OSError, ValueError):  # a system without this limit
    pass
try:
    book = python_calamine.load_workbook(io.BytesIO(sys.stdin.buffer.read()))
    for name in book.sheet_names:
        book.get_sheet_by_name(name)
except python_calamine.CalamineError:
    pass
"""
Cell = str | float | bool | date | datetime | time | timedelta


class Sheet(NamedTuple):
    """One sheet: its name, its header, and the rows below it."""

    name: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


def read_spreadsheet(file: InputFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Rejected]:
    """Read one document from each filled row below the header of each sheet that has a column of texts.

    `row` starts at 1 and goes on from sheet to sheet.
    """
    sheets = _load_sheets(file)
    readable = [sheet for sheet in sheets if _has_texts(sheet, columns)]
    if not readable:
        # The error lists the columns of the largest sheet, which is most likely to hold the texts.
        map_columns(max(sheets, key=lambda sheet: len(sheet.rows)).header, columns)
    number = 0
    for sheet in readable:
        names = map_columns(sheet.header, columns)
        places = {field: sheet.header.index(name) for field, name in names.items()}
        for row in sheet.rows:
            number += 1
            cells = {field: _format_cell(row[place]) for field, place in places.items()}
            try:
                yield row_to_document(cells, file, number)
            except ReadError as error:
                yield make_rejected(file.source_path, number, error)


def list_spreadsheet_columns(file: InputFile, columns: Mapping[str, str]) -> list[tuple[str, ...]]:
    """List the columns of each sheet; those of a sheet that is not read as `Sheet!Column`, if another one is."""
    sheets = _load_sheets(file)
    readable = [sheet for sheet in sheets if _has_texts(sheet, columns)]
    if not readable:
        return [sheet.header for sheet in sheets]
    return [
        sheet.header if sheet in readable else tuple(f"{sheet.name}!{name}" for name in sheet.header if name)
        for sheet in sheets
    ]


def _has_texts(sheet: Sheet, columns: Mapping[str, str]) -> bool:
    located = match_columns(sheet.header, get_field_columns(columns))
    return any(field in located for field in CONTENT_FIELDS)


def _load_sheets(file: InputFile) -> list[Sheet]:
    """Load the sheets that hold anything. Raises ReadError."""
    import python_calamine  # loaded only for the first such file

    with open_bytes(file.path) as raw:
        data = read_within_limit(raw, MAX_FILE_BYTES)
    if not data:
        raise make_empty_error()
    if data.startswith(_BINARY):
        _check_binary(data)
    elif data.startswith(_PACKED) or zipfile.is_zipfile(io.BytesIO(data)):  # also with other bytes before it
        _check_size(data)
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            kind = python_calamine.SheetTypeEnum.WorkSheet  # and no chart or macro
            names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == kind]
            loaded = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=True)) for name in names]
    except python_calamine.PasswordError as error:
        raise ReadError("a spreadsheet without a password", "one with a password", "Save it without one.") from error
    except python_calamine.CalamineError as error:
        hint = "Open it in a spreadsheet program, and save it as .xlsx or .csv."
        raise ReadError("an undamaged spreadsheet", f"one that cannot be read ({error})", hint) from error
    sheets = [sheet for name, rows in loaded if (sheet := _make_sheet(name, rows)) is not None]
    if not sheets:
        raise ReadError("a spreadsheet with rows", "an empty one", "Add rows, or leave it out.")
    return sheets


def _make_sheet(name: str, rows: Sequence[Sequence[Cell]]) -> Sheet | None:
    """Make a sheet: the header is the first row with a field's name in it, or else the first filled row."""
    filled = [row for row in rows if any(cell != "" for cell in row)]
    if not filled:
        return None
    wanted = get_field_columns({})
    heads = [tuple(str(_format_cell(cell)).strip() for cell in row) for row in filled[:MAX_HEADER_ROWS]]
    known = [len({name.casefold() for name in head} & wanted.keys()) for head in heads]
    start = known.index(max(known)) if max(known) > 1 else 0
    return Sheet(name, heads[start], filled[start + 1 :])


def _format_cell(cell: Cell) -> object:
    """Return a cell as text or a date: whole numbers without a decimal point."""
    if isinstance(cell, bool | time | timedelta):
        return str(cell)
    if isinstance(cell, float | int):
        return str(int(cell)) if float(cell).is_integer() else str(cell)
    return cell.isoformat(sep=" ")[:10] if isinstance(cell, datetime) and cell.time() == time() else cell


def _check_size(data: bytes) -> None:
    """Reject a packed spreadsheet with a password, or one whose cells would take too much memory."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = package.infolist()
        if any(part.filename.lower() == _BINARY_WORKBOOK for part in parts):
            hint = "Open it in a spreadsheet program, and save it as .xlsx or .csv."
            raise ReadError("a spreadsheet in XML", "one in the binary format .xlsb", hint)
        if any(map(is_locked, parts)):
            raise ReadError("a spreadsheet without a password", "an encrypted one", "Save it without one.")
        limit = min(MAX_UNPACKED, max(HARMLESS_BYTES, MAX_RATIO * len(data)))
        if sum(part.file_size for part in parts) > limit:
            raise make_expansion_error("a spreadsheet", limit, "save it as .csv")
        if package.testzip():  # also if a part is larger than it says
            raise ReadError("an undamaged spreadsheet", "a damaged one", "Download it again, or save it again.")
        for part in parts:
            if part.filename == "content.xml":
                with package.open(part) as opened:
                    _check_extent(*_measure_ods(opened))
            # The workbook may name any part as a sheet.
            elif b"sheetData" in (content := package.read(part).replace(b"\0", b"")):
                _check_extent(*_measure_xlsx(content))


def _check_binary(data: bytes) -> None:
    """Reject an .xls file that takes too much memory: load it in a process of its own, which calamine may end.

    A stray cell in the last row and column is enough. Only calamine knows where the cells are.
    """
    command = [sys.executable, "-P", "-c", _LOAD_ALONE, str(MAX_BINARY_MEMORY)]
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": paths}
    try:
        subprocess.run(command, input=data, capture_output=True, env=environment, timeout=MAX_SECONDS, check=True)
    except subprocess.SubprocessError as error:
        expected = (
            f"a spreadsheet that takes up to {MAX_BINARY_MEMORY // 1_000_000_000} GB and {MAX_SECONDS:g} s to load"
        )
        hint = "Delete stray cells at its far end, or save it as .csv."
        raise ReadError(expected, "one that takes more", hint) from error


def _check_extent(rows: int, width: int) -> None:
    if rows * width > MAX_CELLS:
        expected = f"a sheet of up to {MAX_CELLS // 1_000_000} million cells"
        got = f"one of {rows:,} rows and {width:,} columns up to its last filled cell"
        raise ReadError(expected, got, "Delete stray cells at its far end, or save it as .csv.")


def _measure_xlsx(content: bytes) -> tuple[int, int]:
    """Return the last row and the last column in which a sheet has a cell, as calamine counts them.

    A row or cell without a reference follows the one before. Raises ReadError for a reference that is no cell's.
    """
    row = column = last = widest = 0
    for match in _XLSX_TAG.finditer(content):
        is_cell, letters, number, other = match.groups()
        if other:
            got = f"one with r={other.decode('utf-8', 'replace')}"
            raise ReadError("a spreadsheet with the cells A1 to XFD1048576", got, "Open it, and save it again.")
        if is_cell:
            column = _count_columns(letters) if number else column + 1
            row = int(number) if number else row
        else:
            row, column = int(number) if number else row + 1, 0
        if row > last:
            last = row
        if column > widest:
            widest = column
    return last, widest


@cache
def _count_columns(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number


def _measure_ods(content: IO[bytes]) -> tuple[int, int]:
    """Return the largest numbers of rows and columns up to the last filled cell of a table, with repetitions.

    Elements and attributes count by their names without prefix, as calamine resolves no namespaces.
    """
    position = last = widest = 0
    extents = [(0, 0)]
    for _, element in etree.iterparse(content, events=("end",), resolve_entities=False, remove_comments=True):
        name = _get_local_name(element.tag)
        if name == "table":
            extents.append((last, widest))
            position = last = widest = 0
        if name != "table-row":
            continue
        position += _get_repetition(element, "number-rows-repeated")
        column = 0
        for cell in element.iter(etree.Element):
            if _get_local_name(cell.tag) in ("table-cell", "covered-table-cell"):
                column += _get_repetition(cell, "number-columns-repeated")
                if len(cell) or cell.text or any(_get_local_name(key) not in _EMPTY_CELL for key in cell.attrib):
                    last, widest = position, max(widest, column)
        element.clear()
    return max([*extents, (last, widest)], key=lambda extent: extent[0] * extent[1])


def _get_local_name(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _get_repetition(element: etree._Element, attribute: str) -> int:
    value = next((value for key, value in element.items() if _get_local_name(key) == attribute), "1")
    if not value.isdecimal() or len(value) > MAX_DIGITS:
        raise ReadError(f"a whole number as {attribute}", repr(value[:20]), "Open the file, and save it again.")
    return int(value)
