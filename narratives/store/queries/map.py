"""Queries of the map: the positions of paragraphs, and their columns on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from narratives.model import EvidenceQuery, Slice
from narratives.store.queries import (
    ADVANCING_PLACES,
    IS_ORIGINAL,
    NOT_REJECTED,
    Where,
    build_narrative_condition,
    build_where,
)
from narratives.store.snapshot_reader import Snapshot

POINT_TEXT_LENGTH = 160  # characters of a paragraph that a map shows

_COLUMNS = ["paragraph_id", "x", "y", "narrative_ids", "score", "origin", "year", "speaker", "outlet", "date", "text"]


@dataclass(frozen=True, slots=True)
class MapPoints:
    """The paragraphs of a slice on the map.

    `frame` has one row for each paragraph: paragraph_id, x, y, narrative_ids (list, best score first, those of the
    codebook before discovered ones), score and origin of the first of them (NaN and empty if there is none), year
    (empty if undated), speaker, outlet, date, text (its first 160 characters). The frame may be a sample: `total` is
    the number of the slice's paragraphs on the map, `claimed` that of those that advance a narrative.
    """

    frame: pd.DataFrame
    total: int
    claimed: int


def query_points(snapshot: Snapshot, s: Slice, most: int = 2500) -> MapPoints:
    """Query the slice's statement paragraphs on the map, by id: always originals only.

    If there are more than `most`, up to three quarters of `most` are paragraphs that advance a narrative; others are
    the background. Of both kinds, those with the smallest ranks are chosen, so that the choice is
    always the same and favours no speaker or time. Empty for a snapshot without a map.
    """
    if not snapshot.has_map:
        return MapPoints(pd.DataFrame(columns=_COLUMNS), 0, 0)
    where, inside = _build_inside(s)
    values = {**where.values, "most": most, "claims": most * 3 // 4, "length": POINT_TEXT_LENGTH}
    frame = snapshot.frame(
        f"""
        WITH inside AS MATERIALIZED (
            SELECT m.place, m.x, m.y, p.rank, m.place IN ({ADVANCING_PLACES}) AS claimed {inside}
        ),
        enough AS (
            (SELECT * FROM inside WHERE claimed ORDER BY rank LIMIT $most)
            UNION ALL (SELECT * FROM inside WHERE NOT claimed ORDER BY rank LIMIT $most)
        ),
        ranked AS (SELECT *, row_number() OVER (PARTITION BY claimed ORDER BY rank) AS number FROM enough),
        chosen AS MATERIALIZED (
            SELECT * FROM ranked
            ORDER BY CASE WHEN claimed AND number <= $claims THEN 0 WHEN NOT claimed THEN 1 ELSE 2 END, rank
            LIMIT $most
        ),
        named AS (
            SELECT a.place,
                   list(a.narrative_id ORDER BY a.origin, a.score DESC, a.narrative_id) AS narrative_ids,
                   first(a.score ORDER BY a.origin, a.score DESC, a.narrative_id) AS score,
                   first(a.origin ORDER BY a.origin, a.score DESC, a.narrative_id) AS origin
            FROM snap.assignments a
            WHERE {NOT_REJECTED} AND a.place IN (SELECT place FROM chosen)
            GROUP BY a.place
        )
        SELECT p.paragraph_id, c.x, c.y, coalesce(n.narrative_ids, []) AS narrative_ids, n.score,
               coalesce(n.origin, '') AS origin, coalesce(p.year, '') AS year, p.speaker, p.outlet, p.date,
               left(p.text, $length) AS text,
               (SELECT count(*) FROM inside) AS total,
               (SELECT count(*) FROM inside WHERE claimed) AS all_claimed
        FROM chosen c JOIN snap.paragraphs p USING (place)
        LEFT JOIN named n ON n.place = c.place
        ORDER BY c.place
        """,
        values,
    )
    total, claimed = (int(frame[name].max()) if len(frame) else 0 for name in ("total", "all_claimed"))
    return MapPoints(frame[_COLUMNS], total, claimed)


def count_points(snapshot: Snapshot, s: Slice) -> int:
    """Count the slice's paragraphs on the map: `total` of `query_points`, for a fraction of its time."""
    if not snapshot.has_map:
        return 0
    where, inside = _build_inside(s)
    return int(snapshot.frame(f"SELECT count(*) AS n {inside}", where.values)["n"].iloc[0])


def _build_inside(s: Slice) -> tuple[Where, str]:
    """Build the condition on the paragraphs of a slice, and the rows of the map that it selects, as SQL."""
    where = build_where(s, copies=False)
    advancing = f"m.place IN ({ADVANCING_PLACES} AND {build_narrative_condition(s, where)})" if s.narratives else "true"
    return (
        where,
        f"""FROM snap.map m JOIN snap.paragraphs p USING (place)
            WHERE p.statement AND {IS_ORIGINAL} AND {where.sql} AND {advancing}""",
    )


def query_ids_in_polygon(snapshot: Snapshot, outline: Sequence[tuple[float, float]]) -> list[str]:
    """Query the ids of the paragraphs inside a polygon on the map, given by its corners in order."""
    if not snapshot.has_map:
        return []
    frame = snapshot.frame("SELECT paragraph_id, x, y FROM snap.map ORDER BY paragraph_id")
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    # A point is inside if a line from it to one side crosses the outline an odd number of times.
    crossed = np.zeros(len(frame), np.bool_)
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], *outline[:1]], strict=True):
        if y1 != y2:
            crossed ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return [str(key) for key in frame["paragraph_id"][crossed]]


def query_positions(snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    """Query the whole map, paragraph id to (x, y), for the next build; empty if there is none."""
    if not snapshot.has_map:
        return {}
    frame = snapshot.frame("SELECT paragraph_id, x, y FROM snap.map")
    return dict(zip(frame["paragraph_id"], zip(frame["x"].tolist(), frame["y"].tolist(), strict=True), strict=True))


def query_paragraphs_by_id(snapshot: Snapshot, paragraph_ids: list[str]) -> pd.DataFrame:
    """Query the paragraphs with these ids, in the columns and order of `Snapshot.paragraphs`."""
    return snapshot.paragraphs(EvidenceQuery(Slice(copies="all"), similar=dict.fromkeys(paragraph_ids, math.nan)))
