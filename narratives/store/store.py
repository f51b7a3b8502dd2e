"""The store: one folder with snapshots, the pointer to the current one, vectors and the inputs ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from narratives.model import QualityMetrics, RawDocument, Rejected, StoreBusyError, StoreError
from narratives.model.snapshot import InputRecord, SnapshotContent, SnapshotManifest
from narratives.store import files, inputs, snapshot_reader, snapshot_writer, vectors
from narratives.store.limits import ALONE, Limits
from narratives.store.queries.evidence import query_statement_texts
from narratives.store.snapshot_reader import Snapshot

_SNAPSHOT_ID = re.compile(r"[0-9a-f]{12}")


class Store:
    """A store's folder. Making one touches nothing; folders appear when something is first written.

    path/CURRENT             the id of the current snapshot
    path/inputs.json         the inputs that all snapshots from now on are made of
    path/snapshots/<id>/     snapshot.duckdb, manifest.json and, once there are such, quality.json and
                             spotcheck.json; all but the first may be replaced
    path/vectors/<name>/     one `VectorFile` per model and variant
    path/inputs/<hash>...    the rows of each input as read
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / ".lock", timeout=0)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for writing; may be nested. Raises StoreBusyError at once where another holds it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise StoreBusyError(
                f"{self.path} free for a build",
                "another build is running",
                "Wait until it ends, then try again.",
            ) from error
        except OSError as error:
            raise StoreError(
                f"a folder to write to at {self.path}", str(error), "Name another --store, or mend this one."
            ) from error
        try:
            if self._lock.lock_counter == 1:
                for folder in (self.path, self.path / "snapshots", self.path / "inputs"):
                    snapshot_writer.remove_leftovers(folder)
            yield
        finally:
            self._lock.release()

    def current(self) -> str | None:
        """Id of the current snapshot, None where there is none. Raises StoreError if CURRENT is damaged."""
        path = self.path / "CURRENT"
        try:
            text = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"a snapshot id in {path}", str(error), "Delete it and build again.") from error
        if not _SNAPSHOT_ID.fullmatch(text):
            raise StoreError(f"a snapshot id in {path}", repr(text[:40]), "Delete it and build again.")
        return text

    def snapshots(self) -> list[SnapshotManifest]:
        """The manifests of all sound snapshot folders, oldest build first."""
        found = []
        for folder in (self.path / "snapshots").glob("*"):
            if _SNAPSHOT_ID.fullmatch(folder.name):
                try:
                    found.append(files.load_snapshot_manifest(folder))
                except StoreError:
                    continue  # opening it by name tells what is wrong with it
        return sorted(found, key=lambda m: (m.built_at, m.snapshot_id))

    def manifest(self, snapshot_id: str) -> SnapshotManifest:
        """The manifest of one snapshot. Raises StoreError where it is missing or damaged."""
        return files.load_snapshot_manifest(self.snapshot_path(snapshot_id))

    def check(self, snapshot_id: str) -> SnapshotManifest:
        """The manifest of one snapshot that is sound to the last byte. Raises StoreError where it is not."""
        return snapshot_writer.check(self.snapshot_path(snapshot_id))

    def snapshot_path(self, snapshot_id: str) -> Path:
        """The folder of one snapshot. Raises StoreError where there is none, naming those there are."""
        folder = self.path / "snapshots" / snapshot_id
        if _SNAPSHOT_ID.fullmatch(snapshot_id) and folder.is_dir():
            return folder
        there = ", ".join(m.snapshot_id for m in self.snapshots()) or "no snapshot"
        raise StoreError(
            f"snapshot {snapshot_id} in {self.path}", there, "Name one of these, or run `build` to make one."
        )

    def write_snapshot(self, content: SnapshotContent, published: Path | None = None) -> str:
        """Write a snapshot, make it the current one, and return its id.

        The same content has the same id in any store. With it goes the evaluation that holds for it already:
        that of the snapshot before it, else the `published` one. Readers of older snapshots go on.
        """
        with self.lock():
            before = ""
            with suppress(StoreError):  # a pointer that cannot be read points at nothing
                before = self.current() or ""
            quality = self._evaluation_for(content.parameters, before, published)
            made = snapshot_writer.write_snapshot(self.path / "snapshots", content, quality)
            # Before the pointer: killed between the two, the next build still knows every input.
            files.save_input_records(self.path, content.inputs)
            files.write_atomically(self.path / "CURRENT", f"{made}\n".encode())
            return made

    def put_quality(self, snapshot_id: str, rows: Sequence[QualityMetrics], caveat: str) -> None:
        """Keep an evaluation with a snapshot, in the place of an earlier one; its id stays as it is.

        `caveat` says what must be known of the reference labels. Raises StoreError where there is no such
        snapshot.
        """
        evaluation = files.Evaluation(tuple(rows), caveat)
        files.write_evaluation(self._quality_path(snapshot_id), evaluation)

    def quality(self, snapshot_id: str) -> tuple[QualityMetrics, ...] | None:
        """The latest evaluation of a snapshot, None where it has none. Raises StoreError where damaged."""
        found = files.read_evaluation(self._quality_path(snapshot_id))
        return found.rows if found else None

    def supply_quality(self, manifest: SnapshotManifest, published: Path) -> None:
        """Give a snapshot that lacks an evaluation the one that holds for it, if there is one.

        It lacks where a build by an older version was killed before its last step, or none held at the time.
        """
        path = self._quality_path(manifest.snapshot_id)
        if not path.exists():
            quality = self._evaluation_for(manifest.parameters, manifest.predecessor, published)
            if quality:
                files.write_evaluation(path, quality)

    def _evaluation_for(
        self, parameters: Mapping[str, str], before: str, published: Path | None
    ) -> files.Evaluation | None:
        """The evaluation that holds already for a matcher with these parameters, None where there is none.

        That of the snapshot `before`, where the matcher was the same (only its manifest must be sound); else
        the `published` one, where it is of this codebook and model and no decision has taught the matcher.
        """
        if before:
            with suppress(StoreError):  # a damaged one is told where it is shown
                if self.manifest(before).parameters == parameters:
                    inherited = files.read_evaluation(self._quality_path(before))
                    if inherited:
                        return inherited
        shipped = files.read_evaluation(published) if published else None
        if shipped is None or not files.is_same_matching(shipped, parameters):
            return None
        return files.Evaluation(shipped.rows, shipped.caveat)

    def put_spot_checks(self, snapshot_id: str, found: files.SpotChecks) -> None:
        """Keep spot checks with the snapshot they were drawn from, in the place of earlier ones.

        Raises StoreError where there is no such snapshot, or where it cannot be written.
        """
        path = self.snapshot_path(snapshot_id) / files.SPOT_CHECKS_FILE
        try:
            files.write_spot_checks(path, found)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"to write {path}", reason, "Mend the store's folder.") from error

    def _quality_path(self, snapshot_id: str) -> Path:
        return self.snapshot_path(snapshot_id) / files.QUALITY_FILE

    def held(self) -> tuple[InputRecord, ...]:
        """The inputs that the store holds, whatever has become of its snapshots."""
        found = files.load_input_records(self.path)
        if found is not None:
            return found
        snapshots = self.snapshots()
        return snapshots[-1].inputs if snapshots else ()

    def has_input(self, key: str) -> bool:
        """Whether the ledger holds the rows of the input with this hash."""
        return inputs.make_rows_path(self.path / "inputs", key).exists()

    def put_input(self, key: str, rows: Iterable[RawDocument | Rejected]) -> None:
        """Keep the rows of an input under its hash, as they come and atomically."""
        inputs.write_rows(self.path / "inputs", key, rows)

    def get_input(self, key: str) -> Iterator[RawDocument | Rejected]:
        """Yield the rows of an input. Raises StoreError where they are missing or damaged."""
        return inputs.read_rows(self.path / "inputs", key)

    def mend_vectors(self, model: str, variant: str) -> vectors.Mended:
        """Take what is damaged of a model's vectors out of use, so that a build encodes it again.

        Only for who holds the store's lock.
        """
        if not self._holds_vectors(model, variant):
            return vectors.Mended()
        return self.kept_vectors(model, variant).mend()

    def lacking_vectors(self, snapshot_id: str) -> tuple[int, int]:
        """How many of a snapshot's statement paragraphs have no vector, and how many there are."""
        with closing(open_snapshot(self.path, snapshot_id)) as opened:
            manifest = opened.meta()
            texts = query_statement_texts(opened)["text"].tolist()
        if not self._holds_vectors(manifest.model, manifest.variant):
            return len(texts), len(texts)
        rows = self.kept_vectors(manifest.model, manifest.variant).rows(texts)
        return int((rows < 0).sum()), len(texts)

    def vector_problems(self, snapshot_id: str) -> list[str]:
        """What is wrong with the vectors of this store, and with those that the snapshot needs, in words.

        A store without the vectors of a snapshot is none to complain of: it was copied without them.
        """
        folders = sorted((self.path / "vectors").glob("*"))
        problems = [problem for folder in folders for problem in vectors.problems(folder)]
        with suppress(StoreError):  # what cannot be read is told by now
            manifest = self.manifest(snapshot_id)
            lacking, statements = self.lacking_vectors(snapshot_id)
            if lacking and self._holds_vectors(manifest.model, manifest.variant):
                problems.append(
                    f"{lacking:,} of the {statements:,} statement paragraphs of snapshot {snapshot_id} have "
                    "no vector. `build` encodes them again."
                )
        return problems

    def _vector_folder(self, model: str, variant: str) -> Path:
        return self.path / "vectors" / vectors.make_folder_name(model, variant)

    def _holds_vectors(self, model: str, variant: str) -> bool:
        return (self._vector_folder(model, variant) / vectors.META).exists()

    def kept_vectors(self, model: str, variant: str) -> vectors.VectorFile:
        """The vectors of a model and variant that this store holds, to read them.

        Raises StoreError where there are none, as where a snapshot was copied without them.
        """
        folder = self._vector_folder(model, variant)
        if not self._holds_vectors(model, variant):
            raise StoreError(
                f"vectors of {model} ({variant}) in {folder}",
                "none",
                "Copy the folder `vectors` of the store along, or run `build` again.",
            )
        return vectors.VectorFile(folder, model, variant, int(vectors.read_meta(folder)["dimension"]))

    def vectors(self, model: str, variant: str, dimension: int) -> vectors.VectorFile:
        """The vector file of a model and variant, empty at first."""
        return vectors.VectorFile(self._vector_folder(model, variant), model, variant, dimension)

    def variant(self, model: str) -> str | None:
        """The variant in which this store holds the model's vectors, None where it holds none."""
        for folder in sorted((self.path / "vectors").glob("*")):
            if (folder / "meta.json").exists():
                meta = vectors.read_meta(folder)
                if meta["model"] == model:
                    return str(meta["variant"])
        return None


def open_snapshot(path: Path, snapshot_id: str = "", limits: Limits = ALONE) -> Snapshot:
    """Open a snapshot of the store at `path`, the current one by default.

    By default its queries may take what the machine has. Raises StoreError where there is none, or
    where it is damaged or of another version, and ResourceError where there is no memory to open it.
    """
    store = Store(path)
    chosen = snapshot_id or store.current()
    if chosen is None:
        raise StoreError(f"a snapshot in {path}", "none yet", "Run `build` with your documents first.")
    return snapshot_reader.open_snapshot_folder(store.snapshot_path(chosen), limits)


def verify_snapshot(path: Path, snapshot_id: str) -> list[str]:
    """What is wrong with a snapshot of the store at `path`, to the last byte; empty where it is sound."""
    try:
        Store(path).check(snapshot_id)
    except StoreError as error:
        return [str(error)]
    return []
