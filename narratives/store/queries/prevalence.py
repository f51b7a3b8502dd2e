"""The SQL of prevalence, of unassigned text and of the totals of a slice.

`Snapshot` runs it. Its methods describe what is counted and the columns of each answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from narratives.model import MIN_STATEMENT_WORDS, Slice
from narratives.model.slice import GroupBy
from narratives.store.queries import (
    ADVANCES_ANY,
    ADVANCING_PLACES,
    DOCUMENT_SUMS,
    DOCUMENT_WEIGHT,
    GROUP_COLUMN,
    IN_NARRATIVES,
    IS_COPY,
    JOIN_DOCUMENT,
    NARRATIVE_SUMS,
    NOT_REJECTED,
    PARAGRAPH_COLUMNS,
    PERIOD_COLUMN,
    Query,
    Where,
    build_clustered_sums,
    build_expected,
    build_narrative_condition,
    build_possible_where,
    build_where,
)

if TYPE_CHECKING:
    from narratives.store.snapshot_reader import Snapshot

_BY_CODEBOOK = f"p.place IN ({ADVANCING_PLACES} AND a.origin = 'codebook')"
_ROUTINE = """p.place IN (
    SELECT m.place FROM snap.cluster_members m JOIN snap.clusters c USING (cluster_id) WHERE c.routine
)"""


def build_totals_query(s: Slice) -> Query:
    """Build the query for one row with the fields of `SliceTotals` in order."""
    period = PERIOD_COLUMN[s.by]
    where, copied = build_possible_where(s), build_where(s, copies=False)
    dated = build_where(Slice(date_from=s.date_from, date_to=s.date_to, copies="all"))
    sql = f"""
    WITH maybe AS (
        SELECT p.document, p.statement, coalesce({dated.sql}, false) AS certain,
               p.{period} IS NOT NULL AS fine,
               p.kind IN ('lead', 'body') AND p.voice <> 'question' AND p.words >= $words AS claim_like,
               {ADVANCES_ANY} AS claimed, {_BY_CODEBOOK} AS by_codebook, {_ROUTINE} AS routine, p.speaker
        FROM snap.paragraphs p WHERE {where.sql}
    )
    SELECT -- in the order of the fields of SliceTotals
           count(DISTINCT document) FILTER (statement AND certain),
           count(*) FILTER (certain),
           count(*) FILTER (statement AND certain),
           count(*) FILTER (statement AND certain AND claimed),
           count(*) FILTER (statement AND certain AND claimed AND NOT by_codebook),
           count(*) FILTER (statement AND certain AND NOT claimed),
           count(*) FILTER (statement AND certain AND fine),
           count(*) FILTER (statement AND NOT (certain AND fine)),
           (SELECT count(*) FROM snap.paragraphs p
            WHERE p.statement AND {IS_COPY} AND {copied.sql}),
           count(*) FILTER (claim_like AND certain AND NOT statement),
           count(DISTINCT speaker) FILTER (statement AND certain AND speaker <> ''),
           count(*) FILTER (statement AND certain AND routine),
           count(*) FILTER (statement AND certain AND routine AND NOT claimed)
    FROM maybe
    """
    return sql, {**where.values, "words": MIN_STATEMENT_WORDS}


def build_prevalence_query(s: Slice, has_probabilities: bool) -> Query:
    """Build the query for one row for each period and narrative, with the sums for its share and interval."""
    where = _build_dated_where(s)
    narratives = build_narrative_condition(s, where)
    expected = build_expected(has_probabilities and s.unit == "paragraph")
    sql = f"""
    WITH {build_clustered_sums(PERIOD_COLUMN[s.by], where, narratives, s.unit)}
    SELECT key AS period, narrative_id, narrative, origin, paragraphs, total_paragraphs, documents, m2, my, y2,
           {expected.column}
    FROM sums {expected.join} ORDER BY key, position
    """
    return sql, where.values


def build_unassigned_query(s: Slice) -> Query:
    """Build the query for one row for each period, with the same sums for text that no narrative claims."""
    where = _build_dated_where(s)
    nothing = "count(*) FILTER (NOT claimed)" if s.unit == "paragraph" else "(NOT bool_or(claimed))::BIGINT"
    sql = f"""
    WITH units AS (
        SELECT p.{PERIOD_COLUMN[s.by]} AS period, p.document, {ADVANCES_ANY} AS claimed
        FROM snap.paragraphs p WHERE p.statement AND {where.sql}
    ),
    sizes AS (
        SELECT period, document, {DOCUMENT_WEIGHT[s.unit]} AS m, {nothing} AS y FROM units GROUP BY ALL
    ),
    sums AS (SELECT period, {DOCUMENT_SUMS}, {NARRATIVE_SUMS} FROM sizes GROUP BY period)
    SELECT period, paragraphs, total_paragraphs, documents, m2, my, y2 FROM sums ORDER BY period
    """
    return sql, where.values


def _build_dated_where(s: Slice) -> Where:
    """Build the slice's conditions, for paragraphs that have a period of `s.by`."""
    where = build_where(s)
    where.add(f"p.{PERIOD_COLUMN[s.by]} IS NOT NULL")
    return where


def count_documents_by_month(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Count the documents with a statement paragraph dated to the month: columns period (a month), documents."""
    where = build_where(s)
    return snapshot.frame(
        f"""SELECT p.month AS period, count(DISTINCT p.document) AS documents FROM snap.paragraphs p
            WHERE p.statement AND p.month IS NOT NULL AND {where.sql} GROUP BY 1 ORDER BY 1""",
        where.values,
    )


def count_groups(snapshot: Snapshot, s: Slice, group: GroupBy) -> int:
    """Count the different speakers, outlets or voices of the slice's dated statement paragraphs."""
    where = _build_dated_where(s)
    sql = (
        f"SELECT count(DISTINCT p.{GROUP_COLUMN[group]}) AS n FROM snap.paragraphs p WHERE p.statement AND {where.sql}"
    )
    return int(snapshot.frame(sql, where.values)["n"].iloc[0])


def query_group_sums(snapshot: Snapshot, s: Slice, group: GroupBy, most: int) -> pd.DataFrame:
    """Query the sums for the shares of each group and narrative.

    Columns group, narrative_id, narrative and `measure.shares.SUM_COLUMNS`. One row for each of `most` groups and
    each of `s.narratives` (all narratives if there are none), zeros included. The groups are those that advance
    these narratives most often, in that order. Only paragraphs with a period of `s.by` count, in the slice's unit.
    """
    where = _build_dated_where(s)
    narratives = build_narrative_condition(s, where)
    return snapshot.frame(
        f"""
        WITH {build_clustered_sums(GROUP_COLUMN[group], where, narratives, s.unit)},
        foremost AS (
            SELECT key, sum(paragraphs) AS advancing FROM sums GROUP BY key, total_paragraphs
            ORDER BY advancing DESC, total_paragraphs DESC, key LIMIT $most
        )
        SELECT key AS "group", narrative_id, narrative, paragraphs, total_paragraphs, documents, m2, my, y2
        FROM foremost JOIN sums USING (key)
        ORDER BY advancing DESC, total_paragraphs DESC, key, position
        """,
        {**where.values, "most": most},
    )


def query_top_by_narrative(snapshot: Snapshot, s: Slice, narratives: Sequence[str], most: int) -> pd.DataFrame:
    """Query the `most` best-scored statement paragraphs of each narrative, in the order of `narratives`.

    Columns narrative_id, narrative, score, sentence, paragraph_id, document_id, date, speaker, voice, outlet,
    title, url, text_kind, text. Dates must be precise enough for a period of `s.by`. Best first, then by id.
    """
    where = _build_dated_where(s)
    return snapshot.frame(
        f"""
        WITH ranked AS (
            SELECT a.narrative_id, a.score, a.sentence, p.*,
                   row_number() OVER (PARTITION BY a.narrative_id ORDER BY a.score DESC, p.place) AS number
            FROM snap.assignments a JOIN snap.paragraphs p USING (place)
            WHERE {NOT_REJECTED} AND p.statement AND {IN_NARRATIVES} AND {where.sql}
        )
        SELECT p.narrative_id, n.name AS narrative, p.score, p.sentence, {PARAGRAPH_COLUMNS}
        FROM ranked p JOIN snap.narratives n USING (narrative_id) {JOIN_DOCUMENT}
        WHERE p.number <= $most
        ORDER BY list_position($narratives, p.narrative_id), p.number
        """,
        {**where.values, "narratives": list(narratives), "most": most},
    )
