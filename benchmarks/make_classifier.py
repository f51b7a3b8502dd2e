"""Train the classifier that ships with the program, for the default codebook: data/classifier.safetensors.

    python -m benchmarks.make_classifier FOLDER [fold NUMBER]

It is trained like that of `narratives train`, on more than decisions: the two files of reference labels (with the
weights of their rows), the labels of further Kremlin paragraphs in training_labels.jsonl (found in the corpus by their
keys), and the paragraphs that were written for training in training_texts.jsonl. One more output, after those of the
narratives, is for texts that refute a claim. FOLDER keeps vectors and checkpoints.
With `fold`, only that fold is trained, so that two can run at the same time, with OMP_NUM_THREADS=1 each; without it,
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
from narratives.workflows.train import Training, list_examples

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
GOLD = SHARED / "gold/narratives_dev.jsonl", SHARED / "gold/narratives_dev2.jsonl"
CORPUS = SHARED / "corpora/kremlin_en_2016_2020.jsonl.gz"
FOLDS = 2
WRITTEN_WEIGHT = 0.7  # of a paragraph that was written for training, against a labelled one
WRITTEN_COUNT = 0.02  # in the calibration: enough to rank claims above rebuttals, too little to change the base rate
REFUTES, MAY_REFUTE = "rebuttal", ("report", "mention", "opposite")  # kinds of written paragraphs
UNDRAWN_WEIGHT = 0.3  # in the calibration, of a row that was not drawn from the corpus at random
NOT_CLASSIFIED = -20.0  # output of a text that is near no narrative, out of fold
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


def read_written(codebook: Codebook) -> tuple[embed.TrainingRows, tuple[str, ...]]:
    """The paragraphs that were written for training, and what kind each is."""
    rows = read_rows(ROOT / "benchmarks/training_texts.jsonl")
    labels, known = make_arrays(rows, [narrative.id for narrative in codebook.narratives])
    texts, kinds = [str(row["text"]) for row in rows], tuple(str(row["kind"]) for row in rows)
    return embed.TrainingRows(texts, labels, known, np.full(len(rows), WRITTEN_WEIGHT, np.float32)), kinds


def add_column(pairs: NDArray[np.bool_], column: NDArray[np.bool_] | bool) -> NDArray[np.bool_]:
    """Return the pairs (n, k) with one more column: whether a text refutes a claim, or whether that is known."""
    return np.concatenate([pairs, np.broadcast_to(np.reshape(column, (-1, 1)), (len(pairs), 1))], axis=1)


def join_rows(first: embed.TrainingRows, second: embed.TrainingRows, which: NDArray[np.intp]) -> embed.TrainingRows:
    """Return the first rows, and these of the second."""
    return embed.TrainingRows(
        [*first.texts, *(second.texts[row] for row in which.tolist())],
        np.concatenate([first.labels, second.labels[which]]),
        np.concatenate([first.known, second.known[which]]),
        np.concatenate([first.weights, second.weights[which]]),
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
    examples, (written, kinds) = list_examples(codebook), read_written(codebook)
    written_folds = match.assign_folds(written.texts, FOLDS)

    def show(stage: str, done: int, total: int | None) -> None:
        if "loss" in stage or done % 50 == 0:
            print(stage, done, total, flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    background = load_background(embedder, encoder.name).paragraph_vectors.mean(axis=0)
    refutes = np.array([kind == REFUTES for kind in kinds])
    anchors = [n.statements for n in codebook.narratives] + [
        [written.texts[row] for row in np.flatnonzero(refutes).tolist()]
    ]
    directions = np.stack([embedder(texts).mean(axis=0) for texts in anchors]) - background
    is_known = np.array([kind not in MAY_REFUTE for kind in kinds])
    rows_written = replace(
        written, labels=add_column(written.labels, refutes), known=add_column(written.known, is_known)
    )
    examples = replace(examples, labels=add_column(examples.labels, False), known=add_column(examples.known, True))
    to_train = replace(decided, accepted=add_column(decided.accepted, False), known=add_column(decided.known, True))
    training = Training(encoder, codebook, examples, directions, folder, progress=show)
    outputs = np.full(to_train.accepted.shape, NOT_CLASSIFIED, np.float32)
    written_outputs = np.zeros(rows_written.labels.shape, np.float32)
    for number in range(FOLDS) if fold is None else (fold,):
        held, held_written = np.flatnonzero(near & (folds == number)), np.flatnonzero(written_folds == number)
        kept_outputs = folder / f"outputs-{number}.npy"
        if not kept_outputs.exists():
            others = join_rows(examples, rows_written, np.flatnonzero(written_folds != number))
            rest = to_train.rows(np.flatnonzero(near & (folds != number)))
            classifier = replace(training, examples=others).fit(f"fold {number + 1} of {FOLDS}", rest)
            held_texts = [*decided.rows(held).texts, *(written.texts[row] for row in held_written.tolist())]
            np.save(kept_outputs, embed.encode_all(classifier, held_texts))
        outputs[held], written_outputs[held_written] = np.split(np.load(kept_outputs), [len(held)])
    if fold is not None:
        return
    assert decided.weights is not None
    calibrated = LabelledPairs(
        texts=(*decided.texts, *written.texts),
        documents=(*decided.documents, *written.texts),
        evidence=np.concatenate([evidence[kept], match_texts(matcher, written.texts, embedder).evidence]),
        accepted=np.concatenate([decided.accepted, written.labels]),
        known=np.concatenate([decided.known, written.known]),
        thresholds=matcher.thresholds,
        weights=np.append(np.maximum(decided.weights, UNDRAWN_WEIGHT), np.full(len(written.texts), WRITTEN_COUNT)),
    )
    combination, gains = match.fit_combination(
        calibrated,
        np.append(near, np.ones(len(written.texts), np.bool_)),
        np.concatenate([outputs, written_outputs])[:, :-1],
        np.append(folds, written_folds),
        calibrate_all=True,
    )
    combination = replace(combination, refutation=len(matcher.narrative_ids))
    figures = (gains.accepted, gains.before, gains.after, gains.used)
    for key, *row in zip(matcher.narrative_ids, *figures, strict=True):
        print(key, *row)
    keys = [compute_text_key(text) for text in decided.texts]
    training = replace(training, examples=join_rows(examples, rows_written, np.arange(len(written.texts))))
    SHIPPED_CLASSIFIER.write_bytes(training.finish(to_train, near, keys, outputs, combination))
    digest = hashlib.sha256(SHIPPED_CLASSIFIER.read_bytes()).hexdigest()
    size = SHIPPED_CLASSIFIER.stat().st_size
    print(f"{SHIPPED_CLASSIFIER}: {size:,} bytes, threshold {combination.threshold}. Set SHIPPED_SHA256 to {digest}")
    name = embed.load_classifier(SHIPPED_CLASSIFIER, encoder).name
    measured = np.flatnonzero(gold[kept])
    probabilities = gains.probabilities[measured] / (1 + np.exp(outputs[measured, -1:].astype(np.float64)))
    evaluation = measure_quality(decided.rows(measured), probabilities, combination.threshold, codebook)
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
