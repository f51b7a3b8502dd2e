"""One request at a time to a host, with a pause after each answer."""

from __future__ import annotations

import math
import re
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import certifi
from protego import Protego
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
from narratives.fetch.host_policy import ConnectionTarget, HostPolicy, get_host, normalise_url
from narratives.fetch.records import Clock, CrawlPolicy, FetchedPage, FetchError
from narratives.model import UsageError


class RateLimiter:
    """Waits before a request until its host has rested; the pause is counted from the end of an answer."""

    def __init__(self, manners: CrawlPolicy, clock: Clock) -> None:
        self._least, self._clock = manners.between, clock
        self._delays: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def slow(self, host: str, seconds: float) -> None:
        """Let a host rest longer than usual; a shorter time than usual changes nothing."""
        self._delays[host] = max(seconds, self._least)

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for the host's turn, then make one request inside the block."""
        wait = self._due.get(host, 0.0) - self._clock.elapsed()
        if wait > 0:
            self._clock.sleep(wait)
        try:
            yield
        finally:
            self._due[host] = self._clock.elapsed() + self._delays.get(host, self._least)


READ_BLOCK_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
# zlib's code for "gzip or zlib, see the head".
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


def read_body(response: BaseHTTPResponse, limit: int, deadline: float, clock: Clock) -> bytes:
    """The body without its content encoding; `limit` in bytes, `deadline` by `clock.elapsed()`.

    Raises FetchError where it is too large (packed or not), too slow, packed in a way that was not asked for
    or cut short inside its packing; urllib3's HTTPError where the connection is cut.
    """
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limit:
        raise _make_size_error(f"{int(length):,}", limit)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    blocks = _limit_size(_read_blocks(response, deadline, clock), limit)
    if encoding in ("", "identity"):
        return b"".join(blocks)
    if encoding in ("gzip", "x-gzip"):
        return _decompress_blocks(blocks, limit)
    raise FetchError("a body as it is or in gzip", f"one in {encoding}", "Save the page by hand.")


def decompress(data: bytes, limit: int) -> bytes:
    """The content of gzipped `data`, other data as they are; raises FetchError as `read_body` does."""
    return _decompress_blocks([data], limit) if data.startswith(GZIP_MAGIC) else data


def _read_blocks(response: BaseHTTPResponse, deadline: float, clock: Clock) -> Iterator[bytes]:
    # `read1` comes back with what has arrived, so that bytes that drip one by one cannot hold it for ever.
    while block := response.read1(READ_BLOCK_BYTES, decode_content=False):
        yield block
        if clock.elapsed() > deadline:
            raise FetchError("a whole answer in time", "one that was still going on", "Later.", passing=True)


def _limit_size(blocks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise _make_size_error(f"more than {limit:,}", limit)
        yield block


def _decompress_blocks(blocks: Iterable[bytes], limit: int) -> bytes:
    content = bytearray()
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for block in blocks:
            data = block
            while data:
                content += decoder.decompress(data, limit + 1 - len(content))
                if len(content) > limit:
                    raise _make_size_error(f"more than {limit:,} once unpacked", limit)
                # A gzip file may have several members, and zeros behind the last.
                data = decoder.unconsumed_tail or decoder.unused_data.lstrip(b"\0")
                if decoder.eof and data:
                    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    except zlib.error as error:
        raise FetchError("a whole gzip body", f"a corrupt one ({error})", "Later.", passing=True) from error
    if not decoder.eof:
        raise FetchError("a whole gzip body", "one that is cut short", "Later.", passing=True)
    return bytes(content)


def _make_size_error(size: str, limit: int) -> FetchError:
    return FetchError(f"at most {limit:,} bytes", size, "If it is text after all, save it by hand.")


# What robots.txt rules may call us, and how we introduce ourselves.
ROBOTS_TOKEN = "narrative-tracker"
USER_AGENT = f"{ROBOTS_TOKEN}/{__version__} (open-source research reader; its name in robots.txt is {ROBOTS_TOKEN})"
_CONTACT_PATTERN = re.compile(r"https?://[!-'*-~]+|[!-'*-?A-~]+@[!-'*-?A-~]+")
REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/pdf;q=0.8,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}
NO_HEADERS: Mapping[str, str] = {}
REDIRECT_STATUSES = (301, 302, 303, 307, 308)
RETRY_STATUSES = (408, 425, 429, 500, 502, 503, 504)
FIRST_BACKOFF = 2.0
RETRY_HINT = "Run the same command again later."

CheckResponse = Callable[[FetchedPage], None]
CheckPermission = Callable[[str], None]


class HttpClient:
    """Fetches single addresses; knows nothing of sources, archives or robots.txt."""

    def __init__(
        self,
        guard: HostPolicy,
        pace: RateLimiter,
        manners: CrawlPolicy,
        clock: Clock,
        agent: str = USER_AGENT,
    ) -> None:
        self._agent = agent
        self._guard, self._pace, self._manners, self._clock = guard, pace, manners, clock
        self._pools: dict[tuple[str, str, int, tuple[str, int]], HTTPConnectionPool] = {}

    def get(
        self,
        url: str,
        *,
        limit: int,
        permit: CheckPermission,
        accept: CheckResponse,
        extra: Mapping[str, str] = NO_HEADERS,
    ) -> FetchedPage:
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
            if page.status not in REDIRECT_STATUSES:
                return replace(page, url=url)
            following = normalise_url(_get_redirect_target(page), base=hops[-1])
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

    def _patiently(self, url: str, limit: int, accept: CheckResponse, extra: Mapping[str, str]) -> FetchedPage:
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
                if page.status not in RETRY_STATUSES:
                    return page
                fault = FetchError("a page", describe_status(page.status), RETRY_HINT, passing=True, status=page.status)
                asked = self._retry_after(page)
            if asked > self._manners.longest_wait:
                raise _extend_error(fault, f" and the wish to be left alone for {asked:,.0f} s")
            if attempt == last:
                raise _extend_error(fault, f", {last} times")
            self._clock.sleep(max(asked, FIRST_BACKOFF * 2 ** (attempt - 1)))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, url: str, limit: int, accept: CheckResponse, extra: Mapping[str, str]) -> FetchedPage:
        target = self._guard.check(url)
        with self._pace.turn(get_host(url)):
            deadline = self._clock.elapsed() + self._manners.deadline
            try:
                response = self._open(target, extra)
                try:
                    page = FetchedPage(url, url, response.status, tuple(response.headers.items()))
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
                raise _convert_error(error) from error

    def _open(self, target: ConnectionTarget, extra: Mapping[str, str]) -> BaseHTTPResponse:
        """Send the request to the first of the checked addresses that takes a connection."""
        headers = {**REQUEST_HEADERS, "User-Agent": self._agent, "Host": target.authority, **extra}
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

    def _pool(self, target: ConnectionTarget, address: tuple[str, int]) -> HTTPConnectionPool:
        key = (target.scheme, target.host, target.port, address)
        if key not in self._pools:
            patience = Timeout(connect=self._manners.connect, read=self._manners.silence)
            self._pools[key] = (
                HTTPConnectionPool(*address, timeout=patience)
                if target.scheme == "http"
                else HTTPSConnectionPool(
                    *address,
                    timeout=patience,
                    ssl_context=_make_tls_context(),
                    # The connection goes to a number; the certificate must still be the named host's.
                    server_hostname=target.host,
                    assert_hostname=target.host,
                )
            )
        return self._pools[key]

    def _retry_after(self, page: FetchedPage) -> float:
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


def build_user_agent(contact: str) -> str:
    """The user agent, with the address or email to turn to, if any; raises UsageError where it is neither."""
    if not contact:
        return USER_AGENT
    if not _CONTACT_PATTERN.fullmatch(contact):
        hint = "Give an address on the web or an email address, without spaces or brackets."
        raise UsageError("--contact URL_OR_EMAIL", repr(contact), hint)
    return f"{USER_AGENT[:-1]}; contact: {contact})"


def describe_status(status: int) -> str:
    """A status in words: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"


def _extend_error(fault: FetchError, more: str) -> FetchError:
    return FetchError(fault.expected, fault.got + more, fault.hint, passing=True, status=fault.status)


def _get_redirect_target(page: FetchedPage) -> str:
    text = page.header("Location")
    if not text:
        raise FetchError("a redirect to somewhere", f"{describe_status(page.status)} without Location", "Give another.")
    try:
        # Headers come as Latin-1; servers that do not escape write UTF-8.
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _convert_error(error: HTTPError) -> FetchError:
    if isinstance(error, SSLError):
        return FetchError("a valid certificate", str(error), "Do not trust the page before it is mended.")
    # In urllib3 a refused connection is also a kind of timeout.
    is_refused = isinstance(error, NewConnectionError)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError) and not is_refused:
        return FetchError("an answer in time", "silence", RETRY_HINT, passing=True)
    if isinstance(error, IncompleteRead) or isinstance(error.__context__, IncompleteRead):
        return FetchError("a whole page", "a connection cut half-way", RETRY_HINT, passing=True)
    return FetchError("an answer", f"a failed connection ({error})", RETRY_HINT, passing=True)


@cache
def _make_tls_context() -> ssl.SSLContext:
    # The system's authorities, and certifi's where the system has none of its own.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


# RFC 9309 asks to read at least 500 KiB.
MAX_ROBOTS_BYTES = 1 << 20


class RobotsRules:
    """Says whether robots.txt lets us fetch, and slows the pace where it asks for that."""

    def __init__(self, client: HttpClient, pace: RateLimiter, manners: CrawlPolicy) -> None:
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
        if not rules.can_fetch(url, ROBOTS_TOKEN):
            raise FetchError("a page that robots.txt allows", "one that it disallows", "Leave it out.")

    def _learn(self, origin: str) -> Protego | FetchError:
        try:
            page = self._client.get(origin, limit=MAX_ROBOTS_BYTES, permit=_allow_any_url, accept=_accept_any_type)
            if page.status != HTTPStatus.OK and not 400 <= page.status < 500:
                raise FetchError("robots.txt", describe_status(page.status), RETRY_HINT, passing=True)
        except FetchError as error:
            got = f"{error.got} for {origin}"
            return FetchError("rules in robots.txt", got, error.hint, passing=error.passing)
        rules = Protego.parse(page.body.decode("utf-8-sig", errors="replace"))
        delay = self._delay(rules)
        if delay > self._manners.longest_delay:
            got = f"the wish for one request in {delay:,.0f} s"
            return FetchError("a pace that ends some day", got, "Ask the owner of the site.")
        self._pace.slow(get_host(origin), delay)
        return rules

    def _delay(self, rules: Protego) -> float:
        asked = [rules.crawl_delay(ROBOTS_TOKEN) or 0.0]
        if rate := rules.request_rate(ROBOTS_TOKEN):
            asked.append(rate.seconds / rate.requests)
        return max(asked)


def _allow_any_url(url: str) -> None:
    """robots.txt itself needs no permission."""


def _accept_any_type(page: FetchedPage) -> None:
    """Whatever type it is sent as: a page of HTML holds no rules and so allows all."""
