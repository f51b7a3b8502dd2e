"""Spreadsheets made by hand, so that the tests need no library that writes them."""

from __future__ import annotations

import io
import struct
import zipfile
from xml.sax.saxutils import escape

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"


def xlsx(**sheets) -> bytes:
    """An .xlsx file of sheets by name; each is a list of rows of cells, or the XML of its rows."""
    names = list(sheets)
    bodies = [rows if isinstance(rows, str) else _write_rows(rows) for rows in sheets.values()]
    listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="s{i}"/>' for i, n in enumerate(names, 1))
    links = "".join(
        f'<Relationship Id="s{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    kind = 'ContentType="application/xml"'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" {kind}/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="w"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
    }
    for i, body in enumerate(bodies, 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{_SHEET}"><sheetData>{body}</sheetData></worksheet>'
    return pack(parts)


def ods(table: str) -> bytes:
    """An .ods file with one table, whose rows are given as XML without the prefixes of attributes."""
    spaces = " ".join(f'xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text", "manifest"))
    entry = '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/x"/>'
    return pack(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="A">{table}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
            "META-INF/manifest.xml": f"<manifest:manifest {spaces}>{entry}</manifest:manifest>",
        }
    )


def ods_row(*cells, times=1, columns=1) -> str:
    """A row of an .ods table; empty cells are written as such."""
    inner = "".join(
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}">'
        f"<text:p>{escape(cell)}</text:p></table:table-cell>"
        if cell
        else f'<table:table-cell table:number-columns-repeated="{columns}"/>'
        for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{times}">{inner}</table:table-row>'


def xls(*cells) -> bytes:
    """An .xls file of one sheet with (text, row, column) cells, in BIFF8 records in a compound file."""
    sheet = b"".join(
        _write_record(0x204, struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode())
        for text, row, column in cells
    )
    begin, end = struct.pack("<HHII", 0, 0, 0, 6), _write_record(0x0A, b"")
    # The sheet follows the records of the workbook: its place, type and name, and the ends of both.
    head = _write_record(0x809, struct.pack("<HH", 0x600, 5) + begin)
    listed = _write_record(0x85, struct.pack("<IHBB", len(head) + 17, 0, 1, 0) + b"A")
    whole = head + listed + end + _write_record(0x809, struct.pack("<HH", 0x600, 16) + begin) + sheet + end
    return _write_compound_file(whole.ljust(4096, b"\0"))


def _write_record(kind, data) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _write_compound_file(stream) -> bytes:
    free, last, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    count = len(stream) // 512
    chain = [table, last, *range(3, count + 2), last]  # the sectors of this table, of the directory, of the stream
    entries = (("Root Entry", 5, last, 0, 1), ("Workbook", 2, 2, len(stream), free))
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII36xIQ", 2 * len(name) + 2, kind, 1, free, free, child, start, size)
        for name, kind, start, size, child in entries
    )
    head = struct.pack("<8s16xHHHHH6x9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
                       last, 0, last, 0)  # fmt: skip
    sectors = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    return head + struct.pack("<109I", 0, *[free] * 108) + sectors + directory.ljust(512, b"\0") + stream


def pack(parts) -> bytes:
    """A zip file of parts by name."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return sink.getvalue()


def _write_rows(rows) -> str:
    written = []
    for number, cells in enumerate(rows, 1):
        inner = "".join(_write_cell(f"{chr(65 + i)}{number}", cell) for i, cell in enumerate(cells) if cell is not None)
        written.append(f'<row r="{number}">{inner}</row>')
    return "".join(written)


def _write_cell(place, value) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    kind = "b" if isinstance(value, bool) else "n"
    return f'<c r="{place}" t="{kind}"><v>{int(value) if isinstance(value, bool) else value}</v></c>'
