"""The SQL of prevalence, of what advances nothing and of the totals of a slice; `Snapshot` runs it.

What is counted, and the columns of each answer, stand with the methods of the same names there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from narratives.model import MIN_STATEMENT_WORDS, Slice, Unit
from narratives.model.slice import GroupBy
from narratives.store.queries import (
    ADVANCES_ANY,
    ADVANCING_IDS,
    IN_NARRATIVES,
    NOT_REJECTED,
    PERIOD_COLUMN,
    Query,
    build_date_condition,
    build_narrative_condition,
    build_possible_where,
    build_where,
)

if TYPE_CHECKING:
    from narratives.store.snapshot_reader import Snapshot

# How much a document weighs in a count of paragraphs, and of documents.
_DOCUMENT_WEIGHT: Mapping[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}
_BY_CODEBOOK = f"p.paragraph_id IN ({ADVANCING_IDS} AND a.origin = 'codebook')"
_ROUTINE = """p.paragraph_id IN (
    SELECT m.paragraph_id FROM snap.cluster_members m JOIN snap.clusters c USING (cluster_id) WHERE c.routine
)"""


def build_totals_query(s: Slice) -> Query:
    """One row with the fields of `Totals` in order."""
    period = PERIOD_COLUMN[s.by]
    found = build_possible_where(s)
    dated, _ = build_date_condition(s)
    copied = build_where(s, copies=False)
    sql = f"""
    WITH maybe AS (
        SELECT p.document_id, p.statement, coalesce({dated}, false) AS certain,
               p.{period} IS NOT NULL AS fine,
               p.kind = 'body' AND p.voice <> 'question' AND p.words >= $words AS claim_like,
               {ADVANCES_ANY} AS claimed, {_BY_CODEBOOK} AS by_codebook, {_ROUTINE} AS routine, p.speaker
        FROM snap.paragraphs p WHERE {found.sql}
    )
    SELECT -- in the order of the fields of Totals
           count(DISTINCT document_id) FILTER (statement AND certain),
           count(*) FILTER (certain),
           count(*) FILTER (statement AND certain),
           count(*) FILTER (statement AND certain AND claimed),
           count(*) FILTER (statement AND certain AND claimed AND NOT by_codebook),
           count(*) FILTER (statement AND certain AND NOT claimed),
           count(*) FILTER (statement AND certain AND fine),
           count(*) FILTER (statement AND NOT (certain AND fine)),
           (SELECT count(*) FROM snap.paragraphs p
            WHERE p.statement AND p.duplicate_of <> '' AND {copied.sql}),
           count(*) FILTER (claim_like AND certain AND NOT statement),
           count(DISTINCT speaker) FILTER (statement AND certain AND speaker <> ''),
           count(*) FILTER (statement AND certain AND routine),
           count(*) FILTER (statement AND certain AND routine AND NOT claimed)
    FROM maybe
    """
    return sql, {**found.values, "words": MIN_STATEMENT_WORDS}


def build_prevalence_query(s: Slice) -> Query:
    """A row for every period and narrative, with the sums that its share and interval rest on."""
    found = build_where(s)
    chosen = build_narrative_condition(s, found)
    sql = f"""
    WITH base AS MATERIALIZED (
        SELECT p.paragraph_id, p.document_id, p.{PERIOD_COLUMN[s.by]} AS period
        FROM snap.paragraphs p
        WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {found.sql}
    ),
    sizes AS (SELECT period, document_id, {_DOCUMENT_WEIGHT[s.unit]} AS m FROM base GROUP BY ALL),
    totals AS (
        SELECT period, count(*) AS documents, sum(m)::BIGINT AS total, sum(m * m)::BIGINT AS m2
        FROM sizes GROUP BY period
    ),
    hits AS (
        SELECT p.period, p.document_id, a.narrative_id, {_DOCUMENT_WEIGHT[s.unit]} AS y
        FROM base p JOIN snap.assignments a USING (paragraph_id)
        WHERE {NOT_REJECTED} AND {chosen} GROUP BY ALL
    ),
    counts AS (
        SELECT period, narrative_id, sum(y)::BIGINT AS n, sum(m * y)::BIGINT AS my,
               sum(y * y)::BIGINT AS y2
        FROM hits JOIN sizes USING (period, document_id) GROUP BY ALL
    )
    SELECT t.period, a.narrative_id, a.name AS narrative, a.origin,
           coalesce(c.n, 0) AS paragraphs, t.total AS total_paragraphs,
           t.documents, t.m2, coalesce(c.my, 0) AS my, coalesce(c.y2, 0) AS y2
    FROM totals t CROSS JOIN snap.narratives a
    LEFT JOIN counts c ON c.period = t.period AND c.narrative_id = a.narrative_id
    WHERE {chosen}
    ORDER BY t.period, a.position
    """
    return sql, found.values


def build_unassigned_query(s: Slice) -> Query:
    """A row for every period, with the same sums for what advances no narrative and no candidate."""
    found = build_where(s)
    nothing = "count(*) FILTER (NOT claimed)" if s.unit == "paragraph" else "(NOT bool_or(claimed))::BIGINT"
    sql = f"""
    WITH units AS (
        SELECT p.{PERIOD_COLUMN[s.by]} AS period, p.document_id, {ADVANCES_ANY} AS claimed
        FROM snap.paragraphs p
        WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {found.sql}
    ),
    sizes AS (
        SELECT period, document_id, {_DOCUMENT_WEIGHT[s.unit]} AS m, {nothing} AS y FROM units GROUP BY ALL
    )
    SELECT period, sum(y)::BIGINT AS paragraphs, sum(m)::BIGINT AS total_paragraphs,
           count(*) AS documents, sum(m * m)::BIGINT AS m2, sum(m * y)::BIGINT AS my,
           sum(y * y)::BIGINT AS y2
    FROM sizes GROUP BY period ORDER BY period
    """
    return sql, found.values


# The only words of a caller that reach the SQL text, and only by look-up.
_GROUP_COLUMN: dict[GroupBy, str] = {"speaker": "speaker", "outlet": "outlet", "voice": "voice"}
_GROUP_WEIGHT: dict[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}


def _build_group_base(s: Slice, of: GroupBy) -> str:
    """The dated statement paragraphs of the slice with their group; its values are those of `where(s)`."""
    return f"""
        SELECT p.paragraph_id, p.document_id, p.{_GROUP_COLUMN[of]} AS "group"
        FROM snap.paragraphs p
        WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {build_where(s).sql}"""


def count_groups(snapshot: Snapshot, s: Slice, of: GroupBy) -> int:
    """How many different speakers, outlets or voices the slice's dated statement paragraphs have."""
    found = snapshot.frame(
        f'SELECT count(DISTINCT "group") AS n FROM ({_build_group_base(s, of)})', build_where(s).values
    )
    return int(found["n"].iloc[0])


def query_group_sums(snapshot: Snapshot, s: Slice, of: GroupBy, most: int) -> pd.DataFrame:
    """Columns group, narrative_id, narrative, paragraphs, total_paragraphs, documents, m2, my, y2.

    One row for each of `most` groups and each of `s.narratives` (all where there are none), zeros included;
    the groups are those that advance them most often, in that order. Counted are the statement paragraphs of
    the slice that stand in a period of `s.by`, in its unit; the sums are those of
    `measure.clustered_interval`.
    """
    found = build_where(s)
    chosen = build_narrative_condition(s, found)
    return snapshot.frame(
        f"""
        WITH base AS MATERIALIZED ({_build_group_base(s, of)}),
        sizes AS (SELECT "group", document_id, {_GROUP_WEIGHT[s.unit]} AS m FROM base GROUP BY ALL),
        totals AS (
            SELECT "group", count(*) AS documents, sum(m)::BIGINT AS total, sum(m * m)::BIGINT AS m2
            FROM sizes GROUP BY "group"
        ),
        hits AS (
            SELECT p."group", p.document_id, a.narrative_id, {_GROUP_WEIGHT[s.unit]} AS y
            FROM base p JOIN snap.assignments a USING (paragraph_id)
            WHERE {NOT_REJECTED} AND {chosen} GROUP BY ALL
        ),
        counts AS (
            SELECT "group", narrative_id, sum(y)::BIGINT AS n, sum(m * y)::BIGINT AS my,
                   sum(y * y)::BIGINT AS y2
            FROM hits JOIN sizes USING ("group", document_id) GROUP BY ALL
        ),
        foremost AS (
            SELECT t."group", coalesce(sum(c.n), 0) AS advancing
            FROM totals t LEFT JOIN counts c USING ("group")
            GROUP BY t."group", t.total ORDER BY advancing DESC, t.total DESC, t."group" LIMIT $most
        )
        SELECT t."group", a.narrative_id, a.name AS narrative, coalesce(c.n, 0) AS paragraphs,
               t.total AS total_paragraphs, t.documents, t.m2,
               coalesce(c.my, 0) AS my, coalesce(c.y2, 0) AS y2
        FROM foremost l JOIN totals t USING ("group") CROSS JOIN snap.narratives a
        LEFT JOIN counts c ON c."group" = t."group" AND c.narrative_id = a.narrative_id
        WHERE {chosen}
        ORDER BY l.advancing DESC, t.total DESC, t."group", a.position
        """,
        {**found.values, "most": most},
    )


def query_top_by_narrative(snapshot: Snapshot, s: Slice, narratives: Sequence[str], most: int) -> pd.DataFrame:
    """The `most` best-scored statement paragraphs of each narrative, in the order of `narratives`.

    Columns narrative_id, narrative, score, sentence, paragraph_id, document_id, date, speaker, voice,
    outlet, title, url, text_kind, text; dated finely enough for a period of `s.by`, best first, then by id.
    """
    return snapshot.frame(
        f"""
        WITH ranked AS (
            SELECT a.narrative_id, a.score, a.sentence, p.*,
                   row_number() OVER (
                       PARTITION BY a.narrative_id ORDER BY a.score DESC, p.paragraph_id
                   ) AS place
            FROM snap.assignments a JOIN snap.paragraphs p USING (paragraph_id)
            WHERE {NOT_REJECTED} AND p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL
              AND {IN_NARRATIVES} AND {build_where(s).sql}
        )
        SELECT r.narrative_id, n.name AS narrative, r.score, r.sentence, r.paragraph_id,
               r.document_id, r.date, r.speaker, r.voice, r.outlet, d.title, d.url, d.text_kind, r.text
        FROM ranked r
        JOIN snap.narratives n USING (narrative_id)
        JOIN snap.documents d ON d.document_id = r.document_id AND d.status = 'read'
        WHERE r.place <= $most
        ORDER BY list_position($narratives, r.narrative_id), r.place
        """,
        {**build_where(s).values, "narratives": list(narratives), "most": most},
    )
