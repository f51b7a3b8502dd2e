"""Semantic search: the vector of a sentence against those of a snapshot's statement paragraphs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from narratives import embed
from narratives.model import EncoderError, SnapshotManifest, StoreError, UsageError
from narratives.model.text import Encoder
from narratives.parse.document import detect_paragraph_language
from narratives.store import Snapshot, Store, VectorFile
from narratives.store.queries.evidence import query_statement_texts

# Measured on 29,700 Kremlin paragraphs with the bundled model. Of 19 sentences on subjects that no paragraph is
# about, 17 reach this with no paragraph, and the others with one or two. Of 18 other sentences, all reach it.
MIN_SIMILARITY = 0.4
LONGEST = 400  # characters of a sentence; the model does not read much more


@dataclass(slots=True)
class VectorIndex:
    """The ids of a snapshot's statement paragraphs, copies included, and the rows (n,) of their vectors."""

    paragraph_ids: list[str]
    rows: npt.NDArray[np.int64]
    vectors: VectorFile
    _checked: tuple[int, ...] = ()

    def check(self) -> None:
        """Check the vectors if their files have changed since the last check.

        Raises StoreError where one is damaged. Open a new index after a build has repaired it.
        """
        stamp = self.vectors.stamp()
        if stamp == self._checked:
            return
        damaged = len(self.vectors.damaged(self.rows))
        if damaged:
            raise StoreError(
                f"intact vectors of the {len(self.rows):,} statement paragraphs",
                f"{damaged:,} damaged vectors",
                "Run `build` to encode their texts again.",
            )
        self._checked = stamp


def open_index(store: Path, snapshot: Snapshot) -> VectorIndex:
    """Find and check the vectors of a snapshot of the store at `store`.

    Vectors are stored by text, for all snapshots of a store. Raises StoreError for a missing or damaged one.
    """
    manifest = snapshot.meta()
    vectors = Store(store).kept_vectors(manifest.model, manifest.variant)
    statements = query_statement_texts(snapshot)
    rows = vectors.rows(statements["text"].tolist())
    missing = int((rows < 0).sum())
    if missing:
        raise StoreError(
            f"a vector for each of the {len(rows)} statement paragraphs of snapshot {manifest.snapshot_id}",
            f"{missing} without a vector",
            "Copy the folder `vectors` into the store, or run `build` again.",
        )
    index = VectorIndex(statements["paragraph_id"].tolist(), rows, vectors)
    index.check()
    return index


def load_snapshot_encoder(manifest: SnapshotManifest, source: str = "") -> Encoder:
    """Load the model of a snapshot's vectors, in their variant, without any connection.

    `source` is its folder if it is neither the bundled model nor in the local cache. The libraries are imported
    at the first search. Raises EncoderError where the model is missing or is another one.
    """
    hint = (
        "Set NARRATIVES_MODEL to the folder of the model that the build used, and start the dashboard again. "
        "A search for words needs no model."
    )
    try:
        encoder = embed.load_encoder(source or manifest.model, manifest.variant, local_only=True)
    except EncoderError as error:
        raise EncoderError(error.expected, error.got, hint) from error
    if encoder.name != manifest.model:
        raise EncoderError(f"the model {manifest.model}, which made the vectors", encoder.name, hint)
    return encoder


def search_index(index: VectorIndex, encoder: Encoder, text: str) -> dict[str, float]:
    """Find the paragraphs close to `text` in meaning: ids with cosine similarity, nearest first.

    Similarities have 3 decimals and are at least MIN_SIMILARITY, so a text that no paragraph is about finds
    nothing. All statement paragraphs are compared; apply filters afterwards with
    `Snapshot.paragraphs(near=...)`. Raises UsageError where `text` is longer than LONGEST or in a language that
    the model does not read, StoreError where vectors were damaged after the index was opened.
    """
    if len(text) > LONGEST:
        got = f"one of {len(text):,}"
        raise UsageError(f"a sentence of at most {LONGEST} characters", got, "Use fewer words.")
    read = sorted(encoder.languages)
    language = detect_paragraph_language(text, "en" if "en" in read else read[0])
    if language not in encoder.languages:
        raise UsageError(
            f"a sentence in a language that the model reads ({', '.join(read)})",
            f"one that reads as {language}",
            "Write it in a language that the model reads.",
        )
    index.check()
    [(_, vectors)] = encoder.encode([text])
    similarities = index.vectors.similarities(index.rows, vectors[0]).astype(np.float64).round(3)
    near = np.flatnonzero(similarities >= MIN_SIMILARITY)
    order = near[np.argsort(-similarities[near], kind="stable")]
    return {index.paragraph_ids[at]: float(similarities[at]) for at in order}
