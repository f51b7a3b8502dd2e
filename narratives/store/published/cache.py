"""The copies of published stores on this disk: fetched once, verified, and followed when others are published.

<cache>/published/<key>/            one published store; the key is a hash of its endpoint and address
    CURRENT                         what the published pointer was when it was last fetched
    .lock                           held while something is fetched
    <list>/<name>/                  one published snapshot: a store with `published.json`, the list of its files
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from narratives.model import NarrativesError, StoreError
from narratives.model.snapshot import Progress, no_progress
from narratives.store import files, integrity
from narratives.store.published import contents
from narratives.store.published.contents import Contents, Pointer, PublishedFile
from narratives.store.published.objects import Address, ObjectStore, parse_address, read_connection

log = logging.getLogger(__name__)

CACHE_VARIABLE = "NARRATIVES_CACHE"
STAGE = "downloading"
KEPT_SNAPSHOTS = 3  # of each published store, those that were fetched or opened last
POLL_SECONDS = 60.0


def get_cache_folder() -> Path:
    """Return the folder for copies: NARRATIVES_CACHE, else `narratives` in the user's cache folder."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "narratives"


def fetch_published(
    address: Address, snapshot_id: str = "", with_vectors: bool = False, progress: Progress = no_progress
) -> Path:
    """Fetch a published snapshot, by default the current one, and return the folder of its copy, a store.

    What the disk already has is verified and not fetched again; what is damaged there is. Vectors are needed for the
    search by meaning only. Several processes may call this at once: one fetches, the others wait. Raises StoreError if
    there is no such snapshot, if an object is damaged, or if the storage refuses or cannot be reached.
    """
    storage = ObjectStore(address)
    pointer = read_published_pointer(storage, snapshot_id)
    with _lock_copies(address) as root:
        store = _get_copy(root, pointer, address)
        listed = _fetch_list(storage, store, pointer)
        _fetch_files(storage, root, store, _select_files(listed, with_vectors), progress)
        files.write_atomically(store / files.PUBLISHED_FILE, listed.format())
        files.write_atomically(store / files.CURRENT_FILE, f"{pointer.snapshot_id}\n".encode())
        if not snapshot_id:
            files.write_atomically(root / files.CURRENT_FILE, pointer.format())
        _remove_old_copies(root, store.parent, _find_current(root, address))
    return store


def read_published_pointer(storage: ObjectStore, snapshot_id: str = "") -> Pointer:
    """Read which list a published snapshot has, by default the current one. Raises StoreError if there is none."""
    address = storage.address
    if snapshot_id and not integrity.SNAPSHOT_ID.fullmatch(snapshot_id):
        raise StoreError("the id of a snapshot", repr(snapshot_id[:40]), "`narratives status` shows the current one.")
    name = contents.get_pointer_name(snapshot_id)
    data = storage.read(name, contents.MOST_POINTER_BYTES)
    if data is None and not storage.has_bucket():
        got, hint = f"no bucket of this name (from {storage.connection.place})", "Correct its name, or make the bucket."
        raise StoreError(f"a published store at {address}", got, hint)
    if data is None:
        what = f"snapshot {snapshot_id}" if snapshot_id else "a published snapshot"
        hint = f"Publish one with `narratives publish {address}`, or correct the address."
        raise StoreError(f"{what} at {address}", f"no {name} there", hint)
    pointer = contents.parse_pointer(data, f"{address}/{name}")
    if snapshot_id not in ("", pointer.snapshot_id):
        raise StoreError(f"snapshot {snapshot_id} in {name}", pointer.snapshot_id, "Publish it again.")
    return pointer


def find_copy(address: Address, snapshot_id: str = "") -> Path | None:
    """Return a whole copy that is on this disk, by default that of the snapshot that was current at the last fetch.

    Nothing is contacted. Vectors that are damaged or were not fetched are no reason to refuse a copy.
    """
    root = _get_root(address)
    for store in root.glob(f"[!.]*/{address.name}") if snapshot_id else _find_current(root, address):
        listed = _load_list(store)
        if not listed or snapshot_id not in ("", listed.snapshot_id):
            continue
        if all(_is_whole(store, file) for file in _select_files(listed, with_vectors=False)):
            return store
    return None


def _find_current(root: Path, address: Address) -> list[Path]:
    """Return the copy that was current at the last fetch, in a list that is empty if none is known."""
    try:
        pointer = contents.parse_pointer(_read_bytes(root / files.CURRENT_FILE), str(root))
    except StoreError:
        return []
    return [_get_copy(root, pointer, address)]


def _select_files(listed: Contents, with_vectors: bool) -> list[PublishedFile]:
    return [file for file in listed.files if with_vectors or not file.path.startswith("vectors/")]


def _get_root(address: Address) -> Path:
    place = f"{read_connection(os.environ).endpoint} {address}"
    return get_cache_folder() / "published" / hashlib.sha256(place.encode()).hexdigest()[:16]


def _get_copy(root: Path, pointer: Pointer, address: Address) -> Path:
    # The last folder has the name of the published store, which the brief shows.
    return root / pointer.list_sha256[:16] / address.name


@contextmanager
def _lock_copies(address: Address) -> Iterator[Path]:
    """Give the folder of the copies of a published store, after waiting for other processes that fetch it."""
    root = _get_root(address)
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(root / ".lock"):
            yield root
    except OSError as error:
        raise files.make_disk_error(error, root) from error


def _fetch_list(storage: ObjectStore, store: Path, pointer: Pointer) -> Contents:
    """Return the list that the pointer names, from the copy if it is whole there."""
    if (known := _load_list(store)) and contents.compute_sha256(known.format()) == pointer.list_sha256:
        return known
    data = _fetch_object(storage, pointer.list_sha256, contents.MOST_LIST_BYTES)
    return contents.parse_contents(data, pointer.snapshot_id, f"{storage.address}")


def _load_list(store: Path) -> Contents | None:
    """Return the list of a copy, None if there is none or if it is damaged."""
    data, folders = _read_bytes(store / files.PUBLISHED_FILE), sorted((store / "snapshots").glob("*"))
    with suppress(StoreError):
        return contents.parse_contents(data, folders[0].name, str(store)) if data and folders else None
    return None


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _fetch_object(storage: ObjectStore, sha256: str, most: int) -> bytes:
    """Return the object with this content. One that does not match is read once more, then StoreError is raised."""
    name = contents.get_object_name(sha256)
    for _ in range(2):
        data = storage.read(name, most)
        if data is not None and contents.compute_sha256(data) == sha256:
            return data
    got = "no such object" if data is None else "other content"
    hint = "Publish again." if data is None else "Delete this object, then publish again."
    raise StoreError(f"the object {name} in {storage.address} as it was published", got, hint)


def _is_whole(store: Path, file: PublishedFile) -> bool:
    """Return whether a copy has a file as it was published; every byte is read."""
    path = store / file.path
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return all(_read_chunk(path, offset, size, sha256) is not None for sha256, offset, size in file.iterate_chunks())


def _read_chunk(path: Path, offset: int, size: int, sha256: str) -> bytes | None:
    """Return a chunk of a file, None if it is not the one with this SHA-256."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
    except OSError:
        return None
    return data if contents.compute_sha256(data) == sha256 else None


def _fetch_files(
    storage: ObjectStore, root: Path, store: Path, wanted: list[PublishedFile], progress: Progress
) -> None:
    """Complete a copy: put every file in its place that is missing there or damaged."""
    beside = root / f"{files.TEMP_PREFIX}{store.parent.name}"
    for leftover in root.glob(f"{files.TEMP_PREFIX}*"):
        if leftover != beside:
            shutil.rmtree(leftover, ignore_errors=True)
    lacking = [file for file in wanted if not _is_whole(store, file)]
    if not lacking:
        return
    chunks = _find_chunks(root)
    total, done = sum(file.size for file in lacking), 0
    for file in lacking:
        target = beside / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("r+b" if target.exists() else "w+b") as output:
            for sha256, offset, size in file.iterate_chunks():
                # An interrupted fetch left some chunks; others may be in an earlier copy.
                held = _read_chunk(target, offset, size, sha256)
                if held is None:
                    output.seek(offset)
                    output.write(_find_chunk(chunks, sha256, size) or _fetch_object(storage, sha256, size))
                    output.flush()
                done += size
                progress(STAGE, done, total)
            output.truncate(file.size)
        files.sync_to_disk(target)
    # In the reverse order of the list, since the first file of the vectors says that they are there.
    for file in reversed(lacking):
        (store / file.path).parent.mkdir(parents=True, exist_ok=True)
        files.move_durably(beside / file.path, store / file.path)
    shutil.rmtree(beside, ignore_errors=True)


Chunks = Mapping[str, tuple[Path, int]]  # where a chunk may be, by its SHA-256: a file and an offset


def _find_chunks(root: Path) -> Chunks:
    """Find the chunks of all copies of a published store, even if they are damaged."""
    return {
        sha256: (path.parent / file.path, offset)
        for path in root.glob(f"[!.]*/*/{files.PUBLISHED_FILE}")
        if (listed := _load_list(path.parent))
        for file in listed.files
        for sha256, offset, _ in file.iterate_chunks()
    }


def _find_chunk(chunks: Chunks, sha256: str, size: int) -> bytes | None:
    return _read_chunk(*chunks[sha256], size, sha256) if sha256 in chunks else None


def _remove_old_copies(root: Path, used: Path, current: list[Path]) -> None:
    """Remove all but the copies that were used last; the current one stays. Open files stay readable."""
    os.utime(used)
    copies = sorted(root.glob("[!.]*/"), key=lambda path: path.stat().st_mtime, reverse=True)
    for copy in copies[KEPT_SNAPSHOTS:]:
        if copy not in [store.parent for store in current]:
            shutil.rmtree(copy, ignore_errors=True)


class Follower:
    """The copy of a published store for a process that runs for long: it notices what is published meanwhile.

    The pointer is read again at most every `every` seconds, in the background. If the storage cannot be reached, the
    copy stays as it is, and `problem` says so. May be used by many threads.
    """

    def __init__(
        self, address: Address, every: float = POLL_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.problem = ""
        self._address, self._every, self._clock = address, every, clock
        self._guard = threading.Lock()
        self._path: Path | None = None
        self._pointer: Pointer | None = None
        self._error: NarrativesError | None = None
        self._next = clock()
        self._thread: threading.Thread | None = None
        self._earlier: dict[str, Path] = {}

    def locate(self, snapshot_id: str = "") -> Path:
        """Return the folder of the copy, by default that of the latest snapshot that is known.

        The first call fetches it. Raises StoreError if there is nothing to show.
        """
        if snapshot_id:
            return self._locate_earlier(snapshot_id)
        with self._guard:
            is_due = self._clock() >= self._next
            if self._path is None:
                if is_due:
                    self._refresh()
                if self._path is None:
                    raise self._error or StoreError(f"a copy of {self._address}", "none", "Reload the page.")
            elif is_due and not (self._thread and self._thread.is_alive()):
                self._thread = threading.Thread(target=self._refresh, name="published store", daemon=True)
                self._thread.start()
            return self._path

    def is_ready(self) -> bool:
        """Return whether `locate` returns at once."""
        return self._path is not None

    def _locate_earlier(self, snapshot_id: str) -> Path:
        known = self._earlier.get(snapshot_id)
        if known is None or not known.exists():
            known = find_copy(self._address, snapshot_id) or fetch_published(self._address, snapshot_id, True)
            self._earlier[snapshot_id] = known
        return known

    def _refresh(self) -> None:
        try:
            pointer = read_published_pointer(ObjectStore(self._address))
            if pointer != self._pointer or self._path is None or not self._path.exists():
                self._path = fetch_published(self._address, with_vectors=True)
                self._pointer = pointer
            self.problem, self._error = "", None
        except NarrativesError as error:
            log.warning("%s is not up to date: %s", self._address, error)
            self._error = error
            self._path = self._path or find_copy(self._address)
            self.problem = "The published store cannot be read now. The pages show the snapshot that was fetched last."
        finally:
            self._next = self._clock() + self._every


@functools.cache
def follow(address: str) -> Follower:
    """Return the follower of a published store, one for the whole process. Raises UsageError for no address."""
    return Follower(parse_address(address))
