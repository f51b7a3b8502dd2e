"""The cascade of dates: order, precision, and honest absence."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, RawParagraph
from narratives.parse import DateOrder, Roster, add_to_date_order, parse_document
from narratives.parse.dates import DateClues, find_date

DATELINE = "MINSK, April 12, 2017. /TASS/. The talks began."
YEARLESS = "MINSK, April 12. /TASS/. The talks began."
PROSE = "The council agreed to mend the breakwater before the first storms of the winter arrive."


def find(**clues):
    return find_date(DateClues(**clues))


def parse(text="", *, order=None, **fields):
    return parse_document(RawDocument("a.txt", text=text, **fields), Roster(()), order or DateOrder())


def test_order_of_the_cascade():
    everything = {
        "title": "Briefing, Minsk, May 2, 2016",
        "header": ["Monday, 9 May 2016 08:00"],
        "openings": [DATELINE],
        "closing": "10 May 2016",
        "listed": "2016-05-11",
        "url": "https://example.org/2015/03/02/talks",
        "name": "2015-03-01",
    }
    expected = [
        ("stated", ("2014-01-01", "day", "manifest")),
        ("openings", ("2017-04-12", "day", "dateline")),
        ("title", ("2016-05-02", "day", "title")),
        ("header", ("2016-05-09", "day", "header line")),
        ("closing", ("2016-05-10", "day", "closing line")),
        ("listed", ("2016-05-11", "day", "feed or sitemap")),
        ("url", ("2015-03-02", "day", "url")),
        ("name", ("2015-03-01", "day", "file name")),
    ]
    everything |= {"stated": "2014-01-01", "stated_in": "manifest"}
    for clue, found in expected:
        assert find(**everything) == found
        del everything[clue]
    assert find(stated="2014") == ("2014", "year", "metadata")
    assert find(url="https://example.org/2015/03/talks") == ("2015-03", "month", "url")
    assert find() == ("", "none", "no date in text or metadata")


def test_a_dateline_without_a_year_says_so_and_lets_a_whole_date_in():
    assert find(openings=[YEARLESS]) == ("", "none", "dateline without a year: April 12")
    found = find(openings=[YEARLESS], header=["13 Jun 2017, 09:00"])
    assert (found.date, found.precision) == ("2017-06-13", "day")
    assert found.source == "header line; dateline without a year: April 12"


def test_an_implausible_statement_is_passed_over_with_its_reason():
    found = find(stated="1066-10-14", title="Remarks, May 2, 2016")
    assert found == ("2016-05-02", "day", "title; metadata before 1900: 1066-10-14")


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
    found = find(header=header, openings=[YEARLESS], url=url)
    assert (found.date, found.source) == expected


def test_at_new_year_the_header_line_is_of_the_next_year():
    found = find(header=["2 January, 2018"], openings=["MINSK, December 30. /TASS/. The talks began."])
    assert (found.date, found.precision) == ("2017-12-30", "day")


def test_a_day_in_the_text_does_not_lend_its_year():
    text = "MINSK, April 12. /TASS/. The treaty of May 3, 2014 was in force, and 2015 was a good year."
    assert find(openings=[text]).date == ""


@pytest.mark.parametrize("source", ["manifest", "metadata"])
@pytest.mark.parametrize(("stated", "why"), [("2999-01-01", "in the future"), ("1899-12-31", "before 1900")])
def test_what_cannot_be_is_passed_over_wherever_it_stands(source, stated, why):
    found = find(stated=stated, stated_in=source, header=["14 Dec, 2016"])
    assert (found.date, found.source) == ("2016-12-14", f"header line; {source} {why}: {stated}")


def test_of_several_lines_that_of_publication_counts():
    assert find(header=["Updated: 17 May 2018", "Published: 15 May 2018"]).date == "2018-05-15"
    assert find(header=["17 May 2018", "Published: 15 May 2018"]).date == "2018-05-15"
    found = find(header=["15 May 2018", "17 May 2018"])
    assert found.date == "" and "one of several above the text" in found.source


def test_the_day_of_a_change_dates_no_page_and_a_text_only_if_it_says_so_itself():
    assert find(header=["Last updated: 15 May 2018"])[::2] == ("2018-05-15", "header line of the last update")
    for clues in (
        {"header": ["Last updated: 15 May 2018"], "is_page": True},
        {"header": ["Last modified: 2018-05-15"]},
    ):
        found = find(**clues)
        assert found.date == "" and "only gives the last change" in found.source


def test_a_title_that_names_a_day_far_from_that_of_the_page_talks_about_it():
    found = find(title="Statement, 9 May 1945", header=["9 May 2018"])
    assert found == ("2018-05-09", "day", "header line; title names another day: 9 May 1945")


def test_the_readings_of_a_numeric_date_are_decided_by_another_date_of_the_document():
    assert find(title="Press Briefing, 3/4/98", header=["March 4, 1998"]).date == "1998-03-04"
    found = find(title="Press Briefing, 3/4/98", header=["June 4, 1998"])
    assert found[:2] == ("1998", "year") and "order of day and month undecided" in found.source


@pytest.mark.parametrize(
    ("clues", "date", "source"),
    [
        ({}, "2018-05-15", "feed or sitemap"),
        ({"url": "https://a.example/2018/05/harbour"}, "2018-05-15", "feed or sitemap"),
        ({"posted": "2018"}, "2018-05-15", "feed or sitemap"),
        ({"header": ["May 2018"]}, "2018-05-15", "feed or sitemap"),
        ({"header": ["May 2017"]}, "2017-05", "header line"),
        ({"posted": "2018-05-12"}, "2018-05-12", "page metadata"),
        ({"header": ["12 May 2018"]}, "2018-05-12", "header line"),
        ({"stated": "2018"}, "2018", "metadata"),
    ],
)
def test_what_the_feed_says_counts_where_the_page_says_nothing_or_less(clues, date, source):
    found = find(listed="2018-05-15", **clues)
    assert (found.date, found.source) == (date, source)


def test_the_name_of_a_file_counts_where_the_text_says_nothing_or_less():
    assert parse(PROSE, name_date="2018-05-15").date_source == "file name"
    assert parse(f"Talks\nMay 2018\n\n{PROSE}", name_date="2018-05-15").date == "2018-05-15"
    assert parse(f"Talks\n12 May 2018\n\n{PROSE}", name_date="2018-05-15").date == "2018-05-12"


def test_dates_that_earlier_versions_found_anywhere_on_a_page_are_not_kept():
    assert parse(PROSE, date="2024-01-01", date_source="guess").date == ""


def test_lines_above_and_below_a_text_date_it_and_are_no_paragraphs():
    above = parse(f"Talks on the port\nLysmark, 15 May 2018\n\n{PROSE}")
    below = parse(f"Talks on the port\n\n{PROSE}\n\nLysmark, 15 May 2018")
    for document, source in ((above, "header line"), (below, "closing line")):
        assert (document.date, document.date_source) == ("2018-05-15", source)
        assert [p.text for p in document.paragraphs] == ["Talks on the port", PROSE]


def test_the_first_line_is_a_title_even_with_a_date_in_it():
    document = parse(f"Remarks, May 15, 2018\n\n{PROSE}")
    assert (document.title, document.date, document.date_source) == ("Remarks, May 15, 2018", "2018-05-15", "title")
    document = parse(f"Lysmark, 15 May 2018\nTalks on the port\n\n{PROSE}")
    assert (document.title, document.date) == ("Talks on the port", "2018-05-15")


def test_a_chronicle_has_no_date():
    text = f"What happened in the port\n\nMarch 2014\n\n{PROSE}\n\nApril 2014\n\n{PROSE} Nobody came."
    document = parse(text)
    assert document.date == "" and "one of several in the text" in document.date_source


def test_a_list_of_other_pages_below_the_text_makes_no_chronicle():
    text = f"Port opens\n15 May 2018\n\n{PROSE}\n\n15 May 2018\n\nBridge opened\n\n3 March 2021\n\nPier closed"
    assert parse(text).date == "2018-05-15"
    assert parse(f"{text}\n\n{PROSE} The pier is closed as well.").date == ""


def test_a_correction_below_the_text_does_not_date_it():
    text = f"Port opens\n\nMay 15, 2018 Tuesday\n\n{PROSE}\n\nCorrection: May 18, 2018, Friday\n\n{PROSE} It is 41."
    assert parse(text).date == "2018-05-15"


@pytest.mark.parametrize(
    "line",
    ["© 2024 Lysmark Post", "Version 2018-05-15", "Next session: 15 May 2019", "Today", "2018", "Founded in 1648"],
)
def test_nothing_else_dates_a_text(line):
    assert parse(f"Talks on the port\n{line}\n\n{PROSE}\n\n{line}").date == ""


def test_the_order_of_a_table_is_known_before_its_rows_are_parsed():
    rows = [RawDocument("a.csv", i, PROSE, date=day) for i, day in enumerate(["01/05/2018", "03/14/2018"], 1)]
    order = DateOrder()
    for row in rows:
        order = add_to_date_order(order, row)
    assert [parse_document(row, Roster(()), order).date for row in rows] == ["2018-01-05", "2018-03-14"]
    assert parse_document(rows[0], Roster(())).date_source == "metadata, order of day and month undecided"


def test_the_order_in_titles_is_known_by_series():
    titles = ["Press Briefing by A, 3/4/98", "Press Briefing by B, 3/24/98", "Port news, 3/4/98", "Port news, 24/3/98"]
    order = DateOrder()
    for title in titles:
        order = add_to_date_order(order, RawDocument("a.txt", text=f"{title}\n\n{PROSE}"))
    found = [parse(f"{title}\n\n{PROSE}", order=order).date for title in titles]
    assert found == ["1998-03-04", "1998-03-24", "1998-04-03", "1998-03-24"]


def test_the_day_of_posting_is_no_evidence_for_a_column():
    page = RawDocument("a.html", paragraphs=(RawParagraph(PROSE),), date="03/14/2018", date_source="posted")
    assert add_to_date_order(DateOrder(), page) == DateOrder()
