"""Periods, numbers, filters and denominators in words."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.model import Slice, dates
from narratives.render import phrases

GRANULARITIES = ("year", "half", "quarter", "month")
DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("label", "first", "last", "said"),
    [
        ("2016", date(2016, 1, 1), date(2016, 12, 31), "2016"),
        ("2016-H2", date(2016, 7, 1), date(2016, 12, 31), "H2 2016"),
        ("2016-Q3", date(2016, 7, 1), date(2016, 9, 30), "Q3 2016"),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29), "Feb 2016"),
        ("2016-12", date(2016, 12, 1), date(2016, 12, 31), "Dec 2016"),
    ],
)
def test_a_period_has_days_and_words(label, first, last, said):
    assert dates.bounds(label) == (first, last)
    assert first <= dates.middle(label) <= last
    assert dates.in_words(label) == said


@given(DAYS, st.sampled_from(GRANULARITIES))
def test_a_day_lies_in_its_own_period(day, by):
    first, last = dates.bounds(dates.label_of(day, by))
    assert first <= day <= last
    assert dates.granularity(dates.label_of(day, by)) == by


@given(DAYS, st.integers(0, 2000), st.sampled_from(GRANULARITIES))
def test_the_periods_between_two_days_leave_no_gap(day, later, by):
    labels = dates.between(dates.label_of(day, by), dates.label_of(day + timedelta(later), by))
    for label, following in itertools.pairwise(labels):
        assert dates.bounds(following)[0] - dates.bounds(label)[1] == timedelta(1)
    assert labels[-1] == dates.label_of(day + timedelta(later), by)


def test_plurals_and_percentages():
    assert phrases.count(1, "paragraph") == "1 paragraph"
    assert phrases.count(1312, "paragraph") == "1,312 paragraphs"
    assert phrases.percent(0.0912) == "9.1 %"
    assert phrases.percent(float("nan")) == "–"


def test_lists_stay_short():
    assert phrases.listing([]) == ""
    assert phrases.listing(["A"]) == "A"
    assert phrases.listing(["A", "B"]) == "A and B"
    assert phrases.listing(["A", "B", "C"], link="or") == "A, B or C"
    assert phrases.listing(["A", "B", "C", "D"]) == "A, B, C and 1 other"
    assert phrases.listing([""]) == phrases.NOBODY


def test_the_denominator_says_who_when_and_which_copies():
    s = Slice(speakers=("Vladimir Putin",), date_from="2016", date_to="2020")
    assert phrases.denominator(s, 312) == (
        "the 312 statement paragraphs by Vladimir Putin dated 2016–2020; originals only"
    )
    assert (
        phrases.denominator(Slice(), 1, "2016", "2016")
        == "the 1 statement paragraph dated 2016; originals only"
    )
    open_ended = Slice(outlets=("RT", "TASS"), date_from="2018", copies="all")
    assert phrases.denominator(open_ended, 2) == (
        "the 2 statement paragraphs in RT or TASS dated from 2018; copies included"
    )


def test_undated_paragraphs_are_said_and_not_hidden():
    assert phrases.undated(0, Slice()) == ""
    assert phrases.undated(1, Slice()).startswith("1 further statement paragraph has no date")
    assert "have no date to the quarter" in phrases.undated(3, Slice(by="quarter"))


def test_filters_are_named_in_words():
    s = Slice(speakers=("",), narratives=("x",), date_from="2016", date_to="2016")
    assert phrases.filters(s, {"x": "The X"}) == [
        ("speakers", "speaker", phrases.NOBODY),
        ("narratives", "narrative", "The X"),
        ("date", "dates", "2016"),
    ]


def test_a_build_time_is_said_as_a_day():
    assert phrases.built("2026-03-05T14:05:09+00:00") == "5 Mar 2026, 14:05 UTC"
    assert phrases.built("2026-03-05T14:05:09+00:00", short=True) == "5 Mar 2026"
    assert phrases.built("no time") == "no time"


def test_markup_from_a_text_is_shown_letter_by_letter():
    hostile = "![x](https://example.org/a.png) <img src=x> **b** :red[c] $d$ `e`"
    shown = phrases.literal(hostile)
    assert "\\!\\[x\\]\\(" in shown and "\\<img" in shown and "\\*\\*b" in shown and "\\:red" in shown
    assert shown.replace("\\", "") == hostile


def test_a_measure_is_said_with_its_interval():
    assert phrases.with_limits(2 / 3, 0.5, 0.78) == "0.67 (0.50–0.78)"
    assert phrases.with_limits(1.0, float("nan"), float("nan")) == "1.00"
    assert phrases.with_limits(*[float("nan")] * 3) == "–"


@pytest.mark.parametrize(("text", "said"), [("of 2016", "Of 2016."), ("Of 2016. ", "Of 2016."), ("", "")])
def test_a_caveat_is_said_as_a_sentence(text, said):
    assert phrases.sentence(text) == said
