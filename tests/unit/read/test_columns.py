"""Columns: their names without regard to case, what is ambiguous, and what is not used."""

from __future__ import annotations

import json

import pytest

from narratives.model import InputFile, Rejected
from narratives.read import find_inputs, find_unused, survey
from tests.helpers.reading import put, read, read_json, write_parquet

TEXT = "The alliance moves its bases to our borders."
ROW = (TEXT, "2016-05-01", "Dmitry Peskov")
HEADERS = [
    ("text", "Date", "Speaker"),
    ("Text", "Date", "Speaker"),
    ("TEXT", "DATE", " speaker "),
    ("\ufefftext", "dAtE", "Speaker"),
]


def unused(path, columns=None):
    return find_unused(InputFile(path, path.name), columns or {})


def written(name, header, *rows):
    """A table of the kind that the name says."""
    if name.endswith(".parquet"):
        return write_parquet({column: [row[at] for row in rows] for at, column in enumerate(header)})
    if name.endswith(".jsonl"):
        return "\n".join(json.dumps(dict(zip(header, row, strict=True))) for row in rows)
    return "\n".join(";".join(cells) for cells in (header, *rows))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
@pytest.mark.parametrize("header", HEADERS, ids=range(4))
def test_columns_are_known_in_any_case(tmp_path, name, header):
    if not name.endswith(".csv"):
        header = [column.lstrip("\ufeff") for column in header]
    [found] = read(tmp_path, written(name, header, ROW), name)
    assert (found.text, found.date, found.speaker) == ROW
    assert unused(tmp_path / name) == ()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_mapped_column_too_and_what_is_left_is_named(tmp_path, name):
    content = written(name, ("Body", "When", "Date", "place"), (TEXT, "2016-05-01", "2020", "Minsk"))
    columns = {"text": "body", "date": "when"}
    [found] = read(tmp_path, content, name, columns)
    assert (found.text, found.date) == (TEXT, "2016-05-01")
    assert unused(tmp_path / name, columns) == ("Date", "place")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_of_two_the_one_written_exactly_so_is_taken_and_the_other_named(tmp_path, name):
    content = written(name, ("Date", "text", "date"), ("2020", TEXT, "2016-05-01"))
    [found] = read(tmp_path, content, name)
    assert found.date == "2016-05-01" and unused(tmp_path / name) == ("Date",)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_where_none_is_written_exactly_so_nothing_is_guessed(tmp_path, name):
    content = written(name, ("Date", "text", "DATE"), ("2020", TEXT, "2016"))
    [rejected] = read(tmp_path, content, name)
    assert isinstance(rejected, Rejected)
    assert "one column for `date`; got Date and DATE" in rejected.reason
    assert read(tmp_path, content, name, {"date": "DATE"})[0].date == "2016"


def test_each_line_of_jsonl_has_names_of_its_own(tmp_path):
    found = read_json(tmp_path, {"text": TEXT, "Date": "2016"}, {"Text": TEXT, "date": "2017", "mood": "x"})
    assert [document.date for document in found] == ["2016", "2017"]
    assert unused(tmp_path / "a.jsonl") == ("mood",)


def test_the_delimiter_is_found_by_names_in_any_case(tmp_path):
    [found] = read(tmp_path, f"Title, long;Text;Date\nNote;{TEXT};2016\n", "a.csv")
    assert (found.text, found.date) == (TEXT, "2016")


@pytest.mark.parametrize("content", [b"", b"\xff\xfea\xd8", b"PK\x03\x04\x00", b"{}"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz", "a.txt"])
def test_of_what_cannot_be_read_no_column_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert unused(tmp_path / name) in ((), ("{}",))


def test_a_manifest_is_read_in_any_case_and_its_other_columns_are_named(tmp_path):
    put(tmp_path / "a.txt")
    put(tmp_path / "manifest.csv", "Path,Date,Speeker\na.txt,2016,Ann\n")
    [file] = find_inputs([str(tmp_path)])[0]
    assert file.manifest == {"date": "2016"}
    [left] = survey([str(tmp_path)]).unused
    assert left.source_path.endswith("manifest.csv") and left.columns == ("Speeker",)
