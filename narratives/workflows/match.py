"""Statements to assignments: vectors kept in the store, a matcher that has learned, and a score per pair."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from narratives import discover, embed, match, model
from narratives.model import (
    Assignment,
    AssignmentStatus,
    Codebook,
    ConfigError,
    Decision,
    Paragraph,
    Progress,
    StoreError,
    Verdict,
    compute_text_key,
)
from narratives.model.kept import NOTHING_KEPT, KeptArrays
from narratives.model.text import Encoder
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER
from narratives.store import Store, hash_decisions
from narratives.store.files import CLASSIFIER_FILE as CLASSIFIER_FILE
from narratives.store.files import find_sums_problem, get_sums_path
from narratives.workflows.engines.embedder import Embedder

log = logging.getLogger(__name__)


def load_store_encoder(store: Store, model: str, variant: str = "") -> Encoder:
    """Load the model in the variant that the store already uses, so that scores do not depend on the machine.

    `variant` is the one of a store that has none yet. Raises ConfigError for another one.
    """
    encoder = embed.load_encoder(model, variant)
    kept = store.variant(encoder.name)
    if kept in (None, encoder.variant):
        return encoder
    if variant:
        hint = "Leave out --variant, or build into a new store."
        raise ConfigError(f"--variant {kept}, in which the store holds its vectors", variant, hint)
    return embed.load_encoder(model, kept)


def mend_vectors(store: Store, encoder: Encoder) -> tuple[str, ...]:
    """Remove damaged vectors of the encoder from the store, and return a note for people if there were any."""
    mended = store.mend_vectors(encoder.name, encoder.variant, encoder.dimension)
    if mended.summed:
        log.info("%s stored vectors had no checksums and have them now.", f"{mended.summed:,}")
    if not mended.damaged:
        return ()
    note = f"{mended.damaged:,} stored vectors were damaged; texts that need one of them are encoded again."
    log.warning(note)
    return (note,)


CLAIM_SCORER_FILE = "claims.json"  # in the data folder; benchmarks/make_claim_scorer.py makes it
SHIPPED_CLASSIFIER = DATA_FOLDER / CLASSIFIER_FILE  # for the narratives of the default codebook
SHIPPED_SHA256 = "8a11dd5b63a39a37a2df16fbaeb8f994c9a47f91d9da1ada7866767629bcd338"


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier, how it is combined with the codebook's evidence, its outputs and those out of fold.

    `held_out` maps the keys of the texts that it was trained on to outputs of classifiers that were trained without
    their documents. `own` is false for the classifier that ships with the program.
    """

    classifier: Encoder
    combination: match.Combination
    held_out: Mapping[str, model.VectorArray]
    outputs: Embedder
    own: bool

    def classify(self, texts: Sequence[str]) -> model.VectorArray:
        """Return the outputs (n, k) of texts."""
        return self.outputs(texts)

    def classify_held_out(self, texts: Sequence[str]) -> model.VectorArray:
        """Return outputs (n, k) of texts, out of fold for those that the classifier was trained on."""
        keys = [compute_text_key(text) for text in texts]
        new = [text for key, text in zip(keys, texts, strict=True) if key not in self.held_out]
        others = iter(self.classify(new)) if new else iter(())
        rows = [self.held_out[key] if key in self.held_out else next(others) for key in keys]
        return np.array(rows, np.float32).reshape(len(texts), -1)


def load_classifiers(
    codebook: Codebook, encoder: Encoder, outputs: Store, progress: Progress, own: Path | None = None
) -> tuple[TrainedClassifier, ...]:
    """Load the classifier that ships with the program, and then the one at `own`, which `train` left in a store.

    Each is used for the narratives whose id and definition are those that it was trained for, and only with the model
    that it was trained from. Their outputs are kept in the store `outputs`.
    """
    if not isinstance(encoder, embed.SentenceEncoder):
        return ()
    loaded = []
    if SHIPPED_CLASSIFIER.exists() and encoder.name == embed.BUNDLED_NAME:
        shipped = embed.load_classifier(SHIPPED_CLASSIFIER, encoder, "Install the program again.", SHIPPED_SHA256)
        loaded.append((shipped, False))
    if own and (problem := find_sums_problem(own)):
        hint = f"Run `train` again or restore a backup. To do without it, delete it and {get_sums_path(own).name}."
        raise StoreError(f"the classifier that `train` made at {own}", problem, hint)
    if own and own.exists():
        trained = embed.load_classifier(own, encoder)
        if trained.metadata["model"] != encoder.name:
            log.warning("The trained classifier is for the model %s, so it is not used.", trained.metadata["model"])
        elif not isinstance(trained.metadata["narratives"], list):
            log.warning("The trained classifier was made by an older version, so it is not used. Run `train` again.")
        else:
            loaded.append((trained, True))
    used = []
    for classifier, is_own in loaded:
        metadata = classifier.metadata
        combination = _align_combination(metadata, codebook)
        if not len(combination.columns):
            continue
        vectors = outputs.vectors(classifier.name, classifier.variant, classifier.dimension)
        held_out = dict(zip(metadata["texts"], classifier.held_out, strict=True))
        embedder = Embedder(classifier, vectors, progress, "classifying")
        used.append(TrainedClassifier(classifier, combination, held_out, embedder, is_own))
    return tuple(used)


def make_parameters(
    codebook: Codebook,
    decisions: Sequence[Decision],
    encoder: Encoder,
    classifiers: Sequence[TrainedClassifier],
    threshold: float | None = None,
) -> dict[str, str]:
    """Return what the scores depend on, for the manifest of a snapshot."""
    parameters = {
        "model": encoder.name,
        "variant": encoder.variant,
        "codebook": codebook.digest,
        "decisions": hash_decisions(decisions),
    }
    if classifiers:
        parameters["classifier"] = ", ".join(trained.classifier.name for trained in classifiers)
    if threshold is not None:
        parameters["threshold"] = f"{threshold:g}"
    return parameters


def _align_combination(metadata: Mapping[str, Any], codebook: Codebook) -> match.Combination:
    """Return the combination for those of its narratives that the codebook has with the same definition."""
    trained_for: dict[str, str] = dict(metadata["narratives"])
    used: dict[str, dict[str, list[float]]] = metadata["used"]
    places = {key: number for number, key in enumerate(trained_for)}
    columns = [
        column
        for column, narrative in enumerate(codebook.narratives)
        if narrative.id in used and trained_for[narrative.id] == narrative.definition
    ]
    ids = [codebook.narratives[column].id for column in columns]
    return match.Combination(
        np.array(columns, np.intp),
        np.array([places[key] for key in ids], np.intp),
        np.array([used[key]["near"] for key in ids], np.float64).reshape(-1, 3),
        np.array([used[key]["far"] for key in ids], np.float64).reshape(-1, 2),
        metadata["threshold"],
        len(trained_for) if metadata.get("refutation") else None,
    )


BLOCK_STATEMENTS = 4096  # limits memory; does not change any score
_STATUS_OF_VERDICT: Mapping[Verdict, AssignmentStatus] = {
    "accepted": "confirmed",
    "rejected": "rejected",
    "undecided": "auto",
}


@dataclass(frozen=True, slots=True)
class TrainedMatcher:
    """A matcher with the corrections learned from decisions, and these decisions.

    `keys` are the text keys of the rows of `decided`. `verdicts` maps a text key to the decisions on it, by
    narrative. `classifiers` are those that the matcher uses.
    """

    matcher: match.Matcher
    decided: match.LabelledPairs
    keys: tuple[str, ...]
    verdicts: Mapping[str, Mapping[str, Verdict]]
    classifiers: tuple[TrainedClassifier, ...] = ()

    @property
    def thresholds(self) -> dict[str, float]:
        """The least score for each narrative at which it is assigned."""
        thresholds = zip(self.matcher.narrative_ids, self.matcher.thresholds, strict=True)
        return {narrative_id: round(float(threshold), 3) for narrative_id, threshold in thresholds}


def train_matcher(
    codebook: Codebook,
    decisions: Sequence[Decision],
    embed: model.EmbedFunction,
    model_name: str,
    classifiers: tuple[TrainedClassifier, ...] = (),
    threshold: float | None = None,
    kept: KeptArrays = NOTHING_KEPT,
) -> TrainedMatcher:
    """Fit a matcher to the codebook, with the classifiers, and learn corrections from the decisions.

    Probes that an earlier build fitted to the same vectors are `kept`. `threshold` is the least probability for the
    narratives of the classifiers; a threshold in the codebook takes precedence. Narratives that a classifier decides
    are not corrected: their scores remain probabilities, and `train` learns from decisions on them. Decisions on
    narratives that the codebook no longer has go to the narratives that replace them, or are left out. Raises
    ConfigError as `fit_matcher` does.
    """
    fitted = match.fit_matcher(codebook, embed, load_background(embed, model_name), kept=kept)
    matcher = combine_classifiers(fitted, codebook, classifiers, threshold)
    held_out = [trained.classify_held_out for trained in classifiers]
    decided, keys, verdicts = label_pairs(matcher, codebook, decisions, embed, held_out)
    known = decided.known.copy()
    for trained in classifiers:
        known[:, trained.combination.columns] = False
    decided = replace(decided, known=known)
    return TrainedMatcher(
        matcher.with_corrections(match.learn_corrections(decided)), decided, keys, verdicts, classifiers
    )


def combine_classifiers(
    matcher: match.Matcher, codebook: Codebook, classifiers: Sequence[TrainedClassifier], threshold: float | None = None
) -> match.Matcher:
    """Return the matcher combined with the classifiers; `threshold` replaces theirs."""
    for trained in classifiers:
        columns = trained.combination.columns.tolist()
        given = {column: codebook.narratives[column].threshold for column in columns}
        chosen = {column: threshold if own is None else own for column, own in given.items()}
        thresholds = {column: value for column, value in chosen.items() if value is not None}
        matcher = matcher.with_combination(trained.combination, thresholds)
    return matcher


def load_background(embed: model.EmbedFunction, model_name: str) -> match.Background:
    """Load the shipped background, or make one for a model without a shipped one."""
    background = match.load_background(DATA_FOLDER / "background.npz")
    if background.model != model_name:
        background = match.make_background(_load_background_texts(), embed, model_name)
    return background


def load_claim_scorer(kept: discover.KeptScores | None = None) -> discover.ClaimScorer:
    """Load the shipped scorer of claims, which learned from labels how claims are worded; `kept` are earlier scores."""
    fitted = json.loads((DATA_FOLDER / CLAIM_SCORER_FILE).read_text("utf-8"))
    return discover.ClaimScorer(fitted["weights"], float(fitted["bias"]), kept or discover.KeptScores())


def label_pairs(
    matcher: match.Matcher,
    codebook: Codebook,
    decisions: Sequence[Decision],
    embed: model.EmbedFunction,
    classify: Sequence[match.ClassifyFunction] = (),
) -> tuple[match.LabelledPairs, tuple[str, ...], dict[str, dict[str, Verdict]]]:
    """Return the decided texts with their evidence, their text keys, and the verdicts by key and narrative."""
    column = {narrative: k for k, narrative in enumerate(matcher.narrative_ids)}
    verdicts = collect_verdicts(codebook, decisions)
    ordered = sorted(decisions, key=lambda d: (d.text_key, d.document), reverse=True)
    first = {decision.text_key: decision for decision in ordered}
    texts = [first[key].text for key in verdicts]
    shape = (len(texts), len(column))
    accepted, known = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for row, by_narrative in enumerate(verdicts.values()):
        for narrative, verdict in by_narrative.items():
            accepted[row, column[narrative]] = verdict == "accepted"
            known[row, column[narrative]] = verdict != "undecided"
    decided = match.LabelledPairs(
        texts=tuple(texts),
        documents=tuple(first[key].document for key in verdicts),
        evidence=match_texts(matcher, texts, embed, classify).evidence,
        accepted=accepted,
        known=known,
        thresholds=matcher.thresholds,
    )
    return decided, tuple(verdicts), verdicts


def collect_verdicts(codebook: Codebook, decisions: Sequence[Decision]) -> dict[str, dict[str, Verdict]]:
    """Collect the verdicts on each text, by its key, for the narratives of the codebook.

    A narrative without a verdict of its own inherits those on narratives that it replaces and that are gone.
    It is accepted if one of these was accepted and nothing else replaces that one. It is rejected if all of
    them were rejected.
    """
    decided: dict[str, dict[str, Verdict]] = {}
    for decision in sorted(decisions, key=lambda d: (d.text_key, d.narrative_id)):
        decided.setdefault(decision.text_key, {})[decision.narrative_id] = decision.verdict
    ids = {n.id for n in codebook.narratives}
    heirs = Counter(earlier for n in codebook.narratives for earlier in n.replaces)
    collected: dict[str, dict[str, Verdict]] = {}
    for key, own in decided.items():
        for narrative in codebook.narratives:
            gone = [own.get(earlier, "undecided") for earlier in narrative.replaces if earlier not in ids]
            sole = [own.get(e) for e in narrative.replaces if e not in ids and heirs[e] == 1]
            if narrative.id in own:
                collected.setdefault(key, {})[narrative.id] = own[narrative.id]
            elif "accepted" in sole:
                collected.setdefault(key, {})[narrative.id] = "accepted"
            elif gone and set(gone) == {"rejected"}:
                collected.setdefault(key, {})[narrative.id] = "rejected"
    return collected


def match_texts(
    matcher: match.Matcher,
    texts: Sequence[str],
    embed: model.EmbedFunction,
    classify: Sequence[match.ClassifyFunction] = (),
) -> match.MatchResult:
    """Score texts, given a function that turns them and their sentences into vectors, and those of the classifiers."""
    if not texts:
        return matcher.match([], np.zeros((0, len(matcher.probe)), np.float32), [], classify)
    return matcher.match(texts, *model.embed_passages(texts, embed), classify)


MatchFunction: TypeAlias = Callable[[Sequence[str]], match.MatchResult]
MIN_PROBABILITY = 0.005  # smaller ones are kept as one mean for each narrative


@dataclass(frozen=True, slots=True)
class MatchedStatements:
    """Assignments, and the probabilities that statements advance narratives whose scores are probabilities.

    `probabilities` are (paragraph id, narrative id, probability), from MIN_PROBABILITY up; `rest` is the mean of the
    smaller ones, by narrative.
    """

    assignments: list[Assignment]
    probabilities: list[tuple[str, str, float]]
    rest: Mapping[str, float]


def assign_narratives(
    matching: TrainedMatcher, statements: Sequence[Paragraph], match_block: MatchFunction, progress: Progress
) -> MatchedStatements:
    """Match every statement, copies included, with every narrative; in blocks, which limits memory.

    `match_block` scores the texts of a block as `match_texts` does.

    A pair that people accepted is assigned whatever its score, and marked as confirmed. A pair that people
    rejected is listed, marked as rejected, if its score reaches the threshold. Scores of narratives that a classifier
    decides are probabilities; those of accepted and rejected pairs are 1 and 0.
    """
    matcher = matching.matcher
    assignments: list[Assignment] = []
    probabilities: list[tuple[str, str, float]] = []
    calibrated = sorted({column for one in matching.classifiers for column in one.combination.columns.tolist()})
    rest_sum, rest_count = np.zeros(len(calibrated)), np.zeros(len(calibrated))
    for start in range(0, len(statements), BLOCK_STATEMENTS):
        progress("matching", start, len(statements))
        block = statements[start : start + BLOCK_STATEMENTS]
        result = match_block([p.text for p in block])
        verdicts = [matching.verdicts.get(compute_text_key(p.text), {}) for p in block]
        accepted, rejected = (
            np.array([[own.get(key) == verdict for key in matcher.narrative_ids] for own in verdicts])
            for verdict in ("accepted", "rejected")
        )
        assigned = matcher.advances(result.scores) | accepted
        chances = np.where(accepted, 1.0, np.where(rejected, 0.0, result.scores))[:, calibrated]
        listed = chances >= MIN_PROBABILITY
        rest_sum += np.where(listed, 0, chances).sum(axis=0)
        rest_count += (~listed).sum(axis=0)
        probabilities += [
            (block[row].paragraph_id, matcher.narrative_ids[calibrated[at]], round(float(chances[row, at]), 3))
            for row, at in zip(*np.nonzero(listed), strict=True)
        ]
        for row, column in zip(*np.nonzero(assigned), strict=True):
            paragraph, narrative = block[row], matcher.narrative_ids[column]
            assignments.append(
                Assignment(
                    paragraph_id=paragraph.paragraph_id,
                    narrative_id=narrative,
                    score=round(float(result.scores[row, column]), 3),
                    status=_STATUS_OF_VERDICT[verdicts[row].get(narrative, "undecided")],
                    exemplar=matcher.statements[column][result.best_exemplar[row, column]],
                    sentence=model.split_windows(paragraph.text)[result.best_window[row, column]],
                )
            )
    progress("matching", len(statements), len(statements))
    means = (rest_sum / np.maximum(1, rest_count)).round(6).tolist()
    rest = {matcher.narrative_ids[column]: mean for column, mean in zip(calibrated, means, strict=True)}
    return MatchedStatements(assignments, probabilities, rest)


def _load_background_texts() -> list[str]:
    """Return the sample's paragraphs that advance no narrative: the background for models without a shipped one."""
    paragraphs = chain.from_iterable(
        json.loads(line)["paragraphs"]
        for path in sorted(SAMPLE_FOLDER.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    )
    return sorted(p["text"] for p in paragraphs if not p["advances"])
