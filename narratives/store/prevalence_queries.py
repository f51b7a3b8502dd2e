"""The SQL of prevalence, of what advances nothing and of the totals of a slice; `Snapshot` runs it.

What is counted, and the columns of each answer, stand with the methods of the same names there.
"""

from __future__ import annotations

from collections.abc import Mapping

from narratives.model import MIN_STATEMENT_WORDS, Slice, Unit
from narratives.store.slices import (
    ADVANCING,
    CLAIMED,
    LIVE,
    PERIOD_COLUMN,
    Query,
    inside,
    maybe_inside,
    narrative_filter,
    where,
)

# How much a document weighs in a count of paragraphs, and of documents.
_SIZE: Mapping[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}
_BY_CODEBOOK = f"p.paragraph_id IN ({ADVANCING} AND a.origin = 'codebook')"
_ROUTINE = """p.paragraph_id IN (
    SELECT m.paragraph_id FROM snap.cluster_members m JOIN snap.clusters c USING (cluster_id) WHERE c.routine
)"""


def totals(s: Slice) -> Query:
    """One row with the fields of `Totals` in order."""
    period = PERIOD_COLUMN[s.by]
    found = maybe_inside(s)
    dated, _ = inside(s)
    copied = where(s, copies=False)
    sql = f"""
    WITH maybe AS (
        SELECT p.document_id, p.statement, coalesce({dated}, false) AS certain,
               p.{period} IS NOT NULL AS fine,
               p.kind = 'body' AND p.voice <> 'question' AND p.words >= $words AS claim_like,
               {CLAIMED} AS claimed, {_BY_CODEBOOK} AS by_codebook, {_ROUTINE} AS routine, p.speaker
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


def prevalence(s: Slice) -> Query:
    """A row for every period and narrative, with the sums that its share and interval rest on."""
    found = where(s)
    chosen = narrative_filter(s, found)
    sql = f"""
    WITH base AS MATERIALIZED (
        SELECT p.paragraph_id, p.document_id, p.{PERIOD_COLUMN[s.by]} AS period
        FROM snap.paragraphs p
        WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {found.sql}
    ),
    sizes AS (SELECT period, document_id, {_SIZE[s.unit]} AS m FROM base GROUP BY ALL),
    totals AS (
        SELECT period, count(*) AS documents, sum(m)::BIGINT AS total, sum(m * m)::BIGINT AS m2
        FROM sizes GROUP BY period
    ),
    hits AS (
        SELECT p.period, p.document_id, a.narrative_id, {_SIZE[s.unit]} AS y
        FROM base p JOIN snap.assignments a USING (paragraph_id)
        WHERE {LIVE} AND {chosen} GROUP BY ALL
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


def unassigned(s: Slice) -> Query:
    """A row for every period, with the same sums for what advances no narrative and no candidate."""
    found = where(s)
    nothing = "count(*) FILTER (NOT claimed)" if s.unit == "paragraph" else "(NOT bool_or(claimed))::BIGINT"
    sql = f"""
    WITH units AS (
        SELECT p.{PERIOD_COLUMN[s.by]} AS period, p.document_id, {CLAIMED} AS claimed
        FROM snap.paragraphs p
        WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {found.sql}
    ),
    sizes AS (
        SELECT period, document_id, {_SIZE[s.unit]} AS m, {nothing} AS y FROM units GROUP BY ALL
    )
    SELECT period, sum(y)::BIGINT AS paragraphs, sum(m)::BIGINT AS total_paragraphs,
           count(*) AS documents, sum(m * m)::BIGINT AS m2, sum(m * y)::BIGINT AS my,
           sum(y * y)::BIGINT AS y2
    FROM sizes GROUP BY period ORDER BY period
    """
    return sql, found.values
