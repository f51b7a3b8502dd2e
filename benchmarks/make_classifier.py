"""Train the classifier that ships with the program, for the default codebook: data/classifier.safetensors.

    python -m benchmarks.make_classifier FOLDER [fold NUMBER | refutation]

It is trained like that of `narratives train`, on more than decisions: the two files of reference labels (with the
weights of their rows), the labels of further Kremlin paragraphs in training_labels.jsonl (found in the corpus by their
keys), and the paragraphs that were written for training in training_texts.jsonl. Then one more output, for texts that
refute a claim, is fitted to the mean states of the written paragraphs (logistic regression). FOLDER keeps vectors and
checkpoints.
With `fold`, only that fold is trained, so that two can run at the same time, with OMP_NUM_THREADS=1 each; without it,
everything that is missing. With `refutation`, the trained network that ships is kept, and only the output for
refutations and the combination with the codebook's evidence are fitted again. Use a new FOLDER after any change of the
texts or labels.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from narratives import embed, match
from narratives.match import LabelledPairs
from narratives.measure import ScoredPairs, compute_calibration, compute_quality
from narratives.model import Codebook, compute_text_key
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER
from narratives.store import Evaluation, Store, write_evaluation
from narratives.workflows.engines.embedder import Embedder
from narratives.workflows.match import SHIPPED_CLASSIFIER, load_background, match_texts
from narratives.workflows.train import Training, list_examples

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
GOLD = SHARED / "gold/narratives_dev.jsonl", SHARED / "gold/narratives_dev2.jsonl"
CORPUS = SHARED / "corpora/kremlin_en_2016_2020.jsonl.gz"
FOLDS = 2
WRITTEN_WEIGHT = 0.7  # of a paragraph that was written for training, against a labelled one
WRITTEN_COUNT = 0.02  # in the calibration: enough for claims in one line, too little to change the base rate
SHIPPED_WRITTEN = 2880  # of the written paragraphs, the first ones, which the network that ships was trained on
REFUTATION_STRENGTH = 0.03  # inverse regularisation of the output for refutations, on standardised states
REFUTATION_SCALE = 3.0  # how much steeper that output is than the regression, which is seldom sure
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


def join_rows(first: embed.TrainingRows, second: embed.TrainingRows, which: NDArray[np.intp]) -> embed.TrainingRows:
    """Return the first rows, and these of the second."""
    return embed.TrainingRows(
        [*first.texts, *(second.texts[row] for row in which.tolist())],
        np.concatenate([first.labels, second.labels[which]]),
        np.concatenate([first.known, second.known[which]]),
        np.concatenate([first.weights, second.weights[which]]),
    )


@dataclass(frozen=True, slots=True)
class Material:
    """The labelled rows `decided`, the written ones, and what a training needs; `near` rows are classified."""

    decided: LabelledPairs
    gold: NDArray[np.bool_]  # of the decided rows, those of the reference labels
    near: NDArray[np.bool_]
    folds: NDArray[np.intp]
    written: embed.TrainingRows
    kinds: tuple[str, ...]
    written_evidence: NDArray[np.float64]
    training: Training

    @property
    def written_folds(self) -> NDArray[np.intp]:
        return match.assign_folds(self.written.texts, FOLDS)


@dataclass(frozen=True, slots=True)
class Outputs:
    """A network, its outputs out of fold (n, k) for decided and written rows, and the written rows that have them."""

    classifier: embed.ParagraphClassifier
    decided: NDArray[np.float32]
    written: NDArray[np.float32]
    usable: NDArray[np.bool_]


def collect_material(folder: Path, codebook: Codebook) -> Material:
    """Read and match all rows."""
    encoder = embed.load_encoder(variant="fp32")
    vectors = Store(folder).vectors(encoder.name, encoder.variant, encoder.dimension)
    embedder = Embedder(encoder, vectors, lambda *_: None)
    background = load_background(embedder, encoder.name)
    matcher = match.fit_matcher(codebook, embedder, background)
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
    written, kinds = read_written(codebook)
    exemplars = np.stack([embedder(n.statements).mean(axis=0) for n in codebook.narratives])
    directions = exemplars - background.paragraph_vectors.mean(axis=0)

    def show(stage: str, done: int, total: int | None) -> None:
        if "loss" in stage or done % 50 == 0:
            print(stage, done, total, flush=True)

    return Material(
        decided,
        gold[kept],
        match.is_near(decided.evidence),
        match.assign_folds(decided.documents, FOLDS),
        written,
        kinds,
        match_texts(matcher, written.texts, embedder).evidence,
        Training(encoder, codebook, list_examples(codebook), directions, folder, progress=show),
    )


def train_fold(material: Material, number: int) -> NDArray[np.float32]:
    """Return the outputs of a fold's near decided rows, and then of its written rows; kept in the folder."""
    kept = material.training.folder / f"outputs-{number}.npy"
    if not kept.exists():
        written, decided = material.written, material.decided
        others = np.flatnonzero(material.written_folds != number)
        training = replace(material.training, examples=join_rows(material.training.examples, written, others))
        rest = decided.rows(np.flatnonzero(material.near & (material.folds != number)))
        classifier = training.fit(f"fold {number + 1} of {FOLDS}", rest)
        held = np.flatnonzero(material.near & (material.folds == number)).tolist()
        held_written = np.flatnonzero(material.written_folds == number).tolist()
        texts = [*(decided.texts[row] for row in held), *(written.texts[row] for row in held_written)]
        np.save(kept, embed.encode_all(classifier, texts))
    outputs: NDArray[np.float32] = np.load(kept)
    return outputs


def train_network(material: Material) -> Outputs:
    """Train the folds and then the network, or read what was trained before."""
    near, folds = material.near, material.folds
    outputs = np.full(material.decided.accepted.shape, NOT_CLASSIFIED, np.float32)
    written = np.zeros(material.written.labels.shape, np.float32)
    for number in range(FOLDS):
        held = np.flatnonzero(near & (folds == number))
        outputs[held], written[material.written_folds == number] = np.split(train_fold(material, number), [len(held)])
    every = np.arange(len(material.kinds))
    training = replace(material.training, examples=join_rows(material.training.examples, material.written, every))
    classifier = training.fit("all texts", material.decided.rows(np.flatnonzero(near)))
    return Outputs(classifier, outputs, written, np.ones(len(material.kinds), np.bool_))


def read_network(material: Material) -> Outputs:
    """Return the network that ships, with the outputs out of fold that its file has."""
    classifier = embed.load_classifier(SHIPPED_CLASSIFIER, material.training.encoder)
    narratives = material.decided.accepted.shape[1]
    held_out = dict(zip(classifier.metadata["texts"], classifier.held_out[:, :narratives], strict=True))
    outputs = np.full(material.decided.accepted.shape, NOT_CLASSIFIED, np.float32)
    for row in np.flatnonzero(material.near).tolist():
        outputs[row] = held_out[compute_text_key(material.decided.texts[row])]
    kept = material.training.folder / "written.npy"
    if not kept.exists():
        np.save(kept, embed.encode_all(classifier, material.written.texts)[:, :narratives])
    written = np.load(kept)
    return Outputs(classifier, outputs, written, np.arange(len(written)) >= SHIPPED_WRITTEN)


def fit_refutation(
    material: Material, network: Outputs
) -> tuple[embed.ParagraphClassifier, NDArray[np.float32], NDArray[np.float32]]:
    """Add the output for texts that refute a claim; return it also for decided and written rows, out of fold."""
    kept = material.training.folder / "states.npz"
    if not kept.exists():
        both = [
            embed.compute_mean_states(network.classifier, t) for t in (material.decided.texts, material.written.texts)
        ]
        np.savez(kept, decided=both[0], written=both[1])
    with np.load(kept) as file:
        decided, written = file["decided"], file["written"]
    kinds = np.array(material.kinds)
    # Hardly any labelled paragraph refutes a claim; those that advance one do not.
    advancing = (material.decided.accepted & material.decided.known).any(axis=1)
    states, refutes = np.concatenate([written, decided]), np.append(kinds == REFUTES, np.zeros(len(decided), np.bool_))
    sure = np.append(~np.isin(kinds, MAY_REFUTE), advancing)
    folds = np.append(material.written_folds, material.folds)
    centre, scale = states.mean(axis=0), states.std(axis=0) + 1e-6

    def fit(rows: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
        model = LogisticRegression(C=REFUTATION_STRENGTH, max_iter=2000)
        model.fit(((states - centre) / scale)[rows], refutes[rows])
        weights = (REFUTATION_SCALE * model.coef_[0] / scale).astype(np.float32)
        return weights, float(REFUTATION_SCALE * model.intercept_[0] - weights @ centre)

    held_out = np.zeros(len(states), np.float32)
    for number in range(FOLDS):
        weights, bias = fit(sure & (folds != number))
        held_out[folds == number] = states[folds == number] @ weights + bias
    ranked = sure & np.append(network.usable, advancing)
    print("refutations, area under the curve", roc_auc_score(refutes[ranked], held_out[ranked]))
    weights, bias = fit(sure)
    classifier = embed.add_output(network.classifier, weights, bias, material.decided.accepted.shape[1])
    return classifier, held_out[len(written) :], held_out[: len(written)]


def main(folder: Path, fold: int | None = None, keep_network: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    codebook = load_codebook(DATA_FOLDER / "codebook.toml")
    material = collect_material(folder if fold is None else folder / f"vectors-{fold}", codebook)
    if fold is not None:
        train_fold(replace(material, training=replace(material.training, folder=folder)), fold)
        return
    network = read_network(material) if keep_network else train_network(material)
    classifier, refutation, written_refutation = fit_refutation(material, network)
    decided = material.decided
    usable = network.usable & (np.array(material.kinds) != REFUTES)  # the other output is for those
    written = [material.written.texts[row] for row in np.flatnonzero(usable).tolist()]
    assert decided.weights is not None
    calibrated = LabelledPairs(
        texts=(*decided.texts, *written),
        documents=(*decided.documents, *written),
        evidence=np.concatenate([decided.evidence, material.written_evidence[usable]]),
        accepted=np.concatenate([decided.accepted, material.written.labels[usable]]),
        known=np.concatenate([decided.known, material.written.known[usable]]),
        thresholds=decided.thresholds,
        weights=np.append(np.maximum(decided.weights, UNDRAWN_WEIGHT), np.full(len(written), WRITTEN_COUNT)),
    )
    combination, gains = match.fit_combination(
        calibrated,
        np.append(material.near, np.ones(len(written), np.bool_)),
        np.concatenate([network.decided, network.written[usable]]),
        np.append(material.folds, material.written_folds[usable]),
        np.append(refutation, written_refutation[usable]),
        calibrate_all=True,
    )
    figures = (gains.accepted, gains.before, gains.after, gains.used)
    for narrative, *row in zip(codebook.narratives, *figures, strict=True):
        print(narrative.id, *row)
    near = np.flatnonzero(material.near)
    keys = [compute_text_key(decided.texts[row]) for row in near.tolist()]
    outputs = np.concatenate([network.decided, refutation[:, None]], axis=1).astype(np.float32)
    SHIPPED_CLASSIFIER.write_bytes(material.training.dump(classifier, keys, outputs[near], combination))
    digest = hashlib.sha256(SHIPPED_CLASSIFIER.read_bytes()).hexdigest()
    size = SHIPPED_CLASSIFIER.stat().st_size
    print(f"{SHIPPED_CLASSIFIER}: {size:,} bytes, threshold {combination.threshold}. Set SHIPPED_SHA256 to {digest}")
    encoder = material.training.encoder
    name = embed.load_classifier(SHIPPED_CLASSIFIER, encoder).name
    measured = np.flatnonzero(material.gold)
    probabilities = gains.probabilities[measured]
    evaluation = measure_quality(decided.rows(measured), probabilities, combination.threshold, codebook)
    write_evaluation(DATA_FOLDER / "quality.json", replace(evaluation, model=encoder.name, classifier=name))
    for one in (evaluation.corpus[-1], evaluation.calibration):
        print(one)


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
    main(Path(sys.argv[1]), int(sys.argv[3]) if sys.argv[2:3] == ["fold"] else None, sys.argv[2:] == ["refutation"])
