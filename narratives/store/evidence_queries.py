"""The SQL of the evidence: the statement paragraphs of a slice, searched, in order, a page at a time.

`Snapshot` runs it; what the arguments mean, and the columns of the answer, stand with its methods.
"""

from __future__ import annotations

from narratives.model import Slice
from narratives.store.slices import (
    CLAIMED,
    LIVE,
    ORDER,
    Near,
    Query,
    Sort,
    add_text,
    narrative_filter,
    where,
)

# Names of all narratives of a paragraph, best first. To be joined as `named` to a relation of few rows.
_NAMED = f"""
    SELECT a.paragraph_id, max(a.score) AS best,
           string_agg(n.name, '; ' ORDER BY a.score DESC, n.position) AS narratives
    FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
    WHERE {LIVE} AND a.paragraph_id IN (SELECT paragraph_id FROM chosen)
    GROUP BY a.paragraph_id
"""


def paragraphs(
    s: Slice, text: str, limit: int | None, offset: int, unassigned: bool, sort: Sort, near: Near | None
) -> Query:
    """The evidence with all that is shown of it, in the order asked for."""
    chosen, values = _chosen(s, text, unassigned, near)
    page = "" if limit is None else "LIMIT $limit OFFSET $offset"
    if limit is not None:
        values |= {"limit": limit, "offset": offset}
    sql = f"""
    WITH chosen AS MATERIALIZED ({chosen} ORDER BY {ORDER[sort]} {page}),
    named AS ({_NAMED})
    SELECT p.paragraph_id, p.document_id, p.date, p.speaker, p.voice, p.outlet, d.title, d.url,
           coalesce(named.narratives, '') AS narratives, chosen.score, chosen.threshold,
           coalesce(chosen.status, '') AS status, chosen.similarity, p.text, d.text_kind
    FROM chosen
    JOIN snap.paragraphs p USING (paragraph_id)
    JOIN snap.documents d ON d.document_id = p.document_id AND d.status = 'read'
    LEFT JOIN named ON named.paragraph_id = p.paragraph_id
    ORDER BY {ORDER[sort]}
    """
    return sql, values


def count(s: Slice, text: str, unassigned: bool, near: Near | None) -> Query:
    """How many rows `paragraphs` has without a limit: one row."""
    chosen, values = _chosen(s, text, unassigned, near)
    return f"SELECT count(*) FROM ({chosen})", values


def _chosen(s: Slice, text: str, unassigned: bool, near: Near | None) -> Query:
    """A query for paragraph_id, score, threshold, status and similarity of the evidence, and its values."""
    found = where(s)
    add_text(found, text)
    similarity, nearest = "NULL::DOUBLE AS similarity", ""
    if near is not None:
        similarity = "near.similarity"
        found.values |= {"near": list(near), "similarity": list(near.values())}
        nearest = """JOIN (SELECT unnest($near::VARCHAR[]) AS paragraph_id,
                           unnest($similarity::DOUBLE[]) AS similarity) near USING (paragraph_id)"""
    if unassigned:
        sql = f"""SELECT p.paragraph_id, NULL::DOUBLE AS score, NULL::DOUBLE AS threshold, NULL AS status,
                         {similarity}
                  FROM snap.paragraphs p {nearest}
                  WHERE p.statement AND NOT {CLAIMED} AND {found.sql}"""
        return sql, found.values
    chosen = narrative_filter(s, found)
    join = "JOIN" if s.narratives else "LEFT JOIN"
    sql = f"""SELECT p.paragraph_id, scored.score, scored.threshold, scored.status, {similarity}
              FROM snap.paragraphs p {nearest}
              {join} (SELECT a.paragraph_id, max(a.score) AS score,
                             arg_max_null(n.threshold, a.score) AS threshold,
                             CASE WHEN bool_and(a.status = 'confirmed') THEN 'confirmed'
                                  WHEN bool_or(a.status = 'confirmed') THEN 'partly confirmed'
                                  ELSE 'auto' END AS status
                      FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
                      WHERE {LIVE} AND {chosen} GROUP BY a.paragraph_id) scored USING (paragraph_id)
              WHERE p.statement AND {found.sql}"""
    return sql, found.values
