"""JSON lines, CSV and Parquet: what is read, and what becomes of bad lines, rows and files."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.model import InputFile, RawDocument, RawParagraph, Rejected
from narratives.read import read_file
from narratives.read.characters import clean_characters
from narratives.read.rows.cells import is_missing
from tests.helpers.reading import read, read_json, read_parquet, rows_of, write_parquet


# --- JSON lines ---------------------------------------------------------------------------------------
def test_blank_lines_count_but_are_no_rows(tmp_path):
    found = read(tmp_path, '\n{"text": "One."}\r\n\n{"text": "Two."}', "a.jsonl")
    assert rows_of(found, RawDocument) == [2, 4]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_jsonl_is_read_by_its_byte_order_mark(tmp_path, encoding):
    line = json.dumps({"text": "Москва"}, ensure_ascii=False)
    [document] = read(tmp_path, line.encode(encoding), "a.jsonl")
    assert document.text == "Москва"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.jsonl", ['{"text": "Le café."}', '{"text": "Cut off: Моск\udcd0"}', '{"text": "Three."}']),
        ("a.csv", ["text", "Le café.", "Cut off: Моск\udcd0", "Three."]),
    ],
)
def test_a_damaged_line_among_utf8_is_rejected_and_the_rest_goes_on(tmp_path, name, lines):
    content = "\n".join(lines).encode("utf-8", "surrogateescape")
    found = read(tmp_path, content, name)
    assert [type(item) for item in found] == [RawDocument, Rejected, RawDocument]
    assert "in UTF-8" in found[1].reason


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04\x00\x00", "binary content"),
        (b"\xff\xfea\xd8b\x00\n\x00", "text in UTF-8 or UTF-16"),
    ],
)
def test_a_table_that_is_no_text_is_rejected_once(tmp_path, name, content, why):
    [rejected] = read(tmp_path, content, name)
    assert rejected.row == 0 and why in rejected.reason


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", "\n\n"), ("a.csv", "text,title\n")])
def test_a_table_without_rows_is_rejected(tmp_path, name, content):
    [rejected] = read(tmp_path, content, name)
    assert "at least one row; got none" in rejected.reason


def test_a_gzip_that_breaks_off_keeps_the_rows_before(tmp_path):
    lines = "".join(
        json.dumps({"text": f"Text {i} {sha256(bytes([i % 256, i // 256])).hexdigest()}."}) + "\n" for i in range(3000)
    )
    found = read(tmp_path, gzip.compress(lines.encode())[:-2000], "a.jsonl.gz")
    assert len(rows_of(found, RawDocument)) > 100
    assert found[-1].row == 0
    assert "an undamaged gzip file" in found[-1].reason and f"Rows up to {found[-2].row} were read" in found[-1].reason


# --- CSV ----------------------------------------------------------------------------------------------
def test_csv_rows_count_from_the_first_after_the_header(tmp_path):
    content = '\ufeffid,title,text\r\n7,"One, two","Line one.\r\nLine ""two""."\r\n\r\n8,,Second.\r\n'
    assert read(tmp_path, content, "a.csv") == [
        RawDocument("a.csv", row=1, id="7", title="One, two", text='Line one.\r\nLine "two".'),
        RawDocument("a.csv", row=2, id="8", text="Second."),
    ]


def test_a_csv_without_a_text_column_says_which_came_and_what_to_do(tmp_path):
    [rejected] = read(tmp_path, "headline,body\na,b\n", "a.csv")
    assert "headline, body" in rejected.reason and "--map text=" in rejected.reason


def test_map_names_their_columns(tmp_path):
    found = read(tmp_path, "headline,body,text\na,b,c\n", "a.csv", {"text": "body", "title": "headline"})
    assert found == [RawDocument("a.csv", row=1, title="a", text="b")]


def test_map_renames_in_jsonl(tmp_path):
    [document] = read_json(tmp_path, {"body": "b", "text": "c"}, columns={"text": "body"})
    assert document.text == "b"


def test_a_mapped_column_that_is_missing_is_said(tmp_path):
    [rejected] = read(tmp_path, "text,when\na,2016\n", "a.csv", {"date": "day"})
    assert "--map date=day" in rejected.reason and "text, when" in rejected.reason


def test_a_column_in_use_that_comes_twice_is_rejected(tmp_path):
    [rejected] = read(tmp_path, "text,text,x,x\na,b,c,d\n", "a.csv")
    assert "text twice" in rejected.reason
    [document] = read(tmp_path, "text,x,x\na,b,c\n", "a.csv")
    assert document.text == "a"


@pytest.mark.parametrize(
    ("line", "why"), [("a,b,c", "got 3 cells"), ("a", "got 1 cells"), ('"a"b,"c', "a well-formed CSV row")]
)
def test_a_ragged_or_malformed_row_is_rejected_and_the_rest_goes_on(tmp_path, line, why):
    found = read(tmp_path, f"text,title\nOne.,t\n{line}\nThree.,t\n", "a.csv")
    assert rows_of(found, RawDocument) == [1, 3]
    assert found[1].row == 2 and why in found[1].reason


def test_an_open_quotation_mark_is_told_with_the_lines_it_swallowed(tmp_path):
    found = read(tmp_path, 'text,title\nOne.,t\n"Two,t\nThree.,t\n', "a.csv")
    assert rows_of(found, RawDocument) == [1]
    assert found[1].row == 2 and "lines 3 to 4" in found[1].reason


def test_a_cell_may_be_a_book(tmp_path):
    book = "word " * 100_000
    [document] = read(tmp_path, f"text\n{book}\n", "a.csv")
    assert document.text == book


def test_paragraphs_in_a_cell_are_a_json_list(tmp_path):
    cell = json.dumps(["One.", {"text": "Two.", "speaker": "Ann"}]).replace('"', '""')
    [document] = read(tmp_path, f'paragraphs\n"{cell}"\n', "a.csv")
    assert document.paragraphs == (RawParagraph("One."), RawParagraph("Two.", "Ann", labelled=True))


# --- Parquet ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.gz"])
def test_parquet_rows_of_all_types(tmp_path, name):
    content = write_parquet(
        {
            "text": pa.array(["One.", "Two."], pa.large_string()),
            "id": pa.array([7.0, None]),
            "date": pa.array([date(2016, 11, 10), None]),
            "title": pa.array([datetime(2016, 11, 10), datetime(2016, 11, 10, 6, 33)]),
            "outlet": pa.array(["TASS", None]).dictionary_encode(),
            "image": pa.array([b"\x00", b"\x01"]),
        }
    )
    found = read(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    assert found == [
        RawDocument(name, row=1, text="One.", id="7", date="2016-11-10", title="2016-11-10", outlet="TASS"),
        RawDocument(name, row=2, text="Two.", title="2016-11-10T06:33:00"),
    ]


def test_parquet_paragraphs_are_lists_of_strings_structs_or_json(tmp_path):
    expected = (RawParagraph("One."), RawParagraph("Two."))
    for column in ([["One.", "Two."]], [[{"text": "One."}, {"text": "Two."}]], ['["One.", "Two."]']):
        [document] = read_parquet(tmp_path, {"paragraphs": column})
        assert document.paragraphs == expected


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"text": [1, 2]}, "text in column 'text'; got type int64"),
        ({"text": [b"a", b"b"]}, "text in column 'text'; got type binary"),
        ({"paragraphs": [[1], [2]]}, "a list of strings or of structs"),
        ({"text": ["a", "b"], "title": [["x"], ["y"]]}, "text, numbers or dates in column 'title'"),
        ({"text": ["a", "b"], "speaker": [True, False]}, "got type bool"),
        ({"body": ["a", "b"]}, "a column `text` or `paragraphs`; got the columns body"),
    ],
)
def test_wrong_types_are_told_once_for_the_file(tmp_path, columns, why):
    [rejected] = read_parquet(tmp_path, columns)
    assert rejected.row == 0 and why in rejected.reason


def test_a_bad_parquet_row_is_rejected_and_the_rest_goes_on(tmp_path):
    found = read_parquet(tmp_path, {"text": ["One.", None, "Three."]})
    assert rows_of(found, RawDocument) == [1, 3]
    assert rows_of(found, Rejected) == [2]


def test_a_corrupt_parquet_file_is_rejected(tmp_path):
    content = bytearray(write_parquet({"text": [f"Text {i}." for i in range(500)]}))
    content[10:200] = b"\xff" * 190
    for damaged in (b"no parquet", bytes(content), bytes(content[:300])):
        found = read(tmp_path, damaged, "a.parquet")
        assert isinstance(found[-1], Rejected) and found[-1].row == 0


def test_rows_are_read_as_they_are_asked_for(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "One."}\n' * 100_000)
    rows = read_file(InputFile(path, "a.jsonl"), {})
    assert [d.row for d in islice(rows, 2)] == [1, 2]
    rows.close()


# --- the real corpus ----------------------------------------------------------------------------------
@pytest.mark.shared
def test_the_first_kremlin_pages_are_read(shared):
    path = shared / "corpora" / "kremlin_en_2016_2020.jsonl.gz"
    found = list(islice(read_file(InputFile(path, "k.jsonl.gz"), {}), 20))
    assert all(isinstance(document, RawDocument) for document in found)
    assert all(d.id.isdecimal() and d.url.startswith("http://en.kremlin.ru/") and d.paragraphs for d in found)
    speakers = {p.speaker for d in found for p in d.paragraphs}
    assert "" in speakers and "None" not in speakers and any("Putin" in s for s in speakers)


# --- as spreadsheets write it ------------------------------------------------------------------------
ROWS = [
    ["id", "date", "title", "text"],
    ["7", "10.11.2016", "Договор; часть 1", "Сказано: «мир, труд, май»; и всё.\nВторая строка | конец."],
    ["8", "11.11.2016", "Two, or three", 'He said "no"; then\tleft.'],
]


def exported(delimiter, encoding, rows=ROWS, ending="\r\n"):
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator=ending).writerows(rows)
    return sink.getvalue().encode(encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_a_table_is_read_whatever_parts_its_cells(tmp_path, delimiter, encoding):
    found = read(tmp_path, exported(delimiter, encoding), "a.csv")
    assert found == [
        RawDocument("a.csv", i, **dict(zip(*rows, strict=True)))
        for i, rows in enumerate([(ROWS[0], ROWS[1]), (ROWS[0], ROWS[2])], 1)
    ]


def test_a_delimiter_may_be_declared_and_columns_mapped(tmp_path):
    rows = [["when", "body"], ["2016", "One, two, three; four."]]
    content = b"sep=;\r\n" + exported(";", "utf-8", rows)
    [document] = read(tmp_path, content, "a.csv", {"text": "body", "date": "when"})
    assert (document.row, document.date, document.text) == (1, "2016", rows[1][1])
    [document] = read(tmp_path, exported("\t", "utf-8", rows), "a.csv", {"text": "body"})
    assert document.text == rows[1][1]


def test_semicolons_in_texts_part_nothing(tmp_path):
    content = 'text,title\n"One; two; three; four","a;b"\nFive; six; seven,c;d\n'
    assert [d.text for d in read(tmp_path, content, "a.csv")] == ["One; two; three; four", "Five; six; seven"]


def test_a_table_of_one_column_has_no_delimiter(tmp_path):
    found = read(tmp_path, "text\nOne; two | three.\n", "a.csv")
    assert [d.text for d in found] == ["One; two | three."]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет всем"),
        ("koi8-r", "Президент сказал, что всё готово"),
        ("cp1252", "Le président a déclaré que la Russie était prête à négocier"),
    ],
)
def test_a_table_in_an_older_encoding(tmp_path, encoding, text):
    content = exported(";", encoding, [["text", "title"], [text, "1"], [text, "2"]])
    assert [d.text for d in read(tmp_path, content, "a.csv")] == [text, text]


def test_two_encodings_in_one_table_are_told_row_by_row(tmp_path):
    rows = "text\nПервая строка.\n".encode() + "Вторая строка.\nТретья строка.\n".encode("cp1251")
    found = read(tmp_path, rows, "a.csv")
    assert found[0].text == "Первая строка." and [type(item) for item in found[1:]] == [Rejected, Rejected]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\t"), min_size=1),
            st.text('ab;,|\t"\n'),
        ),
        min_size=1,
    ),
    st.sampled_from(",;\t|"),
)
def test_what_is_written_is_read_back(rows, delimiter):
    rows = [(clean_characters(text), clean_characters(title)) for text, title in rows]
    rows = [(text, title) for text, title in rows if text.strip() and not is_missing(text) and not is_missing(title)]
    content = exported(delimiter, "utf-8", [("text", "title"), *rows], ending="\n")
    with TemporaryDirectory() as folder:
        found = read(Path(folder), content, "a.csv")
    kept = [item for item in found if isinstance(item, RawDocument)]
    assert not rows or [(d.text, d.title) for d in kept] == [(text, title.strip()) for text, title in rows]
