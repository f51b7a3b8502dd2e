"""The preview of an edit: which paragraphs of a snapshot a narrative would gain and lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from narratives import embed, match, model
from narratives.model import Codebook, Decision, FloatArray, Narrative, Text, VectorArray, compute_text_key, no_progress
from narratives.model.text import Encoder
from narratives.store import DECISIONS_FILE, DecisionLog, Snapshot, Store
from narratives.store.queries.codebook import query_assigned_scores
from narratives.store.queries.evidence import query_statement_texts
from narratives.store.queries.map import query_paragraphs_by_id
from narratives.workflows.match import (
    CLASSIFIER_FILE,
    TrainedClassifier,
    collect_verdicts,
    label_pairs,
    load_background,
    load_classifiers,
    match_texts,
)

MAX_EXAMPLES = 20  # of the paragraphs gained, and of those lost
MAX_CLASSIFIED = 40  # paragraphs without a stored output that a preview classifies; each takes some milliseconds
KEPT_CLASSIFIERS = 3  # sets of definitions whose classifiers stay in memory


@dataclass(frozen=True, slots=True)
class PreviewExample:
    """A paragraph that would be gained or lost: its score as it would be, and the sentence most like the narrative."""

    paragraph_id: str
    date: str
    speaker: str
    score: float
    sentence: str
    text: str


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """What the next build would change, in original statement paragraphs of the snapshot.

    Of all `statements`, `before` advance the narrative in the snapshot and `after` would; `kept` are in both. Examples
    are those with the highest scores first, and of the lost ones those that had the highest before. `by_classifier`
    says whether a classifier would decide the narrative. `unclassified` paragraphs have no stored output of the
    classifier; here they are scored without it.
    """

    statements: int
    before: int
    after: int
    kept: int
    gained: tuple[PreviewExample, ...]
    lost: tuple[PreviewExample, ...]
    by_classifier: bool = False
    unclassified: int = 0

    @property
    def gained_count(self) -> int:
        """The number of paragraphs gained."""
        return self.after - self.kept

    @property
    def lost_count(self) -> int:
        """The number of paragraphs lost."""
        return self.before - self.kept


class Previewer:
    """Everything that previews of one snapshot share: vectors, and narratives already matched.

    Nothing is written: vectors of new texts are kept in memory. `load_encoder` gives the model of the snapshot; it
    reads a text only if that has no stored vector. Opening takes seconds for tens of thousands of paragraphs.
    """

    def __init__(self, path: Path, snapshot: Snapshot, load_encoder: Callable[[], Encoder]) -> None:
        self._store, self._snapshot = Store(path), snapshot
        self._load_encoder = load_encoder
        self._manifest = snapshot.meta()
        model_name, variant = self._manifest.model, self._manifest.variant
        self._vectors = self._store.open_existing_vectors(model_name, variant)
        self._encoded: dict[Text, VectorArray] = {}
        rows = query_statement_texts(snapshot, copies=False)
        self._ids: list[str] = rows["paragraph_id"].tolist()
        self._statements = match.PreparedTexts(rows["text"].tolist(), self._embed)
        self._keys = [compute_text_key(text) for text in self._statements.texts]
        self._background = load_background(self._embed, model_name)
        self._fitted: dict[str, match.Matcher] = {}  # of one narrative, by its digest
        self._evidence: dict[str, FloatArray] = {}
        self._outputs: dict[str, dict[str, VectorArray]] = {}  # by the name of the classifier and by text
        self._classifiers: dict[tuple[tuple[str, str], ...], tuple[TrainedClassifier, ...]] = {}

    def prepare(self, codebook: Codebook) -> Previewer:
        """Match all narratives of a codebook now, so that the first preview of an edit is as fast as the next ones."""
        self._match_others(codebook, -1)
        self._load_classifiers(codebook)
        return self

    def preview(self, codebook: Codebook, narrative_id: str) -> PreviewResult:
        """Compare what the snapshot assigns with what a build with this edited codebook would assign.

        The current decisions of the store apply. A narrative that the codebook lacks loses all its paragraphs. Other
        narratives are matched as before the edit: they only select what is classified, and share the thresholds that
        are learned from decisions.
        """
        before = query_assigned_scores(self._snapshot, narrative_id)
        columns = [n.id for n in codebook.narratives]
        if narrative_id not in columns:
            return self._compare(before, {}, None)
        column = columns.index(narrative_id)
        decisions = DecisionLog(self._store.path / DECISIONS_FILE).current()
        verdicts = collect_verdicts(codebook, decisions)
        matcher = match.fit_matcher(codebook, self._embed, self._background, [column])
        evidence = self._statements.compute_evidence(matcher)[:, 0]
        used = [c for c in self._load_classifiers(codebook) if column in c.combination.columns]
        unclassified = 0
        threshold = matcher.thresholds[0]
        if used:
            evidence, unclassified = self._classify(used, codebook, column, evidence)
            threshold = np.float32(self._choose_threshold(used[-1], codebook.narratives[column]))
        elif sum(own.get(narrative_id) == "accepted" for own in verdicts.values()) >= match.MIN_ACCEPTED:
            evidence, threshold = self._correct(matcher, codebook, column, evidence, decisions)
        scores = match.to_score(evidence).astype(np.float32)
        given = [verdicts.get(key, {}).get(narrative_id) for key in self._keys]
        after = {
            self._ids[row]: float(scores[row])
            for row, verdict in enumerate(given)
            if verdict == "accepted" or (verdict != "rejected" and scores[row] >= threshold)
        }
        result = self._compare(before, after, matcher)
        return replace(result, by_classifier=bool(used), unclassified=unclassified)

    def is_classified(self, codebook: Codebook, narrative_id: str) -> bool:
        """Return whether a classifier decides the narrative of this codebook."""
        columns = [at for at, n in enumerate(codebook.narratives) if n.id == narrative_id]
        return any(column in c.combination.columns for c in self._load_classifiers(codebook) for column in columns)

    def _embed(self, texts: Sequence[Text]) -> VectorArray:
        """Return stored vectors, or new ones that are kept in memory only."""
        missing = [text for text in self._vectors.missing(texts) if text not in self._encoded]
        if missing:
            self._encoded.update(zip(missing, embed.encode_all(self._load_encoder(), missing), strict=True))
        if not any(text in self._encoded for text in texts):
            return self._vectors.get(texts)
        return np.stack([self._encoded[t] if t in self._encoded else self._vectors.get([t])[0] for t in texts])

    def _fit(self, codebook: Codebook, columns: Sequence[int]) -> list[match.Matcher]:
        """Return a matcher of each of these narratives, as it was when the narrative was first matched here."""
        for column in columns:
            digest = codebook.narratives[column].digest
            if digest not in self._fitted:
                self._fitted[digest] = match.fit_matcher(codebook, self._embed, self._background, [column])
        return [self._fitted[codebook.narratives[column].digest] for column in columns]

    def _match_others(self, codebook: Codebook, column: int) -> FloatArray:
        """Compute the highest evidence (n,) for any narrative but one."""
        others = [at for at in range(len(codebook.narratives)) if at != column]
        digests = [codebook.narratives[at].digest for at in others]
        new = [at for at, digest in zip(others, digests, strict=True) if digest not in self._evidence]
        if new:
            evidence = self._statements.compute_evidence(match.join_matchers(self._fit(codebook, new)))
            for place, at in enumerate(new):
                self._evidence[codebook.narratives[at].digest] = evidence[:, place]
        highest = np.full(len(self._statements), -np.inf)
        for digest in digests:
            highest = np.maximum(highest, self._evidence[digest])
        return highest

    def _load_classifiers(self, codebook: Codebook) -> tuple[TrainedClassifier, ...]:
        """Load the classifiers of the next build; those of a codebook with the same definitions are loaded once."""
        definitions = tuple((n.id, n.definition) for n in codebook.narratives)
        if definitions not in self._classifiers:
            own = self._store.path / CLASSIFIER_FILE
            loaded = load_classifiers(codebook, self._load_encoder(), self._store, no_progress, own)
            self._classifiers = {**dict(list(self._classifiers.items())[-KEPT_CLASSIFIERS:]), definitions: loaded}
        return self._classifiers[definitions]

    def _classify(
        self, used: Sequence[TrainedClassifier], codebook: Codebook, column: int, evidence: FloatArray
    ) -> tuple[FloatArray, int]:
        """Combine evidence (n,) with outputs; return it with the number of paragraphs without any."""
        near = match.is_near(np.stack([self._match_others(codebook, column), evidence], axis=1))
        unclassified = 0
        for trained in used:
            own = trained.combination.take(column)
            known = self._find_outputs(trained, near)
            unclassified = max(unclassified, int((near & ~known).sum()))
            give = partial(self._give_outputs, trained)
            evidence = own.combine(evidence[:, None], near & known, self._statements.texts, give)[:, 0]
        return evidence, unclassified

    def _find_outputs(self, trained: TrainedClassifier, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which paragraphs have outputs of a classifier; a few of those that lack one are classified here."""
        classifier, kept = trained.classifier, self._outputs
        if classifier.name not in kept:
            stored = self._store.vectors(classifier.name, classifier.variant, classifier.dimension)
            texts = self._statements.texts
            have = [text for text, row in zip(texts, stored.rows(texts), strict=True) if row >= 0]
            kept[classifier.name] = dict(zip(have, stored.get(have), strict=True))
        known = np.array([text in kept[classifier.name] for text in self._statements.texts])
        missing = [self._statements.texts[row] for row in np.flatnonzero(near & ~known)]
        if not missing or len(missing) > MAX_CLASSIFIED:
            return known
        kept[classifier.name].update(zip(missing, embed.encode_all(classifier, missing), strict=True))
        return known | near

    def _give_outputs(self, trained: TrainedClassifier, texts: Sequence[str]) -> VectorArray:
        kept = self._outputs[trained.classifier.name]
        return np.stack([kept[text] for text in texts])

    def _choose_threshold(self, trained: TrainedClassifier, narrative: Narrative) -> float:
        if narrative.threshold is not None:
            return narrative.threshold
        given = self._manifest.parameters.get("threshold")
        return trained.combination.threshold if given is None else float(given)

    def _correct(
        self, own: match.Matcher, codebook: Codebook, column: int, evidence: FloatArray, decisions: Sequence[Decision]
    ) -> tuple[FloatArray, np.float32]:
        """Correct evidence (n,) by what is learned from decisions; return it with the learned threshold."""
        parts = self._fit(codebook, [at for at in range(len(codebook.narratives)) if at != column])
        parts.insert(column, own)
        decided, _, _ = label_pairs(match.join_matchers(parts), codebook, decisions, self._embed)
        known = decided.known.copy()
        for trained in self._load_classifiers(codebook):
            known[:, trained.combination.columns] = False
        corrections = match.learn_corrections(replace(decided, known=known)).take(column)
        near = np.flatnonzero(evidence > match.NEAR_EVIDENCE)
        corrected = evidence.copy()
        texts = [self._statements.texts[row] for row in near]
        corrected[near] = corrections.correct(evidence[near, None], texts)[:, 0]
        return corrected, corrections.thresholds[0]

    def _compare(
        self, before: Mapping[str, float], after: Mapping[str, float], matcher: match.Matcher | None
    ) -> PreviewResult:
        gained = sorted(after.keys() - before.keys(), key=lambda key: (-after[key], key))
        lost = sorted(before.keys() - after.keys(), key=lambda key: (-before[key], key))
        return PreviewResult(
            statements=len(self._ids),
            before=len(before),
            after=len(after),
            kept=len(before.keys() & after.keys()),
            gained=self._show({key: after[key] for key in gained[:MAX_EXAMPLES]}, matcher),
            lost=self._show({key: before[key] for key in lost[:MAX_EXAMPLES]}, matcher),
        )

    def _show(self, scores: Mapping[str, float], matcher: match.Matcher | None) -> tuple[PreviewExample, ...]:
        if not scores:
            return ()
        rows = query_paragraphs_by_id(self._snapshot, list(scores)).set_index("paragraph_id").loc[list(scores)]
        texts = rows["text"].tolist()
        sentences = [""] * len(texts)
        if matcher:
            best = match_texts(matcher, texts, self._embed).best_window[:, 0]
            sentences = [model.split_windows(text)[at] for text, at in zip(texts, best, strict=True)]
        columns = (rows.index, rows["date"], rows["speaker"], scores.values(), sentences, texts)
        return tuple(PreviewExample(*cells) for cells in zip(*columns, strict=True))


def preview_edit(
    path: Path, snapshot: Snapshot, codebook: Codebook, narrative_id: str, load_encoder: Callable[[], Encoder]
) -> PreviewResult:
    """Preview one edit; see `Previewer`, which serves many."""
    return Previewer(path, snapshot, load_encoder).preview(codebook, narrative_id)
