"""First uses and co-occurrence against hand counts and a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from narratives.measure import compute_cooccurrence, find_first_uses
from narratives.model import SuppressionRule

USES = ["narrative_id", "actor", "date", "paragraphs"]


def uses(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=USES)


def test_who_came_first_and_who_followed():
    found = find_first_uses(
        uses(
            ("n", "B", "2016-03-05", 1),
            ("n", "A", "2016-03-01", 1),
            ("n", "A", "2016-03-31", 2),
            ("n", "B", "2016-04-01", 1),
            ("n", "C", "2016", 4),
            ("n", "D", "2016-02", 1),
            ("n", "D", "2016-03-01", 3),
            ("m", "B", "2017-01-01", 3),
        ),
        {"A": "2016-01-01", "B": "2016-03-02", "D": "2016-03-01"},
    )
    assert found[["narrative_id", "actor"]].to_numpy().tolist() == [
        ["n", "A"],
        ["n", "D"],
        ["n", "B"],
        ["n", "C"],
        ["m", "B"],
    ]
    assert found["uses"].tolist() == [3, 4, 2, 4, 3]
    assert found["not_to_the_day"].tolist() == [0, 1, 0, 4, 0]
    assert found["first"].tolist() == ["2016-03-01", "2016-03-01", "2016-03-05", "", "2017-01-01"]
    np.testing.assert_equal(found["days_after"].tolist(), [0, 0, 4, np.nan, 0])
    assert found["kth"].tolist() == ["2016-03-31", "2016-03-01", "", "", "2017-01-01"]
    np.testing.assert_equal(found["days_to_kth"].tolist(), [30, 0, np.nan, np.nan, 0])
    assert found["covered_from"].tolist() == ["2016-01-01", "2016-03-01", "2016-03-02", "", "2016-03-02"]
    assert found["covered_before"].tolist() == [True, False, False, False, True]


def test_another_k_and_nothing_at_all():
    rows = uses(("n", "A", "2016-03-01", 1), ("n", "A", "2016-03-04", 1))
    assert find_first_uses(rows, k=2)["days_to_kth"].tolist() == [3]
    empty = find_first_uses(rows[:0])
    assert empty.empty and list(empty.columns) == list(find_first_uses(rows).columns)


def pairs(*rows: tuple[int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["a", "b", "both", "total"])


def test_lift_of_a_hand_count():
    found = compute_cooccurrence(
        pairs((50, 100, 20, 1000), (50, 100, 5, 1000), (200, 300, 20, 1000)), SuppressionRule()
    )
    np.testing.assert_allclose(found["lift"], [4, 1, 1 / 3])
    assert (found["lift_low"] < found["lift"]).all() and (found["lift"] < found["lift_high"]).all()
    assert found["lift_low"][0] > 1 and found["lift_high"][2] < 1
    assert found["lift_low"][1] < 1 < found["lift_high"][1]
    assert found["base_ok"].all() and (found["base_reason"] == "").all()


def test_too_little_to_say():
    found = compute_cooccurrence(
        pairs((10, 10, 2, 29), (10, 10, 4, 1000), (10, 10, 5, 1000), (0, 900, 0, 1000)), SuppressionRule()
    )
    assert found["base_ok"].tolist() == [False, False, True, False]
    assert found["base_reason"].tolist() == [
        "fewer than 30 documents",
        "fewer than 5 documents with both, observed or expected",
        "",
        "fewer than 5 documents with both, observed or expected",
    ]
    assert found["lift"].isna().tolist() == [True, True, False, True]
    assert "does not occur" in compute_cooccurrence(pairs((0, 90, 0, 100)), SuppressionRule(30, 0))["base_reason"][0]


@pytest.mark.parametrize("row", [(5, 9, 6, 100), (101, 9, 6, 100), (60, 60, 10, 100)])
def test_impossible_counts_are_named(row):
    with pytest.raises(ValueError, match=f"'both': {row[2]}"):
        compute_cooccurrence(pairs(row), SuppressionRule())


@pytest.mark.parametrize(("p", "q", "w"), [(0.2, 0.05, 0.1), (0.1, 0.1, 0.3), (0.3, 0.5, 0.2)])
def test_the_limits_cover_the_truth(p, q, w):
    draw, repeats, total = np.random.default_rng(0), 4000, 400
    a = draw.binomial(total, w, repeats)
    both = draw.binomial(a, p)
    b = both + draw.binomial(total - a, q)
    found = compute_cooccurrence(pd.DataFrame({"a": a, "b": b, "both": both, "total": total}), SuppressionRule(0, 0))
    truth = p / (w * p + (1 - w) * q)
    assert 0.93 <= np.mean((found["lift_low"] <= truth) & (truth <= found["lift_high"])) <= 0.98
