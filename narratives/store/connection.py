"""Opening a snapshot so that nothing but its own tables can be reached through it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from narratives.model import StoreError
from narratives.store import files, manifests
from narratives.store.limits import ALONE, Limits
from narratives.store.queries import Snapshot
from narratives.store.records import Manifest

DATABASE = "snapshot.duckdb"
SCHEMA_VERSION = "3"
# Version 1 had no lineage, and no stance and cohesion of clusters; version 2 no map, and nothing of a
# narrative but its definition: no includes, excludes and exemplars.
READABLE = ("1", "2", SCHEMA_VERSION)

# Set when the database is made, so that not even the first statement can cause a download.
_OFFLINE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# The lockdown does not keep DuckDB from writing what memory cannot hold to `.tmp` in the working folder.
_IN_MEMORY = {"temp_directory": ""}
_LOCKDOWN = (
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def create(path: Path) -> duckdb.DuckDBPyConnection:
    """A writing connection to a new database file at `path`."""
    return duckdb.connect(str(path), config={**_OFFLINE})


def attach(path: Path, limits: Limits = ALONE) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with the file at `path` read-only as `snap`, locked down for good.

    After the lockdown no statement reads or writes another file, loads an extension, or lifts the lockdown
    or the limits. Raises duckdb.Error where the file is no database of this version.
    """
    connection = duckdb.connect(":memory:", config={**_OFFLINE, **_IN_MEMORY, **limits.settings()})
    try:
        connection.execute("ATTACH ? AS snap (READ_ONLY)", [str(path)])
        for statement in _LOCKDOWN:
            connection.execute(statement)
    except duckdb.Error:
        connection.close()
        raise
    return connection


def open_folder(folder: Path, limits: Limits = ALONE) -> Snapshot:
    """Open the snapshot in `folder`, after checking its size, schema version and id.

    The checksum is left to `verify`, since it takes a second for every gigabyte or so. Raises
    StoreError where the snapshot is missing, damaged or of another version, and ResourceError where there
    is no memory to open it.
    """
    manifest = manifests.load(folder)
    path = folder / DATABASE
    todo = manifests.remedy(folder)
    size = path.stat().st_size if path.is_file() else -1
    if size != manifest.sizes.get(DATABASE):
        got = "no such file" if size < 0 else f"{size} bytes"
        raise StoreError(f"{path} of {manifest.sizes.get(DATABASE)} bytes", got, todo)
    opened = files.identify(path)
    try:
        path.open("rb").close()
    except OSError as error:  # no right to read it, too many files open: no damage
        raise StoreError(f"to read {path}", str(error), "Mend that, then try again.") from error
    try:
        connection = attach(path, limits)
    except (duckdb.Error, MemoryError) as error:
        damage = StoreError(f"a DuckDB database at {path}", _first_line(error), todo)
        raise limits.reached(error) or damage from error
    try:
        meta = dict(connection.execute("SELECT key, value FROM snap.meta").fetchall())
        _check(meta, manifest, path, todo)
    except (duckdb.Error, MemoryError) as error:
        connection.close()
        damage = StoreError(f"the tables of a snapshot in {path}", _first_line(error), todo)
        raise limits.reached(error) or damage from error
    except StoreError:
        connection.close()
        raise
    return Snapshot(connection, manifest, path, opened, limits)


def _check(meta: dict[str, str], manifest: Manifest, path: Path, todo: str) -> None:
    if meta.get("schema_version") not in READABLE:
        got = f"version {meta.get('schema_version')}"
        raise StoreError(f"snapshot schema version {' or '.join(READABLE)} in {path}", got, todo)
    if meta.get("snapshot_id") != manifest.snapshot_id:
        raise StoreError(f"snapshot {manifest.snapshot_id} in {path}", f"{meta.get('snapshot_id')}", todo)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
