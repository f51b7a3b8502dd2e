"""The SQL of the evidence: the statement paragraphs of a query, in order, one page at a time.

`Snapshot` runs it; its methods describe the columns of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from narratives.model import EvidenceQuery
from narratives.store.queries import (
    ADVANCES_ANY,
    ADVANCING_PLACES,
    IN_NARRATIVES,
    IN_TOPICS,
    JOIN_DOCUMENT,
    NOT_REJECTED,
    ORDER_BY,
    Query,
    build_narrative_condition,
    build_where,
)
from narratives.store.queries.words import add_search_terms

if TYPE_CHECKING:
    from narratives.store.snapshot_reader import Snapshot

# Names of all narratives of a paragraph, best first. Join it as `named` to a relation of few rows.
_NARRATIVE_NAMES = f"""
    SELECT a.place, max(a.score) AS best,
           string_agg(n.name, '; ' ORDER BY a.score DESC, n.position) AS narratives
    FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
    WHERE {NOT_REJECTED} AND a.place IN (SELECT place FROM chosen)
    GROUP BY a.place
"""


def build_paragraphs_query(query: EvidenceQuery, limit: int | None, offset: int, has_index: bool) -> Query:
    """Build the query for the evidence with every column that is shown, in the order of `query.sort`.

    `has_index` says whether the snapshot has an index of words.
    """
    chosen, values = _build_selection(query, has_index)
    page = "" if limit is None else "LIMIT $limit OFFSET $offset"
    if limit is not None:
        values |= {"limit": limit, "offset": offset}
    sql = f"""
    WITH chosen AS MATERIALIZED ({chosen} ORDER BY {ORDER_BY[query.sort]} {page}),
    named AS ({_NARRATIVE_NAMES})
    SELECT p.paragraph_id, p.document_id, p.date, p.speaker, p.voice, p.outlet, d.title, d.url,
           coalesce(named.narratives, '') AS narratives, chosen.score, chosen.threshold,
           coalesce(chosen.status, '') AS status, chosen.similarity, p.text, d.text_kind
    FROM chosen
    JOIN snap.paragraphs p USING (place)
    {JOIN_DOCUMENT}
    LEFT JOIN named ON named.place = p.place
    ORDER BY {ORDER_BY[query.sort]}
    """
    return sql, values


def build_count_query(query: EvidenceQuery, has_index: bool) -> Query:
    """Build the query for the number of rows of `build_paragraphs_query` without a limit: one row."""
    found, values = _build_found(query, has_index)
    if not query.slice.narratives or query.unassigned:
        return f"SELECT count(*) FROM ({found})", values
    return f"SELECT count(*) FROM ({found}) WHERE place IN ({ADVANCING_PLACES} AND {IN_NARRATIVES})", values


def _build_found(query: EvidenceQuery, has_index: bool) -> Query:
    """Build the query for the paragraphs of the evidence with their similarity, before the filter for narratives."""
    s = query.slice
    where = build_where(s)
    add_search_terms(where, query.text, has_index)
    if query.topics:
        where.add(IN_TOPICS, topics=list(query.topics))
    similarity, nearest = "NULL::DOUBLE AS similarity", ""
    if query.similar is not None:
        similarity = "near.similarity"
        where.values |= {"near": list(query.similar), "similarity": list(query.similar.values())}
        nearest = """JOIN (SELECT unnest($near::VARCHAR[]) AS paragraph_id,
                           unnest($similarity::DOUBLE[]) AS similarity) near USING (paragraph_id)"""
    if query.unassigned:
        where.add(f"NOT {ADVANCES_ANY}")
    else:
        build_narrative_condition(s, where)
    return f"SELECT p.*, {similarity} FROM snap.paragraphs p {nearest} WHERE p.statement AND {where.sql}", where.values


def _build_selection(query: EvidenceQuery, has_index: bool) -> Query:
    """Build the query for place, score, threshold, status and similarity of the evidence."""
    found, values = _build_found(query, has_index)
    if query.unassigned:
        sql = f"""SELECT p.place, NULL::DOUBLE AS score, NULL::DOUBLE AS threshold, NULL AS status, p.similarity
                  FROM ({found}) p"""
        return sql, values
    chosen = IN_NARRATIVES if query.slice.narratives else "true"
    join = "JOIN" if query.slice.narratives else "LEFT JOIN"
    # The paragraphs are found before the join: otherwise all are joined with their scores first.
    sql = f"""SELECT p.place, scored.score, scored.threshold, scored.status, p.similarity
              FROM ({found}) p
              {join} (SELECT a.place, max(a.score) AS score,
                             arg_max_null(n.threshold, a.score) AS threshold,
                             CASE WHEN bool_and(a.status = 'confirmed') THEN 'confirmed'
                                  WHEN bool_or(a.status = 'confirmed') THEN 'partly confirmed'
                                  ELSE 'auto' END AS status
                      FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
                      WHERE {NOT_REJECTED} AND {chosen} GROUP BY a.place) scored USING (place)"""
    return sql, values


def query_document(snapshot: Snapshot, paragraph_id: str) -> pd.DataFrame:
    """Query the document of a paragraph of any kind: one row, or none if there is no such paragraph.

    Columns document_id, title, outlet, date, date_source, url, source_path, text_kind, paragraphs.
    """
    return snapshot.frame(
        """
        SELECT d.document_id, d.title, d.outlet, d.date, d.date_source, d.url, d.source_path, d.text_kind,
               d.paragraphs
        FROM snap.documents d JOIN snap.paragraphs p ON p.document_id = d.document_id
        WHERE p.paragraph_id = $paragraph AND d.status = 'read'
        """,
        {"paragraph": paragraph_id},
    )


def query_passages(snapshot: Snapshot, document_id: str) -> pd.DataFrame:
    """Query all paragraphs of one document in order; empty if there is no such document.

    Columns paragraph_id, position, kind, speaker, speaker_method, quoted_person, voice, language, words,
    statement, duplicate_of, text.
    """
    return snapshot.frame(
        """
        SELECT paragraph_id, position, kind, speaker, speaker_method, quoted_person, voice, language, words,
               statement, duplicate_of, text
        FROM snap.paragraphs WHERE document_id = $document ORDER BY position
        """,
        {"document": document_id},
    )


def query_assignments(snapshot: Snapshot, document_id: str) -> pd.DataFrame:
    """Query the assignments of one document's paragraphs, also rejected ones, in order, best first.

    Columns paragraph_id, narrative_id, narrative, origin, colour, rank (of the narrative in the codebook),
    score, threshold (NaN if the narrative has none of its own), status, sentence, exemplar.
    """
    return snapshot.frame(
        """
        SELECT a.paragraph_id, a.narrative_id, n.name AS narrative, a.origin, n.colour, n.position AS rank,
               a.score, n.threshold, a.status, a.sentence, a.exemplar
        FROM snap.assignments a
        JOIN snap.narratives n USING (narrative_id)
        JOIN snap.paragraphs p ON p.paragraph_id = a.paragraph_id
        WHERE p.document_id = $document
        ORDER BY p.position, a.status = 'rejected', a.score DESC, n.position
        """,
        {"document": document_id},
    )


def query_copies(snapshot: Snapshot, paragraph_id: str) -> pd.DataFrame:
    """Query the copies of a paragraph, oldest first: columns paragraph_id, date, outlet, speaker."""
    return snapshot.frame(
        """
        SELECT paragraph_id, date, outlet, speaker FROM snap.paragraphs
        WHERE duplicate_of = $paragraph ORDER BY first_day NULLS LAST, last_day, paragraph_id
        """,
        {"paragraph": paragraph_id},
    )


def query_statement_texts(snapshot: Snapshot, copies: bool = True) -> pd.DataFrame:
    """Query all statement paragraphs by id, with or without copies: columns paragraph_id and text."""
    return pd.concat(query_statement_batches(snapshot, copies), ignore_index=True)


def query_statement_batches(snapshot: Snapshot, copies: bool = True, size: int = 50_000) -> Iterator[pd.DataFrame]:
    """Query all statement paragraphs as `query_statement_texts` does, the texts of so many places at a time."""
    [(count,)] = snapshot.frame("SELECT count(*) FROM snap.paragraphs").itertuples(index=False)
    for first in range(0, max(1, int(count)), size):
        yield snapshot.frame(
            """
            SELECT paragraph_id, text FROM snap.paragraphs
            WHERE statement AND ($copies OR duplicate_of = '') AND place >= $first AND place < $end ORDER BY place
            """,
            {"copies": copies, "first": first, "end": first + size},
        )
