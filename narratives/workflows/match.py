"""Statements to assignments: vectors kept in the store, a matcher that has learned, and a score per pair."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from narratives import embed, match, model
from narratives.model import (
    Assignment,
    AssignmentStatus,
    Codebook,
    Decision,
    Paragraph,
    Progress,
    Verdict,
    compute_text_key,
)
from narratives.model.text import Encoder
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER
from narratives.store import Store, VectorFile

log = logging.getLogger(__name__)


def load_store_encoder(store: Store, model: str) -> Encoder:
    """Load the model in the variant that the store already uses, so that scores do not depend on the machine."""
    encoder = embed.load_encoder(model)
    kept = store.variant(encoder.name)
    return encoder if kept in (None, encoder.variant) else embed.load_encoder(model, kept)


def mend_vectors(store: Store, encoder: Encoder) -> tuple[str, ...]:
    """Remove damaged vectors of the encoder from the store, and return a note for people if there were any."""
    mended = store.mend_vectors(encoder.name, encoder.variant)
    if mended.summed:
        log.info("%s stored vectors had no checksums and have them now.", f"{mended.summed:,}")
    if not mended.damaged:
        return ()
    note = f"{mended.damaged:,} stored vectors were damaged; texts that need one of them are encoded again."
    log.warning(note)
    return (note,)


class Embedder:
    """Vectors of texts, from the vector file or else from the encoder, which are then stored at once.

    `encoded` and `reused` count different texts: those that this build encoded, and those that were stored.
    """

    def __init__(self, encoder: Encoder, vectors: VectorFile, progress: Progress) -> None:
        self.encoder, self.encoded, self.reused = encoder, 0, 0
        self._vectors, self._progress = vectors, progress
        self._asked: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """Encode the texts that the file lacks. Every batch is stored at once, so a stop loses no vector."""
        different = [text for text in dict.fromkeys(texts) if text not in self._asked]
        if not different:
            return
        self._asked.update(different)
        missing = self._vectors.missing(different)
        self.reused += len(different) - len(missing)
        done = 0
        self._progress("encoding", done, len(missing))
        for indices, rows in self.encoder.encode(missing) if missing else ():
            self._vectors.append([missing[i] for i in indices], rows)
            done += len(indices)
            self._progress("encoding", done, len(missing))
        self.encoded += done

    def __call__(self, texts: Sequence[str]) -> model.VectorArray:
        """Return the unit vectors of the texts, (n, dimension) float32, in their order."""
        self.add(texts)
        return self._vectors.get(texts)


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
    narrative.
    """

    matcher: match.Matcher
    decided: match.LabelledPairs
    keys: tuple[str, ...]
    verdicts: Mapping[str, Mapping[str, Verdict]]

    @property
    def thresholds(self) -> dict[str, float]:
        """The least score for each narrative at which it is assigned, from the codebook and the decisions."""
        thresholds = zip(self.matcher.narrative_ids, self.matcher.thresholds, strict=True)
        return {narrative_id: round(float(threshold), 3) for narrative_id, threshold in thresholds}


def train_matcher(
    codebook: Codebook, decisions: Sequence[Decision], embed: model.EmbedFunction, model_name: str
) -> TrainedMatcher:
    """Fit a matcher to the codebook, and learn corrections from the decisions.

    Decisions on narratives that the codebook no longer has go to the narratives that replace them, or are
    left out. Raises ConfigError as `fit_matcher` does.
    """
    background = match.load_background(DATA_FOLDER / "background.npz")
    if background.model != model_name:
        background = match.make_background(_load_background_texts(), embed, model_name)
    matcher = match.fit_matcher(codebook, embed, background)
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
        evidence=match_texts(matcher, texts, [model.split_windows(text) for text in texts], embed).evidence,
        accepted=accepted,
        known=known,
        thresholds=matcher.thresholds,
    )
    trained = matcher.with_corrections(match.learn_corrections(decided))
    return TrainedMatcher(trained, decided, tuple(verdicts), verdicts)


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
    matcher: match.Matcher, texts: Sequence[str], windows: Sequence[Sequence[str]], embed: model.EmbedFunction
) -> match.MatchResult:
    """Score texts, given their windows and a function that turns both into vectors."""
    if not texts:
        return matcher.match([], np.zeros((0, len(matcher.probe)), np.float32), [])
    ends = np.cumsum([len(part) for part in windows])
    rows = np.split(embed(list(chain.from_iterable(windows))), ends[:-1])
    return matcher.match(texts, embed(texts), rows)


def assign_narratives(
    matching: TrainedMatcher,
    statements: Sequence[Paragraph],
    windows: Sequence[Sequence[str]],
    embed: model.EmbedFunction,
    progress: Progress,
) -> list[Assignment]:
    """Match every statement, copies included, with every narrative; in blocks, which limits memory.

    A pair that people accepted is assigned whatever its score, and marked as confirmed. A pair that people
    rejected is listed, marked as rejected, if its score reaches the threshold.
    """
    matcher = matching.matcher
    assignments: list[Assignment] = []
    for start in range(0, len(statements), BLOCK_STATEMENTS):
        progress("matching", start, len(statements))
        block = statements[start : start + BLOCK_STATEMENTS]
        block_windows = windows[start : start + BLOCK_STATEMENTS]
        result = match_texts(matcher, [p.text for p in block], block_windows, embed)
        verdicts = [matching.verdicts.get(compute_text_key(p.text), {}) for p in block]
        assigned = matcher.advances(result.scores)
        assigned |= np.array([[own.get(key) == "accepted" for key in matcher.narrative_ids] for own in verdicts])
        for row, column in zip(*np.nonzero(assigned), strict=True):
            paragraph, narrative = block[row], matcher.narrative_ids[column]
            assignments.append(
                Assignment(
                    paragraph_id=paragraph.paragraph_id,
                    narrative_id=narrative,
                    score=round(float(result.scores[row, column]), 3),
                    status=_STATUS_OF_VERDICT[verdicts[row].get(narrative, "undecided")],
                    exemplar=matcher.statements[column][result.best_exemplar[row, column]],
                    sentence=block_windows[row][result.best_window[row, column]],
                )
            )
    progress("matching", len(statements), len(statements))
    return assignments


def _load_background_texts() -> list[str]:
    """Return the sample's paragraphs that advance no narrative: the background for models without a shipped one."""
    paragraphs = chain.from_iterable(
        json.loads(line)["paragraphs"]
        for path in sorted(SAMPLE_FOLDER.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    )
    return sorted(p["text"] for p in paragraphs if not p["advances"])
