"""Publishing: copy the current snapshot of a store to object storage."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from narratives.model import StoreError
from narratives.model.snapshot import Progress, SnapshotManifest, no_progress
from narratives.store import files, vectors
from narratives.store.published import contents
from narratives.store.published.objects import Address, ObjectStore
from narratives.store.queries.evidence import query_statement_batches
from narratives.store.snapshot_reader import DATABASE_FILE
from narratives.store.store import Store, open_snapshot

STAGE = "publishing"


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published: the bytes of its files, how many were sent, and whether the search by meaning works on it."""

    manifest: SnapshotManifest
    total: int
    sent: int
    has_vectors: bool


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to publish: its path in the store, its size in bytes, and a function that yields its content."""

    path: str
    size: int
    read: Callable[[], Iterable[bytes]]


def publish(store: Store, address: Address, progress: Progress = no_progress) -> PublishReport:
    """Copy the current snapshot of a store to object storage, and make it the current one there.

    Only what the storage does not hold yet is sent, in chunks, so an interrupted run continues where it stopped. The
    pointer is written last. Raises StoreError if the store has no whole snapshot, if some of its vectors are damaged or
    missing, or if the storage refuses or cannot be reached. A store without any vectors is published without them.
    """
    current = store.current()
    if current is None:
        raise StoreError(f"a snapshot in {store.path}", "none yet", "Run `build` with your documents first.")
    manifest = store.check(current)
    sources = [*_list_snapshot(store, manifest), *_list_vectors(store, manifest)]
    storage = ObjectStore(address)
    total, done, sent = sum(source.size for source in sources), 0, 0
    listed = []
    for source in sources:
        chunks = []
        for chunk in contents.split_chunks(source.read()):
            chunks.append(contents.compute_sha256(chunk))
            sent += _send(storage, chunks[-1], chunk)
            done += len(chunk)
            progress(STAGE, done, total)
        listed.append(contents.PublishedFile(source.path, source.size, tuple(chunks)))
    content = contents.Contents(current, tuple(listed)).format()
    contents.parse_contents(content, current, f"{address}")  # what a reader would refuse is not published
    pointer = contents.Pointer(current, contents.compute_sha256(content))
    _send(storage, pointer.list_sha256, content)
    for name in (contents.get_pointer_name(current), contents.get_pointer_name("")):  # the current one last
        storage.write(name, pointer.format())
    return PublishReport(manifest, total, sent, any(source.path.startswith("vectors/") for source in sources))


def _send(storage: ObjectStore, sha256: str, data: bytes) -> int:
    """Write an object unless it is there, and return the bytes that were sent."""
    # The size is compared, because an interrupted write may leave the beginning of an object.
    name = contents.get_object_name(sha256)
    if storage.holds(name, len(data)):
        return 0
    storage.write(name, data)
    return len(data)


def _list_snapshot(store: Store, manifest: SnapshotManifest) -> Iterator[_Source]:
    folder = store.snapshot_path(manifest.snapshot_id)
    place = f"snapshots/{manifest.snapshot_id}"
    database = folder / DATABASE_FILE
    yield _Source(f"{place}/{DATABASE_FILE}", database.stat().st_size, lambda: _read_blocks(database))
    yield _make_source(f"{place}/{files.MANIFEST_FILE}", _format_manifest(manifest))
    # Read once, because both may be replaced meanwhile; damaged ones are an error here, as on the pages.
    for name, check in ((files.QUALITY_FILE, store.quality), (files.SPOT_CHECKS_FILE, store.spot_checks)):
        if check(manifest.snapshot_id) is not None:
            yield _make_source(f"{place}/{name}", (folder / name).read_bytes())


def _format_manifest(manifest: SnapshotManifest) -> bytes:
    """Return the manifest without what only a build needs: the full paths of the inputs, and what describes them."""
    inputs = tuple(
        replace(record, path=Path(record.source_path), columns={}, manifest={}) for record in manifest.inputs
    )
    with tempfile.TemporaryDirectory() as folder:
        files.save_snapshot_manifest(Path(folder), replace(manifest, inputs=inputs))
        return (Path(folder) / files.MANIFEST_FILE).read_bytes()


def _list_vectors(store: Store, manifest: SnapshotManifest) -> Iterator[_Source]:
    """Yield the files of a vector folder with the snapshot's statement paragraphs only.

    A store's own has the vectors of all its snapshots, and those of sentences, which only a build reads.
    """
    try:
        kept = store.open_existing_vectors(manifest.model, manifest.variant)
    except StoreError:
        if not (store.path / "vectors" / vectors.make_folder_name(manifest.model, manifest.variant)).exists():
            return
        raise
    with closing(open_snapshot(store.path, manifest.snapshot_id)) as snapshot:
        found = [kept.rows(batch["text"].tolist()) for batch in query_statement_batches(snapshot)]
    every = np.concatenate(found)
    missing, rows = int((every < 0).sum()), np.unique(every[every >= 0])
    damaged = len(kept.find_damaged(rows))
    if missing or damaged:
        got = f"{missing:,} missing and {damaged:,} damaged ones"
        raise StoreError(f"whole vectors of snapshot {manifest.snapshot_id}", got, "Run `build`, then publish again.")
    folder = f"vectors/{vectors.make_folder_name(manifest.model, manifest.variant)}"
    meta = (store.path / folder / vectors.META).read_bytes()
    yield _make_source(f"{folder}/{vectors.META}", meta)
    for name, width in kept.list_widths():
        yield _Source(f"{folder}/{name}", len(rows) * width, partial(kept.read_records, name, rows))


def _make_source(path: str, data: bytes) -> _Source:
    return _Source(path, len(data), lambda: [data])


def _read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(contents.CHUNK_BYTES):
            yield block
