"""Make data/claims.json: how much a text is worded like a claim, learned from the reference labels.

    python -m benchmarks.make_claim_scorer

A ridge regression on function words and cue words separates the paragraphs of the reference labels
that advance any narrative from those that advance none. (The paragraphs that were written for training are left out:
many of them make a claim, but none of the codebook.) It is tested on narratives that it did not see: for each narrative
in turn, it is fitted without the paragraphs that advance it and without a fifth of the documents, and ranks that
narrative's paragraphs above the plain paragraphs of these documents.
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.make_classifier import read_gold
from narratives.discover import fit_claim_scorer
from narratives.resources import DATA_FOLDER
from narratives.workflows.match import CLAIM_SCORER_FILE

FOLDS, SEED = 5, 2016
MIN_TESTED = 5  # positives in the fold of a narrative


def measure_unseen(texts: list[str], labels: list[frozenset[str]], documents: list[str]) -> dict[str, float]:
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
            positive, negative = ~seen & advances, ~seen & plain
            if positive.sum() >= MIN_TESTED:
                scorer = fit_claim_scorer(_select(texts, seen & ~plain & ~advances), _select(texts, seen & plain))
                tested = positive | negative
                area = float(roc_auc_score(positive[tested], scorer.score(_select(texts, tested))))
                found.append((int(positive.sum()), area))
        if found:
            areas[narrative] = float(np.average([area for _, area in found], weights=[n for n, _ in found]))
    return areas


def _select(texts: list[str], rows: NDArray[np.bool_]) -> list[str]:
    return [texts[row] for row in np.flatnonzero(rows)]


def main() -> None:
    rows = [row for row in read_gold() if row["labels"] or not row["disputed"]]
    texts = [str(row["text"]) for row in rows]
    labels = [frozenset(map(str, row["labels"])) for row in rows]  # type: ignore[call-overload]
    areas = measure_unseen(texts, labels, [str(row["document"]) for row in rows])
    for narrative, area in areas.items():
        print(f"{narrative:35} {area:.3f}")
    print(f"{'mean over narratives':35} {np.mean(list(areas.values())):.3f}")
    plain = np.array([not own for own in labels])
    scorer = fit_claim_scorer(_select(texts, ~plain), _select(texts, plain))
    content = {"weights": dict(scorer.weights), "bias": scorer.bias}
    path = DATA_FOLDER / CLAIM_SCORER_FILE
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{path}: {int((~plain).sum()):,} claims, {int(plain.sum()):,} others, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
