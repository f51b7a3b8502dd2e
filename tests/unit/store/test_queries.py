"""Every figure of the queries against a slow, plain count of the same content in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.model import Assignment, Document, EvidenceQuery, Paragraph, Slice, SnapshotContent, UsageError
from narratives.store import Snapshot, Store, open_snapshot
from narratives.store.queries.evidence import query_assignments, query_copies, query_document, query_passages
from tests.helpers.factory import build_store, content

DAYS_IN = {"04": 30, "06": 30, "09": 30, "11": 30, "02": 29}
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


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    path = tmp_path_factory.mktemp("store")
    build_store(path)
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
    s=slices,
    unassigned=st.booleans(),
    text=st.sampled_from(["", "THE", "elections", '"the war"', "war the", "'; --"]),
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
def test_the_columns_of_the_evidence(plain: Snapshot) -> None:
    frame = plain.paragraphs(EvidenceQuery(Slice(narratives=("western_russophobia",))), limit=2)
    assert list(frame.columns) == [
        "paragraph_id", "document_id", "date", "speaker", "voice", "outlet", "title", "url", "narratives",
        "score", "threshold", "status", "similarity", "text", "text_kind",
    ]  # fmt: skip
    second = frame.iloc[1]
    assert second["narratives"] == "The US meddles too; Western Russophobia"
    assert (second["score"], second["title"], second["text_kind"]) == (0.62, "Weekly briefing", "paraphrase")


def test_a_year_alone_counts_for_years_only(plain: Snapshot) -> None:
    year, month = plain.totals(Slice(by="year")), plain.totals(Slice(by="month"))
    assert (year.placed, year.undated, year.statements) == (8, 1, 9)
    assert (month.placed, month.undated, month.statements) == (7, 2, 9)


def test_a_date_range_keeps_what_is_certainly_inside(plain: Snapshot) -> None:
    whole = plain.paragraphs(EvidenceQuery(Slice(date_from="2016", date_to="2017")))
    half = plain.paragraphs(EvidenceQuery(Slice(date_from="2016", date_to="2017-06")))
    assert set(whole["paragraph_id"]) - set(half["paragraph_id"]) == {"d003-001"}
    # The document of 2017 and the one without a date may belong; the one of 2018 certainly does not.
    assert plain.totals(Slice(date_from="2016", date_to="2017-06")).undated == 2
    assert plain.totals(Slice(date_from="2018", date_to="2018-06")).undated == 1


def test_options(plain: Snapshot) -> None:
    found = plain.options()
    assert found.speakers == [("Vladimir Putin", 4), ("Maria Zakharova", 3), ("", 2)]
    assert found.outlets == [("Foreign Ministry", 3), ("RT", 3), ("TASS", 2), ("", 1)]
    assert found.years == ["2016", "2017", "2018"]
    assert list(found.narratives.columns) == [
        "narrative_id",
        "name",
        "origin",
        "definition",
        "colour",
        "paragraphs",
    ]
    assert list(found.narratives["narrative_id"]) == names
    assert list(found.narratives["origin"]) == ["codebook"] * 3 + ["discovered"]
    assert list(found.narratives["paragraphs"]) == [2, 2, 2, 2]


def test_a_document_in_order(plain: Snapshot) -> None:
    frame = query_passages(plain, "d001")
    assert list(frame["position"]) == [0, 1, 2, 3, 4]
    assert list(frame["kind"]) == ["title", "question", "body", "body", "body"]
    assert list(frame["statement"]) == [False, False, True, True, True]
    assert query_passages(plain, "no such").empty


def test_the_document_of_a_paragraph(plain: Snapshot) -> None:
    [row] = query_document(plain, "d001-003").to_dict("records")
    assert (row["document_id"], row["title"], row["paragraphs"]) == ("d001", "Weekly briefing", 5)
    assert query_document(plain, "d001-999").empty


def test_what_decided_on_a_document(plain: Snapshot) -> None:
    found = query_assignments(plain, "d001")
    assert found["paragraph_id"].tolist() == ["d001-002", "d001-003", "d001-003"]
    assert found["narrative_id"].tolist() == ["western_russophobia", "us_meddles_too", "western_russophobia"]
    assert found["score"].tolist() == [0.91, 0.83, 0.62]
    assert found["threshold"].fillna(-1).tolist() == [0.5, -1, 0.5]
    assert found["sentence"][1] == "Washington has meddled in elections and breeds russophobia."


def test_the_threshold_in_force_is_told(tmp_path) -> None:
    given_ = replace(content(), thresholds={"us_meddles_too": 0.42, "western_russophobia": 0.55})
    Store(tmp_path / "s").write_snapshot(given_)
    found = query_assignments(open_snapshot(tmp_path / "s"), "d001")
    assert found["threshold"].tolist() == [0.55, 0.42, 0.55]


def test_a_rejected_assignment_is_told_last(tmp_path) -> None:
    given_ = content()
    marked = [replace(a, status="rejected") if a.score == 0.83 else a for a in given_.assignments]
    Store(tmp_path / "s").write_snapshot(replace(given_, assignments=marked))
    found = query_assignments(open_snapshot(tmp_path / "s"), "d001")
    assert found["status"].tolist() == ["auto", "auto", "rejected"]


def test_copies_of_a_paragraph(plain: Snapshot) -> None:
    assert query_copies(plain, "d002-001").to_dict("records") == [
        {"paragraph_id": "d005-001", "date": "2019-02-03", "outlet": "TASS", "speaker": "Vladimir Putin"}
    ]
    assert query_copies(plain, "d005-001").empty


ORDERS = {
    "newest": lambda r: (r["date"] == "", [-int(part) for part in r["date"].split("-") if part]),
    "oldest": lambda r: (r["date"] == "", r["date"]),
    "speaker": lambda r: (r["speaker"] == "", r["speaker"]),
    "outlet": lambda r: (r["outlet"] == "", r["outlet"]),
}


@pytest.mark.parametrize("sort", ORDERS)
def test_orders_hold_over_all_pages(plain: Snapshot, sort) -> None:
    best = plain.paragraphs(EvidenceQuery(Slice(copies="all")))
    expected = sorted(best.to_dict("records"), key=ORDERS[sort])  # stable: ties stay best first
    pages = [
        plain.paragraphs(EvidenceQuery(Slice(copies="all"), sort=sort), limit=3, offset=offset)
        for offset in range(0, 12, 3)
    ]
    found = [key for page in pages for key in page["paragraph_id"]]
    assert found == [row["paragraph_id"] for row in expected]
    assert sorted(found) == sorted(best["paragraph_id"]) and found != best["paragraph_id"].tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("war -history", {"d003-001"}),
        ('war -"the history"', {"d003-001"}),
        ('-war "the"', {"d001-002", "d001-004", "d002-001", "d002-002", "d004-002", "d006-001"}),
        ("-the", {"d001-003"}),
        ("-", set()),
        ('"-"', set()),
    ],
)
def test_a_minus_excludes(plain: Snapshot, text: str, expected: set[str]) -> None:
    assert set(plain.paragraphs(EvidenceQuery(Slice(), text))["paragraph_id"]) == expected
    assert plain.count_paragraphs(EvidenceQuery(Slice(), text)) == len(expected)


def test_only_what_is_near_and_in_the_slice_is_shown(plain: Snapshot) -> None:
    near = {"d003-001": 0.9, "d002-001": 0.5, "d001-002": 0.7, "no such": 0.99}
    found = plain.paragraphs(EvidenceQuery(Slice(), similar=near))
    assert found["paragraph_id"].tolist() == ["d003-001", "d001-002", "d002-001"]
    assert found["similarity"].tolist() == [0.9, 0.7, 0.5]
    assert plain.count_paragraphs(EvidenceQuery(Slice(), similar=near)) == 3
    only = plain.paragraphs(EvidenceQuery(Slice(outlets=("RT",)), "war", similar=near))
    assert only["paragraph_id"].tolist() == ["d003-001"]
    assert (
        plain.paragraphs(EvidenceQuery(Slice(), similar={})).empty
        and plain.count_paragraphs(EvidenceQuery(Slice(), similar={})) == 0
    )
    assert plain.paragraphs(EvidenceQuery())["similarity"].isna().all()


def test_who_decided_is_told_for_the_narratives_asked_for(tmp_path) -> None:
    given_ = content()
    marked = [replace(a, status="confirmed") if a.score == 0.83 else a for a in given_.assignments]
    Store(tmp_path / "s").write_snapshot(replace(given_, assignments=marked))
    snapshot = open_snapshot(tmp_path / "s")

    def status(*narratives: str) -> dict[str, tuple[str, float]]:
        found = snapshot.paragraphs(EvidenceQuery(Slice(narratives=narratives)))
        rows = found.assign(threshold=found["threshold"].fillna(-1))
        return {r["paragraph_id"]: (r["status"], r["threshold"]) for r in rows.to_dict("records")}

    assert status()["d001-003"] == ("partly confirmed", -1)  # the best narrative has no threshold of its own
    assert status("us_meddles_too")["d001-003"] == ("confirmed", -1)
    assert status("western_russophobia")["d001-003"] == ("auto", 0.5)
    assert status()["d001-004"] == ("", -1)


def test_events_and_meta(plain: Snapshot) -> None:
    events = plain.events()
    assert list(events.columns) == ["date", "name", "source", "narratives"]
    assert list(events["date"]) == ["2016-11-08", "2018-03-18"]
    assert plain.meta().model == "tiny" and plain.meta().counts == {"boilerplate": 4}


@pytest.mark.parametrize("wrong", ["2016-13", "16", "yesterday", "2016-02-30", "2016-1", "2016'; DROP TABLE x"])
def test_a_date_that_is_none_is_refused(plain: Snapshot, wrong: str) -> None:
    for ask in (plain.totals, plain.prevalence, plain.unassigned, lambda s: plain.paragraphs(EvidenceQuery(s))):
        with pytest.raises(UsageError, match="2016-11-10"):
            ask(Slice(date_from=wrong))


@pytest.mark.parametrize("hostile", ["'", "x' OR '1'='1", '"', "%", "_", "$first", "\\", "?", "));--"])
def test_hostile_values_are_only_values(plain: Snapshot, hostile: str) -> None:
    for s in (Slice(speakers=(hostile,)), Slice(outlets=(hostile,)), Slice(narratives=(hostile,))):
        assert plain.count_paragraphs(EvidenceQuery(s)) == 0 and plain.paragraphs(EvidenceQuery(s)).empty
    assert plain.totals(Slice(speakers=(hostile,))).statements == 0
    assert plain.prevalence(Slice(narratives=(hostile,))).empty
    shown = plain.paragraphs(EvidenceQuery(Slice(), text=hostile))["text"]
    assert all(hostile in text for text in shown)


def test_many_threads_ask_one_snapshot(plain: Snapshot) -> None:
    expected = plain.prevalence(Slice())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: plain.prevalence(Slice()), range(64)))
    assert all(frame.equals(expected) for frame in found)
