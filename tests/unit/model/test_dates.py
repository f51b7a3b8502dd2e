"""Periods and dates: which periods lie within two dates, and which are divided by them."""

from __future__ import annotations

import pytest

from narratives.model.dates import is_divided, select_periods


@pytest.mark.parametrize(
    ("first", "last", "by", "divided"),
    [
        ("", "", "year", False),
        ("2017", "2018", "year", False),
        ("2017-01-01", "", "year", False),
        ("2016-06", "", "year", True),
        ("", "2018-06", "year", True),
        ("2016-07", "2018-06", "half", False),
        ("2016-06", "", "quarter", True),
        ("2016-06", "2016-06", "month", False),
        ("2016-06-02", "", "month", True),
        ("", "2016-02-29", "month", False),
        ("when", "", "month", True),  # the query says what is wrong
    ],
)
def test_dates_divide_the_period_that_goes_on_beyond_them(first, last, by, divided):
    assert is_divided(first, last, by) is divided


def test_periods_within_dates_are_those_wholly_within_them():
    labels = ["2016-Q4", "2017-Q1", "2017-Q2", "2018-Q1"]
    assert select_periods(labels, "2017", "2017-06") == ["2017-Q1", "2017-Q2"]
    assert select_periods(labels, "2017-02", "") == ["2017-Q2", "2018-Q1"]
    assert select_periods(labels, "2018", "2017") == []
