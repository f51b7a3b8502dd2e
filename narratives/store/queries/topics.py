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
    ADVANCING_PLACES,
    DOCUMENT_SUMS,
    IS_SHOWN,
    JOIN_DOCUMENT,
    NARRATIVE_SUMS,
    NOT_REJECTED,
    PARAGRAPH_COLUMNS,
    Where,
    build_narrative_condition,
    build_where,
)
from narratives.store.snapshot_reader import Snapshot

_HALF_COLUMNS = [
    "topic_id", "part", "paragraphs", "my", "y2", "used_documents", "documents", "total_paragraphs", "m2",
]  # fmt: skip


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


def _build_conditions(s: Slice) -> tuple[Where, str]:
    """Build the condition on the paragraphs of a slice, and that on those of them which its narratives select."""
    where = build_where(s)
    narrowed = build_narrative_condition(s, where)
    return where, f"p.place IN ({ADVANCING_PLACES} AND {narrowed})" if s.narratives else "true"


def query_topics(snapshot: Snapshot, s: Slice) -> TopicSums:
    """Query the themes, topics and recurring claims of a slice; empty for a snapshot without themes."""
    if not has_themes(snapshot):
        return TopicSums(pd.DataFrame(), pd.DataFrame(), "", 0, 0)
    where, counted = _build_conditions(s)
    # All paragraphs of a document have its date. A theme has the paragraphs of its topics, none of which is in two.
    # The sums over documents are those of the two halves and of what is undated, so no hit is counted twice.
    frame = snapshot.frame(
        f"""
        WITH base AS MATERIALIZED (
            SELECT p.place, p.document, p.original, p.last_day AS day, {counted} AS counted
            FROM snap.paragraphs p WHERE p.statement AND {where.sql}
        ),
        split AS MATERIALIZED (SELECT quantile_disc(day, 0.5) AS day FROM base),
        sizes AS MATERIALIZED (
            SELECT document, nullif(d.date, '') AS date, m,
                   CASE WHEN b.day IS NULL THEN '' WHEN b.day <= s.day THEN 'earlier' ELSE 'later' END AS part
            FROM (SELECT document, any_value(day) AS day, count(*) AS m FROM base GROUP BY document) b
            JOIN snap.documents d ON d.place = b.document, split s
        ),
        numbered AS MATERIALIZED (SELECT row_number() OVER ()::INTEGER AS number, * FROM snap.clusters),
        own_hits AS MATERIALIZED (
            SELECT b.document, c.number, count(*) AS y
            FROM base b JOIN snap.cluster_members m ON m.place = b.original JOIN numbered c USING (cluster_id)
            WHERE b.counted AND c.cluster_id NOT LIKE '{THEME_PREFIX}%' GROUP BY ALL
        ),
        hits AS MATERIALIZED (
            SELECT * FROM own_hits UNION ALL
            SELECT h.document, t.number, sum(h.y)::BIGINT
            FROM own_hits h JOIN numbered c USING (number) JOIN numbered t ON t.cluster_id = c.theme_id
            WHERE c.cluster_id LIKE '{TOPIC_PREFIX}%' AND c.theme_id <> '' GROUP BY ALL
        ),
        totals AS (
            SELECT part, {DOCUMENT_SUMS} FROM sizes WHERE part <> '' GROUP BY part UNION ALL
            SELECT 'all', {DOCUMENT_SUMS} FROM sizes
        ),
        by_part AS MATERIALIZED (
            SELECT part, number, {NARRATIVE_SUMS}, count(*) AS used_documents, min(date) AS first_date,
                   max(date) AS last_date
            FROM hits JOIN sizes USING (document) GROUP BY part, number
        ),
        sums AS (
            SELECT * FROM by_part WHERE part <> '' UNION ALL
            SELECT 'all', number, sum(paragraphs)::BIGINT, sum(my)::BIGINT, sum(y2)::BIGINT,
                   sum(used_documents)::BIGINT, min(first_date), max(last_date)
            FROM by_part GROUP BY number
        ),
        advancing AS MATERIALIZED (
            SELECT m.cluster_id, a.narrative_id, b.place
            FROM base b JOIN snap.assignments a USING (place) JOIN snap.cluster_members m ON m.place = b.original
            WHERE {NOT_REJECTED} AND a.origin = 'codebook' AND b.counted
        ),
        explained AS (SELECT cluster_id, count(DISTINCT place) AS explained FROM advancing GROUP BY cluster_id),
        narrated AS (
            SELECT cluster_id, min({{'minus': -narrated, 'id': narrative_id}}) AS most
            FROM (SELECT cluster_id, narrative_id, count(*) AS narrated FROM advancing GROUP BY ALL) GROUP BY cluster_id
        ),
        born AS (SELECT subject FROM snap.lineage WHERE kind IN ('birth', 'split') AND origin = 'discovered')
        SELECT c.cluster_id AS topic_id, part, s.paragraphs, s.my, s.y2, s.used_documents, t.documents,
               t.total_paragraphs, t.m2, c.name AS topic,
               CASE left(c.cluster_id, 2) WHEN '{THEME_PREFIX}' THEN 'theme' WHEN '{TOPIC_PREFIX}' THEN 'topic'
                    ELSE 'claim' END AS kind,
               c.theme_id, coalesce(g.name, '') AS theme, c.stance AS claim_share, c.routine,
               CASE WHEN $predecessor = '' THEN '' WHEN c.cluster_id IN (SELECT subject FROM born) THEN 'new'
                    ELSE 'kept' END AS status,
               coalesce(s.first_date, '') AS first_date, coalesce(s.last_date, '') AS last_date,
               coalesce(e.explained, 0) AS explained, coalesce(n.most.id, '') AS explained_by,
               coalesce(v.name, '') AS narrative, coalesce(-n.most.minus, 0) AS narrated,
               coalesce((SELECT strftime(day, '%Y-%m-%d') FROM split), '') AS split,
               (SELECT sum(y)::BIGINT FROM own_hits JOIN numbered USING (number)
                WHERE cluster_id LIKE '{TOPIC_PREFIX}%') AS placed,
               (SELECT sum(m)::BIGINT FROM sizes) AS total
        FROM sums s JOIN totals t USING (part) JOIN numbered c USING (number)
        LEFT JOIN snap.clusters g ON g.cluster_id = c.theme_id
        LEFT JOIN explained e ON e.cluster_id = c.cluster_id
        LEFT JOIN narrated n ON n.cluster_id = c.cluster_id
        LEFT JOIN snap.narratives v ON v.narrative_id = n.most.id
        WHERE {IS_SHOWN} ORDER BY s.paragraphs DESC, topic_id, part
        """,
        {**where.values, "predecessor": snapshot.meta().predecessor},
    )
    of_slice = ["split", "placed", "total"]
    if frame.empty:
        sql = f"SELECT '', 0, count(*) FROM snap.paragraphs p WHERE p.statement AND {where.sql}"
        used = {name: value for name, value in where.values.items() if name != "narratives"}
        split, placed, total = next(snapshot.frame(sql, used).itertuples(index=False, name=None))
    else:
        split, placed, total = next(frame[of_slice].itertuples(index=False, name=None))
    is_whole = frame["part"] == "all"
    whole = frame[is_whole].drop(columns=["part", *of_slice]).reset_index(drop=True)
    halves = frame.loc[~is_whole, _HALF_COLUMNS].reset_index(drop=True)
    return TopicSums(whole, halves, str(split), int(placed), int(total))


def count_in_topics(snapshot: Snapshot, s: Slice) -> int:
    """Count the paragraphs of a slice that are in a topic: `placed` of `query_topics`, for a fraction of its time."""
    where, counted = _build_conditions(s)
    [(count,)] = snapshot.frame(
        f"""SELECT count(*) FROM snap.paragraphs p JOIN snap.cluster_members m ON m.place = p.original
            WHERE p.statement AND m.cluster_id LIKE '{TOPIC_PREFIX}%' AND {counted} AND {where.sql}""",
        where.values,
    ).itertuples(index=False)
    return int(count)


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
            FROM snap.paragraphs p JOIN snap.cluster_members m ON m.place = p.original {JOIN_DOCUMENT}
            WHERE p.statement AND m.cluster_id = $topic AND {where.sql}
            ORDER BY m.rank NULLS LAST, p.place LIMIT $most""",
        {**where.values, "topic": topic_id, "most": most},
    )
