"""Intervals of shares whose paragraphs go together by document: properties, and coverage of a known truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulate import corpus
from narratives.measure import add_shares, compute_difference
from narratives.measure.shares import (
    SUM_COLUMNS,
    compute_clustered_interval,
    compute_design_effect,
    compute_wilson_interval,
)


def sums(m, y) -> dict[str, int]:
    """The sums over documents of m paragraphs each, y of them positive."""
    m, y = np.asarray(m), np.asarray(y)
    values = (len(m), m.sum(), y.sum(), (m * m).sum(), (m * y).sum(), (y * y).sum())
    return dict(zip(SUM_COLUMNS, map(int, values), strict=True))


sizes = st.integers(1, 60)
documents = st.lists(sizes.flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m))), min_size=1, max_size=40)


@given(st.lists(documents, min_size=1, max_size=5))
def test_the_interval_holds_the_share_and_is_never_a_point(periods):
    frame = pd.DataFrame([sums(*zip(*period, strict=True)) for period in periods])
    low, high = compute_clustered_interval(frame)
    share = frame["paragraphs"] / frame["total_paragraphs"]
    assert (low >= 0).all() and (low <= share).all() and (share <= high).all() and (high <= 1).all()
    assert (high - low > 1e-6).all()


@given(documents)
def test_more_of_the_same_gives_a_narrower_interval(period):
    one = sums(*zip(*period, strict=True))
    widths = [np.subtract(*compute_clustered_interval(pd.DataFrame([one]) * n)[::-1])[0] for n in (1, 2, 5, 20)]
    assert all(wide > narrow for wide, narrow in pairwise(widths))


@given(documents)
def test_never_narrower_than_with_independent_paragraphs(period):
    frame = pd.DataFrame([sums(*zip(*period, strict=True))])
    low, high = compute_clustered_interval(frame)
    low_wilson, high_wilson = compute_wilson_interval(frame["paragraphs"], frame["total_paragraphs"])
    assert low[0] <= low_wilson[0] + 1e-12 and high[0] >= high_wilson[0] - 1e-12


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_documents_as_units_have_wilsons_interval(hits):
    frame = pd.DataFrame([sums(np.ones(len(hits), int), np.array(hits, int))])
    np.testing.assert_allclose(
        compute_clustered_interval(frame), compute_wilson_interval([sum(hits)], [len(hits)]), atol=1e-12
    )


def test_the_design_effect_of_a_hand_count():
    # 40 documents of 10, 20 of them positive throughout: likeness 1, a document counts as one paragraph.
    frame = pd.DataFrame([sums([10] * 40, [10] * 20 + [0] * 20)])
    found = compute_design_effect(frame).iloc[0]
    assert found["share"] == 0.5
    assert found["effect"] == pytest.approx(10 * 40 / 39)  # Taylor's, of 40 documents
    assert found["effective"] == pytest.approx(39)
    # Positives spread evenly: nothing goes together.
    even = compute_design_effect(pd.DataFrame([sums([10] * 40, [5] * 40)])).iloc[0]
    assert even["effect"] < 1.2


def test_what_is_seen_elsewhere_informs_a_period_without_any():
    clumped, spread = sums([10] * 40, [10] * 4 + [0] * 36), sums([10] * 40, [1] * 40)
    empty = sums([10] * 40, [0] * 40)
    frame = pd.DataFrame([clumped, empty, spread, empty]).assign(narrative_id=["a", "a", "b", "b"])
    found = compute_design_effect(frame)
    assert found["effect"][1] > 5 > 2 > found["effect"][3]
    low, high = compute_clustered_interval(frame)
    assert low[1] == low[3] == 0 and high[1] > high[3] > 0
    # One narrative's limits do not depend on which others are shown beside it.
    np.testing.assert_array_equal(compute_clustered_interval(frame[:2])[1], high[:2])


def test_a_share_of_nothing_is_unknown():
    frame = pd.DataFrame([sums([], []), sums([3, 4], [1, 0])])
    low, high = compute_clustered_interval(frame)
    assert np.isnan(low[0]) and np.isnan(high[0]) and low[1] < 1 / 7 < high[1]
    assert compute_clustered_interval(frame.iloc[:0])[0].size == 0


def test_with_share_takes_the_sums_where_it_has_them():
    frame = pd.DataFrame([sums([10] * 40, [10] * 4 + [0] * 36)])
    together = add_shares(frame).iloc[0]
    apart = add_shares(frame[["paragraphs", "total_paragraphs"]]).iloc[0]
    assert together["share"] == apart["share"] == 0.1
    assert together["share_high"] - together["share_low"] > 2 * (apart["share_high"] - apart["share_low"])


# The benchmark runs many more cells; these are the hardest of them and some of everyday.
CELLS = [
    (30, 0.03, 0.05),
    (30, 0.10, 0.20),
    (30, 0.30, 0.50),
    (60, 0.01, 0.20),
    (60, 0.10, 0.50),
    (120, 0.005, 0.10),
    (120, 0.03, 0.50),
    (400, 0.005, 0.50),
    (400, 0.01, 0.20),
    (400, 0.10, 0.05),
]


@pytest.mark.parametrize(("n", "share", "likeness"), CELLS)
def test_the_interval_covers_the_truth(n, share, likeness):
    frame = corpus(np.random.default_rng(5), 4000, n, share, likeness)
    low, high = compute_clustered_interval(frame.assign(narrative_id=np.arange(len(frame)) // 10))
    assert 0.93 <= np.mean((low <= share) & (share <= high)) <= 0.98


def test_a_single_period_covers_about_as_well():
    for n, share, likeness in CELLS:
        frame = corpus(np.random.default_rng(6), 2000, n, share, likeness)
        low, high = compute_clustered_interval(frame.assign(narrative_id=np.arange(len(frame))))
        assert 0.92 <= np.mean((low <= share) & (share <= high)) <= 0.99


def test_independent_paragraphs_would_cover_far_less():
    frame = corpus(np.random.default_rng(5), 2000, 60, 0.1, 0.2)
    low, high = compute_wilson_interval(frame["paragraphs"], frame["total_paragraphs"])
    assert np.mean((low <= 0.1) & (high >= 0.1)) < 0.75


def test_the_difference_covers_the_truth():
    draw = np.random.default_rng(8)
    for p, q in ((0.1, 0.1), (0.15, 0.05), (0.03, 0.02)):
        limits = []
        for share in (p, q):
            frame = corpus(draw, 3000, 100, share, 0.2)
            frame = add_shares(frame.assign(narrative_id=np.arange(len(frame)) // 10))
            limits += [frame["share"], frame["share_low"], frame["share_high"]]
        gap, low, high = compute_difference(*limits)
        assert gap.mean() == pytest.approx(p - q, abs=0.003)
        assert 0.93 <= np.mean((low <= p - q) & (p - q <= high)) <= 0.98


@settings(max_examples=50)
@given(documents, documents)
def test_a_difference_turns_with_its_sides(one, other):
    a, b = (add_shares(pd.DataFrame([sums(*zip(*x, strict=True))])) for x in (one, other))
    columns = ["share", "share_low", "share_high"]
    gap, low, high = compute_difference(*(a[c] for c in columns), *(b[c] for c in columns))
    back, back_low, back_high = compute_difference(*(b[c] for c in columns), *(a[c] for c in columns))
    assert -1 <= low[0] <= gap[0] <= high[0] <= 1 and low[0] < high[0]
    np.testing.assert_allclose([back, back_low, back_high], [-gap, -high, -low])
