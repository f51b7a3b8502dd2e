"""How well the codebook alone matches the reference labels, cross-validated by document.

    python -m benchmarks.match_quality [GOLD.jsonl] [--variant fp32|bf16]

Prints, per narrative, precision, recall, F1 (at thresholds chosen out of fold), average precision and
support, and the thresholds that all rows together suggest. Pairs of paragraph and
narrative on which the annotators disagreed are left out. The labels are machine annotation, made by two
language models, and the rows were drawn to be rich in narratives: these figures rank methods, and say nothing
about prevalence. Only thresholds are fitted here. The exemplars were improved by reading errors on the same
rows, so expect somewhat less on other documents.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from narratives.embed.encoder import encode_all, load_encoder
from narratives.match.calibration import load_background, to_score
from narratives.match.matcher import fit_matcher
from narratives.model import Codebook
from narratives.model.text import embed_passages
from narratives.read import load_codebook

ROOT = Path(__file__).resolve().parent.parent
FOLDS, REPEATS = 8, 5
SMOOTHING = 0.4  # of the F1 curve over thresholds, in standard deviations of evidence
SHARED_WEIGHT = 1.0  # of the mean curve of all narratives, against a narrative's own positives / 10
EVIDENCE = np.arange(-1, 14, 0.05)
GRID = to_score(EVIDENCE)
Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Scores and evidence (n, k) beside reference labels (n, k); `usable` is false for disputed pairs.

    `codebook` (its digest) and `model` say what gave the scores.
    """

    narratives: tuple[str, ...]
    documents: NDArray[np.str_]
    scores: Scores
    labels: Mask
    usable: Mask
    codebook: str
    model: str
    texts: tuple[str, ...]
    evidence: NDArray[np.float64]


def load(gold: Path, variant: str = "", codebook: Codebook | None = None) -> Labelled:
    """Match the reference paragraphs with a codebook (the default one), bundled model, shipped background."""
    rows = [json.loads(line) for line in gold.read_text("utf-8").splitlines()]
    encoder = load_encoder(variant=variant)

    embed = partial(encode_all, encoder)

    codebook = codebook or load_codebook(ROOT / "data/codebook.toml")
    matcher = fit_matcher(codebook, embed, load_background(ROOT / "data/background.npz"))
    texts = [row["text"] for row in rows]
    ids = matcher.narrative_ids
    found = matcher.match(texts, *embed_passages(texts, embed))
    return Labelled(
        narratives=ids,
        documents=np.array([row["id"].rsplit("-", 1)[0] for row in rows]),
        scores=found.scores,
        labels=np.array([[narrative in row["labels"] for narrative in ids] for row in rows]),
        usable=np.array([[narrative not in row["disputed"] for narrative in ids] for row in rows]),
        codebook=codebook.digest,
        model=encoder.name,
        texts=tuple(texts),
        evidence=found.evidence,
    )


def f1(truth: Mask, said: Mask) -> float:
    """F1 of one narrative; 0 where nothing is true and nothing is said."""
    return float(2 * (truth & said).sum() / max(1, truth.sum() + said.sum()))


def choose_thresholds(data: Labelled, rows: Mask) -> Scores:
    """A threshold a narrative (k,) from `rows`: where the smoothed F1 curve peaks, shrunk to a shared curve.

    With 10 to 50 positives the raw curve is jagged and its peak is luck; smoothing along the threshold and
    adding the mean curve of all narratives (as if it came from ten more positives) steadies the choice.
    """
    offsets = np.arange(-30, 31) * 0.05
    kernel = np.exp(-0.5 * (offsets / SMOOTHING) ** 2)
    curves, weights = [], []
    for k in range(len(data.narratives)):
        use = rows & data.usable[:, k]
        truth = data.labels[use, k]
        said = data.scores[use, k][:, None] >= GRID.astype(np.float32)
        curve = 2 * said[truth].sum(axis=0) / np.maximum(1, truth.sum() + said.sum(axis=0))
        curves.append(np.convolve(np.pad(curve, 30, mode="edge"), kernel / kernel.sum(), "valid"))
        weights.append(truth.sum() / 10)
    shared = np.mean(curves, axis=0)
    pairs = zip(weights, curves, strict=True)
    peaks = [int((weight * own + SHARED_WEIGHT * shared).argmax()) for weight, own in pairs]
    return GRID[peaks].astype(np.float32)


def folds_of(data: Labelled, seed: int) -> NDArray[np.intp]:
    """A fold for each row, whole documents in one fold."""
    documents = np.unique(data.documents)
    fold_of = dict(zip(documents, np.random.default_rng(seed).integers(0, FOLDS, len(documents)), strict=True))
    return np.array([fold_of[document] for document in data.documents], np.intp)


def out_of_fold(data: Labelled, seed: int) -> Mask:
    """What is said of each pair (n, k) at thresholds chosen without the pair's document."""
    folds = folds_of(data, seed)
    said = np.zeros_like(data.labels)
    for fold in range(FOLDS):
        said[folds == fold] = data.scores[folds == fold] >= choose_thresholds(data, folds != fold)
    return said


def table(data: Labelled) -> list[tuple[str, float, float, float, float, int]]:
    """Rows (narrative, precision, recall, F1, average precision, support), the mean of all repeats."""
    repeats = [out_of_fold(data, seed) for seed in range(REPEATS)]
    result = []
    for k, narrative in enumerate(data.narratives):
        use = data.usable[:, k]
        truth = data.labels[use, k]
        hits = np.array([(truth & said[use, k]).sum() for said in repeats])
        claimed = np.array([said[use, k].sum() for said in repeats])
        result.append(
            (
                narrative,
                float((hits / np.maximum(1, claimed)).mean()),
                float((hits / max(1, truth.sum())).mean()),
                float(np.mean([f1(truth, said[use, k]) for said in repeats])),
                float(average_precision_score(truth, data.scores[use, k])),
                int(truth.sum()),
            )
        )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("gold", nargs="?", type=Path, default=ROOT.parent / "shared/gold/narratives_dev.jsonl")
    parser.add_argument("--variant", default="", help="fp32 or bf16; default: what suits this CPU")
    arguments = parser.parse_args()
    data = load(arguments.gold, arguments.variant)
    rows = table(data)
    suggested = choose_thresholds(data, np.ones(len(data.documents), bool))
    print(f"{'narrative':34}{'precision':>10}{'recall':>8}{'F1':>7}{'AP':>7}{'n':>5}{'threshold':>11}")
    for row, threshold in zip(rows, suggested, strict=True):
        narrative, precision, recall, score, average, support = row
        print(f"{narrative:34}{precision:10.2f}{recall:8.2f}{score:7.2f}{average:7.2f}{support:5}{threshold:11.3f}")
    precision, recall, score, average = np.mean([row[1:5] for row in rows], axis=0)
    print(f"{'macro':34}{precision:10.3f}{recall:8.3f}{score:7.3f}{average:7.3f}{sum(r[5] for r in rows):5}")


if __name__ == "__main__":
    main()
