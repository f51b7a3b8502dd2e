"""Writing a snapshot: a whole folder, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pyarrow as pa

from narratives.model import StoreError
from narratives.store import connection, evaluations, files, manifests, spotchecks
from narratives.store.records import Manifest, SnapshotContent
from narratives.store.rows import Row, snapshot_id, tables

TEMPORARY = ".tmp-"


def write(folder: Path, content: SnapshotContent, quality: evaluations.Evaluation | None = None) -> str:
    """Write the content as `folder`/<snapshot id> and return that id.

    The id depends on the content alone: not on time, place, or the order of the content. A sound snapshot
    with this id is kept, and only its manifest renewed; a damaged one is replaced. What was measured of it
    before stays; `quality` is written where nothing was. The folder is filled under a temporary name, forced
    to the disk and then renamed, so that a snapshot is there whole or not at all. Raises StoreError where the
    content contradicts itself.
    """
    rows = tables(content)
    made = snapshot_id(rows, _terms(content))
    target = folder / made
    folder.mkdir(parents=True, exist_ok=True)
    if target.exists() and _is_sound(target):
        manifests.save(target, _manifest(made, content, target / connection.DATABASE))
        _measure(target, target, quality)
        return made
    beside = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
    database = beside / connection.DATABASE
    _fill(database, rows, {"schema_version": connection.SCHEMA_VERSION, "snapshot_id": made})
    files.sync(database)
    manifests.save(beside, _manifest(made, content, database))
    _measure(beside, target, quality)
    beside.chmod(0o755)
    if target.exists():
        files.move(target, beside.with_name(beside.name + "-damaged"))
    files.move(beside, target)
    return made


def _measure(folder: Path, before: Path, quality: evaluations.Evaluation | None) -> None:
    """Put into a snapshot's folder what was measured of it in the folder `before`, else `quality`.

    Where `before` is another folder, a file there that cannot be read is left behind.
    """
    with suppress(StoreError):
        checks = spotchecks.read_spot_checks(before / spotchecks.NAME)
        if checks and folder != before:
            spotchecks.write_spot_checks(folder / spotchecks.NAME, checks)
    with suppress(StoreError):
        quality = evaluations.read_evaluation(before / evaluations.NAME) or quality
    if quality and not (folder / evaluations.NAME).exists():
        evaluations.write_evaluation(folder / evaluations.NAME, quality)


def _terms(content: SnapshotContent) -> tuple[str, ...]:
    """What makes a snapshot another one beside its rows."""
    return (
        connection.SCHEMA_VERSION,
        content.model,
        content.variant,
        content.notice,
        content.predecessor,
    )


def clean(folder: Path) -> None:
    """Remove what interrupted builds left. Only for who holds the store's lock."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def check(folder: Path) -> Manifest:
    """The manifest of the snapshot in `folder`, checked to the last byte. Raises StoreError if damaged."""
    database = folder / connection.DATABASE
    connection.open_folder(folder).close()
    manifest = manifests.load(folder)
    try:
        checksum = files.sha256(database)
    except OSError as error:
        raise StoreError(f"to read {database}", str(error), manifests.remedy(folder)) from error
    if checksum != manifest.checksums.get(database.name):
        got = "other bytes (sha256 differs)"
        raise StoreError(f"{database} as it was written", got, manifests.remedy(folder))
    return manifest


def _is_sound(folder: Path) -> bool:
    try:
        check(folder)
    except StoreError:
        return False
    return True


def _manifest(made: str, content: SnapshotContent, database: Path) -> Manifest:
    return Manifest(
        snapshot_id=made,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=content.fingerprint,
        inputs=content.inputs,
        versions=content.versions,
        parameters=content.parameters,
        counts=content.counts,
        model=content.model,
        variant=content.variant,
        notice=content.notice,
        checksums={database.name: files.sha256(database)},
        sizes={database.name: database.stat().st_size},
        predecessor=content.predecessor,
    )


def _fill(database: Path, rows: Mapping[str, list[Row]], meta: Mapping[str, str]) -> None:
    """Make the database file. The rows go in through Arrow: INSERTs would take minutes."""
    schema = resources.files("narratives.store").joinpath("schema.sql").read_text(encoding="utf-8")
    described: list[Row] = list(meta.items())
    con = connection.create(database)
    try:
        con.execute(schema)
        for table, lines in {**rows, "meta": described}.items():
            if lines:
                columns = [pa.array(column) for column in zip(*lines, strict=True)]
                con.register("incoming", pa.table(columns, names=[f"c{n}" for n in range(len(columns))]))
                con.execute(f"INSERT INTO {table} SELECT * FROM incoming")
                con.unregister("incoming")
        con.execute("CHECKPOINT")
    finally:
        con.close()
