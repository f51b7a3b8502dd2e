"""Queries of the Topics page: themes, topics and recurring claims, with the sums for their shares.

They count statement paragraphs only. A copy belongs to the topics of its original. The narrative filter selects
paragraphs that advance one of the narratives, and narrows no denominator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from narratives.model import Slice
from narratives.model.narratives import THEME_PREFIX, TOPIC_PREFIX
from narratives.store.queries import (
    ADVANCING_IDS,
    DOCUMENT_SUMS,
    IS_SHOWN,
    JOIN_DOCUMENT,
    NARRATIVE_SUMS,
    NOT_REJECTED,
    ORIGINAL_ID,
    PARAGRAPH_COLUMNS,
    build_narrative_condition,
    build_where,
)
from narratives.store.snapshot_reader import Snapshot


@dataclass(frozen=True, slots=True)
class TopicSums:
    """The themes, topics and recurring claims of a slice.

    `groups` has one row for each that has a paragraph in the slice, those with the most paragraphs first:

    topic_id, topic, kind     the id, the name, and "theme", "topic" or "claim"
    theme_id, theme           of a topic or claim; empty for themes
    claim_share               the share of its paragraphs in the snapshot that are worded like a claim
    routine                   whether it consists of greetings, agendas and the like
    status                    "new" or "kept" since the previous snapshot; empty if there was none
    used_documents            documents of the slice with a paragraph of it
    first_date, last_date     of these; empty where all are undated
    explained                 those of its paragraphs that advance a codebook narrative
    narrative_id, narrative   the codebook narrative that most of these advance, with `narrated` paragraphs
    representatives           ids of its most central paragraphs, in any slice

    and `measure.shares.SUM_COLUMNS` under a column narrative_id: the same as topic_id. `halves` has the same sums for
    the earlier and the later half of the slice's dated paragraphs: topic_id, part ("earlier" or "later"), sums. `split`
    is the last day of the earlier half, or empty. `placed` are the paragraphs of the slice that are in a topic, and
    `total` all its paragraphs.
    """

    groups: pd.DataFrame
    halves: pd.DataFrame
    split: str
    placed: int
    total: int


def has_themes(snapshot: Snapshot) -> bool:
    """Return whether the snapshot contains themes: those of schema versions below 5 do not."""
    return snapshot.schema_version >= 5


def query_topics(snapshot: Snapshot, s: Slice) -> TopicSums:
    """Query the themes, topics and recurring claims of a slice; empty for a snapshot without themes."""
    if not has_themes(snapshot):
        return TopicSums(pd.DataFrame(), pd.DataFrame(), "", 0, 0)
    where = build_where(s)
    narrowed = build_narrative_condition(s, where)
    counted = f"p.paragraph_id IN ({ADVANCING_IDS} AND {narrowed})" if s.narratives else "true"
    base = f"""
        base AS MATERIALIZED (
            SELECT p.paragraph_id, p.document_id, {ORIGINAL_ID} AS original, p.date, p.last_day AS day,
                   {counted} AS counted
            FROM snap.paragraphs p WHERE p.statement AND {where.sql}
        ),
        split AS (SELECT quantile_disc(day, 0.5) AS day FROM base),
        parted AS (
            SELECT *, 'all' AS part FROM base UNION ALL
            SELECT b.*, CASE WHEN b.day <= s.day THEN 'earlier' ELSE 'later' END FROM base b, split s
            WHERE b.day IS NOT NULL
        ),
        sizes AS (SELECT part, document_id, count(*) AS m FROM parted GROUP BY ALL),
        totals AS (SELECT part, {DOCUMENT_SUMS} FROM sizes GROUP BY part),
        hits AS (
            SELECT part, document_id, m.cluster_id, count(*) AS y
            FROM parted p JOIN snap.cluster_members m ON m.paragraph_id = p.original
            WHERE p.counted GROUP BY ALL
        ),
        sums AS (
            SELECT part, cluster_id, {NARRATIVE_SUMS}, count(*) AS used_documents
            FROM hits JOIN sizes USING (part, document_id) GROUP BY ALL
        )"""
    sums = snapshot.frame(
        f"""WITH {base}
            SELECT c.cluster_id AS topic_id, part, s.paragraphs, s.my, s.y2, s.used_documents, t.documents,
                   t.total_paragraphs, t.m2, (SELECT strftime(day, '%Y-%m-%d') FROM split) AS split
            FROM sums s JOIN totals t USING (part) JOIN snap.clusters c USING (cluster_id)
            WHERE {IS_SHOWN} ORDER BY s.paragraphs DESC, topic_id, part""",
        where.values,
    )
    about = snapshot.frame(
        f"""WITH {base},
            members AS MATERIALIZED (
                SELECT m.cluster_id, b.paragraph_id, b.date
                FROM base b JOIN snap.cluster_members m ON m.paragraph_id = b.original WHERE b.counted
            ),
            dated AS (
                SELECT cluster_id, min(nullif(date, '')) AS first_date, max(nullif(date, '')) AS last_date
                FROM members GROUP BY cluster_id
            ),
            advancing AS (
                SELECT m.cluster_id, a.narrative_id, m.paragraph_id
                FROM members m JOIN snap.assignments a USING (paragraph_id)
                WHERE {NOT_REJECTED} AND a.origin = 'codebook'
            ),
            explained AS (
                SELECT cluster_id, count(DISTINCT paragraph_id) AS explained FROM advancing GROUP BY cluster_id
            ),
            narrated AS (
                SELECT * FROM (
                    SELECT cluster_id, narrative_id, count(*) AS narrated FROM advancing GROUP BY ALL
                )
                QUALIFY row_number() OVER (PARTITION BY cluster_id ORDER BY narrated DESC, narrative_id) = 1
            ),
            born AS (SELECT subject FROM snap.lineage WHERE kind IN ('birth', 'split') AND origin = 'discovered'),
            central AS (
                SELECT cluster_id, list(paragraph_id ORDER BY rank) AS representatives
                FROM snap.cluster_members WHERE rank IS NOT NULL GROUP BY cluster_id
            )
            SELECT c.cluster_id AS topic_id, c.name AS topic,
                   CASE left(c.cluster_id, 2) WHEN '{THEME_PREFIX}' THEN 'theme' WHEN '{TOPIC_PREFIX}' THEN 'topic'
                        ELSE 'claim' END AS kind,
                   c.theme_id, coalesce(g.name, '') AS theme, c.stance AS claim_share, c.routine,
                   CASE WHEN $predecessor = '' THEN '' WHEN c.cluster_id IN (SELECT subject FROM born) THEN 'new'
                        ELSE 'kept' END AS status,
                   coalesce(d.first_date, '') AS first_date, coalesce(d.last_date, '') AS last_date,
                   coalesce(e.explained, 0) AS explained, coalesce(n.narrative_id, '') AS narrative_id,
                   coalesce(v.name, '') AS narrative, coalesce(n.narrated, 0) AS narrated,
                   coalesce(r.representatives, []) AS representatives
            FROM snap.clusters c JOIN dated d USING (cluster_id)
            LEFT JOIN snap.clusters g ON g.cluster_id = c.theme_id
            LEFT JOIN explained e ON e.cluster_id = c.cluster_id
            LEFT JOIN narrated n ON n.cluster_id = c.cluster_id
            LEFT JOIN snap.narratives v ON v.narrative_id = n.narrative_id
            LEFT JOIN central r ON r.cluster_id = c.cluster_id
            WHERE {IS_SHOWN}""",
        {**where.values, "predecessor": snapshot.meta().predecessor},
    ).rename(columns={"narrative_id": "explained_by"})
    [(placed, total)] = snapshot.frame(
        f"""WITH {base}
            SELECT count(*) FILTER (counted AND original IN (
                       SELECT paragraph_id FROM snap.cluster_members
                       WHERE cluster_id LIKE '{TOPIC_PREFIX}%')) AS placed,
                   count(*) AS total FROM base""",
        where.values,
    ).itertuples(index=False)
    whole = sums[sums["part"] == "all"].drop(columns=["part", "split"]).merge(about, on="topic_id")
    halves = sums[sums["part"] != "all"].drop(columns="split")
    split = next(iter(sums["split"].dropna()), "")
    return TopicSums(whole.reset_index(drop=True), halves.reset_index(drop=True), str(split), int(placed), int(total))


def query_topic_names(snapshot: Snapshot, ids: Sequence[str]) -> dict[str, str]:
    """Query the names of these themes, topics and claims; those that the snapshot lacks are left out."""
    rows = snapshot.frame(
        "SELECT cluster_id, name FROM snap.clusters WHERE cluster_id IN (SELECT unnest($ids)) ORDER BY cluster_id",
        {"ids": list(ids)},
    )
    return dict(zip(rows["cluster_id"], rows["name"], strict=True))


def query_topic_paragraphs(snapshot: Snapshot, s: Slice, topic_id: str, most: int) -> pd.DataFrame:
    """Query up to `most` paragraphs of a topic in the slice, its representatives first.

    Columns as of a list of paragraphs.
    """
    where = build_where(s)
    return snapshot.frame(
        f"""SELECT {PARAGRAPH_COLUMNS}
            FROM snap.paragraphs p JOIN snap.cluster_members m ON m.paragraph_id = {ORIGINAL_ID} {JOIN_DOCUMENT}
            WHERE p.statement AND m.cluster_id = $topic AND {where.sql}
            ORDER BY m.rank NULLS LAST, p.paragraph_id LIMIT $most""",
        {**where.values, "topic": topic_id, "most": most},
    )
