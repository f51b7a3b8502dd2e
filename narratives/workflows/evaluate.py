"""How good the matching is: evaluation on labelled paragraphs, and spot checks.

Evaluation measures how well the matching, with its learned corrections, agrees with labels from elsewhere. A spot
check is a random sample of the paragraphs assigned to each narrative, for people to judge. It measures the precision
on the texts of the store; with the recall, precision corrects the shares (`measure.correct_shares`).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narratives import match, measure, model, read
from narratives.model import AnnotationSource, Judgement, LabelledText, Progress, Rejected, SpotCheck, no_progress
from narratives.model.errors import ConfigError, UsageError
from narratives.model.text import Encoder
from narratives.store import Evaluation, SpotChecks, Store, frame_to_csv, open_snapshot, write_evaluation
from narratives.workflows.build import load_decisions
from narratives.workflows.codebook import SHIPPED_CODEBOOK, load_codebook
from narratives.workflows.engines.embedder import Embedder
from narratives.workflows.match import (
    CLASSIFIER_FILE,
    TrainedMatcher,
    load_classifiers,
    load_store_encoder,
    make_parameters,
    match_texts,
    mend_vectors,
    train_matcher,
)

FOLDS = 8
_ANNOTATION_PHRASES = {"machine": "are machine annotation, not human coding", "human": "are human coding"}


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """The request for an evaluation of a store's matching on the labelled paragraphs `gold`.

    `annotation` says who made the labels, for the caveat. The figures are also written to `out`. `threshold` is that
    of the build.
    """

    gold: Path
    store: Path
    codebook: Path = SHIPPED_CODEBOOK
    decisions: Path | None = None
    model: str = ""
    out: Path | None = None
    annotation: AnnotationSource = "machine"
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The figures, the rows that could not be read, and the snapshot with which the figures are stored.

    If `snapshot` is empty, `note` says why they are not stored with one.
    """

    evaluation: Evaluation
    rejected: tuple[Rejected, ...]
    snapshot: str
    note: str


def evaluate_matching(
    request: EvaluationRequest, progress: Progress = no_progress, encoder: Encoder | None = None
) -> EvaluationResult:
    """Match the gold texts as a build would, measure, and store the figures with the current snapshot.

    Decisions on a gold text, and on any text of its document, are left out when it is matched (cross-validation by
    document), so that no figure is a training score. `encoder` replaces the model that the request names. Raises
    ConfigError if no row can be read, and the errors of `build` for the codebook, log, model and store.
    """
    codebook = load_codebook(request.store, request.codebook, request.decisions)
    rows = list(read.read_labels(request.gold, [n.id for n in codebook.narratives]))
    gold = [row for row in rows if isinstance(row, LabelledText)]
    rejected = tuple(row for row in rows if isinstance(row, Rejected))
    if not gold:
        reason = rejected[0].reason if rejected else "no rows"
        raise ConfigError(f"labelled texts in {request.gold}", reason, "Give rows {text, labels, disputed}.")
    store = Store(request.store)
    decisions = load_decisions(store, request.decisions)
    encoder = encoder or load_store_encoder(store, request.model)
    with _open_embedder(store, encoder, progress) as (embed, outputs):
        texts = [row.text for row in gold]
        embed.add(chain(texts, chain.from_iterable(map(model.split_sentences, texts))))
        classifiers = load_classifiers(codebook, encoder, outputs, progress, store.path / CLASSIFIER_FILE)
        for trained in classifiers:
            mend_vectors(outputs, trained.classifier)
        matching = train_matcher(codebook, decisions, embed, encoder.name, classifiers, request.threshold)
        classify = [trained.classify_held_out for trained in classifiers]
        evidence = match_texts(matching.matcher, texts, embed, classify).evidence
        scores, predicted, held_out = _score_out_of_fold(matching, gold, evidence, progress)
    ids = matching.matcher.narrative_ids
    documents = [row.document for row in gold]
    weights = np.array([np.nan if row.weight is None else row.weight for row in gold])
    pairs = measure.ScoredPairs(
        truth=np.array([[row.verdicts.get(key) == "accepted" for key in ids] for row in gold]),
        known=np.array([[row.verdicts.get(key, "undecided") != "undecided" for key in ids] for row in gold]),
        scores=scores,
        predicted=predicted,
        documents=documents,
    )
    figures = measure.compute_quality(pairs, ids)
    caveat = (
        f"Reference labels {_ANNOTATION_PHRASES[request.annotation]}: {len(gold):,} paragraphs of "
        f"{len(set(documents)):,} documents. {_describe_matching(matching, held_out)}"
    )
    corpus: tuple[model.QualityMetrics, ...] = ()
    calibration = None
    if np.nansum(weights) > 0:
        weighted = replace(pairs, weights=np.nan_to_num(weights))
        corpus = measure.compute_quality(weighted, ids, pooled=True)
        calibrated = [column for one in classifiers for column in one.combination.columns.tolist()]
        if calibrated:
            measured = measure.compute_calibration(replace(weighted, known=_keep_columns(pairs.known, calibrated)))
            calibration = measured if np.isfinite(measured.ratio) else None
        caveat = (
            f"{caveat} Figures are for the whole corpus that the labelled paragraphs were drawn from, about "
            f"{np.nansum(weights):,.0f} paragraphs; the last row is pooled over the narratives."
        )
    parameters = make_parameters(codebook, decisions, encoder, classifiers, request.threshold)
    evaluation = Evaluation(
        figures, caveat, codebook.digest, encoder.name, parameters.get("classifier", ""), corpus, calibration
    )
    if request.out:
        write_evaluation(request.out, evaluation)
    current = store.current()
    if current is None:
        return EvaluationResult(evaluation, rejected, "", f"Not kept: {request.store} has no snapshot.")
    if store.manifest(current).parameters != parameters:
        note = (
            f"Not kept with snapshot {current}: it was built with another codebook, model, classifier, threshold or "
            "decisions."
        )
        return EvaluationResult(evaluation, rejected, "", note)
    store.put_quality(current, figures, caveat, corpus, calibration)
    return EvaluationResult(evaluation, rejected, current, "")


def _keep_columns(known: NDArray[np.bool_], columns: Sequence[int]) -> NDArray[np.bool_]:
    kept = np.zeros_like(known)
    kept[:, columns] = known[:, columns]
    return kept


@contextmanager
def _open_embedder(store: Store, encoder: Encoder, progress: Progress) -> Iterator[tuple[Embedder, Store]]:
    """Keep vectors in the store if it has a snapshot, or else in a temporary one."""
    if store.current() is not None:
        with store.lock():
            mend_vectors(store, encoder)
            yield Embedder(encoder, store.vectors(encoder.name, encoder.variant, encoder.dimension), progress), store
    else:
        with tempfile.TemporaryDirectory() as folder:
            temporary = Store(Path(folder))
            vectors = temporary.vectors(encoder.name, encoder.variant, encoder.dimension)
            yield Embedder(encoder, vectors, progress), temporary


def _score_out_of_fold(
    matching: TrainedMatcher, gold: Sequence[LabelledText], evidence: model.FloatArray, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Compute scores (n, k), predictions (n, k), and the number of texts for which decisions were left out."""
    decided = matching.decided
    keys = [model.compute_text_key(row.text) for row in gold]
    document_of = dict(zip(matching.keys, decided.documents, strict=True))
    names = sorted({row.document for row in gold})
    numbers = np.random.default_rng(0).permutation(len(names)) % FOLDS
    fold_of = dict(zip(names, numbers.tolist(), strict=True))
    folds = np.array([fold_of[row.document] for row in gold])
    scores, predicted, held_out = np.zeros(evidence.shape), np.zeros(evidence.shape, np.bool_), 0
    for fold in range(FOLDS):
        progress("evaluating", fold, FOLDS)
        tested = np.flatnonzero(folds == fold).tolist()
        known_keys = {keys[row] for row in tested}
        tested_documents = {gold[row].document for row in tested} | {document_of.get(key, "") for key in known_keys}
        kept = [
            row
            for row, (key, document) in enumerate(zip(matching.keys, decided.documents, strict=True))
            if key not in known_keys and document not in tested_documents
        ]
        corrections = matching.matcher.corrections
        if corrections is None or len(kept) < len(decided.texts):
            corrections = match.learn_corrections(decided.rows(kept))
            held_out += len(tested)
        corrected = corrections.correct(evidence[tested], [gold[row].text for row in tested])
        scores[tested] = match.to_score(corrected)
        predicted[tested] = scores[tested].astype(np.float32) >= corrections.thresholds
    progress("evaluating", FOLDS, FOLDS)
    return scores, predicted, held_out


def _describe_matching(matching: TrainedMatcher, held_out: int) -> str:
    trained = ""
    if matching.classifiers:
        trained = (
            "Matched by the codebook and by a trained classifier; texts that it was trained on are scored by one that "
            "did not see their document."
        )
    if not matching.decided.known.any():
        return trained or "Matched by the codebook alone."
    texts = f"{len(matching.decided.texts):,} texts"
    own = "each text without the decisions on its own document" if held_out else "none of them from these documents"
    corrected = f"corrections learned from decisions on {texts}, {own}."
    return f"{trained} Other narratives: {corrected}" if trained else f"Matched by the codebook and by {corrected}"


_JUDGE_PHRASES = {"human": "by people", "machine": "by machine, not by people"}


@dataclass(frozen=True, slots=True)
class SpotCheckResult:
    """Imported judgements: the spot checks with their caveat, and the rejected rows.

    `replaced` is true if they replaced earlier spot checks of the snapshot.
    """

    snapshot: str
    checks: tuple[SpotCheck, ...]
    caveat: str
    replaced: bool
    rejected: tuple[Rejected, ...]


def write_spot_check_sample(store: Path, out: Path, each: int = 30, seed: int = 0) -> dict[str, int]:
    """Write `each` pairs per narrative (all if there are fewer) to a new CSV file; return the number of each.

    They are drawn without replacement from the original statement paragraphs that the current snapshot assigns
    to the narrative; the same `seed` gives the same sample. The rows of a narrative are in random order, so that
    the first ones are a random sample too. Raises UsageError if `out` exists, as it may hold judgements, and if
    there is nothing to draw.
    """
    if each < 1:
        raise UsageError("at least 1 paragraph of each narrative", str(each), "Give --each a larger number.")
    with closing(open_snapshot(store)) as snapshot:
        pairs, snapshot_id = snapshot.query_spot_check_pool(), snapshot.meta().snapshot_id
    if pairs.empty:
        raise UsageError("paragraphs that advance a narrative", f"none in {store}", "Add such texts with `build`.")
    random = np.random.default_rng(seed)
    drawn = pd.concat(
        rows.iloc[random.permutation(len(rows))[:each]] for _, rows in pairs.groupby("narrative_id", sort=False)
    )
    drawn.insert(0, "snapshot", snapshot_id)
    _write_new_file(out, frame_to_csv(drawn.assign(verdict="")))
    return dict(drawn.groupby("narrative_id", sort=False).size())


def import_judgements(store: Path, path: Path, judge: AnnotationSource) -> SpotCheckResult:
    """Count the judgements in a sample file, and store them with the snapshot that it was drawn from.

    They replace earlier ones. Unusable rows are listed with reasons. Raises ConfigError if the file has no verdict
    or pairs of several snapshots, and StoreError if the store lacks the snapshot.
    """
    rows = list(read.read_judgements(path))
    judged = [row for row in rows if isinstance(row, Judgement)]
    rejected = [row for row in rows if isinstance(row, Rejected)]
    snapshot_ids = sorted({row.snapshot_id for row in judged})
    hint = f"Fill in the column verdict with {', '.join(read.JUDGEMENT_ANSWERS)}."
    if not snapshot_ids:
        raise ConfigError(f"verdicts in {path}", rejected[0].reason if rejected else "none", hint)
    if len(snapshot_ids) > 1:
        raise ConfigError("pairs drawn from one snapshot", ", ".join(snapshot_ids), "Import each file separately.")
    [snapshot_id] = snapshot_ids
    with closing(open_snapshot(store, snapshot_id)) as snapshot:
        pairs = snapshot.query_spot_check_pool()[["paragraph_id", "narrative_id"]].itertuples(index=False, name=None)
        good, bad = _sort_judgements(judged, set(pairs), str(path))
        replaced = snapshot.spot_checks() is not None
    if not good:
        import_hint = "Import the file that `spotcheck draw` wrote."
        raise ConfigError(f"verdicts on assignments of {snapshot_id}", bad[0].reason, import_hint)
    sure = [row for row in good if row.advances is not None]
    if not sure:
        raise ConfigError(f"a verdict yes or no in {path}", "only unsure", hint)
    counts = Counter(row.narrative_id for row in sure)
    hold = Counter(row.narrative_id for row in sure if row.advances)
    checks = tuple(SpotCheck(key, counts[key], hold[key]) for key in sorted(counts))
    caveat = _format_caveat(len(good) - len(sure), judge)
    Store(store).put_spot_checks(snapshot_id, SpotChecks(checks, caveat))
    return SpotCheckResult(snapshot_id, checks, caveat, replaced, tuple(rejected + bad))


def _write_new_file(out: Path, data: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        hint = "It may hold judgements. Choose another name."
        raise UsageError("a new file", f"{out}, which exists", hint) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"to write {out}", reason, "Choose another file, or check its folder.") from error


def _sort_judgements(
    judged: Iterable[Judgement], pairs: set[tuple[str, str]], path: str
) -> tuple[list[Judgement], list[Rejected]]:
    """Return the first judgement on each pair of the snapshot, and the other rows with reasons."""
    good: dict[tuple[str, str], Judgement] = {}
    bad = []
    for row in judged:
        pair = (row.paragraph_id, row.narrative_id)
        if pair not in pairs:
            reason = f"paragraph {row.paragraph_id!r} is not assigned to {row.narrative_id!r} in that snapshot"
            bad.append(Rejected(path, row.row, reason))
        elif pair in good:
            bad.append(Rejected(path, row.row, f"already judged in row {good[pair].row}"))
        else:
            good[pair] = row
    return list(good.values()), bad


def _format_caveat(unsure: int, judge: AnnotationSource) -> str:
    left_out = f"; {unsure:,} unsure verdict{'' if unsure == 1 else 's'} left out" if unsure else ""
    return f"Judged {_JUDGE_PHRASES[judge]}{left_out}."
