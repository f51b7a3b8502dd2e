"""The cascade of dates: order, precision, and honest absence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from narratives.parse.dates import find_date, is_header_date, read_date

DATELINE = "MINSK, April 12, 2017. /TASS/. The talks began."
YEARLESS = "MINSK, April 12. /TASS/. The talks began."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-12-14", "2016-12-14"),
        ("2016-12-14T03:57:00+03:00", "2016-12-14"),
        ("20161214", "2016-12-14"),
        ("2016-11", "2016-11"),
        ("2016-11-00", "2016-11"),
        ("2016", "2016"),
        ("14.12.2016", "2016-12-14"),
        ("14/12/2016", "2016-12-14"),
        ("12/14/2016", "2016-12-14"),
        ("03/04/2016", "2016"),
        ("14 Dec, 2016", "2016-12-14"),
        ("November 10, 2016", "2016-11-10"),
        ("Nov 2016", "2016-11"),
        ("14 декабря 2016", "2016-12-14"),
    ],
)
def test_reads_what_is_written_and_no_more(text, expected):
    assert read_date(text) == (expected, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("April 12", "without a year"),
        ("yesterday", "is not a date"),
        ("2016-13-40", "is not a date"),
        ("1899-12-31", "before 1900"),
        ((date.today() + timedelta(days=40)).isoformat(), "in the future"),
        ("3016", "in the future"),
    ],
)
def test_refuses_with_a_reason(text, reason):
    assert read_date(text) == ("", reason)


def test_order_of_the_cascade():
    everything = {
        "title": "Briefing, Minsk, May 2, 2016",
        "header": ["Monday, 9 May 2016 08:00"],
        "openings": [DATELINE],
        "url": "https://example.org/2015/03/02/talks",
    }
    found = find_date(stated="2014-01-01", stated_in="manifest", **everything)
    assert found == ("2014-01-01", "day", "manifest")
    assert find_date(stated="2014", **everything) == ("2014", "year", "metadata")
    assert find_date(**everything) == ("2017-04-12", "day", "dateline")
    del everything["openings"]
    assert find_date(**everything) == ("2016-05-02", "day", "title")
    del everything["title"]
    assert find_date(**everything) == ("2016-05-09", "day", "header line")
    del everything["header"]
    assert find_date(**everything) == ("2015-03-02", "day", "url")
    assert find_date(url="https://example.org/2015/03/talks") == ("2015-03", "month", "url")
    assert find_date() == ("", "none", "no date in text or metadata")


def test_a_dateline_without_a_year_says_so_and_lets_a_whole_date_in():
    assert find_date(openings=[YEARLESS]) == ("", "none", "dateline without a year: April 12")
    found = find_date(openings=[YEARLESS], header=["13 Apr 2017, 09:00"])
    assert (found.date, found.precision) == ("2017-04-13", "day")
    assert found.source == "header line; dateline without a year: April 12"


def test_an_implausible_statement_is_passed_over_with_its_reason():
    found = find_date(stated="1066-10-14", title="Remarks, May 2, 2016")
    assert found == ("2016-05-02", "day", "title; metadata before 1900: 1066-10-14")


@pytest.mark.parametrize(
    "text",
    ["14 Dec, 2016 03:57", "Thursday, 17 November 2016 06:33", "Published: March 3, 2020", "12 APR, 13:45"],
)
def test_header_lines(text):
    assert is_header_date(text)


@pytest.mark.parametrize("text", ["On 14 Dec, 2016 they met.", "14 people came", "May we go?", ""])
def test_other_lines(text):
    assert not is_header_date(text)


def test_a_date_inside_a_title_does_not_date_the_page():
    assert find_date(title="The treaty of May 2, 1921 and its legacy").date == ""
