"""Write a build's content as a snapshot. The order of the input does not change the rows of schema.sql."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib import resources
from itertools import chain, islice
from pathlib import Path

import duckdb
import pyarrow as pa

from narratives.model import (
    Cluster,
    DiskError,
    Document,
    Rejected,
    SnapshotContent,
    SnapshotManifest,
    Speaker,
    StoreError,
)
from narratives.model.dates import get_all_period_labels, parse_partial_date
from narratives.store import files
from narratives.store.queries.words import index_words
from narratives.store.snapshot_reader import DATABASE_FILE, SCHEMA_VERSION, create_database, open_snapshot_folder

TableRow = tuple[object, ...]
MAP_TABLE = "map"
ROWS_AT_ONCE = 30_720  # limits memory; four times as many are a row group of DuckDB


def build_tables(content: SnapshotContent) -> dict[str, Collection[TableRow]]:
    """Build the sorted rows of every table of schema.sql except `meta`; those of paragraphs when they are read.

    Raises StoreError for repeated ids, an assignment or copy that refers to an unknown id, or a malformed date.
    """
    _check_content(content)
    documents: list[Document | Rejected] = [*content.documents, *content.rejected]
    return {
        "documents": sorted(map(_build_document_row, documents)),
        "paragraphs": _ParagraphRows(content),
        "narratives": _build_narrative_rows(content),
        "assignments": sorted(
            (a.paragraph_id, a.narrative_id, a.origin, _round_score(a.score), a.status, a.exemplar, a.sentence)
            for a in content.assignments
        ),
        "probabilities": sorted((key, narrative, _round_score(p)) for key, narrative, p in content.probabilities),
        "clusters": sorted(map(_build_cluster_row, content.clusters)),
        "cluster_members": sorted(_build_member_rows(content.clusters), key=lambda row: (row[0], row[1])),
        "lineage": sorted(
            (e.kind, e.subject, e.name, e.origin, list(e.related), [*map(_round_score, e.shares)], e.note)
            for e in content.lineage
        ),
        "events": sorted((e.date.isoformat(), e.name, e.source, list(e.narratives)) for e in content.events),
        "speakers": [_build_speaker_row(s) for s in sorted(content.speakers, key=lambda s: s.name)],
        MAP_TABLE: sorted((key, float(x), float(y)) for key, (x, y) in content.layout.items()),
    }


def compute_snapshot_id(rows: Mapping[str, Collection[TableRow]], extra: Iterable[str]) -> str:
    """Compute 12 hex digits from the sha256 of all rows and the `extra` texts: the same content has the same id.

    The first digit is a letter, as the id is a column of every export and some programs would read
    192855e45393 as a very large number. The map does not count: it is a picture of the content, and may differ
    between machines.
    """
    digest = hashlib.sha256("\n".join(extra).encode())
    for table in sorted(rows.keys() - {MAP_TABLE}):
        digest.update(f"\n{table}\n".encode())
        for row in rows[table]:
            digest.update(json.dumps(row).encode())
    hashed = digest.digest()
    return "abcdef"[hashed[0] % 6] + hashed.hex()[1:12]


def select_candidates(clusters: Iterable[Cluster]) -> list[Cluster]:
    """Select the clusters for discovered narratives: recurring, not routine, not explained by a narrative."""
    return sorted((c for c in clusters if c.is_candidate), key=lambda c: c.cluster_id)


def _check_content(content: SnapshotContent) -> None:
    hint = "This is an error in the build, not in the input. Please report it with this message."
    documents = [d.document_id for d in content.documents]
    paragraphs = [p.paragraph_id for d in content.documents for p in d.paragraphs]
    narratives = [n.id for n in content.narratives.narratives]
    narratives += [c.cluster_id for c in select_candidates(content.clusters)]
    pairs = [(a.paragraph_id, a.narrative_id) for a in content.assignments]
    for what, ids in (("document", documents), ("paragraph", paragraphs), ("narrative", narratives)):
        if len(set(ids)) < len(ids):
            repeated = [key for key, n in Counter(ids).items() if n > 1]
            raise StoreError(f"every {what} id once", f"{len(repeated)} repeated, such as {repeated[0]}", hint)
    if len(set(pairs)) < len(pairs):
        raise StoreError("one assignment per paragraph and narrative", f"{len(pairs) - len(set(pairs))} repeated", hint)
    assigned, members = (a.paragraph_id for a in content.assignments), (c.members for c in content.clusters)
    named = chain(assigned, content.copies, content.copies.values(), content.statements, content.layout, *members)
    known = set(paragraphs)
    unknown = {paragraph_id for paragraph_id in named if paragraph_id not in known}
    unknown |= {narrative_id for _, narrative_id in pairs} - set(narratives)
    if unknown:
        got = f"{len(unknown)} unknown: {min(unknown)}"
        raise StoreError("only ids of given paragraphs and narratives", got, hint)


def _round_score(score: float) -> float:
    """Round a score for storage and comparison: the last digits of a float32 differ between machines."""
    return round(float(score), 3)


def _build_document_row(d: Document | Rejected) -> TableRow:
    if isinstance(d, Rejected):
        return ("", d.source_path, d.row, "", "", "", "", "none", "", "", "", "", 0, 0, "rejected", d.reason)
    return (
        d.document_id, d.source_path, d.row, d.url, d.outlet, d.title, d.date, d.date_precision,
        d.date_source, d.language, d.text_kind, d.source_ref, d.boilerplate, len(d.paragraphs), "read", "",
    )  # fmt: skip


class _ParagraphRows(Collection[TableRow]):
    """The rows of all paragraphs in the order of their ids. They are made anew for each reader, one by one."""

    def __init__(self, content: SnapshotContent) -> None:
        self._content = content
        self._documents = {d.document_id: _build_document_cells(d) for d in content.documents}
        paragraphs = (p for d in content.documents for p in d.paragraphs)
        self._paragraphs = sorted(paragraphs, key=lambda p: p.paragraph_id)

    def __len__(self) -> int:
        return len(self._paragraphs)

    def __contains__(self, row: object) -> bool:  # a collection must have it
        return any(row == own for own in self)

    def number(self) -> pa.Table:
        """Return the ids with their lines."""
        ids = pa.array([p.paragraph_id for p in self._paragraphs], pa.string())
        return pa.table({"paragraph_id": ids, "line": pa.array(range(len(self)))})

    def __iter__(self) -> Iterator[TableRow]:
        statements, copies = self._content.statements, self._content.copies
        for p in self._paragraphs:
            yield (
                p.paragraph_id, p.document_id, p.position, p.kind, p.speaker, p.speaker_method, p.quoted_person,
                p.voice, p.language, p.source_ref, p.words, p.paragraph_id in statements,
                copies.get(p.paragraph_id, ""), *self._documents[p.document_id], p.text,
            )  # fmt: skip


def _build_document_cells(d: Document) -> TableRow:
    """Build the cells that all paragraphs of a document have."""
    try:
        first, last = (day.isoformat() for day in parse_partial_date(d.date)) if d.date else (None, None)
        return (d.outlet, d.date, first, last, *get_all_period_labels(d.date))
    except ValueError as error:
        raise StoreError(f"a partial date in document {d.document_id}", str(error), "Correct its date.") from error


def _build_narrative_rows(content: SnapshotContent) -> list[TableRow]:
    rows: list[TableRow] = [
        (
            n.id, at, n.name, "codebook", "active", n.definition, n.parent, "", n.colour,
            content.thresholds.get(n.id, n.threshold), list(n.cues), n.digest,
            list(n.includes), list(n.excludes), list(n.exemplars), content.rest.get(n.id),
        )
        for at, n in enumerate(content.narratives.narratives)
    ]  # fmt: skip
    rows += [
        (
            c.cluster_id, at, c.name, "discovered", "candidate", "", "", c.nearest, "",
            None, list(c.phrases), "", [], [], [], None,
        )
        for at, c in enumerate(select_candidates(content.clusters), len(rows))
    ]  # fmt: skip
    return rows


def _build_cluster_row(c: Cluster) -> TableRow:
    return (
        c.cluster_id, c.name, list(c.phrases), len(c.members), c.narrative_id, c.nearest,
        _round_score(c.purity), c.recurring, c.routine, _round_score(c.stance), _round_score(c.cohesion), c.theme_id,
    )  # fmt: skip


def _build_member_rows(clusters: Iterable[Cluster]) -> list[TableRow]:
    rows: list[TableRow] = []
    for c in clusters:
        rank = {paragraph_id: at for at, paragraph_id in enumerate(c.representatives, 1)}
        rows += [(c.cluster_id, member, rank.get(member)) for member in c.members]
    return rows


def _build_speaker_row(s: Speaker) -> TableRow:
    roles = [
        {
            "title": role.title,
            "start_day": role.start.isoformat() if role.start else None,
            "end_day": role.end.isoformat() if role.end else None,
        }
        for role in s.roles
    ]
    return (s.name, s.affiliation, list(s.aliases), roles)


def write_snapshot(folder: Path, content: SnapshotContent, quality: files.Evaluation | None = None) -> str:
    """Write the content as `folder`/<snapshot id> and return that id.

    The id depends on the content only: not on the time, the place, or the order of the content. An intact
    snapshot with this id is kept, and only its manifest is written again; a damaged one is replaced. An earlier
    evaluation stays; `quality` is written if there is none. The folder is filled under a temporary name, forced
    to the disk and then renamed, so that a snapshot is either complete or absent. What is half written is removed at
    once. Raises StoreError if the content contradicts itself, and DiskError if it cannot be written.
    """
    rows = build_tables(content)
    id_terms = (SCHEMA_VERSION, content.model, content.variant, content.notice, content.predecessor)
    snapshot_id = compute_snapshot_id(rows, id_terms)
    target = folder / snapshot_id
    folder.mkdir(parents=True, exist_ok=True)
    if target.exists() and _is_intact(target):
        files.save_snapshot_manifest(target, _make_manifest(snapshot_id, content, target / DATABASE_FILE))
        _copy_measurements(target, target, quality)
        return snapshot_id
    beside = Path(tempfile.mkdtemp(prefix=files.TEMP_PREFIX, dir=folder))
    database = beside / DATABASE_FILE
    meta = [("schema_version", SCHEMA_VERSION), ("snapshot_id", snapshot_id)]
    try:
        _fill_database(database, {**rows, "meta": [*meta]})
        files.sync_to_disk(database)
        files.save_snapshot_manifest(beside, _make_manifest(snapshot_id, content, database))
        _copy_measurements(beside, target, quality)
        beside.chmod(0o755)
        if target.exists():
            files.move_durably(target, beside.with_name(beside.name + "-damaged"))
        files.move_durably(beside, target)
    except OSError as error:
        raise files.make_disk_error(error, folder) from error
    except duckdb.Error as error:  # the content was checked before, so the disk is at fault
        hint = "Free disk space or correct the permissions, then run the same command again."
        raise DiskError(f"to write a snapshot in {folder}", str(error).partition("\n")[0], hint) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return snapshot_id


def _copy_measurements(folder: Path, before: Path, quality: files.Evaluation | None) -> None:
    """Copy spot checks and evaluation from the folder `before` to a snapshot's folder, else write `quality`.

    Unreadable files in `before` are not copied.
    """
    with suppress(StoreError):
        checks = files.read_spot_checks(before / files.SPOT_CHECKS_FILE)
        if checks and folder != before:
            files.write_spot_checks(folder / files.SPOT_CHECKS_FILE, checks)
    with suppress(StoreError):
        quality = files.read_evaluation(before / files.QUALITY_FILE) or quality
    if quality and not (folder / files.QUALITY_FILE).exists():
        files.write_evaluation(folder / files.QUALITY_FILE, quality)


def remove_leftovers(folder: Path) -> None:
    """Remove the leftovers of interrupted builds. The caller must hold the store's lock."""
    for leftover in folder.glob(f"{files.TEMP_PREFIX}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def check_snapshot(folder: Path) -> SnapshotManifest:
    """Check every byte of the snapshot in `folder` and return its manifest. Raises StoreError if it is damaged."""
    database, hint = folder / DATABASE_FILE, files.format_damage_hint(folder)
    open_snapshot_folder(folder).close()
    manifest = files.load_snapshot_manifest(folder)
    try:
        checksum = files.compute_sha256(database)
    except OSError as error:
        raise StoreError(f"to read {database}", str(error), hint) from error
    if checksum != manifest.checksums.get(database.name):
        raise StoreError(f"{database} as it was written", "other bytes (sha256 differs)", hint)
    return manifest


def _is_intact(folder: Path) -> bool:
    try:
        check_snapshot(folder)
    except StoreError:
        return False
    return True


def _make_manifest(snapshot_id: str, content: SnapshotContent, database: Path) -> SnapshotManifest:
    return SnapshotManifest(
        snapshot_id=snapshot_id,
        # To the microsecond, so that builds in one second keep their order.
        built_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        fingerprint=content.fingerprint,
        inputs=content.inputs,
        versions=content.versions,
        parameters=content.parameters,
        counts=content.counts,
        model=content.model,
        variant=content.variant,
        notice=content.notice,
        checksums={database.name: files.compute_sha256(database)},
        sizes={database.name: database.stat().st_size},
        predecessor=content.predecessor,
        decided=content.decided,
        edited=content.edited,
    )


# How the lines of `incoming`, which have a column for each of the table's but the last ones and their number, become
# rows. Documents and paragraphs come first.
SELECT_LINES = "SELECT * EXCLUDE (line) FROM incoming ORDER BY line"
# Made from all ids and lines of paragraphs before the first of them are inserted.
NUMBER_PARAGRAPHS = """
CREATE OR REPLACE TEMP TABLE places AS
SELECT paragraph_id, line, row_number() OVER (ORDER BY md5(paragraph_id)) - 1 AS rank FROM incoming
"""
_SELECT_WITH_PLACE = """
    SELECT i.* EXCLUDE (line), p.place FROM incoming i JOIN paragraphs p ON p.paragraph_id = i.paragraph_id
    ORDER BY i.line"""
SELECT_ROWS: Mapping[str, str] = {
    "documents": "SELECT * FROM incoming ORDER BY line",
    "paragraphs": """
        SELECT i.*, d.place, coalesce(o.line, i.line), r.rank
        FROM incoming i JOIN documents d ON d.document_id = i.document_id AND d.status = 'read'
        JOIN places r ON r.line = i.line LEFT JOIN places o ON o.paragraph_id = i.duplicate_of ORDER BY i.line""",
    **dict.fromkeys(("probabilities", "assignments", "cluster_members", MAP_TABLE), _SELECT_WITH_PLACE),
}


def read_schema() -> str:
    """Read the statements that create the tables of a snapshot."""
    return resources.files("narratives.store").joinpath("schema.sql").read_text(encoding="utf-8")


def _fill_database(database: Path, rows: Mapping[str, Collection[TableRow]]) -> None:
    """Create the database file. The rows are inserted through Arrow, as single INSERTs would take minutes."""
    with closing(create_database(database)) as connection:
        connection.execute(read_schema())
        connection.execute("BEGIN")
        for table, lines in rows.items():
            described = connection.execute(f"DESCRIBE {table}").fetchall()
            names = [str(name) for name, *_ in described]
            if isinstance(lines, _ParagraphRows):
                connection.register("incoming", lines.number())
                connection.execute(NUMBER_PARAGRAPHS)
            remaining = iter(lines)
            for first in range(0, len(lines), ROWS_AT_ONCE):
                _register(connection, [*islice(remaining, ROWS_AT_ONCE)], names, first)
                connection.execute(f"INSERT INTO {table} {SELECT_ROWS.get(table, SELECT_LINES)}")
        connection.execute("COMMIT")
        index_words(connection)
        connection.execute("CHECKPOINT")


def _register(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[TableRow], names: Sequence[str], first: int
) -> None:
    """Register lines, numbered from `first` up, as `incoming`; they may lack the last columns of a table."""
    columns = [pa.array(column) for column in zip(*lines, strict=True)]
    numbers = pa.array(range(first, first + len(lines)))
    connection.register("incoming", pa.table([*columns, numbers], names=[*names[: len(columns)], "line"]))
