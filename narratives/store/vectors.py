"""The vector file: every text is encoded once per model and variant, whatever snapshots come and go.

Two append-only files side by side: row i of `vectors.f32` (float32, C order) belongs to the 16-byte key i of
`keys.bin`, a hash of the text. A batch's vectors are on the disk before its keys are written, so a key that
is there always has its vector; whatever lies beyond the last whole pair is ignored by readers and cut off by
the next append, keys first. So neither a kill nor a lost end of either file gives a text a wrong vector.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from narratives.model import StoreError
from narratives.store.files import sync, write_atomically

KEY_BYTES = 16
BLOCK = 16_384  # rows compared at a time

Vectors = npt.NDArray[np.float32]


def folder_name(model: str, variant: str) -> str:
    """A folder name for a model (a name or a path) and variant; unlike models never share one."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(model).name).strip("-.")
    if plain != model:
        plain += "-" + hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"{plain}-{variant}"


def key_of(text: str) -> bytes:
    """The 16 bytes under which a text's vector is kept."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


class VectorFile:
    """The vectors of one model and variant in one store.

    One process may append at a time (the store's lock sees to it); any number may read meanwhile.
    Raises StoreError where the folder holds another model, variant or dimension.
    """

    def __init__(self, folder: Path, model: str, variant: str, dimension: int) -> None:
        self.dimension = dimension
        self._folder = folder
        self._meta = {"model": model, "variant": variant, "dimension": dimension}
        if (folder / "meta.json").exists():
            found = read_meta(folder)
            if found != self._meta:
                raise StoreError(f"vectors of {self._meta} in {folder}", str(found), "Use another --store.")
        self._load()

    def __len__(self) -> int:
        return self._count

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that have no vector yet, each once, in the order of their first appearance."""
        unlike = list(dict.fromkeys(texts))
        rows = self.rows(unlike)
        return [text for text, row in zip(unlike, rows, strict=True) if row < 0]

    def append(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep one vector per text, (n, dimension) float32; texts that have one already keep that.

        On return the batch is on the disk; killed earlier, the file is as before or holds whole pairs of
        the batch's beginning. Raises ValueError where shapes do not fit or a value is not finite.
        """
        if vectors.shape != (len(texts), self.dimension):
            raise ValueError(f"expected vectors of shape {(len(texts), self.dimension)}, got {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("expected finite vectors, got NaN or infinity")
        if _pairs(self._folder, self.dimension) != self._count:
            self._load()
        fresh = {text: at for at, text in reversed(list(enumerate(texts)))}
        wanted = self.missing(texts)
        if not wanted:
            return
        rows = np.ascontiguousarray(vectors[[fresh[text] for text in wanted]], dtype="<f4")
        keys = [key_of(text) for text in wanted]
        if not (self._folder / "meta.json").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(
                self._folder / "meta.json", (json.dumps(self._meta, sort_keys=True) + "\n").encode()
            )
        # Keys beyond the last whole pair go first: no old key may come to stand beside a new vector.
        _write_at(self._folder / "keys.bin", self._count * KEY_BYTES, b"")
        _write_at(self._folder / "vectors.f32", self._count * self.dimension * 4, rows.tobytes())
        _write_at(self._folder / "keys.bin", self._count * KEY_BYTES, b"".join(keys))
        self._recent.update(zip(keys, range(self._count, self._count + len(keys)), strict=True))
        self._count += len(keys)

    def get(self, texts: Sequence[str]) -> Vectors:
        """The vectors of the texts, (n, dimension) float32 in their order. Raises StoreError if one lacks."""
        rows = self.rows(texts)
        lacking = int((rows < 0).sum())
        if lacking:
            raise StoreError(
                "a vector for every text", f"{lacking} of {len(texts)} without", "Run `build` again."
            )
        if not len(texts):
            return np.empty((0, self.dimension), np.float32)
        return np.asarray(self._kept()[rows], dtype=np.float32)

    def similarities(self, rows: npt.NDArray[np.int64], vector: Vectors) -> Vectors:
        """Inner products (n,) of one vector (dimension,) with the vectors in these rows.

        The file is mapped, not read into memory, and a block of it copied at a time.
        """
        if not len(rows):
            return np.empty(0, np.float32)
        kept = self._kept()
        parts = [kept[rows[start : start + BLOCK]] @ vector for start in range(0, len(rows), BLOCK)]
        return np.concatenate(parts).astype(np.float32)

    def _kept(self) -> Vectors:
        return np.memmap(
            self._folder / "vectors.f32", dtype="<f4", mode="r", shape=(self._count, self.dimension)
        )

    def _load(self) -> None:
        """Index the whole pairs on the disk: sorted keys, and the row of each."""
        self._count = _pairs(self._folder, self.dimension)
        keys = np.empty(0, f"S{KEY_BYTES}")
        if self._count:
            keys = np.fromfile(self._folder / "keys.bin", dtype=f"S{KEY_BYTES}", count=self._count)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        # Appended since: a sorted array would have to be made anew for every batch.
        self._recent: dict[bytes, int] = {}

    def rows(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Row of each text's vector, -1 where there is none. Rows never move while the file lasts."""
        keys = [key_of(text) for text in texts]
        rows = np.array([self._recent.get(key, -1) for key in keys], dtype=np.int64)
        if len(self._sorted) and len(keys):
            wanted = np.array(keys, dtype=f"S{KEY_BYTES}")
            at = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
            found = self._sorted[at] == wanted
            rows[found] = self._order[at[found]]
        return rows


def read_meta(folder: Path) -> dict[str, str | int]:
    """Model, variant and dimension of a vector folder. Raises StoreError where its meta.json is damaged."""
    path = folder / "meta.json"
    try:
        found = json.loads(path.read_bytes())
        return {
            "model": str(found["model"]),
            "variant": str(found["variant"]),
            "dimension": int(found["dimension"]),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        got = f"{type(error).__name__}: {error}"
        raise StoreError(
            f"a description of vectors in {path}", got, f"Delete {folder} and build again."
        ) from error


def _pairs(folder: Path, dimension: int) -> int:
    """How many keys have their whole vector."""
    sizes = [
        path.stat().st_size if path.exists() else 0 for path in (folder / "vectors.f32", folder / "keys.bin")
    ]
    return min(sizes[0] // (4 * dimension), sizes[1] // KEY_BYTES)


def _write_at(path: Path, offset: int, data: bytes) -> None:
    """Write at the end of the whole records, cutting off what lies beyond, and force it to the disk."""
    path.touch()
    with path.open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
    sync(path)
