"""Every figure of the queries against a slow, plain count of the same content in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.model import Assignment, Document, EvidenceQuery, Paragraph, Slice, SnapshotContent
from narratives.store import Snapshot, Store, open_snapshot
from narratives.store.queries import map as map_queries
from narratives.store.queries import prevalence as prevalence_queries
from tests.helpers.factory import content

CONTENT: SnapshotContent = replace(
    content(),
    assignments=[
        replace(a, status="rejected") if (a.paragraph_id, a.narrative_id) == ("d004-001", "wwii_memory") else a
        for a in content().assignments
    ],
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    path = tmp_path_factory.mktemp("store")
    Store(path).write_snapshot(CONTENT)
    return open_snapshot(path)


SUMS = ["paragraphs", "total_paragraphs", "documents", "m2", "my", "y2"]


# --- the oracle ------------------------------------------------------------------------------------------
def _first(partial: str) -> str:
    return partial + "-01-01"[len(partial) - 4 :] if partial else ""


def _last(partial: str) -> str:
    return partial + "-12-31"[len(partial) - 4 :] if len(partial) != 7 else f"{partial}-31"


def _inside(partial: str, s: Slice) -> bool:
    if not (s.date_from or s.date_to):
        return True
    if not partial:
        return False
    return (not s.date_from or _first(partial) >= _first(s.date_from)) and (
        not s.date_to or _last(partial) <= _last(s.date_to)
    )


def _maybe_inside(partial: str, s: Slice) -> bool:
    if not partial:
        return True
    return (not s.date_from or _last(partial) >= _first(s.date_from)) and (
        not s.date_to or _first(partial) <= _last(s.date_to)
    )


def _period(partial: str, by: str) -> str:
    if by == "year" or len(partial) < 7:
        return partial[:4] if by == "year" else ""
    month = int(partial[5:7])
    return {
        "half": f"{partial[:4]}-H{1 if month < 7 else 2}",
        "quarter": f"{partial[:4]}-Q{(month + 2) // 3}",
        "month": partial[:7],
    }[by]


def _passing(s: Slice) -> list[tuple[Document, Paragraph]]:
    """Paragraphs of every kind that pass all filters but dates and narratives."""
    return [
        (d, p)
        for d in CONTENT.documents
        for p in d.paragraphs
        if (not s.speakers or p.speaker in s.speakers)
        and (not s.outlets or d.outlet in s.outlets)
        and (not s.voices or p.voice in s.voices)
        and (s.copies == "all" or (p.paragraph_id in CONTENT.copies) == (s.copies == "copies"))
    ]


def _live() -> dict[str, list[Assignment]]:
    found = defaultdict(list)
    for a in CONTENT.assignments:
        if a.status != "rejected":
            found[a.paragraph_id].append(a)
    return found


def _statements(s: Slice) -> list[tuple[Document, Paragraph]]:
    return [(d, p) for d, p in _passing(s) if p.paragraph_id in CONTENT.statements]


dates = st.sampled_from(["", "", "2016", "2016-11", "2016-12-14", "2017", "2017-06", "2018-05", "2018-05-20", "2019"])
names = ["western_russophobia", "us_meddles_too", "wwii_memory", "c-0000beef"]
slices = st.builds(
    Slice,
    speakers=st.lists(st.sampled_from(["", "Maria Zakharova", "Vladimir Putin", "Nobody"]), max_size=2).map(tuple),
    voices=st.lists(st.sampled_from(["own", "quoted", "reported", "outlet"]), max_size=2).map(tuple),
    outlets=st.lists(st.sampled_from(["", "RT", "TASS", "Foreign Ministry"]), max_size=2).map(tuple),
    narratives=st.lists(st.sampled_from([*names, "none such"]), max_size=2, unique=True).map(tuple),
    date_from=dates,
    date_to=dates,
    copies=st.sampled_from(["originals", "copies", "all"]),
    by=st.sampled_from(["year", "half", "quarter", "month"]),
    unit=st.sampled_from(["paragraph", "document"]),
)
many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- properties ------------------------------------------------------------------------------------------
@many
@given(s=slices)
def test_totals(snapshot: Snapshot, s: Slice) -> None:
    found, live = snapshot.totals(s), _live()
    inside = [(d, p) for d, p in _statements(s) if _inside(d.date, s)]
    claimed = [p for _, p in inside if live[p.paragraph_id]]
    assert found.statements == len(inside)
    assert found.documents == len({d.document_id for d, _ in inside})
    assert found.paragraphs == sum(_inside(d.date, s) for d, _ in _passing(s))
    assert found.assigned == len(claimed)
    assert found.unassigned == len(inside) - len(claimed)
    assert found.speakers == len({p.speaker for _, p in inside} - {""})
    routine = {key for c in CONTENT.clusters if c.routine for key in c.members}
    plain = [p for _, p in inside if p.paragraph_id in routine]
    assert found.routine == len(plain)
    assert found.routine_unassigned == sum(not live[p.paragraph_id] for p in plain)
    assert found.candidates_only == sum(all(a.origin == "discovered" for a in live[p.paragraph_id]) for p in claimed)
    maybe = [d for d, _ in _statements(s) if _maybe_inside(d.date, s)]
    placed = [d for d in maybe if _inside(d.date, s) and _period(d.date, s.by)]
    assert (found.placed, found.undated) == (len(placed), len(maybe) - len(placed))
    copied = [d for d, p in _statements(replace(s, copies="copies")) if _inside(d.date, s)]
    assert found.copies == len(copied)
    assert found.other_language == sum(p.language == "ru" and _inside(d.date, s) for d, p in _passing(s) if p.words > 5)


@many
@given(s=slices)
def test_counts_without_loading(snapshot: Snapshot, s: Slice) -> None:
    assert map_queries.count_points(snapshot, s) == map_queries.query_points(snapshot, s).total
    months = prevalence_queries.count_documents_by_month(snapshot, s)
    documents: dict[str, set[str]] = defaultdict(set)
    for d, _ in _statements(s):
        if _inside(d.date, s) and (month := _period(d.date, "month")):
            documents[month].add(d.document_id)
    found = dict(zip(months["period"], months["documents"], strict=True))
    assert found == {month: len(ids) for month, ids in sorted(documents.items())}


@many
@given(s=slices)
def test_prevalence_and_unassigned(snapshot: Snapshot, s: Slice) -> None:
    live = _live()
    # Of every period: its documents, and how many statements of each advance a narrative, or nothing ("").
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    hits: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for d, p in _statements(s):
        period = _period(d.date, s.by)
        if period and _inside(d.date, s):
            sizes[period][d.document_id] += 1
            for key in {a.narrative_id for a in live[p.paragraph_id]} or {""}:
                hits[period, key][d.document_id] += 1
    if s.unit == "document":
        for (period, key), found in hits.items():
            whole = [one for one in found if key or found[one] == sizes[period][one]]
            hits[period, key] = Counter(dict.fromkeys(whole, 1))
        sizes = {period: Counter(dict.fromkeys(found, 1)) for period, found in sizes.items()}

    def sums(period: str, key: str) -> tuple[int, ...]:
        m, y = sizes[period], hits.get((period, key), Counter())
        pairs = [(m[one], y[one]) for one in m]
        return (
            y.total(),
            m.total(),
            len(m),
            sum(a * a for a, _ in pairs),
            sum(a * b for a, b in pairs),
            sum(b * b for _, b in pairs),
        )

    chosen = [n for n in names if not s.narratives or n in s.narratives]
    frame = snapshot.prevalence(s)[["period", "narrative_id", *SUMS]]
    rows = list(frame.itertuples(index=False, name=None))
    assert rows == [(t, n, *sums(t, n)) for t in sorted(sizes) for n in chosen]
    apart = list(snapshot.unassigned(s)[["period", *SUMS]].itertuples(index=False, name=None))
    assert apart == [(t, *sums(t, "")) for t in sorted(sizes)]
    if s.unit == "paragraph":
        assert sum(row[2] for row in apart) == snapshot.totals(s).placed


@many
@given(
    s=slices, unassigned=st.booleans(), text=st.sampled_from(["", "THE", "elections", '"the war"', "war the", "'; --"])
)
def test_paragraphs(snapshot: Snapshot, s: Slice, unassigned: bool, text: str) -> None:
    live = _live()
    expected = []
    for d, p in _statements(s):
        held = [a for a in live[p.paragraph_id] if not s.narratives or a.narrative_id in s.narratives]
        terms = ["the war"] if text.startswith('"') else text.lower().split()
        fits = not live[p.paragraph_id] if unassigned else bool(held) or not s.narratives
        if fits and _inside(d.date, s) and all(term in p.text.lower() for term in terms):
            score = -1.0 if unassigned else max((a.score for a in held), default=-1.0)
            expected.append((-score, p.paragraph_id))
    expected.sort()
    frame = snapshot.paragraphs(EvidenceQuery(s, text, unassigned=unassigned))
    assert list(frame["paragraph_id"]) == [key for _, key in expected]
    assert list(frame["score"].fillna(-1.0)) == [-score for score, _ in expected]
    assert snapshot.count_paragraphs(EvidenceQuery(s, text, unassigned)) == len(expected)
    part = snapshot.paragraphs(EvidenceQuery(s, text, unassigned=unassigned), limit=2, offset=1)
    assert list(part["paragraph_id"]) == [key for _, key in expected[1:3]]


# --- single facts -----------------------------------------------------------------------------------------
