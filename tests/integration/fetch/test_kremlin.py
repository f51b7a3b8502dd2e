"""en.kremlin.ru by date: the walk back through its listings."""

from __future__ import annotations

import re
import tarfile
from datetime import date

import pytest

from narratives.fetch.records import DateRange, FetchedPage, FetchError
from narratives.fetch.sources import list_events, read_event_listing
from narratives.model import UsageError
from tests.helpers.webserver import Answer, get, serve


@pytest.fixture
def site():
    with serve() as site:
        yield site


def block(number: int, day: str) -> str:
    link = f'<h3><a href="/events/president/news/{number}">x</a></h3>'
    return f'<div class="hentry">{link}<time datetime="{day}">then</time></div>'


def listing(*events: tuple[int, str]) -> str:
    menu = '<a href="/events/president/news">N</a><a href="/events/councils/5">C</a><a href="mailto:a@b">m</a>'
    return f"<html><body>{menu}{''.join(block(*event) for event in events)}</body></html>"


EVENTS = [(5, "2016-11-10"), (4, "2016-11-10"), (3, "2016-11-09"), (2, "2016-11-05"), (1, "2016-10-31")]


def up_to(day: str, shown: int) -> str:
    return listing(*[event for event in EVENTS if event[1] <= day][:shown])


@pytest.mark.parametrize("shown", [1, 2, 3, 20])
def test_the_walk_back_finds_every_event_however_many_a_listing_shows(shown):
    looked = []

    def look(url):
        assert url.startswith("http://en.kremlin.ru/events/president/news/by-date/")
        day, month, year = url.rpartition("/")[2].split(".")
        looked.append(f"{year}-{month}-{day}")
        return FetchedPage(url, url, 200, (), up_to(looked[-1], max(shown, 2)).encode())

    found = list_events(DateRange.parse("2016-11-01", "2016-11"), date(2016, 11, 12), look)
    assert [entry.url.rpartition("/")[2] for entry in found.entries] == ["5", "4", "3", "2"]
    assert found.entries[0].published == "2016-11-10" and looked[0] == "2016-11-12"
    assert len(looked) == len(set(looked)) and found.failures == ()


def test_listings_of_single_days_are_walked_day_by_day():
    looked = []

    def look(url):
        looked.append(url)
        day, month, year = url.rpartition("/")[2].split(".")
        events = [event for event in EVENTS if event[1] == f"{year}-{month}-{day}"]
        return FetchedPage(url, url, 200, (), listing(*events).encode())

    found = list_events(DateRange.parse("2016-11-01", "2016-11-10"), date(2020, 1, 1), look)
    assert len(found.entries) == 4 and len(looked) == 10


def test_a_day_with_more_events_than_a_listing_shows_is_told():
    full = listing(*((n, "2016-11-10") for n in range(20))).encode()
    found = list_events(
        DateRange.parse("2016-11-10", "2016-11-10"), date(2020, 1, 1), lambda url: FetchedPage(url, url, 200, (), full)
    )
    assert len(found.entries) == 20 and "fewer than 20 events of one day; got 20" in found.failures[0].reason


def test_a_listing_that_fails_is_told_and_a_tired_host_left_alone():
    def look(url):
        raise FetchError("a page", "403 Forbidden", "Later.", status=403)

    found = list_events(DateRange.parse("2016", "2016"), date(2020, 1, 1), look)
    assert found.entries == () and len(found.failures) == 1


def test_an_event_without_a_date_of_its_own_is_kept():
    link = '<div><a href="{}">x</a><time datetime="2016-01-01T10:00">a</time>{}</div>'
    two = link.format("/events/president/news/7", '<time datetime="2016-01-02">b</time>')
    assert read_event_listing(two.encode(), "http://en.kremlin.ru/") == {"7": ""}
    transcript = link.format("http://en.kremlin.ru/events/president/transcripts/8#sel=1", "")
    assert read_event_listing(transcript.encode(), "http://en.kremlin.ru/") == {"8": "2016-01-01"}


def test_kremlin_needs_a_beginning(site, tmp_path):
    with pytest.raises(UsageError, match="--from"):
        get(site, tmp_path, source="kremlin")


@pytest.mark.shared
def test_kremlin_against_the_pages_of_its_mirror(site, tmp_path, shared):
    events: list[tuple[int, str]] = []
    with tarfile.open(shared / "corpora/kremlin_en_pages.tar.gz") as pages:
        for member in pages:
            number = member.name.rpartition("/")[2].removesuffix(".html")
            if number.isdigit():
                body = pages.extractfile(member).read()
                day, month, year = re.search(rb"by-date/(\d\d)\.(\d\d)\.(\d{4})", body).groups()
                events.append((int(number), f"{year.decode()}-{month.decode()}-{day.decode()}"))
                site.routes[f"/events/president/news/{number}"] = Answer(body)
    events.sort(key=lambda event: event[1], reverse=True)

    def by_date(handler):
        day, month, year = handler.path.rpartition("/")[2].split(".")
        Answer(listing(*[e for e in events if e[1] <= f"{year}-{month}-{day}"][:20]).encode()).send(handler)

    class Dated(dict):
        def get(self, path, default=None):
            return by_date if "/by-date/" in path else super().get(path, default)

    site.routes = Dated(site.routes)
    port = int(site.host.split(":")[1])
    report = get(
        site,
        tmp_path,
        source="kremlin",
        date_from="2017",
        date_to="2017",
        resolve=lambda host, _: [("127.0.0.1", port)],
        allow_hosts=("en.kremlin.ru",),
    )
    inside = [number for number, day in events if day.startswith("2017")]
    assert report.counts == {"new": len(inside)} and len(inside) > 30 and report.failures == ()
    kept = {path.read_bytes() for path in (tmp_path / "in/en.kremlin.ru").glob("*.html")}
    assert kept == {site.routes[f"/events/president/news/{number}"].body for number in inside}
