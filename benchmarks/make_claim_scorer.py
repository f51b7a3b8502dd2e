"""Make data/claims.json: how much a text is worded like a claim, learned from the reference labels.

    python -m benchmarks.make_claim_scorer FOLDER

A ridge regression on the vectors of the bundled model and on cue words separates the paragraphs of the reference labels
that advance any narrative from those that advance none. (The paragraphs that were written for training are left out:
many of them make a claim, but none of the codebook.) It is tested on narratives that it did not see: for each narrative
in turn, it is fitted without the paragraphs that advance it and without a fifth of the documents, and ranks that
narrative's paragraphs above the plain paragraphs of these documents. FOLDER keeps the vectors.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.make_classifier import read_gold
from narratives.discover import ClaimScorer, fit_claim_scorer
from narratives.embed import load_encoder
from narratives.embed.encoder import BUNDLED_SHA256
from narratives.model import VectorArray, no_progress
from narratives.resources import DATA_FOLDER
from narratives.store import Store
from narratives.workflows.match import CLAIM_SCORER_FILE, Embedder

FOLDS, SEED = 5, 2016
MIN_TESTED = 5  # positives in the fold of a narrative


def compute_auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Compute the area under the curve: how often a positive score is above a negative one."""
    ranks = np.searchsorted(np.sort(negative), positive, "left") + np.searchsorted(np.sort(negative), positive, "right")
    return float(ranks.mean() / 2 / len(negative))


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled paragraphs with their vectors, narratives and documents."""

    texts: list[str]
    vectors: VectorArray
    labels: list[frozenset[str]]
    documents: list[str]

    def fit(self, claims: NDArray[np.bool_], plain: NDArray[np.bool_]) -> ClaimScorer:
        """Fit a scorer to these rows."""
        sides = (([self.texts[row] for row in np.flatnonzero(mask)], self.vectors[mask]) for mask in (claims, plain))
        return fit_claim_scorer(*sides)

    def score(self, scorer: ClaimScorer, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Score these rows."""
        return scorer.score([self.texts[row] for row in np.flatnonzero(rows)], self.vectors[rows])


def measure_unseen(data: Labelled) -> dict[str, float]:
    """Return the area under the curve of every narrative, by a scorer that saw neither it nor the documents."""
    draw = np.random.default_rng(SEED)
    fold_of = {document: int(draw.integers(FOLDS)) for document in sorted(set(data.documents))}
    folds = np.array([fold_of[document] for document in data.documents])
    plain = np.array([not own for own in data.labels])
    areas = {}
    for narrative in sorted(set().union(*data.labels)):
        advances = np.array([narrative in own for own in data.labels])
        found = []
        for fold in range(FOLDS):
            seen = folds != fold
            positive, negative = ~seen & advances, ~seen & plain
            if positive.sum() >= MIN_TESTED:
                scorer = data.fit(seen & ~plain & ~advances, seen & plain)
                area = compute_auc(data.score(scorer, positive), data.score(scorer, negative))
                found.append((int(positive.sum()), area))
        if found:
            areas[narrative] = float(np.average([area for _, area in found], weights=[n for n, _ in found]))
    return areas


def main(folder: Path) -> None:
    rows = [row for row in read_gold() if row["labels"] or not row["disputed"]]
    encoder = load_encoder(variant="fp32")
    store = Store(folder)
    embed = Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), no_progress)
    texts = [str(row["text"]) for row in rows]
    labels = [frozenset(map(str, row["labels"])) for row in rows]  # type: ignore[call-overload]
    data = Labelled(texts, embed(texts), labels, [str(row["document"]) for row in rows])
    areas = measure_unseen(data)
    for narrative, area in areas.items():
        print(f"{narrative:35} {area:.3f}")
    print(f"{'mean over narratives':35} {np.mean(list(areas.values())):.3f}")
    plain = np.array([not own for own in labels])
    scorer = data.fit(~plain, plain)
    content = {
        "model": encoder.name,
        "sha256": BUNDLED_SHA256,
        "weights": [round(float(weight), 3) for weight in scorer.weights],
        "bias": scorer.bias,
    }
    path = DATA_FOLDER / CLAIM_SCORER_FILE
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{path}: {int((~plain).sum()):,} claims, {int(plain.sum()):,} others, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
