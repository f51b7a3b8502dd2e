"""What recurs among the statements whether or not the codebook holds it: topics and claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from narratives import discover, model
from narratives.model import Assignment, Cluster, Codebook, Document, Paragraph, PreviousSnapshot, Progress
from narratives.workflows.match import Embedder


def discover_clusters(
    earlier: PreviousSnapshot,
    codebook: Codebook,
    documents: Sequence[Document],
    originals: Sequence[Paragraph],
    assignments: Sequence[Assignment],
    embed: Embedder,
    progress: Progress,
) -> tuple[Cluster, ...]:
    """Topics and claims of the original statements, aligned with the codebook; topics keep their ids."""
    progress("clustering", 0, None)
    if not originals:
        return ()
    dates = {d.document_id: d.date for d in documents}
    statements = discover.Statements(
        ids=[p.paragraph_id for p in originals],
        texts=[p.text for p in originals],
        document_ids=[p.document_id for p in originals],
        dates=[dates[p.document_id] for p in originals],
        vectors=embed([p.text for p in originals]),
    )
    assigned: dict[str, set[str]] = {}
    for a in assignments:
        if a.status != "rejected":
            assigned.setdefault(a.paragraph_id, set()).add(a.narrative_id)
    alignment = discover.AlignmentTargets(
        narrative_ids=[n.id for n in codebook.narratives],
        centroids=np.stack([_compute_centroid(embed(n.exemplars or (n.definition,))) for n in codebook.narratives]),
        assigned=assigned,
    )
    labels = discover.cluster_paragraphs(statements.ids, statements.vectors)
    routine = embed(discover.ROUTINE_TEXTS)
    topics = discover.summarise_clusters(statements, labels, alignment, routine)
    before = {m: key for key, of in earlier.members.items() if key.startswith(discover.TOPIC_PREFIX) for m in of}
    progress("finding claims", 0, None)
    claims = discover.find_recurring_claims(statements, assigned, embed)
    found = discover.summarise_claims(statements, claims, alignment, routine, embed([c.text for c in claims]))
    return (*discover.keep_ids(topics, before), *found)


def assign_members(
    clusters: Iterable[Cluster], statements: Sequence[Paragraph], copies: Mapping[str, str]
) -> list[Assignment]:
    """The members that advance the claim of a discovered candidate, scored by their nearness to it.

    A copy belongs where its original does.
    """
    known = {p.paragraph_id for p in statements}
    repeats: dict[str, list[str]] = {}
    for copy, original in copies.items():
        if copy in known:
            repeats.setdefault(original, []).append(copy)
    found: list[Assignment] = []
    for cluster in clusters:
        if not cluster.is_candidate:
            continue
        for member, score in cluster.fits:
            for paragraph_id in [member, *repeats.get(member, ())]:
                found.append(Assignment(paragraph_id, cluster.cluster_id, score, origin="discovered"))
    return found


def _compute_centroid(vectors: model.VectorArray) -> model.VectorArray:
    mean: model.VectorArray = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)
