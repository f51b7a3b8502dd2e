"""Queries of the Review page: which pairs of a paragraph and a narrative to ask about.

They read the snapshot as it was built. Pairs that were decided before the build are known, and are in no draw.
"""

from __future__ import annotations

import pandas as pd

from narratives.model import Slice
from narratives.store.queries import IS_ORIGINAL, SqlValue, build_narrative_condition, build_where
from narratives.store.snapshot_reader import Snapshot

# Pairs drawn of each narrative: of those that are assigned to it, and of all others.
SAMPLE_ASSIGNED, SAMPLE_OTHERS = 60, 120
NEAREST = 100  # pairs near the threshold of each narrative that the queue holds
# The chance of a pair without a probability, and the least that the draw counts with. Pairs below stay in the draw.
_UNKNOWN_CHANCE, _LEAST_CHANCE = 0.005, 0.0001

# The design of the draw: every original statement paragraph with every narrative of the codebook that nobody had
# decided. Assigned pairs are drawn alike; the others in proportion to the square root of their chance, which makes the
# recall as exact as possible for a given number of answers (Neyman 1934, Journal of the Royal Statistical Society 97,
# 558-625). Most pairs are in no table, as their chance is small: they all have the mean of these, so they are counted
# and not listed. A pair is drawn if its number, between 0 and 1, is below its probability. The number comes from the
# paragraph's rank, which is random, shifted for each narrative (permanent random numbers: Ohlsson 1995, in Business
# Survey Methods, 153-169). So the pairs that are not listed can be drawn without looking at each. Only whole numbers
# are added up: the last digit of another sum depends on the threads.
_DESIGN = """
everything AS (
    SELECT count(*) AS ranks, count(*) FILTER (p.statement AND {original}) AS originals FROM snap.paragraphs p
),
known AS MATERIALIZED (
    SELECT p.place, p.rank, narrative_id, a.place IS NOT NULL AS assigned, coalesce(a.status, 'auto') = 'auto' AS open,
           {probability} AS probability
    FROM (SELECT place, narrative_id, status FROM snap.assignments) a {join} JOIN snap.paragraphs p USING (place)
    JOIN (SELECT narrative_id FROM snap.narratives WHERE origin = 'codebook') USING (narrative_id)
    WHERE p.statement AND {original}
),
narratives AS (
    SELECT n.narrative_id, n.position, coalesce({rest}, {unknown}) AS chance,
           originals - (SELECT count(*) FROM known k WHERE k.narrative_id = n.narrative_id) AS unlisted,
           md5_number_lower(concat_ws('|', $seed, n.narrative_id)) / 18446744073709551616.0 AS shift, ranks
    FROM snap.narratives n, everything WHERE n.origin = 'codebook'
),
listed AS (
    SELECT k.place, k.rank, n.*, k.assigned, coalesce(k.probability, n.chance) AS own_chance, 1 AS pairs
    FROM known k JOIN narratives n USING (narrative_id) WHERE k.open
),
weighted AS (
    SELECT *, CASE WHEN assigned THEN 1 ELSE round(1e9 * sqrt(greatest(own_chance, {least}))) END::BIGINT AS weight
    FROM (SELECT * FROM listed UNION ALL
          SELECT NULL, NULL, n.*, false, n.chance, n.unlisted FROM narratives n WHERE n.unlisted > 0)
),
design AS MATERIALIZED (
    SELECT *, least(1, CASE WHEN assigned THEN $assigned_size ELSE $other_size END * weight
                       / sum(weight * pairs) OVER (PARTITION BY narrative_id, assigned)) AS drawn
    FROM weighted
)"""
# The part of a number behind the point, for the pair of a paragraph's rank and a narrative.
_NUMBER = "((rank + 0.5) / ranks + shift) - floor((rank + 0.5) / ranks + shift)"


def _build_design(snapshot: Snapshot) -> str:
    known = snapshot.has_probabilities
    join = "FULL JOIN snap.probabilities r USING (place, narrative_id)" if known else ""
    return _DESIGN.format(
        probability="r.probability" if known else "NULL::DOUBLE",
        join=join,
        original=IS_ORIGINAL,
        rest="n.rest" if known else "NULL",
        unknown=_UNKNOWN_CHANCE,
        least=_LEAST_CHANCE,
    )


def _list_values(snapshot: Snapshot) -> dict[str, SqlValue]:
    seed = snapshot.meta().snapshot_id
    return {"assigned_size": SAMPLE_ASSIGNED, "other_size": SAMPLE_OTHERS, "seed": seed}


def query_sample(snapshot: Snapshot) -> pd.DataFrame:
    """Draw pairs at random with known probabilities.

    Columns paragraph_id, narrative_id, document_id, text, assigned, drawn (the probability), chance (of advancing the
    narrative, as scored). In codebook order, then by paragraph. The same snapshot gives the same draw.
    """
    return snapshot.frame(
        f"""
        WITH {_build_design(snapshot)},
        reached AS (
            -- the ranks whose numbers are below the probability of the pairs that are not listed
            SELECT d.* EXCLUDE (rank), (unnest(range(ceil(drawn * ranks)::BIGINT + 2)) - 1
                   + ceil((1 - shift) * ranks)::BIGINT + ranks) % ranks AS rank
            FROM design d WHERE d.place IS NULL
        ),
        drawn AS (
            SELECT place, narrative_id, position, assigned, drawn, own_chance FROM design
            WHERE place IS NOT NULL AND {_NUMBER} < drawn
            UNION ALL
            SELECT DISTINCT p.place, d.narrative_id, d.position, false, d.drawn, d.own_chance
            FROM reached d JOIN snap.paragraphs p USING (rank)
            ANTI JOIN known k ON k.place = p.place AND k.narrative_id = d.narrative_id
            WHERE p.statement AND {IS_ORIGINAL} AND {_NUMBER.replace("rank ", "d.rank ")} < d.drawn
        )
        SELECT p.paragraph_id, d.narrative_id, p.document_id, p.text, d.assigned, d.drawn, d.own_chance AS chance
        FROM drawn d JOIN snap.paragraphs p USING (place) ORDER BY d.position, d.place
        """,
        _list_values(snapshot),
    )


def query_strata(snapshot: Snapshot) -> pd.DataFrame:
    """Query what the draw stands for, by narrative and by whether the pair is assigned.

    Columns narrative_id, assigned, pairs, size (expected number drawn), chances (their sum), spread (the sum of
    chance / probability of being drawn).
    """
    return snapshot.frame(
        f"""
        WITH {_build_design(snapshot)}
        SELECT narrative_id, assigned, sum(pairs)::BIGINT AS pairs,
               sum(round(1e9 * pairs * drawn)::BIGINT) / 1e9 AS size,
               sum(round(1e9 * pairs * own_chance)::BIGINT) / 1e9 AS chances,
               sum(round(1e9 * pairs * own_chance / drawn)::BIGINT) / 1e9 AS spread
        FROM design GROUP BY narrative_id, assigned, position ORDER BY position, assigned DESC
        """,
        _list_values(snapshot),
    )


def query_uncertain(snapshot: Snapshot, s: Slice) -> pd.DataFrame:
    """Query the pairs of the slice whose score is nearest to the threshold, at most NEAREST of each narrative.

    Columns paragraph_id, narrative_id, document_id, text; in codebook order, nearest first. Originals only. Of
    narratives without probabilities, only assigned pairs have a score.
    """
    where = build_where(s)
    narratives = build_narrative_condition(s, where)
    scores = "SELECT place, narrative_id, score FROM snap.assignments WHERE status = 'auto'"
    if snapshot.has_probabilities:
        scores += """ UNION ALL
            SELECT place, narrative_id, probability FROM snap.probabilities
            ANTI JOIN snap.assignments USING (place, narrative_id)"""
    return snapshot.frame(
        f"""
        WITH scored AS ({scores}),
        nearest AS (
            SELECT p.place, a.narrative_id, n.position, abs(a.score - n.threshold) AS distance
            FROM scored a JOIN snap.paragraphs p USING (place) JOIN snap.narratives n USING (narrative_id)
            WHERE n.origin = 'codebook' AND p.statement AND {IS_ORIGINAL} AND {narratives} AND {where.sql}
            QUALIFY row_number() OVER (PARTITION BY a.narrative_id ORDER BY distance, p.place) <= $nearest
        )
        SELECT p.paragraph_id, a.narrative_id, p.document_id, p.text
        FROM nearest a JOIN snap.paragraphs p USING (place) ORDER BY a.position, a.distance, a.place
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
        WITH asked AS MATERIALIZED (SELECT place, document FROM snap.paragraphs WHERE paragraph_id = $paragraph),
        -- By the number of the document, which lies close together, so that few texts are read.
        around AS MATERIALIZED (
            SELECT * FROM snap.paragraphs WHERE document = (SELECT document FROM asked)
        )
        SELECT p.text, p.speaker, p.voice, p.date, p.outlet, d.title, d.url, b.text AS before, f.text AS after,
               n.name AS narrative, n.*, coalesce(a.sentence, '') AS sentence, coalesce(a.exemplar, '') AS exemplar
        FROM asked JOIN around p USING (place)
        JOIN snap.documents d ON d.place = p.document
        JOIN snap.narratives n ON n.narrative_id = $narrative
        LEFT JOIN around b ON b.position = p.position - 1
        LEFT JOIN around f ON f.position = p.position + 1
        LEFT JOIN snap.assignments a ON a.place = p.place AND a.narrative_id = n.narrative_id
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
        f"""
        WITH now AS (
            SELECT a.narrative_id, count(*) AS assigned
            FROM snap.assignments a JOIN snap.paragraphs p USING (place)
            WHERE a.status <> 'rejected' AND p.statement AND {IS_ORIGINAL} GROUP BY 1
        ),
        changes AS (
            SELECT c.narrative_id,
                   count(*) FILTER (b.status IS NOT NULL AND b.status <> 'rejected'
                                    AND c.changed IN ('rejected', 'none')) AS removed,
                   count(*) FILTER (coalesce(b.status, 'rejected') = 'rejected'
                                    AND c.changed IN ('confirmed', 'auto')) AS added
            FROM main.changes c JOIN snap.paragraphs p USING (place)
            LEFT JOIN built.assignments b
                ON b.place = c.place AND b.narrative_id = c.narrative_id
            WHERE {IS_ORIGINAL} GROUP BY 1
        )
        SELECT narrative_id, coalesce(assigned, 0) AS assigned, statements - coalesce(assigned, 0) AS others, removed,
               added
        FROM changes LEFT JOIN now USING (narrative_id), (
            SELECT count(*) AS statements FROM snap.paragraphs p WHERE p.statement AND {IS_ORIGINAL}
        ) ORDER BY narrative_id
        """
    )
