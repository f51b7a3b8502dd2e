"""Which shares are shown, and smoothing: counts stay, shares on too little go, with the reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from narratives.measure import add_shares, smooth_shares, suppress_small_bases
from narratives.measure.correction import compute_period_index
from narratives.model import SuppressionRule

COLUMNS = ["narrative_id", "period", "documents", "paragraphs", "total_paragraphs"]


def frame(*rows: tuple[str, str, int, int, int]) -> pd.DataFrame:
    return add_shares(pd.DataFrame(list(rows), columns=COLUMNS))


def test_shares_on_too_little_go_and_counts_stay():
    given = frame(
        ("a", "2016", 40, 50, 1000),
        ("a", "2017", 12, 30, 500),
        ("a", "2018", 1, 2, 40),
        ("a", "2019", 60, 9, 600),
        ("b", "2016", 40, 0, 1000),
        ("b", "2017", 60, 16, 600),
    )
    found = suppress_small_bases(given, SuppressionRule())
    assert list(found["base_code"]) == ["", "documents", "documents", "", "", ""]
    assert found["base_reason"][1] == "12 documents, fewer than 30"
    assert found["base_reason"][2] == "1 document, fewer than 30"
    assert list(found["base_ok"]) == [True, False, False, True, True, True]
    for name in ("share", "share_low", "share_high"):
        assert found[name].isna().tolist() == [False, True, True, False, False, False]
    pd.testing.assert_frame_equal(found[COLUMNS], given[COLUMNS])
    assert given["share"].notna().all()


def test_what_is_expected_not_what_is_found_decides():
    # 0.5 % overall: 600 paragraphs let expect 3.0, 2000 let expect 10, whatever was found in them.
    found = suppress_small_bases(frame(("a", "2016", 40, 13, 600), ("a", "2017", 90, 0, 2000)), SuppressionRule())
    assert found["base_code"].tolist() == ["expected", ""]
    assert found["base_reason"][0].startswith("3.0 paragraphs")
    found = suppress_small_bases(frame(("a", "2016", 40, 9, 400), ("a", "2017", 90, 0, 2000)), SuppressionRule())
    assert found["base_code"].tolist() == ["expected", ""]
    assert found["base_reason"][0] == "1.5 paragraphs expected at the overall share, fewer than 5"
    assert found["share"][1] == 0


def test_a_lower_base_is_chosen_by_the_caller():
    given = frame(("a", "2016", 5, 1, 20), ("a", "2017", 4, 1, 20))
    assert suppress_small_bases(given, SuppressionRule(documents=5, expected=0))["base_code"].tolist() == [
        "",
        "documents",
    ]


def test_without_narratives_all_rows_are_one_series():
    given = frame(("a", "2016", 40, 50, 1000), ("b", "2017", 40, 0, 90)).drop(columns="narrative_id")
    assert suppress_small_bases(given, SuppressionRule())["base_code"].tolist() == ["", "expected"]
    assert suppress_small_bases(given[:0], SuppressionRule()).empty


def test_the_mean_of_three_periods_is_weighted():
    found = smooth_shares(frame(("a", "2016-11", 40, 1, 100), ("a", "2016-12", 40, 6, 300), ("a", "2017-01", 9, 2, 50)))
    np.testing.assert_allclose(found["smoothed"], [7 / 400, 9 / 450, 8 / 350])


def test_a_period_below_the_base_is_skipped():
    rows = [("a", f"{2016 + i}", 10 if i == 1 else 40, k, 100) for i, k in enumerate((10, 90, 20, 30))]
    found = smooth_shares(suppress_small_bases(frame(*rows), SuppressionRule()))
    np.testing.assert_allclose(found["smoothed"], [0.1, np.nan, 0.25, 0.25])


def test_neighbours_are_those_of_the_calendar_and_of_the_narrative():
    found = smooth_shares(
        frame(
            ("a", "2016-Q1", 40, 10, 100),
            ("b", "2016-Q2", 40, 50, 100),
            ("a", "2016-Q4", 40, 20, 100),
            ("a", "2017-Q1", 40, 40, 100),
        )
    )
    np.testing.assert_allclose(found["smoothed"], [0.1, 0.5, 0.3, 0.3])
    assert smooth_shares(frame()).empty


@pytest.mark.parametrize(
    ("label", "following"),
    [("2016", "2017"), ("2016-H2", "2017-H1"), ("2016-Q3", "2016-Q4"), ("2016-Q4", "2017-Q1"), ("2016-12", "2017-01")],
)
def test_labels_have_their_place_in_the_calendar(label, following):
    assert compute_period_index(following) - compute_period_index(label) == 1


def test_another_label_is_refused():
    with pytest.raises(ValueError):
        compute_period_index("spring")
