"""Writing so that a kill at any moment leaves either the old file or the new one, never half of one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

# Device and number of a file: another one under the same name has another. None where there is no file.
Identity: TypeAlias = tuple[int, int] | None


def identify(path: Path) -> Identity:
    """What tells a file from another that takes its place while somebody has it open."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` for writing; it takes the place of `path` once the block ends well."""
    beside = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        move(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in the place of whatever `path` holds."""
    with replacing(path) as file:
        file.write(data)


def move(source: Path, target: Path) -> None:
    """Rename within a folder's file system, and make the rename itself durable."""
    source.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
