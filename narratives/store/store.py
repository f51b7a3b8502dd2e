"""The store: one folder with snapshots, the pointer to the current one, vectors and inputs."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from narratives.model import QualityMetrics, RawDocument, Rejected, StoreBusyError, StoreError
from narratives.model.snapshot import Calibration, InputRecord, SnapshotContent, SnapshotManifest
from narratives.store import files, inputs, integrity, snapshot_reader, snapshot_writer, vectors
from narratives.store.decisions import DECISIONS_FILE
from narratives.store.limits import ALONE, Limits
from narratives.store.overlay import DecidedPair
from narratives.store.parsed import PARSED_FILE, ParsedDocuments
from narratives.store.queries.evidence import query_statement_batches
from narratives.store.queries.sources import query_rejected_rows
from narratives.store.snapshot_reader import Snapshot

log = logging.getLogger(__name__)

CACHE_FOLDER = "cache"
SHARDS_FOLDER = "shards"  # in it


class Store:
    """A store's folder. Creating the object writes nothing; folders appear with the first write.

    path/CURRENT             the id of the current snapshot
    path/inputs.json         the inputs of the next snapshot
    path/snapshots/<id>/     snapshot.duckdb, manifest.json and, if they exist, quality.json and
                             spotcheck.json; all but the first may be replaced
    path/vectors/<name>/     one `VectorFile` per model and variant
    path/inputs/<hash>...    the rows of each input as read
    path/cache/              what an earlier build parsed and searched; may be deleted
    path/copies/             second copies of the small files, see `integrity`
    path/damaged/            what a build or `check --repair` found damaged and replaced
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / ".lock", timeout=0)

    @property
    def is_published(self) -> bool:
        """Whether this is the local copy of a published store, which has snapshots and vectors only."""
        return (self.path / files.PUBLISHED_FILE).exists()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the store for writing; may be nested.

        Raises StoreBusyError at once, with the holder, if another process has it. An OSError inside, such as that of a
        full disk, becomes a DiskError.
        """
        place = self.path / ".lock"
        if self.is_published:
            hint = "Change the store that it was published from, then publish again."
            raise StoreError("a store that can be changed", f"the copy of a published one, {self.path}", hint)
        if "?" in str(self.path.absolute()):  # DuckDB takes what follows for options, and fails when it commits
            raise StoreError("a store whose path has no question mark", f"{self.path}", "Give the folder another name.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                integrity.set_aside(self.path, place)
            self._lock.acquire()
        except Timeout as error:
            hint = "Wait until it ends, then try again."
            got = f"another build is running{_describe_holder(place)}"
            raise StoreBusyError(f"{self.path} free for a build", got, hint) from error
        except OSError as error:
            raise files.make_disk_error(error, self.path) from error
        try:
            if self._lock.lock_counter == 1:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                place.write_text(f"process {os.getpid()} on {socket.gethostname()} since {now}\n", encoding="utf-8")
                copies = self.path / integrity.COPIES_FOLDER
                own = (self.path / name for name in ("", "snapshots", "inputs", CACHE_FOLDER))
                for folder in (*own, copies, *copies.glob("snapshots/*")):
                    snapshot_writer.remove_leftovers(folder)
            yield
        except BrokenPipeError:
            raise  # of the terminal
        except OSError as error:
            raise files.make_disk_error(error, self.path) from error
        finally:
            self._lock.release()

    def current(self) -> str | None:
        """Return the id of the current snapshot, None if there is none. Raises StoreError if CURRENT is damaged."""
        path, hint = self.path / files.CURRENT_FILE, "Run `build` or `check --repair`, which write it again."
        try:
            text = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"a snapshot id in {path}", str(error), hint) from error
        if not integrity.SNAPSHOT_ID.fullmatch(text):
            raise StoreError(f"a snapshot id in {path}", repr(text[:40]), hint)
        return text

    def snapshots(self) -> list[SnapshotManifest]:
        """Return the manifests of all snapshots whose manifest is readable, oldest build first."""
        return integrity.list_manifests(self.path)

    def manifest(self, snapshot_id: str) -> SnapshotManifest:
        """Return the manifest of one snapshot. Raises StoreError if it is missing or damaged."""
        return files.load_snapshot_manifest(self.snapshot_path(snapshot_id))

    def find_predecessor(self, snapshot_id: str) -> str:
        """Return the id of the snapshot before this one; empty if there is none.

        If its manifest is damaged, this is taken to be the newest of the others.
        """
        with suppress(StoreError):
            return self.manifest(snapshot_id).predecessor
        others = [manifest.snapshot_id for manifest in self.snapshots() if manifest.snapshot_id != snapshot_id]
        return others[-1] if others else ""

    def put_manifest(self, manifest: SnapshotManifest) -> None:
        """Replace the manifest of a snapshot. Raises StoreError if there is no such snapshot."""
        folder = self.snapshot_path(manifest.snapshot_id)
        files.save_snapshot_manifest(folder, manifest)
        integrity.save_copy(self.path, folder / files.MANIFEST_FILE)

    def check(self, snapshot_id: str) -> SnapshotManifest:
        """Check every byte of one snapshot and return its manifest. Raises StoreError if it is damaged."""
        return snapshot_writer.check_snapshot(self.snapshot_path(snapshot_id))

    def snapshot_path(self, snapshot_id: str) -> Path:
        """Return the folder of one snapshot. Raises StoreError if there is none, naming the existing ones."""
        folder = self.path / "snapshots" / snapshot_id
        if integrity.SNAPSHOT_ID.fullmatch(snapshot_id) and folder.is_dir():
            return folder
        existing = ", ".join(m.snapshot_id for m in self.snapshots()) or "no snapshot"
        hint = "Name one of these, or run `build` to make one."
        raise StoreError(f"snapshot {snapshot_id} in {self.path}", existing, hint)

    def write_snapshot(self, content: SnapshotContent, published: Path | None = None) -> str:
        """Write a snapshot, make it the current one, and return its id.

        The same content has the same id in any store. The snapshot gets an evaluation that is valid for it: that of
        the snapshot before it, or else the `published` one. Readers of older snapshots are not disturbed.
        """
        with self.lock():
            before = ""
            with suppress(StoreError):  # an unreadable pointer counts as none
                before = self.current() or ""
            quality = self._find_valid_evaluation(content.parameters, before, published)
            snapshot_id = snapshot_writer.write_snapshot(self.path / "snapshots", content, quality)
            self.set_current(snapshot_id, content.inputs)
            return snapshot_id

    def set_current(self, snapshot_id: str, records: Sequence[InputRecord]) -> None:
        """Make a snapshot the current one, and `records` the inputs of the next build. Needs the store's lock."""
        # Copies come first, so that none is ever older than its file. The list of inputs comes before the pointer: if
        # the process is killed between the two, the next build still knows every input.
        copies = self.path / integrity.COPIES_FOLDER
        copies.mkdir(exist_ok=True)
        for folder in (copies, self.path):
            files.save_input_records(folder, records)
        for folder in (copies, self.path):
            files.write_atomically(folder / files.CURRENT_FILE, f"{snapshot_id}\n".encode())
        integrity.save_copies(self.path)

    def mend(self) -> tuple[str, ...]:
        """Mend the small files of the store without any loss; return notes for people. Needs the store's lock."""
        return integrity.mend(self.path)

    def mend_log(self) -> tuple[str, ...]:
        """Make a damaged decisions log again from its whole entries and its copy; return notes. Needs the lock."""
        return tuple(integrity.mend_log(self.path))

    def mend_exchanged(self) -> tuple[str, ...]:
        """Put the files of snapshots back that were exchanged; return notes. Needs the lock."""
        return tuple(integrity.mend_exchanged(self.path))

    def forget(self, path: Path) -> None:
        """Remove the checksums and the copy of something that was moved away. Needs the store's lock."""
        integrity.forget(self.path, path)

    def secure_log(self) -> tuple[str, ...]:
        """Copy the decisions log, if it has new entries, and return notes. Needs the store's lock.

        Raises StoreError if it is damaged.
        """
        if problems := integrity.find_log_problems(self.path):
            expected = f"the decisions log of {self.path} as it was written"
            hint = (
                "Run `narratives check --repair`, which keeps all whole entries. To begin without them, move the log "
                f"and {integrity.COPIES_FOLDER}/{DECISIONS_FILE} away."
            )
            raise StoreError(expected, "; ".join(problems), hint)
        return tuple(integrity.save_log_copy(self.path))

    def put_quality(
        self,
        snapshot_id: str,
        rows: Sequence[QualityMetrics],
        caveat: str,
        corpus: Sequence[QualityMetrics] = (),
        calibration: Calibration | None = None,
    ) -> None:
        """Store an evaluation with a snapshot, replacing an earlier one; the snapshot keeps its id.

        `caveat` says what readers must know about the reference labels; for the others see `Evaluation`. Raises
        StoreError if there is no such snapshot.
        """
        evaluation = files.Evaluation(tuple(rows), caveat, corpus=tuple(corpus), calibration=calibration)
        path = self._quality_path(snapshot_id)
        files.write_evaluation(path, evaluation)
        integrity.save_copy(self.path, path)

    def quality(self, snapshot_id: str) -> tuple[QualityMetrics, ...] | None:
        """Return the latest evaluation of a snapshot, None if it has none. Raises StoreError if it is damaged."""
        evaluation = files.read_evaluation(self._quality_path(snapshot_id))
        return evaluation.shown if evaluation else None

    def supply_quality(self, manifest: SnapshotManifest, published: Path) -> None:
        """Give a snapshot without an evaluation one that is valid for it, if there is one.

        A snapshot has none if a build of an older version was killed before its last step, or if none was valid then.
        """
        path = self._quality_path(manifest.snapshot_id)
        if path.exists():
            return
        if quality := self._find_valid_evaluation(manifest.parameters, manifest.predecessor, published):
            files.write_evaluation(path, quality)
            integrity.save_copy(self.path, path)

    def _find_valid_evaluation(
        self, parameters: Mapping[str, str], before: str, published: Path | None
    ) -> files.Evaluation | None:
        """Return the evaluation that is valid for a matcher with these parameters, None if there is none.

        It is that of the snapshot `before` if its matcher was the same. Otherwise it is the `published` one, if
        codebook, model and classifier are the same and there are no decisions; of another threshold, its calibration.
        """
        if before:
            with suppress(StoreError):  # the pages show the error of a damaged one
                is_same = self.manifest(before).parameters == parameters
                if is_same and (inherited := files.read_evaluation(self._quality_path(before))):
                    return inherited
        shipped = files.read_evaluation(published) if published else None
        return files.select_valid_figures(shipped, parameters) if shipped else None

    def put_spot_checks(self, snapshot_id: str, checks: files.SpotChecks) -> None:
        """Store spot checks with the snapshot they were drawn from, replacing earlier ones.

        Raises StoreError if there is no such snapshot, or if it cannot be written.
        """
        path = self.snapshot_path(snapshot_id) / files.SPOT_CHECKS_FILE
        try:
            files.write_spot_checks(path, checks)
            integrity.save_copy(self.path, path)
        except OSError as error:
            raise files.make_disk_error(error, path) from error

    def spot_checks(self, snapshot_id: str) -> files.SpotChecks | None:
        """Return the latest spot checks of a snapshot, None if it has none. Raises StoreError if they are damaged."""
        return files.read_spot_checks(self.snapshot_path(snapshot_id) / files.SPOT_CHECKS_FILE)

    def _quality_path(self, snapshot_id: str) -> Path:
        return self.snapshot_path(snapshot_id) / files.QUALITY_FILE

    def load_inputs(self) -> tuple[InputRecord, ...]:
        """Load the list of the inputs that the store holds, even if its snapshots were removed.

        If there is none, it is that of the current snapshot, or else of the newest. Raises StoreError if it is damaged.
        """
        records = files.load_input_records(self.path)
        return integrity.find_records(self.path) if records is None else records

    def has_input(self, key: str) -> bool:
        """Return whether the store holds the rows of the input with this hash."""
        return inputs.make_rows_path(self.path / "inputs", key).exists()

    def put_input(self, key: str, rows: Iterable[RawDocument | Rejected]) -> None:
        """Store the rows of an input under its hash, one by one and atomically."""
        inputs.write_rows(self.path / "inputs", key, rows)

    def put_input_file(self, key: str, content: bytes) -> None:
        """Store the rows of an input as the file that `inputs.write_rows` made of them elsewhere."""
        path = inputs.make_rows_path(self.path / "inputs", key)
        path.parent.mkdir(exist_ok=True)
        files.write_atomically(path, content)

    def get_input(self, key: str) -> Iterator[RawDocument | Rejected]:
        """Yield the rows of an input. Raises StoreError if they are missing or damaged."""
        return inputs.read_rows(self.path / "inputs", key)

    def open_parsed(self) -> ParsedDocuments:
        """Open the cache of parsed documents. The caller must hold the store's lock."""
        return ParsedDocuments(self._cache_path(PARSED_FILE))

    def load_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Load arrays that an earlier build saved under a name, None if there are none or they are damaged."""
        size = hashlib.sha256().digest_size
        try:
            data = self._cache_path(f"{name}.arrays").read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[size:]).digest() != data[:size]:
            return None
        with np.load(io.BytesIO(data[size:]), allow_pickle=False) as arrays:
            return dict(arrays)

    def save_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Save arrays under a name for the next build; a disk that is full does not stop this one."""
        path, packed = self._cache_path(f"{name}.arrays"), io.BytesIO()
        np.savez(packed, **arrays)  # type: ignore[arg-type]  # its other parameter is a bool
        content = packed.getvalue()
        try:
            files.write_atomically(path, hashlib.sha256(content).digest() + content)
        except OSError as error:
            log.warning("%s cannot be written (%s), so the next build takes longer.", path, error.strerror)

    def _cache_path(self, name: str) -> Path:
        folder = self.path / CACHE_FOLDER
        with suppress(OSError):  # what is not kept takes longer
            folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def get_shard_folder(self, name: str) -> Path:
        """Return the folder in the cache for results of workers that a build has not taken yet."""
        return self._cache_path(SHARDS_FOLDER) / name

    def find_rows_problem(self, key: str) -> str:
        """Return what is wrong with the stored rows of an input, empty if they are whole. Every byte is read."""
        return inputs.find_rows_problem(self.path / "inputs", key)

    def find_rejected(self, source_path: str) -> list[Rejected]:
        """Return the reasons why an input was rejected, by row, as the current snapshot has them; empty if none."""
        with suppress(StoreError), closing(open_snapshot(self.path)) as snapshot:
            return query_rejected_rows(snapshot, source_path)
        return []

    def mend_vectors(self, model: str, variant: str, dimension: int) -> vectors.RepairResult:
        """Mark the damaged vectors of a model as missing, so that a build encodes their texts again.

        A damaged description of the vectors is written again. The caller must hold the store's lock.
        """
        vectors.mend_description(self._vector_folder(model, variant), model, variant, dimension)
        if not self._holds_vectors(model, variant):
            return vectors.RepairResult()
        return self.open_existing_vectors(model, variant).repair()

    def count_missing_vectors(self, snapshot_id: str) -> tuple[int, int]:
        """Count a snapshot's statement paragraphs: those without a vector, and all of them."""
        with closing(open_snapshot(self.path, snapshot_id)) as opened:
            manifest, missing, count = opened.meta(), 0, 0
            is_held = self._holds_vectors(manifest.model, manifest.variant)
            kept = self.open_existing_vectors(manifest.model, manifest.variant) if is_held else None
            for batch in query_statement_batches(opened):
                texts = batch["text"].tolist()
                count += len(texts)
                missing += int((kept.rows(texts) < 0).sum()) if kept else len(texts)
        return missing, count

    def find_vector_problems(self, snapshot_id: str) -> list[str]:
        """Return messages on damaged vectors in this store, and on missing vectors of the snapshot.

        It is no problem if the store was copied without any vectors of the snapshot.
        """
        folders = sorted((self.path / "vectors").glob("*"))
        problems = [problem for folder in folders for problem in vectors.find_problems(folder)]
        with suppress(StoreError, IsADirectoryError):  # the messages above already cover unreadable files
            manifest = self.manifest(snapshot_id)
            missing, statements = self.count_missing_vectors(snapshot_id)
            if missing and self._holds_vectors(manifest.model, manifest.variant):
                problems.append(
                    f"{missing:,} of the {statements:,} statement paragraphs of snapshot {snapshot_id} have "
                    "no vector. `build` encodes them again."
                )
        return problems

    def _vector_folder(self, model: str, variant: str) -> Path:
        return self.path / "vectors" / vectors.make_folder_name(model, variant)

    def _holds_vectors(self, model: str, variant: str) -> bool:
        return (self._vector_folder(model, variant) / vectors.META).exists()

    def open_existing_vectors(self, model: str, variant: str) -> vectors.VectorFile:
        """Open the existing vectors of a model and variant for reading.

        Raises StoreError if there are none, for example if the store was copied without them.
        """
        folder = self._vector_folder(model, variant)
        if not self._holds_vectors(model, variant):
            hint = "Copy the folder `vectors` from the original store, or run `build` again."
            raise StoreError(f"vectors of {model} ({variant}) in {folder}", "none", hint)
        return vectors.open_folder(folder)

    def vectors(self, model: str, variant: str, dimension: int) -> vectors.VectorFile:
        """Open the vector file of a model and variant; it is empty at first."""
        return vectors.VectorFile(self._vector_folder(model, variant), model, variant, dimension)

    def variant(self, model: str) -> str | None:
        """Return the variant in which this store holds the model's vectors, None if it holds none."""
        for folder in sorted((self.path / "vectors").glob("*")):
            if (folder / vectors.META).exists():
                meta: dict[str, str | int]
                try:
                    meta = vectors.read_meta(folder)
                except StoreError:  # `mend_vectors` writes it again
                    meta = {"model": model, "variant": vectors.infer_variant(folder, model)}
                if meta["model"] == model and meta["variant"]:
                    return str(meta["variant"])
        return None


def _describe_holder(place: Path) -> str:
    try:
        text = place.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f" ({text})" if text else ""


def open_snapshot(
    path: Path, snapshot_id: str = "", limits: Limits = ALONE, decided: Sequence[DecidedPair] = ()
) -> Snapshot:
    """Open a snapshot of the store at `path`, the current one by default.

    By default its queries may use all resources of the machine. With `decided` pairs (`DecisionLog.pairs`), they show
    the snapshot as decided. Raises StoreError if there is no snapshot or
    if it is damaged or of another version, and ResourceError if there is not enough memory to open it.
    """
    store = Store(path)
    chosen = snapshot_id or store.current()
    if chosen is None:
        raise StoreError(f"a snapshot in {path}", "none yet", "Run `build` with your documents first.")
    return snapshot_reader.open_snapshot_folder(store.snapshot_path(chosen), limits, decided)
