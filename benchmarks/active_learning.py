"""What decisions teach about narratives that the shipped classifier never saw, chosen by the review queue or at random.

    python -m benchmarks.active_learning FOLDER [train]

FOLDER keeps vectors; that of `make_classifier` will do. Every narrative of the default codebook is treated as new: its
exemplars and contrasts are known, but no classifier. In two halves by document, decisions are drawn from one half, as
the reference labels answer them, and the narrative is tested on the other half. `random` draws paragraphs at random.
`queue` draws in steps of 25, after each of which the corrections are learned again: two in three have the score nearest
the threshold, the third is drawn at random, as the Review page does. Prints a table in Markdown: macro-F1 on the
labelled paragraphs, and the precision and recall of all narratives pooled, weighted back to the Kremlin set. With
`train`, a classifier is trained on the decisions of the queue, as `narratives train` does, and used for the narratives
for which it is better out of fold; the others use the corrections. This is done once.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.make_classifier import Material, collect_material
from narratives import match
from narratives.embed import encode_all, load_encoder
from narratives.match import LabelledPairs
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER
from narratives.workflows.review import RANDOM_EVERY
from narratives.workflows.train import MIN_WEIGHT, Training

SIZES = (0, 50, 100, 200)
STEP = 25
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Half:
    """Where decisions come from, and what is tested; both of one narrative."""

    pool: LabelledPairs
    tested: LabelledPairs


def take_narrative(labelled: LabelledPairs, column: int, rows: NDArray[np.intp]) -> LabelledPairs:
    """Return the rows on which there is a label for the narrative."""
    part = labelled.rows(rows[labelled.known[rows, column]])
    columns = [column]
    return replace(
        part,
        evidence=part.evidence[:, columns],
        accepted=part.accepted[:, columns],
        known=part.known[:, columns],
        thresholds=part.thresholds[columns],
    )


def choose(pool: LabelledPairs, taken: list[int], count: int, by_queue: bool, draw: np.random.Generator) -> list[int]:
    """Choose so many more rows of the pool."""
    left = np.setdiff1d(np.arange(len(pool.texts)), taken)
    if not by_queue:
        return [int(row) for row in draw.permutation(left)[:count]]
    corrections = match.learn_corrections(pool.rows(taken)) if taken else None
    evidence = corrections.correct(pool.evidence, pool.texts) if corrections else pool.evidence
    threshold = (corrections or pool).thresholds[0]
    distance = np.abs(match.to_score(evidence[left, 0]) - threshold)
    uncertain, chosen = left[np.argsort(distance, kind="stable")].tolist(), []
    for number in range(min(count, len(left))):
        if number % RANDOM_EVERY == RANDOM_EVERY - 1:
            chosen.append(uncertain.pop(int(draw.integers(len(uncertain)))))
        else:
            chosen.append(uncertain.pop(0))
    return chosen


def assign(half: Half, taken: list[int]) -> NDArray[np.bool_]:
    """Return which tested rows are assigned after the decisions on these rows of the pool."""
    evidence, thresholds = half.tested.evidence, half.tested.thresholds
    if taken:
        corrections = match.learn_corrections(half.pool.rows(taken))
        evidence, thresholds = corrections.correct(evidence, half.tested.texts), corrections.thresholds
    assigned: NDArray[np.bool_] = match.to_score(evidence[:, 0]).astype(np.float32) >= thresholds[0]
    return assigned


def measure_curve(halves: list[Half], by_queue: bool, seed: int) -> NDArray[np.float64]:
    """Return sums over both halves, (sizes, 6): hits, assigned, true, and the same weighted."""
    sums = np.zeros((len(SIZES), 6))
    for number, half in enumerate(halves):
        draw, taken = np.random.default_rng([seed, number]), list[int]()
        truth, weights = half.tested.accepted[:, 0], half.tested.weights
        assert weights is not None
        for place, size in enumerate(SIZES):
            choose_up_to(half.pool, taken, size, by_queue, draw)
            assigned = assign(half, taken)
            parts = truth & assigned, assigned, truth
            sums[place] += [*(part.sum() for part in parts), *(weights[part].sum() for part in parts)]
    return sums


def choose_up_to(pool: LabelledPairs, taken: list[int], size: int, by_queue: bool, draw: np.random.Generator) -> None:
    """Add rows to those taken, step by step, until there are so many or the pool is empty."""
    while len(taken) < min(size, len(pool.texts)):
        taken += choose(pool, taken, min(STEP, size - len(taken)), by_queue, draw)


def choose_all(labelled: LabelledPairs, rows: NDArray[np.intp], size: int, seed: int) -> NDArray[np.bool_]:
    """Return the pairs (n, k) that are decided if each narrative gets so many decisions by the queue, of these rows."""
    decided = np.zeros_like(labelled.known)
    for column in range(decided.shape[1]):
        pool, draw, taken = take_narrative(labelled, column, rows), np.random.default_rng([seed, column]), list[int]()
        choose_up_to(pool, taken, size, True, draw)
        decided[rows[labelled.known[rows, column]][taken], column] = True
    return decided


def assign_trained(
    training: Training, labelled: LabelledPairs, decided: NDArray[np.bool_], tested: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], int]:
    """Train on the decided pairs; return which pairs of the tested rows are assigned, and for how many narratives."""
    assert labelled.weights is not None
    own = np.flatnonzero(decided.any(axis=1))
    weights = np.maximum(labelled.weights, MIN_WEIGHT)
    known = replace(labelled, known=decided, weights=weights).rows(own)
    near = match.is_near(known.evidence)
    outputs, folds = training.predict_out_of_fold(known, near)
    combination, _ = match.fit_combination(known, near, outputs, folds)
    rest = labelled.rows(tested)
    assigned = np.zeros(rest.accepted.shape, np.bool_)
    for column in range(len(rest.thresholds)):
        pool = take_narrative(known, column, np.arange(len(own)))
        one = replace(rest, evidence=rest.evidence[:, [column]], thresholds=rest.thresholds[[column]])
        assigned[:, column] = assign(Half(pool, one), list(range(len(pool.texts))))
    if len(combination.columns):
        classifier = training.fit("all texts", known.rows(np.flatnonzero(near)))
        combined = combination.combine(
            rest.evidence, match.is_near(rest.evidence), rest.texts, lambda texts: encode_all(classifier, texts)
        )
        scores = match.to_score(combined).astype(np.float32)
        assigned[:, combination.columns] = scores[:, combination.columns] >= combination.threshold
    return assigned, len(combination.columns)


def print_training(material: Material, labelled: LabelledPairs, folds: NDArray[np.intp]) -> None:
    """Print the same figures with a classifier that is trained on the decisions."""
    assert labelled.weights is not None
    encoder = load_encoder()
    for size in SIZES[1:]:
        sums, used = np.zeros((6, labelled.known.shape[1])), []
        for fold in range(2):
            rows, tested = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            folder = material.training.folder / f"curve-{size}-{fold}"
            folder.mkdir(exist_ok=True)
            training = replace(material.training, encoder=encoder, folder=folder)
            assigned, number = assign_trained(training, labelled, choose_all(labelled, rows, size, 0), tested)
            used.append(number)
            truth, known = labelled.accepted[tested], labelled.known[tested]
            parts = truth & assigned & known, assigned & known, truth & known
            weights = labelled.weights[tested].reshape(-1, 1)
            sums += np.array([one.sum(axis=0) for one in (*parts, *(weights * part for part in parts))])
        f1 = (2 * sums[0] / np.maximum(1, sums[1] + sums[2])).mean()
        hits, all_assigned, true = sums[3:].sum(axis=1)
        figures = f"macro-F1 {f1:.2f}, precision {hits / all_assigned:.2f}, recall {hits / true:.2f}"
        print(f"trained on {size}: {figures}, classifier used for {used} narratives", flush=True)


def main(folder: Path, train: bool = False) -> None:
    codebook = load_codebook(DATA_FOLDER / "codebook.toml")
    material = collect_material(folder, codebook)
    labelled = material.decided.rows(np.flatnonzero(material.gold))
    folds = match.assign_folds(labelled.documents, 2)
    if train:
        print_training(material, labelled, folds)
        return
    print("| decisions for each narrative | " + " | ".join(map(str, SIZES)) + " |")
    print("|---|" + "---|" * len(SIZES))
    for name, by_queue in (("random", False), ("queue", True)):
        runs = []
        for seed in range(REPEATS):
            curves = []
            for column in range(len(codebook.narratives)):
                parts = [take_narrative(labelled, column, np.flatnonzero(folds == fold)) for fold in range(2)]
                halves = [Half(parts[0], parts[1]), Half(parts[1], parts[0])]
                curves.append(measure_curve(halves, by_queue, seed))
            runs.append(np.array(curves))
        sums = np.array(runs)  # (repeats, narratives, sizes, 6)
        f1 = 2 * sums[..., 0] / np.maximum(1, sums[..., 1] + sums[..., 2])
        pooled = sums.sum(axis=1)
        precision, recall = pooled[..., 3] / pooled[..., 4], pooled[..., 3] / pooled[..., 5]
        rows = {
            "macro-F1": f1.mean(axis=(0, 1)),
            "weighted precision": precision.mean(axis=0),
            "weighted recall": recall.mean(axis=0),
        }
        for figure, values in rows.items():
            print(f"| {name}: {figure} | " + " | ".join(f"{value:.2f}" for value in values) + " |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] == ["train"])
