"""One opened snapshot, and the queries that pages, charts and exports run on it.

Unless a method says otherwise, it counts statement paragraphs only, and assignments unless they were rejected.
Every query has its own cursor, so one Snapshot serves many threads. The longer SQL is in `queries`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from narratives.model import EvidenceQuery, NarrativesError, PreviousSnapshot, Slice, StoreError
from narratives.model.snapshot import FilterOptions, SliceTotals, SnapshotManifest
from narratives.store import files
from narratives.store.limits import ALONE, Limits
from narratives.store.overlay import BUILT, FILE, DecidedPair, add_places, has_places, overlay_decisions
from narratives.store.queries import IS_ORIGINAL, NOT_REJECTED, SqlValue
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

    @cached_property
    def schema_version(self) -> int:
        """The version of schema.sql that the snapshot was written with."""
        [(version,)] = self._rows("SELECT value FROM snap.meta WHERE key = 'schema_version'")
        return int(version)

    @property
    def has_probabilities(self) -> bool:
        """Whether the snapshot contains probabilities, as those from version 4 on do."""
        return self.schema_version >= 4

    @cached_property
    def has_words(self) -> bool:
        """Whether the snapshot contains an index of words, as those from version 6 on do."""
        return self._has_table("words")

    @cached_property
    def has_map(self) -> bool:
        """Whether the snapshot contains a map, as those from version 3 on do."""
        return self._has_table("map")

    def _has_table(self, name: str) -> bool:
        tables = "information_schema.tables WHERE 'snap' IN (table_catalog, table_schema)"
        return bool(self._rows(f"SELECT 1 FROM {tables} AND table_name = $name", {"name": name}))

    def is_replaced(self) -> bool:
        """Return whether the file was replaced since it was opened; a build replaces a damaged one."""
        return files.identify(self._file) != self._opened

    def close(self) -> None:
        """Close the file; the snapshot cannot be queried any more."""
        self._connection.close()

    def meta(self) -> SnapshotManifest:
        """Return the manifest, as it was when the snapshot was opened."""
        return self._manifest

    def identify_measurements(self) -> str:
        """Return a text that changes whenever the evaluation or the spot checks do."""
        return " ".join(
            files.describe_state(self._folder / name) for name in (files.QUALITY_FILE, files.SPOT_CHECKS_FILE)
        )

    def evaluation(self) -> files.Evaluation | None:
        """Return the latest evaluation, None if there is none. It is read anew each time, as it may be replaced."""
        return files.read_evaluation(self._folder / files.QUALITY_FILE)

    def quality_caveat(self) -> str:
        """Return the caveat on the labels of that evaluation; empty if there is none."""
        evaluation = self.evaluation()
        return evaluation.caveat if evaluation else ""

    def spot_checks(self) -> files.SpotChecks | None:
        """Return the latest spot checks, None if there are none. They are read anew each time."""
        return files.read_spot_checks(self._folder / files.SPOT_CHECKS_FILE)

    def query_spot_check_pool(self) -> pd.DataFrame:
        """Query what a spot check may draw: each original statement paragraph with each of its codebook narratives.

        Columns narrative_id, narrative, definition, paragraph_id, date, speaker, text; in codebook order,
        then by paragraph.
        """
        return self.frame(
            f"""
            SELECT n.narrative_id, n.name AS narrative, n.definition, p.paragraph_id, p.date, p.speaker, p.text
            FROM snap.assignments a
            JOIN snap.narratives n USING (narrative_id)
            JOIN snap.paragraphs p USING (place)
            WHERE {NOT_REJECTED} AND n.origin = 'codebook' AND p.statement AND {IS_ORIGINAL}
            ORDER BY n.position, p.place
            """
        )

    def options(self) -> FilterOptions:
        """Return the options of the filters, with the number of original statement paragraphs of each."""
        base = f"FROM snap.paragraphs p WHERE p.statement AND {IS_ORIGINAL}"
        speakers, outlets = (
            self._rows(f"SELECT p.{column}, count(*) {base} GROUP BY 1 ORDER BY 2 DESC, 1")
            for column in ("speaker", "outlet")
        )
        years = self._rows(f"SELECT DISTINCT p.year {base} AND p.year IS NOT NULL ORDER BY 1")
        narratives = self.frame(
            f"""
            WITH counts AS (
                SELECT a.narrative_id, count(*) AS paragraphs
                FROM snap.assignments a JOIN snap.paragraphs p USING (place)
                WHERE {NOT_REJECTED} AND p.statement AND {IS_ORIGINAL} GROUP BY a.narrative_id
            )
            SELECT n.narrative_id, n.name, n.origin, n.definition, n.colour,
                   coalesce(c.paragraphs, 0) AS paragraphs
            FROM snap.narratives n LEFT JOIN counts c USING (narrative_id) ORDER BY n.position
            """
        )
        return FilterOptions(speakers, outlets, [year for (year,) in years], narratives)

    def totals(self, s: Slice) -> SliceTotals:
        """Return the totals of the slice; see `SliceTotals` for each figure."""
        [row] = self._rows(*prevalence_queries.build_totals_query(s))
        return SliceTotals(*row)

    def prevalence(self, s: Slice) -> pd.DataFrame:
        """Query the sums for the share of each narrative in each period.

        Columns period, narrative_id, narrative, origin, paragraphs, total_paragraphs, documents, m2, my, y2 (the
        sums of `measure.shares.SUM_COLUMNS`). One row for every period of `s.by` with statements in the slice and
        every narrative (of the narrative filter), zeros included, by period and codebook order. The narrative
        filter never narrows the total. With unit `document` every document counts once: documents with a
        paragraph that advances the narrative, of those with any statement paragraph.

        `expected` is the sum of the paragraphs' probabilities of advancing the narrative; NaN for documents, for
        narratives without probabilities and in snapshots before version 4.
        """
        return self.frame(*prevalence_queries.build_prevalence_query(s, self.has_probabilities))

    def unassigned(self, s: Slice) -> pd.DataFrame:
        """Query the sums for text without a narrative or candidate; columns as in `prevalence`.

        There are no columns for the narrative. With unit `document`, documents count if none of their statement
        paragraphs in the slice advances any.
        """
        return self.frame(*prevalence_queries.build_unassigned_query(s))

    def paragraphs(self, query: EvidenceQuery, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
        """Query statement paragraphs: at most `limit` rows, starting with row `offset`.

        Columns paragraph_id, document_id, date, speaker, voice, outlet, title, url, narratives (names of all
        narratives it advances, best first, joined by "; "), score (the highest of the slice's narratives, NaN if
        none), threshold (that narrative's, NaN if it has none), status (of the slice's narratives: `auto`,
        `confirmed`, `partly confirmed`, or empty), similarity (NaN without `query.similar`), text, text_kind.
        """
        return self.frame(*evidence_queries.build_paragraphs_query(query, limit, offset, self.has_words))

    def count_paragraphs(self, query: EvidenceQuery) -> int:
        """Count the rows of `paragraphs` without a limit."""
        [(count,)] = self._rows(*evidence_queries.build_count_query(query, self.has_words))
        return int(count)

    def events(self) -> pd.DataFrame:
        """Query the events by date: columns date (ISO text), name, source, narratives (list of related ids)."""
        return self.frame("SELECT date, name, source, narratives FROM snap.events ORDER BY date, name")

    def make_previous(self) -> PreviousSnapshot:
        """Collect what the next build needs from this snapshot to keep ids and to report changes."""
        clusters = self._rows("SELECT cluster_id, name FROM snap.clusters")
        members = self._rows("SELECT cluster_id, list(paragraph_id) FROM snap.cluster_members GROUP BY cluster_id")
        narratives = self.frame("SELECT * FROM snap.narratives")
        if "digest" not in narratives:
            narratives["digest"] = ""  # version 1
        is_ours = narratives["origin"] == "codebook"
        ours = narratives[is_ours]
        return PreviousSnapshot(
            snapshot_id=self._manifest.snapshot_id,
            members={key: frozenset(ids) for key, ids in members},
            # Names of versions below 5 were made in another way.
            names=dict(clusters) if self.schema_version >= 5 else {},
            candidates=frozenset(narratives["narrative_id"][~is_ours]),
            codebook=dict(zip(ours["narrative_id"], zip(ours["name"], ours["digest"], strict=True), strict=True)),
        )

    def lineage(self) -> pd.DataFrame:
        """Query the changes since the snapshot that `meta().predecessor` names.

        Columns kind, subject, name, origin, related, shares, note: see `model.LineageEvent`. Empty for the first
        snapshot, and for snapshots of version 1.
        """
        columns = ["kind", "subject", "name", "origin", "related", "shares", "note"]
        if self.schema_version == 1:
            return pd.DataFrame(columns=columns)
        return self.frame(f"SELECT {', '.join(columns)} FROM snap.lineage ORDER BY origin, kind, subject")

    def frame(self, sql: str, values: Mapping[str, SqlValue] | None = None) -> pd.DataFrame:
        """Run a query of this layer (the snapshot's tables are in schema `snap`)."""
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(values or {})).df()

    def table(self, sql: str, values: Mapping[str, SqlValue] | None = None) -> pa.Table:
        """Run a query and return an Arrow table, for exports."""
        with self._cursor() as cursor:
            return cursor.sql(sql, params=dict(values or {})).to_arrow_table()

    def _rows(self, sql: str, values: Mapping[str, SqlValue] | None = None) -> list[Any]:
        with self._cursor() as cursor:
            return cursor.execute(sql, dict(values or {})).fetchall()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a separate cursor for one query, after waiting for a turn.

        Raises ResourceError if a limit is reached, and StoreError for damage that appears only while reading.
        """
        try:
            with self._limits.take_turn(), self._connection.cursor() as cursor:
                yield cursor
        except (duckdb.ProgrammingError, duckdb.PermissionException):
            raise  # an error in the query, not in the file
        except (duckdb.Error, MemoryError) as error:
            hint = "Check it with `status`. If it is damaged, run `build` to make it again."
            expected = f"an intact snapshot {self._manifest.snapshot_id}"
            raise _explain_failure(error, self._limits, expected, hint) from error


DATABASE_FILE = "snapshot.duckdb"
SCHEMA_VERSION = "6"
# Version 1 had no lineage, and no stance and cohesion of clusters. Version 2 had no map, and no includes,
# excludes and exemplars of narratives. Version 3 had no probabilities. Version 4 had no themes.
# Version 5 had no places and no index of words.
READABLE_VERSIONS = ("1", "2", "3", "4", "5", SCHEMA_VERSION)

# Set when the database is created, so that not even the first statement can cause a download.
_CONNECTION_OPTIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_LOCKDOWN = (
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def create_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a writable connection to a new database file at `path`."""
    return duckdb.connect(str(path), config={**_CONNECTION_OPTIONS})


def attach_database(
    path: Path, limits: Limits = ALONE, decided: Sequence[DecidedPair] = ()
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory connection with the file at `path` attached read-only as `snap`, and lock it down.

    With `decided` pairs, `snap` is a schema of views instead, which show the snapshot as decided. So it is for older
    snapshots, whose views add what their tables lack.

    After the lockdown no statement can read or write another file, load an extension, or lift the lockdown
    or the limits. Raises duckdb.Error if the file is not a database of this version.
    """
    # Without this, DuckDB would write to `.tmp` in the working folder when memory is full, even after the lockdown.
    in_memory = {"temp_directory": ""}
    connection = duckdb.connect(":memory:", config={**_CONNECTION_OPTIONS, **in_memory, **limits.to_settings()})
    try:
        connection.execute("ATTACH ? AS snap (READ_ONLY)", [str(path)])
        is_older = not has_places(connection, "snap")
        if is_older or decided:
            connection.execute("DETACH snap")
            connection.execute(f"ATTACH ? AS {FILE if is_older else BUILT} (READ_ONLY)", [str(path)])
        if is_older:
            add_places(connection, BUILT if decided else "snap")
        if decided:
            overlay_decisions(connection, decided)
        for statement in _LOCKDOWN:
            connection.execute(statement)
    except duckdb.Error:
        connection.close()
        raise
    return connection


def open_snapshot_folder(folder: Path, limits: Limits = ALONE, decided: Sequence[DecidedPair] = ()) -> Snapshot:
    """Open the snapshot in `folder`, after checking its size, schema version and id.

    Its queries show it as decided: `decided` are pairs of `DecisionLog.pairs`.

    `Store.check` verifies the checksum, since that takes about a second for every gigabyte. Raises StoreError
    if the snapshot is missing, damaged or of another version, and ResourceError if there is not enough memory
    to open it.
    """
    manifest = files.load_snapshot_manifest(folder)
    path, hint = folder / DATABASE_FILE, files.format_damage_hint(folder)
    size = path.stat().st_size if path.is_file() else -1
    if size != manifest.sizes.get(DATABASE_FILE):
        got = "no such file" if size < 0 else f"{size} bytes"
        raise StoreError(f"{path} of {manifest.sizes.get(DATABASE_FILE)} bytes", got, hint)
    opened = files.identify(path)
    try:
        path.open("rb").close()
    except OSError as error:  # no permission to read it, or too many open files: no damage
        raise StoreError(f"to read {path}", str(error), "Correct this, then try again.") from error
    try:
        connection = attach_database(path, limits, decided)
    except (duckdb.Error, MemoryError) as error:
        raise _explain_failure(error, limits, f"a DuckDB database at {path}", hint) from error
    try:
        meta = dict(connection.execute("SELECT key, value FROM snap.meta").fetchall())
        _check_snapshot(meta, manifest, path, hint)
    except (duckdb.Error, MemoryError) as error:
        connection.close()
        raise _explain_failure(error, limits, f"the tables of a snapshot in {path}", hint) from error
    except StoreError:
        connection.close()
        raise
    return Snapshot(connection, manifest, path, opened, limits)


def _explain_failure(error: Exception, limits: Limits, expected: str, hint: str) -> NarrativesError:
    """Make the error to raise when DuckDB fails: a limit that was reached, or else damage."""
    return limits.explain(error) or StoreError(expected, str(error).partition("\n")[0], hint)


def _check_snapshot(meta: dict[str, str], manifest: SnapshotManifest, path: Path, hint: str) -> None:
    if meta.get("schema_version") not in READABLE_VERSIONS:
        got = f"version {meta.get('schema_version')}"
        raise StoreError(f"snapshot schema version {' or '.join(READABLE_VERSIONS)} in {path}", got, hint)
    if meta.get("snapshot_id") != manifest.snapshot_id:
        raise StoreError(f"snapshot {manifest.snapshot_id} in {path}", f"{meta.get('snapshot_id')}", hint)
