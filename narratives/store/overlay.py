"""A snapshot as decided: views that show it with the decisions that people made since it was built.

A build learns from decisions, and only a build does. Their own effect needs none: a rejected pair is not counted, an
accepted one is. The views show that, so no query has to know of decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import duckdb

from narratives.model import normalise_spaces

DecidedPair: TypeAlias = tuple[str, str, str]  # text, narrative id and verdict, as of `DecisionLog.pairs`
BUILT = "built"  # the name of the attached file

# The pairs of the snapshot that were decided otherwise than it says; `changed` is what they are now.
_CREATE_CHANGES = f"""
CREATE TABLE main.changes AS
SELECT p.paragraph_id, n.narrative_id,
       CASE d.verdict WHEN 'accepted' THEN 'confirmed' WHEN 'rejected' THEN 'rejected'
            ELSE CASE WHEN a.score >= n.threshold THEN 'auto' ELSE 'none' END END AS changed
FROM (SELECT unnest($texts::VARCHAR[]) AS text, unnest($narratives::VARCHAR[]) AS narrative_id,
             unnest($verdicts::VARCHAR[]) AS verdict) d
JOIN {BUILT}.paragraphs p ON p.text = d.text AND p.statement
JOIN {BUILT}.narratives n ON n.narrative_id = d.narrative_id AND n.origin = 'codebook'
LEFT JOIN {BUILT}.assignments a ON a.paragraph_id = p.paragraph_id AND a.narrative_id = n.narrative_id
WHERE CASE d.verdict WHEN 'accepted' THEN coalesce(a.status, 'none') <> 'confirmed'
           WHEN 'rejected' THEN a.status <> 'rejected'
           ELSE a.status <> 'auto' AND n.threshold IS NOT NULL END
"""
_ASSIGNMENTS = f"""
SELECT a.paragraph_id, a.narrative_id, a.origin, a.score, coalesce(c.changed, a.status) AS status, a.exemplar,
       a.sentence
FROM {BUILT}.assignments a LEFT JOIN main.changes c USING (paragraph_id, narrative_id)
WHERE c.changed IS NULL OR c.changed <> 'none'
UNION ALL
SELECT c.paragraph_id, c.narrative_id, 'codebook', {{score}}, c.changed, '', ''
FROM main.changes c ANTI JOIN {BUILT}.assignments a USING (paragraph_id, narrative_id) {{join}}
WHERE c.changed = 'confirmed'
"""
# As a build does, which gives decided pairs the probability 1 or 0.
_PROBABILITIES = f"""
SELECT r.paragraph_id, r.narrative_id,
       CASE c.changed WHEN 'confirmed' THEN 1 WHEN 'rejected' THEN 0 ELSE r.probability END AS probability
FROM {BUILT}.probabilities r LEFT JOIN main.changes c USING (paragraph_id, narrative_id)
UNION ALL
SELECT c.paragraph_id, c.narrative_id, 1
FROM main.changes c JOIN {BUILT}.narratives n ON n.narrative_id = c.narrative_id AND n.rest IS NOT NULL
ANTI JOIN {BUILT}.probabilities r ON r.paragraph_id = c.paragraph_id AND r.narrative_id = c.narrative_id
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
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = $name", {"name": BUILT})
    tables = {str(name) for (name,) in found.fetchall()}
    known = "probabilities" in tables
    score = "coalesce(r.probability, 0)" if known else "0"
    join = f"LEFT JOIN {BUILT}.probabilities r USING (paragraph_id, narrative_id)" if known else ""
    views = {table: f'SELECT * FROM {BUILT}."{table}"' for table in tables}
    views["assignments"] = _ASSIGNMENTS.format(score=score, join=join)
    if known:
        views["probabilities"] = _PROBABILITIES
    connection.execute("CREATE SCHEMA snap")
    for table, query in views.items():
        connection.execute(f'CREATE VIEW snap."{table}" AS {query}')
