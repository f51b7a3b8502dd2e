"""Make data/claims.json: how much a text is worded like a claim, learned from the reference labels.

    python -m benchmarks.make_claim_scorer FOLDER

A ridge regression on the vectors of the bundled model separates labelled paragraphs that advance any narrative from
those that advance none. The labels are those of the classifier: the two files of reference labels and the paragraphs
that were written for training. It is tested on narratives that it did not see: for each narrative in turn, it is fitted
without the paragraphs that advance it and without a fifth of the documents, and ranks that narrative's paragraphs above
the plain paragraphs of these documents. FOLDER keeps the vectors.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.make_classifier import ROOT, read_gold, read_rows
from narratives.discover import ClaimScorer, fit_claim_scorer
from narratives.embed import load_encoder
from narratives.embed.encoder import BUNDLED_SHA256
from narratives.model import VectorArray, no_progress
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER
from narratives.store import Store
from narratives.workflows.match import CLAIM_SCORER_FILE, Embedder

FOLDS, SEED = 5, 2016
MIN_TESTED = 5  # positives in the fold of a narrative


def compute_auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Compute the area under the curve: how often a positive score is above a negative one."""
    ranks = np.searchsorted(np.sort(negative), positive, "left") + np.searchsorted(np.sort(negative), positive, "right")
    return float(ranks.mean() / 2 / len(negative))


def test_unseen(
    vectors: VectorArray, labels: list[frozenset[str]], documents: list[str], tested: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the area under the curve of every narrative, by a scorer that saw neither it nor the documents."""
    draw = np.random.default_rng(SEED)
    fold_of = {document: int(draw.integers(FOLDS)) for document in sorted(set(documents))}
    folds = np.array([fold_of[document] for document in documents])
    plain = np.array([not own for own in labels])
    areas = {}
    for narrative in sorted(set().union(*labels)):
        advances = np.array([narrative in own for own in labels])
        found = []
        for fold in range(FOLDS):
            seen = folds != fold
            scorer = fit_claim_scorer(vectors[seen & ~plain & ~advances], vectors[seen & plain])
            positive, negative = ~seen & advances & tested, ~seen & plain & tested
            if positive.sum() >= MIN_TESTED:
                found.append(
                    (int(positive.sum()), compute_auc(scorer.score(vectors[positive]), scorer.score(vectors[negative])))
                )
        if found:
            areas[narrative] = float(np.average([area for _, area in found], weights=[n for n, _ in found]))
    return areas


def main(folder: Path) -> None:
    gold = list(read_gold())
    written = [row for row in read_rows(ROOT / "benchmarks/training_texts.jsonl")]
    rows = [row for row in [*gold, *written] if row["labels"] or not row["disputed"]]
    known = {narrative.id for narrative in load_codebook(DATA_FOLDER / "codebook.toml").narratives}
    labels = [frozenset(map(str, row["labels"])) & known for row in rows]  # type: ignore[call-overload]
    documents = [str(row.get("document") or f"written-{number}") for number, row in enumerate(rows)]
    tested = np.array(["document" in row for row in rows])
    encoder = load_encoder(variant="fp32")
    store = Store(folder)
    embed = Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), no_progress)
    vectors = embed([str(row["text"]) for row in rows])
    areas = test_unseen(vectors, labels, documents, tested)
    for narrative, area in areas.items():
        print(f"{narrative:35} {area:.3f}")
    print(f"{'mean over narratives':35} {np.mean(list(areas.values())):.3f}")
    plain = np.array([not own for own in labels])
    scorer: ClaimScorer = fit_claim_scorer(vectors[~plain], vectors[plain])
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
