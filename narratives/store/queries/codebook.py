"""The queries of the Codebook page: what a narrative has in the snapshot, and what a new one can be made from."""

from __future__ import annotations

import pandas as pd

from narratives.model.narratives import THEME_PREFIX
from narratives.store.queries import IS_ORIGINAL, IS_SHOWN, NOT_REJECTED
from narratives.store.snapshot_reader import Snapshot


def query_assigned_scores(snapshot: Snapshot, narrative_id: str) -> dict[str, float]:
    """Query the original statement paragraphs that advance a narrative: ids with their scores."""
    rows = snapshot.frame(
        f"""
        SELECT a.paragraph_id, a.score FROM snap.assignments a JOIN snap.paragraphs p USING (place)
        WHERE {NOT_REJECTED} AND a.narrative_id = $narrative AND p.statement AND {IS_ORIGINAL}
        """,
        {"narrative": narrative_id},
    )
    return dict(zip(rows["paragraph_id"], rows["score"].tolist(), strict=True))


def query_built_narratives(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    """Query the codebook of the snapshot: ids with name and digest, which is empty in snapshots of version 1."""
    rows = snapshot.frame("SELECT * FROM snap.narratives WHERE origin = 'codebook' ORDER BY position")
    digests = rows["digest"] if "digest" in rows else [""] * len(rows)
    return dict(zip(rows["narrative_id"], zip(rows["name"], digests, strict=True), strict=True))


def query_sources(snapshot: Snapshot) -> pd.DataFrame:
    """Query the candidates and topics, without routine ones, the largest first: columns cluster_id, name, size."""
    return snapshot.frame(
        f"""
        SELECT cluster_id, name, size FROM snap.clusters c
        WHERE NOT routine AND c.cluster_id NOT LIKE '{THEME_PREFIX}%' AND {IS_SHOWN} ORDER BY size DESC, cluster_id
        """
    )


def query_central_members(snapshot: Snapshot, most: int) -> dict[str, list[str]]:
    """Query the most central members of each cluster, at most `most`, most central first."""
    rows = snapshot.frame(
        """
        SELECT cluster_id, list(paragraph_id ORDER BY rank) AS members
        FROM snap.cluster_members WHERE rank <= $most GROUP BY cluster_id ORDER BY cluster_id
        """,
        {"most": most},
    )
    return {str(key): list(ids) for key, ids in rows.itertuples(index=False, name=None)}


def query_members(snapshot: Snapshot, cluster_id: str) -> set[str]:
    """Query the ids of all members of a cluster."""
    rows = snapshot.frame(
        "SELECT paragraph_id FROM snap.cluster_members WHERE cluster_id = $cluster", {"cluster": cluster_id}
    )
    return set(rows["paragraph_id"])
