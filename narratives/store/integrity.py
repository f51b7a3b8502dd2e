"""Second copies of the small files of a store, and how damaged ones are mended from them.

`copies/` holds the pointer, the list of inputs, the codebook file, the decisions log, and manifest, quality and spot
checks of every snapshot. A copy is used only if it is whole. What it replaces is moved to `damaged/` and never deleted.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from narratives.model import DiskError, InputRecord, SnapshotManifest, StoreError
from narratives.store import decisions, files, inputs, log_integrity, vectors
from narratives.store.snapshot_reader import DATABASE_FILE

COPIES_FOLDER, DAMAGED_FOLDER = "copies", "damaged"
SNAPSHOT_ID = re.compile(r"[0-9a-f]{12}")
_MEASURED = (files.QUALITY_FILE, files.SPOT_CHECKS_FILE)
_FOLDERS = ("inputs", "snapshots", "vectors", "uploads", COPIES_FOLDER)


def set_aside(store: Path, path: Path) -> str:
    """Move something damaged from its place in the store to `damaged/`; return its new place in the store."""
    folder = store / DAMAGED_FOLDER
    if folder.exists() and not folder.is_dir():
        folder.replace(store / f"{DAMAGED_FOLDER}-file")
    folder.mkdir(exist_ok=True)
    plain = "-".join(path.relative_to(store).parts)
    number = 1
    while (target := folder / f"{plain}-{number}").exists():
        number += 1
    with suppress(FileNotFoundError):  # another process was faster
        path.replace(target)
    return f"{DAMAGED_FOLDER}/{target.name}"


def forget(store: Path, path: Path) -> None:
    """Remove the checksums and the copy of something that is no longer in the store. Needs the lock."""
    files.get_sums_path(path).unlink(missing_ok=True)
    if path.relative_to(store).parts[0] == "uploads" and path.parent.is_dir():
        root = store / Path(*path.relative_to(store).parts[:2])
        name = str(path.relative_to(root))
        if sums := files.read_sums(root):
            files.write_sums(root, [pair for pair in sums if pair[0] != name])
    copy = store / COPIES_FOLDER / path.relative_to(store)
    if copy.is_dir():
        shutil.rmtree(copy)
    else:
        copy.unlink(missing_ok=True)


def find_misplaced(store: Path) -> Iterator[tuple[Path, str]]:
    """Yield folders where the store keeps files and files where it keeps folders, with a message."""
    for root in (store, store / COPIES_FOLDER):
        for folder in (root / name for name in _FOLDERS):
            if folder.exists() and not folder.is_dir():
                yield folder, "a file in the place of a folder"
        names = (files.CURRENT_FILE, files.INPUTS_FILE, files.CODEBOOK_FILE, files.CLASSIFIER_FILE)
        named = [root / name for name in (*names, log_integrity.DECISIONS_FILE)]
        named += [files.get_sums_path(root / name) for name in names]
        named += [*root.glob("inputs/*.jsonl.gz"), *root.glob(f"uploads/*{files.SUMS_SUFFIX}")]
        named += [p for p in root.glob("vectors/*/*") if p.name in vectors.FILES]
        named += [p for p in root.glob("snapshots/*/*") if p.name in (files.MANIFEST_FILE, DATABASE_FILE, *_MEASURED)]
        yield from ((path, "a folder in the place of a file") for path in named if path.is_dir())


def list_small_files(store: Path) -> list[Path]:
    """List the small files that have a second copy, or should have one, relative to the store."""
    found = [Path(name) for name in (files.CURRENT_FILE, files.INPUTS_FILE, files.CODEBOOK_FILE)]
    for root in (store, store / COPIES_FOLDER):
        for name in (files.MANIFEST_FILE, *_MEASURED):
            found += [path.relative_to(root) for path in sorted(root.glob(f"snapshots/*/{name}"))]
    return [path for path in dict.fromkeys(found) if len(path.parts) == 1 or SNAPSHOT_ID.fullmatch(path.parts[1])]


def find_small_problem(root: Path, name: Path) -> str:
    """Return what is wrong with a small file below `root`, the store or its copies; empty if it is whole or absent."""
    path = root / name
    if not path.exists():
        return ""
    try:
        return _CHECKS[name.name](path)
    except PermissionError as error:
        raise files.make_disk_error(error, path) from error
    except (OSError, UnicodeDecodeError) as error:
        return str(error)
    except DiskError:
        raise
    except StoreError as error:
        return error.got


def _check_pointer(path: Path) -> str:
    return "" if SNAPSHOT_ID.fullmatch(path.read_text("utf-8").strip()) else "no snapshot id in it"


def _check_records(path: Path) -> str:
    files.load_input_records(path.parent)
    return ""


def _check_manifest(path: Path) -> str:
    is_own = files.load_snapshot_manifest(path.parent).snapshot_id == path.parent.name
    return "" if is_own else "the manifest of another snapshot"


def _check_quality(path: Path) -> str:
    files.read_evaluation(path)
    return ""


def _check_spot_checks(path: Path) -> str:
    files.read_spot_checks(path)
    return ""


_CHECKS: dict[str, Callable[[Path], str]] = {
    files.CURRENT_FILE: _check_pointer,
    files.INPUTS_FILE: _check_records,
    files.CODEBOOK_FILE: files.find_sums_problem,
    files.MANIFEST_FILE: _check_manifest,
    files.QUALITY_FILE: _check_quality,
    files.SPOT_CHECKS_FILE: _check_spot_checks,
}


def save_copies(store: Path) -> list[str]:
    """Copy every whole small file that has changed, and remove the copies of removed snapshots. Needs the lock.

    Returns notes on copies that were damaged.
    """
    copies, notes = store / COPIES_FOLDER, []
    for folder in copies.glob("snapshots/*"):
        if not (store / "snapshots" / folder.name).exists():
            shutil.rmtree(folder)
    for name in list_small_files(store):
        path, copy = store / name, copies / name
        if not path.is_file() or find_small_problem(store, name):
            continue
        problem = find_small_problem(copies, name)
        if problem or not copy.is_file() or copy.read_bytes() != path.read_bytes():
            _write_small_file(copy, path.read_bytes())
        if problem:
            notes.append(f"The copy {COPIES_FOLDER}/{name} was damaged ({problem}) and was made again.")
    return notes


def _write_small_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write = files.write_summed if path.name == files.CODEBOOK_FILE else files.write_atomically
    write(path, data)


def mend(store: Path) -> tuple[str, ...]:
    """Mend small files where nothing is lost by it, and return notes. Needs the lock."""
    notes = []
    for path, message in [*find_misplaced(store)]:
        if path.exists():
            name = path.relative_to(store)
            notes.append(f"{name} was {message}; it is now {set_aside(store, path)}.")
    for name in list_small_files(store):
        if note := _mend_small_file(store, name):
            notes.append(note)
    notes += _mend_pointer(store)
    notes += _mend_records(store)
    notes += _mend_sums(store)
    notes += save_copies(store)
    return tuple(notes)


def _mend_small_file(store: Path, name: Path) -> str:
    """Replace a damaged or missing file by its copy; return a note if that was done."""
    path, copies = store / name, store / COPIES_FOLDER
    problem = find_small_problem(store, name) if path.exists() else "missing"
    if not problem or not (copies / name).is_file() or find_small_problem(copies, name):
        return ""
    if not path.parent.exists() and name.parts[1] != read_pointer(store):
        return ""  # a snapshot that somebody removed
    moved = f" The damaged file is {set_aside(store, path)}." if path.exists() else ""
    _write_small_file(path, (copies / name).read_bytes())
    return f"{name} was damaged ({problem}) and is now what its copy holds.{moved}"


def read_pointer(store: Path) -> str:
    """Return the id in the pointer, empty if there is none."""
    try:
        text = (store / files.CURRENT_FILE).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text if SNAPSHOT_ID.fullmatch(text) else ""


def _mend_pointer(store: Path) -> list[str]:
    """Point to a snapshot that exists, if the pointer names none and its copy does not help."""
    path, current = store / files.CURRENT_FILE, read_pointer(store)
    manifests = list_manifests(store)
    if any(manifest.snapshot_id == current for manifest in manifests) or not manifests:
        return []
    if current and (store / "snapshots" / current).exists():
        return []  # its manifest is damaged: the build makes the snapshot again
    copied = read_pointer(store / COPIES_FOLDER)
    named = [manifest for manifest in manifests if manifest.snapshot_id == copied]
    chosen = (named or manifests)[-1]
    problem = f"it named the snapshot {current}, which does not exist" if current else "missing or damaged"
    moved = f" The damaged file is {set_aside(store, path)}." if path.exists() else ""
    files.write_atomically(path, f"{chosen.snapshot_id}\n".encode())
    return [f"{path.name} was damaged ({problem}). It names the snapshot {chosen.snapshot_id} now.{moved}"]


def _mend_records(store: Path) -> list[str]:
    """Take the list of inputs from a snapshot, if it is missing or damaged and its copy does not help."""
    path = store / files.INPUTS_FILE
    problem = find_small_problem(store, Path(path.name)) if path.exists() else "missing"
    records = find_records(store) if problem else ()
    if not problem or not (records or path.exists()):
        return []
    moved = f" The damaged file is {set_aside(store, path)}." if path.exists() else ""
    files.save_input_records(store, records)
    return [
        f"{path.name} was damaged ({problem}). It is now the list of the {len(records):,} inputs of a snapshot. If you "
        f"added others since then, name them again.{moved}"
    ]


def _mend_sums(store: Path) -> list[str]:
    """Write missing and damaged checksums that are kept beside a file; return notes on the damaged ones."""
    damaged = list(inputs.mend_upload_sums(store))
    for root in (store, store / COPIES_FOLDER):
        for path in (root / files.CODEBOOK_FILE, root / files.CLASSIFIER_FILE):
            is_damaged = path.is_file() and files.find_sums_problem(path) == files.SUMS_DAMAGED
            if is_damaged or (path.is_file() and not files.get_sums_path(path).exists()):
                files.write_summed(path, path.read_bytes())
            if is_damaged:
                damaged.append(files.get_sums_path(path))
    return [f"{path.relative_to(store)} was damaged and was made again from the files as they are." for path in damaged]


def list_manifests(store: Path) -> list[SnapshotManifest]:
    """Return the manifests of all snapshots whose manifest is readable, oldest build first."""
    manifests = []
    for folder in (store / "snapshots").glob("*"):
        if SNAPSHOT_ID.fullmatch(folder.name):
            with suppress(StoreError):  # opening it by its id raises the error
                manifests.append(files.load_snapshot_manifest(folder))
    return sorted(manifests, key=lambda m: (m.built_at, m.snapshot_id))


def find_records(store: Path) -> tuple[InputRecord, ...]:
    """Return the inputs of the current snapshot, or else of the newest one; empty if there is none."""
    manifests, current = list_manifests(store), read_pointer(store)
    named = [manifest for manifest in manifests if manifest.snapshot_id == current] or manifests
    return named[-1].inputs if named else ()


def save_copy(store: Path, path: Path) -> None:
    """Copy one small file of the store that was just written."""
    _write_small_file(store / COPIES_FOLDER / path.relative_to(store), path.read_bytes())


def find_log_problems(store: Path) -> list[str]:
    """Return messages on damage of the store's decisions log, and on entries that only its copy has."""
    path, copy = store / log_integrity.DECISIONS_FILE, store / COPIES_FOLDER / log_integrity.DECISIONS_FILE
    if path.is_dir():
        return []  # `find_misplaced` reports it
    problems = log_integrity.find_log_problems(path)
    own, copied = log_integrity.read_last_ids(path), log_integrity.read_last_ids(copy)
    if not problems and (own[0] < copied[0] or own[1] < copied[1]):
        what = "no such file" if not path.exists() else f"it ends with decision {own[0]} and edit {own[1]}"
        problems.append(f"{what}, but its copy has {copied[0]} decisions and {copied[1]} edits")
    return problems


def save_log_copy(store: Path) -> list[str]:
    """Copy the store's decisions log if it has entries that its copy lacks. The log must be whole. Needs the lock.

    Returns a note if the copy was damaged.
    """
    path, copy = store / log_integrity.DECISIONS_FILE, store / COPIES_FOLDER / log_integrity.DECISIONS_FILE
    if not path.is_file():
        return []
    problems = log_integrity.find_log_problems(copy)
    is_same = log_integrity.read_last_ids(path) == log_integrity.read_last_ids(copy)
    if problems or not is_same or not copy.is_file():
        log_integrity.copy_log(path, copy)
    return [f"The copy {COPIES_FOLDER}/{copy.name} was damaged and was made again."] if problems else []


def mend_log(store: Path) -> list[str]:
    """Make a damaged decisions log again from its whole entries and its copy; return notes. Needs the lock."""
    path, copy = store / log_integrity.DECISIONS_FILE, store / COPIES_FOLDER / log_integrity.DECISIONS_FILE
    if not (problems := find_log_problems(store)):
        return save_log_copy(store)
    # The copy gets all whole entries first: if the process is killed, the next repair does the rest.
    copy.parent.mkdir(exist_ok=True)
    had_copy = copy.is_file()
    made = decisions.mend_decisions(path, copy, copy)
    moved = [set_aside(store, p) for p in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))) if p.exists()]
    log_integrity.copy_log(copy, path)
    where = f" The damaged file is {moved[0]}." if moved else ""
    lost = (
        f"{made.lost} entries that it is known to have had are lost." if made.lost else "No entry is known to be lost."
    )
    if not had_copy:
        lost += " There was no copy of it, so entries may be lost that nothing names."
    return [
        f"{path.name} was damaged ({'; '.join(problems)}). It was made again with {made.decisions} decisions and "
        f"{made.edits} edits. {lost}{where}"
    ]


def mend_exchanged(store: Path) -> list[str]:
    """Put the files of snapshots back that were exchanged with one another; return notes. Needs the lock."""
    wanted: dict[str, Path] = {}
    for manifest in list_manifests(store):
        path = store / "snapshots" / manifest.snapshot_id / DATABASE_FILE
        if path.is_file() and files.compute_sha256(path) != manifest.checksums.get(DATABASE_FILE):
            wanted[manifest.checksums.get(DATABASE_FILE, "")] = path
    wrong = {files.compute_sha256(path): path for path in wanted.values()}
    matched = {path: wrong[sha256] for sha256, path in wanted.items() if sha256 in wrong}
    beside = {path: path.with_name(f".tmp-{path.name}") for path in matched.values()}
    for path, moved in beside.items():
        path.replace(moved)
    for path, source in matched.items():
        files.move_durably(beside[source], path)
    return [f"{path.relative_to(store)} was that of another snapshot and is in its place again." for path in matched]
