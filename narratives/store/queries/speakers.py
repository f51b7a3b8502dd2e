"""The questions of the page on speakers: who said how much, and how often each narrative was in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pandas as pd

from narratives.model import Slice
from narratives.model.slice import Actor, GroupBy
from narratives.store.queries import NOT_REJECTED, PERIOD_COLUMN, build_where
from narratives.store.snapshot_reader import Snapshot

_GROUP_COLUMN: dict[GroupBy, str] = {"speaker": "speaker", "outlet": "outlet", "voice": "voice"}
# Named by the slice, else the codebook's: what people defined, and what stands in every chart by default.
_CHOSEN_NARRATIVES = (
    "(n.narrative_id IN (SELECT unnest($narratives)) OR (len($narratives) = 0 AND n.origin = 'codebook'))"
)


def query_text_volumes(snapshot: Snapshot, s: Slice, of: GroupBy) -> pd.DataFrame:
    """How much there is of every speaker, outlet or voice in the slice, most paragraphs first, then by name.

    Columns: the one that `of` names, documents, paragraphs (statement paragraphs), advancing (those of them
    that advance one of the narratives of `shares`), first and last (day, ISO, empty where none is dated to
    the day).
    """
    found, column = build_where(s), _GROUP_COLUMN[of]
    return snapshot.frame(
        f"""
        SELECT p.{column}, count(DISTINCT p.document_id) AS documents, count(*) AS paragraphs,
               count(*) FILTER (p.paragraph_id IN (
                   SELECT a.paragraph_id FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
                   WHERE {NOT_REJECTED} AND {_CHOSEN_NARRATIVES})) AS advancing,
               coalesce(min(p.date) FILTER (len(p.date) = 10), '') AS first,
               coalesce(max(p.date) FILTER (len(p.date) = 10), '') AS last
        FROM snap.paragraphs p WHERE p.statement AND {found.sql}
        GROUP BY 1 ORDER BY paragraphs DESC, 1
        """,
        {**found.values, "narratives": list(s.narratives)},
    )


def query_share_sums(
    snapshot: Snapshot, s: Slice, of: Literal["speaker", "period"], paragraphs: int = 1, documents: int = 1
) -> pd.DataFrame:
    """What the shares of narratives rest on, a row a narrative and speaker, or a narrative and period.

    Columns: the one that `of` names, narrative_id, narrative and the sums that `measure.clustered_interval`
    takes. Narratives are the slice's, else those of the codebook; zeros are included. Speakers (periods of
    `s.by`) with fewer statement paragraphs or documents than given are left out, and so is what names no
    speaker where `of` is speaker. By speaker (period), then
    codebook order. The totals are not narrowed by the narrative filter.
    """
    found = build_where(s)
    column = "speaker" if of == "speaker" else PERIOD_COLUMN[s.by]
    named = "p.speaker <> ''" if of == "speaker" else "true"
    return snapshot.frame(
        f"""
        WITH base AS MATERIALIZED (
            SELECT p.paragraph_id, p.document_id, p.{column} AS whose
            FROM snap.paragraphs p WHERE p.statement AND p.{column} IS NOT NULL AND {named} AND {found.sql}
        ),
        sizes AS (SELECT whose, document_id, count(*) AS m FROM base GROUP BY ALL),
        totals AS (
            SELECT whose, count(*) AS documents, sum(m) AS total, sum(m * m) AS m2 FROM sizes
            GROUP BY whose HAVING sum(m) >= $least_paragraphs AND count(*) >= $least_documents
        ),
        hits AS (
            SELECT b.whose, b.document_id, a.narrative_id, count(*) AS y
            FROM base b JOIN snap.assignments a USING (paragraph_id)
            WHERE {NOT_REJECTED} GROUP BY ALL
        ),
        counts AS (
            SELECT h.whose, h.narrative_id, sum(h.y) AS y, sum(z.m * h.y) AS my, sum(h.y * h.y) AS y2
            FROM hits h JOIN sizes z ON z.whose = h.whose AND z.document_id = h.document_id
            GROUP BY ALL
        )
        SELECT t.whose AS {of}, n.narrative_id, n.name AS narrative, t.documents,
               t.total::BIGINT AS total_paragraphs, coalesce(c.y, 0)::BIGINT AS paragraphs,
               t.m2::BIGINT AS m2, coalesce(c.my, 0)::BIGINT AS my, coalesce(c.y2, 0)::BIGINT AS y2
        FROM totals t CROSS JOIN snap.narratives n
        LEFT JOIN counts c ON c.whose = t.whose AND c.narrative_id = n.narrative_id
        WHERE {_CHOSEN_NARRATIVES}
        ORDER BY t.whose, n.position
        """,
        {
            **found.values,
            "narratives": list(s.narratives),
            "least_paragraphs": paragraphs,
            "least_documents": documents,
        },
    )


def query_roles(snapshot: Snapshot, speaker: str) -> pd.DataFrame:
    """The roles that the list of speakers gives one, by start: title, start_day, end_day (empty if open)."""
    return snapshot.frame(
        """
        SELECT r.title, coalesce(r.start_day, '') AS start_day, coalesce(r.end_day, '') AS end_day
        FROM (SELECT unnest(roles) AS r FROM snap.speakers WHERE name = $speaker) ORDER BY 2, 3
        """,
        {"speaker": speaker},
    )


_USE_COLUMNS: dict[Actor, str] = {"outlet": "outlet", "speaker": "speaker"}


def query_uses(snapshot: Snapshot, s: Slice, actor: Actor, narrative_id: str) -> pd.DataFrame:
    """Columns narrative_id, actor, date, paragraphs: statement paragraphs that advance the narrative.

    One row an outlet or speaker (empty where none is named) and date, as the date is known: a day, a month,
    a year or empty. By actor and date. The slice's narratives play no part.
    """
    found = build_where(s)
    return snapshot.frame(
        f"""
        SELECT a.narrative_id, p.{_USE_COLUMNS[actor]} AS actor, p.date, count(*) AS paragraphs
        FROM snap.paragraphs p JOIN snap.assignments a USING (paragraph_id)
        WHERE p.statement AND {NOT_REJECTED} AND a.narrative_id = $narrative AND {found.sql}
        GROUP BY ALL ORDER BY 2, 3
        """,
        {**found.values, "narrative": narrative_id},
    )


def query_monthly_coverage(snapshot: Snapshot, s: Slice, actor: Actor) -> pd.DataFrame:
    """When there is any text at all of every outlet or speaker: one row each and month.

    Columns actor, period (a month, or a year where the date says no more), first_day, last_day (ISO: all
    text of the row lies between them), sure (ISO: some text of it is from this day or before), paragraphs
    (of any kind). Undated text has no row. Only the slice's speakers and outlets play a part: copies,
    voices other than those asked for and other dates are text too. By actor and period.
    """
    found = build_where(Slice(speakers=s.speakers, outlets=s.outlets, copies="all"))
    return snapshot.frame(
        f"""
        SELECT p.{_USE_COLUMNS[actor]} AS actor, coalesce(p.month, p.year) AS period,
               strftime(min(p.first_day), '%Y-%m-%d') AS first_day,
               strftime(max(p.last_day), '%Y-%m-%d') AS last_day,
               strftime(min(p.last_day), '%Y-%m-%d') AS sure, count(*) AS paragraphs
        FROM snap.paragraphs p WHERE p.first_day IS NOT NULL AND {found.sql}
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        found.values,
    )


def query_narrative_copies(snapshot: Snapshot, s: Slice, narrative_id: str) -> pd.DataFrame:
    """Copies that advance the narrative, by the outlet of the original and that of the copy.

    Columns original_outlet, outlet, paragraphs, documents, first (day of the first copy, or as far as its
    date is known; empty if none is dated), most paragraphs first. The slice is that of the copies, whatever
    it says of copies itself.
    """
    found = build_where(replace(s, copies="copies"))
    return snapshot.frame(
        f"""
        SELECT coalesce(o.outlet, '') AS original_outlet, p.outlet, count(*) AS paragraphs,
               count(DISTINCT p.document_id) AS documents,
               coalesce(min(p.date) FILTER (p.date <> ''), '') AS first
        FROM snap.paragraphs p
        JOIN snap.assignments a USING (paragraph_id)
        LEFT JOIN snap.paragraphs o ON o.paragraph_id = p.duplicate_of
        WHERE p.statement AND {NOT_REJECTED} AND a.narrative_id = $narrative AND {found.sql}
        GROUP BY ALL ORDER BY paragraphs DESC, 1, 2
        """,
        {**found.values, "narrative": narrative_id},
    )
