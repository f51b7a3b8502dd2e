"""Intervals against known values and known coverage; granularity against its stated rule."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from narratives.measure import add_shares, choose_granularity
from narratives.measure.shares import compute_wilson_interval


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_formula_and_holds_the_share(pair: tuple[int, int]) -> None:
    k, n = pair
    low, high = compute_wilson_interval([k], [n])
    z = 1.959963984540054
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    assert low[0] == pytest.approx(max(0, centre - half), abs=1e-12)
    assert high[0] == pytest.approx(min(1, centre + half), abs=1e-12)
    assert 0 <= low[0] <= k / n <= high[0] <= 1
    assert low[0] < high[0]


def test_wilson_covers_the_truth_about_as_often_as_it_says() -> None:
    for n, p in ((30, 0.2), (100, 0.05), (400, 0.5)):
        k = np.arange(n + 1)
        low, high = compute_wilson_interval(k, np.full(n + 1, n))
        covered = stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum()
        assert 0.93 <= covered <= 0.98


def test_wilson_keeps_shape_and_says_nothing_of_nothing() -> None:
    low, high = compute_wilson_interval([[0, 1], [0, 2]], [[0, 2], [5, 2]])
    assert low.shape == high.shape == (2, 2)
    assert np.isnan(low[0, 0]) and np.isnan(high[0, 0])
    assert low[1, 0] == 0 and high[1, 1] == 1
    assert compute_wilson_interval([], [])[0].size == 0
    assert compute_wilson_interval([3], [10], level=0.5)[0] > compute_wilson_interval([3], [10])[0]


@pytest.mark.parametrize(("k", "n"), [([3], [2]), ([-1], [2]), ([1], [0])])
def test_wilson_refuses_impossible_counts(k: list[int], n: list[int]) -> None:
    with pytest.raises(ValueError, match="0 <= k <= n"):
        compute_wilson_interval(k, n)


def test_with_share_adds_three_columns_and_leaves_the_rest() -> None:
    frame = pd.DataFrame({"period": ["2016", "2017"], "paragraphs": [1, 0], "total_paragraphs": [4, 0]})
    found = add_shares(frame)
    assert list(frame.columns) == ["period", "paragraphs", "total_paragraphs"]
    assert list(found.columns) == [*frame.columns, "share", "share_low", "share_high"]
    assert found["share"][0] == 0.25 and found["share_low"][0] < 0.25 < found["share_high"][0]
    assert found.loc[1, ["share", "share_low", "share_high"]].isna().all()
    assert add_shares(frame.iloc[:0]).empty


def months(a_month: int, years: int = 5) -> dict[str, int]:
    return {f"{2016 + y}-{m:02d}": a_month for y in range(years) for m in range(1, 13)}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ({}, "year"),
        (months(1), "year"),  # 60 documents
        (months(4), "year"),  # 240: still fewer than 300, though a half-year holds 24
        (months(5), "half"),
        (months(9), "half"),
        (months(10), "quarter"),
        (months(30), "month"),
        ({**months(30), "2016-02": 4, "2019-07": 8}, "month"),  # two thin months among sixty do not matter
        ({**months(30), **dict.fromkeys((f"{y}-0{m}" for y in range(2016, 2021) for m in (1, 5)), 3)}, "quarter"),
        (months(10, years=2), "year"),
        ({f"{year}-01": 6 for year in range(1950, 2010)}, "year"),  # much in all, never much at a time
        ({f"{year}-{m:02d}": 2 for year in range(1980, 2020) for m in range(1, 13)}, "year"),
        ({**months(10), "2030-01": 0, "2030-02": 0}, "quarter"),
    ],
)
def test_the_granularity_follows_the_amount(documents: dict[str, int], expected: str) -> None:
    assert choose_granularity(documents) == expected
