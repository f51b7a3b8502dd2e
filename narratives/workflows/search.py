"""Search by meaning: the vector of a sentence against those of a snapshot's statement paragraphs."""

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

# Measured on 29,700 Kremlin paragraphs with the bundled model: of 19 sentences that none of them is about, 17
# come nowhere nearer than this, the others to one or two; of 18 that some are about, every one does.
MIN_SIMILARITY = 0.4
LONGEST = 400  # characters of a sentence; the model reads little more


@dataclass(slots=True)
class VectorIndex:
    """A snapshot's statement paragraphs, copies included, by id, and the rows (n,) of their vectors."""

    paragraph_ids: list[str]
    rows: npt.NDArray[np.int64]
    vectors: VectorFile
    _checked: tuple[int, ...] = ()

    def check(self) -> None:
        """Check the vectors, unless their files are as they were the last time.

        Raises StoreError where one is damaged: the index must be opened anew once a build has mended that.
        """
        stamp = self.vectors.stamp()
        if stamp == self._checked:
            return
        damaged = len(self.vectors.damaged(self.rows))
        if damaged:
            raise StoreError(
                f"whole vectors of the {len(self.rows):,} statement paragraphs",
                f"{damaged:,} that are damaged",
                "Run `build`: it encodes their texts again.",
            )
        self._checked = stamp


def open_index(store: Path, snapshot: Snapshot) -> VectorIndex:
    """Find and check the vectors of a snapshot of the store at `store`.

    Vectors are kept by text, for all snapshots of a store. Raises StoreError where one is missing or damaged.
    """
    manifest = snapshot.meta()
    vectors = Store(store).kept_vectors(manifest.model, manifest.variant)
    statements = query_statement_texts(snapshot)
    rows = vectors.rows(statements["text"].tolist())
    lacking = int((rows < 0).sum())
    if lacking:
        raise StoreError(
            f"a vector for each of the {len(rows)} statement paragraphs of snapshot {manifest.snapshot_id}",
            f"{lacking} without",
            "Copy the folder `vectors` of the store along, or run `build` again.",
        )
    index = VectorIndex(statements["paragraph_id"].tolist(), rows, vectors)
    index.check()
    return index


def load_snapshot_encoder(manifest: SnapshotManifest, source: str = "") -> Encoder:
    """The model that made a snapshot's vectors, in their variant, from this machine alone.

    `source` is where it lies, if it is neither the bundled model nor in the local cache. The libraries are
    imported at the first search. Raises EncoderError where the model is missing or another one.
    """
    hint = (
        "Start the dashboard with NARRATIVES_MODEL set to the folder of the model that the build was given. "
        "Searching for words needs no model."
    )
    try:
        encoder = embed.load_encoder(source or manifest.model, manifest.variant, local_only=True)
    except EncoderError as error:
        raise EncoderError(error.expected, error.got, hint) from error
    if encoder.name != manifest.model:
        raise EncoderError(f"the model {manifest.model}, which made the vectors", encoder.name, hint)
    return encoder


def search_index(index: VectorIndex, encoder: Encoder, text: str) -> dict[str, float]:
    """The paragraphs that come near `text` in meaning: ids with cosine similarity, nearest first.

    Similarities are rounded to 3 decimals; none is below FLOOR, so what nothing is about finds nothing. All
    statement paragraphs are compared: filters are left to `Snapshot.paragraphs(near=...)`, which loses
    nothing, since no number of places is shared out. Raises UsageError where `text` is longer than LONGEST or
    in a language that the model does not read, StoreError where vectors have been damaged since the index was
    opened.
    """
    if len(text) > LONGEST:
        got = f"one of {len(text):,}"
        raise UsageError(f"a sentence of at most {LONGEST} characters", got, "Say it in fewer words.")
    read = sorted(encoder.languages)
    language = detect_paragraph_language(text, "en" if "en" in read else read[0])
    if language not in encoder.languages:
        raise UsageError(
            f"a sentence in a language that the model reads ({', '.join(read)})",
            f"one that reads as {language}",
            "Say it in that language; likeness to anything else would mean nothing.",
        )
    index.check()
    [(_, vectors)] = encoder.encode([text])
    found = index.vectors.similarities(index.rows, vectors[0]).astype(np.float64).round(3)
    near = np.flatnonzero(found >= MIN_SIMILARITY)
    order = near[np.argsort(-found[near], kind="stable")]
    return {index.paragraph_ids[at]: float(found[at]) for at in order}
