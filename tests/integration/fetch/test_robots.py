"""robots.txt is asked for once, obeyed, and its failure means waiting (RFC 9309)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.fetch.client import RateLimiter, RobotsRules
from narratives.fetch.records import Clock, CrawlPolicy, FetchedPage, FetchError
from tests.helpers.webserver import Answer, get, page, redirect, serve, why


@pytest.fixture
def site():
    with serve() as site:
        site.routes |= {"/a": page("a"), "/private/b": page("b")}
        yield site


def rules(text: str) -> Answer:
    return Answer(text.encode(), headers={"Content-Type": "text/plain"})


def test_what_is_disallowed_is_not_asked_for(site, tmp_path):
    site.routes["/robots.txt"] = rules("User-agent: *\nDisallow: /private/\n")
    report = get(site, tmp_path, "/a", "/private/b")
    assert report.counts == {"new": 1} and "one that it disallows" in why(report)
    assert [path for path, _ in site.requests] == ["/robots.txt", "/a"]


def test_our_own_rules_go_before_those_for_all(site, tmp_path):
    text = "User-agent: *\nDisallow: /\n\nUser-agent: narrative-tracker\nDisallow: /private/\n"
    site.routes["/robots.txt"] = rules("\ufeff" + text)
    assert get(site, tmp_path, "/a", "/private/b").counts == {"new": 1}


def test_a_redirect_into_what_is_disallowed_is_not_followed(site, tmp_path):
    site.routes["/robots.txt"] = rules("User-agent: *\nDisallow: /private/\n")
    site.routes["/c"] = redirect("/private/b")
    assert "one that it disallows" in why(get(site, tmp_path, "/c"))
    assert site.asked() == ["/c"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_robots_txt_allows_all(site, tmp_path, status):
    site.routes["/robots.txt"] = Answer(b"Disallow: /", status)
    assert get(site, tmp_path, "/a").counts == {"new": 1}


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_robots_txt_allows_nothing_for_now(site, tmp_path, status):
    site.routes["/robots.txt"] = Answer(b"", status)
    report = get(site, tmp_path, "/a", "/private/b")
    assert len(report.failures) == 2 and f"{status} " in report.failures[0].reason
    assert "robots.txt" in report.failures[0].reason and site.asked() == []
    assert len(site.requests) == 4


def test_a_robots_txt_that_passes_on_to_another_is_followed(site, tmp_path):
    site.routes |= {"/robots.txt": redirect("/other.txt"), "/other.txt": rules("User-agent: *\nDisallow: /a\n")}
    assert "one that it disallows" in why(get(site, tmp_path, "/a"))


def test_a_robots_txt_elsewhere_is_not_asked_for(site, tmp_path):
    site.routes["/robots.txt"] = redirect("http://10.0.0.1/robots.txt")
    assert "10.0.0.1" in why(get(site, tmp_path, "/a")) and site.asked() == []


@pytest.mark.parametrize(
    ("text", "pause"), [("Crawl-delay: 7", 7), ("Crawl-delay: 0.1", 1), ("Request-rate: 1/12s", 12)]
)
def test_the_pace_that_it_asks_for(site, tmp_path, text, pause):
    site.routes["/robots.txt"] = rules(f"User-agent: *\n{text}\nAllow: /\n")
    assert get(site, tmp_path, "/a", "/private/b").counts == {"new": 2}
    # The first page comes right after robots.txt itself, before which nothing was known.
    assert pause - 0.3 < site.clock.slept[-1] <= pause


def test_a_pace_that_never_ends_is_told(site, tmp_path):
    site.routes["/robots.txt"] = rules("User-agent: *\nCrawl-delay: 86400\n")
    assert (
        "a crawl delay of up to 600 s in robots.txt; got 86,400 s" in why(get(site, tmp_path, "/a"))
        and site.asked() == []
    )


class Canned:
    """In place of the client: robots.txt as given."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def get(self, url, *terms):
        return FetchedPage(url, url, 200, (), self.body)


@settings(max_examples=200)
@given(st.one_of(st.binary(), st.text(alphabet="User-agent:*\n Dislow/Crydeq1.$%", max_size=200).map(str.encode)))
def test_any_bytes_are_some_rules(body):
    robots = RobotsRules(Canned(body), RateLimiter(CrawlPolicy(), Clock()), CrawlPolicy())
    with suppress(FetchError):
        robots.check_permission("http://example.org/a?b=c")
