"""Texts to vectors for a build: from the store where it has them, else from the encoder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from narratives import track
from narratives.model import Progress
from narratives.store import Store, VectorFile

log = logging.getLogger(__name__)


def encoder_of(store: Store, model: str) -> track.Encoder:
    """The model in the variant that the store began with, so that scores do not move with the machine."""
    encoder = track.load_encoder(model)
    kept = store.variant(encoder.name)
    return encoder if kept in (None, encoder.variant) else track.load_encoder(model, kept)


def mend_vectors(store: Store, encoder: track.Encoder) -> tuple[str, ...]:
    """See to it that no damaged vector of the encoder's is used; returns what was damaged, in words."""
    mended = store.mend_vectors(encoder.name, encoder.variant)
    if mended.summed:
        log.info("%s stored vectors were without checksums and have them now.", f"{mended.summed:,}")
    if not mended.damaged:
        return ()
    note = f"{mended.damaged:,} stored vectors were damaged; texts that need one of them are encoded again."
    log.warning(note)
    return (note,)


class Embedder:
    """Vectors of texts: from the vector file where it has them, else from the encoder, kept at once.

    `encoded` and `reused` count different texts: those that this build encoded, and those it did not need to.
    """

    def __init__(self, encoder: track.Encoder, vectors: VectorFile, progress: Progress) -> None:
        self.encoder, self.encoded, self.reused = encoder, 0, 0
        self._vectors, self._progress = vectors, progress
        self._asked: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """Encode what the file lacks, a batch at a time; stopped between two batches, it loses nothing."""
        different = [text for text in dict.fromkeys(texts) if text not in self._asked]
        if not different:
            return
        self._asked.update(different)
        missing = self._vectors.missing(different)
        self.reused += len(different) - len(missing)
        done = 0
        self._progress("encoding", done, len(missing))
        for indices, rows in self.encoder.encode(missing) if missing else ():
            self._vectors.append([missing[i] for i in indices], rows)
            done += len(indices)
            self._progress("encoding", done, len(missing))
        self.encoded += done

    def __call__(self, texts: Sequence[str]) -> track.Vectors:
        """Unit vectors of the texts, (n, dimension) float32, in their order."""
        self.add(texts)
        return self._vectors.get(texts)
