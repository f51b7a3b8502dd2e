"""How fetching meets each way in which a server can behave."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from narratives.fetch.archive import Archive
from narratives.fetch.client import USER_AGENT, build_user_agent
from narratives.model import UsageError
from tests.helpers.webserver import HASTY, Answer, addresses, bodies, get, page, redirect, serve, why


@pytest.fixture
def site():
    with serve() as site:
        yield site


def test_a_page_is_kept_as_sent(site, tmp_path):
    site.routes["/a"] = page("Grüße")
    report = get(site, tmp_path, "/a")
    assert report.counts == {"new": 1} and report.failures == ()
    assert bodies(tmp_path) == [site.routes["/a"].body]
    record = Archive(tmp_path / "in").find(site.url("/a"))
    assert ("Content-Type", "text/html; charset=utf-8") in record.headers
    assert record.status == 200 and record.fetched_at.startswith("2023-11-14T")


def test_we_say_who_we_are(site, tmp_path):
    site.routes["/a"] = page()
    get(site, tmp_path, "/a")
    assert [headers["User-Agent"] for _, headers in site.requests] == [USER_AGENT, USER_AGENT]
    assert USER_AGENT.startswith("narrative-tracker/")
    assert "Cookie" not in site.requests[1][1] and "Authorization" not in site.requests[1][1]


def test_we_say_whom_to_turn_to():
    assert build_user_agent("") == USER_AGENT
    for contact in ("https://example.org/about-us?x=1", "ann@example.org"):
        assert build_user_agent(contact) == f"{USER_AGENT[:-1]}; contact: {contact})"


@pytest.mark.parametrize("contact", ["Ann", "ann @example.org", "a@b\r\nX: y", "a@b)", "ftp://x", "ä@b.de", "@"])
def test_a_contact_that_is_none_is_refused(contact):
    with pytest.raises(UsageError, match="--contact"):
        build_user_agent(contact)


def test_a_host_rests_a_second_between_requests(site, tmp_path):
    site.routes |= {f"/{n}": page() for n in range(3)}
    get(site, tmp_path, "/0", "/1", "/2")
    # robots.txt and three pages: three rests, each what is left of a second.
    assert len(site.clock.slept) == 3 and all(0.8 < wait <= 1.0 for wait in site.clock.slept)


def test_slow_answers_are_given_up_on_and_tried_again(site, tmp_path):
    def sleep(handler):
        time.sleep(0.5)
        handler.close_connection = True

    site.routes["/slow"] = [sleep, page("at last")]
    assert get(site, tmp_path, "/slow").counts == {"new": 1}
    site.routes["/never"] = sleep
    report = get(site, tmp_path, "/never")
    assert "no answer, 4 times" in why(report) and len(site.asked("/never")) == 4


def test_an_answer_that_drips_for_ever_is_given_up_on(site, tmp_path):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"a")
            time.sleep(0.02)

    site.routes["/drip"] = drip
    began = time.monotonic()
    report = get(site, tmp_path, "/drip", policy=type(HASTY)(silence=0.3, deadline=0.3, attempts=2))
    assert "still incomplete, 2 times" in why(report) and time.monotonic() - began < 5


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 451, 505, 999])
def test_an_answer_that_is_no_page_is_told_and_not_tried_again(site, tmp_path, status):
    site.routes["/a"] = Answer(b"no" if status != 204 else b"", status)
    report = get(site, tmp_path, "/a")
    assert str(status) in why(report) and report.archived == 0
    assert site.asked() == ["/a"] and bodies(tmp_path) == []


def test_429_waits_as_many_seconds_as_asked(site, tmp_path):
    site.routes["/a"] = [Answer(status=429, headers={"Retry-After": "17"}), page()]
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    assert 17.0 in site.clock.slept


def test_429_waits_until_the_date_that_is_asked(site, tmp_path):
    until = formatdate(site.clock.clock().now() + 60, usegmt=True)
    site.routes["/a"] = [Answer(status=429, headers={"Retry-After": until}), page()]
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    assert 50 < max(site.clock.slept) <= 61


@pytest.mark.parametrize("wish", ["soon", "", "-5", "Wed, 99 Foo 2020", "1 Jan 0000"])
def test_a_retry_after_that_says_nothing_is_passed_over(site, tmp_path, wish):
    site.routes["/a"] = [Answer(status=429, headers={"Retry-After": wish}), page()]
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    assert max(site.clock.slept) <= 2.0


def test_a_wish_to_be_left_alone_for_long_is_respected(site, tmp_path):
    site.routes["/a"] = Answer(status=429, headers={"Retry-After": "86400"})
    report = get(site, tmp_path, "/a")
    assert "wait 86,400 s" in why(report)
    assert len(site.asked()) == 1 and sum(site.clock.slept) < 5


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_500_is_tried_again_and_again_later(site, tmp_path, status):
    site.routes["/a"] = [Answer(status=status), Answer(status=status), page()]
    site.routes["/b"] = Answer(status=status)
    report = get(site, tmp_path, "/a", "/b")
    assert report.counts == {"new": 1} and f"{status} " in why(report) and "4 times" in why(report)
    assert [wait for wait in site.clock.slept if wait >= 2] == [2, 4, 2, 4, 8]


def test_a_host_that_fails_again_and_again_is_left_alone(site, tmp_path):
    site.routes |= {f"/{n}": Answer(status=403) for n in range(14)}
    report = get(site, tmp_path, *(f"/{n}" for n in range(14)))
    assert len(site.asked()) == 10 and len(report.failures) == 14
    assert "10 failures in a row" in report.failures[-1].reason


def test_missing_pages_do_not_count_against_their_host(site, tmp_path):
    site.routes["/last"] = page()
    report = get(site, tmp_path, *(f"/{n}" for n in range(12)), "/last")
    assert report.counts == {"new": 1} and len(report.failures) == 12


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_the_asked_address_stays(site, tmp_path, status):
    site.routes |= {"/a": redirect("b/c", status), "/b/c": redirect(site.url("/d"), status), "/d": page()}
    assert get(site, tmp_path, "/a").counts == {"new": 1}
    record = Archive(tmp_path / "in").find(site.url("/a"))
    assert (record.url, record.final_url) == (site.url("/a"), site.url("/d"))


def test_a_redirect_loop_ends(site, tmp_path):
    site.routes |= {"/a": redirect("/b"), "/b": redirect("/a"), "/self": redirect("/self#x")}
    report = get(site, tmp_path, "/a", "/self")
    assert all("circular redirects" in failure.reason for failure in report.failures)
    assert site.asked() == ["/a", "/b", "/self"]


def test_an_endless_chain_of_redirects_ends(site, tmp_path):
    site.routes |= {f"/{n}": redirect(f"/{n + 1}") for n in range(50)}
    assert "more than 10 redirects" in why(get(site, tmp_path, "/0"))


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://other.example/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "data:text/html,a",
        "http://user@127.0.0.1/",
        "",
    ],
)
def test_a_redirect_to_where_we_may_not_go_is_refused(site, tmp_path, location):
    site.routes["/a"] = redirect(location)

    def only_numbers(host, port):
        assert host == "127.0.0.1", "a host that was not named was even looked up"
        return [(host, port)]

    report = get(site, tmp_path, "/a", resolve=only_numbers)
    assert len(report.failures) == 1 and report.archived == 0 and bodies(tmp_path) == []


def test_a_private_address_needs_to_be_allowed_even_as_the_source(site, tmp_path):
    site.routes["/a"] = page()
    report = get(site, tmp_path, "/a", allow_hosts=())
    assert f"--allow-host {site.host}" in why(report) and site.requests == []


def test_a_name_that_turns_to_a_private_address_is_refused_at_each_request(site, tmp_path):
    """DNS rebinding: what was checked is what is connected to, and it is checked every time."""
    port = int(site.host.split(":")[1])
    site.routes |= {"/a": page(), "/b": page()}
    looks = iter(["127.0.0.1"] * 8)
    answers = []

    def rebind(host, asked_port):
        answers.append(next(looks) if len(answers) < 4 else "10.0.0.1")
        return [(answers[-1], port)]

    urls = addresses(tmp_path, "http://rebinding.example/a", "http://rebinding.example/b")
    report = get(site, tmp_path, source=urls, resolve=rebind, allow_hosts=())
    assert len(report.failures) == 2 and site.requests == []
    assert "127.0.0.1, which is private" in report.failures[0].reason


def test_the_connection_goes_to_the_address_that_was_checked(site, tmp_path, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError(f"looked up again: {args}")

    site.routes["/a"] = page()
    port = int(site.host.split(":")[1])
    real = __import__("socket").getaddrinfo
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda host, *rest, **more: real(host, *rest, **more) if host == "127.0.0.1" else never(host),
    )
    urls = addresses(tmp_path, "http://named.example/a")
    report = get(
        site, tmp_path, source=urls, resolve=lambda host, _: [("127.0.0.1", port)], allow_hosts=("named.example",)
    )
    assert report.counts == {"new": 1}
    assert site.requests[-1][1]["Host"] == "named.example"
