"""Views of a snapshot: as people decided since it was built, and of older snapshots in the form of new ones.

A build learns from decisions, and only a build does. Their own effect needs none: a rejected pair is not counted, an
accepted one is. The views show that, so no query has to know of decisions. Nor has one to know of older versions,
whose tables have no places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import duckdb

from narratives.model import normalise_spaces

DecidedPair: TypeAlias = tuple[str, str, str]  # text, narrative id and verdict, as of `DecisionLog.pairs`
BUILT = "built"  # the name of the attached file, or of the views of an older one
FILE = "file"  # the name of an older file

# The pairs of the snapshot that were decided otherwise than it says; `changed` is what they are now.
_CREATE_CHANGES = f"""
CREATE TABLE main.changes AS
SELECT p.paragraph_id, p.place, n.narrative_id,
       CASE d.verdict WHEN 'accepted' THEN 'confirmed' WHEN 'rejected' THEN 'rejected'
            ELSE CASE WHEN a.score >= n.threshold THEN 'auto' ELSE 'none' END END AS changed
FROM (SELECT unnest($texts::VARCHAR[]) AS text, unnest($narratives::VARCHAR[]) AS narrative_id,
             unnest($verdicts::VARCHAR[]) AS verdict) d
JOIN {BUILT}.paragraphs p ON p.text = d.text AND p.statement
JOIN {BUILT}.narratives n ON n.narrative_id = d.narrative_id AND n.origin = 'codebook'
LEFT JOIN {BUILT}.assignments a ON a.place = p.place AND a.narrative_id = n.narrative_id
WHERE CASE d.verdict WHEN 'accepted' THEN coalesce(a.status, 'none') <> 'confirmed'
           WHEN 'rejected' THEN a.status <> 'rejected'
           ELSE a.status <> 'auto' AND n.threshold IS NOT NULL END
"""
_ASSIGNMENTS = f"""
SELECT a.paragraph_id, a.narrative_id, a.origin, a.score, coalesce(c.changed, a.status) AS status, a.exemplar,
       a.sentence, a.place
FROM {BUILT}.assignments a LEFT JOIN main.changes c USING (place, narrative_id)
WHERE c.changed IS NULL OR c.changed <> 'none'
UNION ALL
SELECT c.paragraph_id, c.narrative_id, 'codebook', {{score}}, c.changed, '', '', c.place
FROM main.changes c ANTI JOIN {BUILT}.assignments a USING (place, narrative_id) {{join}}
WHERE c.changed = 'confirmed'
"""
# As a build does, which gives decided pairs the probability 1 or 0.
_PROBABILITIES = f"""
SELECT r.paragraph_id, r.narrative_id,
       CASE c.changed WHEN 'confirmed' THEN 1 WHEN 'rejected' THEN 0 ELSE r.probability END AS probability,
       r.place
FROM {BUILT}.probabilities r LEFT JOIN main.changes c USING (place, narrative_id)
UNION ALL
SELECT c.paragraph_id, c.narrative_id, 1, c.place
FROM main.changes c JOIN {BUILT}.narratives n ON n.narrative_id = c.narrative_id AND n.rest IS NOT NULL
ANTI JOIN {BUILT}.probabilities r ON r.place = c.place AND r.narrative_id = c.narrative_id
WHERE c.changed = 'confirmed'
"""


def overlay_decisions(connection: duckdb.DuckDBPyConnection, decided: Sequence[DecidedPair]) -> None:
    """Create the schema `snap` with a view for each table of the attached file, as decided. Before the lockdown."""
    texts, narratives, verdicts = zip(*decided, strict=True)
    values = {
        "texts": [normalise_spaces(text) for text in texts],
        "narratives": list(narratives),
        "verdicts": list(verdicts),
    }
    connection.execute(_CREATE_CHANGES, values)
    tables = _list_tables(connection, BUILT)
    known = "probabilities" in tables
    score = "coalesce(r.probability, 0)" if known else "0"
    join = f"LEFT JOIN {BUILT}.probabilities r USING (place, narrative_id)" if known else ""
    views = {table: f'SELECT * FROM {BUILT}."{table}"' for table in tables}
    views["assignments"] = _ASSIGNMENTS.format(score=score, join=join)
    if known:
        views["probabilities"] = _PROBABILITIES
    _create_views(connection, "snap", views)


def has_places(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Return whether the tables of the attached file with this name have places, as those from version 6 on do."""
    try:
        connection.execute(f"SELECT place FROM {name}.paragraphs LIMIT 0")
    except duckdb.BinderException:
        return False
    return True


def add_places(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Create a schema with a view for each table of the older file, with places. Rows lie in the order of ids."""
    views = {table: f'SELECT * FROM {FILE}."{table}"' for table in _list_tables(connection, FILE)}
    views["documents"] = f"SELECT *, rowid::INTEGER AS place FROM {FILE}.documents"
    views["paragraphs"] = f"""
        SELECT p.*, p.rowid::INTEGER AS place, d.rowid::INTEGER AS document,
               coalesce(o.rowid, p.rowid)::INTEGER AS original,
               (row_number() OVER (ORDER BY md5(p.paragraph_id)) - 1)::INTEGER AS rank
        FROM {FILE}.paragraphs p JOIN {FILE}.documents d ON d.document_id = p.document_id AND d.status = 'read'
        LEFT JOIN {FILE}.paragraphs o ON o.paragraph_id = p.duplicate_of"""
    for table in views.keys() & {"assignments", "probabilities", "cluster_members", "map"}:
        views[table] = f"""
            SELECT t.*, p.rowid::INTEGER AS place FROM {FILE}."{table}" t
            JOIN {FILE}.paragraphs p ON p.paragraph_id = t.paragraph_id"""
    _create_views(connection, schema, views)


def _list_tables(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    """List the tables of an attached file, or the views of a schema."""
    found = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE $name IN (table_catalog, table_schema)", {"name": name}
    )
    return {str(table) for (table,) in found.fetchall()}


def _create_views(connection: duckdb.DuckDBPyConnection, schema: str, views: Mapping[str, str]) -> None:
    connection.execute(f"CREATE SCHEMA {schema}")
    for table, query in views.items():
        connection.execute(f'CREATE VIEW {schema}."{table}" AS {query}')
