"""One GET done well: checked at every hop, paced, retried with patience, read within limits."""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse

from narratives import __version__
from narratives.model import UsageError
from narratives.read.web.body import read_body
from narratives.read.web.guard import Guard, Target, host_of, normal
from narratives.read.web.pace import Pace
from narratives.read.web.records import Clock, FetchError, Manners, Page

# What robots.txt rules may call us, and how we introduce ourselves.
TOKEN = "narrative-tracker"
USER_AGENT = f"{TOKEN}/{__version__} (open-source research reader; its name in robots.txt is {TOKEN})"
_CONTACT = re.compile(r"https?://[!-'*-~]+|[!-'*-?A-~]+@[!-'*-?A-~]+")
HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/pdf;q=0.8,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}
NO_HEADERS: Mapping[str, str] = {}
REDIRECTS = (301, 302, 303, 307, 308)
RETRIED = (408, 425, 429, 500, 502, 503, 504)
FIRST_BACKOFF = 2.0
LATER = "Run the same command again later."

Check = Callable[[Page], None]
Permit = Callable[[str], None]


class Client:
    """Fetches single addresses; knows nothing of sources, archives or robots.txt."""

    def __init__(
        self, guard: Guard, pace: Pace, manners: Manners, clock: Clock, agent: str = USER_AGENT
    ) -> None:
        self._agent = agent
        self._guard, self._pace, self._manners, self._clock = guard, pace, manners, clock
        self._pools: dict[tuple[str, str, int, tuple[str, int]], HTTPConnectionPool] = {}

    def get(
        self, url: str, *, limit: int, permit: Permit, accept: Check, extra: Mapping[str, str] = NO_HEADERS
    ) -> Page:
        """The answer to a GET of a `normal` address, redirects followed, body read where it is a 200.

        `permit` is asked about each hop before it is taken, `accept` about the head of a 200 before its body
        is read: either may raise. `limit` is in bytes; `extra` are headers to send. Answers such as 404 are
        returned; raises FetchError where there is none to be had.
        """
        hops = [url]
        while True:
            # Before robots.txt is asked for, which lies on the same host.
            self._guard.check(hops[-1])
            permit(hops[-1])
            page = self._patiently(hops[-1], limit, accept, extra)
            if page.status not in REDIRECTS:
                return replace(page, url=url)
            following = normal(_location(page), base=hops[-1])
            if following in hops:
                raise FetchError("a page", f"redirects in a circle by way of {following}", "Give another.")
            if len(hops) > self._manners.redirects:
                raise FetchError("a page", f"more than {self._manners.redirects} redirects", "Give another.")
            hops.append(following)

    def close(self) -> None:
        """Close the connections that are kept open."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _patiently(self, url: str, limit: int, accept: Check, extra: Mapping[str, str]) -> Page:
        """One hop, tried again after passing failures: later each time, and not before the server says."""
        last = self._manners.attempts
        for attempt in range(1, last + 1):
            asked = 0.0
            try:
                page = self._once(url, limit, accept, extra)
            except FetchError as error:
                if not error.passing:
                    raise
                fault = error
            else:
                if page.status not in RETRIED:
                    return page
                fault = FetchError("a page", said(page.status), LATER, passing=True, status=page.status)
                asked = self._retry_after(page)
            if asked > self._manners.longest_wait:
                raise _because(fault, f" and the wish to be left alone for {asked:,.0f} s")
            if attempt == last:
                raise _because(fault, f", {last} times")
            self._clock.sleep(max(asked, FIRST_BACKOFF * 2 ** (attempt - 1)))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, url: str, limit: int, accept: Check, extra: Mapping[str, str]) -> Page:
        target = self._guard.check(url)
        with self._pace.turn(host_of(url)):
            deadline = self._clock.elapsed() + self._manners.deadline
            try:
                response = self._open(target, extra)
                try:
                    page = Page(url, url, response.status, tuple(response.headers.items()))
                    if page.status != HTTPStatus.OK:
                        return page
                    accept(page)
                    body = read_body(response, limit, deadline, self._clock)
                    response.release_conn()
                    return replace(page, body=body)
                finally:
                    # Once released this does nothing; before, what is left of the body is not read at all.
                    if response.connection is not None:
                        response.close()
            except HTTPError as error:
                raise _in_words(error) from error

    def _open(self, target: Target, extra: Mapping[str, str]) -> BaseHTTPResponse:
        """Send the request to the first of the checked addresses that takes a connection."""
        headers = {**HEADERS, "User-Agent": self._agent, "Host": target.authority, **extra}
        for number, address in enumerate(target.addresses, 1):
            try:
                return self._pool(target, address).urlopen(
                    "GET",
                    target.path,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                )
            except (NewConnectionError, ConnectTimeoutError):
                if number == len(target.addresses):
                    raise
        raise FetchError("a host with an address", f"none for {target.host}", "Check the name.", passing=True)

    def _pool(self, target: Target, address: tuple[str, int]) -> HTTPConnectionPool:
        key = (target.scheme, target.host, target.port, address)
        if key not in self._pools:
            patience = Timeout(connect=self._manners.connect, read=self._manners.silence)
            self._pools[key] = (
                HTTPConnectionPool(*address, timeout=patience)
                if target.scheme == "http"
                else HTTPSConnectionPool(
                    *address,
                    timeout=patience,
                    ssl_context=_tls(),
                    # The connection goes to a number; the certificate must still be the named host's.
                    server_hostname=target.host,
                    assert_hostname=target.host,
                )
            )
        return self._pools[key]

    def _retry_after(self, page: Page) -> float:
        """Seconds that a Retry-After header asks for, be it a number or a date; 0 where it says neither."""
        text = page.header("Retry-After").strip()
        if text.isdecimal():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, math.ceil(aware.timestamp() - self._clock.now()))


def introduce(contact: str) -> str:
    """The user agent, with the address or email to turn to, if any; raises UsageError where it is neither."""
    if not contact:
        return USER_AGENT
    if not _CONTACT.fullmatch(contact):
        todo = "Give an address on the web or an email address, without spaces or brackets."
        raise UsageError("--contact URL_OR_EMAIL", repr(contact), todo)
    return f"{USER_AGENT[:-1]}; contact: {contact})"


def said(status: int) -> str:
    """A status in words: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"


def _because(fault: FetchError, more: str) -> FetchError:
    return FetchError(fault.expected, fault.got + more, fault.todo, passing=True, status=fault.status)


def _location(page: Page) -> str:
    text = page.header("Location")
    if not text:
        raise FetchError("a redirect to somewhere", f"{said(page.status)} without Location", "Give another.")
    try:
        # Headers come as Latin-1; servers that do not escape write UTF-8.
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _in_words(error: HTTPError) -> FetchError:
    if isinstance(error, SSLError):
        return FetchError("a valid certificate", str(error), "Do not trust the page before it is mended.")
    # In urllib3 a refused connection is also a kind of timeout.
    is_refused = isinstance(error, NewConnectionError)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError) and not is_refused:
        return FetchError("an answer in time", "silence", LATER, passing=True)
    if isinstance(error, IncompleteRead) or isinstance(error.__context__, IncompleteRead):
        return FetchError("a whole page", "a connection cut half-way", LATER, passing=True)
    return FetchError("an answer", f"a failed connection ({error})", LATER, passing=True)


@cache
def _tls() -> ssl.SSLContext:
    # The system's authorities, and certifi's where the system has none of its own.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
