"""robots.txt, asked for once per host and run (RFC 9309)."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from narratives.read.web.client import LATER, TOKEN, Client, said
from narratives.read.web.guard import host_of
from narratives.read.web.pace import Pace
from narratives.read.web.records import FetchError, Manners, Page

# RFC 9309 asks to read at least 500 KiB.
MAX_BYTES = 1 << 20


class Robots:
    """Says whether robots.txt lets us fetch, and slows the pace where it asks for that."""

    def __init__(self, client: Client, pace: Pace, manners: Manners) -> None:
        self._client, self._pace, self._manners = client, pace, manners
        self._rules: dict[str, Protego | FetchError] = {}

    def permit(self, url: str) -> None:
        """Raise FetchError where a `normal` address is disallowed, or its host must be left alone for now.

        A robots.txt that does not exist (4xx) allows all; one that cannot be had (5xx, silence, a redirect to
        where we may not go) allows nothing for the rest of the run.
        """
        parts = urlsplit(url)
        origin = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
        if origin not in self._rules:
            self._rules[origin] = self._learn(origin)
        rules = self._rules[origin]
        if isinstance(rules, FetchError):
            raise rules.with_traceback(None)
        if not rules.can_fetch(url, TOKEN):
            raise FetchError("a page that robots.txt allows", "one that it disallows", "Leave it out.")

    def _learn(self, origin: str) -> Protego | FetchError:
        try:
            page = self._client.get(origin, limit=MAX_BYTES, permit=_anything, accept=_any_type)
            if page.status != HTTPStatus.OK and not 400 <= page.status < 500:
                raise FetchError("robots.txt", said(page.status), LATER, passing=True)
        except FetchError as error:
            got = f"{error.got} for {origin}"
            return FetchError("rules in robots.txt", got, error.todo, passing=error.passing)
        rules = Protego.parse(page.body.decode("utf-8-sig", errors="replace"))
        delay = self._delay(rules)
        if delay > self._manners.longest_delay:
            got = f"the wish for one request in {delay:,.0f} s"
            return FetchError("a pace that ends some day", got, "Ask the owner of the site.")
        self._pace.slow(host_of(origin), delay)
        return rules

    def _delay(self, rules: Protego) -> float:
        asked = [rules.crawl_delay(TOKEN) or 0.0]
        if rate := rules.request_rate(TOKEN):
            asked.append(rate.seconds / rate.requests)
        return max(asked)


def _anything(url: str) -> None:
    """robots.txt itself needs no permission."""


def _any_type(page: Page) -> None:
    """Whatever type it is sent as: a page of HTML holds no rules and so allows all."""
