"""The reference paragraphs with their labels and vectors, for comparisons of methods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from narratives.embed import load_encoder
from narratives.model import Codebook, Text, embed_passages
from narratives.model.text import Encoder
from narratives.read import load_codebook

ROOT = Path(__file__).resolve().parent.parent
GOLD = ROOT.parent / "shared" / "gold" / "narratives_dev.jsonl"

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]
Vectors = NDArray[np.float32]


@dataclass(slots=True)
class Embed:
    """Texts to unit rows by the project's encoder, each text encoded once."""

    encoder: Encoder
    known: dict[Text, Vectors] = field(default_factory=dict)

    def __call__(self, texts: Sequence[Text]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if text not in self.known]
        for indices, rows in self.encoder.encode(missing) if missing else ():
            self.known.update({missing[i]: row for i, row in zip(indices, rows, strict=True)})
        return np.stack([self.known[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Labels:
    """n labelled paragraphs and k narratives of the default codebook.

    `truth` (n, k) and `usable` (n, k), which is false for pairs that one annotator alone gave; `first` (n,)
    marks the rows of the first drawing; `vectors` (n, d), and `windows` the rows (w_i, d) of each
    paragraph's two-sentence windows; `exemplars` the rows (e_k, d) of each narrative's exemplars.
    """

    codebook: Codebook
    narratives: tuple[str, ...]
    texts: tuple[str, ...]
    documents: tuple[str, ...]
    first: Mask
    truth: Mask
    usable: Mask
    vectors: Vectors
    windows: tuple[Vectors, ...]
    exemplars: tuple[Vectors, ...]


def load(path: Path = GOLD) -> tuple[Labels, Embed]:
    """Read the reference labels and encode their texts with the bundled model."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    codebook = load_codebook(ROOT / "data" / "codebook.toml")
    ids = tuple(narrative.id for narrative in codebook.narratives)
    texts = tuple(row["text"] for row in rows)
    embed = Embed(load_encoder())
    vectors, windows = embed_passages(texts, embed)
    labels = Labels(
        codebook=codebook,
        narratives=ids,
        texts=texts,
        documents=tuple(row["id"].rsplit("-", 1)[0] for row in rows),
        first=np.array([row["drawn"] == "first" for row in rows]),
        truth=np.array([[key in row["labels"] for key in ids] for row in rows]),
        usable=np.array([[key not in row["disputed"] for key in ids] for row in rows]),
        vectors=vectors,
        windows=tuple(windows),
        exemplars=tuple(embed(narrative.exemplars) for narrative in codebook.narratives),
    )
    return labels, embed
