"""Queries of the Speakers page: how much each speaker said, and how often each narrative occurs in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pandas as pd

from narratives.model import Slice
from narratives.model.slice import Actor, GroupBy
from narratives.store.queries import (
    ADVANCING_PLACES,
    GROUP_COLUMN,
    NOT_REJECTED,
    PERIOD_COLUMN,
    Where,
    build_clustered_sums,
    build_narrative_condition,
    build_where,
)
from narratives.store.snapshot_reader import Snapshot


def _build_chosen_narratives(s: Slice, where: Where) -> str:
    """Build the condition for the slice's narratives, or else those of the codebook; `a` has narrative_id, origin."""
    return build_narrative_condition(s, where) if s.narratives else "a.origin = 'codebook'"


def query_text_volumes(snapshot: Snapshot, s: Slice, group: GroupBy) -> pd.DataFrame:
    """Query how much text there is of each speaker, outlet or voice; most paragraphs first, then by name.

    Columns: the one that `group` names, documents, paragraphs (statement paragraphs), advancing (those that advance
    a narrative of `query_share_sums`), first and last (ISO day, empty if no date is exact to the day).
    """
    where, column = build_where(s), GROUP_COLUMN[group]
    chosen = _build_chosen_narratives(s, where)
    return snapshot.frame(
        f"""
        SELECT p.{column}, count(DISTINCT p.document) AS documents, count(*) AS paragraphs,
               count(*) FILTER (p.place IN ({ADVANCING_PLACES} AND {chosen})) AS advancing,
               coalesce(min(p.date) FILTER (len(p.date) = 10), '') AS first,
               coalesce(max(p.date) FILTER (len(p.date) = 10), '') AS last
        FROM snap.paragraphs p WHERE p.statement AND {where.sql}
        GROUP BY 1 ORDER BY paragraphs DESC, 1
        """,
        where.values,
    )


def query_share_sums(
    snapshot: Snapshot, s: Slice, group: Literal["speaker", "period"], paragraphs: int = 1, documents: int = 1
) -> pd.DataFrame:
    """Query the sums for the shares of narratives, one row for each speaker or period and narrative.

    Columns: the one that `group` names, narrative_id, narrative and `measure.shares.SUM_COLUMNS`. The narratives
    are the slice's, or else those of the codebook; zeros are included, and the totals count all text of the slice.
    Speakers or periods of `s.by` with fewer statement paragraphs or documents than given are left out. So is text
    without a named speaker if `group` is speaker. By speaker or period, then in codebook order.
    """
    where = build_where(s)
    column = "speaker" if group == "speaker" else PERIOD_COLUMN[s.by]
    where.add("p.speaker <> ''" if group == "speaker" else f"p.{column} IS NOT NULL")
    return snapshot.frame(
        f"""
        WITH {build_clustered_sums(column, where, _build_chosen_narratives(s, where))}
        SELECT key AS {group}, narrative_id, narrative, documents, total_paragraphs, paragraphs, m2, my, y2
        FROM sums WHERE total_paragraphs >= $least_paragraphs AND documents >= $least_documents
        ORDER BY key, position
        """,
        {**where.values, "least_paragraphs": paragraphs, "least_documents": documents},
    )


def query_roles(snapshot: Snapshot, speaker: str) -> pd.DataFrame:
    """Query the roles of a speaker by start: columns title, start_day, end_day (empty if open)."""
    return snapshot.frame(
        """
        SELECT r.title, coalesce(r.start_day, '') AS start_day, coalesce(r.end_day, '') AS end_day
        FROM (SELECT unnest(roles) AS r FROM snap.speakers WHERE name = $speaker) ORDER BY 2, 3
        """,
        {"speaker": speaker},
    )


def query_uses(snapshot: Snapshot, s: Slice, actor: Actor, narrative_id: str) -> pd.DataFrame:
    """Count the statement paragraphs that advance the narrative, by actor and date.

    Columns narrative_id, actor, date, paragraphs. One row for each outlet or speaker (empty if none is named)
    and partial date: a day, a month, a year or empty. The slice's narratives have no effect.
    """
    where = build_where(s)
    return snapshot.frame(
        f"""
        SELECT a.narrative_id, p.{GROUP_COLUMN[actor]} AS actor, p.date, count(*) AS paragraphs
        FROM snap.paragraphs p JOIN snap.assignments a USING (place)
        WHERE p.statement AND {NOT_REJECTED} AND a.narrative_id = $narrative AND {where.sql}
        GROUP BY ALL ORDER BY 2, 3
        """,
        {**where.values, "narrative": narrative_id},
    )


def query_monthly_coverage(snapshot: Snapshot, s: Slice, actor: Actor) -> pd.DataFrame:
    """Query the months with any text of each outlet or speaker: one row for each actor and month.

    Columns actor, period (a month, or a year if the month is unknown), first_day, last_day (ISO: all text of the
    row is dated between them), sure (ISO: some of it is from this day or earlier), paragraphs (of any kind). Undated
    text has no row. Of the slice, only the speakers and outlets count; text of any voice and date, and copies, are
    included. By actor and period.
    """
    where = build_where(Slice(speakers=s.speakers, outlets=s.outlets, copies="all"))
    return snapshot.frame(
        f"""
        SELECT p.{GROUP_COLUMN[actor]} AS actor, coalesce(p.month, p.year) AS period,
               strftime(min(p.first_day), '%Y-%m-%d') AS first_day,
               strftime(max(p.last_day), '%Y-%m-%d') AS last_day,
               strftime(min(p.last_day), '%Y-%m-%d') AS sure, count(*) AS paragraphs
        FROM snap.paragraphs p WHERE p.first_day IS NOT NULL AND {where.sql}
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        where.values,
    )


def query_narrative_copies(snapshot: Snapshot, s: Slice, narrative_id: str) -> pd.DataFrame:
    """Count the copies that advance the narrative, by the outlets of the original and of the copy.

    Columns original_outlet, outlet, paragraphs, documents, first (partial date of the first copy, empty if none is
    dated); most paragraphs first. The slice filters the copies; its own filter for copies has no effect.
    """
    where = build_where(replace(s, copies="copies"))
    return snapshot.frame(
        f"""
        SELECT coalesce(o.outlet, '') AS original_outlet, p.outlet, count(*) AS paragraphs,
               count(DISTINCT p.document) AS documents,
               coalesce(min(p.date) FILTER (p.date <> ''), '') AS first
        FROM snap.paragraphs p
        JOIN snap.assignments a USING (place)
        LEFT JOIN snap.paragraphs o ON o.place = p.original
        WHERE p.statement AND {NOT_REJECTED} AND a.narrative_id = $narrative AND {where.sql}
        GROUP BY ALL ORDER BY paragraphs DESC, 1, 2
        """,
        {**where.values, "narrative": narrative_id},
    )
