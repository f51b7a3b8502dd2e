"""Where a date stands decides whether it dates the text: lines, datelines, titles, addresses, names of files."""

from __future__ import annotations

import pytest

from narratives.parse.date_lines import find_dateline, find_name_date, find_title_date, find_url_date, read_date_line


@pytest.mark.parametrize(
    "text",
    [
        "14 Dec, 2016 03:57",
        "Wednesday, 14 December 2016 06:33",
        "December 14, 2016 Wednesday",
        "December 14, 2016, 3:40 p.m. EST",
        "December 14th, 2016 at 10:30am",
        "Wed 14 Dec 2016 14.03 GMT",
        "Wed, 14 Dec 2016 14:24:05 +0000",
        "2016-12-14T09:30:00Z",
        "12/14/2016",
        "14.12.2016, 14:30 Uhr",
        "10:30, 14 December 2016",
        "Lysmark, 14 December 2016",
        "Lysmark, den 14. Dezember 2016",
        "Lysmark, le 14 décembre 2016",
        "Лисмарк, 14 декабря 2016 года",
        "PORT LYSMARK, N.L., December 14, 2016",
        "LYSMARK (14 December 2016)",
        "14 December 2016 – Lysmark",
        "Date: December 14, 2016",
        "Published: 14 December 2016, 09:30 GMT",
        "First published 14 December 2016, last updated 17 January 2017",
        "14 December 2016 (updated 17 January 2017)",
        "14/12/2016 01:57 | Updated 16/12/2016 19:20",
        "Updated: December 17, 2016 08.30 AM Published: December 14, 2016 16:09",
        "Posted on December 14, 2016 by admin",
        "Press release, 14 December 2016",
        "Press Release 14/12/2016",
        "14 December 2016 | Press release No. 12",
        "For Immediate Release: Wednesday, December 14, 2016",
        "Delivered on December 14, 2016",
        "(As delivered on 14 December 2016)",
        "By Jorun Vale, 14 December 2016",
        "Jorun Vale | December 14, 2016",
        "Video | 14 December 2016 | 3 min",
        "1852-14-12-2016",
    ],
)
def test_a_line_with_a_date_and_what_belongs_to_it(text):
    line = read_date_line(text)
    assert line and line.parsed.date == "2016-12-14" and not line.is_update


@pytest.mark.parametrize(
    "text",
    [
        "On 14 Dec, 2016 they met.",
        "14 people came",
        "May we go?",
        "",
        "2016",
        "2015-2016",
        "Next meeting: 14 December 2016",
        "Event date: 14 December 2016",
        "Deadline: 14 December 2016",
        "Comments due by 14 December 2016",
        "Valid until 14 December 2016",
        "Accepted: 14 December 2016",
        "Effective 14 December 2016",
        "Born 14 December 2016",
        "Since 14 December 2016",
        "From 14 December 2016",
        "© 2016 Lysmark Post",
        "Copyright 14 December 2016",
        "Version 2016-12-14",
        "Version 14.12.16",
        "Correction: December 14, 2016, Wednesday",
        "Retrieved 14 December 2016",
        "Clock: today, 14 December 2016",
        "10-14 December 2016",
        "10 December 2016 - 14 December 2016",
        "The minister arrives in Lysmark on December 14, 2016",
        "December 14, 2016 - The minister arrives in Lysmark",
        "14 December 2016: the port opens its gates again",
        "No. 14, December 2016",
        "Tel. 14-12-2016",
        "Summer Games 2016",
        "Resolution 2334 (2016)",
    ],
)
def test_a_line_that_dates_something_else(text):
    assert read_date_line(text) is None


@pytest.mark.parametrize(
    ("text", "date"),
    [("May 2018", "2018-05"), ("Spring 2018", "2018"), ("Q2 2018", "2018"), ("05/06/2018", "2018"), ("15 May", "")],
)
def test_a_line_that_dates_less_exactly(text, date):
    assert read_date_line(text).parsed.date == date


def test_a_line_says_what_kind_of_day_it_gives():
    assert read_date_line("Published on 14 December 2016").is_published
    updated, stamp = read_date_line("Last updated: 14 December 2016"), read_date_line("Last modified: 2016-12-14")
    assert (updated.is_update, updated.is_stamp) == (True, False) and stamp.is_stamp
    assert read_date_line("Lysmark, 14 December 2016").is_bare
    # These may be the title of a text that has none yet.
    assert not read_date_line("Remarks, December 14, 2016").is_bare
    assert not read_date_line("Jorun Vale | December 14, 2016").is_bare


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LYSMARK, April 12, 2017. /NORDA/. The talks began.", ("April 12, 2017", "NORDA")),
        ("LYSMARK, April 12 (Norda) – The talks began.", ("April 12", "Norda")),
        ("Lysmark, 12 April 2017 - The talks began.", ("12 April 2017", "")),
        ("LYSMARK, 12 April 2017. The talks began.", ("12 April 2017", "")),
        ("LYSMARK, April 12, 2017: The talks began.", ("April 12, 2017", "")),
        ("LYSMARK (12 April 2017) – The talks began.", ("12 April 2017", "")),
        ("(Port Lysmark, NL – April 12, 2017) – The talks began.", ("April 12, 2017", "")),
        ("12 April 2017, Lysmark – The talks began.", ("12 April 2017", "")),
        ("LYSMARK, April 12, 2017 /NordaWire/ -- The talks began.", ("April 12, 2017", "NordaWire")),
        ("ЛИСМАРК, 12 апреля. /НОРДА/. Переговоры начались.", ("12 апреля", "НОРДА")),
        ("Лисмарк, 12 апреля 2017 г. – Переговоры начались.", ("12 апреля 2017", "")),
    ],
)
def test_datelines(text, expected):
    assert find_dateline(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "LYSMARK (Norda) — The port said that it would open.",
        "Lysmark, 9 May 1945. The war was over, and the bells rang.",  # the scene of a story
        "On 12 April 2017, the port opened.",
        "The harbour, May 15 - the largest of all - closed.",
        "May 15 was a Tuesday.",
    ],
)
def test_the_beginning_of_a_sentence_is_no_dateline(text):
    assert find_dateline(text) is None


@pytest.mark.parametrize(
    "title",
    [
        "Press Briefing by Jorun Vale, December 14, 2016",
        "Press Briefing by Jorun Vale, Wednesday, December 14, 2016, 1:05 P.M.",
        "PRESS BRIEFING BY JORUN VALE DECEMBER 14, 2016",
        "Press Briefing by Jorun Vale 12/14/16",
        "Press Briefing by Jorun Vale, 12-14-2016",
        "Press Briefing by Jorun Vale, December 14th, 2016, #1",
        "Press Briefing by Jorun Vale, 12/14/16 and Others",
        "Press Briefing by Jorun Vale December 14, 2016 Index",
        "Press Briefing by Jorun Vale on December 14, 2016",
        "Press Briefing by Jorun Vale [December 14, 2016]",
        "Press Briefing (December 14, 2016) by Jorun Vale",
        "Press Briefing of December 14, 2016 with the Harbour Master",
        "Daily Press Briefing: December 14, 2016",
        "Daily Press Briefing for December 14, 2016",
        "Press Briefing - December 14, 2016 - Port Lysmark",
        "12/14/16 Press Briefing by Jorun Vale",
        "December 14, 2016: Press Briefing by Jorun Vale",
        "2016-12-14 Press Briefing",
        "Background Briefing on the Summit, December 14, 2016",
        "Press Briefing on the Budget by Jorun Vale, December 14, 2016, at Port Lysmark",
        "Background Press Call on the Summit, December 14, 2016",
        "Press Briefing by Jorun Vale (Port Lysmark) December 14, 2016",
        "Statement on the strike, 14 December 2016",
        "Transcript of the press conference of 14 December 2016",
        "Interview with Jorun Vale (14.12.2016)",
        "Remarks delivered on 14 December 2016 at the Forum",
        "Брифинг официального представителя, Лисмарк, 14 декабря 2016 года",
        "Pressekonferenz vom 14. Dezember 2016",
        "Point de presse du 14 décembre 2016",
        "Rueda de prensa del 14 de diciembre de 2016",
    ],
)
def test_the_date_of_a_text_in_its_title(title):
    assert find_title_date(title)[1].date == "2016-12-14"


@pytest.mark.parametrize(
    "title",
    [
        "Statement on the Anniversary of 14 December 1944",
        "Remarks on the Anniversary of the Landing, December 14, 1944",
        "Speech on the sixtieth anniversary of the liberation, 14 December 2004",
        "Statement on Victory Day December 14, 1944",
        "Remarks on December 14, 1944",
        "Remarks marking 14 December 1944",
        "Message about 14 December 1944",
        "In memory of December 14, 1944",
        "The treaty of December 14, 1944 and its legacy",
        "The fall of the wall, December 14, 1989",
        "The surrender, December 14, 1944, and what followed",
        "14 December 1944: The day the war ended",
        "Interview on the events of December 14, 1991",
        "Briefing on the incident of 14 December 2016",
        "Press release on the meeting of 14 December 2016",
        "Report on the shooting of December 14, 2016 in the port",
        "Statement following the attack of 14 December 2016",
        "What happened on 14 December 2016",
        "Comment on the 10-14 December 2016 summit",
    ],
)
def test_a_date_that_a_title_only_talks_about(title):
    assert find_title_date(title)[1] == ("", "names a day that may be its subject", ())


@pytest.mark.parametrize("title", ["Building again after flood-19, part 1", "News of the port", "Report 2016"])
def test_a_title_without_a_date(title):
    assert find_title_date(title) is None


def test_the_order_in_a_title_is_that_of_its_series():
    assert find_title_date("Press Briefing, 3/4/98")[1].date == "1998"
    assert find_title_date("Press Briefing, 3/4/98", "month")[1].date == "1998-03-04"


@pytest.mark.parametrize(
    ("url", "date"),
    [
        ("https://a.example/2018/05/18/navy.html", "2018-05-18"),
        ("https://a.example/2018/5/8/navy", "2018-05-08"),
        ("https://a.example/2018/may/15/harbour", "2018-05-15"),
        ("https://a.example/politics/20180515/433237113094/harbour.html", "2018-05-15"),
        ("https://a.example/2018-05-15/harbour", "2018-05-15"),
        ("https://a.example/2018-05-15-harbour", "2018-05-15"),
        ("https://a.example/news/t20180515_812.html", "2018-05-15"),
        ("https://a.example/2018/05/harbour", "2018-05"),
        ("https://a.example/2018/05", "2018-05"),
        ("https://a.example/journal/2018/05/92713", "2018-05"),  # a number, not the ninth day
        ("https://a.example/blog/harbour-api-2016-07-notes", ""),
        ("https://a.example/minutes-2018-05-15", ""),
        ("https://a.example/v2018-05-15/", ""),
        ("https://a.example/2018/5/harbour", ""),  # perhaps the fifth issue
        ("https://a.example/elections/2018/results", ""),
        ("https://a.example/2018/13/15/x", ""),
        ("https://a.example/id/20181301/", ""),
        ("https://a.example/x?date=2018-05-15", ""),
        ("http://[broken/2018/05/15/", ""),
        ("", ""),
    ],
)
def test_dates_in_addresses(url, date):
    assert find_url_date(url) == date


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("2015-01-31-talks.txt", "2015-01-31"),
        ("20180319_Harbour_Story.txt", "2018-03-19"),
        ("talks 19.03.2018.txt", "2018-03-19"),
        ("speech_15May2018.txt", "2018-05-15"),
        ("May 15, 2018.txt", "2018-05-15"),
        ("debates2018-05-15a.txt", "2018-05-15"),
        ("report-2018-05.txt", "2018-05"),
        ("03-04-2018.txt", ""),  # March or April
        ("2018-03-19 to 2018-03-20.txt", ""),
        ("20183119.txt", ""),
        ("12345678.txt", ""),
        ("flood-19.txt", ""),
        ("2018.txt", ""),
    ],
)
def test_dates_in_names_of_files(name, date):
    assert find_name_date(name) == date


@pytest.mark.parametrize("part", ["May 15, ", "A, ", "2018-05-", "a | ", "12/14/", "/2018", "Press Briefing, "])
def test_no_text_takes_long(part):  # a slow pattern would meet the time limit of pytest
    text = part * 30_000
    assert read_date_line(text) is None and find_dateline(text) is None
    assert find_title_date(text) is None or not find_title_date(text)[1].date
    assert not find_name_date(text) and len(find_url_date(f"https://a.example/{text}")) in (0, 7, 10)
