"""Semantic search: the vector of a sentence against those of a snapshot's statement paragraphs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from narratives import embed
from narratives.model import EncoderError, SnapshotManifest, StoreError, UsageError
from narratives.model.text import Encoder
from narratives.parse.document import detect_paragraph_language
from narratives.store import Snapshot, Store, VectorFile
from narratives.store.queries.evidence import query_statement_batches
from narratives.workflows.engines.embedder import check_encoder

# Measured on 29,700 Kremlin paragraphs with the bundled model. Of 19 sentences on subjects that no paragraph is
# about, 17 reach this with no paragraph and 2 with one or two paragraphs. All 18 other sentences reach it.
MIN_SIMILARITY = 0.4
MAX_SENTENCE_LENGTH = 400  # characters; the model does not read much more


@dataclass(slots=True)
class VectorIndex:
    """The ids of n statement paragraphs of a snapshot, copies included, and the rows (n,) of their vectors.

    They are in the order of the rows, so that the file is read from its beginning to its end. `places` (n,) are their
    places in the order of ids.
    """

    paragraph_ids: pa.Array[pa.StringScalar]
    places: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    vectors: VectorFile
    _checked: tuple[int, ...] = ()

    def check(self) -> None:
        """Check the vectors if their files have changed since the last check.

        Raises StoreError if one is damaged. Open a new index after a build has repaired it.
        """
        stamp = self.vectors.read_stamp()
        if stamp == self._checked:
            return
        if damaged := len(self.vectors.find_damaged(self.rows)):
            expected = f"intact vectors of the {len(self.rows):,} statement paragraphs"
            hint = "Run `build` to encode their texts again."
            raise StoreError(expected, f"{damaged:,} damaged vectors", hint)
        self._checked = stamp


def open_index(store: Path, snapshot: Snapshot) -> VectorIndex:
    """Find and check the vectors of a snapshot of the store at `store`.

    Vectors are stored by text, for all snapshots of a store. Raises StoreError for a missing or damaged one.
    """
    manifest = snapshot.meta()
    vectors = Store(store).open_existing_vectors(manifest.model, manifest.variant)
    ids: list[pa.Array[pa.StringScalar]] = [pa.array([], pa.string())]
    found = [np.empty(0, np.int64)]
    for batch in query_statement_batches(snapshot):  # all texts at once would take much memory
        ids.append(pa.array(batch["paragraph_id"], pa.string()))
        found.append(vectors.rows(batch["text"].tolist()))
    rows = np.concatenate(found)
    if missing := int((rows < 0).sum()):
        expected = f"a vector for each of the {len(rows)} statement paragraphs of snapshot {manifest.snapshot_id}"
        hint = "Copy the folder `vectors` into the store, or run `build` again."
        raise StoreError(expected, f"{missing} without a vector", hint)
    places = np.argsort(rows, kind="stable")
    index = VectorIndex(pa.concat_arrays(ids).take(pa.array(places)), places, rows[places], vectors)
    index.check()
    return index


def load_snapshot_encoder(manifest: SnapshotManifest, source: str = "") -> Encoder:
    """Load the model of a snapshot's vectors, in their variant, without any connection.

    `source` is its folder if it is neither the bundled model nor in the local cache. Raises EncoderError if the
    model is missing or is a different one.
    """
    hint = (
        "Set NARRATIVES_MODEL to the folder of the model that the build used, and restart the dashboard. "
        "A search for words needs no model."
    )
    try:
        encoder = embed.load_encoder(source or manifest.model, manifest.variant, local_only=True)
    except EncoderError as error:
        raise EncoderError(error.expected, error.got, hint) from error
    if encoder.name != manifest.model:
        raise EncoderError(f"the model {manifest.model}, which made the vectors", encoder.name, hint)
    check_encoder(encoder)
    return encoder


def search_index(index: VectorIndex, encoder: Encoder, text: str) -> dict[str, float]:
    """Find the paragraphs close to `text` in meaning: ids with cosine similarity, nearest first.

    All statement paragraphs are compared; apply filters afterwards with `EvidenceQuery.similar`. Similarities have
    3 decimals and are at least MIN_SIMILARITY, so the result is empty if no paragraph is about the subject. Raises
    UsageError if `text` is longer than MAX_SENTENCE_LENGTH or in a language that the model does not read, and
    StoreError if vectors were damaged after the index was opened.
    """
    if len(text) > MAX_SENTENCE_LENGTH:
        got = f"{len(text):,} characters"
        raise UsageError(f"a sentence of at most {MAX_SENTENCE_LENGTH} characters", got, "Use fewer words.")
    languages = sorted(encoder.languages)
    language = detect_paragraph_language(text, "en" if "en" in languages else languages[0])
    if language not in languages:
        expected = f"a sentence in a language that the model reads ({', '.join(languages)})"
        raise UsageError(expected, f"a sentence in {language}", "Write it in one of these languages.")
    index.check()
    [(_, vectors)] = encoder.encode([text])
    similarities = index.vectors.similarities(index.rows, vectors[0]).astype(np.float64).round(3)
    near = np.flatnonzero(similarities >= MIN_SIMILARITY)
    order = near[np.lexsort((index.places[near], -similarities[near]))]
    ids = index.paragraph_ids.take(pa.array(order)).to_pylist()
    return dict(zip(ids, similarities[order].tolist(), strict=True))
