"""A string that is given as a date: exactly what it states, and no more."""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.parse.date_strings import detect_first_part, parse_date


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-14",
        "2016-12-14T03:57:00+03:00",
        "2016-12-14T23:30:00-05:00",
        "2016-12-14 (Wed)",
        "20161214",
        "20161214T035700Z",
        "20161214035700",
        "2016.12.14",
        "2016/12/14 3:57",
        "2016. 12. 14.",
        "14.12.2016",
        "14. 12. 2016",
        "14.12.2016 г.",
        "14/12/2016",
        "12/14/2016",
        "12/14/2016 3:40 PM",
        "12/14/16",
        "14.12.16",
        "12-14-2016",
        "14-Dec-16",
        "14-DEC-2016 03:57",
        "14Dec2016",
        "14 Dec '16",
        "14 Dec, 2016",
        "Dec. 14, 2016",
        "December 14th, 2016",
        "14th of December 2016",
        "the 14th day of December, 2016",
        "the fourteenth of December 2016",
        "2016 Dec 14",
        "Wed Dec 14 21:40:52 +0000 2016",
        "Wed Dec 14 2016 15:21:41 GMT+0000",
        "Wed, 14 Dec 2016 14:24:05 +0000",
        "Wednesday 14 December 2016 09.30 GMT",
        "December 14, 2016 Wednesday",
        "December 14, 2016 @ 05:33:50.000",
        "14. Dezember 2016",
        "14 décembre 2016",
        "14 de diciembre de 2016",
        "14 декабря 2016 г.",
        "среда, 14 декабря 2016 года, 03:57",
        "14 dicembre 2016",
        "2016年12月14日",
        "Posted on 14 December 2016 by the editor",
        "Published: DEC 14, 2016 16:09 IST",
        "Updated: Dec 14, 2016, 08.30 AM IST",
        "14/12/2016 01:57 | Updated 16/12/2016 19:20",
        "Tue 2016-12-14 10:00",
        "10:00, 14.12.2016",
        "42718",
        "42718.5",
        "1481688000",
        "1481688000.0",
        "1481688000000",
        "1481688000000000",
    ],
)
def test_all_shapes_of_one_day(text):
    assert parse_date(text) == ("2016-12-14", "", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-11", "2016-11"),
        ("2016-11-00", "2016-11"),
        ("2016", "2016"),
        ("2016.0", "2016"),
        ("Nov 2016", "2016-11"),
        ("novembre 2016", "2016-11"),
        ("2016-12-00", "2016-12"),
        ("2016-00-05", "2016"),
        ("20160005", "2016"),
        ("05.00.2016", "2016"),
        ("00.05.2016", "2016-05"),
        ("5/2016", "2016-05"),
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
        ("May 10-12, 2016", "2016-05"),
        ("du 10 au 12 mai 2016", "2016-05"),
        ("10 May 2016 - 15 May 2016", "2016-05"),
        ("2016-05-10/2016-05-15", "2016-05"),
        ("30 April – 2 May 2016", "2016"),
        ("May–June 2016", "2016"),
        ("May 2016 - June 2016", "2016"),
    ],
)
def test_a_date_is_as_exact_as_it_is_stated(text, expected):
    assert parse_date(text)[:2] == (expected, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("April 12", "without a year"),
        ("3 days ago", "without a year"),
        ("yesterday", "is not a date"),
        ("NaT", "is not a date"),
        ("", "is not a date"),
        ("0000-00-00", "is not a date"),
        ("2016-13-40", "is not a date"),
        ("2016-13-05", "is not a date"),
        ("31.06.2016", "is not a date"),
        ("31 June 2016", "is not a date"),
        ("1899-12-31", "before 1900"),
        ((date.today() + timedelta(days=40)).isoformat(), "in the future"),
        ("3016", "in the future"),
        ("Q3 1066", "before 1900"),
        ("2015-2016", "is not a date"),
        ("2015-16", "is not a date"),
        ("Room 2016", "is not a date"),
        ("1970-01-01T00:00:00Z", "is a placeholder"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "is a placeholder"),
        ("12345", "without a year"),
        ("received 3 March 2016, sent 9 May 2016", "has several dates"),
        ("The council met on 14 December 2016 and decided. " * 4, "is not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_a_reason(text, reason):
    assert parse_date(text) == ("", reason, ())


@pytest.mark.parametrize(
    ("text", "expected", "readings"),
    [
        ("03/04/2016", "2016", ("2016-04-03", "2016-03-04")),
        ("03-04-2016", "2016", ("2016-04-03", "2016-03-04")),
        ("3/4/98", "1998", ("1998-04-03", "1998-03-04")),
        ("11.12.13", "2013", ("2013-12-11", "2013-11-12")),
        ("04/04/2016", "2016-04-04", ()),
        ("03.04.2016", "2016-04-03", ()),
        # The weekday decides: the third of April was a Sunday, the fourth of March a Friday.
        ("Sunday, 03/04/2016", "2016-04-03", ()),
        ("Fri 03/04/2016", "2016-03-04", ()),
    ],
)
def test_an_order_of_day_and_month_that_nothing_shows_leaves_the_year(text, expected, readings):
    assert parse_date(text) == (expected, "", readings)


@pytest.mark.parametrize(
    ("column", "first", "expected"),
    [
        (["01/05/2018", "03/14/2018"], "month", "2018-01-05"),
        (["01/05/2018", "14/03/2018"], "day", "2018-05-01"),
        (["01/05/2018", "14.03.18"], "day", "2018-05-01"),
        (["01/05/2018", "14/03/2018", "03/14/2018"], "both", "2018"),
        (["01/05/2018", "02/03/2018", "2018-03-14", "14 March 2018"], "", "2018"),
        (["01/05/2018", "99/99/2018"], "", "2018"),
    ],
)
def test_one_cell_above_12_settles_the_order_of_a_column(column, first, expected):
    detected = reduce(lambda before, cell: detect_first_part(cell, before), column, "")
    assert detected == first
    assert parse_date(column[0], detected).date == expected


def test_a_column_that_contradicts_itself_still_has_the_dates_that_are_certain():
    assert parse_date("14/03/2018", "both").date == "2018-03-14"
    assert parse_date("03.04.2018", "both").date == "2018-04-03"
    assert parse_date("11.12.13", "both").date == "2013"


YEARS = st.integers(1901, 2024)
PARTS = ["Q1", "Q3", "q4", "H1", "H2", "spring", "Summer", "autumn", "WINTER", "early", "late", "third quarter of"]
RUSSIAN = ["весна", "летом", "I квартал", "второе полугодие", "начало", "в конце"]


@given(YEARS, st.sampled_from([*PARTS, *RUSSIAN]), st.sampled_from(["", " год", " г.", " года", "."]))
def test_a_part_of_a_year_leaves_the_year(year, part, ending):
    assert parse_date(f"{part} {year}{ending}")[:2] == (str(year), "")


@pytest.mark.parametrize("part", ["I", "год", "2016-Q1-", "W05-3-", "in ", "2016-W05-3 ", "1.", "May ", "15 May - "])
def test_no_text_takes_long(part):  # a slow pattern would meet the time limit of pytest
    assert not parse_date(f"{part * 30_000} 2016 x").date
    assert not detect_first_part(part * 30_000)


@given(YEARS, st.sampled_from(["Q1", "Q4", "H1", "H2"]), st.sampled_from(["", "-", " ", "/"]))
def test_quarters_and_halves_on_either_side(year, part, sign):
    assert parse_date(f"{part}{sign or ' '}{year}")[:2] == (str(year), "")
    if sign != "/":
        assert parse_date(f"{year}{sign}{part}")[:2] == (str(year), "")


@given(YEARS, st.integers(0, 14), st.integers(0, 40), st.sampled_from("-/. "))
def test_a_day_is_never_made_up(year, month, day, sign):
    """Numbers give the very day, or as much as is known before the first zero, or nothing."""
    try:
        expected = date(year, month or 1, (day if month else 0) or 1).isoformat()
    except ValueError:
        expected = ""
    length = 10 if month and day else 7 if month else 4
    expected = "" if (year, month, day) == (1970, 1, 1) else expected  # what programs write for no date
    for text in (f"{year}{sign}{month:02d}{sign}{day:02d}", f"{year}{month:02d}{day:02d}"):
        assert parse_date(text).date == expected[:length]


@given(st.text(max_size=130))
def test_any_text_gives_a_date_or_a_reason(text):
    parsed = parse_date(text)
    assert bool(parsed.date) != bool(parsed.refusal)
