"""From a slice to the conditions of a query. Every value is bound, none is written into the SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from narratives.model import Granularity, Slice, Unit, UsageError
from narratives.model.dates import parse_partial_date
from narratives.model.slice import UNNAMED_LABEL, GroupBy, SortOrder, parse_search_terms

SqlValue = str | Sequence[str] | Sequence[float | None] | int
# The SQL of a query and its values by name, as `Snapshot.frame` takes them.
Query = tuple[str, dict[str, SqlValue]]

# The only words of a slice that reach the SQL text itself, and only by look-up.
PERIOD_COLUMN: dict[Granularity, str] = {
    "year": "year",
    "half": "half",
    "quarter": "quarter",
    "month": "month",
}
GROUP_COLUMN: dict[GroupBy, str] = {"speaker": "speaker", "outlet": "outlet", "voice": "voice"}


# What an assignment must be to count, and the paragraphs that have such a one.
NOT_REJECTED = "a.status <> 'rejected'"
ADVANCING_IDS = f"SELECT a.paragraph_id FROM snap.assignments a WHERE {NOT_REJECTED}"
ADVANCES_ANY = f"p.paragraph_id IN ({ADVANCING_IDS})"
# Of the narratives that are bound as $narratives.
IN_NARRATIVES = "a.narrative_id IN (SELECT unnest($narratives))"

# The sums over documents that shares with clustered intervals rest on: a document has m units of text, y of
# which advance a narrative. See `measure.clustered_interval`.
DOCUMENT_SUMS = "count(*) AS documents, sum(m)::BIGINT AS total_paragraphs, sum(m * m)::BIGINT AS m2"
NARRATIVE_SUMS = "sum(y)::BIGINT AS paragraphs, sum(m * y)::BIGINT AS my, sum(y * y)::BIGINT AS y2"
# How much a document weighs in a count of paragraphs, and of documents.
DOCUMENT_WEIGHT: Mapping[Unit, str] = {"paragraph": "count(*)", "document": "1::BIGINT"}

# Orders of evidence, in terms of paragraphs `p` and the score and similarity found for them. Each ends in the
# id, so that no two rows may change places; what has no date, speaker or outlet comes last.
_BEST_FIRST = "similarity DESC NULLS LAST, score DESC NULLS LAST, p.paragraph_id"
ORDER_BY: Mapping[SortOrder, str] = {
    "best": _BEST_FIRST,
    "newest": f"p.first_day DESC NULLS LAST, p.last_day DESC, {_BEST_FIRST}",
    "oldest": f"p.first_day NULLS LAST, p.last_day, {_BEST_FIRST}",
    "speaker": f"p.speaker = '', p.speaker, {_BEST_FIRST}",
    "outlet": f"p.outlet = '', p.outlet, {_BEST_FIRST}",
}

# More than anybody types, and little enough that no search is costly.
LONGEST_SEARCH, MOST_TERMS = 200, 20


@dataclass(slots=True)
class Where:
    """Conditions on the paragraphs table (alias `p`), and their values by name."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, SqlValue] = field(default_factory=dict)

    def add(self, condition: str, **values: SqlValue) -> None:
        """Add a condition that names its values as $name."""
        self.conditions.append(condition)
        self.values.update(values)

    @property
    def sql(self) -> str:
        """All conditions joined by AND."""
        return " AND ".join(self.conditions) or "true"


def build_where(s: Slice, *, dates: bool = True, copies: bool = True) -> Where:
    """Conditions for speakers, outlets, voices, copies and dates; narratives are the queries' matter.

    A paragraph is inside the date range only where its partial date certainly is. Raises UsageError where
    a bound is not a partial date.
    """
    found = Where()
    if s.speakers:
        found.add("p.speaker IN (SELECT unnest($speakers))", speakers=list(s.speakers))
    if s.outlets:
        found.add("p.outlet IN (SELECT unnest($outlets))", outlets=list(s.outlets))
    if s.voices:
        found.add("p.voice IN (SELECT unnest($voices))", voices=list(s.voices))
    if copies and s.copies != "all":
        found.add("p.duplicate_of = ''" if s.copies == "originals" else "p.duplicate_of <> ''")
    first, last = compute_date_bounds(s)
    if dates and first:
        found.add("p.first_day >= $first::DATE", first=first)
    if dates and last:
        found.add("p.last_day <= $last::DATE", last=last)
    return found


def compute_date_bounds(s: Slice) -> tuple[str, str]:
    """First and last day of the slice as ISO text, empty where it is open. Raises UsageError."""
    try:
        first = parse_partial_date(s.date_from)[0].isoformat() if s.date_from else ""
        last = parse_partial_date(s.date_to)[1].isoformat() if s.date_to else ""
    except ValueError as error:
        got = f"from {s.date_from!r} to {s.date_to!r} ({error})"
        raise UsageError("dates such as 2016, 2016-11 or 2016-11-10", got, "Correct the date range.") from error
    return first, last


def build_possible_where(s: Slice) -> Where:
    """Conditions that rule out only the paragraphs whose date certainly lies outside the date range."""
    found = build_where(s, dates=False)
    first, last = compute_date_bounds(s)
    if first:
        found.add("(p.last_day IS NULL OR p.last_day >= $first::DATE)", first=first)
    if last:
        found.add("(p.first_day IS NULL OR p.first_day <= $last::DATE)", last=last)
    return found


def build_date_condition(s: Slice) -> tuple[str, dict[str, SqlValue]]:
    """The date condition alone, for use beside `maybe_inside`."""
    only = build_where(Slice(date_from=s.date_from, date_to=s.date_to, copies="all"))
    return only.sql, only.values


def build_narrative_condition(s: Slice, found: Where) -> str:
    """The condition on `a.narrative_id` for the slice's narratives; its value is added to `found`."""
    if not s.narratives:
        return "true"
    found.values["narratives"] = list(s.narratives)
    return IN_NARRATIVES


def build_clustered_sums(base: str, narratives: str, unit: Unit = "paragraph") -> str:
    """Build common table expressions up to `sums`: one row for each key and narrative, zeros included.

    `base` is a query for paragraph_id, document_id and key. `narratives` is a condition on `a`, which is a row
    of the assignments or of the narratives. Columns of `sums`: key, narrative_id, narrative, origin, position,
    paragraphs, total_paragraphs, documents, m2, my, y2.
    """
    weight = DOCUMENT_WEIGHT[unit]
    return f"""
    base AS MATERIALIZED ({base}),
    sizes AS (SELECT key, document_id, {weight} AS m FROM base GROUP BY ALL),
    totals AS (SELECT key, {DOCUMENT_SUMS} FROM sizes GROUP BY key),
    hits AS (
        SELECT p.key, p.document_id, a.narrative_id, {weight} AS y
        FROM base p JOIN snap.assignments a USING (paragraph_id)
        WHERE {NOT_REJECTED} AND {narratives} GROUP BY ALL
    ),
    counts AS (
        SELECT key, narrative_id, {NARRATIVE_SUMS} FROM hits JOIN sizes USING (key, document_id) GROUP BY ALL
    ),
    sums AS (
        SELECT t.key, a.narrative_id, a.name AS narrative, a.origin, a.position,
               coalesce(c.paragraphs, 0) AS paragraphs, t.total_paragraphs, t.documents, t.m2,
               coalesce(c.my, 0) AS my, coalesce(c.y2, 0) AS y2
        FROM totals t CROSS JOIN snap.narratives a
        LEFT JOIN counts c ON c.key = t.key AND c.narrative_id = a.narrative_id
        WHERE {narratives}
    )"""


def format_filters(s: Slice) -> dict[str, str]:
    """The filters of a slice as the columns of a file; what is not filtered is empty."""
    return {
        "speakers": "; ".join(name or UNNAMED_LABEL for name in s.speakers),
        "outlets": "; ".join(name or UNNAMED_LABEL for name in s.outlets),
        "narratives": "; ".join(s.narratives),
        "voices": "; ".join(s.voices),
        "date_from": s.date_from,
        "date_to": s.date_to,
        "copies": s.copies,
    }


def add_search_terms(found: Where, text: str) -> None:
    """Add a search: what it asks for must occur, and what it excludes must not, whatever the case.

    Raises UsageError for a search of more than MOST_TERMS words and phrases.
    """
    asked = parse_search_terms(text)
    if len(asked) > MOST_TERMS:
        raise UsageError(
            f"a search of at most {MOST_TERMS} words and phrases", f"{len(asked):,}", "Shorten the search."
        )
    if not asked:
        return
    each = [
        f"{'' if wanted else 'NOT '}contains(lowered, lower($term{number}))" for number, (_, wanted) in enumerate(asked)
    ]
    # The text is lowered once for all terms: as conditions of their own each would hold a copy of it, and
    # the memory to plan them would grow with the square of their number.
    found.add(
        f"len(list_filter([lower(p.text)], lambda lowered: {' AND '.join(each)})) = 1",
        **{f"term{number}": term for number, (term, _) in enumerate(asked)},
    )
