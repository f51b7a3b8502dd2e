"""The vectors of a build: from the vector file of the store, or else from an encoder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from narratives import discover, embed, model
from narratives.model import Progress
from narratives.model.text import Encoder, Text, VectorRows
from narratives.resources import DATA_FOLDER
from narratives.store import Store, VectorFile

log = logging.getLogger(__name__)

MIN_COSINE = 0.999  # of a text's vector with the one that ships


def check_encoder(encoder: Encoder) -> None:
    """Compare some vectors of the bundled model with those that ship, which PyTorch made in fp32; once for an encoder.

    Where this processor computes others, the encoder uses PyTorch from now on, and a warning is logged.
    """
    base = encoder.base if isinstance(encoder, embed.SentenceEncoder) else None
    if base is None or base.name != embed.BUNDLED_NAME or base.uses_torch or base.is_checked:
        return
    base.is_checked = True
    shipped, texts = Store(DATA_FOLDER).vectors(base.name, "fp32", base.dimension), discover.ROUTINE_TEXTS
    if shipped.missing(texts):  # of another version
        return
    least = float((embed.encode_all(base, texts) * shipped.get(texts)).sum(axis=1).min())
    if not least >= MIN_COSINE:  # it may be no number
        log.warning("OpenVINO computes other vectors on this processor (cosine %.4f), so PyTorch is used.", least)
        base.use_torch()
    if base is not encoder:  # a classifier has a network of its own
        base.release()


class Embedder:
    """Vectors of texts, from the vector file or else from the encoder, which are then stored at once.

    Vectors that ship with the program (benchmarks/make_vectors.py) are taken instead of encoding, so that the sample
    needs no model. `encoded` and `reused` count different texts: those that this build encoded, and the others. A
    text and its parts are one.
    """

    def __init__(self, encoder: Encoder, vectors: VectorFile, progress: Progress, stage: str = "encoding") -> None:
        self.encoder, self.encoded, self.reused = encoder, 0, 0
        self._vectors, self._progress, self._stage = vectors, progress, stage
        self._shipped = Store(DATA_FOLDER).vectors(encoder.name, encoder.variant, vectors.dimension)
        self._asked = np.zeros(0, np.bool_)  # of each row of the file, whether this build asked for its text

    def add(self, texts: Iterable[Text]) -> None:
        """Encode the texts and parts that the file lacks. Every batch is stored at once, so a stop loses no vector."""
        listed = list(dict.fromkeys(texts))
        rows = self._vectors.rows(listed)
        different = list(compress(listed, ~self._find_asked(rows)))
        if not different:
            return
        lacking = list(compress(listed, rows < 0))
        missing = self._take_shipped(lacking)
        to_encode = len(set(map(_get_whole, missing)))
        self.reused += len(set(map(_get_whole, different))) - to_encode
        done: set[str] = set()
        self._progress(self._stage, 0, to_encode)
        if missing:
            check_encoder(self.encoder)
        for indices, vectors in self.encoder.encode(missing) if missing else ():
            self._vectors.append([missing[i] for i in indices], vectors)
            done.update(_get_whole(missing[i]) for i in indices)
            self._progress(self._stage, len(done), to_encode)
        self.encoded += len(done)
        self._mark_asked(np.concatenate([rows[rows >= 0], self._vectors.rows(lacking)]))

    def _find_asked(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of these rows of the file this build asked for; -1 is none."""
        asked = (rows >= 0) & (rows < len(self._asked))
        asked[asked] = self._asked[rows[asked]]
        return asked

    def _mark_asked(self, rows: NDArray[np.int64]) -> None:
        rows = rows[rows >= 0]
        more = int(rows.max(initial=-1)) + 1 - len(self._asked)
        self._asked = np.pad(self._asked, (0, max(0, more)))
        self._asked[rows] = True

    def get_known(self, texts: Sequence[str]) -> list[bytes | None]:
        """Return the stored vector of each text as bytes, None if there is none."""
        self._take_shipped(self._vectors.missing(texts))
        is_known = self._vectors.rows(texts) >= 0
        known = iter(self._vectors.get([text for text, one in zip(texts, is_known, strict=True) if one]))
        return [next(known).tobytes() if one else None for one in is_known]

    def keep(self, vectors: Mapping[str, bytes]) -> None:
        """Store vectors that were computed elsewhere, by their texts."""
        self._vectors.append(list(vectors), np.array([np.frombuffer(row, "<f4") for row in vectors.values()]))
        self._mark_asked(self._vectors.rows(list(vectors)))
        self.encoded += len(vectors)

    def release(self) -> None:
        """Give back the memory of the model, which is opened again if a text has to be encoded."""
        if isinstance(self.encoder, embed.SentenceEncoder):
            self.encoder.release()

    def _take_shipped(self, texts: list[Text]) -> list[Text]:
        """Store the vectors that ship with the program, and return the texts that it has none for."""
        rows = self._shipped.rows(texts)
        found = [text for text, row in zip(texts, rows, strict=True) if row >= 0]
        if not found:
            return texts
        if len(self._shipped.find_damaged(rows[rows >= 0])):
            log.warning("The vectors that ship with the program are damaged and not used. Install it again.")
            return texts
        self._vectors.append(found, self._shipped.get(found))
        return [text for text, row in zip(texts, rows, strict=True) if row < 0]

    def __call__(self, texts: Sequence[Text]) -> model.VectorArray:
        """Return the unit vectors of the texts, (n, dimension) float32, in their order."""
        return self._vectors.take(self._find_rows(texts))

    def load(self, texts: Sequence[Text]) -> VectorRows:
        """Return the unit vectors of the texts as a call does, but leave those of many texts in the file."""
        return self._vectors.load(self._find_rows(texts))

    def _find_rows(self, texts: Sequence[Text]) -> NDArray[np.int64]:
        """Return the row of each text in the file, after encoding those that it lacks."""
        rows = self._vectors.rows(texts)
        if self._find_asked(rows).all():
            return rows
        self.add(texts)
        return self._vectors.require_rows(texts)


def _get_whole(text: Text) -> str:
    return text if isinstance(text, str) else text.text
