"""Queries of the Sources page: how much text a snapshot contains, and how it was processed.

Unlike the queries for shares, these count text of every kind, language and voice, and copies, because they describe
everything that was collected. Filters for speaker, outlet and dates apply.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from narratives.model import Rejected, Slice
from narratives.store.queries import IS_COPY, PERIOD_COLUMN, Where, build_possible_where, build_where
from narratives.store.snapshot_reader import Snapshot


def query_outlet_coverage(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the documents of each outlet and period of `s.by` with text.

    Columns outlet, period, documents (with any paragraph in the slice), statements (the statement paragraphs that
    shares count, with copies as in the slice). Documents whose date is too coarse for `s.by` are in no row.
    """
    where, counted = _build_where_with_copies(s), build_where(Slice(copies=s.copies)).sql
    period = PERIOD_COLUMN[s.by]
    return snapshot.frame(
        f"""
        SELECT p.outlet, p.{period} AS period, count(DISTINCT p.document) AS documents,
               count(*) FILTER (p.statement AND {counted}) AS statements
        FROM snap.paragraphs p WHERE p.{period} IS NOT NULL AND {where.sql}
        GROUP BY ALL ORDER BY 1, 2
        """,
        where.values,
    )


def query_date_sources(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the sources of the documents' dates, or the reasons why there is none.

    Columns outlet, date_precision, date_source, documents; most documents first. Documents count if their date may
    be within the slice's dates; this includes undated ones.
    """
    where = build_possible_where(replace(s, copies="all"))
    return snapshot.frame(
        f"""
        SELECT d.outlet, d.date_precision, d.date_source, count(*) AS documents
        FROM snap.documents d
        WHERE d.status = 'read'
              AND d.place IN (SELECT p.document FROM snap.paragraphs p WHERE {where.sql})
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
        """,
        where.values,
    )


def query_undated(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the undated documents of the slice: columns outlet, title, source_path, url, date_source."""
    where = build_where(replace(s, date_from="", date_to="", copies="all"))
    return snapshot.frame(
        f"""
        SELECT d.outlet, d.title, d.source_path, d.url, d.date_source
        FROM snap.documents d
        WHERE d.status = 'read' AND d.date_precision = 'none'
              AND d.place IN (SELECT p.document FROM snap.paragraphs p WHERE {where.sql})
        ORDER BY d.document_id
        """,
        where.values,
    )


def query_outlet_copies(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query which outlets repeat paragraphs of which others.

    Columns outlet, original_outlet, paragraphs, documents; most paragraphs first. A copy counts with its own
    outlet and date.
    """
    where = _build_where_with_copies(s)
    return snapshot.frame(
        f"""
        SELECT p.outlet, o.outlet AS original_outlet, count(*) AS paragraphs,
               count(DISTINCT p.document) AS documents
        FROM snap.paragraphs p JOIN snap.paragraphs o ON o.place = p.original
        WHERE {IS_COPY} AND {where.sql}
        GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
        """,
        where.values,
    )


def query_languages(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the languages of the paragraphs, most paragraphs first.

    Columns language (ISO 639-1 or empty), paragraphs, statements (those that are compared with the narratives,
    copies included), matched (whether there are any).
    """
    where = _build_where_with_copies(s)
    return _query_counts_by(snapshot, "p.language AS language", where, ", bool_or(p.statement) AS matched")


def query_voices(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the voices of body paragraphs and questions, most first: columns voice, paragraphs, statements."""
    where = _build_where_with_copies(s)
    where.add("p.kind IN ('body', 'question')")
    return _query_counts_by(snapshot, "p.voice AS voice", where)


def query_rejected(snapshot: Snapshot) -> pd.DataFrame:
    """Query the rejected inputs in order: columns source_path, row (0: the whole input), reason."""
    return snapshot.frame(
        """
        SELECT source_path, row, reason FROM snap.documents WHERE status = 'rejected'
        ORDER BY source_path, row, reason
        """
    )


def query_inputs(snapshot: Snapshot) -> pd.DataFrame:
    """Query the result of reading each input, by path: columns source_path, documents, rejected, reason.

    `reason` is that of the first rejected row, empty if everything was read.
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
    """Build the slice's conditions, but count copies like originals."""
    return build_where(replace(s, copies="all"))


def _query_counts_by(snapshot: Snapshot, column: str, where: Where, more: str = "") -> pd.DataFrame:
    return snapshot.frame(
        f"""
        SELECT {column}, count(*) AS paragraphs, count(*) FILTER (p.statement) AS statements{more}
        FROM snap.paragraphs p WHERE {where.sql} GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        where.values,
    )


def query_outlets(snapshot: Snapshot) -> pd.DataFrame:
    """Query the outlets, most documents first: columns outlet, host, text_kind, documents, first, last.

    `host` is that of the documents' addresses, empty if they have none. `first` and `last` are the earliest and
    latest partial date, empty if there is none.
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


def query_rejected_rows(snapshot: Snapshot, source_path: str) -> list[Rejected]:
    """Query the rejected rows of one input, by row and reason; `row` 0 is the whole input."""
    frame = snapshot.frame(
        """
        SELECT source_path, "row", reason FROM snap.documents
        WHERE status = 'rejected' AND source_path = $source_path ORDER BY "row", reason
        """,
        {"source_path": source_path},
    )
    return [Rejected(str(path), int(row), str(reason)) for path, row, reason in frame.itertuples(index=False)]
