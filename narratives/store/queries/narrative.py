"""Queries of the Narrative page.

They count statement paragraphs only. The narrative is given by its id; the slice's own narrative filter has no
effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from narratives.model import Origin, Slice, StoreError
from narratives.model.narratives import THEME_PREFIX, TOPIC_PREFIX
from narratives.model.slice import Actor, ShareGroup
from narratives.store.queries import (
    ADVANCING_PLACES,
    DOCUMENT_SUMS,
    JOIN_DOCUMENT,
    NARRATIVE_SUMS,
    NOT_REJECTED,
    PARAGRAPH_COLUMNS,
    PERIOD_COLUMN,
    build_expected,
    build_where,
)
from narratives.store.snapshot_reader import Snapshot

_ADVANCES_NARRATIVE = f"p.place IN ({ADVANCING_PLACES} AND a.narrative_id = $narrative)"
_IN_TOPIC = "p.original IN (SELECT m.place FROM snap.cluster_members m WHERE m.cluster_id = $narrative)"


@dataclass(frozen=True, slots=True)
class NarrativeCard:
    """The description of a narrative in a snapshot.

    `phrases` are a codebook narrative's cues or a candidate's distinctive phrases; `nearest` is the codebook
    narrative nearest to a candidate; `near` are the candidates nearest to this one, largest first. `complete`
    is False for snapshots written before includes, excludes and exemplars were kept.
    """

    narrative_id: str
    name: str
    origin: Origin
    definition: str
    phrases: tuple[str, ...]
    nearest: str
    near: tuple[str, ...]
    complete: bool
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    exemplars: tuple[str, ...] = ()


def query_card(snapshot: Snapshot, narrative_id: str) -> NarrativeCard:
    """Query the narrative's card. Raises StoreError if the snapshot has no such narrative."""
    rows = snapshot.frame("SELECT * FROM snap.narratives WHERE narrative_id = $narrative", {"narrative": narrative_id})
    if rows.empty:
        raise StoreError("a narrative of this snapshot", repr(narrative_id), "Choose one from the list.")
    row = rows.iloc[0]
    near = snapshot.frame(
        """SELECT n.narrative_id FROM snap.narratives n JOIN snap.clusters c ON c.cluster_id = n.narrative_id
           WHERE n.nearest = $narrative ORDER BY c.size DESC, n.narrative_id""",
        {"narrative": narrative_id},
    )
    complete = "exemplars" in rows
    return NarrativeCard(
        narrative_id,
        name=row["name"],
        origin=row["origin"],
        definition=row["definition"],
        phrases=tuple(row["phrases"]),
        nearest=row["nearest"],
        near=tuple(near["narrative_id"]),
        complete=complete,
        **{name: tuple(row[name]) for name in ("includes", "excludes", "exemplars") if complete},
    )


def query_usual_threshold(snapshot: Snapshot) -> float:
    """Query the threshold of most narratives of the codebook, the lowest of several that are equally frequent."""
    [(threshold,)] = snapshot.frame(
        """
        SELECT threshold FROM snap.narratives WHERE origin = 'codebook' GROUP BY threshold
        ORDER BY count(*) DESC, threshold LIMIT 1
        """
    ).itertuples(index=False)
    return float(threshold)


def query_narrative_sums(snapshot: Snapshot, s: Slice, narrative_id: str, group: ShareGroup) -> pd.DataFrame:
    """Query the sums for shares with clustered intervals, one row for each `group` of the slice.

    Columns: the group's name (none for "all"), narrative_id and `measure.shares.SUM_COLUMNS`. Every period, speaker
    or outlet of the slice has a row, in order, even with zeros. If the group is "period", only paragraphs with a
    period of `s.by` count. `expected` is as in `Snapshot.prevalence`. The id may also be that of a theme or
    topic, whose paragraphs are then counted.
    """
    where = build_where(s)
    is_topic = narrative_id.startswith((THEME_PREFIX, TOPIC_PREFIX))
    expected = build_expected(snapshot.has_probabilities and not is_topic)
    advances = _IN_TOPIC if is_topic else _ADVANCES_NARRATIVE
    column = {"all": "''", "period": f"p.{PERIOD_COLUMN[s.by]}"}.get(group, f"p.{group}")
    named = "" if group == "all" else f"key AS {group},"
    return snapshot.frame(
        f"""
        WITH base AS (
            SELECT p.place, p.document, {column} AS key, {advances} AS advances
            FROM snap.paragraphs p WHERE p.statement AND {column} IS NOT NULL AND {where.sql}
        ),
        sizes AS (
            SELECT key, document, count(*) AS m, count(*) FILTER (advances) AS y FROM base GROUP BY ALL
        ),
        sums AS (SELECT key, {DOCUMENT_SUMS}, {NARRATIVE_SUMS} FROM sizes GROUP BY key)
        SELECT {named} $narrative AS narrative_id, documents, total_paragraphs, paragraphs, m2, my, y2,
               {expected.column}
        FROM (SELECT *, $narrative AS narrative_id FROM sums) {expected.join} ORDER BY key
        """,
        {**where.values, "narrative": narrative_id},
    )


def query_group_voices(snapshot: Snapshot, s: Slice, narrative_id: str, actor: Actor) -> pd.DataFrame:
    """Count the paragraphs that advance the narrative, or are of the topic: `actor`'s name, voice, paragraphs."""
    where = build_where(s)
    advances = _IN_TOPIC if narrative_id.startswith((THEME_PREFIX, TOPIC_PREFIX)) else _ADVANCES_NARRATIVE
    return snapshot.frame(
        f"""SELECT p.{actor}, p.voice, count(*) AS paragraphs FROM snap.paragraphs p
            WHERE p.statement AND {advances} AND {where.sql} GROUP BY ALL ORDER BY ALL""",
        {**where.values, "narrative": narrative_id},
    )


def query_coverage_start(snapshot: Snapshot, s: Slice, actor: Actor) -> pd.DataFrame:
    """Query the first day with a statement paragraph for each actor: columns actor, since (ISO day).

    Only dates with a known day count.
    """
    where = build_where(s)
    return snapshot.frame(
        f"""SELECT p.{actor} AS actor, min(p.date) AS since FROM snap.paragraphs p
            WHERE p.statement AND length(p.date) = 10 AND {where.sql} GROUP BY ALL ORDER BY p.{actor}""",
        where.values,
    )


def query_cooccurrence(snapshot: Snapshot, s: Slice, narrative_id: str) -> pd.DataFrame:
    """Count how often each other codebook narrative is in the same documents, for `compute_cooccurrence`.

    Columns narrative_id, narrative, a (documents of the slice that advance this one), b (that one), both,
    total (documents of the slice), shared (paragraphs that advance both); in codebook order.
    """
    where = build_where(s)
    return snapshot.frame(
        f"""
        WITH base AS MATERIALIZED (
            SELECT p.place, p.document FROM snap.paragraphs p WHERE p.statement AND {where.sql}
        ),
        hits AS MATERIALIZED (
            SELECT a.narrative_id, p.document, p.place
            FROM base p JOIN snap.assignments a USING (place) WHERE {NOT_REJECTED}
        ),
        own AS MATERIALIZED (
            SELECT DISTINCT document, place FROM hits WHERE narrative_id = $narrative
        ),
        counted AS (
            SELECT narrative_id, count(DISTINCT document) AS b,
                   count(DISTINCT document) FILTER (document IN (SELECT document FROM own)) AS both,
                   count(*) FILTER (place IN (SELECT place FROM own)) AS shared
            FROM hits GROUP BY narrative_id
        )
        SELECT n.narrative_id, n.name AS narrative, (SELECT count(DISTINCT document) FROM own) AS a,
               coalesce(c.b, 0) AS b, coalesce(c.both, 0) AS both,
               (SELECT count(DISTINCT document) FROM base) AS total, coalesce(c.shared, 0) AS shared
        FROM snap.narratives n LEFT JOIN counted c USING (narrative_id)
        WHERE n.origin = 'codebook' AND n.narrative_id <> $narrative ORDER BY n.position
        """,
        {**where.values, "narrative": narrative_id},
    )


def query_top_paragraphs(snapshot: Snapshot, s: Slice, narrative_id: str, most: int) -> pd.DataFrame:
    """Query the paragraphs of the slice with the best scores, one from each document and no text twice.

    Columns paragraph_id, document_id, date, speaker, voice, outlet, title, url, text_kind, text, score,
    status, sentence and exemplar (the deciding ones; empty for candidates); best first, at most `most` rows.
    """
    where = build_where(s)
    return snapshot.frame(
        f"""
        WITH scored AS (
            SELECT {PARAGRAPH_COLUMNS}, a.score, a.status, a.sentence, a.exemplar
            FROM snap.assignments a JOIN snap.paragraphs p USING (place) {JOIN_DOCUMENT}
            WHERE a.narrative_id = $narrative AND {NOT_REJECTED} AND p.statement AND {where.sql}
        ),
        once AS (
            SELECT * FROM scored
            QUALIFY row_number() OVER (PARTITION BY text ORDER BY score DESC, paragraph_id) = 1
        ),
        best AS (
            SELECT * FROM once
            QUALIFY row_number() OVER (PARTITION BY document_id ORDER BY score DESC, paragraph_id) = 1
        )
        SELECT * FROM best ORDER BY score DESC, paragraph_id LIMIT $most
        """,
        {**where.values, "narrative": narrative_id, "most": most},
    )


def query_representatives(snapshot: Snapshot, cluster_id: str, most: int) -> pd.DataFrame:
    """Query the most central paragraphs of a candidate, whatever the slice is.

    Columns as of `query_top_paragraphs` without score, status, sentence and exemplar, but with rank.
    """
    return snapshot.frame(
        f"""SELECT {PARAGRAPH_COLUMNS}, m.rank
            FROM snap.cluster_members m JOIN snap.paragraphs p USING (place) {JOIN_DOCUMENT}
            WHERE m.cluster_id = $cluster AND m.rank IS NOT NULL ORDER BY m.rank LIMIT $most""",
        {"cluster": cluster_id, "most": most},
    )


def query_cluster_names(snapshot: Snapshot, ids: Sequence[str]) -> dict[str, str]:
    """Query the names of these narratives and clusters; those that the snapshot lacks are left out."""
    rows = snapshot.frame(
        """SELECT cluster_id AS id, name FROM snap.clusters WHERE cluster_id IN (SELECT unnest($ids))
           UNION
           SELECT narrative_id, name FROM snap.narratives WHERE narrative_id IN (SELECT unnest($ids))""",
        {"ids": list(ids)},
    )
    return dict(zip(rows["id"], rows["name"], strict=True))
