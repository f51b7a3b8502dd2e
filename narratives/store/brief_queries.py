"""What only the brief asks of a snapshot: prevalence by speaker, outlet or voice, and the best paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from narratives.model import Slice, Unit
from narratives.store.queries import Snapshot
from narratives.store.slices import LIVE, NAMED, PERIOD_COLUMN, narrative_filter, where

Grouping = Literal["speaker", "outlet", "voice"]
# The only words of a caller that reach the SQL text, and only by look-up.
_COLUMN: dict[Grouping, str] = {"speaker": "speaker", "outlet": "outlet", "voice": "voice"}
_SIZE: dict[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}


def _base(s: Slice, of: Grouping) -> str:
    """The dated statement paragraphs of the slice with their group; its values are those of `where(s)`."""
    return f"""
        SELECT p.paragraph_id, p.document_id, p.{_COLUMN[of]} AS "group"
        FROM snap.paragraphs p
        WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {where(s).sql}"""


def groups(snapshot: Snapshot, s: Slice, of: Grouping) -> int:
    """How many different speakers, outlets or voices the slice's dated statement paragraphs have."""
    found = snapshot.frame(f'SELECT count(DISTINCT "group") AS n FROM ({_base(s, of)})', where(s).values)
    return int(found["n"].iloc[0])


def by_group(snapshot: Snapshot, s: Slice, of: Grouping, most: int) -> pd.DataFrame:
    """Columns group, narrative_id, narrative, paragraphs, total_paragraphs, documents, m2, my, y2.

    One row for each of `most` groups and each of `s.narratives` (all where there are none), zeros included;
    the groups are those that advance them most often, in that order. Counted are the statement paragraphs of
    the slice that stand in a period of `s.by`, in its unit; the sums are those of
    `measure.clustered_interval`.
    """
    found = where(s)
    chosen = narrative_filter(s, found)
    return snapshot.frame(
        f"""
        WITH base AS MATERIALIZED ({_base(s, of)}),
        sizes AS (SELECT "group", document_id, {_SIZE[s.unit]} AS m FROM base GROUP BY ALL),
        totals AS (
            SELECT "group", count(*) AS documents, sum(m)::BIGINT AS total, sum(m * m)::BIGINT AS m2
            FROM sizes GROUP BY "group"
        ),
        hits AS (
            SELECT p."group", p.document_id, a.narrative_id, {_SIZE[s.unit]} AS y
            FROM base p JOIN snap.assignments a USING (paragraph_id)
            WHERE {LIVE} AND {chosen} GROUP BY ALL
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


def best(snapshot: Snapshot, s: Slice, narratives: Sequence[str], most: int) -> pd.DataFrame:
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
            WHERE {LIVE} AND p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL
              AND {NAMED} AND {where(s).sql}
        )
        SELECT r.narrative_id, n.name AS narrative, r.score, r.sentence, r.paragraph_id,
               r.document_id, r.date, r.speaker, r.voice, r.outlet, d.title, d.url, d.text_kind, r.text
        FROM ranked r
        JOIN snap.narratives n USING (narrative_id)
        JOIN snap.documents d ON d.document_id = r.document_id AND d.status = 'read'
        WHERE r.place <= $most
        ORDER BY list_position($narratives, r.narrative_id), r.place
        """,
        {**where(s).values, "narratives": list(narratives), "most": most},
    )
