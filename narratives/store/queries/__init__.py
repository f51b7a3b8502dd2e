"""SQL that several queries share. Every value is bound, none is written into the SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from narratives.model import Granularity, Slice, Unit, UsageError
from narratives.model.dates import parse_partial_date
from narratives.model.narratives import CLAIM_PREFIX
from narratives.model.slice import UNNAMED_LABEL, GroupBy, SortOrder

SqlValue = str | Sequence[str] | Sequence[float | None] | int
# The SQL of a query and its values by name, as `Snapshot.frame` takes them.
Query = tuple[str, dict[str, SqlValue]]

# The only parts of a slice that are written into the SQL text, and only from these tables.
PERIOD_COLUMN: dict[Granularity, str] = {"year": "year", "half": "half", "quarter": "quarter", "month": "month"}
GROUP_COLUMN: dict[GroupBy, str] = {"speaker": "speaker", "outlet": "outlet", "voice": "voice"}

# An assignment counts unless it was rejected; the places of the paragraphs that have such an assignment.
NOT_REJECTED = "a.status <> 'rejected'"
ADVANCING_PLACES = f"SELECT a.place FROM snap.assignments a WHERE {NOT_REJECTED}"
ADVANCES_ANY = f"p.place IN ({ADVANCING_PLACES})"
# The narratives that are bound as $narratives.
IN_NARRATIVES = "a.narrative_id IN (SELECT unnest($narratives))"

# The sums over documents for shares with clustered intervals: a document has m units of text, y of which
# advance a narrative. See `measure.shares.SUM_COLUMNS`.
DOCUMENT_SUMS = "count(*) AS documents, sum(m)::BIGINT AS total_paragraphs, sum(m * m)::BIGINT AS m2"
NARRATIVE_SUMS = "sum(y)::BIGINT AS paragraphs, sum(m * y)::BIGINT AS my, sum(y * y)::BIGINT AS y2"
# The columns of a list of paragraphs; `p` and `d` are paragraph and document.
PARAGRAPH_COLUMNS = """p.paragraph_id, p.document_id, p.date, p.speaker, p.voice, p.outlet, d.title, d.url,
    d.text_kind, p.text"""
JOIN_DOCUMENT = "JOIN snap.documents d ON d.place = p.document"

# Whether a paragraph is a copy. Places are compared, as a condition on the text `duplicate_of` beside a list of places
# takes five times as long.
IS_ORIGINAL, IS_COPY = "p.original = p.place", "p.original <> p.place"

# Only originals are members of topics.
IN_TOPICS = """p.original IN (
    SELECT m.place FROM snap.cluster_members m WHERE m.cluster_id IN (SELECT unnest($topics)))"""

# The themes, topics and offered claims: the clusters that pages and exports show.
IS_SHOWN = f"(c.cluster_id NOT LIKE '{CLAIM_PREFIX}%' OR c.cluster_id IN (SELECT narrative_id FROM snap.narratives))"

# How much a document weighs in a count of paragraphs, and of documents.
DOCUMENT_WEIGHT: Mapping[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}

# The orders of the evidence: `p` are paragraphs with their score and similarity. Each order ends with the id,
# so that it is always the same. Paragraphs without a date, speaker or outlet come last.
_BEST_FIRST = "similarity DESC NULLS LAST, score DESC NULLS LAST, p.place"
ORDER_BY: Mapping[SortOrder, str] = {
    "best": _BEST_FIRST,
    "newest": f"p.first_day DESC NULLS LAST, p.last_day DESC, {_BEST_FIRST}",
    "oldest": f"p.first_day NULLS LAST, p.last_day, {_BEST_FIRST}",
    "speaker": f"p.speaker = '', p.speaker, {_BEST_FIRST}",
    "outlet": f"p.outlet = '', p.outlet, {_BEST_FIRST}",
}


@dataclass(slots=True)
class Where:
    """Conditions on the paragraphs table (alias `p`), and their values by name."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, SqlValue] = field(default_factory=dict)

    def add(self, condition: str, **values: SqlValue) -> None:
        """Add a condition that names its values as $name."""
        self.conditions.append(condition)
        self.values.update(values)

    def add_choice(self, column: str, name: str, chosen: Sequence[str]) -> None:
        """Add the condition that a column is one of the `chosen` values, each of which is bound to a name of its own.

        DuckDB compares them while it reads the column, whereas it joins the rows with a list that is one value.
        """
        names = [f"{name}_{number}" for number in range(len(chosen))]
        values = dict(zip(names, chosen, strict=True))
        self.add(f"{column} IN ({', '.join(f'${one}' for one in names)})", **values)

    @property
    def sql(self) -> str:
        """All conditions joined by AND."""
        return " AND ".join(self.conditions) or "true"


def build_where(s: Slice, *, dates: bool = True, copies: bool = True) -> Where:
    """Build the conditions for speakers, outlets, voices, copies and dates, but not for narratives.

    A paragraph is inside the date range only if its partial date certainly is. Raises UsageError if a bound is
    not a partial date.
    """
    where = Where()
    for column, chosen in (("speaker", s.speakers), ("outlet", s.outlets), ("voice", s.voices)):
        if chosen:
            where.add_choice(f"p.{column}", column, chosen)
    if copies and s.copies != "all":
        where.add(IS_ORIGINAL if s.copies == "originals" else IS_COPY)
    first, last = _parse_date_range(s)
    if dates and first:
        where.add("p.first_day >= $first::DATE", first=first)
    if dates and last:
        where.add("p.last_day <= $last::DATE", last=last)
    return where


def _parse_date_range(s: Slice) -> tuple[str, str]:
    """Return the first and last day of the slice in ISO format, empty if open; raises UsageError."""
    try:
        first = parse_partial_date(s.date_from)[0].isoformat() if s.date_from else ""
        last = parse_partial_date(s.date_to)[1].isoformat() if s.date_to else ""
    except ValueError as error:
        got = f"from {s.date_from!r} to {s.date_to!r} ({error})"
        raise UsageError("dates such as 2016, 2016-11 or 2016-11-10", got, "Correct the date range.") from error
    return first, last


def build_possible_where(s: Slice) -> Where:
    """Build conditions that exclude only paragraphs whose date is certainly outside the date range."""
    where = build_where(s, dates=False)
    first, last = _parse_date_range(s)
    if first:
        where.add("(p.last_day IS NULL OR p.last_day >= $first::DATE)", first=first)
    if last:
        where.add("(p.first_day IS NULL OR p.first_day <= $last::DATE)", last=last)
    return where


def build_narrative_condition(s: Slice, where: Where) -> str:
    """Build the condition on `a.narrative_id` for the slice's narratives, and add its value to `where`."""
    if not s.narratives:
        return "true"
    where.values["narratives"] = list(s.narratives)
    return IN_NARRATIVES


def build_clustered_sums(column: str, where: Where, narratives: str, unit: Unit = "paragraph") -> str:
    """Build common table expressions up to `sums`: one row for each key and narrative, zeros included.

    The key is a `column` of the statement paragraphs that `where` selects. `narratives` is a condition on `a`,
    a row of the assignments or of the narratives. Columns of `sums`: key, narrative_id, narrative, origin,
    position, paragraphs, total_paragraphs, documents, m2, my, y2.
    """
    weight = DOCUMENT_WEIGHT[unit]
    return f"""
    base AS MATERIALIZED (
        SELECT p.place, p.document, p.{column} AS key
        FROM snap.paragraphs p WHERE p.statement AND {where.sql}
    ),
    sizes AS (SELECT key, document, {weight} AS m FROM base GROUP BY ALL),
    totals AS (SELECT key, {DOCUMENT_SUMS} FROM sizes GROUP BY key),
    hits AS (
        SELECT p.key, p.document, a.narrative_id, {weight} AS y
        FROM base p JOIN snap.assignments a USING (place)
        WHERE {NOT_REJECTED} AND {narratives} GROUP BY ALL
    ),
    counts AS (
        SELECT key, narrative_id, {NARRATIVE_SUMS} FROM hits JOIN sizes USING (key, document) GROUP BY ALL
    ),
    sums AS (
        SELECT t.key, a.narrative_id, a.name AS narrative, a.origin, a.position,
               coalesce(c.paragraphs, 0) AS paragraphs, t.total_paragraphs, t.documents, t.m2,
               coalesce(c.my, 0) AS my, coalesce(c.y2, 0) AS y2
        FROM totals t CROSS JOIN snap.narratives a
        LEFT JOIN counts c ON c.key = t.key AND c.narrative_id = a.narrative_id
        WHERE {narratives}
    )"""


@dataclass(frozen=True, slots=True)
class ExpectedSql:
    """The column `expected`, and what to join to sums by key and narrative_id for it."""

    column: str
    join: str


def build_expected(available: bool) -> ExpectedSql:
    """Build the sum of probabilities over the paragraphs of `base` (place, key); NULL if not available.

    Paragraphs whose probability is not listed count with the mean of those.
    """
    if not available:
        return ExpectedSql("NULL::DOUBLE AS expected", "")
    join = """LEFT JOIN (
        SELECT key, narrative_id, sum(probability) AS probability, count(*) AS listed
        FROM base JOIN snap.probabilities USING (place) GROUP BY ALL
    ) USING (key, narrative_id)
    LEFT JOIN (SELECT narrative_id, rest FROM snap.narratives) USING (narrative_id)"""
    return ExpectedSql("coalesce(probability, 0) + rest * (total_paragraphs - coalesce(listed, 0)) AS expected", join)


def format_filters(s: Slice) -> dict[str, str]:
    """Return the filters of a slice as the columns of a file; unused filters are empty."""
    return {
        "speakers": "; ".join(name or UNNAMED_LABEL for name in s.speakers),
        "outlets": "; ".join(name or UNNAMED_LABEL for name in s.outlets),
        "narratives": "; ".join(s.narratives),
        "voices": "; ".join(s.voices),
        "date_from": s.date_from,
        "date_to": s.date_to,
        "copies": s.copies,
    }
