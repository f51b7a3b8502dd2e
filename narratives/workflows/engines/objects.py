"""Inputs in object storage: copies of them for the time of a build, on its machine or on that of a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from narratives import read
from narratives.model import Progress, ReadError, Rejected, StoreError, UsageError
from narratives.store.published import ANY_SEGMENT, Address, Connection, ObjectStore, UnreachableError, parse_address


def make_download(progress: Progress) -> read.Download:
    """Make the function with which a survey copies objects; each is a step of the stage `copying inputs`."""

    def download(typed: str, folder: Path) -> tuple[str, list[Rejected]]:
        refused = []
        with _explain():
            address, names = _find_objects(parse_address(typed, ANY_SEGMENT))
            store = ObjectStore(address)
            for done, name in enumerate(names):
                progress("copying inputs", done, len(names))
                if reason := _copy(store, name, folder):
                    refused.append(Rejected(name, 0, reason))
            progress("copying inputs", len(names), len(names))
        return str(address), refused

    return download


def download_file(path: Path, folder: Path, connection: Connection | None) -> Path:
    """Copy an object into a folder; `path` is that of its address. Raises StoreError if that is not possible."""
    _scheme, bucket, *prefix, name = path.parts
    ObjectStore(Address(bucket, "/".join(prefix)), connection).download(name, folder / name)
    return folder / name


def _find_objects(address: Address) -> tuple[Address, list[str]]:
    """Return a folder, and the names in it of the objects at and below an address; with an object, of its manifest."""
    below = sorted(ObjectStore(address).list_names())
    folder, _, name = address.prefix.rpartition("/")
    above = ObjectStore(Address(address.bucket, folder))
    if not name or above.find_size(name) is None:
        if not below:
            raise ReadError(f"objects at {address}", "none", "Check the address.")
        return address, below
    manifest = [read.MANIFEST_CSV] if above.find_size(read.MANIFEST_CSV) is not None else []
    return above.address, [*dict.fromkeys([*manifest, name]), *(f"{name}/{one}" for one in below)]


def _copy(store: ObjectStore, name: str, folder: Path) -> str:
    """Copy an object to its place in a folder; return why that is not possible, or nothing.

    One of a kind that is not read becomes an empty file, which the survey skips or refuses by its name. Raises
    StoreError if the storage does not answer, and ReadError for a manifest, without which others would lose values.
    """
    if not all(part.strip(".") for part in name.split("/")) or "\0" in name:
        return "its name cannot be that of a file"
    path = folder / name
    partial = path.with_name(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if read.get_format(path) not in (*read.READERS, read.ARCHIVE_SUFFIX):
            path.touch()
            return ""
        store.download(name, partial)
        partial.replace(path)
    except UnreachableError:
        raise
    except StoreError as error:
        if path.name == read.MANIFEST_CSV:
            raise
        return str(error)
    except OSError as error:  # such as a full disk, a name that is too long, or one that is also that of a folder
        if path.name == read.MANIFEST_CSV:
            hint = "Make room for copies of the inputs, or set TMPDIR to another folder."
            raise ReadError(f"a copy of {name}", str(error.strerror), hint) from error
        return f"its copy cannot be written ({error.strerror})"
    finally:
        if os.path.lexists(partial):
            partial.unlink()
    return ""


@contextmanager
def _explain() -> Iterator[None]:
    """Convert errors of the storage or the address, which are those of an input here."""
    try:
        yield
    except (StoreError, UsageError) as error:
        raise ReadError(error.expected, error.got, error.hint) from error
