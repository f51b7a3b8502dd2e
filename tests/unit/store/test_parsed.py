"""The cache of parsed documents gives back what was put, or nothing: whatever happened to its file."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from narratives.store import ParsedDocument, ParsedDocuments
from tests.helpers.factory import content

DAY = date(2020, 5, 1)
DOCUMENTS = content().documents
KEYS = [document.document_id for document in DOCUMENTS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parsed.sqlite"


def fill(path: Path) -> None:
    with ParsedDocuments(path) as kept:
        for document in DOCUMENTS:
            kept.put(document.document_id, ParsedDocument(document, DAY, None))


def read(path: Path) -> list[ParsedDocument | None]:
    with ParsedDocuments(path) as kept:
        return [kept.get(key) for key in KEYS]


def test_a_document_comes_back_as_it_was_put(path):
    odd = replace(DOCUMENTS[0], title="a lone \ud800 surrogate, \0 and “quotes”", url="", row=7)
    with ParsedDocuments(path) as kept:
        kept.put("odd", ParsedDocument(odd, DAY, date(2031, 1, 1)))
        assert kept.get("odd") == ParsedDocument(odd, DAY, date(2031, 1, 1))  # before it is written
        assert kept.get("other") is None
    fill(path)
    with ParsedDocuments(path) as kept:
        assert kept.get("odd") == ParsedDocument(odd, DAY, date(2031, 1, 1))
    assert read(path) == [ParsedDocument(document, DAY, None) for document in DOCUMENTS]


def test_what_a_build_did_not_use_is_removed_and_its_space_freed(path):
    fill(path)
    with ParsedDocuments(path) as kept:
        for number in range(300):
            kept.put(f"more {number}", ParsedDocument(DOCUMENTS[0], DAY, None))
    large = path.stat().st_size
    with ParsedDocuments(path) as kept:
        kept.get(KEYS[0])
        kept.put("new", ParsedDocument(DOCUMENTS[1], DAY, None))
        kept.prune()
    assert [parsed is None for parsed in read(path)] == [False] + [True] * (len(KEYS) - 1)
    with ParsedDocuments(path) as kept:
        assert kept.get("new") is not None and kept.get("more 1") is None
    assert path.stat().st_size < large / 2


def change(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(sql, values)


def test_a_changed_entry_and_one_under_another_key_count_as_absent(path, caplog):
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        entries = db.execute("SELECT key, content FROM documents ORDER BY rowid").fetchall()
    flipped = bytearray(entries[0][1])
    flipped[-3] ^= 1
    change(path, "UPDATE documents SET content = ? WHERE key = ?", bytes(flipped), entries[0][0])
    change(path, "UPDATE documents SET content = ? WHERE key = ?", entries[2][1], entries[1][0])
    change(path, "UPDATE documents SET content = x'' WHERE key = ?", entries[3][0])
    with caplog.at_level(logging.WARNING):
        found = read(path)
    assert [parsed is None for parsed in found] == [True, True, False, True] + [False] * (len(KEYS) - 4)
    assert caplog.text.count("was damaged") == 3
    fill(path)  # as a build does, which parses these again
    assert None not in read(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not a database" * 100,
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: data[:4096] + bytes(len(data) - 4096),
        lambda data: data[:100] + bytes([byte ^ 255 for byte in data[100:4096]]) + data[4096:],
        lambda data: data.replace(b"documents", b"documentz"),
    ],
    ids=["emptied", "foreign", "cut", "zeroed", "pages zeroed", "schema changed", "table renamed"],
)
def test_after_any_damage_nothing_wrong_is_read_and_the_cache_can_be_used_again(path, damage):
    fill(path)
    path.write_bytes(damage(path.read_bytes()))
    whole = [ParsedDocument(document, DAY, None) for document in DOCUMENTS]
    assert all(found in (None, expected) for found, expected in zip(read(path), whole, strict=True))
    fill(path)
    fill(path)  # the first may have found the damage only when it wrote
    assert read(path) == whole


def test_a_file_that_cannot_be_used_is_left_alone_with_a_warning(path, caplog):
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        fill(path)
    assert read(path) == [None] * len(KEYS) and path.is_dir()
    assert "cannot be kept" in caplog.text and "so builds take longer" in caplog.text


def test_a_cache_that_another_process_holds_stays_whole(path):
    fill(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with ParsedDocuments(path, timeout=0) as kept:
            assert kept.get(KEYS[0]) is None
            kept.put("new", ParsedDocument(DOCUMENTS[1], DAY, None))
    assert None not in read(path)


def test_a_document_is_known_if_it_was_kept_before_the_cache_was_opened(path):
    with ParsedDocuments(path) as kept:
        assert not kept.has(KEYS[0])
    fill(path)
    with ParsedDocuments(path) as kept:
        assert kept.has(KEYS[0]) and not kept.has("other")
