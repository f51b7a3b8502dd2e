"""The rows of every input as they were read, stored by the hash of the input, and the places of uploads.

A rebuild uses these rows and does not read the sources again.
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
from pathlib import Path, PurePosixPath
from typing import cast

from narratives.model import RawDocument, RawParagraph, Rejected, StoreError
from narratives.store.files import load_input_records, move_durably, open_atomically, write_atomically

_HASH = re.compile(r"[0-9a-f]{16,64}")


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
        for row in rows:
            # ASCII escapes keep even lone surrogates, which some sources contain.
            packed.write(json.dumps({"is": type(row).__name__, **asdict(row)}).encode("ascii") + b"\n")


def read_rows(folder: Path, key: str) -> Iterator[RawDocument | Rejected]:
    """Yield the rows of an input in their order. Raises StoreError if they are missing or damaged."""
    path = make_rows_path(folder, key)
    hint = "Build again from the sources. Inputs that are missing in the store are read again."
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield _parse_row(json.loads(line))
    except FileNotFoundError as error:
        raise StoreError(f"the rows of an input at {path}", "no such file", hint) from error
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the rows of an input at {path}", f"{type(error).__name__}: {error}", hint) from error


def _parse_row(fields: dict[str, object]) -> RawDocument | Rejected:
    if fields.pop("is") == "Rejected":
        return Rejected(**fields)  # type: ignore[arg-type]
    paragraphs = tuple(RawParagraph(**paragraph) for paragraph in fields.pop("paragraphs"))  # type: ignore[attr-defined]
    lists = {name: tuple(cast(list[str], fields.pop(name, []))) for name in ("from_manifest", "date_lines")}
    return RawDocument(paragraphs=paragraphs, **lists, **fields)  # type: ignore[arg-type]


UPLOADS_FOLDER = "uploads"
_UPLOAD_PREFIX = re.compile(rf"^.*/{UPLOADS_FOLDER}/[0-9a-f]{{16}}/")


def make_upload_folder(store: Path, data: bytes) -> Path:
    """Return the folder in which the store keeps an upload with this content."""
    return store / UPLOADS_FOLDER / hashlib.sha256(data).hexdigest()[:16]


def write_upload(folder: Path, name: str, data: bytes) -> None:
    """Write one uploaded file, unless it is there already, and note that it was just uploaded."""
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, data)
    folder.touch()


@contextmanager
def fill_upload_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to unpack into; what it holds at the end becomes `folder`, complete or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
    try:
        yield beside
        kept = any(beside.iterdir())
        if kept and not folder.exists():
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


def remove_unused_uploads(store: Path, before: float) -> dict[str, int]:
    """Remove uploads older than that time that no build has used, and incomplete ones.

    Returns the bytes of each of the others that no build has used, by the name of its folder.
    """
    root = (store / UPLOADS_FOLDER).resolve()
    records = load_input_records(store) or ()
    used = {record.path.relative_to(root).parts[0] for record in records if record.path.is_relative_to(root)}
    waiting = {}
    for folder in root.glob("*"):
        if folder.name in used:
            continue
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            waiting[folder.name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return waiting
