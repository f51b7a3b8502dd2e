"""CSV as programs and people write it: headers, quotation marks, delimiters, line ends."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, Rejected
from tests.helpers.reading import read, rows_of

A, B, C = "The quay is old, and so is the pier.", "Nobody spoke of it.", "The ferries leave on time."


def texts(tmp_path, content, columns=None):
    found = read(tmp_path, content, "a.csv", columns)
    assert all(isinstance(item, RawDocument) for item in found), found
    return [document.text for document in found]


# --- above and in the header --------------------------------------------------------------------------
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "above",
    [
        ["Search: quay", "", "Found on 1 June 2018"],
        ["Export of 2 documents{0}{0}", "Created{0}2018-06-01{0}", ""],
        ["{0}{0}", "  ", "Report"],
    ],
)
def test_lines_above_the_header_are_no_rows(tmp_path, delimiter, above):
    lines = [line.format(delimiter) for line in above]
    rows = [f'1{delimiter}2018-05-15{delimiter}"{A}"', f'2{delimiter}2018-05-16{delimiter}"{B}"']
    content = "\r\n".join([*lines, delimiter.join(["id", "date", "text"]), *rows])
    found = read(tmp_path, content, "a.csv")
    assert [(d.row, d.id, d.date, d.text) for d in found] == [(1, "1", "2018-05-15", A), (2, "2", "2018-05-16", B)]


def test_with_known_names_the_first_row_is_the_header(tmp_path):
    [rejected] = read(tmp_path, "body,date\ntext,title\nx,y\n", "a.csv")
    assert "the columns body, date" in rejected.reason


def test_a_header_that_a_map_names_is_found_below_others(tmp_path):
    content = f"Report,\n\nWortlaut,Tag\n{B},2018\n"
    assert texts(tmp_path, content, {"text": "Wortlaut", "date": "Tag"}) == [B]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_declared_delimiter(tmp_path, first):
    assert texts(tmp_path, f"{first}\r\nid;text\r\n1;{A}\r\n") == [A]


def test_names_with_spaces_and_line_breaks(tmp_path):
    content = f'id , date , " text"\n1,2018,"{A}"\n'
    assert texts(tmp_path, content) == [A]
    [document] = read(
        tmp_path, f'Body\xa0,"Publication\n  Date"\n{B},2018\n', "a.csv", {"text": "Body", "date": "publication date"}
    )
    assert (document.text, document.date) == (B, "2018")


def test_empty_columns_and_rows_at_the_end_are_nothing(tmp_path):
    content = f'id,text,,\n1,"{A}",,\n,,,\n2,{B}\n3,{C},,,,\n,,,\n'
    assert texts(tmp_path, content) == [A, B, C]


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n"])
def test_line_ends_of_every_system(tmp_path, ending):
    assert texts(tmp_path, ending.join(["id;text", f"1;{A}", f'2;"{B}{ending}{ending}{C}"', ""])) == [
        A,
        f"{B}{ending}{ending}{C}",
    ]


def test_ctrl_z_ends_no_table(tmp_path):
    assert texts(tmp_path, f'text,id\n"Before \x1a after.",1\n{B},2\n\x1a') == ["Before \x1a after.", B]


# --- the column of the text ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Title,Publication Date,Source,Body", "--map text=Body --map 'date=Publication Date' --map outlet=Source"),
        ("texte,auteur,titre,datum", "--map text=texte --map date=datum --map speaker=auteur --map title=titre"),
        ("contenido;fecha;autor;enlace", "--map text=contenido --map date=fecha --map speaker=autor --map url=enlace"),
        ("Текст;Дата;Автор", "--map text=Текст --map date=Дата --map speaker=Автор"),
        ("Full Text,pubDate,byline", "--map 'text=Full Text' --map date=pubDate --map speaker=byline"),
    ],
)
def test_columns_of_other_names_are_offered_and_not_taken(tmp_path, header, expected):
    delimiter = ";" if ";" in header else ","
    [rejected] = read(tmp_path, f"{header}\n{delimiter.join('abcd'[: header.count(delimiter) + 1])}\n", "a.csv")
    assert isinstance(rejected, Rejected) and rejected.reason.endswith(expected)


def test_keys_of_other_names_are_offered_too(tmp_path):
    [rejected] = read(tmp_path, '{"headline": "Quay", "body": "Old.", "published": "2018"}\n', "a.jsonl")
    assert rejected.reason.endswith("--map text=body --map date=published --map title=headline")


def test_one_map_leaves_the_other_columns_in_use(tmp_path):
    content = f'ID,Date,Outlet,Speaker,Body\n7,2018-05-15,Gazette,Anna Berg,"{A}"\n'
    [document] = read(tmp_path, content, "a.csv", {"text": "Body"})
    assert document == RawDocument(
        "a.csv", row=1, id="7", date="2018-05-15", outlet="Gazette", speaker="Anna Berg", text=A
    )


def test_a_single_column_needs_no_quotation_marks(tmp_path):
    content = f"text\n{A}\nOne; two | three, four.\n"
    assert texts(tmp_path, content) == [A, "One; two | three, four."]


# --- rows that are not well-formed --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (r'1,2018,"He said: \"No\", and left."', 'He said: "No", and left.'),
        (r'1,2018,"He said \"no\""', 'He said "no"'),
        (r'1,2018,"\"No,\" he said."', '"No," he said.'),
        ('1,2018,"He said "no" and left."', 'He said "no" and left.'),
        ('1,2018,"The 6" pipe leaks, he said."', 'The 6" pipe leaks, he said.'),
        ("1,2018,The quay is old, and so is the pier.", "The quay is old, and so is the pier."),
        ('1,2018,The quay, the "old" one, and the pier.', None),
        ('1,2018,"He said "no"', None),
        ("1,2018,The quay,the pier.", None),
        ("1,2018", None),
    ],
)
def test_a_row_is_repaired_where_only_one_reading_fits(tmp_path, row, expected):
    found = read(tmp_path, f"id,date,text\n{row}\n2,2018,{B}\n", "a.csv")
    assert [item.row for item in found] == [1, 2] and found[1].text == B
    assert isinstance(found[0], Rejected) if expected is None else (found[0].date, found[0].text) == ("2018", expected)


def test_backslashes_in_a_cell_of_several_lines(tmp_path):
    content = 'id,text\n1,"He said:\n\\"No, never\\",\nand left."\n2,"She said \\"yes\\"."\n3,plain\n'
    assert texts(tmp_path, content) == ['He said:\n"No, never",\nand left.', 'She said "yes".', "plain"]


def test_backslashes_that_end_a_cell_stay(tmp_path):
    found = read(tmp_path, 'id,title,text\n1,"C:\\quay\\","The folder."\n', "a.csv")
    assert [(d.title, d.text) for d in found] == [("C:\\quay\\", "The folder.")]


def test_names_with_a_comma_and_a_space_in_the_middle_of_a_row(tmp_path):
    found = read(tmp_path, f"id,speaker,text\n1,Berg, Anna,{B}\n", "a.csv")
    assert [(d.speaker, d.text) for d in found] == [("Berg, Anna", B)]


def test_an_open_quotation_mark_loses_no_other_row(tmp_path):
    found = read(tmp_path, f'text,id\n"{B},1\n"{C}",2\n', "a.csv")
    assert rows_of(found, Rejected) == [1]
