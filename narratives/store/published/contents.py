"""What a published store consists of in object storage, and the checks of what others may have written there.

CURRENT               one line: the id of the current snapshot, and the SHA-256 of its list
published/<id>        the same for this snapshot, also when it is no longer the current one
objects/<sha256>      by content: the lists, and the chunks of the files

A list names the files of one snapshot with their chunks. Since the pointer names the list by its content, and the list
the chunks, a reader that has read the pointer gets exactly what was published, whatever is published meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from narratives.model import StoreError
from narratives.store import files, vectors
from narratives.store.snapshot_reader import DATABASE_FILE

CHUNK_BYTES = 8 * 1024 * 1024  # small enough to be sent in one request, so that an object is whole or absent
MOST_LIST_BYTES, MOST_POINTER_BYTES = 16_000_000, 200
_VERSION = 1
_POINTER = re.compile(r"([0-9a-f]{12}) ([0-9a-f]{64})\n?")
_ID, _SHA256 = re.compile(r"[0-9a-f]{12}"), re.compile(r"[0-9a-f]{64}")
_VECTORS = re.compile(r"vectors/[A-Za-z0-9][A-Za-z0-9._-]*")
_SNAPSHOT_NAMES = (DATABASE_FILE, files.MANIFEST_FILE, files.QUALITY_FILE, files.SPOT_CHECKS_FILE)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A snapshot, and the SHA-256 of the list of its files."""

    snapshot_id: str
    list_sha256: str

    def format(self) -> bytes:
        """Return the line that `parse_pointer` reads."""
        return f"{self.snapshot_id} {self.list_sha256}\n".encode()


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of a store: its path in the store, its size in bytes, and the SHA-256 of each chunk of CHUNK_BYTES."""

    path: str
    size: int
    chunks: tuple[str, ...]

    def iterate_chunks(self) -> Iterator[tuple[str, int, int]]:
        """Yield the SHA-256, the offset and the size of each chunk."""
        for number, sha256 in enumerate(self.chunks):
            offset = number * CHUNK_BYTES
            yield sha256, offset, min(CHUNK_BYTES, self.size - offset)


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of one published snapshot."""

    snapshot_id: str
    files: tuple[PublishedFile, ...]

    def format(self) -> bytes:
        """Return the list that `parse_contents` reads; the same content gives the same bytes."""
        content = {"version": _VERSION, "snapshot_id": self.snapshot_id, "files": [asdict(file) for file in self.files]}
        return json.dumps(content, sort_keys=True, indent=1).encode()


def get_object_name(sha256: str) -> str:
    """Return the name of the object with this content."""
    return f"objects/{sha256}"


def get_pointer_name(snapshot_id: str) -> str:
    """Return the name of the pointer to a snapshot, or to the current one for an empty id."""
    return f"published/{snapshot_id}" if snapshot_id else files.CURRENT_FILE


def compute_sha256(data: bytes) -> str:
    """Compute the hex digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def split_chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in chunks of CHUNK_BYTES; the last may be shorter."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)


def parse_pointer(data: bytes, place: str) -> Pointer:
    """Return the pointer in `data`. Raises StoreError, which names `place`, if it is none."""
    match = _POINTER.fullmatch(data.decode("utf-8", "replace"))
    if not match:
        raise StoreError(f"a snapshot id and a SHA-256 in {place}", repr(data[:80]), "Run `publish` again.")
    return Pointer(*match.groups())


def parse_contents(data: bytes, snapshot_id: str, place: str) -> Contents:
    """Return the list of a snapshot's files in `data`.

    Raises StoreError, which names `place`, if it is damaged, of another snapshot, or names a file that no reader needs.
    """
    try:
        content = json.loads(data)
        if content["version"] != _VERSION:
            raise ValueError(f"the version {content['version']!r}, not {_VERSION}")
        listed = tuple(PublishedFile(row["path"], row["size"], tuple(row["chunks"])) for row in content["files"])
        for file in listed:
            _check_file(file, snapshot_id)
        paths = [file.path for file in listed]
        needed = {f"snapshots/{snapshot_id}/{name}" for name in (DATABASE_FILE, files.MANIFEST_FILE)}
        if content["snapshot_id"] != snapshot_id or len(set(paths)) < len(paths) or not needed <= set(paths):
            raise ValueError("the files of another snapshot, or not all of them")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        hint = "Run `publish` again, with the same version of the program as here."
        got = f"{type(error).__name__}: {error}"
        raise StoreError(f"a list of the files of snapshot {snapshot_id} in {place}", got, hint) from error
    return Contents(snapshot_id, listed)


def _check_file(file: PublishedFile, snapshot_id: str) -> None:
    """Raise ValueError for a file that is not one of a snapshot or its vectors: its path becomes one on this disk."""
    folder, _, name = str(file.path).rpartition("/")
    is_of_snapshot = folder == f"snapshots/{snapshot_id}" and name in _SNAPSHOT_NAMES
    is_of_vectors = bool(_VECTORS.fullmatch(folder)) and name in vectors.FILES
    if not (_ID.fullmatch(snapshot_id) and (is_of_snapshot or is_of_vectors)) or ".." in PurePosixPath(file.path).parts:
        raise ValueError(f"the path {file.path!r}")
    if type(file.size) is not int or file.size < 0 or len(file.chunks) != -(-file.size // CHUNK_BYTES):
        raise ValueError(f"the size {file.size!r} of {file.path} with {len(file.chunks)} chunks")
    if not all(_SHA256.fullmatch(sha256) for sha256 in file.chunks):
        raise ValueError(f"a chunk of {file.path} that is not named by its SHA-256")
