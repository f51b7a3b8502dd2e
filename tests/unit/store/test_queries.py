"""The queries of the Evidence page, its documents and its filters, by example."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from narratives.model import EvidenceQuery, Slice, UsageError
from narratives.store import Snapshot, Store, open_snapshot
from narratives.store.queries.evidence import query_assignments, query_copies, query_document, query_passages
from tests.helpers.factory import build_store, content

NAMES = ["western_russophobia", "us_meddles_too", "wwii_memory", "c-0000beef"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    path = tmp_path_factory.mktemp("store")
    build_store(path)
    return open_snapshot(path)


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
    assert list(found.narratives.columns) == ["narrative_id", "name", "origin", "definition", "colour", "paragraphs"]
    assert list(found.narratives["narrative_id"]) == NAMES
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
