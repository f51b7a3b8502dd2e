"""How much text a snapshot holds, and what became of it: the questions of the Sources page.

Unlike the queries behind shares these count text of every kind, language and voice, copies included,
because they tell what there is at all. Filters for speaker, outlet and dates narrow them all the same.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from narratives.model import Slice
from narratives.store.queries import PERIOD_COLUMN, Where, build_possible_where, build_where
from narratives.store.snapshot_reader import Snapshot


def query_outlet_coverage(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Columns outlet, period, documents, statements; one row an outlet and period of `s.by` with text.

    `documents` are those with any paragraph in the slice, copies and unread languages included;
    `statements` are the statement paragraphs that shares rest on, copies as the slice says. Documents
    whose date is too coarse for `s.by` stand in no row.
    """
    found, counted = _build_where_with_copies(s), build_where(Slice(copies=s.copies)).sql
    period = PERIOD_COLUMN[s.by]
    return snapshot.frame(
        f"""
        SELECT p.outlet, p.{period} AS period, count(DISTINCT p.document_id) AS documents,
               count(*) FILTER (p.statement AND {counted}) AS statements
        FROM snap.paragraphs p WHERE p.{period} IS NOT NULL AND {found.sql}
        GROUP BY ALL ORDER BY 1, 2
        """,
        found.values,
    )


def query_date_sources(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Columns outlet, date_precision, date_source, documents: where dates were found, or why there is none.

    Counted are the documents that may lie within the slice's dates, undated ones among them; most first.
    """
    found = build_possible_where(replace(s, copies="all"))
    return snapshot.frame(
        f"""
        SELECT d.outlet, d.date_precision, d.date_source, count(*) AS documents
        FROM snap.documents d
        WHERE d.status = 'read'
              AND d.document_id IN (SELECT p.document_id FROM snap.paragraphs p WHERE {found.sql})
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
        """,
        found.values,
    )


def query_undated(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Columns outlet, title, source_path, url, date_source: documents of the slice without any date."""
    found = build_where(replace(s, date_from="", date_to="", copies="all"))
    return snapshot.frame(
        f"""
        SELECT d.outlet, d.title, d.source_path, d.url, d.date_source
        FROM snap.documents d
        WHERE d.status = 'read' AND d.date_precision = 'none'
              AND d.document_id IN (SELECT p.document_id FROM snap.paragraphs p WHERE {found.sql})
        ORDER BY d.document_id
        """,
        found.values,
    )


def query_outlet_copies(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Columns outlet, original_outlet, paragraphs, documents: who repeats paragraphs of whom.

    A copy is placed by the outlet and date that repeat; most paragraphs first.
    """
    found = _build_where_with_copies(s)
    return snapshot.frame(
        f"""
        SELECT p.outlet, o.outlet AS original_outlet, count(*) AS paragraphs,
               count(DISTINCT p.document_id) AS documents
        FROM snap.paragraphs p JOIN snap.paragraphs o ON o.paragraph_id = p.duplicate_of
        WHERE p.duplicate_of <> '' AND {found.sql}
        GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
        """,
        found.values,
    )


def query_languages(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Columns language (ISO 639-1 or empty), paragraphs, statements, matched; most paragraphs first.

    `matched` says whether any paragraph in the language is compared with the narratives: `statements`
    counts those that are, copies included.
    """
    found = _build_where_with_copies(s)
    return _query_counts_by(snapshot, "p.language AS language", found, ", bool_or(p.statement) AS matched")


def query_voices(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Columns voice, paragraphs, statements; paragraphs of the body and questions, most first."""
    found = _build_where_with_copies(s)
    found.add("p.kind IN ('body', 'question')")
    return _query_counts_by(snapshot, "p.voice AS voice", found)


def query_rejected(snapshot: Snapshot) -> pd.DataFrame:
    """Columns source_path, row (0: the whole input), reason: what could not be read, by place."""
    return snapshot.frame(
        """
        SELECT source_path, row, reason FROM snap.documents WHERE status = 'rejected'
        ORDER BY source_path, row, reason
        """
    )


def query_inputs(snapshot: Snapshot) -> pd.DataFrame:
    """Columns source_path, documents, rejected, reason: what came of each input, by path.

    `reason` is that of the first rejected row, empty where all was read.
    """
    return snapshot.frame(
        """
        SELECT source_path, count(*) FILTER (status = 'read') AS documents,
               count(*) FILTER (status = 'rejected') AS rejected,
               coalesce(min_by(reason, row) FILTER (status = 'rejected'), '') AS reason
        FROM snap.documents GROUP BY 1 ORDER BY 1
        """
    )


def _build_where_with_copies(s: Slice) -> Where:
    """The slice's conditions, but copies count like originals."""
    return build_where(replace(s, copies="all"))


def _query_counts_by(snapshot: Snapshot, column: str, found: Where, more: str = "") -> pd.DataFrame:
    return snapshot.frame(
        f"""
        SELECT {column}, count(*) AS paragraphs, count(*) FILTER (p.statement) AS statements{more}
        FROM snap.paragraphs p WHERE {found.sql} GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        found.values,
    )


def query_outlets(snapshot: Snapshot) -> pd.DataFrame:
    """Columns outlet, host, text_kind, documents, first, last; most documents first.

    `host` is that of the documents' addresses, empty where they have none; `first` and `last` are the
    earliest and latest date as they are known, empty where there is none.
    """
    return snapshot.frame(
        """
        SELECT d.outlet, lower(regexp_extract(d.url, '^https?://([^/:?#]+)', 1)) AS host, d.text_kind,
               count(*) AS documents, coalesce(min(nullif(d.date, '')), '') AS first,
               coalesce(max(nullif(d.date, '')), '') AS last
        FROM snap.documents d WHERE d.status = 'read'
        GROUP BY 1, 2, 3 ORDER BY documents DESC, 1, 2, 3
        """
    )
