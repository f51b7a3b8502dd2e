"""Train the classifier that ships with the program, for the default codebook: data/classifier.safetensors.

    python -m benchmarks.make_classifier FOLDER [fold NUMBER]

It is trained like that of `narratives train`, on more than decisions: the two files of reference labels (with the
weights of their rows), the labels of further Kremlin paragraphs in training_labels.jsonl (found in the corpus by their
keys), and the paragraphs that were written for training in training_texts.jsonl. FOLDER keeps vectors and checkpoints.
With `fold`, only that fold is trained, so that both can run at the same time, with OMP_NUM_THREADS=1 each; without it,
everything that is missing. Use a new FOLDER after any change of the texts or labels.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from narratives import embed, match
from narratives.match import LabelledPairs
from narratives.measure import ScoredPairs, compute_calibration, compute_quality
from narratives.model import Codebook, compute_text_key
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER
from narratives.store import Evaluation, Store, write_evaluation
from narratives.workflows.match import SHIPPED_CLASSIFIER, Embedder, load_background, match_texts
from narratives.workflows.train import FOLDS, Training, list_examples

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
GOLD = SHARED / "gold/narratives_dev.jsonl", SHARED / "gold/narratives_dev2.jsonl"
CORPUS = SHARED / "corpora/kremlin_en_2016_2020.jsonl.gz"
WRITTEN_WEIGHT = 0.7  # of a paragraph that was written for training, against a labelled one
UNDRAWN_WEIGHT = 0.3  # in the calibration, of a row that was not drawn from the corpus at random
MIN_HARD_EVIDENCE = 4.5  # unlabelled further paragraphs with less are of little use

CAVEAT = (
    "Reference labels are machine annotation, not human coding: {paragraphs:,} paragraphs of {documents:,} documents "
    "(Kremlin pages and UN speeches of 2016–2020), not the texts shown here. Each was scored by a classifier that did "
    "not see its document. Labels drawn at random are weighted back to the {corpus:,.0f} paragraphs of the Kremlin "
    "pages. The threshold was chosen on the same labels, and the codebook was improved by reading errors on some of "
    "them: expect somewhat less elsewhere."
)

Row = dict[str, object]


def read_rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def read_gold() -> Iterator[Row]:
    """The reference labels: text, document, labels, disputed and weight."""
    for path in GOLD:
        for row in read_rows(path):
            drawn = float(row["weight"]) if "weight" in row else float(str(row["id"]).startswith("k"))  # type: ignore[arg-type]
            yield {**row, "document": str(row["id"]).rpartition("-")[0], "weight": drawn}


def read_further() -> Iterator[Row]:
    """The further Kremlin paragraphs, which count in training only."""
    labels = {row["key"]: row for row in read_rows(ROOT / "benchmarks/training_labels.jsonl")}
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            page = json.loads(line)
            for paragraph in page["paragraphs"]:
                if row := labels.pop(compute_text_key(paragraph["text"]), None):
                    yield {**row, "text": paragraph["text"], "document": f"k{page['id']}", "weight": 0.0}


def make_arrays(rows: Sequence[Row], ids: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which narratives each row advances, and which pairs are known (n, k)."""
    labels = np.array([[key in row["labels"] for key in ids] for row in rows])  # type: ignore[operator]
    known = np.array([[key not in row["disputed"] for key in ids] for row in rows])  # type: ignore[operator]
    return labels, known


def add_written_texts(codebook: Codebook, examples: embed.TrainingRows) -> embed.TrainingRows:
    rows = read_rows(ROOT / "benchmarks/training_texts.jsonl")
    labels, known = make_arrays(rows, [narrative.id for narrative in codebook.narratives])
    return embed.TrainingRows(
        [*examples.texts, *(str(row["text"]) for row in rows)],
        np.concatenate([examples.labels, labels]),
        np.concatenate([examples.known, known]),
        np.concatenate([examples.weights, np.full(len(rows), WRITTEN_WEIGHT, np.float32)]),
    )


def main(folder: Path, fold: int | None = None) -> None:
    codebook = load_codebook(DATA_FOLDER / "codebook.toml")
    encoder = embed.load_encoder(variant="fp32")
    store = Store(folder if fold is None else folder / f"vectors-{fold}")
    vectors = store.vectors(encoder.name, encoder.variant, encoder.dimension)
    embedder = Embedder(encoder, vectors, lambda *_: None)
    matcher = match.fit_matcher(codebook, embedder, load_background(embedder, encoder.name))
    rows = [*read_gold(), *read_further()]
    labels, known = make_arrays(rows, matcher.narrative_ids)
    texts = [str(row["text"]) for row in rows]
    evidence = match_texts(matcher, texts, embedder).evidence
    gold = np.array(["weight" in row and "drawn" in row for row in rows])
    useful = gold | labels.any(axis=1) | ~known.all(axis=1) | (evidence.max(axis=1) > MIN_HARD_EVIDENCE)
    kept = np.flatnonzero(useful)
    decided = LabelledPairs(
        texts=tuple(texts),
        documents=tuple(str(row["document"]) for row in rows),
        evidence=evidence,
        accepted=labels,
        known=known,
        thresholds=matcher.thresholds,
        weights=np.array([float(row["weight"]) for row in rows]),  # type: ignore[arg-type]
    ).rows(kept)
    near = match.is_near(decided.evidence)
    folds = match.assign_folds(decided.documents, FOLDS)
    examples = add_written_texts(codebook, list_examples(codebook))

    def show(stage: str, done: int, total: int | None) -> None:
        if "loss" in stage or done % 50 == 0:
            print(stage, done, total, flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    exemplars = np.stack([embedder(n.statements).mean(axis=0) for n in codebook.narratives])
    directions = exemplars - load_background(embedder, encoder.name).paragraph_vectors.mean(axis=0)
    training = Training(encoder, codebook, examples, directions, folder, progress=show)
    outputs = np.zeros(decided.evidence.shape, np.float32)
    for number in range(FOLDS) if fold is None else (fold,):
        kept_outputs = folder / f"outputs-{number}.npy"
        if not kept_outputs.exists():
            np.save(kept_outputs, training.predict_fold(decided, near, folds, number))
        outputs[near & (folds == number)] = np.load(kept_outputs)
    if fold is not None:
        return
    assert decided.weights is not None
    weighted = replace(decided, weights=np.maximum(decided.weights, UNDRAWN_WEIGHT))
    combination, gains = match.fit_combination(weighted, near, outputs, folds, calibrate_all=True)
    figures = (gains.accepted, gains.before, gains.after, gains.used)
    for key, *row in zip(matcher.narrative_ids, *figures, strict=True):
        print(key, *row)
    keys = [compute_text_key(text) for text in decided.texts]
    SHIPPED_CLASSIFIER.write_bytes(training.finish(decided, near, keys, outputs, combination))
    digest = hashlib.sha256(SHIPPED_CLASSIFIER.read_bytes()).hexdigest()
    size = SHIPPED_CLASSIFIER.stat().st_size
    print(f"{SHIPPED_CLASSIFIER}: {size:,} bytes, threshold {combination.threshold}. Set SHIPPED_SHA256 to {digest}")
    name = embed.load_classifier(SHIPPED_CLASSIFIER, encoder).name
    measured = np.flatnonzero(gold[kept])
    evaluation = measure_quality(decided.rows(measured), gains.probabilities[measured], combination.threshold, codebook)
    write_evaluation(DATA_FOLDER / "quality.json", replace(evaluation, model=encoder.name, classifier=name))


def measure_quality(
    labelled: LabelledPairs, probabilities: NDArray[np.float64], threshold: float, codebook: Codebook
) -> Evaluation:
    """The figures to ship: on all reference labels, and weighted back to the corpus they were drawn from."""
    assert labelled.weights is not None
    ids = [narrative.id for narrative in codebook.narratives]
    scores = probabilities.round(3)
    thresholds = np.array([narrative.threshold or threshold for narrative in codebook.narratives])
    pairs = ScoredPairs(labelled.accepted, labelled.known, scores, scores >= thresholds, labelled.documents)
    weighted = replace(pairs, weights=labelled.weights)
    caveat = CAVEAT.format(
        paragraphs=len(labelled.texts), documents=len(set(labelled.documents)), corpus=float(labelled.weights.sum())
    )
    return Evaluation(
        compute_quality(pairs, ids),
        caveat,
        codebook.digest,
        corpus=compute_quality(weighted, ids, pooled=True),
        calibration=compute_calibration(weighted),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[3]) if sys.argv[2:3] == ["fold"] else None)
