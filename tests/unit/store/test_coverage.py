"""Coverage, dates, copies, languages, voices and rejections, against what the small store holds."""

from __future__ import annotations

import pytest

from narratives.model import Slice
from narratives.store import open_snapshot
from narratives.store.queries import sources as sources_queries
from tests.helpers.factory import build_store


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    return open_snapshot(build_store(tmp_path_factory.mktemp("coverage") / "store").path)


def rows(frame) -> list[tuple]:
    return list(frame.itertuples(index=False, name=None))


def test_coverage_counts_documents_of_any_kind_and_statements_as_shares_do(snapshot):
    assert rows(sources_queries.query_outlet_coverage(snapshot, Slice(by="month"))) == [
        ("Foreign Ministry", "2016-11", 1, 3),
        ("RT", "2016-12", 1, 2),
        ("TASS", "2018-05", 1, 2),
        ("TASS", "2019-02", 1, 0),  # a copy: a document, but not counted again
        ("TASS", "2019-07", 1, 0),  # in a language that is not read
    ]
    by_year = sources_queries.query_outlet_coverage(snapshot, Slice(by="year"))
    assert ("RT", "2017", 1, 1) in rows(by_year)  # dated to the year: in no month
    assert by_year["statements"].sum() == snapshot.totals(Slice()).placed
    assert sources_queries.query_outlet_coverage(snapshot, Slice(by="year", copies="all"))["statements"].sum() == 9


@pytest.mark.parametrize(
    ("s", "documents"),
    [
        (Slice(outlets=("TASS",)), 3),
        (Slice(speakers=("Vladimir Putin",)), 4),
        (Slice(date_from="2016", date_to="2017"), 3),
        (Slice(outlets=("RT",), date_from="2017-02"), 0),  # "2017" is not certainly after January
        (Slice(narratives=("us_meddles_too",)), 6),  # coverage is of text, whatever it says
    ],
)
def test_filters_narrow_coverage(snapshot, s, documents):
    assert sources_queries.query_outlet_coverage(snapshot, s)["documents"].sum() == documents


def test_dates_have_a_source_or_a_reason(snapshot):
    found = sources_queries.query_date_sources(snapshot, Slice())
    assert found["documents"].sum() == 7
    undated = found[found["date_precision"] == "none"]
    assert rows(undated) == [("", "none", "no date in the text", 1)]
    assert sources_queries.query_undated(snapshot, Slice(date_from="2018"))["title"].tolist() == ["An undated leaflet"]
    assert sources_queries.query_undated(snapshot, Slice(outlets=("RT",))).empty


def test_dates_within_years_count_what_may_lie_there(snapshot):
    found = sources_queries.query_date_sources(snapshot, Slice(date_from="2018"))
    assert found["documents"].sum() == 3 + 1  # those of 2018 and 2019, and the undated one


def test_copies_name_who_repeats_whom(snapshot):
    assert rows(sources_queries.query_outlet_copies(snapshot, Slice())) == [("TASS", "RT", 1, 1)]
    assert sources_queries.query_outlet_copies(snapshot, Slice(outlets=("RT",))).empty


def test_languages_say_what_is_matched(snapshot):
    found = sources_queries.query_languages(snapshot, Slice())
    by_language = {row[0]: row[1:] for row in rows(found)}
    assert by_language["ru"] == (1, 0, False)
    assert by_language["en"][1:] == (10, True)
    [count] = snapshot.frame("SELECT count(*) AS n FROM snap.paragraphs")["n"]
    assert found["paragraphs"].sum() == count


def test_voices_of_what_is_no_heading(snapshot):
    found = {voice: counts for voice, *counts in rows(sources_queries.query_voices(snapshot, Slice()))}
    assert found["question"] == [1, 0]
    assert found["outlet"] == [3, 2]
    assert sum(statements for _, statements in found.values()) == 10


def test_rejections_and_inputs(snapshot):
    assert rows(sources_queries.query_rejected(snapshot)) == [
        ("in/broken.jsonl", 3, "invalid JSON"),
        ("in/photo.png", 0, "unknown extension"),
    ]
    came = {path: rest for path, *rest in rows(sources_queries.query_inputs(snapshot))}
    assert came["in/001.txt"] == [1, 0, ""]
    assert came["in/broken.jsonl"] == [0, 1, "invalid JSON"]
