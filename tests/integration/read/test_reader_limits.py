"""Inputs made to exhaust memory, time or trust: each ends with a reason, and the rest goes on."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tracemalloc
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narratives.model import InputFile, RawDocument, Rejected, no_progress
from narratives.read import compute_fingerprint, encoding, find_inputs, formats, read_file, read_file_verified, tables
from narratives.read import text as plain_text
from narratives.read.rows import delimited
from narratives.store import Store
from narratives.workflows.ingest import ingest
from tests.helpers.reading import put, read, rows_of, write_parquet

GOOD = json.dumps({"text": "A text of five words."})
LIMIT = 1000


@pytest.fixture
def small(monkeypatch):
    """Limits of a thousand characters in place of twenty million: the same code, quicker."""
    monkeypatch.setattr(encoding, "MAX_DOCUMENT_SIZE", LIMIT)
    monkeypatch.setattr(tables, "MAX_DOCUMENT_SIZE", LIMIT)
    monkeypatch.setattr(delimited, "MAX_DOCUMENT_SIZE", LIMIT)
    monkeypatch.setattr(plain_text, "MAX_DOCUMENT_SIZE", LIMIT)
    kept = csv.field_size_limit()  # of the whole process, which the reader sets
    yield
    csv.field_size_limit(kept)


def one_line_of_300_mb(path: Path, start: bytes, end: bytes) -> None:
    """A sparse file: it holds 300 MB of NUL bytes in a single line, and hardly any disk."""
    with path.open("wb") as file:
        file.write(start)
        file.seek(300_000_000)
        file.write(end)


def test_a_line_of_300_mb_is_told_with_its_number_in_bounded_memory(tmp_path):
    path = tmp_path / "a.jsonl"
    head = f"{GOOD}\n".encode() * 400  # more than is looked at to tell text from binary
    one_line_of_300_mb(path, head + b'{"text": "', b'"}\n' + GOOD.encode())
    tracemalloc.start()
    found = list(read_file(InputFile(path, "a.jsonl"), {}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150_000_000
    assert [item.row for item in found if isinstance(item, Rejected)] == [401]
    assert "lines of up to 20 million characters; got a longer one, line 401" in found[400].reason
    assert found[401] == RawDocument("a.jsonl", 402, text="A text of five words.")


def test_a_text_of_300_mb_is_rejected_without_being_read(tmp_path):
    one_line_of_300_mb(tmp_path / "a.txt", b"A text.\n", b"end")
    [rejected] = read_file(InputFile(tmp_path / "a.txt", "a.txt"), {})
    assert "a file of up to 20 MB; got a larger one" in rejected.reason


@pytest.mark.parametrize(
    "line",
    ["x" * 5000, '"' + "x" * 5000 + '"', '"' + "x\n" * 5000 + '"', '"' + "x" * (LIMIT + 1)],
    ids=["a line", "a cell", "a cell over lines", "a cell to the end"],
)
def test_a_csv_row_without_end_is_told(tmp_path, small, line):
    found = read(tmp_path, f"text\ngood one\n{line}", "a.csv")
    assert found[0].text == "good one"
    assert found[1:] and all(isinstance(item, Rejected) for item in found[-1:])
    assert "field larger than field limit" in found[1].reason or "a longer one" in found[1].reason


def test_a_long_csv_row_does_not_cost_the_next(tmp_path, small):
    found = read(tmp_path, "text\n" + "x" * 5000 + "\ngood one\n", "a.csv")
    assert [type(item) for item in found] == [Rejected, RawDocument]


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT, LIMIT + 1, 2 * LIMIT + 2, 2 * LIMIT + 3])
def test_the_limit_is_exact(tmp_path, small, length, ending):
    wrapped = len(json.dumps({"text": ""}))
    row = json.dumps({"text": "x" * (length - wrapped)})
    found = read(tmp_path, f"{row}{ending}{GOOD}" if ending else row, "a.jsonl")
    assert isinstance(found[0], RawDocument) is (length <= LIMIT)
    assert not ending or (isinstance(found[1], RawDocument) and found[1].row == 2)


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.csv.gz", "a.parquet.gz"])
def test_a_gzip_bomb_does_not_go_off(tmp_path, monkeypatch, name):
    monkeypatch.setattr(encoding, "SAFE_UNPACKED_BYTES", 1_000_000)
    packed = gzip.compress(b"text\n" + (b"a line of text" * 10_000 + b"\n") * 200, 9)
    found = read(tmp_path, packed, name)
    assert "one that expands more than 100-fold" in found[-1].reason and found[-1].row == 0
    assert len(found) < 150


def test_a_gzip_that_packs_well_is_no_bomb(tmp_path):
    found = read(tmp_path, gzip.compress(f"{GOOD}\n".encode() * 20_000), "a.jsonl.gz")
    assert len(found) == 20_000 and all(isinstance(item, RawDocument) for item in found)


def test_a_packed_parquet_file_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_UNPACKED_TABLE_BYTES", 100)
    [rejected] = read(tmp_path, gzip.compress(write_parquet({"text": ["A text."]})), "a.parquet.gz")
    assert "a larger one" in rejected.reason


def test_lines_in_two_encodings_are_rejected_with_the_line(tmp_path):
    mixed = "Первая строка.\n".encode() + "Вторая строка.\n".encode("cp1251") + b"Third.\n"
    [rejected] = read(tmp_path, mixed, "a.txt")
    assert "text in one encoding; got a mixture: line 2 is not UTF-8" in rejected.reason
    rows = [json.dumps({"text": text}, ensure_ascii=False) for text in ("Первая строка.", "Вторая.")]
    found = read(tmp_path, rows[0].encode() + b"\n" + rows[1].encode("cp1251") + b"\n", "a.jsonl")
    assert found[0].text == "Первая строка." and "other bytes" in found[1].reason


def test_a_circle_of_links_is_told_and_ends(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "in/a.txt")
    (tmp_path / "in/back").symlink_to(tmp_path / "in")
    (tmp_path / "in/one").symlink_to(tmp_path / "in/two")
    (tmp_path / "in/two").symlink_to(tmp_path / "in/one")
    files, rejected = find_inputs(["in"])
    assert [f.source_path for f in files] == ["in/a.txt"]
    assert sorted(r.source_path for r in rejected) == ["in/back", "in/one", "in/two"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    put(tmp_path / "a.txt").chmod(0)
    [rejected] = read_file(InputFile(tmp_path / "a.txt", "a.txt"), {})
    assert "permission denied" in rejected.reason


def test_a_file_that_changes_while_it_is_read_is_rejected_and_nothing_of_it_is_kept(tmp_path, monkeypatch):
    path = put(tmp_path / "a.txt", "One text.")
    store = Store(tmp_path / "store")
    read_as_it_was = formats.read_file

    def written_to(file, columns):
        yield from read_as_it_was(file, columns)
        path.write_text("Another text.")

    monkeypatch.setattr(formats, "read_file", written_to)
    first = compute_fingerprint(InputFile(path, "a.txt"), {})
    taken = ingest(store, [str(path)], {}, (), no_progress)
    [held] = store.get_input(taken.records[0].hash)
    assert "a file that does not change while it is read; got one that changed" in held.reason
    assert not store.has_input(first)
    monkeypatch.undo()
    [again] = store.get_input(ingest(store, [str(path)], {}, (), no_progress).records[0].hash)
    assert again.text == "Another text."


def test_a_file_at_rest_is_read_once(tmp_path):
    file = InputFile(put(tmp_path / "a.txt", "One text."), "a.txt")
    [document] = read_file_verified(file, {}, compute_fingerprint(file, {}))
    assert document.text == "One text."


def packed_parquet(columns, **options):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    assert sink.tell() < 300_000
    return sink.getvalue()


def peak_of(action):
    """What the action gives, and by how many bytes the process has grown: Arrow's memory and Python's."""
    pa.default_memory_pool().release_unused()
    tracemalloc.start()
    arrow = pa.total_allocated_bytes()
    highest = 0

    def watched():
        nonlocal highest
        for item in action:
            highest = max(highest, pa.total_allocated_bytes() - arrow)
            yield item

    found = [item if isinstance(item, Rejected) else item.row for item in watched()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak + highest


BOOK = "A long line of text, over and over. " * 60_000  # 2 MB


def same(text, times):
    """A column that says the same text so many times, and costs memory for one."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))


def lists(values, *lengths):
    return pa.ListArray.from_arrays(pa.array([0, *accumulate(lengths)], pa.int32()), values)


STRUCTS = pa.StructArray.from_arrays([same(BOOK, 5000), same("Ann", 5000)], names=["text", "speaker"])


@pytest.mark.parametrize(
    "columns",
    [
        {"text": same(BOOK, 5000)},
        {"paragraphs": lists(same(BOOK, 5000), *[5] * 1000)},
        {"paragraphs": lists(STRUCTS, *[5] * 1000)},
        {"text": ["A text."] * 5000, "title": same(BOOK, 5000)},
    ],
    ids=["texts", "lists", "structs", "titles"],
)
def test_a_parquet_file_that_stands_for_gigabytes_does_not_go_off(tmp_path, columns):
    path = tmp_path / "a.parquet"
    path.write_bytes(packed_parquet(columns))
    found, peak = peak_of(read_file(InputFile(path, "a.parquet"), {}))
    assert "one that expands more than 100-fold, to over 50 MB" in found[-1].reason and found[-1].row == 0
    assert len(found) < 30 and peak < 400_000_000


def test_parquet_rows_that_stand_for_too_much_are_told_and_the_rest_goes_on(tmp_path):
    table = {"paragraphs": lists(same(BOOK, 3002), 1, 3000, 1)}
    found = read(tmp_path, packed_parquet(table), "a.parquet")
    assert [type(item) for item in found] == [RawDocument, Rejected, RawDocument]
    assert "rows of up to 20 MB; got one of 6,480 MB" in found[1].reason and found[1].row == 2


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
def test_pages_that_unpack_to_too_much_are_not_unpacked(tmp_path, compression):
    texts = [f"{i} {BOOK}" for i in range(40)]
    content = packed_parquet({"text": texts}, use_dictionary=False, compression=compression)
    found = read(tmp_path, content, "a.parquet")
    assert len(found) == 1 and "expands more than 100-fold" in found[0].reason


def test_text_that_borrows_from_the_text_before_is_bounded(tmp_path):
    options = {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}
    content = packed_parquet({"text": [f"{BOOK}{i}" for i in range(60)]}, **options)
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    found, peak = peak_of(read_file(InputFile(path, "a.parquet"), {}))
    assert "expands more than 100-fold" in found[-1].reason and peak < 400_000_000
    [rejected] = read(
        tmp_path, packed_parquet({"paragraphs": [[f"{BOOK}{i}" for i in range(60)]]}, **options), "b.parquet"
    )
    assert "lists of text of limited size; got larger ones in column 'paragraphs'" in rejected.reason


def test_a_list_of_too_many_references_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_VALUES", 1000)
    [rejected] = read(tmp_path, packed_parquet({"paragraphs": [["One."] * 1001]}), "a.parquet")
    assert "million values per column and row group" in rejected.reason


def test_parquet_that_is_merely_repetitive_is_read(tmp_path):
    content = packed_parquet({"text": ["The same text of seven words again."] * 5000, "outlet": ["TASS"] * 5000})
    assert len(rows_of(read(tmp_path, content, "a.parquet"), RawDocument)) == 5000


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ms", "UTC"), pa.date32()], ids=str)
def test_one_date_that_no_calendar_has_costs_its_own_row_only(tmp_path, kind):
    beyond = 2**30 if kind == pa.date32() else 2**62
    table = {"text": ["One text."] * 3, "date": pa.array([0, beyond, 1], kind)}
    found = read(tmp_path, packed_parquet(table), "a.parquet")
    assert [type(item) for item in found] == [RawDocument, Rejected, RawDocument]
    assert found[1].row == 2 and "dates from the year 1 to 9999" in found[1].reason
    assert found[0].date.startswith("1970-01-01")


def test_dates_in_an_unknown_time_zone_are_told_row_by_row(tmp_path):
    table = {"text": ["One text."] * 2, "date": pa.array([0, None], pa.timestamp("us", "Nowhere/Bad"))}
    found = read(tmp_path, packed_parquet(table), "a.parquet")
    assert isinstance(found[0], Rejected) and "in a known time zone" in found[0].reason
    assert found[1] == RawDocument("a.parquet", 2, text="One text.")


LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
DOCTYPE = f'<!DOCTYPE x [<!ENTITY a0 "ha"><!ENTITY file SYSTEM "file:///etc/passwd">{LAUGHS}]>'


@pytest.mark.parametrize("name", ["a.xml", "a.html", "b.xml"])
def test_entities_are_not_expanded(tmp_path, name):
    inner = "<p>A text of five words. &a11; &file;</p>"
    entry = f"<item><title>T</title><description>{inner}</description></item>"
    feed = f"<rss version='2.0'><channel><title>F</title>{entry}</channel></rss>"
    content = f"<?xml version='1.0'?>{DOCTYPE}{feed if name == 'a.xml' else f'<html><body>{inner}</body></html>'}"
    found = read(tmp_path, content, name)
    said = " ".join(str(item) for item in found)
    assert found and "haha" not in said and "root:" not in said and len(said) < 10_000
