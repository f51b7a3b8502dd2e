"""Rollback, prune, backup and restore of a store, and how large it is."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from narratives.model import SnapshotManifest, StoreError
from narratives.store import files, integrity, log_integrity
from narratives.store.snapshot_reader import DATABASE_FILE
from narratives.store.store import Store

PIN_FILE = "pinned"
_BACKUP_LIST = "backup.json"
# What can be made again, belongs to one process, or is kept for people to look at.
_NOT_BACKED_UP = {".lock", "training", integrity.DAMAGED_FOLDER, log_integrity.DECISIONS_FILE}
_COMPACT = {".gz", ".f32", ".bin", ".u32", ".safetensors"}  # compressing them again gains little


def measure_sizes(store: Path) -> dict[str, int]:
    """Return the bytes of each part of a store, by name, largest first, without empty ones."""
    sizes = {path.name: _measure(path) for path in store.glob("*") if path.name != ".lock"}
    return {name: size for name, size in sorted(sizes.items(), key=lambda item: -item[1]) if size}


def _measure(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(inner.stat().st_size for inner in _list_files(path))


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, those in folders that are on another disk behind a link included."""
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(place))
        folders[:] = sorted(name for name in folders if os.path.realpath(Path(place, name)) not in seen)
        yield from (path for name in sorted(names) if (path := Path(place, name)).is_file())


def rollback(store: Store, snapshot_id: str = "") -> SnapshotManifest:
    """Make an earlier snapshot the current one, by default the one before it, and return its manifest.

    The next build starts from its inputs. Decisions, edits and the codebook file stay as they are. Raises StoreError
    if there is no such snapshot or if it is damaged.
    """
    with store.lock():
        store.mend()
        chosen = snapshot_id or store.find_predecessor(store.current() or "")
        if not chosen:
            raise StoreError(f"a snapshot before the current one in {store.path}", "none", "There is nothing to do.")
        manifest = store.check(chosen)
        store.set_current(chosen, manifest.inputs)
        return manifest


def prune(
    store: Store, keep: int, older_than: float | None = None, pin: Sequence[str] = (), dry_run: bool = False
) -> tuple[SnapshotManifest, ...]:
    """Remove old snapshots, and stored rows that no remaining snapshot needs; return the manifests of the removed ones.

    The newest `keep` stay, and with `older_than` all that are younger than this number of days. The current snapshot
    always stays, and so do damaged ones, those that another process has open, and those that were pinned: `pin` are the
    ids to pin from now on. Raises StoreError for an id that the store does not have.
    """
    with store.lock():
        store.mend()
        for snapshot_id in pin:
            files.write_atomically(store.snapshot_path(snapshot_id) / PIN_FILE, b"")
        manifests, current = store.snapshots(), store.current()
        limit = datetime.now(UTC) - timedelta(days=older_than or 0)
        removed = [
            manifest
            for manifest in manifests[: max(0, len(manifests) - keep)]
            if manifest.snapshot_id != current
            and (older_than is None or datetime.fromisoformat(manifest.built_at) < limit)
            and not _is_held(store.snapshot_path(manifest.snapshot_id))
        ]
        if not dry_run:
            for manifest in removed:
                _remove_snapshot(store, manifest.snapshot_id)
            _remove_unneeded_rows(store)
        return tuple(removed)


def _is_held(folder: Path) -> bool:
    """Return whether a snapshot is pinned, or open in another process: DuckDB locks the files that it has open."""
    if (folder / PIN_FILE).exists():
        return True
    try:
        with (folder / DATABASE_FILE).open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _remove_snapshot(store: Store, snapshot_id: str) -> None:
    """Remove a snapshot. It disappears at once; if the process is killed, the next build removes the rest."""
    folder = store.snapshot_path(snapshot_id)
    beside = folder.with_name(f"{files.TEMP_PREFIX}{snapshot_id}")
    files.move_durably(folder, beside)
    shutil.rmtree(beside)
    shutil.rmtree(store.path / integrity.COPIES_FOLDER / "snapshots" / snapshot_id, ignore_errors=True)


def _remove_unneeded_rows(store: Store) -> None:
    manifests = store.snapshots()
    folders = [p for p in (store.path / "snapshots").glob("*") if integrity.SNAPSHOT_ID.fullmatch(p.name)]
    if len(manifests) < len(folders):
        return  # what a damaged snapshot needs is not known
    needed = {key for record in store.load_inputs() for key in record.keys}
    needed |= {key for manifest in manifests for record in manifest.inputs for key in record.keys}
    for path in (store.path / "inputs").glob("*.jsonl.gz"):
        if path.name.removesuffix(".jsonl.gz") not in needed:
            path.unlink()


def backup(store: Store, target: Path) -> int:
    """Write everything that a store needs to one zip file, and return its size in bytes.

    Builds wait meanwhile; the dashboard goes on. Checkpoints of a stopped training and `damaged/` are left out. Raises
    StoreError if the store is empty, and DiskError if the file cannot be written.
    """
    with store.lock(), tempfile.TemporaryDirectory(prefix=files.TEMP_PREFIX, dir=store.path) as folder:
        members = {str(path.relative_to(store.path)): path for path in _list_members(store.path)}
        log = store.path / log_integrity.DECISIONS_FILE
        if log.is_file():
            members[log.name] = Path(folder) / log.name
            log_integrity.copy_log(log, members[log.name])
        if not members:
            raise StoreError(f"a store at {store.path}", "nothing", "Name the folder of a store with --store.")
        with files.open_named_file(target) as file, zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            for name, path in sorted(members.items()):
                kind = zipfile.ZIP_STORED if path.suffix in _COMPACT else zipfile.ZIP_DEFLATED
                archive.write(path, name, kind)
            archive.writestr(_BACKUP_LIST, json.dumps(sorted(members)))
    return target.stat().st_size


def _list_members(store: Path) -> Iterator[Path]:
    for path in _list_files(store):
        parts = path.relative_to(store).parts
        is_temporary = any(part.startswith(files.TEMP_PREFIX) for part in parts)
        is_of_log = parts[0].startswith(f"{log_integrity.DECISIONS_FILE}-")
        if not (parts[0] in _NOT_BACKED_UP or is_temporary or is_of_log):
            yield path


def restore(source: Path, store: Path) -> int:
    """Make a store of a backup in a new or empty folder, and return the number of its files.

    The folder appears complete or not at all. Raises StoreError if it is not empty, or if the file is no whole backup.
    """
    if store.exists() and not (store.is_dir() and not any(store.iterdir())):
        raise StoreError(f"a new or empty folder at {store}", "one with files", "Name another folder with --store.")
    beside = files.get_place_beside(store)
    hint = "Use another backup."
    try:
        beside.mkdir(parents=True)
    except OSError as error:
        raise files.make_disk_error(error, beside) from error
    try:
        with zipfile.ZipFile(source) as archive:
            names = [name for name in archive.namelist() if name != _BACKUP_LIST]
            if not names or sorted(names) != json.loads(archive.read(_BACKUP_LIST)):
                got = "another list of files" if names else "no file"
                raise StoreError(f"a whole backup in {source}", got, hint)
            for name in names:
                _extract(archive, name, beside)
        with suppress(FileNotFoundError):
            store.rmdir()
        files.move_durably(beside, store)
    except OSError as error:
        raise files.make_disk_error(error, source) from error
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError) as error:
        raise StoreError(f"a whole backup in {source}", f"{type(error).__name__}: {error}", hint) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return len(names)


def _extract(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    """Extract a member; zipfile verifies its checksum. Raises ValueError for a path that leaves the folder."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ValueError(f"a path that leaves the store, {name!r}")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file)
    files.sync_to_disk(target)
