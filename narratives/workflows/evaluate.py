"""How well the matching, with what decisions taught it, agrees with labelled paragraphs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from narratives import match, measure, model, read
from narratives.model import (
    AnnotationSource,
    ConfigError,
    LabelledText,
    Progress,
    Rejected,
    compute_text_key,
    no_progress,
)
from narratives.resources import DATA_FOLDER
from narratives.store import Evaluation, Store, hash_decisions, write_evaluation
from narratives.workflows.build import load_decisions
from narratives.workflows.match import (
    Embedder,
    TrainedMatcher,
    load_store_encoder,
    match_texts,
    mend_vectors,
    train_matcher,
)

FOLDS = 8
_ANNOTATION_PHRASES = {"machine": "are machine annotation, not human coding", "human": "are human coding"}


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What to measure: labelled paragraphs `gold` against the matching that a build of `store` does.

    `annotation` says who made the labels, for the caveat; `out` also takes the figures.
    """

    gold: Path
    store: Path
    codebook: Path = DATA_FOLDER / "codebook.toml"
    decisions: Path | None = None
    model: str = ""
    out: Path | None = None
    annotation: AnnotationSource = "machine"


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What came of it: the figures, the rows that could not be read, and where the figures were kept.

    `snapshot` is the snapshot that carries them now; where it is empty, `note` says why none does.
    """

    evaluation: Evaluation
    rejected: tuple[Rejected, ...]
    snapshot: str
    note: str


def evaluate_matching(request: EvaluationRequest, progress: Progress = no_progress) -> EvaluationResult:
    """Match the gold texts as a build would, measure, and keep the figures with the current snapshot.

    What people decided on a gold text is not looked at, and whatever the log says of a gold text's document
    is forgotten while it is matched (cross-validation by document): nobody is shown a training score. Raises
    ConfigError where no row can be read, and what `build` raises for codebook, log, model and store.
    """
    codebook = read.load_codebook(request.codebook)
    rows = list(read.read_labels(request.gold, [n.id for n in codebook.narratives]))
    gold = [row for row in rows if isinstance(row, LabelledText)]
    rejected = tuple(row for row in rows if isinstance(row, Rejected))
    if not gold:
        reason = rejected[0].reason if rejected else "no rows"
        raise ConfigError(f"labelled texts in {request.gold}", reason, "Give rows {text, labels, disputed}.")
    store = Store(request.store)
    decisions = load_decisions(store, request.decisions)
    with _open_embedder(store, request.model, progress) as embed:
        encoder = embed.encoder
        texts = [row.text for row in gold]
        windows = [model.split_windows(text) for text in texts]
        embed.add(chain(texts, chain.from_iterable(windows)))
        matching = train_matcher(codebook, decisions, embed, encoder.name)
        evidence = match_texts(matching.matcher, texts, windows, embed).evidence
        scores, said, held_out = _score_out_of_fold(matching, gold, evidence, progress)
    ids = matching.matcher.narrative_ids
    documents = [row.document for row in gold]
    figures = measure.compute_quality(
        truth=np.array([[row.verdicts.get(key) == "accepted" for key in ids] for row in gold]),
        known=np.array([[row.verdicts.get(key, "undecided") != "undecided" for key in ids] for row in gold]),
        scores=scores,
        predicted=said,
        documents=documents,
        narrative_ids=ids,
    )
    caveat = (
        f"Reference labels {_ANNOTATION_PHRASES[request.annotation]}: {len(gold):,} paragraphs of "
        f"{len(set(documents)):,} documents. {_describe_matching(matching, held_out)}"
    )
    found = Evaluation(figures, caveat, codebook.digest, encoder.name)
    if request.out:
        write_evaluation(request.out, found)
    current = store.current()
    if current is None:
        return EvaluationResult(found, rejected, "", f"{request.store} holds no snapshot to keep the figures with.")
    measured = {"model": encoder.name, "variant": encoder.variant, "codebook": codebook.digest}
    if store.manifest(current).parameters != {**measured, "decisions": hash_decisions(decisions)}:
        note = f"Not kept with snapshot {current}: it was built with another codebook, model or decisions."
        return EvaluationResult(found, rejected, "", note)
    store.put_quality(current, figures, caveat)
    return EvaluationResult(found, rejected, current, "")


@contextmanager
def _open_embedder(store: Store, model: str, progress: Progress) -> Iterator[Embedder]:
    """Vectors out of the store, where it has a snapshot; else nothing is left behind."""
    encoder = load_store_encoder(store, model)
    if store.current() is not None:
        with store.lock():
            mend_vectors(store, encoder)
            yield Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), progress)
    else:
        with tempfile.TemporaryDirectory() as folder:
            passing = Store(Path(folder)).vectors(encoder.name, encoder.variant, encoder.dimension)
            yield Embedder(encoder, passing, progress)


def _score_out_of_fold(
    matching: TrainedMatcher, gold: Sequence[LabelledText], evidence: model.FloatArray, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Scores (n, k), whether they reach the threshold (n, k); for how many texts decisions were left out."""
    decided = matching.decided
    keys = [compute_text_key(row.text) for row in gold]
    document_of = dict(zip(matching.keys, decided.documents, strict=True))
    names = sorted({row.document for row in gold})
    dealt = np.random.default_rng(0).permutation(len(names)) % FOLDS
    fold_of = dict(zip(names, dealt.tolist(), strict=True))
    folds = np.array([fold_of[row.document] for row in gold])
    scores, said, held_out = np.zeros(evidence.shape), np.zeros(evidence.shape, np.bool_), 0
    for fold in range(FOLDS):
        progress("evaluating", fold, FOLDS)
        tested = np.flatnonzero(folds == fold).tolist()
        known_keys = {keys[row] for row in tested}
        away = {gold[row].document for row in tested} | {document_of.get(key, "") for key in known_keys}
        kept = [
            row
            for row, (key, document) in enumerate(zip(matching.keys, decided.documents, strict=True))
            if key not in known_keys and document not in away
        ]
        lessons = matching.matcher.lessons
        if lessons is None or len(kept) < len(decided.texts):
            lessons = match.learn_corrections(decided.rows(kept))
            held_out += len(tested)
        corrected = lessons.correct(evidence[tested], [gold[row].text for row in tested])
        scores[tested] = match.to_score(corrected)
        said[tested] = scores[tested].astype(np.float32) >= lessons.thresholds
    progress("evaluating", FOLDS, FOLDS)
    return scores, said, held_out


def _describe_matching(matching: TrainedMatcher, held_out: int) -> str:
    if not (matching.decided.known.any()):
        return "Matched by the codebook alone."
    taught = f"Matched by the codebook and by what decisions on {len(matching.decided.texts):,} texts taught"
    if not held_out:
        return f"{taught}, none of them of these documents."
    return f"{taught}, each text without the decisions on its own document."
