"""The cascade of dates: order, precision, and honest absence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.parse.dates import extract_header_date, find_date, parse_date

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
        ("2016-12-00", "2016-12"),
        ("2016-00-05", "2016"),
        ("20160005", "2016"),
        ("05.00.2016", "2016"),
        ("00.05.2016", "2016-05"),
        ("2016-5-3", "2016-05-03"),
        ("5/2016", "2016-05"),
        ("Tue 2016-05-03 10:00", "2016-05-03"),
        ("10:00, 03.05.2016", "2016-05-03"),
        ("Q3 2016", "2016"),
        ("2016-W05", "2016"),
        ("Spring 2016", "2016"),
        ("the second half of 2016", "2016"),
        ("H2 2016", "2016"),
        ("2016 год", "2016"),
        ("III квартал 2016 г.", "2016"),
        ("осенью 2016 года", "2016"),
        ("mid-2016", "2016"),
        ("mid-May 2016", "2016-05"),
        ("10-12 May 2016", "2016-05"),
        ("May–June 2016", "2016"),
    ],
)
def test_reads_what_is_written_and_no_more(text, expected):
    assert parse_date(text) == (expected, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("April 12", "without a year"),
        ("yesterday", "is not a date"),
        ("2016-13-40", "is not a date"),
        ("1899-12-31", "before 1900"),
        ((date.today() + timedelta(days=40)).isoformat(), "in the future"),
        ("3016", "in the future"),
        ("Q3 1066", "before 1900"),
        ("2015-2016", "is not a date"),
        ("31 June 2016", "is not a date"),
        ("Room 2016", "is not a date"),
    ],
)
def test_refuses_with_a_reason(text, reason):
    assert parse_date(text) == ("", reason)


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
    found = find_date(openings=[YEARLESS], header=["13 Jun 2017, 09:00"])
    assert (found.date, found.precision) == ("2017-06-13", "day")
    assert found.source == "header line; dateline without a year: April 12"


def test_an_implausible_statement_is_passed_over_with_its_reason():
    found = find_date(stated="1066-10-14", title="Remarks, May 2, 2016")
    assert found == ("2016-05-02", "day", "title; metadata before 1900: 1066-10-14")


@pytest.mark.parametrize(
    "text", ["14 Dec, 2016 03:57", "Thursday, 17 November 2016 06:33", "Published: March 3, 2020", "12 APR, 13:45"]
)
def test_header_lines(text):
    assert extract_header_date(text)


@pytest.mark.parametrize("text", ["On 14 Dec, 2016 they met.", "14 people came", "May we go?", ""])
def test_other_lines(text):
    assert not extract_header_date(text)


def test_a_date_inside_a_title_does_not_date_the_page():
    assert find_date(title="The treaty of May 2, 1921 and its legacy").date == ""


@pytest.mark.parametrize(
    ("header", "url", "expected"),
    [
        # The line or address dates the document itself, within days: its year is the dateline's.
        (["13 Apr, 2017 09:20"], "", ("2017-04-12", "dateline, year of header line")),
        (["Thursday, 12 April 2017"], "", ("2017-04-12", "dateline, year of header line")),
        ([], "https://example.org/2017/04/14/talks", ("2017-04-12", "dateline, year of url")),
        # Farther off, or less exact, they date something else: then they speak for themselves.
        (["20 May, 2017"], "", ("2017-05-20", "header line; dateline without a year: April 12")),
        (["11 April, 2017"], "", ("2017-04-12", "dateline, year of header line")),
        (["9 April, 2017"], "", ("2017-04-09", "header line; dateline without a year: April 12")),
        ([], "https://example.org/2017/04/talks", ("2017-04", "url; dateline without a year: April 12")),
        (["12 April"], "", ("", "dateline without a year: April 12; header line without a year: 12 April")),
        ([], "", ("", "dateline without a year: April 12")),
    ],
)
def test_a_year_is_taken_from_what_dates_the_document_and_never_guessed(header, url, expected):
    found = find_date(header=header, openings=[YEARLESS], url=url)
    assert (found.date, found.source) == expected


def test_at_new_year_the_header_line_is_of_the_next_year():
    found = find_date(header=["2 January, 2018"], openings=["MINSK, December 30. /TASS/. The talks began."])
    assert (found.date, found.precision) == ("2017-12-30", "day")


def test_a_day_in_the_text_does_not_lend_its_year():
    text = "MINSK, April 12. /TASS/. The treaty of May 3, 2014 was in force, and 2015 was a good year."
    assert find_date(openings=[text]).date == ""


@pytest.mark.parametrize("source", ["manifest", "metadata"])
@pytest.mark.parametrize(("stated", "why"), [("2999-01-01", "in the future"), ("1899-12-31", "before 1900")])
def test_what_cannot_be_is_passed_over_wherever_it_stands(source, stated, why):
    found = find_date(stated=stated, stated_in=source, header=["14 Dec, 2016"])
    assert (found.date, found.source) == ("2016-12-14", f"header line; {source} {why}: {stated}")


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"stated": "2016-11-10", "stated_in": "manifest"}, "manifest"),
        ({"stated": "2016-11-10"}, "metadata"),
        ({"stated": "2016-11-10", "stated_kind": "posted"}, "page metadata"),
        ({"openings": ["MINSK, November 10, 2016. /TASS/. The talks began."]}, "dateline"),
        ({"title": "Briefing by the Spokesperson, Moscow, November 10, 2016"}, "title"),
        ({"header": ["10 November 2016 06:33"]}, "header line"),
        ({"url": "https://example.org/2016/11/10/talks"}, "url"),
        ({"stated": "2016-11-10", "stated_kind": "guess"}, "anywhere on the page"),
    ],
)
def test_every_source_is_recorded(fields, source):
    assert find_date(**fields) == ("2016-11-10", "day", source)


YEARS = st.integers(1900, 2024)
PARTS = ["Q1", "Q3", "q4", "H1", "H2", "spring", "Summer", "autumn", "WINTER", "early", "late", "third quarter of"]
RUSSIAN = ["весна", "летом", "I квартал", "второе полугодие", "начало", "в конце"]


@given(YEARS, st.sampled_from([*PARTS, *RUSSIAN]), st.sampled_from(["", " год", " г.", " года", "."]))
def test_a_part_of_a_year_leaves_the_year(year, part, ending):
    assert parse_date(f"{part} {year}{ending}") == (str(year), "")
    found = find_date(stated=f"{part} {year}{ending}")
    assert (found.date, found.precision, found.source) == (str(year), "year", "metadata")


@pytest.mark.parametrize("part", ["I", "год", "2016-Q1-", "W05-3-", "in ", "2016-W05-3 "])
def test_no_text_takes_long(part):  # a slow pattern would meet the time limit of pytest
    assert not parse_date(f"{part * 30_000} 2016 x")[0]


@given(YEARS, st.sampled_from(["Q1", "Q4", "H1", "H2"]), st.sampled_from(["", "-", " ", "/"]))
def test_quarters_and_halves_on_either_side(year, part, sign):
    assert parse_date(f"{part}{sign or ' '}{year}") == (str(year), "")
    if sign != "/":
        assert parse_date(f"{year}{sign}{part}") == (str(year), "")


@given(YEARS, st.integers(0, 14), st.integers(0, 40), st.sampled_from("-/. "))
def test_a_day_is_never_made_up(year, month, day, sign):
    """Numbers give the very day, or as much as is known before the first zero, or nothing."""
    try:
        expected = date(year, month or 1, (day if month else 0) or 1).isoformat()
    except ValueError:
        expected = ""
    length = 10 if month and day else 7 if month else 4
    for text in (f"{year}{sign}{month:02d}{sign}{day:02d}", f"{year}{month:02d}{day:02d}"):
        assert parse_date(text)[0] == expected[:length]
