"""Documents as an earlier build parsed them: a cache, which may be deleted at any time.

It is one SQLite file. Each entry holds a document as compressed JSON, after a hash over its key and itself, so a
changed entry and one under another key are both detected. Whatever cannot be read counts as absent, and is parsed
again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import sys
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

from narratives.model import Document, Paragraph

log = logging.getLogger(__name__)

PARSED_FILE = "parsed.sqlite"
FORMAT = "1"  # of an entry; raise it when documents are written in another way
CHECK_BYTES = 16
LOCK_TIMEOUT = 5.0  # seconds for another process, such as a backup
BATCH = 500  # documents written together: a build that is stopped loses at most these
# Space of removed entries is given back to the disk.
_SCHEMA = """
PRAGMA auto_vacuum = FULL;
CREATE TABLE IF NOT EXISTS documents (key BLOB PRIMARY KEY, content BLOB NOT NULL);
"""
# Of a file that cannot be used now, whatever it holds: a full disk, a missing permission, another process.
_OUTER_ERRORS = {
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN),
}
_DOCUMENT_FIELDS = tuple(field.name for field in fields(Document) if field.name != "paragraphs")
_PARAGRAPH_FIELDS = tuple(field.name for field in fields(Paragraph))
# Those of their texts that many documents or paragraphs have in common: one copy of each in memory is enough.
_COMMON = {
    *("document_id", "kind", "speaker", "speaker_method", "quoted_person", "voice", "source_ref"),
    *("outlet", "date", "date_precision", "date_source", "language", "text_kind"),
}
_COMMON_OF_DOCUMENTS = [at for at, name in enumerate(_DOCUMENT_FIELDS) if name in _COMMON]
_COMMON_OF_PARAGRAPHS = [at for at, name in enumerate(_PARAGRAPH_FIELDS) if name in _COMMON]
Result = TypeVar("Result")


class ParsedDocument(NamedTuple):
    """A document, and the days from which and before which parsing gives it; `until` is None for no end."""

    document: Document
    since: date
    until: date | None


class ParsedDocuments:
    """The cache of one store, for one build at a time.

    A damaged cache is begun anew. One that cannot be read or written at all stays empty, and a warning is logged:
    without it, a build takes longer and gives the same.
    """

    def __init__(self, path: Path, timeout: float = LOCK_TIMEOUT) -> None:
        self._path, self._timeout = path, timeout
        self._used: set[bytes] = set()
        self._known: set[bytes] | None = None
        self._new: dict[bytes, bytes] = {}
        self._connection = self._open()

    def __enter__(self) -> ParsedDocuments:
        return self

    def __exit__(self, *_: object) -> None:
        """Write what is not written yet, and close the file."""
        self._write()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def is_open(self) -> bool:
        """Whether documents can be kept."""
        return self._connection is not None

    def get(self, key: str) -> ParsedDocument | None:
        """Return the document under a key, None if there is none or it is damaged."""
        full = _make_key(key)
        packed = self._new.get(full) or self._run(lambda db: _select(db, full))
        if packed is None:
            return None
        parsed = _unpack(full, packed)
        if parsed is None:
            log.warning("A parsed document in %s was damaged and is parsed again.", self._path)
            return None
        self._used.add(full)
        return parsed

    def has(self, key: str) -> bool:
        """Return whether there was a document under a key when this was first asked. It may be damaged."""
        if self._known is None:
            self._known = set(self._run(_list_keys) or ())
        return _make_key(key) in self._known

    def put(self, key: str, parsed: ParsedDocument) -> None:
        """Keep a document under a key, in place of any other."""
        self.put_packed(key, pack_document(key, parsed))

    def put_packed(self, key: str, packed: bytes) -> None:
        """Keep what `pack_document` returned for this key."""
        full = _make_key(key)
        self._used.add(full)
        self._new[full] = packed
        if len(self._new) >= BATCH:
            self._write()

    def prune(self) -> None:
        """Remove the documents that were neither read nor written since the cache was opened."""
        self._write()
        if unused := [(key,) for key in self._run(_list_keys) or () if key not in self._used]:
            self._run(lambda db: db.executemany("DELETE FROM documents WHERE key = ?", unused))

    def _write(self) -> None:
        rows, self._new = list(self._new.items()), {}
        if rows:
            self._run(lambda db: db.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?)", rows))

    def _open(self) -> sqlite3.Connection | None:
        try:
            return _connect(self._path, self._timeout)
        except sqlite3.Error as error:
            return self._begin_anew(error)

    def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """Return the result of work on the file in one transaction, None if the file does not allow it."""
        if self._connection is None:
            return None
        try:
            with self._connection:
                return work(self._connection)
        except sqlite3.Error as error:
            self._connection.close()
            self._connection = self._begin_anew(error)
        return None

    def _begin_anew(self, error: sqlite3.Error) -> sqlite3.Connection | None:
        """Return a connection to an empty file; None if the error is not one of the file's content."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _OUTER_ERRORS:
            log.warning("The parsed documents in %s were damaged (%s) and are parsed again.", self._path, error)
            try:
                for path in (self._path, self._path.with_name(f"{self._path.name}-journal")):
                    path.unlink(missing_ok=True)
                return _connect(self._path, self._timeout)
            except (OSError, sqlite3.Error) as further:
                log.debug("It could not be begun anew: %s", further)
        log.warning("Parsed documents cannot be kept in %s (%s), so builds take longer.", self._path, error)
        return None


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout)
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _select(connection: sqlite3.Connection, key: bytes) -> bytes | None:
    with closing(connection.execute("SELECT content FROM documents WHERE key = ?", (key,))) as found:
        row = found.fetchone()
    return bytes(row[0]) if row else None


def _list_keys(connection: sqlite3.Connection) -> list[bytes]:
    return [key for (key,) in connection.execute("SELECT key FROM documents")]


def _make_key(key: str) -> bytes:
    return hashlib.blake2b(f"{FORMAT}\0{key}".encode("utf-8", "surrogatepass"), digest_size=CHECK_BYTES).digest()


def _compute_check(key: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(key + content, digest_size=CHECK_BYTES).digest()


def pack_document(key: str, parsed: ParsedDocument) -> bytes:
    """Return the entry of a document under a key, with its checksum."""
    document, since, until = parsed
    lines = [
        [since.isoformat(), until.isoformat() if until else ""],
        [getattr(document, name) for name in _DOCUMENT_FIELDS],
        *([getattr(paragraph, name) for name in _PARAGRAPH_FIELDS] for paragraph in document.paragraphs),
    ]
    # ASCII escapes keep even lone surrogates, which some sources contain.
    content = zlib.compress(json.dumps(lines, separators=(",", ":")).encode("ascii"))
    return _compute_check(_make_key(key), content) + content


def _unpack(key: bytes, packed: bytes) -> ParsedDocument | None:
    """Return the document of an entry, None if it is damaged."""
    check, content = packed[:CHECK_BYTES], packed[CHECK_BYTES:]
    if check != _compute_check(key, content):
        return None
    (since, until), own, *paragraphs = json.loads(zlib.decompress(content))
    _share_texts([own], _COMMON_OF_DOCUMENTS)
    _share_texts(paragraphs, _COMMON_OF_PARAGRAPHS)
    document = Document(
        paragraphs=tuple(Paragraph(**dict(zip(_PARAGRAPH_FIELDS, values, strict=True))) for values in paragraphs),
        **dict(zip(_DOCUMENT_FIELDS, own, strict=True)),
    )
    return ParsedDocument(document, date.fromisoformat(since), date.fromisoformat(until) if until else None)


def _share_texts(rows: list[list[str]], columns: Sequence[int]) -> None:
    for values in rows:
        for at in columns:
            values[at] = sys.intern(values[at])
