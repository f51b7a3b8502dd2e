"""Vectors to themes, topics, recurring claims, their lineage and a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from narratives.discover.claim_scorer import ClaimScorer, KeptScores, fit_claim_scorer
from narratives.discover.claims import SENTENCE_SCORE, RecurringClaim, Statements, find_recurring_claims
from narratives.discover.cluster_summaries import (
    ROUTINE_TEXTS,
    AlignmentTargets,
    summarise_claims,
    summarise_themes,
    summarise_topics,
)
from narratives.discover.clustering import cluster_paragraphs, keep_ids, trace_lineage
from narratives.discover.names import index_phrases
from narratives.discover.neighbours import NeighbourSearch
from narratives.discover.projection import project_to_map
from narratives.model import Assignment, Cluster, Codebook, Document, Paragraph, PreviousSnapshot
from narratives.model.narratives import TOPIC_PREFIX
from narratives.model.snapshot import Progress
from narratives.model.text import LoadFunction, VectorArray

__all__ = [
    "ROUTINE_TEXTS",
    "AlignmentTargets",
    "ClaimScorer",
    "DiscoveryTargets",
    "KeptScores",
    "NeighbourSearch",
    "RecurringClaim",
    "Statements",
    "assign_members",
    "cluster_paragraphs",
    "discover_clusters",
    "find_recurring_claims",
    "fit_claim_scorer",
    "index_phrases",
    "keep_ids",
    "project_to_map",
    "summarise_claims",
    "summarise_themes",
    "summarise_topics",
    "trace_lineage",
]


@dataclass(frozen=True, slots=True)
class DiscoveryTargets:
    """What a build compares its texts with: the previous snapshot, the codebook, and the wording of claims.

    `search` finds neighbours, and may continue the searches of an earlier build.
    """

    earlier: PreviousSnapshot
    codebook: Codebook
    scorer: ClaimScorer
    search: NeighbourSearch = field(default_factory=NeighbourSearch)


def discover_clusters(
    targets: DiscoveryTargets,
    documents: Sequence[Document],
    originals: Sequence[Paragraph],
    assignments: Sequence[Assignment],
    embed: LoadFunction,
    progress: Progress,
) -> tuple[Cluster, ...]:
    """Find themes, topics and recurring claims, and align them with the codebook.

    They keep the ids and names that they had in the previous snapshot (`keep_ids`). The order of the input has no
    influence.
    """
    progress("clustering", 0, None)
    if not originals:
        return ()
    dates = {d.document_id: d.date for d in documents}
    ordered = sorted(originals, key=lambda p: p.paragraph_id)
    texts = [p.text for p in ordered]
    statements = Statements(
        ids=[p.paragraph_id for p in ordered],
        texts=texts,
        document_ids=[p.document_id for p in ordered],
        dates=[dates[p.document_id] for p in ordered],
        vectors=embed(texts),
    )
    assigned: dict[str, set[str]] = {}
    for a in assignments:
        if a.status != "rejected":
            assigned.setdefault(a.paragraph_id, set()).add(a.narrative_id)
    narratives, earlier = targets.codebook.narratives, targets.earlier
    alignment = AlignmentTargets(
        narrative_ids=[n.id for n in narratives],
        centroids=np.stack([_compute_centroid(embed(n.statements)[:]) for n in narratives]),
        assigned=assigned,
    )
    routine, phrases = embed(ROUTINE_TEXTS)[:], index_phrases(texts)
    before = {key: members for key, members in earlier.members.items() if key.startswith(TOPIC_PREFIX)}
    topic_of = {member: key for key, members in before.items() for member in members}
    labels = cluster_paragraphs(statements.ids, statements.vectors, search=targets.search, earlier=topic_of)
    claim_like = targets.scorer.score(texts) >= SENTENCE_SCORE
    topics = keep_ids(summarise_topics(statements, labels, alignment, routine, phrases, claim_like), earlier)
    themes, topics = summarise_themes(statements, topics, phrases)
    kept = keep_ids(themes, earlier)
    renamed = {old.cluster_id: new.cluster_id for old, new in zip(themes, kept, strict=True)}
    topics = tuple(replace(topic, theme_id=renamed[topic.theme_id]) for topic in topics)
    progress("finding claims", 0, None)
    claims = find_recurring_claims(statements, assigned, targets.scorer, embed, targets.search, earlier)
    theme_of = {member: topic.theme_id for topic in topics for member in topic.members}
    named = summarise_claims(statements, claims, alignment, routine, phrases, theme_of)
    return (*kept, *topics, *keep_ids(named, earlier, [claim.earlier_id for claim in claims]))


def assign_members(
    clusters: Iterable[Cluster], statements: Sequence[Paragraph], copies: Mapping[str, str]
) -> list[Assignment]:
    """Assign to each discovered candidate the statements that advance it, scored by their similarity to it.

    A copy is assigned wherever its original is.
    """
    known = {p.paragraph_id for p in statements}
    repeats: dict[str, list[str]] = {}
    for copy, original in copies.items():
        if copy in known:
            repeats.setdefault(original, []).append(copy)
    return [
        Assignment(paragraph_id, cluster.cluster_id, score, origin="discovered", sentence=sentence)
        for cluster in clusters
        if cluster.is_candidate
        for member, score, sentence in cluster.fits
        for paragraph_id in [member, *repeats.get(member, ())]
    ]


def _compute_centroid(vectors: VectorArray) -> VectorArray:
    mean: VectorArray = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)
