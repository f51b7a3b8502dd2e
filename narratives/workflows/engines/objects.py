"""Inputs in object storage: copies of them for the time of a build, on its machine or on that of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from narratives import read
from narratives.model import Progress, ReadError, Rejected, StoreError, UsageError
from narratives.store.published import SCHEME, Address, ObjectStore, parse_address


def make_download(progress: Progress) -> read.Download:
    """Make the function with which a survey copies objects; each is a step of the stage `downloading`."""

    def download(typed: str, folder: Path) -> tuple[str, list[Rejected]]:
        refused = []
        with _explain():
            address, names = _find_objects(parse_address(typed))
            store = ObjectStore(address)
            for done, name in enumerate(names):
                progress("downloading", done, len(names))
                if reason := _copy(store, name, folder):
                    refused.append(Rejected(name, 0, reason))
            progress("downloading", len(names), len(names))
        return str(address), refused

    return download


def download_file(path: Path, folder: Path) -> Path:
    """Copy an object into a folder; `path` is that of its address. Raises ReadError if that is not possible."""
    with _explain():
        address = parse_address(SCHEME + path.as_posix().partition("/")[2])
        above, _, name = address.prefix.rpartition("/")
        ObjectStore(Address(address.bucket, above)).download(name, folder / name)
    return folder / name


def _find_objects(address: Address) -> tuple[Address, list[str]]:
    """Return an address and the names of the objects below it; that of the folder for the address of an object."""
    if names := sorted(ObjectStore(address).list_names()):
        return address, names
    folder, _, name = address.prefix.rpartition("/")
    above = Address(address.bucket, folder)
    if not name or ObjectStore(above).find_size(name) is None:
        raise ReadError(f"objects at {address}", "none", "Check the address.")
    return above, [name]


def _copy(store: ObjectStore, name: str, folder: Path) -> str:
    """Copy an object to its place in a folder; return why that is not possible, or nothing.

    One of a kind that is not read becomes an empty file, which the survey skips or refuses by its name.
    """
    if not all(part.strip(".") for part in name.split("/")) or "\0" in name:
        return "its name cannot be that of a file"
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if read.get_format(path) in (*read.READERS, read.ARCHIVE_SUFFIX):
            store.download(name, path)
        else:
            path.touch()
    except OSError as error:  # such as a name that is too long, or also that of a folder
        return f"its copy cannot be written ({error.strerror})"
    return ""


@contextmanager
def _explain() -> Iterator[None]:
    """Convert errors of the storage or the address, which are those of an input here."""
    try:
        yield
    except (StoreError, UsageError) as error:
        raise ReadError(error.expected, error.got, error.hint) from error
