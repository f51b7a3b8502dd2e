"""The log of decisions on pairs of paragraph and narrative: an append-only SQLite file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from narratives.model import ConfigError, Decision, LabelledText, StoreError, compute_text_key
from narratives.store.files import write_atomically

DECISIONS_FILE = "decisions.sqlite"
LOG_VERSION = 1
LOCK_TIMEOUT = 30.0  # seconds for another process that writes

_SCHEMA = """
CREATE TABLE texts (text_key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE decisions (
    decision_id INTEGER PRIMARY KEY AUTOINCREMENT,
    decided_at TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    text_key TEXT NOT NULL REFERENCES texts,
    document TEXT NOT NULL,
    narrative_id TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected', 'undecided'))
);
CREATE INDEX of_pair ON decisions (text_key, narrative_id, decision_id);
CREATE TRIGGER no_update BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
"""
_SELECT_DECISIONS = """
SELECT d.decision_id, d.decided_at, d.who, d.why, d.text_key, t.text, d.document, d.narrative_id, d.verdict
FROM decisions d JOIN texts t USING (text_key)
"""
_SELECT_CURRENT = f"""
{_SELECT_DECISIONS}
WHERE d.decision_id IN (SELECT max(decision_id) FROM decisions GROUP BY text_key, narrative_id)
ORDER BY d.text_key, d.narrative_id
"""
_INSERT_DECISION = (
    "INSERT INTO decisions (decided_at, who, why, text_key, document, narrative_id, verdict) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class DecisionLog:
    """A log of decisions at `path`. Creating the object writes nothing; the file appears with the first decision.

    Any number of processes may read and write at the same time. Every method raises ConfigError if the file
    is not a decisions log, and StoreError if it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, labelled: Iterable[LabelledText], who: str, why: str) -> int:
        """Add the decisions of these texts, all or none; return how many were added.

        A decision that is already the current one, for the same document, is not added again.
        """
        rows = list(labelled)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if not rows:
            return 0
        with self._connect() as connection, _open_transaction(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                # One by one: executescript would end the transaction.
                for statement in _split_statements(_SCHEMA):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {LOG_VERSION}")
            latest = [Decision(*row) for row in connection.execute(_SELECT_CURRENT)]
            current = {(d.text_key, d.narrative_id): (d.document, d.verdict) for d in latest}
            added = 0
            for row in rows:
                key = compute_text_key(row.text)
                connection.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (key, row.text))
                for narrative, verdict in row.verdicts.items():
                    if current.get((key, narrative)) != (row.document, verdict):
                        current[key, narrative] = (row.document, verdict)
                        values = (now, who, why, key, row.document, narrative, verdict)
                        connection.execute(_INSERT_DECISION, values)
                        added += 1
            return added

    def current(self) -> list[Decision]:
        """Return the current decisions, one for each pair of text and narrative, in order of both."""
        return self._select(_SELECT_CURRENT)

    def history(self) -> list[Decision]:
        """Return every decision ever made, oldest first."""
        return self._select(f"{_SELECT_DECISIONS} ORDER BY d.decision_id")

    def export(self, path: Path) -> int:
        """Write the current decisions as JSONL `{text, document, labels, disputed, rejected}`.

        Writes one row for each text and document, by text key, and returns the number of rows. Importing them
        into an empty log gives the same decisions, with another name, reason and time.
        """
        lines = []
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
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        try:
            write_atomically(path, "".join(lines).encode())
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"to write {path}", reason, "Name another file, or make its folder writable.") from error
        return len(lines)

    def _select(self, query: str) -> list[Decision]:
        if not self.path.exists():
            return []
        with self._connect() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return []
            return [Decision(*row) for row in connection.execute(query)]

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT, isolation_level=None)) as connection:
                self._check(connection)
                yield connection
        except (OSError, sqlite3.OperationalError) as error:
            hint = "Make the file readable and writable, or wait until no other program uses it."
            raise StoreError(f"a decisions log at {self.path}", str(error), hint) from error
        except sqlite3.DatabaseError as error:
            raise self._make_log_error(str(error)) from error

    def _check(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")  # one view of both: another process may be making the file
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        connection.execute("COMMIT")
        if version > LOG_VERSION:
            expected = f"a decisions log of version {LOG_VERSION} at {self.path}"
            raise ConfigError(expected, f"version {version}", "Update the program.")
        if (version == 0 and tables) or (version == LOG_VERSION and not {"texts", "decisions"} <= tables):
            raise self._make_log_error(f"a database with the tables {', '.join(sorted(tables)) or '(none)'}")
        # Readers continue while another process writes. The setting is kept in the file.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")

    def _make_log_error(self, got: str) -> ConfigError:
        hint = "Name another file. This one was not changed."
        return ConfigError(f"a decisions log at {self.path}", got, hint)


def hash_decisions(decisions: Sequence[Decision]) -> str:
    """Compute a sha256 of all that a matcher learns from decisions; empty if there is nothing to learn."""
    terms = sorted((d.text_key, d.document, d.narrative_id, d.verdict) for d in decisions if d.verdict != "undecided")
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest() if terms else ""


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
