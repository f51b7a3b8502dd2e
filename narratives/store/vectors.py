"""The vector file: texts and their parts are encoded once per model and variant, independent of snapshots.

It consists of three append-only files: row i of `vectors.f32` (float32 unit rows, C order) belongs to the
16-byte key i of `keys.bin`, a hash of the text, and `sums.u32` holds a CRC-32 over both. It does not match if a
row has changed or is beside another key. A batch's vectors and checksums are on the disk before its keys are
written, so every key has both. Readers ignore anything beyond the last whole pair, and the next append removes it,
keys first. So neither a kill nor a lost end of a file gives a text a wrong vector, and neither counts as damage.

Files of older versions without checksums stay readable. For rows without one the unit length is checked,
until `repair` or the next append adds the missing checksums. Checking takes 1.5 to 3 s for a million rows of 384.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from narratives.model import DiskError, StoreError, Text
from narratives.model.text import VectorRows
from narratives.store.files import make_disk_error, parse_checked_json, sync_to_disk, write_json

KEYS, SUMS, VECTORS, META = "keys.bin", "sums.u32", "vectors.f32", "meta.json"
FILES = (META, KEYS, SUMS, VECTORS)
KEY_BYTES, SUM_BYTES = 16, 4
ENCODING_VERSION = 2  # raise it when texts are encoded in another way: stored vectors then count as missing
BLOCK_ROWS = 16_384  # rows compared or checked at a time
MANY_RECENT = 65_536  # the index is made again after so many appended rows, if these are more than the indexed ones
LOADED_CELLS = 1 << 26  # components of vectors that are loaded together: 256 MB
DENSE = 4  # rows lie close together if at most every so many is asked for
RETIRED = b"retired by build"  # the key of a damaged row: no text has it, so the row is never read
UNIT = 0.001  # how far from 1 the length of a row may be

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Sums = npt.NDArray[np.uint32]
Number = TypeVar("Number", np.float32, np.uint8)
Mapped: TypeAlias = "np.memmap[tuple[int, int], np.dtype[Number]]"


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The result of a repair: how many rows were damaged or lost, and how many got their first checksum."""

    damaged: int = 0
    summed: int = 0


def make_folder_name(model: str, variant: str) -> str:
    """Return a folder name for a model (a name or a path) and variant; different models never share one."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(model).name).strip("-.")
    if plain != model:
        plain += "-" + hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"{plain}-{variant}"


def make_key(text: Text) -> bytes:
    """Return the 16-byte key of the vector of a text or of a part of one."""
    whole, part = (text, "") if isinstance(text, str) else (text.text, f"\0{text.start}-{text.end}")
    name = f"{ENCODING_VERSION}\0{whole}{part}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


class VectorFile:
    """The vectors of one model and variant in one store.

    One process may append at a time (the store's lock ensures that); any number may read meanwhile.
    Raises StoreError if the folder holds another model, variant or dimension.
    """

    def __init__(self, folder: Path, model: str, variant: str, dimension: int) -> None:
        self.dimension = dimension
        self._folder = folder
        self._meta = {"model": model, "variant": variant, "dimension": dimension}
        if (folder / META).exists():
            meta = read_meta(folder)
            if meta != self._meta:
                raise StoreError(f"vectors of {self._meta} in {folder}", str(meta), "Use another --store.")
        self._load()

    def __len__(self) -> int:
        return self._count

    def missing(self, texts: Sequence[Text]) -> list[Text]:
        """Return the texts without a vector, each once, in the order of their first appearance."""
        distinct = list(dict.fromkeys(texts))
        rows = self.rows(distinct)
        return [text for text, row in zip(distinct, rows, strict=True) if row < 0]

    def append(self, texts: Sequence[Text], vectors: Vectors) -> None:
        """Store one unit vector per text, (n, dimension) float32; existing vectors stay unchanged.

        On return the batch is on the disk. If the process is killed earlier, the file is as before or holds the
        first pairs of the batch. Raises ValueError if shapes do not match or a value is not finite.
        """
        if vectors.shape != (len(texts), self.dimension):
            raise ValueError(f"expected vectors of shape {(len(texts), self.dimension)}, got {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("expected finite vectors, got NaN or infinity")
        if _count_pairs(self._folder, self.dimension) != self._count:
            self._load()
        fresh = {text: at for at, text in reversed(list(enumerate(texts)))}
        wanted = self.missing(texts)
        if not wanted:
            return
        rows = np.ascontiguousarray(vectors[[fresh[text] for text in wanted]], dtype="<f4")
        keys = [make_key(text) for text in wanted]
        if not (self._folder / META).exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(self._folder / META, self._meta)
        named = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
        # Keys beyond the last whole pair are removed first: no old key may be paired with a new vector.
        self._write(KEYS, b"")
        self._add_sums()
        self._write(VECTORS, rows.tobytes())
        self._write(SUMS, _compute_sums(named, rows).tobytes())
        self._write(KEYS, named.tobytes())
        self._recent.update(zip(keys, range(self._count, self._count + len(keys)), strict=True))
        self._count += len(keys)
        if len(self._recent) > max(MANY_RECENT, len(self._sorted)):
            self._load()

    def get(self, texts: Sequence[Text]) -> Vectors:
        """Return the vectors of the texts in order, (n, dimension) float32. Raises StoreError if one is missing."""
        return self.take(self.require_rows(texts))

    def require_rows(self, texts: Sequence[Text]) -> Rows:
        """Return the row of each text's vector. Raises StoreError if one is missing."""
        rows = self.rows(texts)
        if missing := int((rows < 0).sum()):
            got = f"{missing} of {len(texts)} texts without one"
            raise StoreError("a vector for every text", got, "Run `build` again.")
        return rows

    def take(self, rows: Rows) -> Vectors:
        """Return the vectors in these rows, in their order, (n, dimension) float32."""
        vectors = np.empty((len(rows), self.dimension), np.float32)
        # In the order of the file, and mapped anew for each block: else the whole file would count as memory in use.
        for part in _split_blocks(np.argsort(rows, kind="stable")):
            vectors[part] = self._kept()[rows[part]]
        return vectors

    def load(self, rows: Rows) -> VectorRows:
        """Return the vectors in these rows like `take`, but leave many of them in the file until they are asked for."""
        return self.take(rows) if len(rows) * self.dimension <= LOADED_CELLS else _RowsInFile(self, rows)

    def find_damaged(self, rows: Rows | None = None) -> Rows:
        """Find the rows, among these or all, that are not as they were written; in order.

        A row that `repair` retired counts as damaged only if it is in `rows`.
        """
        named = np.arange(self._count) if rows is None else np.unique(rows)
        sums = self._sums()
        wrong = [np.empty(0, np.int64)]
        for part in _split_blocks(named):
            keys, vectors, summed = self._keys()[part], self._kept()[part], part < len(sums)
            intact = np.empty(len(part), np.bool_)
            intact[summed] = _compute_sums(keys[summed], vectors[summed]) == sums[part[summed]]
            intact[~summed] = _has_unit_length(vectors[~summed])
            retired = (keys == np.frombuffer(RETIRED, np.uint8)).all(axis=1)
            wrong.append(part[~(intact | retired if rows is None else intact & ~retired)])
        return np.concatenate(wrong)

    def count_lost(self) -> int:
        """Count the keys without a vector. An incomplete copy has such keys; a killed build leaves none."""
        keys, _ = _count_records(self._folder, self.dimension)
        return max(0, keys - self._count)

    def read_stamp(self) -> tuple[int, ...]:
        """Return the times and sizes of the files, which change with their content."""
        states = [(self._folder / name).stat() for name in (KEYS, SUMS, VECTORS) if (self._folder / name).exists()]
        return tuple(number for state in states for number in (state.st_mtime_ns, state.st_size))

    def repair(self) -> RepairResult:
        """Retire damaged rows, so that their texts count as missing, and add missing checksums.

        Rows keep their positions, so that readers of an older state never confuse the vectors of two texts. If
        the process is killed, the next call does the rest.
        """
        self._load()
        wrong, lost, summed = self.find_damaged(), self.count_lost(), self._count - len(self._sums())
        if len(wrong):
            keys = self._keys("r+")
            keys[wrong] = np.frombuffer(RETIRED, np.uint8)
            keys.flush()
            sync_to_disk(self._folder / KEYS)
        if lost:
            self._write(KEYS, b"")
        self._add_sums()
        self._load()
        return RepairResult(len(wrong) + lost, summed)

    def similarities(self, rows: Rows, vector: Vectors) -> Vectors:
        """Compute the inner products (n,) of one vector (dimension,) with the vectors in these rows.

        The file is mapped, not read into memory. Rows in order are fastest: where they lie close together, no row is
        copied.
        """
        if not len(rows):
            return np.empty(0, np.float32)
        kept, parts = self._kept(), []
        for part in _split_blocks(rows):
            first, last = int(part.min()), int(part.max())
            if last - first < DENSE * len(part):
                parts.append((kept[first : last + 1] @ vector)[part - first])
            else:
                parts.append(kept[part] @ vector)
        return np.concatenate(parts).astype(np.float32)

    def list_widths(self) -> tuple[tuple[str, int], ...]:
        """List the files that have a record for each row, with the bytes of a record."""
        return ((KEYS, KEY_BYTES), (SUMS, SUM_BYTES), (VECTORS, 4 * self.dimension))

    def read_records(self, name: str, rows: Rows) -> Iterator[bytes]:
        """Yield the records of these rows in the file of this name, in their order, block by block."""
        for part in _split_blocks(rows):
            if name == VECTORS:
                yield np.ascontiguousarray(self._kept()[part]).tobytes()
            else:
                keys = np.ascontiguousarray(self._keys()[part])
                yield keys.tobytes() if name == KEYS else _compute_sums(keys, self._kept()[part]).tobytes()

    def _kept(self) -> Mapped[np.float32]:
        return self._map(VECTORS, np.dtype("<f4"), self.dimension)

    def _keys(self, mode: Literal["r", "r+"] = "r") -> Mapped[np.uint8]:
        return self._map(KEYS, np.dtype(np.uint8), KEY_BYTES, mode)

    def _map(self, name: str, dtype: np.dtype[Number], width: int, mode: Literal["r", "r+"] = "r") -> Mapped[Number]:
        """Map the records of all rows, (n, width). Raises StoreError if the file has become shorter."""
        path, shape = self._folder / name, (self._count, width)
        if _get_file_size(path) < self._count * width * dtype.itemsize:
            raise StoreError(f"{self._count} records in {path}", "fewer", "Run `build` to make them again.")
        return np.memmap(path, dtype=dtype, mode=mode, shape=shape)

    def _sums(self) -> Sums:
        """Return the existing checksums, those of the first rows. A build writes a checksum before its key."""
        path = self._folder / SUMS
        return np.fromfile(path, "<u4", self._count) if path.exists() else np.empty(0, "<u4")

    def _add_sums(self) -> None:
        """Write checksums for the rows that have none; a visibly damaged row gets a wrong one."""
        unsummed = np.arange(len(self._sums()), self._count)
        if not len(unsummed):
            return
        made = []
        for part in _split_blocks(unsummed):
            keys, vectors = self._keys()[part], self._kept()[part]
            sums = _compute_sums(keys, vectors)
            made.append(np.where(_has_unit_length(vectors), sums, ~sums))
        _write_at(self._folder / SUMS, int(unsummed[0]) * SUM_BYTES, np.concatenate(made).tobytes())

    def _write(self, name: str, data: bytes) -> None:
        """Write records after the last whole pair, replacing anything that is there."""
        width = {KEYS: KEY_BYTES, SUMS: SUM_BYTES, VECTORS: self.dimension * 4}[name]
        _write_at(self._folder / name, self._count * width, data)

    def _load(self) -> None:
        """Index the whole pairs on the disk: sorted keys, and the row of each."""
        self._count = _count_pairs(self._folder, self.dimension)
        keys = np.empty(0, f"S{KEY_BYTES}")
        if self._count:
            keys = np.fromfile(self._folder / KEYS, dtype=f"S{KEY_BYTES}", count=self._count)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        # Rows appended since then: a sorted array would have to be rebuilt for every batch. They take more memory, so
        # many of them are indexed again.
        self._recent: dict[bytes, int] = {}

    def rows(self, texts: Sequence[Text]) -> Rows:
        """Return the row of each text's vector, -1 if it has none. Rows never move while the file exists."""
        keys = [make_key(text) for text in texts]
        rows = np.array([self._recent.get(key, -1) for key in keys], dtype=np.int64)
        if len(self._sorted) and len(keys):
            wanted = np.array(keys, dtype=f"S{KEY_BYTES}")
            at = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
            matches = self._sorted[at] == wanted
            rows[matches] = self._order[at[matches]]
        return rows


class _RowsInFile:
    """Rows of a vector file, which are read when they are asked for."""

    def __init__(self, file: VectorFile, rows: Rows) -> None:
        self._file, self._rows = file, rows
        self.shape: tuple[int, ...] = (len(rows), file.dimension)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: int | slice | Sequence[int] | Rows, /) -> Vectors:
        chosen = self._rows[rows]
        return self._file.take(np.atleast_1d(chosen)).reshape(*chosen.shape, self._file.dimension)


def open_folder(folder: Path) -> VectorFile:
    """Open the vectors in a folder, whatever their model is. Raises StoreError if its meta.json is damaged."""
    meta = read_meta(folder)
    return VectorFile(folder, str(meta["model"]), str(meta["variant"]), int(meta["dimension"]))


def find_problems(folder: Path) -> list[str]:
    """Return messages on damaged vectors in a folder; none if they are intact or do not exist."""
    if not (folder / META).exists():
        return []
    try:
        kept = open_folder(folder)
        wrong, rows = len(kept.find_damaged()) + kept.count_lost(), len(kept) + kept.count_lost()
    except (StoreError, IsADirectoryError) as error:
        return [str(error)]
    hint = "A build with this model encodes their texts again."
    return [f"{wrong:,} of the {rows:,} vectors in {folder} are damaged. {hint}"] if wrong else []


def read_meta(folder: Path) -> dict[str, str | int]:
    """Return model, variant and dimension of a vector folder. Raises StoreError if its meta.json is damaged."""
    path = folder / META
    try:
        meta = dict(parse_checked_json(path.read_bytes()))
        return {"model": str(meta["model"]), "variant": str(meta["variant"]), "dimension": int(meta["dimension"])}
    except PermissionError as error:
        raise make_disk_error(error, path) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        got = f"{type(error).__name__}: {error}"
        hint = "Run `build` with this model, which writes it again."
        raise StoreError(f"a description of vectors in {path}", got, hint) from error


def mend_description(folder: Path, model: str, variant: str, dimension: int) -> bool:
    """Write the description of existing vectors again if it is missing or damaged; return whether it was."""
    if not any((folder / name).exists() for name in (META, KEYS, VECTORS)):
        return False
    try:
        meta = read_meta(folder)
        if (meta["model"], meta["variant"]) == (model, variant):
            return False
    except DiskError:
        raise
    except StoreError:
        pass
    write_json(folder / META, {"model": model, "variant": variant, "dimension": dimension})
    return True


def infer_variant(folder: Path, model: str) -> str:
    """Return the variant in the name of a folder whose description is damaged; empty if it is of another model."""
    start = make_folder_name(model, "")
    variant = folder.name.removeprefix(start)
    return "" if variant == folder.name or "-" in variant else variant


def _count_pairs(folder: Path, dimension: int) -> int:
    """Count the keys that have their whole vector."""
    return min(_count_records(folder, dimension))


def _count_records(folder: Path, dimension: int) -> tuple[int, int]:
    """Count the whole keys and vectors: the keys are counted first, as they are written last."""
    keys = _get_file_size(folder / KEYS) // KEY_BYTES
    return keys, _get_file_size(folder / VECTORS) // (4 * dimension)


def _get_file_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _split_blocks(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS))


def _compute_sums(keys: npt.NDArray[np.uint8], vectors: Vectors) -> Sums:
    """Compute the checksum of each key and its vector."""
    pairs = zip(keys, vectors, strict=True)
    return np.array([zlib.crc32(vector, zlib.crc32(key)) for key, vector in pairs], dtype="<u4")


def _has_unit_length(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Return whether each row has unit length; false for rows with NaN."""
    with np.errstate(all="ignore"):
        near: npt.NDArray[np.bool_] = np.abs(np.linalg.norm(vectors, axis=1) - 1) <= UNIT
    return near


def _write_at(path: Path, offset: int, data: bytes) -> None:
    """Write at `offset`, remove everything after the new data, and force it to the disk."""
    path.touch()
    try:
        with path.open("r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)
        sync_to_disk(path)
    except OSError:
        os.truncate(path, offset)  # half a batch would keep a full disk full
        raise
