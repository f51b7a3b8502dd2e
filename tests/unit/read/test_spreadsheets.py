"""Spreadsheets: which sheet, which header, which cells, and what would take too much memory."""

from __future__ import annotations

import io
import zipfile

import pytest

from narratives.model import InputFile, RawDocument, Rejected
from narratives.read import find_unused, list_columns
from tests.helpers.reading import read
from tests.helpers.spreadsheets import ods, ods_row, pack, xls, xlsx

TEXT = "The mayor of Marrow Bay opened the new bridge on Sunday."


def test_each_row_of_a_spreadsheet_is_a_document(tmp_path):
    rows = [("id", "date", "outlet", "text"), ("a-001", "2019-03-02", "Herald", TEXT), (7, 2019, "Herald", TEXT)]
    first, second = read(tmp_path, xlsx(Export=rows), "a.xlsx")
    assert (first.row, first.id, first.date, first.outlet, first.text) == (1, "a-001", "2019-03-02", "Herald", TEXT)
    assert (second.row, second.id, second.date) == (2, "7", "2019")


def test_a_map_names_the_columns(tmp_path):
    rows = [("body", "when", "who"), (TEXT, "2019", "Edda Voss")]
    [rejected] = read(tmp_path, xlsx(A=rows), "a.xlsx")
    assert "got the columns body, when, who" in rejected.reason and "--map text=COLUMN" in rejected.reason
    [document] = read(tmp_path, xlsx(A=rows), "a.xlsx", {"text": "body", "speaker": "who"})
    assert (document.text, document.speaker, document.date) == (TEXT, "Edda Voss", "")


def test_a_manifest_overrides_the_rows(tmp_path):
    [document] = read(tmp_path, xlsx(A=[("text",), (TEXT,)]), "a.xlsx", manifest={"outlet": "Herald"})
    assert document.outlet == "Herald" and document.from_manifest == ("outlet",)


def test_all_sheets_with_texts_are_read_and_the_columns_of_others_named(tmp_path):
    content = xlsx(
        Notes=[("about", "date"), ("Made by the press office", "2020")],
        Y2018=[("Text", "Date", "Mood"), (TEXT, "2018", "calm")],
        Y2019=[("date", "text"), ("2019", TEXT)],
    )
    found = read(tmp_path, content, "a.xlsx")
    assert [(d.row, d.date) for d in found] == [(1, "2018"), (2, "2019")]
    file = InputFile(tmp_path / "a.xlsx", "a.xlsx")
    assert find_unused(file, {}) == ("Notes!about", "Notes!date", "Mood")
    assert list_columns(file) == ("Notes!about", "Notes!date", "Text", "Date", "Mood", "date", "text")


def test_lines_above_the_header_and_empty_rows_are_passed(tmp_path):
    rows = [("Statements, all years",), (), (None, "speaker", "text"), (), (None, "Tom Arkell", TEXT)]
    [document] = read(tmp_path, xlsx(A=rows), "a.xlsx")
    assert (document.row, document.speaker, document.text) == (1, "Tom Arkell", TEXT)


def test_a_number_or_truth_value_in_a_cell_is_its_text(tmp_path):
    found = read(tmp_path, xlsx(A=[("text", "title"), (1984, True), (2.5, 3)]), "a.xlsx")
    assert [(d.text, d.title) for d in found] == [("1984", "True"), ("2.5", "3")]


def test_a_row_without_text_is_rejected_and_the_rest_goes_on(tmp_path):
    rejected, document = read(tmp_path, xlsx(A=[("text", "date"), (None, "2018"), (TEXT, "2019")]), "a.xlsx")
    assert isinstance(rejected, Rejected) and (rejected.row, document.row) == (1, 2)


def test_an_open_document_spreadsheet_is_read(tmp_path):
    filler = ods_row("", "", times=1_000_000, columns=500)  # as office programs end a sheet
    content = ods(ods_row("text", "date") + ods_row(TEXT, "2018-05-15") + filler)
    [document] = read(tmp_path, content, "a.ods")
    assert (document.text, document.date) == (TEXT, "2018-05-15")


STRAY = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row>'
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
)
STRAY_ROW = (
    '<table:table-row table:number-rows-repeated="10000"><table:table-cell office:value-type="float" office:value="1"'
    ' table:number-columns-repeated="9000"/></table:table-row>'
)


@pytest.mark.parametrize(
    ("name", "content", "got"),
    [
        ("stray.xlsx", xlsx(A=STRAY), "1,048,576 rows and 16,384 columns"),
        ("stray.ods", ods(ods_row("text") + ods_row("x", times=100_000, columns=900)), "100,001 rows and 900 columns"),
        ("after.xlsx", b"x" + xlsx(A=STRAY), "1,048,576 rows and 16,384 columns"),
        ("value.ods", ods(ods_row("text") + STRAY_ROW), "10,001 rows and 9,000 columns"),
        ("foreign.ods", ods(f'<g xmlns:table="x">{STRAY_ROW}</g>'), "10,000 rows and 9,000 columns"),
        ("minus.ods", ods(ods_row("text", times=-1)), "a whole number as number-rows-repeated"),
        ("stray.xls", xls(("text", 0, 0), (TEXT, 1, 0), ("x", 65535, 65535)), "takes more"),
        ("binary.xlsx", pack({"xl/workbook.bin": ""}), "binary format"),
        ("none.xlsx", xlsx(A=[]), "an empty one"),
        ("empty.xlsx", b"", "an empty file"),
        ("text.xlsx", b"id,text", "cannot be read"),
        ("cut.xlsx", xlsx(A=[("text",), (TEXT,)])[:-40], "corrupt"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_what_to_do(tmp_path, name, content, got):
    [rejected] = read(tmp_path, content, name)
    assert isinstance(rejected, Rejected) and rejected.row == 0
    assert got in rejected.reason and rejected.reason.endswith(".")


@pytest.mark.parametrize(
    ("cell", "got"),
    [
        (f'<c r="B{"U" * 80}1">', "one with r="),
        ('<c r="XFD0001048576">', "one with r="),
        ('<c r="&#88;FD1048576">', "one with r="),
        ("<c r='XFD1048576'>", "1,048,576 rows"),
        ('<c r = "XFD1048576">', "1,048,576 rows"),
        ('<c r="xfd1048576">', "1,048,576 rows"),
        (f'<c s="{"0" * 300}" r="XFD1048576">', "1,048,576 rows"),
        ('<c s=">" r="XFD1048576">', "1,048,576 rows"),
        (f"{'<c/>' * 4000}<c>", "4,001 columns"),
    ],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/other.xml"])
def test_a_stray_cell_is_found_however_it_is_written(tmp_path, cell, got, part):
    rows = '<row><c t="inlineStr"><is><t>text</t></is></c></row>' + "<row/>" * 3000
    content = xlsx(A=f'{rows}<row r="5000">{cell}<v>1</v></c></row>')
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    parts[part] = parts.pop("xl/worksheets/sheet1.xml")
    links = parts["xl/_rels/workbook.xml.rels"]
    parts["xl/_rels/workbook.xml.rels"] = links.replace("worksheets/sheet1.xml", part.removeprefix("xl/"))
    [rejected] = read(tmp_path, pack(parts), "a.xlsx")
    assert isinstance(rejected, Rejected) and got in rejected.reason


def test_an_old_spreadsheet_is_read(tmp_path):
    [document] = read(tmp_path, xls(("text", 0, 0), (TEXT, 1, 0)), "a.xls")
    assert document.text == TEXT


def test_a_part_that_is_larger_than_it_says_is_rejected(tmp_path):
    content = bytearray(xlsx(A=[("text",), *((TEXT,) for _ in range(400))]))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as package:
        package.writestr("a", b"")
    place = content.rindex(b"PK\x01\x02")  # the last entry of the directory: the sheet
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    [rejected] = read(tmp_path, bytes(content), "a.xlsx")
    assert isinstance(rejected, Rejected) and not isinstance(rejected, RawDocument)
