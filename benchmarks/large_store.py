"""A store with as many paragraphs as wanted, made from the snapshot of another store.

    python -m benchmarks.large_store STORE TARGET [--paragraphs 1000000]

The documents of STORE are repeated. In each repetition, a paragraph keeps its speaker, voice, outlet and about its
length; its text is the first half of its own words and the second half of those of another paragraph of its topic, and
its vector is the mean of both. Dates known to the day move by some weeks within the years of STORE, so that the text of
each month stays much the same. Copies, assignments, probabilities and places on the map are repeated too. A few
repetitions share a topic, so that topics grow in number and in size. Nothing is random: two runs make the same store.
It has no inputs, so it can be shown but not built again.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from narratives.model.dates import get_all_period_labels, parse_partial_date
from narratives.store import Store, open_snapshot
from narratives.store.files import CURRENT_FILE, compute_sha256, save_snapshot_manifest, write_atomically
from narratives.store.queries.evidence import query_statement_texts
from narratives.store.queries.words import index_words
from narratives.store.snapshot_reader import DATABASE_FILE, SCHEMA_VERSION, create_database
from narratives.store.snapshot_writer import NUMBER_PARAGRAPHS, SELECT_LINES, SELECT_ROWS, read_schema

SNAPSHOT = "abba00000000"
REPETITIONS_OF_TOPIC = 6
DAYS_BETWEEN_REPETITIONS = 41
BATCH = 20_000

# Each query makes the lines of a table, in the order of their ids.
_PREPARE = """
CREATE TEMP TABLE repetitions AS SELECT range AS k FROM range($times);
CREATE TEMP TABLE placed AS
    SELECT paragraph_id, words, text, coalesce(min(cluster_id) FILTER (cluster_id LIKE 't-%'), '') AS topic
    FROM source.paragraphs LEFT JOIN source.cluster_members USING (paragraph_id) GROUP BY ALL;
CREATE TEMP TABLE ranked AS
    SELECT *, row_number() OVER (PARTITION BY topic ORDER BY paragraph_id) - 1 AS number,
           count(*) OVER (PARTITION BY topic) AS size FROM placed;
-- The k-th repetition of a paragraph ends like another of its topic.
CREATE TABLE scratch.mixed AS
    SELECT r.paragraph_id, k, o.paragraph_id AS other, concat_ws(
               ' ', array_to_string(string_split(r.text, ' ')[:greatest(1, r.words // 2)], ' '),
               array_to_string(string_split(o.text, ' ')[greatest(1, o.words // 2) + 1:], ' ')) AS text
    FROM ranked r, repetitions JOIN ranked o
    ON o.topic = r.topic AND o.number = (r.number + k * (1 + r.number % 7)) % r.size;
CREATE TEMP TABLE shared AS
    SELECT cluster_id, k, CASE WHEN cluster_id LIKE 't-%' AND k >= $shared
               THEN 't-' || md5(cluster_id || k // $shared)[:6] ELSE cluster_id END AS new_id
    FROM source.clusters, repetitions;
"""
_LINES = {
    "documents": """
        SELECT md5(document_id || k) AS document_id, source_path, row,
               CASE WHEN url = '' THEN '' ELSE url || '?' || k END AS url, outlet, title, m.moved AS date,
               date_precision, date_source, language, text_kind, source_ref, boilerplate, paragraphs, status, reason
        FROM source.documents JOIN moved m USING (date) WHERE status = 'read'""",
    "paragraphs": """
        SELECT md5(p.paragraph_id || k)[:16] AS paragraph_id, md5(p.document_id || k) AS document_id, p.position,
               p.kind, p.speaker, p.speaker_method, p.quoted_person, p.voice, p.language, p.source_ref, p.words,
               p.statement,
               CASE WHEN p.duplicate_of = '' THEN '' ELSE md5(p.duplicate_of || k)[:16] END AS duplicate_of, p.outlet,
               m.moved AS date, m.first_day, m.last_day, m.year, m.half, m.quarter, m.month, x.text
        FROM source.paragraphs p JOIN moved m USING (date) JOIN scratch.mixed x USING (paragraph_id, k)""",
    "narratives": "SELECT * FROM source.narratives",
    "assignments": """
        SELECT md5(paragraph_id || k)[:16] AS paragraph_id, narrative_id, origin, score, status, exemplar, sentence
        FROM source.assignments, repetitions""",
    "probabilities": """
        SELECT md5(paragraph_id || k)[:16] AS paragraph_id, narrative_id, probability
        FROM source.probabilities, repetitions""",
    "clusters": """
        SELECT new_id, any_value(name) || CASE WHEN min(k) = 0 THEN '' ELSE ' ' || min(k) END, any_value(phrases),
               sum(size), any_value(narrative_id), any_value(nearest), any_value(purity), any_value(recurring),
               any_value(routine), any_value(stance), any_value(cohesion), any_value(theme_id)
        FROM source.clusters JOIN shared USING (cluster_id) GROUP BY new_id""",
    "cluster_members": """
        SELECT new_id, md5(paragraph_id || k)[:16] AS paragraph_id, CASE WHEN k % $shared = 0 THEN rank END AS rank
        FROM source.cluster_members JOIN shared USING (cluster_id)""",
    "lineage": "SELECT * FROM source.lineage",
    "events": "SELECT * FROM source.events",
    "speakers": "SELECT * FROM source.speakers",
    "map": """
        SELECT md5(paragraph_id || k)[:16] AS paragraph_id, x + (k * 37 % 97) / 400, y + (k * 53 % 89) / 400
        FROM source.map, repetitions""",
    "meta": "SELECT unnest(['schema_version', 'snapshot_id']), unnest([$version, $snapshot])",
}


def main() -> None:
    """Make the store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--paragraphs", type=int, default=1_000_000)
    given = parser.parse_args()
    make_store(given.store, given.target, given.paragraphs)


def make_store(source: Path, target: Path, paragraphs: int) -> None:
    """Make a store in the new folder `target`, with at least so many statement paragraphs."""
    store = Store(source)
    with closing(open_snapshot(source)) as snapshot:
        manifest, statements = snapshot.meta(), query_statement_texts(snapshot)
        dates = snapshot.frame("SELECT DISTINCT date FROM snap.documents WHERE status = 'read'")["date"].tolist()
    times = -(-paragraphs // manifest.counts["statements"])
    folder = target / "snapshots" / SNAPSHOT
    folder.mkdir(parents=True)
    database, scratch = folder / DATABASE_FILE, target / "scratch.duckdb"
    values = {"times": times, "shared": REPETITIONS_OF_TOPIC, "version": SCHEMA_VERSION, "snapshot": SNAPSHOT}

    def execute(statement: str) -> None:
        connection.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})

    with closing(create_database(database)) as connection:
        connection.execute(read_schema())
        connection.execute(f"ATTACH '{scratch}' AS scratch")
        kept = store.snapshot_path(manifest.snapshot_id) / DATABASE_FILE
        connection.execute(f"ATTACH '{kept}' AS source (READ_ONLY)")
        connection.register("moved", _move_dates(dates, times))
        for statement in filter(str.strip, _PREPARE.split(";\n")):
            execute(statement)
        for table, lines in _LINES.items():
            execute(f"CREATE TABLE scratch.lines AS SELECT * FROM ({lines}) ORDER BY ALL")
            connection.execute("CREATE VIEW incoming AS SELECT *, (rowid)::INTEGER AS line FROM scratch.lines")
            if table == "paragraphs":
                connection.execute(NUMBER_PARAGRAPHS)
            connection.execute(f"INSERT INTO {table} {SELECT_ROWS.get(table, SELECT_LINES)}")
            connection.execute("DROP VIEW incoming; DROP TABLE scratch.lines")
        index_words(connection)
        connection.execute("CHECKPOINT")
        _write_vectors(connection, store, Store(target), statements, (manifest.model, manifest.variant))
    scratch.unlink()
    counts = {name: count * times for name, count in manifest.counts.items()}
    made = replace(
        manifest,
        snapshot_id=SNAPSHOT,
        inputs=(),
        counts=counts,
        predecessor="",
        checksums={database.name: compute_sha256(database)},
        sizes={database.name: database.stat().st_size},
    )
    save_snapshot_manifest(folder, made)
    write_atomically(target / CURRENT_FILE, f"{SNAPSHOT}\n".encode())
    print(
        f"{counts['statements']:,} statements in {counts['documents']:,} documents, {database.stat().st_size:,} bytes"
    )


def _move_dates(dates: list[str], times: int) -> pd.DataFrame:
    """Return for each date and repetition the date of the repeated document, with its days and periods."""
    days = [date.fromisoformat(text) for text in dates if len(text) == 10]
    first, span = min(days), (max(days) - min(days)).days + 1
    rows = []
    for text in dates:
        for k in range(times):
            moved = text
            if len(text) == 10:
                offset = (date.fromisoformat(text) - first).days + k * DAYS_BETWEEN_REPETITIONS
                moved = (first + timedelta(days=offset % span)).isoformat()
            bounds = parse_partial_date(moved) if moved else (None, None)
            rows.append((text, k, moved, *bounds, *get_all_period_labels(moved)))
    columns = ["date", "k", "moved", "first_day", "last_day", "year", "half", "quarter", "month"]
    return pd.DataFrame(rows, columns=columns)


def _write_vectors(
    connection: duckdb.DuckDBPyConnection,
    source: Store,
    target: Store,
    statements: pd.DataFrame,
    model: tuple[str, str],
) -> None:
    known = source.open_existing_vectors(*model)
    vectors = known.get(statements["text"].tolist())
    place = {key: row for row, key in enumerate(statements["paragraph_id"])}
    kept = target.vectors(*model, known.dimension)
    asked = connection.execute(
        "SELECT x.paragraph_id, x.other, x.text FROM scratch.mixed x JOIN source.paragraphs USING (paragraph_id) "
        "WHERE statement ORDER BY k, paragraph_id"
    )
    while rows := asked.fetchmany(BATCH):
        own = vectors[[place[key] for key, _, _ in rows]]
        others = vectors[[place.get(other, place[key]) for key, other, _ in rows]]
        mean = own + others
        kept.append([text for _, _, text in rows], mean / np.linalg.norm(mean, axis=1, keepdims=True))


if __name__ == "__main__":
    main()
