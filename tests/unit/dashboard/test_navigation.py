"""Addresses and clicks: what a link says, and the slice behind a point of a chart."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.dashboard import controls, navigation
from narratives.model import Slice, dates
from narratives.model.dates import parse_partial_date

EVERYTHING = Slice(
    speakers=("Maria Zakharova", ""),
    outlets=("RT",),
    narratives=("wwii_memory",),
    date_from="2016-07",
    date_to="2018",
    copies="all",
    voices=("own", "quoted"),
)


def test_a_link_says_what_is_filtered_and_nothing_else():
    page, _, query = navigation.build_page_url("evidence", EVERYTHING, text="a b", unassigned=True).partition("?")
    assert page == "evidence"
    assert parse_qs(query) == {
        "speaker": ["Maria Zakharova", controls.EMPTY_VALUE],
        "outlet": ["RT"],
        "narrative": ["wwii_memory"],
        "voice": ["own", "quoted"],
        "from": ["2016-07"],
        "to": ["2018"],
        "copies": ["all"],
        "text": ["a b"],
        "unassigned": ["yes"],
    }
    assert navigation.build_page_url("evidence", Slice(), text="", unassigned=False) == "evidence"


@pytest.mark.parametrize(
    ("asked", "period", "expected"),
    [
        (Slice(), "2018", ("2018", "2018")),
        (Slice(), "2018-Q3", ("2018-07", "2018-09")),
        (Slice(), "2018-H2", ("2018-07", "2018-12")),
        (Slice(date_from="2018", date_to="2018"), "2018-Q3", ("2018-07", "2018-09")),
        (Slice(date_from="2018-08", date_to="2018-08-15"), "2018-Q3", ("2018-08", "2018-08-15")),
        (Slice(date_from="2016", date_to="2018-06"), "2018", ("2018", "2018-06")),
    ],
)
def test_a_point_of_a_chart_is_cut_to_the_dates_asked_for(asked, period, expected):
    s = navigation.narrow_slice(asked, {"narrative": "wwii_memory", "period": period})
    assert (s.date_from, s.date_to) == expected
    assert s.narratives == ("wwii_memory",)


def test_a_point_replaces_only_what_it_says():
    s = navigation.narrow_slice(EVERYTHING, {"speaker": "Dmitry Peskov", "voice": ["reported"]})
    assert s.speakers == ("Dmitry Peskov",) and s.voices == ("reported",)
    assert (s.outlets, s.narratives, s.copies) == (EVERYTHING.outlets, EVERYTHING.narratives, "all")


@given(st.sampled_from(["year", "half", "quarter", "month"]), st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_the_dates_of_a_period_are_its_bounds(by, day):
    label = dates.get_period_label(day, by)
    first, last = dates.get_period_partial_dates(label)
    assert (parse_partial_date(first)[0], parse_partial_date(last)[1]) == dates.get_period_bounds(label)


def test_values_of_filters_make_the_slice_again(monkeypatch):
    monkeypatch.setattr(navigation, "st", SimpleNamespace(session_state=navigation.get_control_values(EVERYTHING)))
    assert navigation.read_filters() == EVERYTHING
