"""Vectors to topics, recurring claims, their lineage and a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from narratives.discover.claims import (
    STANCE_PAIRS,
    RecurringClaim,
    Statements,
    find_clause_places,
    find_recurring_claims,
)
from narratives.discover.cluster_summaries import ROUTINE_TEXTS, AlignmentTargets, summarise_claims, summarise_clusters
from narratives.discover.clustering import TOPIC_PREFIX, cluster_paragraphs, keep_ids, trace_lineage
from narratives.discover.projection import project_to_map
from narratives.model import Assignment, Cluster, Codebook, Document, EmbedFunction, Paragraph, PreviousSnapshot
from narratives.model.snapshot import Progress
from narratives.model.text import VectorArray

__all__ = [
    "ROUTINE_TEXTS",
    "STANCE_PAIRS",
    "TOPIC_PREFIX",
    "AlignmentTargets",
    "RecurringClaim",
    "Statements",
    "assign_members",
    "cluster_paragraphs",
    "discover_clusters",
    "find_clause_places",
    "find_recurring_claims",
    "keep_ids",
    "project_to_map",
    "summarise_claims",
    "summarise_clusters",
    "trace_lineage",
]


def discover_clusters(
    earlier: PreviousSnapshot,
    codebook: Codebook,
    documents: Sequence[Document],
    originals: Sequence[Paragraph],
    assignments: Sequence[Assignment],
    embed: EmbedFunction,
    progress: Progress,
) -> tuple[Cluster, ...]:
    """Find topics and recurring claims, and align them with the codebook; topics keep their earlier ids."""
    progress("clustering", 0, None)
    if not originals:
        return ()
    dates = {d.document_id: d.date for d in documents}
    texts = [p.text for p in originals]
    statements = Statements(
        ids=[p.paragraph_id for p in originals],
        texts=texts,
        document_ids=[p.document_id for p in originals],
        dates=[dates[p.document_id] for p in originals],
        vectors=embed(texts),
    )
    assigned: dict[str, set[str]] = {}
    for a in assignments:
        if a.status != "rejected":
            assigned.setdefault(a.paragraph_id, set()).add(a.narrative_id)
    alignment = AlignmentTargets(
        narrative_ids=[n.id for n in codebook.narratives],
        centroids=np.stack([_compute_centroid(embed(n.statements)) for n in codebook.narratives]),
        assigned=assigned,
    )
    labels = cluster_paragraphs(statements.ids, statements.vectors)
    routine = embed(ROUTINE_TEXTS)
    topics = summarise_clusters(statements, labels, alignment, routine)
    before = {
        member: cluster_id
        for cluster_id, members in earlier.members.items()
        if cluster_id.startswith(TOPIC_PREFIX)
        for member in members
    }
    progress("finding claims", 0, None)
    claims = find_recurring_claims(statements, assigned, embed)
    named = summarise_claims(statements, claims, alignment, routine, embed([c.text for c in claims]))
    return (*keep_ids(topics, before), *named)


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
        Assignment(paragraph_id, cluster.cluster_id, score, origin="discovered")
        for cluster in clusters
        if cluster.is_candidate
        for member, score in cluster.fits
        for paragraph_id in [member, *repeats.get(member, ())]
    ]


def _compute_centroid(vectors: VectorArray) -> VectorArray:
    mean: VectorArray = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)
