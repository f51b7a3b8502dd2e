"""The answers that sessions share: what one filter selects of another's answer is what a query of its own gives."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from narratives.dashboard import cached_queries
from narratives.measure import add_shares, choose_granularity
from narratives.model import Slice
from narratives.store.queries import narrative as narrative_queries
from narratives.store.queries import prevalence as prevalence_queries

ABOUT = "western_russophobia"
SLICES = [
    Slice(by="month", date_from="2016", date_to="2017"),
    Slice(by="quarter", date_from="2016-11", narratives=(ABOUT, "wwii_memory")),  # within a quarter
    Slice(by="year", date_to="2018-05-20", unit="document"),  # within a year
    Slice(by="half", narratives=(ABOUT,), speakers=("Maria Zakharova",)),
    Slice(by="year", date_from="1999", date_to="2001"),  # before the first text
]


@pytest.mark.parametrize("s", SLICES)
def test_filters_select_rows_of_the_answer_without_them(store, s):
    handle = cached_queries.find_snapshot()
    snapshot = cached_queries.get_snapshot(handle)
    whole = replace(s, narratives=())
    pairs = [
        (cached_queries.load_prevalence(handle, s), snapshot.prevalence(s)),
        (cached_queries.load_unassigned(handle, whole), snapshot.unassigned(whole)),
        (
            cached_queries.load_shares(handle, whole, ABOUT, "period"),
            narrative_queries.query_narrative_sums(snapshot, whole, ABOUT, "period"),
        ),
    ]
    for shared, sums in pairs:
        # DuckDB's frames without rows have texts of another type.
        pd.testing.assert_frame_equal(shared, add_shares(sums), check_dtype=len(sums) > 0)
    assert cached_queries.load_totals(handle, s) == snapshot.totals(s)
    months = prevalence_queries.count_documents_by_month(snapshot, s)
    counts = dict(zip(months["period"], months["documents"], strict=True))
    assert cached_queries.find_finest_granularity(handle, s) == choose_granularity(counts)


def test_an_answer_is_computed_once_for_equal_arguments(at_home):
    calls = []

    @cached_queries.cache_shared()
    def load(s: Slice, number: int = 1) -> str:
        calls.append((s, number))
        return f"{s.by} {number}"

    assert [load(Slice()), load(Slice()), load(Slice(by="month")), load(Slice(), 2)] == [
        *("year 1", "year 1", "month 1", "year 2")
    ]
    assert calls == [(Slice(), 1), (Slice(by="month"), 1), (Slice(), 2)]
    cached_queries.forget_answers()
    assert load(Slice()) == "year 1" and len(calls) == 4
