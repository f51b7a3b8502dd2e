"""Checksums of the entries of a decisions log, its second copy, and how a damaged log is mended from both.

SQLite notices damage of its own structures but not of values. The table `sums` has a CRC-32 of every decision, with its
text, and of every edit. Entries of older versions get theirs with the next entry.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from narratives.model import StoreError
from narratives.store.files import replace_atomically

DECISIONS_FILE = "decisions.sqlite"
CREATE_SUMS = (
    "CREATE TABLE IF NOT EXISTS sums (kind TEXT NOT NULL, id INTEGER NOT NULL, sum INTEGER NOT NULL, "
    "PRIMARY KEY (kind, id)) WITHOUT ROWID"
)
_ENTRIES = {
    "decision": """SELECT d.decision_id, d.decided_at, d.who, d.why, d.text_key, t.text, d.document, d.narrative_id,
        d.verdict, d.annotator, d.drawn, d.undoes FROM decisions d JOIN texts t USING (text_key)
        WHERE d.decision_id {condition} ORDER BY d.decision_id""",
    "edit": """SELECT edit_id, edited_at, who, why, kind, subject, value FROM edits
        WHERE edit_id {condition} ORDER BY edit_id""",
}
# What SQLite reports of a file that is in use or may not be read.
_NO_DAMAGE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN)
_TABLES = {"decision": ("decisions", "decision_id"), "edit": ("edits", "edit_id")}
_INSERT = {
    "decision": "INSERT INTO decisions (decision_id, decided_at, who, why, text_key, document, narrative_id, verdict, "
    "annotator, drawn, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "edit": "INSERT INTO edits (edit_id, edited_at, who, why, kind, subject, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
}


@dataclass(frozen=True, slots=True)
class LogRepair:
    """The result of mending a log: the numbers of decisions and edits in it, and those that are known to be lost."""

    decisions: int
    edits: int
    lost: int


def add_sums(connection: sqlite3.Connection) -> None:
    """Add the checksums of new entries; needs the open transaction that made them."""
    connection.execute(CREATE_SUMS)
    for kind, query in _ENTRIES.items():
        [(last,)] = connection.execute("SELECT coalesce(max(id), 0) FROM sums WHERE kind = ?", (kind,))
        rows = connection.execute(query.format(condition="> ?"), (last,)).fetchall()
        sums = [(kind, row[0], _compute_sum(row)) for row in rows]
        connection.executemany("INSERT INTO sums VALUES (?, ?, ?)", sums)


def _compute_sum(row: Sequence[object]) -> int:
    return zlib.crc32(json.dumps(row).encode())


def find_log_problems(path: Path) -> list[str]:
    """Return messages on damage of the log at `path`; none if it is whole or does not exist. Every entry is read."""
    if not path.exists():
        return []
    try:
        with _open(path) as connection:
            connection.execute("BEGIN")  # one view of entries and checksums: others may be writing
            problems = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(5)") if text != "ok"]
            problems += [f"{kind} {number} {what}" for kind, number, what in _find_wrong_entries(connection)]
            return problems[:5]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_DAMAGE:
            hint = "Make it readable, or wait until no other program uses it."
            raise StoreError(f"to read the decisions log at {path}", str(error), hint) from error
        return [str(error)]


def _find_wrong_entries(connection: sqlite3.Connection) -> Iterator[tuple[str, int, str]]:
    if not _has_table(connection, "sums"):
        return
    for kind, query in _ENTRIES.items():
        rows = {row[0]: row for row in connection.execute(query.format(condition="> 0"))}
        for number, stated in connection.execute("SELECT id, sum FROM sums WHERE kind = ? ORDER BY id", (kind,)):
            if number not in rows:
                yield kind, number, "is missing"
            elif _compute_sum(rows[number]) != stated:
                yield kind, number, "does not match its checksum"


def read_last_ids(path: Path) -> tuple[int, int]:
    """Return the ids of the last decision, of people or machines, and of the last edit; 0 for none or no whole log."""
    if not path.is_file():
        return 0, 0
    try:
        with _open(path) as connection:
            return _select_last_id(connection, "decision"), _select_last_id(connection, "edit")
    except sqlite3.DatabaseError:
        return 0, 0


def _select_last_id(connection: sqlite3.Connection, kind: str) -> int:
    table, key = _TABLES[kind]
    if not _has_table(connection, table):
        return 0
    [(last,)] = connection.execute(f"SELECT coalesce(max({key}), 0) FROM {table}")
    return int(last)


def copy_log(path: Path, target: Path) -> None:
    """Copy a whole log, which others may be writing to, to `target`, atomically."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(target) as beside, _open(path) as connection, closing(sqlite3.connect(beside)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def mend_log(damaged: Path, copy: Path, target: Path, schema: Sequence[str]) -> LogRepair:
    """Write a log at `target` with every entry that is whole in the copy or in the damaged log.

    `schema` are the statements that make an empty log.
    """
    entries: dict[tuple[str, int], tuple[object, ...]] = {}
    seen: set[tuple[str, int]] = set()
    for path in (damaged, copy):
        with suppress(sqlite3.DatabaseError):
            _collect(path, entries, seen)
    with replace_atomically(target) as beside, closing(sqlite3.connect(beside, isolation_level=None)) as made:
        made.execute("BEGIN")
        for statement in schema:
            made.execute(statement)
        for kind, number in sorted(entries):
            row = entries[kind, number]
            if kind == "decision":
                made.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", row[4:6])
                row = (*row[:5], *row[6:])
            made.execute(_INSERT[kind], row)
        add_sums(made)
        made.execute("COMMIT")
    kinds = [kind for kind, _ in entries]
    return LogRepair(kinds.count("decision"), kinds.count("edit"), len(seen - entries.keys()))


def _collect(path: Path, entries: dict[tuple[str, int], tuple[object, ...]], seen: set[tuple[str, int]]) -> None:
    """Add the whole entries of a log, and note all ids that it had. Stops with an error where it cannot be read on."""
    if not path.is_file():
        return
    with _open(path) as connection:
        stated: dict[tuple[str, int], int] = {}
        if _has_table(connection, "sums"):
            stated = {(kind, number): total for kind, number, total in connection.execute("SELECT * FROM sums")}
        seen.update(stated)
        for kind, query in _ENTRIES.items():
            last = max((number for name, number in stated if name == kind), default=0)
            with suppress(sqlite3.DatabaseError):
                last = max(last, _select_last_id(connection, kind))
            for number in range(1, last + 1):
                with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
                    row = connection.execute(query.format(condition="= ?"), (number,)).fetchone()
                    if row is not None:
                        seen.add((kind, number))
                        if stated.get((kind, number), _compute_sum(row)) == _compute_sum(row):
                            entries.setdefault((kind, number), row)


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    return bool(connection.execute(query, (name,)).fetchone()[0])


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    if not os.access(path.parent, os.W_OK):
        # There, SQLite reads a log only if told that nobody changes it.
        address += "&immutable=1"
    with closing(sqlite3.connect(address, timeout=30.0, isolation_level=None, uri=True)) as connection:
        yield connection
