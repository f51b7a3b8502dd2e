"""The questions of the page on spread: who advanced a narrative on which day, and who was collected when."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pandas as pd

from narratives.model import Slice
from narratives.store.queries import Snapshot
from narratives.store.slices import LIVE, where

Actor = Literal["outlet", "speaker"]
_COLUMNS: dict[Actor, str] = {"outlet": "outlet", "speaker": "speaker"}


def uses(snapshot: Snapshot, s: Slice, actor: Actor, narrative_id: str) -> pd.DataFrame:
    """Columns narrative_id, actor, date, paragraphs: statement paragraphs that advance the narrative.

    One row an outlet or speaker (empty where none is named) and date, as the date is known: a day, a month,
    a year or empty. By actor and date. The slice's narratives play no part.
    """
    found = where(s)
    return snapshot.frame(
        f"""
        SELECT a.narrative_id, p.{_COLUMNS[actor]} AS actor, p.date, count(*) AS paragraphs
        FROM snap.paragraphs p JOIN snap.assignments a USING (paragraph_id)
        WHERE p.statement AND {LIVE} AND a.narrative_id = $narrative AND {found.sql}
        GROUP BY ALL ORDER BY 2, 3
        """,
        {**found.values, "narrative": narrative_id},
    )


def coverage(snapshot: Snapshot, s: Slice, actor: Actor) -> pd.DataFrame:
    """When there is any text at all of every outlet or speaker: one row each and month.

    Columns actor, period (a month, or a year where the date says no more), first_day, last_day (ISO: all
    text of the row lies between them), sure (ISO: some text of it is from this day or before), paragraphs
    (of any kind). Undated text has no row. Only the slice's speakers and outlets play a part: copies,
    voices other than those asked for and other dates are text too. By actor and period.
    """
    found = where(Slice(speakers=s.speakers, outlets=s.outlets, copies="all"))
    return snapshot.frame(
        f"""
        SELECT p.{_COLUMNS[actor]} AS actor, coalesce(p.month, p.year) AS period,
               strftime(min(p.first_day), '%Y-%m-%d') AS first_day,
               strftime(max(p.last_day), '%Y-%m-%d') AS last_day,
               strftime(min(p.last_day), '%Y-%m-%d') AS sure, count(*) AS paragraphs
        FROM snap.paragraphs p WHERE p.first_day IS NOT NULL AND {found.sql}
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        found.values,
    )


def copied(snapshot: Snapshot, s: Slice, narrative_id: str) -> pd.DataFrame:
    """Copies that advance the narrative, by the outlet of the original and that of the copy.

    Columns original_outlet, outlet, paragraphs, documents, first (day of the first copy, or as far as its
    date is known; empty if none is dated), most paragraphs first. The slice is that of the copies, whatever
    it says of copies itself.
    """
    found = where(replace(s, copies="copies"))
    return snapshot.frame(
        f"""
        SELECT coalesce(o.outlet, '') AS original_outlet, p.outlet, count(*) AS paragraphs,
               count(DISTINCT p.document_id) AS documents,
               coalesce(min(p.date) FILTER (p.date <> ''), '') AS first
        FROM snap.paragraphs p
        JOIN snap.assignments a USING (paragraph_id)
        LEFT JOIN snap.paragraphs o ON o.paragraph_id = p.duplicate_of
        WHERE p.statement AND {LIVE} AND a.narrative_id = $narrative AND {found.sql}
        GROUP BY ALL ORDER BY paragraphs DESC, 1, 2
        """,
        {**found.values, "narrative": narrative_id},
    )
