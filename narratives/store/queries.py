"""The questions that pages, charts and exports ask of one snapshot.

Unless a method says otherwise it counts statement paragraphs only, an assignment counts unless it was
rejected, and all values of the slice are bound. Every query runs on a cursor of its own, so one Snapshot
serves many threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from narratives.model import MIN_STATEMENT_WORDS, Earlier, Quality, Slice, StoreError, Unit
from narratives.store import evaluations
from narratives.store.records import Manifest, Options, Totals
from narratives.store.slices import (
    ORDER,
    PERIOD_COLUMN,
    Bound,
    Near,
    Sort,
    Where,
    add_text,
    inside,
    maybe_inside,
    where,
)

# How much a document weighs in a count of paragraphs, and of documents.
_SIZE: Mapping[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}
# What an assignment must be to count, and the paragraphs that have such a one.
_LIVE = "a.status <> 'rejected'"
_ADVANCING = f"SELECT a.paragraph_id FROM snap.assignments a WHERE {_LIVE}"
_CLAIMED = f"p.paragraph_id IN ({_ADVANCING})"
_BY_CODEBOOK = f"p.paragraph_id IN ({_ADVANCING} AND a.origin = 'codebook')"
_ROUTINE = """p.paragraph_id IN (
    SELECT m.paragraph_id FROM snap.cluster_members m JOIN snap.clusters c USING (cluster_id) WHERE c.routine
)"""
# Names of all narratives of a paragraph, best first. To be joined as `named` to a relation of few rows.
_NAMED = f"""
    SELECT a.paragraph_id, max(a.score) AS best,
           string_agg(n.name, '; ' ORDER BY a.score DESC, n.position) AS narratives
    FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
    WHERE {_LIVE} AND a.paragraph_id IN (SELECT paragraph_id FROM chosen)
    GROUP BY a.paragraph_id
"""


class Snapshot:
    """One opened snapshot, read-only. Made by `open_snapshot`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, manifest: Manifest, folder: Path) -> None:
        self._connection = connection
        self._manifest = manifest
        self._folder = folder

    def close(self) -> None:
        """Let the file go; the snapshot answers no more."""
        self._connection.close()

    def meta(self) -> Manifest:
        """The manifest, as it was when the snapshot was opened."""
        return self._manifest

    def quality(self) -> tuple[Quality, ...] | None:
        """The latest evaluation, read anew since it may come after the build; None where there is none."""
        found = evaluations.read_evaluation(self._folder / evaluations.NAME)
        return found.rows if found else None

    def quality_caveat(self) -> str:
        """What must be known of the labels of that evaluation; empty where there is none."""
        found = evaluations.read_evaluation(self._folder / evaluations.NAME)
        return found.caveat if found else ""

    def options(self) -> Options:
        """What the filters can be set to, with the number of original statement paragraphs of each."""
        base = "FROM snap.paragraphs p WHERE p.statement AND p.duplicate_of = ''"
        named = {
            column: self._rows(f"SELECT p.{column}, count(*) {base} GROUP BY 1 ORDER BY 2 DESC, 1")
            for column in ("speaker", "outlet")
        }
        years = self._rows(f"SELECT DISTINCT p.year {base} AND p.year IS NOT NULL ORDER BY 1")
        narratives = self.frame(
            f"""
            WITH counts AS (
                SELECT a.narrative_id, count(*) AS paragraphs
                FROM snap.assignments a JOIN snap.paragraphs p USING (paragraph_id)
                WHERE {_LIVE} AND p.statement AND p.duplicate_of = '' GROUP BY a.narrative_id
            )
            SELECT n.narrative_id, n.name, n.origin, n.definition, n.colour,
                   coalesce(c.paragraphs, 0) AS paragraphs
            FROM snap.narratives n LEFT JOIN counts c USING (narrative_id) ORDER BY n.position
            """
        )
        return Options(
            speakers=[(str(name), int(n)) for name, n in named["speaker"]],
            outlets=[(str(name), int(n)) for name, n in named["outlet"]],
            years=[str(year) for (year,) in years],
            narratives=narratives,
        )

    def totals(self, s: Slice) -> Totals:
        """How much there is in the slice; see `Totals` for each figure."""
        period = PERIOD_COLUMN[s.by]
        found = maybe_inside(s)
        dated, _ = inside(s)
        copied = where(s, copies=False)
        [row] = self._rows(
            f"""
            WITH maybe AS (
                SELECT p.document_id, p.statement, coalesce({dated}, false) AS certain,
                       p.{period} IS NOT NULL AS fine,
                       p.kind = 'body' AND p.voice <> 'question' AND p.words >= $words AS claim_like,
                       {_CLAIMED} AS claimed, {_BY_CODEBOOK} AS by_codebook, {_ROUTINE} AS routine, p.speaker
                FROM snap.paragraphs p WHERE {found.sql}
            )
            SELECT -- in the order of the fields of Totals
                   count(DISTINCT document_id) FILTER (statement AND certain),
                   count(*) FILTER (certain),
                   count(*) FILTER (statement AND certain),
                   count(*) FILTER (statement AND certain AND claimed),
                   count(*) FILTER (statement AND certain AND claimed AND NOT by_codebook),
                   count(*) FILTER (statement AND certain AND NOT claimed),
                   count(*) FILTER (statement AND certain AND fine),
                   count(*) FILTER (statement AND NOT (certain AND fine)),
                   (SELECT count(*) FROM snap.paragraphs p
                    WHERE p.statement AND p.duplicate_of <> '' AND {copied.sql}),
                   count(*) FILTER (claim_like AND certain AND NOT statement),
                   count(DISTINCT speaker) FILTER (statement AND certain AND speaker <> ''),
                   count(*) FILTER (statement AND certain AND routine),
                   count(*) FILTER (statement AND certain AND routine AND NOT claimed)
            FROM maybe
            """,
            {**found.values, "words": MIN_STATEMENT_WORDS},
        )
        return Totals(*(int(n) for n in row))

    def prevalence(self, s: Slice) -> pd.DataFrame:
        """Columns period, narrative_id, narrative, origin, paragraphs, total_paragraphs and four sums.

        One row for every period of `s.by` with statements in the slice and every narrative (of the
        narrative filter), zeros included, by period and codebook order. The total is never narrowed by the
        narrative filter. The sums are those that `measure.clustered_interval` asks for, over the documents
        of the period with m statement paragraphs, y of them advancing the narrative: documents (how many),
        m2 (sum m*m), my (sum m*y), y2 (sum y*y). With unit `document` every document counts once: those
        with a paragraph that advances it, of those with any statement paragraph.
        """
        found = where(s)
        chosen = _narrative_filter(s, found)
        return self.frame(
            f"""
            WITH base AS MATERIALIZED (
                SELECT p.paragraph_id, p.document_id, p.{PERIOD_COLUMN[s.by]} AS period
                FROM snap.paragraphs p
                WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {found.sql}
            ),
            sizes AS (SELECT period, document_id, {_SIZE[s.unit]} AS m FROM base GROUP BY ALL),
            totals AS (
                SELECT period, count(*) AS documents, sum(m)::BIGINT AS total, sum(m * m)::BIGINT AS m2
                FROM sizes GROUP BY period
            ),
            hits AS (
                SELECT p.period, p.document_id, a.narrative_id, {_SIZE[s.unit]} AS y
                FROM base p JOIN snap.assignments a USING (paragraph_id)
                WHERE {_LIVE} AND {chosen} GROUP BY ALL
            ),
            counts AS (
                SELECT period, narrative_id, sum(y)::BIGINT AS n, sum(m * y)::BIGINT AS my,
                       sum(y * y)::BIGINT AS y2
                FROM hits JOIN sizes USING (period, document_id) GROUP BY ALL
            )
            SELECT t.period, a.narrative_id, a.name AS narrative, a.origin,
                   coalesce(c.n, 0) AS paragraphs, t.total AS total_paragraphs,
                   t.documents, t.m2, coalesce(c.my, 0) AS my, coalesce(c.y2, 0) AS y2
            FROM totals t CROSS JOIN snap.narratives a
            LEFT JOIN counts c ON c.period = t.period AND c.narrative_id = a.narrative_id
            WHERE {chosen}
            ORDER BY t.period, a.position
            """,
            found.values,
        )

    def unassigned(self, s: Slice) -> pd.DataFrame:
        """What advances no narrative and no candidate: columns as in `prevalence` without the narrative's.

        With unit `document`: documents none of whose statement paragraphs in the slice advances any.
        """
        found = where(s)
        nothing = (
            "count(*) FILTER (NOT claimed)" if s.unit == "paragraph" else "(NOT bool_or(claimed))::BIGINT"
        )
        return self.frame(
            f"""
            WITH units AS (
                SELECT p.{PERIOD_COLUMN[s.by]} AS period, p.document_id, {_CLAIMED} AS claimed
                FROM snap.paragraphs p
                WHERE p.statement AND p.{PERIOD_COLUMN[s.by]} IS NOT NULL AND {found.sql}
            ),
            sizes AS (
                SELECT period, document_id, {_SIZE[s.unit]} AS m, {nothing} AS y FROM units GROUP BY ALL
            )
            SELECT period, sum(y)::BIGINT AS paragraphs, sum(m)::BIGINT AS total_paragraphs,
                   count(*) AS documents, sum(m * m)::BIGINT AS m2, sum(m * y)::BIGINT AS my,
                   sum(y * y)::BIGINT AS y2
            FROM sizes GROUP BY period ORDER BY period
            """,
            found.values,
        )

    def paragraphs(
        self,
        s: Slice,
        text: str = "",
        limit: int | None = None,
        offset: int = 0,
        unassigned: bool = False,
        sort: Sort = "best",
        near: Near | None = None,
    ) -> pd.DataFrame:
        """The statement paragraphs of the slice; by default best score first, then by id.

        Columns paragraph_id, document_id, date, speaker, voice, outlet, title, url, narratives (names of
        all it advances, best first, joined by "; "), score (the highest of the slice's narratives, NaN
        where none), threshold (that narrative's, NaN where it has none), status (who decided on the slice's
        narratives: `auto`, `confirmed`, `partly confirmed`, or empty), similarity, text, text_kind.

        `text` is a search: words and "phrases" must all occur, -those with a minus must not. `unassigned`
        shows those that nothing claims, and then the narrative filter plays no part. `near` maps the ids of
        the only paragraphs to show to their similarity, None where that is not asked; without it similarity
        is NaN.
        """
        chosen, values = _chosen(s, text, unassigned, near)
        page = "" if limit is None else "LIMIT $limit OFFSET $offset"
        if limit is not None:
            values |= {"limit": limit, "offset": offset}
        return self.frame(
            f"""
            WITH chosen AS MATERIALIZED ({chosen} ORDER BY {ORDER[sort]} {page}),
            named AS ({_NAMED})
            SELECT p.paragraph_id, p.document_id, p.date, p.speaker, p.voice, p.outlet, d.title, d.url,
                   coalesce(named.narratives, '') AS narratives, chosen.score, chosen.threshold,
                   coalesce(chosen.status, '') AS status, chosen.similarity, p.text, d.text_kind
            FROM chosen
            JOIN snap.paragraphs p USING (paragraph_id)
            JOIN snap.documents d ON d.document_id = p.document_id AND d.status = 'read'
            LEFT JOIN named ON named.paragraph_id = p.paragraph_id
            ORDER BY {ORDER[sort]}
            """,
            values,
        )

    def count_paragraphs(
        self,
        s: Slice,
        text: str = "",
        unassigned: bool = False,
        near: Near | None = None,
    ) -> int:
        """How many rows `paragraphs` has without a limit."""
        chosen, values = _chosen(s, text, unassigned, near)
        [(count,)] = self._rows(f"SELECT count(*) FROM ({chosen})", values)
        return int(count)

    def events(self) -> pd.DataFrame:
        """Columns date (ISO text), name, source, narratives (list of ids that it bears on); by date."""
        return self.frame("SELECT date, name, source, narratives FROM snap.events ORDER BY date, name")

    def earlier(self) -> Earlier:
        """What the next build must know of this snapshot to keep ids and to tell what changed."""
        clusters = self.frame("SELECT cluster_id, name FROM snap.clusters")
        members = self._rows(
            "SELECT cluster_id, list(paragraph_id) FROM snap.cluster_members GROUP BY cluster_id"
        )
        narratives = self.frame("SELECT * FROM snap.narratives")
        if "digest" not in narratives:
            narratives["digest"] = ""  # version 1
        ours = narratives["origin"] == "codebook"
        named = narratives[ours][["narrative_id", "name", "digest"]].itertuples(index=False, name=None)
        return Earlier(
            snapshot_id=self._manifest.snapshot_id,
            members={key: frozenset(found) for key, found in members},
            names=dict(zip(clusters["cluster_id"], clusters["name"], strict=True)),
            candidates=frozenset(narratives["narrative_id"][~ours]),
            codebook={key: (name, digest) for key, name, digest in named},
        )

    def lineage(self) -> pd.DataFrame:
        """Columns kind, subject, name, origin, related, shares, note: see `model.Lineage`.

        What changed since the snapshot that `meta().predecessor` names; its own lineage tells the changes
        before that. Empty for the first, and for snapshots of version 1.
        """
        columns = ["kind", "subject", "name", "origin", "related", "shares", "note"]
        version = self._rows("SELECT value FROM snap.meta WHERE key = 'schema_version'")
        if version == [("1",)]:
            return pd.DataFrame(columns=columns)
        return self.frame(f"SELECT {', '.join(columns)} FROM snap.lineage ORDER BY origin, kind, subject")

    def frame(self, sql: str, values: Mapping[str, Bound] | None = None) -> pd.DataFrame:
        """The answer to a query of this room's own (the snapshot's tables stand in schema `snap`)."""
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(values or {})).df()

    def table(self, sql: str, values: Mapping[str, Bound] | None = None) -> pa.Table:
        """The same as an Arrow table, for exports."""
        with self._cursor() as cursor:
            return cursor.sql(sql, params=dict(values or {})).to_arrow_table()

    def _rows(self, sql: str, values: Mapping[str, Bound] | None = None) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(values or {})).fetchall()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one query. Damage that only shows while reading is told as such."""
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except (duckdb.ProgrammingError, duckdb.PermissionException):
            raise  # a fault of the query, not of the file
        except duckdb.Error as error:
            raise StoreError(
                f"a whole snapshot {self._manifest.snapshot_id}",
                str(error).splitlines()[0],
                "`status` checks it; delete its folder and build again.",
            ) from error


def _narrative_filter(s: Slice, found: Where) -> str:
    """The condition on `a.narrative_id` for the slice's narratives; its value is added to `found`."""
    if not s.narratives:
        return "true"
    found.values["narratives"] = list(s.narratives)
    return "a.narrative_id IN (SELECT unnest($narratives))"


def _chosen(s: Slice, text: str, unassigned: bool, near: Near | None) -> tuple[str, dict[str, Bound]]:
    """A query for paragraph_id, score, threshold, status and similarity of the evidence, and its values."""
    found = where(s)
    add_text(found, text)
    similarity, nearest = "NULL::DOUBLE AS similarity", ""
    if near is not None:
        similarity = "near.similarity"
        found.values |= {"near": list(near), "similarity": list(near.values())}
        nearest = """JOIN (SELECT unnest($near::VARCHAR[]) AS paragraph_id,
                           unnest($similarity::DOUBLE[]) AS similarity) near USING (paragraph_id)"""
    if unassigned:
        sql = f"""SELECT p.paragraph_id, NULL::DOUBLE AS score, NULL::DOUBLE AS threshold, NULL AS status,
                         {similarity}
                  FROM snap.paragraphs p {nearest}
                  WHERE p.statement AND NOT {_CLAIMED} AND {found.sql}"""
        return sql, found.values
    chosen = _narrative_filter(s, found)
    join = "JOIN" if s.narratives else "LEFT JOIN"
    sql = f"""SELECT p.paragraph_id, scored.score, scored.threshold, scored.status, {similarity}
              FROM snap.paragraphs p {nearest}
              {join} (SELECT a.paragraph_id, max(a.score) AS score,
                             arg_max_null(n.threshold, a.score) AS threshold,
                             CASE WHEN bool_and(a.status = 'confirmed') THEN 'confirmed'
                                  WHEN bool_or(a.status = 'confirmed') THEN 'partly confirmed'
                                  ELSE 'auto' END AS status
                      FROM snap.assignments a JOIN snap.narratives n USING (narrative_id)
                      WHERE {_LIVE} AND {chosen} GROUP BY a.paragraph_id) scored USING (paragraph_id)
              WHERE p.statement AND {found.sql}"""
    return sql, found.values
