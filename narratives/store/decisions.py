"""The decisions log: verdicts on pairs of paragraph and narrative, and edits, in an append-only SQLite file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from narratives.model import ConfigError, Decision, Edit, EditKind, LabelledText, StoreError, compute_text_key
from narratives.store import log_integrity
from narratives.store.files import describe_state, make_disk_error, write_named_file
from narratives.store.log_integrity import DECISIONS_FILE as DECISIONS_FILE

LOG_VERSION = 2
DecisionFormat = Literal["narratives", "label-studio", "doccano"]
LOCK_TIMEOUT = 30.0  # seconds for another process that writes
PERSON, MACHINE = "person", "machine"
ADJUDICATION = "adjudication"  # the reason of a decision between two that disagree

_CREATE_TEXTS = "CREATE TABLE texts (text_key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
# `undoes` is the id of the entry that an entry takes back, or 0. `drawn` is the probability with which a pair was drawn
# for review at random, or NULL if somebody chose it.
_CREATE_DECISIONS = """
CREATE TABLE decisions (
    decision_id INTEGER PRIMARY KEY AUTOINCREMENT,
    decided_at TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    text_key TEXT NOT NULL REFERENCES texts,
    document TEXT NOT NULL,
    narrative_id TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected', 'undecided', 'withdrawn')),
    annotator TEXT NOT NULL DEFAULT 'person' CHECK (annotator IN ('person', 'machine')),
    drawn REAL,
    undoes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX of_pair ON decisions (annotator, text_key, narrative_id, decision_id);
CREATE INDEX of_person ON decisions (who, decision_id);
CREATE INDEX of_undone ON decisions (undoes);
CREATE TRIGGER no_update BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
"""
_CREATE_EDITS = """
CREATE TABLE edits (
    edit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    edited_at TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('narrative', 'document', 'speaker', 'person', 'note')),
    subject TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX of_subject ON edits (kind, subject, edit_id);
CREATE TRIGGER no_edit_update BEFORE UPDATE ON edits
BEGIN SELECT RAISE(ABORT, 'edits are only ever added'); END;
CREATE TRIGGER no_edit_delete BEFORE DELETE ON edits
BEGIN SELECT RAISE(ABORT, 'edits are only ever added'); END;
"""
_SCHEMA = _CREATE_TEXTS + _CREATE_DECISIONS + _CREATE_EDITS
# A log of version 1 keeps its ids. SQLite cannot change the allowed verdicts of a table, so it is made again.
_MIGRATION = f"""
DROP TRIGGER no_update;
DROP TRIGGER no_delete;
DROP INDEX of_pair;
ALTER TABLE decisions RENAME TO old_decisions;
{_CREATE_DECISIONS}
INSERT INTO decisions (decision_id, decided_at, who, why, text_key, document, narrative_id, verdict)
SELECT decision_id, decided_at, who, why, text_key, document, narrative_id, verdict FROM old_decisions;
DROP TABLE old_decisions;
{_CREATE_EDITS}
"""
_SELECT = """SELECT d.decision_id, d.decided_at, d.who, d.why, d.text_key, {text}, d.document, d.narrative_id,
d.verdict, d.annotator, d.drawn, d.undoes FROM decisions d"""
_SELECT_DECISIONS = f"{_SELECT.format(text='t.text')} JOIN texts t USING (text_key)"
_SELECT_WITHOUT_TEXTS = _SELECT.format(text="''")
# An entry that undoes another only marks it; neither of the two applies.
_APPLIES = "undoes = 0 AND decision_id NOT IN (SELECT undoes FROM decisions WHERE undoes > 0)"
_SELECT_CURRENT = f"""
{_SELECT_DECISIONS}
WHERE d.decision_id IN (
    SELECT max(decision_id) FROM decisions WHERE annotator = ? AND {_APPLIES} GROUP BY text_key, narrative_id
)
ORDER BY d.text_key, d.narrative_id
"""
_OPINIONS = f"""
WHERE d.decision_id IN (
    SELECT max(decision_id) FROM decisions WHERE {_APPLIES}
    GROUP BY who, text_key, narrative_id, why = '{ADJUDICATION}'
)
ORDER BY d.text_key, d.narrative_id, d.decision_id
"""
_SELECT_PAIRS = f"""
SELECT t.text, p.narrative_id, coalesce(d.verdict, 'undecided')
FROM (
    SELECT text_key, narrative_id, max(CASE WHEN {_APPLIES} THEN decision_id END) AS latest
    FROM decisions WHERE annotator = ? GROUP BY text_key, narrative_id
) p JOIN texts t USING (text_key) LEFT JOIN decisions d ON d.decision_id = p.latest
ORDER BY p.text_key, p.narrative_id
"""
_SELECT_LATEST_OF_PAIR = f"""
SELECT document, verdict, who, drawn FROM decisions
WHERE annotator = ? AND text_key = ? AND narrative_id = ? AND {_APPLIES} ORDER BY decision_id DESC LIMIT 1
"""
_SELECT_LAST_OF_PERSON = f"""
{_SELECT_DECISIONS}
WHERE d.who = ? AND {_APPLIES} ORDER BY d.decision_id DESC LIMIT 1
"""
_INSERT_DECISION = (
    "INSERT INTO decisions (decided_at, who, why, text_key, document, narrative_id, verdict, annotator, drawn, undoes) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT_EDITS = "SELECT edit_id, edited_at, who, why, kind, subject, value FROM edits"


class DecisionLog:
    """A log of decisions and edits at `path`. Creating the object writes nothing; the first entry makes the file.

    Any number of processes may read and write at the same time. What a method has added when it returns is on the
    disk. Every method raises ConfigError if the file is not a decisions log, and StoreError if it cannot be read or
    written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(
        self,
        labelled: Iterable[LabelledText],
        who: str,
        why: str,
        *,
        annotator: str = PERSON,
        drawn: float | None = None,
    ) -> int:
        """Add the decisions of these texts, all or none; return how many were added.

        `annotator` is "person" or "machine". `drawn` is the probability with which they were drawn for review, or None
        if they were chosen. A decision that is already the current one, for the same document and by the same person,
        is not added again, unless it was drawn now and chosen then.
        """
        rows = list(labelled)
        now = _format_now()
        if not rows:
            return 0
        with self._connect() as connection, _open_transaction(connection):
            _make_tables(connection)
            added = 0
            for row in rows:
                key = compute_text_key(row.text)
                connection.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (key, row.text))
                for narrative, verdict in row.verdicts.items():
                    latest = connection.execute(_SELECT_LATEST_OF_PAIR, (annotator, key, narrative)).fetchone()
                    known = why != ADJUDICATION and latest and latest[:3] == (row.document, verdict, who)
                    if not known or (drawn is not None and latest[3] is None):
                        entry = (now, who, why, key, row.document, narrative, verdict, annotator, drawn, 0)
                        connection.execute(_INSERT_DECISION, entry)
                        added += 1
            log_integrity.add_sums(connection)
            return added

    def undo(self, who: str) -> Decision | None:
        """Take back the last decision of `who` that was not taken back yet, and return it; None if there is none.

        The decision that was made before it applies again, if there is one. Nothing is deleted: the log gets one more
        entry.
        """
        with self._connect() as connection, _open_transaction(connection):
            _make_tables(connection)
            row = connection.execute(_SELECT_LAST_OF_PERSON, (who,)).fetchone()
            if row is None:
                return None
            last = Decision(*row)
            why = f"undo of decision {last.decision_id}"
            pair = (last.text_key, last.document, last.narrative_id)
            entry = (_format_now(), who, why, *pair, "withdrawn", last.annotator, None, last.decision_id)
            connection.execute(_INSERT_DECISION, entry)
            log_integrity.add_sums(connection)
            return last

    def edit(self, kind: EditKind, subject: str, value: str, who: str, why: str) -> int:
        """Add an edit that applies from now on, and return its id; `value` is JSON, or empty to withdraw the edit."""
        with self._connect() as connection, _open_transaction(connection):
            _make_tables(connection)
            values = (_format_now(), who, why, kind, subject, value)
            added = connection.execute(
                "INSERT INTO edits (edited_at, who, why, kind, subject, value) VALUES (?, ?, ?, ?, ?, ?)", values
            )
            log_integrity.add_sums(connection)
            return int(added.lastrowid or 0)

    def current(self, annotator: str = PERSON) -> list[Decision]:
        """Return the current decisions of people (or machines), one for each pair, in order of text and narrative."""
        return self._select(_SELECT_CURRENT, annotator)

    def opinions(self, texts: bool = True) -> list[Decision]:
        """Return the last decision of everyone on each pair, in order of text, narrative and time.

        Without `texts`, their texts are empty, which is faster.

        Adjudications are listed beside the opinion that the same person had before.
        """
        return self._select((_SELECT_DECISIONS if texts else _SELECT_WITHOUT_TEXTS) + _OPINIONS)

    def pairs(self) -> list[tuple[str, str, str]]:
        """Return text, narrative and verdict of every pair that people ever decided.

        The verdict is "undecided" if they are unsure, and if all decisions on the pair were taken back.
        """
        with self._open_current() as connection:
            return connection.execute(_SELECT_PAIRS, (PERSON,)).fetchall() if connection else []

    def count_since(self, decision_id: int, edit_id: int) -> tuple[int, int]:
        """Count the decisions of people after these ids, without those taken back since, and the edits."""
        with self._open_current() as connection:
            if connection is None:
                return 0, 0
            decisions = (
                "SELECT count(*) FROM decisions WHERE annotator = ? AND decision_id > ? AND CASE undoes WHEN 0 "
                "THEN decision_id NOT IN (SELECT undoes FROM decisions) ELSE undoes <= ? END"
            )
            edits = "SELECT count(*) FROM edits WHERE kind <> 'note' AND edit_id > ?"
            return (
                connection.execute(decisions, (PERSON, decision_id, decision_id)).fetchone()[0],
                connection.execute(edits, (edit_id,)).fetchone()[0],
            )

    def describe_state(self) -> str:
        """Return a text that changes whenever the log does. What is new is in a file beside it until it is merged."""
        try:
            return " ".join(describe_state(Path(f"{self.path}{suffix}")) for suffix in ("", "-wal"))
        except OSError as error:
            raise make_disk_error(error, self.path) from error

    def last_ids(self) -> tuple[int, int]:
        """Return the ids of the last decision of a person and of the last edit, 0 if there is none."""
        with self._open_current() as connection:
            if connection is None:
                return 0, 0
            decided = "SELECT coalesce(max(decision_id), 0) FROM decisions WHERE annotator = ?"
            edited = "SELECT coalesce(max(edit_id), 0) FROM edits"
            return connection.execute(decided, (PERSON,)).fetchone()[0], connection.execute(edited).fetchone()[0]

    def history(self) -> list[Decision]:
        """Return every decision ever made, oldest first."""
        return self._select(f"{_SELECT_DECISIONS} ORDER BY d.decision_id")

    def edits(self, kind: EditKind | None = None) -> list[Edit]:
        """Return every edit ever made, or those of one kind, oldest first."""
        with self._open_current() as connection:
            if connection is None:
                return []
            where, values = (" WHERE kind = ?", (kind,)) if kind else ("", ())
            rows = connection.execute(f"{_SELECT_EDITS}{where} ORDER BY edit_id", values)
            return [Edit(*row) for row in rows]

    def current_edits(self, kind: EditKind) -> dict[str, Edit]:
        """Return the edits of this kind that apply, by subject; those that were withdrawn are left out."""
        latest = {edit.subject: edit for edit in self.edits(kind)}
        return {subject: edit for subject, edit in sorted(latest.items()) if edit.value}

    def export(self, path: Path, form: DecisionFormat = "narratives") -> int:
        """Write the current decisions as JSONL `{text, document, labels, disputed, rejected}`, or in another form.

        Writes one row for each text and document, by text key, and returns the number of rows. Importing them
        into an empty log gives the same decisions, with another name, reason and time.
        """
        if path.resolve() == self.path.resolve():
            raise StoreError("a new file to write the decisions to", f"the log itself, {path}", "Name another file.")
        rows = []
        ordered = sorted(self.current(), key=lambda d: (d.text_key, d.document, d.narrative_id))
        for (_, document), group in groupby(ordered, key=lambda d: (d.text_key, d.document)):
            decisions = list(group)
            row = {
                "text": decisions[0].text,
                "document": document,
                "labels": [d.narrative_id for d in decisions if d.verdict == "accepted"],
                "disputed": [d.narrative_id for d in decisions if d.verdict == "undecided"],
                "rejected": [d.narrative_id for d in decisions if d.verdict == "rejected"],
            }
            rows.append(row)
        write_named_file(path, _format_rows(rows, form).encode())
        return len(rows)

    def _select(self, query: str, *values: str) -> list[Decision]:
        with self._open_current() as connection:
            return [Decision(*row) for row in connection.execute(query, values)] if connection else []

    @contextmanager
    def _open_current(self) -> Iterator[sqlite3.Connection | None]:
        """Open the log for reading, with the tables of this version; None if it holds nothing."""
        if not self.path.exists():
            yield None
            return
        with self._connect(write=False) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version in (0, LOG_VERSION):
                yield connection if version else None
                return
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:  # reading does not change a file
                connection.backup(copy)
                with _open_transaction(copy):
                    _make_tables(copy)
                yield copy

    @contextmanager
    def _connect(self, write: bool = True) -> Iterator[sqlite3.Connection]:
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open(write)) as connection:
                self._check(connection)
                if write:
                    # Readers continue while another process writes. The setting is kept in the file.
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = FULL")
                    connection.execute("PRAGMA foreign_keys = ON")
                yield connection
        except OSError as error:
            raise make_disk_error(error, self.path) from error
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
                raise make_disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), self.path) from error
            hint = "Make the file readable and writable, or wait until no other program uses it."
            raise StoreError(f"a decisions log at {self.path}", str(error), hint) from error
        except sqlite3.DatabaseError as error:
            raise self._make_log_error(str(error)) from error

    def _open(self, write: bool) -> sqlite3.Connection:
        if write:
            return sqlite3.connect(self.path, timeout=LOCK_TIMEOUT, isolation_level=None)
        address = f"file:{quote(str(self.path.absolute()))}?mode=ro"
        connection = sqlite3.connect(address, timeout=LOCK_TIMEOUT, isolation_level=None, uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            # In a folder that cannot be written to, SQLite reads a log only if told that nobody changes it.
            connection.close()
            if os.access(self.path.parent, os.W_OK):
                raise
            return sqlite3.connect(f"{address}&immutable=1", isolation_level=None, uri=True)
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")  # one view of both: another process may be making the file
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        connection.execute("COMMIT")
        if version > LOG_VERSION:
            expected = f"a decisions log of version {LOG_VERSION} at {self.path}"
            raise ConfigError(expected, f"version {version}", "Update the program.")
        if (version == 0 and tables) or (version and not {"texts", "decisions"} <= tables):
            raise self._make_log_error(f"a database with the tables {', '.join(sorted(tables)) or '(none)'}")

    def _make_log_error(self, got: str) -> ConfigError:
        hint = "Name another file, or run `check --repair` if it is the log of a store. This one was not changed."
        return ConfigError(f"a decisions log at {self.path}", got, hint)


def _format_rows(rows: Sequence[dict[str, object]], form: DecisionFormat) -> str:
    """Format rows of decisions as JSONL, as JSONL of doccano, or as a JSON list of Label Studio's tasks."""
    if form == "label-studio":
        tasks = [
            {
                "id": number,
                "data": {"text": row["text"], "document": row["document"]},
                "annotations": [
                    {
                        "result": [
                            {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": row[name]}}
                            for name in ("labels", "disputed", "rejected")
                        ]
                    }
                ],
            }
            for number, row in enumerate(rows, 1)
        ]
        return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"
    if form == "doccano":
        rows = [{"label" if name == "labels" else name: value for name, value in row.items()} for row in rows]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def hash_decisions(decisions: Sequence[Decision]) -> str:
    """Compute a sha256 of all that a matcher learns from decisions; empty if there is nothing to learn."""
    terms = sorted((d.text_key, d.document, d.narrative_id, d.verdict) for d in decisions if d.verdict != "undecided")
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest() if terms else ""


def mend_decisions(damaged: Path, copy: Path, target: Path) -> log_integrity.LogRepair:
    """Write a log at `target` with every entry that is whole in the damaged log or in its copy."""
    schema = [*_split_statements(_SCHEMA), f"PRAGMA user_version = {LOG_VERSION}"]
    return log_integrity.mend_log(damaged, copy, target, schema)


def _format_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a new log, or those that a log of version 1 lacks. Needs an open transaction."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < LOG_VERSION:
        # One by one: executescript would end the transaction.
        for statement in _split_statements(_MIGRATION if version else _SCHEMA):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {LOG_VERSION}")


@contextmanager
def _open_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _split_statements(script: str) -> Iterator[str]:
    """Yield the statements of a script. A trigger contains semicolons of its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
