"""The questions that pages, charts and exports ask of one snapshot.

Unless a method says otherwise it counts statement paragraphs only, an assignment counts unless it was
rejected, and all values of the slice are bound. Every query runs on a cursor of its own, so one Snapshot
serves many threads. The longer SQL stands in `prevalence_queries` and `evidence_queries`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from narratives.model import EvidenceQuery, PreviousSnapshot, QualityMetrics, Slice, StoreError
from narratives.model.snapshot import FilterOptions, SliceTotals, SnapshotManifest
from narratives.store import files
from narratives.store.limits import ALONE, Limits
from narratives.store.queries import NOT_REJECTED, SqlValue
from narratives.store.queries import evidence as evidence_queries
from narratives.store.queries import prevalence as prevalence_queries


class Snapshot:
    """One opened snapshot, read-only. Made by `open_snapshot`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        manifest: SnapshotManifest,
        file: Path,
        opened: files.Identity,
        limits: Limits,
    ) -> None:
        self._connection = connection
        self._manifest = manifest
        self._folder = file.parent
        self._file, self._opened = file, opened
        self._limits = limits

    def is_replaced(self) -> bool:
        """Whether its file is another one by now: what was damaged is made anew under the same name."""
        return files.identify(self._file) != self._opened

    def close(self) -> None:
        """Let the file go; the snapshot answers no more."""
        self._connection.close()

    def meta(self) -> SnapshotManifest:
        """The manifest, as it was when the snapshot was opened."""
        return self._manifest

    def quality(self) -> tuple[QualityMetrics, ...] | None:
        """The latest evaluation, read anew since it may come after the build; None where there is none."""
        found = files.read_evaluation(self._folder / files.QUALITY_FILE)
        return found.rows if found else None

    def quality_caveat(self) -> str:
        """What must be known of the labels of that evaluation; empty where there is none."""
        found = files.read_evaluation(self._folder / files.QUALITY_FILE)
        return found.caveat if found else ""

    def spot_checks(self) -> files.SpotChecks | None:
        """The latest spot checks, read anew since they come after the build; None where there are none."""
        return files.read_spot_checks(self._folder / files.SPOT_CHECKS_FILE)

    def drawable(self) -> pd.DataFrame:
        """What a spot check may draw: original statement paragraphs with each codebook narrative of theirs.

        Columns narrative_id, narrative, definition, paragraph_id, date, speaker, text; in codebook order,
        then by paragraph.
        """
        return self.frame(files.SPOT_CHECK_POOL)

    def options(self) -> FilterOptions:
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
                WHERE {NOT_REJECTED} AND p.statement AND p.duplicate_of = '' GROUP BY a.narrative_id
            )
            SELECT n.narrative_id, n.name, n.origin, n.definition, n.colour,
                   coalesce(c.paragraphs, 0) AS paragraphs
            FROM snap.narratives n LEFT JOIN counts c USING (narrative_id) ORDER BY n.position
            """
        )
        return FilterOptions(
            speakers=[(str(name), int(n)) for name, n in named["speaker"]],
            outlets=[(str(name), int(n)) for name, n in named["outlet"]],
            years=[str(year) for (year,) in years],
            narratives=narratives,
        )

    def totals(self, s: Slice) -> SliceTotals:
        """How much there is in the slice; see `Totals` for each figure."""
        [row] = self._rows(*prevalence_queries.build_totals_query(s))
        return SliceTotals(*(int(n) for n in row))

    def prevalence(self, s: Slice) -> pd.DataFrame:
        """Columns period, narrative_id, narrative, origin, paragraphs, total_paragraphs and four sums.

        One row for every period of `s.by` with statements in the slice and every narrative (of the
        narrative filter), zeros included, by period and codebook order. The total is never narrowed by the
        narrative filter. The sums are those that `measure.clustered_interval` asks for, over the documents
        of the period with m statement paragraphs, y of them advancing the narrative: documents (how many),
        m2 (sum m*m), my (sum m*y), y2 (sum y*y). With unit `document` every document counts once: those
        with a paragraph that advances it, of those with any statement paragraph.
        """
        return self.frame(*prevalence_queries.build_prevalence_query(s))

    def unassigned(self, s: Slice) -> pd.DataFrame:
        """What advances no narrative and no candidate: columns as in `prevalence` without the narrative's.

        With unit `document`: documents none of whose statement paragraphs in the slice advances any.
        """
        return self.frame(*prevalence_queries.build_unassigned_query(s))

    def paragraphs(self, query: EvidenceQuery, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
        """Return the statement paragraphs of a query, at most `limit` rows from row `offset` on.

        Columns paragraph_id, document_id, date, speaker, voice, outlet, title, url, narratives (names of
        all it advances, best first, joined by "; "), score (the highest of the slice's narratives, NaN
        where none), threshold (that narrative's, NaN where it has none), status (who decided on the slice's
        narratives: `auto`, `confirmed`, `partly confirmed`, or empty), similarity, text, text_kind.
        Without `query.similar`, similarity is NaN.
        """
        return self.frame(*evidence_queries.build_paragraphs_query(query, limit, offset))

    def count_paragraphs(self, query: EvidenceQuery) -> int:
        """Count the rows of `paragraphs` without a limit."""
        [(count,)] = self._rows(*evidence_queries.build_count_query(query))
        return int(count)

    def events(self) -> pd.DataFrame:
        """Columns date (ISO text), name, source, narratives (list of ids that it bears on); by date."""
        return self.frame("SELECT date, name, source, narratives FROM snap.events ORDER BY date, name")

    def earlier(self) -> PreviousSnapshot:
        """What the next build must know of this snapshot to keep ids and to tell what changed."""
        clusters = self.frame("SELECT cluster_id, name FROM snap.clusters")
        members = self._rows("SELECT cluster_id, list(paragraph_id) FROM snap.cluster_members GROUP BY cluster_id")
        narratives = self.frame("SELECT * FROM snap.narratives")
        if "digest" not in narratives:
            narratives["digest"] = ""  # version 1
        ours = narratives["origin"] == "codebook"
        named = narratives[ours][["narrative_id", "name", "digest"]].itertuples(index=False, name=None)
        return PreviousSnapshot(
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

    def frame(self, sql: str, values: Mapping[str, SqlValue] | None = None) -> pd.DataFrame:
        """The answer to a query of this room's own (the snapshot's tables stand in schema `snap`)."""
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(values or {})).df()

    def table(self, sql: str, values: Mapping[str, SqlValue] | None = None) -> pa.Table:
        """The same as an Arrow table, for exports."""
        with self._cursor() as cursor:
            return cursor.sql(sql, params=dict(values or {})).to_arrow_table()

    def _rows(self, sql: str, values: Mapping[str, SqlValue] | None = None) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(values or {})).fetchall()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one query, in its turn.

        Raises ResourceError where a limit is reached, and StoreError for damage that shows only while
        reading.
        """
        try:
            with self._limits.turn(), self._connection.cursor() as cursor:
                yield cursor
        except (duckdb.ProgrammingError, duckdb.PermissionException):
            raise  # a fault of the query, not of the file
        except (duckdb.Error, MemoryError) as error:
            damage = StoreError(
                f"a whole snapshot {self._manifest.snapshot_id}",
                str(error).partition("\n")[0],
                "Check it with `status`. Where that calls it damaged, run `build`, which makes it anew.",
            )
            raise self._limits.reached(error) or damage from error


DATABASE_FILE = "snapshot.duckdb"
SCHEMA_VERSION = "3"
# Version 1 had no lineage, and no stance and cohesion of clusters; version 2 no map, and nothing of a
# narrative but its definition: no includes, excludes and exemplars.
READABLE_VERSIONS = ("1", "2", SCHEMA_VERSION)

# Set when the database is made, so that not even the first statement can cause a download.
_CONNECTION_OPTIONS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# The lockdown does not keep DuckDB from writing what memory cannot hold to `.tmp` in the working folder.
_IN_MEMORY = {"temp_directory": ""}
_LOCKDOWN = (
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def create_database(path: Path) -> duckdb.DuckDBPyConnection:
    """A writing connection to a new database file at `path`."""
    return duckdb.connect(str(path), config={**_CONNECTION_OPTIONS})


def attach_database(path: Path, limits: Limits = ALONE) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with the file at `path` read-only as `snap`, locked down for good.

    After the lockdown no statement reads or writes another file, loads an extension, or lifts the lockdown
    or the limits. Raises duckdb.Error where the file is no database of this version.
    """
    connection = duckdb.connect(":memory:", config={**_CONNECTION_OPTIONS, **_IN_MEMORY, **limits.settings()})
    try:
        connection.execute("ATTACH ? AS snap (READ_ONLY)", [str(path)])
        for statement in _LOCKDOWN:
            connection.execute(statement)
    except duckdb.Error:
        connection.close()
        raise
    return connection


def open_snapshot_folder(folder: Path, limits: Limits = ALONE) -> Snapshot:
    """Open the snapshot in `folder`, after checking its size, schema version and id.

    The checksum is left to `verify`, since it takes a second for every gigabyte or so. Raises
    StoreError where the snapshot is missing, damaged or of another version, and ResourceError where there
    is no memory to open it.
    """
    manifest = files.load_snapshot_manifest(folder)
    path = folder / DATABASE_FILE
    todo = files.remedy(folder)
    size = path.stat().st_size if path.is_file() else -1
    if size != manifest.sizes.get(DATABASE_FILE):
        got = "no such file" if size < 0 else f"{size} bytes"
        raise StoreError(f"{path} of {manifest.sizes.get(DATABASE_FILE)} bytes", got, todo)
    opened = files.identify(path)
    try:
        path.open("rb").close()
    except OSError as error:  # no right to read it, too many files open: no damage
        raise StoreError(f"to read {path}", str(error), "Mend that, then try again.") from error
    try:
        connection = attach_database(path, limits)
    except (duckdb.Error, MemoryError) as error:
        damage = StoreError(f"a DuckDB database at {path}", _take_first_line(error), todo)
        raise limits.reached(error) or damage from error
    try:
        meta = dict(connection.execute("SELECT key, value FROM snap.meta").fetchall())
        _check_snapshot(meta, manifest, path, todo)
    except (duckdb.Error, MemoryError) as error:
        connection.close()
        damage = StoreError(f"the tables of a snapshot in {path}", _take_first_line(error), todo)
        raise limits.reached(error) or damage from error
    except StoreError:
        connection.close()
        raise
    return Snapshot(connection, manifest, path, opened, limits)


def _check_snapshot(meta: dict[str, str], manifest: SnapshotManifest, path: Path, todo: str) -> None:
    if meta.get("schema_version") not in READABLE_VERSIONS:
        got = f"version {meta.get('schema_version')}"
        raise StoreError(f"snapshot schema version {' or '.join(READABLE_VERSIONS)} in {path}", got, todo)
    if meta.get("snapshot_id") != manifest.snapshot_id:
        raise StoreError(f"snapshot {manifest.snapshot_id} in {path}", f"{meta.get('snapshot_id')}", todo)


def _take_first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
