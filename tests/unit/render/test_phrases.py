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
    assert dates.get_period_bounds(label) == (first, last)
    assert first <= dates.get_period_middle(label) <= last
    assert dates.describe_period(label) == said


@given(DAYS, st.sampled_from(GRANULARITIES))
def test_a_day_lies_in_its_own_period(day, by):
    first, last = dates.get_period_bounds(dates.get_period_label(day, by))
    assert first <= day <= last
    assert dates.detect_granularity(dates.get_period_label(day, by)) == by


@given(DAYS, st.integers(0, 2000), st.sampled_from(GRANULARITIES))
def test_the_periods_between_two_days_leave_no_gap(day, later, by):
    labels = dates.list_period_labels(
        dates.get_period_label(day, by), dates.get_period_label(day + timedelta(later), by)
    )
    for label, following in itertools.pairwise(labels):
        assert dates.get_period_bounds(following)[0] - dates.get_period_bounds(label)[1] == timedelta(1)
    assert labels[-1] == dates.get_period_label(day + timedelta(later), by)


def test_plurals_and_percentages():
    assert phrases.format_count(1, "paragraph") == "1 paragraph"
    assert phrases.format_count(1312, "paragraph") == "1,312 paragraphs"
    assert phrases.format_percent(0.0912) == "9.1 %"
    assert phrases.format_percent(float("nan")) == "–"


def test_lists_stay_short():
    assert phrases.format_list([]) == ""
    assert phrases.format_list(["A"]) == "A"
    assert phrases.format_list(["A", "B"]) == "A and B"
    assert phrases.format_list(["A", "B", "C"], link="or") == "A, B or C"
    assert phrases.format_list(["A", "B", "C", "D"]) == "A, B, C and 1 other"
    assert phrases.format_list([""]) == phrases.NOBODY


def test_the_denominator_says_who_when_and_which_copies():
    s = Slice(speakers=("Vladimir Putin",), date_from="2016", date_to="2020")
    assert phrases.describe_denominator(s, 312) == (
        "the 312 statement paragraphs by Vladimir Putin dated 2016–2020; originals only"
    )
    assert phrases.describe_denominator(Slice(), 1, "2016") == "the 1 statement paragraph dated 2016; originals only"
    open_ended = Slice(outlets=("RT", "TASS"), date_from="2018", copies="all")
    assert phrases.describe_denominator(open_ended, 2) == (
        "the 2 statement paragraphs in RT or TASS dated from 2018; copies included"
    )


def test_undated_paragraphs_are_said_and_not_hidden():
    assert phrases.describe_undated(0, Slice()) == ""
    assert phrases.describe_undated(1, Slice()).startswith("1 further statement paragraph has no date")
    assert "have no date to the quarter" in phrases.describe_undated(3, Slice(by="quarter"))


def test_filters_are_named_in_words():
    s = Slice(speakers=("",), narratives=("x",), date_from="2016", date_to="2016")
    assert phrases.describe_filters(s, {"x": "The X"}) == [
        ("speakers", "speaker", phrases.NOBODY),
        ("narratives", "narrative", "The X"),
        ("date", "dates", "2016"),
    ]


def test_a_build_time_is_said_as_a_day():
    assert phrases.format_timestamp("2026-03-05T14:05:09+00:00") == "5 Mar 2026, 14:05 UTC"
    assert phrases.format_timestamp("2026-03-05T14:05:09+00:00", short=True) == "5 Mar 2026"
    assert phrases.format_timestamp("no time") == "no time"


def test_markup_from_a_text_is_shown_letter_by_letter():
    hostile = "![x](https://example.org/a.png) <img src=x> **b** :red[c] $d$ `e`"
    shown = phrases.escape_markdown(hostile)
    assert "\\!\\[x\\]\\(" in shown and "\\<img" in shown and "\\*\\*b" in shown and "\\:red" in shown
    assert shown.replace("\\", "").replace("\u2060", "") == hostile


def test_a_measure_is_said_with_its_interval():
    assert phrases.format_with_limits(2 / 3, 0.5, 0.78) == "0.67 (0.50–0.78)"
    assert phrases.format_with_limits(1.0, float("nan"), float("nan")) == "1.00"
    assert phrases.format_with_limits(*[float("nan")] * 3) == "–"


@pytest.mark.parametrize(("text", "said"), [("of 2016", "Of 2016."), ("Of 2016. ", "Of 2016."), ("", "")])
def test_a_caveat_is_said_as_a_sentence(text, said):
    assert phrases.make_sentence(text) == said


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("see https://a.example/b", "https:\u2060//"),
        ("HTTP://a.example", "HTTP:\u2060//"),
        ("at www.a.example", "www\u2060."),
        ("mail a.b@c.example", "@\u2060c"),
        ("a :smile: here", ":\u2060smile:"),
        (":material/home:", ":\u2060material/home:"),
        ("a -> b", "\u2060-> b"),
        ("-- so", "\u2060-- so"),
    ],
)
def test_what_pages_replace_after_markdown_is_broken_without_a_trace(text, broken):
    """The pages' Markdown makes links, emoji and arrows of plain text once its escapes are resolved."""
    shown = phrases.escape_markdown(text).replace("\\", "")
    assert broken in shown and shown.replace("\u2060", "") == text


def test_escaped_text_has_one_direction_and_is_no_code():
    assert phrases.escape_markdown("    indented\n      more") == "indented\nmore"
    assert phrases.escape_markdown("a\u202eb\x1b[31mc\u2066d") == "ab\\[31mcd"
    assert phrases.escape_markdown("At 14:05, a-b: 3 > 2") == "At 14\\:05\\, a\\-b\\: 3 \\> 2"
