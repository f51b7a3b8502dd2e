"""The rows of every input as they were read, stored by the hash of the input, and the places of uploads.

A rebuild uses these rows and does not read the sources again. A file of rows begins with the hash of its input, so that
files that were exchanged are noticed; gzip adds a checksum of the whole. Files of older versions lack the hash.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import cast

from narratives.model import DiskError, RawDocument, RawParagraph, Rejected, StoreError
from narratives.store.files import (
    SUMS_DAMAGED,
    SUMS_SUFFIX,
    TEMP_PREFIX,
    compute_sha256,
    get_sums_path,
    load_input_records,
    load_snapshot_manifest,
    make_disk_error,
    move_durably,
    open_atomically,
    read_sums,
    write_atomically,
    write_sums,
)

_HASH = re.compile(r"[0-9a-f]{16,64}")
_HEAD, _HEAD_START, _HEAD_BYTES = "Input", b'{"is": "Input"', 200


def make_rows_path(folder: Path, key: str) -> Path:
    """Return the path of the rows of the input with this hash. Raises StoreError if the hash is not valid."""
    if not _HASH.fullmatch(key):
        raise StoreError("the hash of an input in lower-case hex", repr(key), "Build again from the sources.")
    return folder / f"{key}.jsonl.gz"


def write_rows(folder: Path, key: str, rows: Iterable[RawDocument | Rejected]) -> None:
    """Write rows one by one. The same rows give the same bytes, and a failure leaves no file."""
    path = make_rows_path(folder, key)
    folder.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(json.dumps({"is": _HEAD, "hash": key}).encode("ascii") + b"\n")
        for row in rows:
            packed.write(dump_row(row) + b"\n")


def dump_row(row: RawDocument | Rejected) -> bytes:
    """Return a row as one line of JSON, which `parse_row` reads."""
    # ASCII escapes keep even lone surrogates, which some sources contain.
    return json.dumps({"is": type(row).__name__, **asdict(row)}).encode("ascii")


def read_rows(folder: Path, key: str) -> Iterator[RawDocument | Rejected]:
    """Yield the rows of an input in their order. Raises StoreError if they are missing or damaged."""
    path = make_rows_path(folder, key)
    with _explain_damage(path), _open_rows(path, key) as file:
        for line in file:
            yield parse_row(line)


def find_rows_problem(folder: Path, key: str) -> str:
    """Return what is wrong with the stored rows of an input, empty if they are whole. Every byte is read."""
    path = make_rows_path(folder, key)
    try:
        with _explain_damage(path), _open_rows(path, key) as file:
            while file.read(1 << 20):
                pass
    except DiskError:
        raise  # nobody may read it, which is no damage
    except StoreError as error:
        return error.got
    return ""


@contextmanager
def _open_rows(path: Path, key: str) -> Iterator[gzip.GzipFile]:
    """Open the rows of an input after the line with its hash. Raises ValueError if they are those of another one."""
    if not path.stat().st_size:
        raise EOFError("the file is empty")
    with gzip.open(path, "rb") as file:
        first = file.readline(_HEAD_BYTES)
        head = json.loads(first) if first.startswith(_HEAD_START) else {"hash": key}
        if head["hash"] != key:
            raise ValueError(f"the rows of another input, {head['hash']}")
        if not first.startswith(_HEAD_START):
            file.seek(0)  # of an older version
        yield file


@contextmanager
def _explain_damage(path: Path) -> Iterator[None]:
    hint = "Build again from the sources, or run `check --repair`, which reads them again where they have not changed."
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError(f"the rows of an input at {path}", "no such file", hint) from error
    except PermissionError as error:
        raise make_disk_error(error, path) from error
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the rows of an input at {path}", f"{type(error).__name__}: {error}", hint) from error


def parse_row(line: bytes) -> RawDocument | Rejected:
    """Return the row that `dump_row` was given. Raises ValueError, KeyError or TypeError for anything else."""
    fields: dict[str, object] = json.loads(line)
    if fields.pop("is") == "Rejected":
        return Rejected(**fields)  # type: ignore[arg-type]
    paragraphs = tuple(RawParagraph(**paragraph) for paragraph in fields.pop("paragraphs"))  # type: ignore[attr-defined]
    lists = {name: tuple(cast(list[str], fields.pop(name, []))) for name in ("from_manifest", "date_lines")}
    return RawDocument(paragraphs=paragraphs, **lists, **fields)  # type: ignore[arg-type]


UPLOADS_FOLDER = "uploads"
_UPLOAD_PLACE = re.compile(rf"/{UPLOADS_FOLDER}/([0-9a-f]{{16}})/.*$")  # of any store, as stores can be moved
_UPLOAD_PREFIX = re.compile(rf"^.*/{UPLOADS_FOLDER}/[0-9a-f]{{16}}/")


def make_upload_folder(store: Path, data: bytes) -> Path:
    """Return the folder in which the store keeps an upload with this content."""
    return store / UPLOADS_FOLDER / hashlib.sha256(data).hexdigest()[:16]


def write_upload(folder: Path, name: str, data: bytes) -> None:
    """Write one uploaded file, unless it is there already, and note that it was just uploaded."""
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, data)
        write_upload_sums(folder)
    folder.touch()


@contextmanager
def fill_upload_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to unpack into; what it holds at the end becomes `folder`, complete or not at all.

    The checksums of its files are kept beside it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=TEMP_PREFIX, dir=folder.parent))
    try:
        yield beside
        kept = any(beside.iterdir())
        if kept and not folder.exists():
            write_upload_sums(beside, folder)
            beside.chmod(0o755)
            move_durably(beside, folder)
        if kept:
            folder.touch()
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def format_source_path(source_path: str) -> str:
    """Return a path as readers of the pages may know it: an upload by its original name, no folders of the server.

    An absolute path is cut to its last folder and name; a relative one stays.
    """
    shown = _UPLOAD_PREFIX.sub("", source_path)
    return "/".join(PurePosixPath(shown).parts[-2:]) if shown.startswith("/") and shown.count("/") > 1 else shown


def find_upload(store: Path, path: Path) -> Path:
    """Return the place of an upload in the store, even if the store was moved since; other paths are unchanged."""
    match = _UPLOAD_PLACE.search(path.as_posix())
    return store / match[0].lstrip("/") if match and not path.exists() else path


def remove_unused_uploads(store: Path, before: float) -> dict[str, int]:
    """Remove uploads older than that time that no build has used, and incomplete ones.

    Returns the bytes of each of the others that no build has used, by the name of its folder. Nothing is removed while
    it is not known what was used: if the list of inputs or the manifest of a snapshot is damaged, or if the list is
    missing although a build has read inputs.
    """
    root = (store / UPLOADS_FOLDER).resolve()
    try:
        records = load_input_records(store)
        manifests = [load_snapshot_manifest(folder) for folder in (store / "snapshots").glob("[!.]*")]
    except StoreError:
        return {}
    if records is None and any((store / "inputs").glob("*.jsonl.gz")):
        return {}
    held = [*(records or ()), *chain.from_iterable(manifest.inputs for manifest in manifests)]
    used = {match[1] for record in held if (match := _UPLOAD_PLACE.search(record.path.as_posix()))}
    waiting = {}
    for folder in root.glob("*"):
        if not folder.is_dir() or folder.name in used:
            continue
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
            get_sums_path(folder).unlink(missing_ok=True)
        else:
            waiting[folder.name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return waiting


def find_upload_problems(store: Path) -> Iterator[tuple[Path, str]]:
    """Yield the damaged files of uploads, and their damaged checksums, with what is wrong.

    Archives of older versions have no checksums until the next build.
    """
    for path in sorted((store / UPLOADS_FOLDER).glob("*")):
        if path.name.endswith(SUMS_SUFFIX):
            folder = path.with_name(path.name.removesuffix(SUMS_SUFFIX))
            if not folder.is_dir():
                yield folder, "no such folder"
        elif path.is_dir():
            yield from _check_upload(path)


def _check_upload(folder: Path) -> Iterator[tuple[Path, str]]:
    try:
        sums = read_sums(folder)
    except DiskError:
        raise
    except StoreError:
        yield get_sums_path(folder), SUMS_DAMAGED
        return
    for name, sha256 in sums or ():
        if problem := _find_file_problem(folder / name, sha256):
            yield folder / name, problem


def mend_upload_sums(store: Path) -> Iterator[Path]:
    """Write missing and damaged checksums of uploads from their files; yield those that were damaged."""
    for folder in sorted(path for path in (store / UPLOADS_FOLDER).glob("[!.]*") if path.is_dir()):
        try:
            is_complete = read_sums(folder) is not None
        except DiskError:
            raise
        except StoreError:
            is_complete = False
            yield get_sums_path(folder)
        if not is_complete:
            write_upload_sums(folder)


def write_upload_sums(folder: Path, place: Path | None = None) -> None:
    """Write the checksums of all files in a folder, which is going to be at `place`."""
    members = sorted(path for path in folder.rglob("*") if path.is_file())
    write_sums(place or folder, [(str(path.relative_to(folder)), compute_sha256(path)) for path in members])


def _find_file_problem(path: Path, sha256: str) -> str:
    if not path.is_file():
        return "no such file"
    return "" if compute_sha256(path) == sha256 else "content that does not match its checksum"
