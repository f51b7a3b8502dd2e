"""Change points: none where nothing changed, found where a share tripled."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulate import series
from narratives.measure import find_change_points
from narratives.measure.shares import (
    CHANGE_COLUMNS,
    PENALTY_OFFSET,
    PENALTY_SLOPE,
    SUM_COLUMNS,
    _compute_log_likelihood,
)


@pytest.mark.parametrize("periods", [5, 12, 36, 60])
def test_series_without_a_change_rarely_show_one(periods):
    draw, number, alarms = np.random.default_rng(2), 60, []
    for documents, share, likeness in ((15, 0.1, 0.2), (40, 0.02, 0.1), (40, 0.1, 0.05), (100, 0.005, 0.3)):
        found = find_change_points(series(draw, number, [share] * periods, documents, likeness))
        alarms.append(found["narrative_id"].nunique() / number)
    assert np.mean(alarms) <= 0.05


@pytest.mark.parametrize(
    ("periods", "documents", "share", "likeness"), [(36, 40, 0.01, 0.1), (20, 100, 0.01, 0.2), (8, 400, 0.005, 0.05)]
)
def test_a_share_that_trebles_is_found_where_it_does(periods, documents, share, likeness):
    draw, number, half = np.random.default_rng(3), 100, periods // 2
    frame = series(draw, number, [share] * half + [3 * share] * half, documents, likeness)
    found = find_change_points(frame)
    assert found["narrative_id"].nunique() >= 0.9 * number
    first = found.drop_duplicates("narrative_id")
    true = sorted(frame["period"].unique())[half]
    off = [abs(sorted(frame["period"].unique()).index(p) - half) for p in first["period"]]
    assert np.median(off) <= 1 and true in set(first["period"])
    assert (first["direction"] == "up").mean() > 0.95
    assert first["before"].median() == pytest.approx(share, rel=0.2)
    assert first["after"].median() == pytest.approx(3 * share, rel=0.2)


def hand(*counts: int) -> pd.DataFrame:
    """One narrative, years of 1000 documents of a single paragraph, of which `counts` are positive."""
    rows = [(f"{2000 + i}", "n", 1000, 1000, k, 1000, k, k) for i, k in enumerate(counts)]
    return pd.DataFrame(rows, columns=["period", "narrative_id", *SUM_COLUMNS])


def test_two_changes_with_what_was_before_and_after():
    found = find_change_points(hand(10, 12, 9, 60, 55, 62, 11, 10))
    assert list(found.columns) == list(CHANGE_COLUMNS)
    assert list(found["period"]) == ["2003", "2006"]
    assert list(found["direction"]) == ["up", "down"]
    up, down = found.iloc[0], found.iloc[1]
    assert up["before"] == pytest.approx(31 / 3000) and up["after"] == pytest.approx(177 / 3000)
    assert down["before"] == up["after"] and down["after"] == pytest.approx(21 / 2000)
    assert up["before_low"] < up["before"] < up["before_high"] < up["after_low"] < up["after"] < up["after_high"]
    assert up["gain"] > 50


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_a_level_lasts_two_periods_at_least(counts):
    at = [0, *(int(p) - 2000 for p in find_change_points(hand(*counts))["period"]), len(counts)]
    assert len(counts) < 4 or all(later - earlier >= 2 for earlier, later in pairwise(at))
    assert len(counts) >= 4 or at == [0, len(counts)]


def test_one_long_speech_is_no_change():
    rows = []
    for i in range(10):
        m = np.ones(50, int)
        y = np.zeros(50, int)
        y[:2] = 1
        if i >= 5:
            m[0], y[0] = 40, 30
        values = (50, m.sum(), y.sum(), (m * m).sum(), (m * y).sum(), (y * y).sum())
        rows.append((f"{2000 + i}", "n", *values))
    frame = pd.DataFrame(rows[:6] + [(f"{2006 + i}", *rows[i][1:]) for i in range(4)])
    frame.columns = pd.Index(["period", "narrative_id", *SUM_COLUMNS])
    assert find_change_points(frame).empty


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=9))
def test_a_better_division_does_not_exist(counts):
    """Against all divisions into levels of two years or more, by brute force."""

    k, n = np.array(counts, float), np.full(len(counts), 1000.0)
    penalty = PENALTY_OFFSET + PENALTY_SLOPE * np.log(len(counts))

    def value(starts) -> float:
        ends = [*starts[1:], len(counts)]
        parts = [(k[a:b].sum(), n[a:b].sum()) for a, b in zip(starts, ends, strict=True)]
        fits = [float(_compute_log_likelihood(np.array([x]), np.array([y]))[0]) for x, y in parts]
        return 2 * sum(fits) - penalty * (len(starts) - 1)

    def divisions(start: int):
        yield [start]
        for nxt in range(start + 2, len(counts) - 1):
            for rest in divisions(nxt):
                yield [start, *rest]

    years = [str(2000 + i) for i in range(len(counts))]
    found = [0, *(years.index(p) for p in find_change_points(hand(*counts))["period"])]
    assert value(found) == pytest.approx(max(map(value, divisions(0))), abs=1e-6)


def test_nothing_gives_nothing():
    found = find_change_points(hand(1)[:0])
    assert found.empty and list(found.columns) == list(CHANGE_COLUMNS)


def test_narratives_are_taken_each_by_itself():
    draw = np.random.default_rng(5)
    frame = series(draw, 8, [0.02] * 6 + [0.1] * 6, 60, 0.1)
    alone = pd.concat([find_change_points(rows) for _, rows in frame.groupby("narrative_id")], ignore_index=True)
    pd.testing.assert_frame_equal(find_change_points(frame), alone)
