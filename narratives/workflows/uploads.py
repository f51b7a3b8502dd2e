"""Keep files that were uploaded in a store, as inputs for a build."""

from __future__ import annotations

import io
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from narratives import read
from narratives.model import ReadError, Rejected, SkippedInput, StoreError
from narratives.store.inputs import (
    UPLOADS_FOLDER,
    fill_upload_folder,
    make_upload_folder,
    remove_unused_uploads,
    write_upload,
)

ARCHIVE_SUFFIX, MANIFEST_NAME = read.ARCHIVE_SUFFIX, read.MANIFEST_CSV
MAX_FILES = 100  # chosen at once; an archive is one file
MAX_WAITING_BYTES = 1_000_000_000  # of all uploads of a store that no build has used yet, unpacked
MAX_WAITING = 1_000  # such uploads
UNUSED_LIFETIME = 7 * 24 * 3600.0  # seconds after which an upload that no build has used is removed


@dataclass(frozen=True, slots=True)
class Upload:
    """The result of one upload.

    `path` is the file, or the folder of an archive: the input for a build. `files` are the stored files. `refused`
    and `skipped` list the other files by their uploaded names, with reasons.
    """

    name: str
    path: Path
    files: tuple[Path, ...]
    refused: tuple[Rejected, ...]
    skipped: tuple[SkippedInput, ...] = ()


def describe_count_refusal(number: int) -> str:
    """Return why so many files are not accepted together, empty if they are."""
    if number <= MAX_FILES:
        return ""
    return f"Choose at most {MAX_FILES} files at once; {number:,} were chosen. A zip archive counts as one file."


def save_upload(store: Path, name: str, data: bytes, formats: Collection[str]) -> Upload:
    """Store an upload in the store at `store`; the same content under the same name is stored once.

    `formats` are the accepted extensions (`.csv`), in addition to `.zip`, whose members must have one of them.
    Nothing is kept if too much is waiting for a build already; the server limits the size of a file. A refusal is not
    an error: the result contains it. Raises StoreError if the store cannot be written to.
    """
    safe = read.make_safe_name(name)
    folder = make_upload_folder(store, data)
    try:
        waiting = remove_unused_uploads(store, time.time() - UNUSED_LIFETIME)
        if refusal := "" if folder.exists() else _describe_size_refusal(len(data), waiting):
            return Upload(safe, folder / safe, (), (Rejected(safe, 0, refusal),))
        if Path(safe).suffix.lower() == ARCHIVE_SUFFIX:
            return _save_archive(safe, folder, data, formats)
        if refusal := read.describe_suffix_refusal(safe, formats) or _describe_useless_file(safe, data):
            return Upload(safe, folder / safe, (), (Rejected(safe, 0, refusal),))
        write_upload(folder, safe, data)
    except OSError as error:
        hint = "Free disk space, or get permission to write there."
        raise StoreError(f"a folder to write to at {store / UPLOADS_FOLDER}", str(error), hint) from error
    return Upload(safe, folder / safe, (folder / safe,), ())


def _save_archive(name: str, folder: Path, data: bytes, formats: Collection[str]) -> Upload:
    """Unpack an archive into its folder. One that is refused as a whole leaves nothing."""
    try:
        with fill_upload_folder(folder) as beside:
            unpacked = read.unpack_archive(beside, io.BytesIO(data), len(data), formats)
            kept = sorted(p.relative_to(beside) for p in beside.rglob("*") if p.is_file())
    except ReadError as error:
        return Upload(name, folder, (), (Rejected(name, 0, str(error)),))
    refused = tuple(Rejected(f"{name}/{one.source_path}", 0, one.reason) for one in unpacked.refused)
    skipped = tuple(SkippedInput(f"{name}/{one.source_path}", one.reason) for one in unpacked.skipped)
    return Upload(name, folder, tuple(folder / path for path in kept), refused, skipped)


def _describe_size_refusal(size: int, waiting: Mapping[str, int]) -> str:
    """Return why a file of so many bytes is not kept beside those waiting, empty if it is."""
    if len(waiting) >= MAX_WAITING or sum(waiting.values()) + size > MAX_WAITING_BYTES:
        days = f"{UNUSED_LIFETIME / 86_400:g} days"
        return f"too many uploads wait for a build in this store; build with them first. Unused ones go after {days}"
    return ""


def _describe_useless_file(name: str, data: bytes) -> str:
    """Return why a file is useless when it is uploaded alone, empty if it is useful."""
    if name.lower() == MANIFEST_NAME:
        return "it describes other files; put it into one zip with them"
    return read.describe_skip(name) or ("" if data else "the file is empty")
