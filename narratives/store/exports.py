"""Exports: tables as CSV, JSON lines and Parquet. Formulas in CSV cells are made harmless."""

from __future__ import annotations

import codecs
import difflib
import io
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from narratives.model import CopyFilter, Slice, UsageError
from narratives.model.dates import parse_partial_date
from narratives.store.files import open_named_file
from narratives.store.queries import (
    ADVANCING_PLACES,
    JOIN_DOCUMENT,
    NOT_REJECTED,
    build_narrative_condition,
    build_where,
    format_filters,
)
from narratives.store.queries.topics import query_topics
from narratives.store.snapshot_reader import Snapshot
from narratives.store.store import open_snapshot

log = logging.getLogger(__name__)

# What starts a formula in a spreadsheet, also in full width and after characters that nobody sees:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = r"^[\t\r\n]|^[\s\p{Z}\p{Cf}]*[=+\-@＝＋－＠]"
_HIDDEN = r"[^\P{Cc}\t\r\n]|[\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]"


def neutralise_formulas(table: pa.Table) -> pa.Table:
    """Put an apostrophe before every text cell that a spreadsheet would run; numbers stay unchanged.

    Control characters and those that change the direction of writing are removed.
    """
    for at, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.replace_substring_regex(column, _HIDDEN, "")
            safe = pc.binary_join_element_wise(pa.scalar("'", column.type), column, pa.scalar("", column.type))
            runs = pc.match_substring_regex(column, _FORMULA)
            table = table.set_column(at, table.column_names[at], pc.if_else(runs, safe, column))
    return table


def table_to_csv(table: pa.Table) -> bytes:
    """Convert a table to CSV: a header, quoted text, line feeds, and NULL as an empty cell.

    It is in UTF-8 and begins with a byte order mark, by which spreadsheets recognise it.
    """
    sink = io.BytesIO()
    arrow_csv.write_csv(neutralise_formulas(table), sink)
    return codecs.BOM_UTF8 + sink.getvalue()


def frame_to_csv(frame: pd.DataFrame) -> bytes:
    """Convert a frame to CSV without its index."""
    return table_to_csv(pa.Table.from_pandas(frame, preserve_index=False))


SUFFIXES = (".csv", ".jsonl", ".parquet")


def write_table(table: pa.Table, suffix: str, file: BinaryIO, about: Mapping[str, str] | None = None) -> None:
    """Write the table in the format of `suffix`, one of SUFFIXES.

    Formulas are neutralised in CSV only. `about` becomes the metadata of a Parquet file; the other formats ignore it.
    """
    if suffix == ".csv":
        file.write(table_to_csv(table))
    elif suffix == ".parquet":
        parquet.write_table(table.replace_schema_metadata(dict(about) if about else None), file)
    else:
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


TOPIC_COLUMNS = (
    *("topic_id", "topic", "kind", "theme_id", "theme", "paragraphs", "documents", "first_date", "last_date"),
    *("share", "share_low", "share_high", "total_paragraphs", "claim_share", "narrative_id", "narrative"),
    *("explained", "explained_share", "status", "representatives"),
)
AddShares = Callable[[pd.DataFrame], pd.DataFrame]

# The default for `Slice.copies` in each export: lists contain all paragraphs, counts only originals.
DEFAULT_COPIES: Mapping[str, CopyFilter] = {
    "paragraphs": "all",
    "assignments": "all",
    "narratives": "originals",
    "prevalence": "originals",
    "documents": "all",
    "topics": "originals",
}
EXPORT_TABLES = tuple(DEFAULT_COPIES)

SHARE_CAVEAT = (
    "share = paragraphs / total_paragraphs, in the unit given, of all statement paragraphs of the slice that "
    "are dated finely enough for the period; limits: 95 %, allowing for paragraphs of one document going "
    "together; shares compare what the sources contain, not what was said altogether"
)

TOPIC_CAVEAT = (
    "share = paragraphs / total_paragraphs, of all statement paragraphs of the slice; limits: 95 %, allowing for "
    "paragraphs of one document going together; topics and claims were found automatically, and a name says what a "
    "group is about or what is claimed, not whether it is so"
)


def export_slice(path: Path, what: str, s: Slice, out: Path | None, with_share: AddShares, as_of: str = "") -> str:
    """Write one of EXPORT_TABLES to `out` (.csv, .jsonl or .parquet, atomically), or return it as CSV text.

    `path` is the store, `as_of` a snapshot id (the current one if empty). Filters apply to every table: `paragraphs`
    are of every kind, `narratives`, `prevalence` and `topics` count statement paragraphs, and `documents` are those
    with a paragraph that passes the filters. `topics` lists themes, topics and recurring claims. Rejected inputs are
    listed only if nothing but copies is filtered. `with_share` adds share, share_low and share_high to a frame of sums.
    Returns an empty text if `out` is given. Raises UsageError for an unknown table, suffix, narrative or date, or if
    `out` cannot be written, and StoreError if the snapshot cannot be opened.
    """
    _check_target(what, out)
    with closing(open_snapshot(path, as_of)) as snapshot:
        check_slice(snapshot, s)
        if what in ("prevalence", "topics"):
            table = (_query_prevalence if what == "prevalence" else _query_topics)(snapshot, s, with_share)
        else:
            table = _query_table(snapshot, what, s)
    if not len(table):
        log.warning("Nothing matches these filters: the export has a header and no rows.")
    if out is None:
        return table_to_csv(table).decode("utf-8-sig")
    try:
        if not out.parent.is_dir():
            raise FileNotFoundError(f"no folder {out.parent}")
        with open_named_file(out) as file:
            write_table(table, out.suffix.lower(), file)
    except OSError as error:
        hint = "Choose a file in a folder that you can write to."
        raise UsageError(f"a place to write {out}", str(error), hint) from error
    return ""


def _check_target(what: str, out: Path | None) -> None:
    if what not in EXPORT_TABLES:
        raise UsageError(f"one of {', '.join(EXPORT_TABLES)}", repr(what), "Name one of these tables.")
    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a file ending in {', '.join(SUFFIXES)}", out.name, "Give the file one of these endings.")


def check_slice(snapshot: Snapshot, s: Slice) -> None:
    """Raise UsageError for an unknown narrative or a reversed date range, which would give an empty result."""
    if s.date_from and s.date_to and parse_partial_date(s.date_from)[0] > parse_partial_date(s.date_to)[1]:
        raise UsageError("a date range from early to late", f"{s.date_from} to {s.date_to}", "Swap the two.")
    if not s.narratives:
        return
    known = snapshot.options().narratives["narrative_id"].tolist()
    for name in s.narratives:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3) or known[:3]
            what = f"a narrative of this snapshot, such as {', '.join(near)}"
            raise UsageError(what, repr(name), "Correct the narrative filter.")


def _query_prevalence(snapshot: Snapshot, s: Slice, with_share: AddShares) -> pa.Table:
    """Query the shares, with columns that describe the slice: filters, unit, snapshot and caveat."""
    frame = with_share(snapshot.prevalence(s)).sort_values(["period", "narrative_id"], ignore_index=True)
    columns = ["period", "narrative_id", "narrative", "paragraphs", "total_paragraphs"]
    return _describe(snapshot, s, frame[[*columns, "share", "share_low", "share_high"]], SHARE_CAVEAT)


def _describe(snapshot: Snapshot, s: Slice, frame: pd.DataFrame, caveat: str) -> pa.Table:
    """Make the table of shares with the columns that describe the slice."""
    manifest = snapshot.meta()
    note = f"{manifest.notice}; {caveat}" if manifest.notice else caveat
    described = {**format_filters(s), "unit": s.unit, "snapshot": manifest.snapshot_id, "note": note}
    return pa.Table.from_pandas(frame.assign(**described), preserve_index=False)


def _query_topics(snapshot: Snapshot, s: Slice, with_share: AddShares) -> pa.Table:
    """Query the themes, topics and recurring claims with their shares, and the columns that describe the slice."""
    found = query_topics(snapshot, s).groups
    if found.empty:
        return pa.table({name: pa.array([], pa.string()) for name in TOPIC_COLUMNS})
    frame, central = with_share(found.assign(narrative_id=found["topic_id"])), _query_representatives(snapshot)
    frame = frame.assign(
        narrative_id=found["explained_by"],
        documents=found["used_documents"],
        explained_share=found["explained"] / found["paragraphs"],
        representatives=[central.get(key, "") for key in found["topic_id"]],
    )
    return _describe(snapshot, s, frame[[*TOPIC_COLUMNS]], TOPIC_CAVEAT)


def _query_representatives(snapshot: Snapshot) -> dict[str, str]:
    """Query the ids of the most central paragraphs of each theme, topic and claim, as one text."""
    rows = snapshot.frame(
        """SELECT cluster_id, string_agg(paragraph_id, '; ' ORDER BY rank) AS ids
           FROM snap.cluster_members WHERE rank IS NOT NULL GROUP BY cluster_id"""
    )
    return dict(zip(rows["cluster_id"], rows["ids"], strict=True))


def _query_table(snapshot: Snapshot, what: str, s: Slice) -> pa.Table:
    where = build_where(s)
    narrowed = build_narrative_condition(s, where)
    passes = where.sql + (f" AND p.place IN ({ADVANCING_PLACES} AND {narrowed})" if s.narratives else "")
    whole = s == Slice(copies=s.copies, by=s.by, unit=s.unit)
    everything = "true" if whole and s.copies == "all" else "false"
    sql = {
        "paragraphs": f"""
            SELECT p.paragraph_id, p.document_id, d.source_path, d.url, d.outlet, d.title, d.date,
                   d.date_precision, d.date_source, p.position, p.kind, p.speaker, p.speaker_method,
                   p.quoted_person, p.voice, p.language, p.duplicate_of, d.text_kind, p.text
            FROM snap.paragraphs p
            {JOIN_DOCUMENT}
            WHERE {passes} ORDER BY p.place""",
        "assignments": f"""
            SELECT a.paragraph_id, a.narrative_id, n.name AS narrative, a.origin, a.score, a.status, p.text
            FROM snap.assignments a
            JOIN snap.narratives n USING (narrative_id)
            JOIN snap.paragraphs p USING (place)
            WHERE {where.sql} AND {narrowed} ORDER BY p.place, a.narrative_id""",
        "narratives": f"""
            WITH counted AS (
                SELECT a.narrative_id, count(*) AS paragraphs, count(DISTINCT p.document) AS documents,
                       min(nullif(p.date, '')) AS first_date, max(nullif(p.date, '')) AS last_date
                FROM snap.assignments a JOIN snap.paragraphs p USING (place)
                WHERE {NOT_REJECTED} AND p.statement AND {where.sql} GROUP BY a.narrative_id
            )
            SELECT a.narrative_id, a.name AS narrative, a.origin, a.status, a.definition,
                   coalesce(c.paragraphs, 0) AS paragraphs, coalesce(c.documents, 0) AS documents,
                   coalesce(c.first_date, '') AS first_date, coalesce(c.last_date, '') AS last_date
            FROM snap.narratives a LEFT JOIN counted c USING (narrative_id)
            WHERE {narrowed} ORDER BY a.narrative_id""",
        "documents": f"""
            SELECT d.document_id, d.source_path, d.url, d.outlet, d.title, d.date, d.date_precision,
                   d.date_source, d.language, d.paragraphs, d.status,
                   CASE WHEN d.status = 'rejected' AND d.row > 0
                        THEN 'row ' || d.row || ': ' || d.reason ELSE d.reason END AS reason
            FROM snap.documents d
            WHERE d.status = 'read' AND ({everything} OR d.place IN (
                      SELECT p.document FROM snap.paragraphs p WHERE {passes}))
               OR d.status = 'rejected' AND {"true" if whole else "false"}
            ORDER BY d.document_id, d.source_path, d.row, d.reason""",
    }[what]
    table = snapshot.table(sql, {name: value for name, value in where.values.items() if f"${name}" in sql})
    if snapshot.meta().notice:
        table = table.append_column("note", pa.array([snapshot.meta().notice] * len(table), pa.string()))
    return table
