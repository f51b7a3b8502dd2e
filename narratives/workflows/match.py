"""Texts to vectors for a build: from the store where it has them, else from the encoder."""

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
    """The model in the variant that the store began with, so that scores do not move with the machine."""
    encoder = embed.load_encoder(model)
    kept = store.variant(encoder.name)
    return encoder if kept in (None, encoder.variant) else embed.load_encoder(model, kept)


def mend_vectors(store: Store, encoder: Encoder) -> tuple[str, ...]:
    """See to it that no damaged vector of the encoder's is used; returns what was damaged, in words."""
    mended = store.mend_vectors(encoder.name, encoder.variant)
    if mended.summed:
        log.info("%s stored vectors were without checksums and have them now.", f"{mended.summed:,}")
    if not mended.damaged:
        return ()
    note = f"{mended.damaged:,} stored vectors were damaged; texts that need one of them are encoded again."
    log.warning(note)
    return (note,)


class Embedder:
    """Vectors of texts: from the vector file where it has them, else from the encoder, kept at once.

    `encoded` and `reused` count different texts: those that this build encoded, and those it did not need to.
    """

    def __init__(self, encoder: Encoder, vectors: VectorFile, progress: Progress) -> None:
        self.encoder, self.encoded, self.reused = encoder, 0, 0
        self._vectors, self._progress = vectors, progress
        self._asked: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """Encode what the file lacks, a batch at a time; stopped between two batches, it loses nothing."""
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
        """Unit vectors of the texts, (n, dimension) float32, in their order."""
        self.add(texts)
        return self._vectors.get(texts)


BLOCK_STATEMENTS = 4096  # statements at a time: bounds memory, changes no score
_STATUS_OF_VERDICT: Mapping[Verdict, AssignmentStatus] = {
    "accepted": "confirmed",
    "rejected": "rejected",
    "undecided": "auto",
}


@dataclass(frozen=True, slots=True)
class TrainedMatcher:
    """A codebook ready to match: `matcher` has learned from the decisions, which `decided` holds as it did.

    `keys` are the text keys of the rows of `decided`; `verdicts` maps a text key to what was decided on it,
    narrative by narrative.
    """

    matcher: match.Matcher
    decided: match.LabelledPairs
    keys: tuple[str, ...]
    verdicts: Mapping[str, Mapping[str, Verdict]]

    @property
    def thresholds(self) -> dict[str, float]:
        """The scores from which each narrative is assigned, as the codebook and the decisions set them."""
        ids, found = self.matcher.narrative_ids, self.matcher.thresholds
        return {key: round(float(least), 3) for key, least in zip(ids, found, strict=True)}


def train_matcher(
    codebook: Codebook, decisions: Sequence[Decision], embed: model.EmbedFunction, model_name: str
) -> TrainedMatcher:
    """Fit the codebook with vectors of the model, and let it learn from the decisions that hold.

    Decisions on narratives that the codebook lacks go to their heirs (`replaces`), or are left aside. Raises
    ConfigError as `fit_matcher` does.
    """
    background = match.load_background(DATA_FOLDER / "background.npz")
    if background.model != model_name:
        background = match.make_background(_load_background_texts(), embed, model_name)
    matcher = match.fit_matcher(codebook, embed, background)
    column = {narrative: k for k, narrative in enumerate(matcher.narrative_ids)}
    verdicts = collect_verdicts(codebook, decisions)
    ordered = sorted(decisions, key=lambda d: (d.text_key, d.document), reverse=True)
    first = {decision.text_key: decision for decision in ordered}
    said = [first[key].text for key in verdicts]
    shape = (len(said), len(column))
    accepted, known = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for row, of in enumerate(verdicts.values()):
        for narrative, verdict in of.items():
            accepted[row, column[narrative]] = verdict == "accepted"
            known[row, column[narrative]] = verdict != "undecided"
    decided = match.LabelledPairs(
        texts=tuple(said),
        documents=tuple(first[key].document for key in verdicts),
        evidence=match_texts(matcher, said, [model.split_windows(text) for text in said], embed).evidence,
        accepted=accepted,
        known=known,
        thresholds=matcher.thresholds,
    )
    return TrainedMatcher(matcher.taught(match.learn_corrections(decided)), decided, tuple(verdicts), verdicts)


def collect_verdicts(codebook: Codebook, decisions: Sequence[Decision]) -> dict[str, dict[str, Verdict]]:
    """What was decided of each text, narrative by narrative of the codebook; texts by their keys.

    A narrative of which nothing was decided takes over from those that it replaces and that are gone: it is
    accepted with any of which it is the only heir, and rejected where all were.
    """
    said: dict[str, dict[str, Verdict]] = {}
    for decision in sorted(decisions, key=lambda d: (d.text_key, d.narrative_id)):
        said.setdefault(decision.text_key, {})[decision.narrative_id] = decision.verdict
    ids = {n.id for n in codebook.narratives}
    heirs = Counter(earlier for n in codebook.narratives for earlier in n.replaces)
    found: dict[str, dict[str, Verdict]] = {}
    for key, of in said.items():
        for narrative in codebook.narratives:
            gone = [of.get(earlier, "undecided") for earlier in narrative.replaces if earlier not in ids]
            sole = [of.get(e) for e in narrative.replaces if e not in ids and heirs[e] == 1]
            if narrative.id in of:
                found.setdefault(key, {})[narrative.id] = of[narrative.id]
            elif "accepted" in sole:
                found.setdefault(key, {})[narrative.id] = "accepted"
            elif gone and set(gone) == {"rejected"}:
                found.setdefault(key, {})[narrative.id] = "rejected"
    return found


def match_texts(
    matcher: match.Matcher, texts: Sequence[str], windows: Sequence[Sequence[str]], embed: model.EmbedFunction
) -> match.MatchResult:
    """Score texts, given their windows and what turns both into vectors."""
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
    """Every statement, copies included, against every narrative; in blocks, so that memory stays bounded.

    What people accepted is assigned whatever its score, and confirmed; what they rejected is kept, marked as
    such, where the machine would have assigned it.
    """
    matcher = matching.matcher
    found: list[Assignment] = []
    for start in range(0, len(statements), BLOCK_STATEMENTS):
        progress("matching", start, len(statements))
        block = statements[start : start + BLOCK_STATEMENTS]
        of_block = windows[start : start + BLOCK_STATEMENTS]
        result = match_texts(matcher, [p.text for p in block], of_block, embed)
        verdicts = [matching.verdicts.get(compute_text_key(p.text), {}) for p in block]
        said = matcher.advances(result.scores)
        said |= np.array([[of.get(key) == "accepted" for key in matcher.narrative_ids] for of in verdicts])
        for row, column in zip(*np.nonzero(said), strict=True):
            paragraph, narrative = block[row], matcher.narrative_ids[column]
            found.append(
                Assignment(
                    paragraph_id=paragraph.paragraph_id,
                    narrative_id=narrative,
                    score=round(float(result.scores[row, column]), 3),
                    status=_STATUS_OF_VERDICT[verdicts[row].get(narrative, "undecided")],
                    exemplar=matcher.statements[column][result.best_exemplar[row, column]],
                    sentence=of_block[row][result.best_window[row, column]],
                )
            )
    progress("matching", len(statements), len(statements))
    return found


def _load_background_texts() -> list[str]:
    """The sample's paragraphs that advance no narrative: the background of models other than the bundled."""
    paragraphs = chain.from_iterable(
        json.loads(line)["paragraphs"]
        for path in sorted(SAMPLE_FOLDER.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    )
    return sorted(p["text"] for p in paragraphs if not p["advances"])
