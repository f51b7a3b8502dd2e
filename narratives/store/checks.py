"""Check every file of a store, and name what is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from narratives.model import DiskError, StoreError
from narratives.store import files, inputs, integrity, log_integrity, vectors
from narratives.store.snapshot_reader import DATABASE_FILE
from narratives.store.store import Store

_BUILD, _REPAIR = "`build` or `check --repair` mends it", "`check --repair` mends it"


@dataclass(frozen=True, slots=True)
class Damage:
    """Something damaged in a store.

    `place` is its path in the store, `problem` what is wrong, and `remedy` what mends it, or what to do if nothing can.
    `is_lost` says that nothing in the store can mend it: `check --repair` only moves it to `damaged/`.
    """

    place: str
    problem: str
    remedy: str
    is_lost: bool = False


def find_damage(store: Store) -> list[Damage]:
    """Check every file of a store and return what is damaged, by place. Every byte is read; nothing is changed.

    Raises DiskError if a file may not be read.
    """
    try:
        checks = [_check_small_files, _check_snapshots, _check_vectors, _check_others]
        if not store.is_published:  # the copy of a published store has no stored rows
            checks.append(_check_inputs)
        found = [damage for check in checks for damage in check(store)]
    except OSError as error:
        raise files.make_disk_error(error, store.path) from error
    known = dict.fromkeys(found)
    return sorted(known, key=lambda damage: damage.place)


def _check_small_files(store: Store) -> Iterator[Damage]:
    root = store.path
    misplaced = dict(integrity.find_misplaced(root))
    for path, problem in misplaced.items():
        yield Damage(_name(store, path), problem, _BUILD)
    current = integrity.read_pointer(store.path)
    for name in integrity.list_small_files(root):
        copies = root / integrity.COPIES_FOLDER
        has_copy = (copies / name).is_file()
        if has_copy and (problem := integrity.find_small_problem(copies, name)):
            yield Damage(f"{integrity.COPIES_FOLDER}/{name}", problem, _BUILD)
            has_copy = False
        if root / name in misplaced:
            continue
        is_missing = not (root / name).exists()
        if is_missing and not (has_copy and ((root / name).parent.exists() or current in name.parts)):
            continue
        if problem := "no such file" if is_missing else integrity.find_small_problem(root, name):
            yield _make_damage(name, problem, has_copy, current)
    if current and not (root / "snapshots" / current).exists():
        yield Damage(files.CURRENT_FILE, f"it names the snapshot {current}, which does not exist", _BUILD)
    if not current and store.snapshots() and not (root / files.CURRENT_FILE).exists():
        yield Damage(files.CURRENT_FILE, "no such file", _BUILD)


def _make_damage(name: Path, problem: str, has_copy: bool, current: str) -> Damage:
    place = str(name)
    if has_copy or name.name in (files.CURRENT_FILE, files.INPUTS_FILE):
        return Damage(place, problem, _BUILD)
    if name.name == files.CODEBOOK_FILE:
        return Damage(place, problem, "it has no copy: build with --codebook and the file that it came from", True)
    if name.name == files.MANIFEST_FILE:
        if current in name.parts:
            return Damage(place, problem, "`build` makes the snapshot again")
        return Damage(place, problem, "an older snapshot cannot be made again", True)
    command = "evaluate" if name.name == files.QUALITY_FILE else "spotcheck take"
    return Damage(place, problem, f"it has no copy: run `{command}` again", True)


def _check_inputs(store: Store) -> Iterator[Damage]:
    try:
        records = store.load_inputs()
    except StoreError:
        records = integrity.find_records(store.path)
    sources = {key: record.source_path for record in records for key in record.keys}
    stored = {path.name.removesuffix(".jsonl.gz") for path in (store.path / "inputs").glob("[!.]*.jsonl.gz")}
    for key in sorted(sources.keys() | stored):
        if not (store.path / "inputs" / f"{key}.jsonl.gz").is_dir() and (problem := _find_rows_problem(store, key)):
            place, remedy = f"inputs/{key}.jsonl.gz", "no input of the next build needs it"
            if key in sources:
                remedy = f"{_BUILD} if {sources[key]} is as it was when it was read"
            yield Damage(place, problem, remedy, key not in sources)
    for path, problem in inputs.find_upload_problems(store.path):
        if problem == files.SUMS_DAMAGED:
            yield Damage(_name(store, path), problem, _BUILD)
            continue
        remedy = "the documents that were read from it are kept; upload it again to have the file"
        yield Damage(_name(store, path), problem, remedy, True)


def _find_rows_problem(store: Store, key: str) -> str:
    try:
        return store.find_rows_problem(key)
    except DiskError:
        raise
    except StoreError as error:
        return error.got  # a name that no build gives


def _check_snapshots(store: Store) -> Iterator[Damage]:
    current = integrity.read_pointer(store.path)
    for folder in sorted((store.path / "snapshots").glob("[!.]*")):
        if not integrity.SNAPSHOT_ID.fullmatch(folder.name):
            continue
        try:
            store.manifest(folder.name)
        except StoreError:
            if not (folder / files.MANIFEST_FILE).exists():
                yield Damage(_name(store, folder / files.MANIFEST_FILE), "no such file", _describe(folder, current))
            continue  # otherwise it is reported as a small file
        try:
            store.check(folder.name)
        except DiskError:
            raise
        except StoreError as error:
            place = _name(store, folder / DATABASE_FILE)
            yield Damage(place, error.got, _describe(folder, current), folder.name != current)


def _check_vectors(store: Store) -> Iterator[Damage]:
    for folder in sorted((store.path / "vectors").glob("[!.]*")):
        if not (folder / vectors.META).exists() and any((folder / name).exists() for name in vectors.FILES):
            yield Damage(_name(store, folder / vectors.META), "no such file", _BUILD)
    with suppress(StoreError):
        for problem in store.find_vector_problems(store.current() or ""):
            yield Damage("vectors", problem, _BUILD)


def _describe(folder: Path, current: str) -> str:
    return "`build` makes the snapshot again" if folder.name == current else "an older snapshot cannot be made again"


def _check_others(store: Store) -> Iterator[Damage]:
    for problem in integrity.find_log_problems(store.path):
        yield Damage(log_integrity.DECISIONS_FILE, problem, f"{_REPAIR}, as far as its entries are whole")
    copy = store.path / integrity.COPIES_FOLDER / log_integrity.DECISIONS_FILE
    if not copy.is_dir():
        for problem in log_integrity.find_log_problems(copy):
            yield Damage(_name(store, copy), problem, _BUILD)
    classifier = store.path / files.CLASSIFIER_FILE
    if problem := files.find_sums_problem(classifier):
        if problem == files.SUMS_DAMAGED:
            yield Damage(files.get_sums_path(classifier).name, problem, _BUILD)
        else:
            yield Damage(classifier.name, problem, "run `train` again, or restore a backup", True)


def _name(store: Store, path: Path) -> str:
    return str(path.relative_to(store.path))
