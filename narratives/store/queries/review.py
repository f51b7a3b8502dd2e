"""Queries of the Review page: which pairs of a paragraph and a narrative to ask about.

They read the snapshot as it was built. Pairs that were decided before the build are known, and are in no draw.
"""

from __future__ import annotations

import pandas as pd

from narratives.model import Slice
from narratives.store.queries import build_narrative_condition, build_where
from narratives.store.snapshot_reader import Snapshot

# Pairs drawn of each narrative: of those that are assigned to it, and of all others.
SAMPLE_ASSIGNED, SAMPLE_OTHERS = 60, 120
NEAREST = 100  # pairs near the threshold of each narrative that the queue holds
# The chance of a pair without a probability, and the least that the draw counts with. Pairs below stay in the draw.
_UNKNOWN_CHANCE, _LEAST_CHANCE = 0.005, 0.0001

# Every original statement paragraph with every narrative of the codebook that nobody had decided. Assigned pairs are
# drawn alike; the others in proportion to the square root of their chance, which makes the recall as exact as
# possible for a given number of answers (Neyman 1934, Journal of the Royal Statistical Society 97, 558-625).
_DESIGN = """
pairs AS (
    SELECT p.paragraph_id, n.narrative_id, n.position, a.paragraph_id IS NOT NULL AS assigned,
           {chance} AS chance
    FROM snap.paragraphs p CROSS JOIN snap.narratives n
    LEFT JOIN snap.assignments a ON a.paragraph_id = p.paragraph_id AND a.narrative_id = n.narrative_id
    {join}
    WHERE p.statement AND p.duplicate_of = '' AND n.origin = 'codebook' AND coalesce(a.status, 'auto') = 'auto'
),
design AS (
    SELECT *, least(1, CASE WHEN assigned THEN $assigned_size ELSE $other_size END * weight
                       / sum(weight) OVER (PARTITION BY narrative_id, assigned)) AS drawn
    FROM (SELECT *, CASE WHEN assigned THEN 1 ELSE sqrt(greatest(chance, {least})) END AS weight FROM pairs)
)"""


def _build_design(snapshot: Snapshot) -> str:
    if not snapshot.has_probabilities:
        return _DESIGN.format(chance=f"{_UNKNOWN_CHANCE}::DOUBLE", join="", least=_LEAST_CHANCE)
    join = """LEFT JOIN snap.probabilities r
              ON r.paragraph_id = p.paragraph_id AND r.narrative_id = n.narrative_id"""
    return _DESIGN.format(chance=f"coalesce(r.probability, n.rest, {_UNKNOWN_CHANCE})", join=join, least=_LEAST_CHANCE)


_SIZES = {"assigned_size": SAMPLE_ASSIGNED, "other_size": SAMPLE_OTHERS}


def query_sample(snapshot: Snapshot) -> pd.DataFrame:
    """Draw pairs at random, each by itself with a known probability (Poisson sampling).

    Columns paragraph_id, narrative_id, document_id, text, assigned, drawn (the probability), chance (of advancing the
    narrative, as scored). In codebook order, then by paragraph. The same snapshot gives the same draw.
    """
    return snapshot.frame(
        f"""
        WITH {_build_design(snapshot)}
        SELECT d.paragraph_id, d.narrative_id, p.document_id, p.text, d.assigned, d.drawn, d.chance
        FROM design d JOIN snap.paragraphs p USING (paragraph_id)
        WHERE md5_number_lower(concat_ws('|', $seed, d.paragraph_id, d.narrative_id))
              < d.drawn * 18446744073709551616.0
        ORDER BY d.position, d.paragraph_id
        """,
        {**_SIZES, "seed": snapshot.meta().snapshot_id},
    )


def query_strata(snapshot: Snapshot) -> pd.DataFrame:
    """Query what the draw stands for, by narrative and by whether the pair is assigned.

    Columns narrative_id, assigned, pairs, size (expected number drawn), chances (their sum), spread (the sum of
    chance / probability of being drawn).
    """
    return snapshot.frame(
        f"""
        WITH {_build_design(snapshot)}
        SELECT narrative_id, assigned, count(*) AS pairs, sum(drawn) AS size, sum(chance) AS chances,
               sum(chance / drawn) AS spread
        FROM design GROUP BY narrative_id, assigned, position ORDER BY position, assigned DESC
        """,
        _SIZES,
    )


def query_uncertain(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the pairs of the slice whose score is nearest to the threshold, at most NEAREST of each narrative.

    Columns paragraph_id, narrative_id, document_id, text; in codebook order, nearest first. Originals only. Of
    narratives without probabilities, only assigned pairs have a score.
    """
    where = build_where(s)
    narratives = build_narrative_condition(s, where)
    scores = "SELECT paragraph_id, narrative_id, score FROM snap.assignments WHERE status = 'auto'"
    if snapshot.has_probabilities:
        scores += """ UNION ALL
            SELECT paragraph_id, narrative_id, probability FROM snap.probabilities
            ANTI JOIN snap.assignments USING (paragraph_id, narrative_id)"""
    return snapshot.frame(
        f"""
        WITH scored AS ({scores})
        SELECT p.paragraph_id, a.narrative_id, p.document_id, p.text
        FROM scored a JOIN snap.paragraphs p USING (paragraph_id) JOIN snap.narratives n USING (narrative_id)
        WHERE n.origin = 'codebook' AND p.statement AND p.duplicate_of = '' AND {narratives} AND {where.sql}
        QUALIFY row_number() OVER (PARTITION BY a.narrative_id ORDER BY abs(a.score - n.threshold), p.paragraph_id)
                <= $nearest
        ORDER BY n.position, abs(a.score - n.threshold), p.paragraph_id
        """,
        {**where.values, "nearest": NEAREST},
    )


def query_question(snapshot: Snapshot, paragraph_id: str, narrative_id: str) -> pd.DataFrame:
    """Query what a reviewer sees of a pair: one row, or none if the snapshot lacks it.

    Columns text, speaker, voice, date, outlet, title, url, before and after (the paragraphs around it, NULL if there
    is none), narrative, definition, includes, excludes, exemplars (lists), sentence and exemplar (the deciding ones,
    empty if it is not assigned).
    """
    return snapshot.frame(
        """
        SELECT p.text, p.speaker, p.voice, p.date, p.outlet, d.title, d.url, b.text AS before, f.text AS after,
               n.name AS narrative, n.*, coalesce(a.sentence, '') AS sentence, coalesce(a.exemplar, '') AS exemplar
        FROM snap.paragraphs p
        JOIN snap.documents d ON d.document_id = p.document_id AND d.status = 'read'
        JOIN snap.narratives n ON n.narrative_id = $narrative
        LEFT JOIN snap.paragraphs b ON b.document_id = p.document_id AND b.position = p.position - 1
        LEFT JOIN snap.paragraphs f ON f.document_id = p.document_id AND f.position = p.position + 1
        LEFT JOIN snap.assignments a ON a.paragraph_id = p.paragraph_id AND a.narrative_id = n.narrative_id
        WHERE p.paragraph_id = $paragraph
        """,
        {"paragraph": paragraph_id, "narrative": narrative_id},
    )


def query_decided_counts(snapshot: Snapshot) -> pd.DataFrame:
    """Count, of a snapshot as decided, the original pairs that decisions changed since the build.

    Columns narrative_id, assigned and others (pairs that count now, and those that do not), removed and added. Empty
    without such decisions.
    """
    known = snapshot.frame(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'snap' AND table_name = 'assignments'"
    )
    if known.empty:
        return pd.DataFrame(columns=["narrative_id", "assigned", "others", "removed", "added"])
    return snapshot.frame(
        """
        WITH now AS (
            SELECT a.narrative_id, count(*) AS assigned
            FROM snap.assignments a JOIN snap.paragraphs p USING (paragraph_id)
            WHERE a.status <> 'rejected' AND p.statement AND p.duplicate_of = '' GROUP BY 1
        ),
        changes AS (
            SELECT c.narrative_id,
                   count(*) FILTER (b.status IS NOT NULL AND b.status <> 'rejected'
                                    AND c.changed IN ('rejected', 'none')) AS removed,
                   count(*) FILTER (coalesce(b.status, 'rejected') = 'rejected'
                                    AND c.changed IN ('confirmed', 'auto')) AS added
            FROM main.changes c JOIN snap.paragraphs p USING (paragraph_id)
            LEFT JOIN built.assignments b
                ON b.paragraph_id = c.paragraph_id AND b.narrative_id = c.narrative_id
            WHERE p.duplicate_of = '' GROUP BY 1
        )
        SELECT narrative_id, coalesce(assigned, 0) AS assigned, statements - coalesce(assigned, 0) AS others, removed,
               added
        FROM changes LEFT JOIN now USING (narrative_id), (
            SELECT count(*) AS statements FROM snap.paragraphs p WHERE p.statement AND p.duplicate_of = ''
        ) ORDER BY narrative_id
        """
    )
