"""HTTP requests: rate limits, size limits, redirects, retries and robots.txt."""

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
    """Keep a pause between two requests to a host, counted from the end of the earlier answer."""

    def __init__(self, policy: CrawlPolicy, clock: Clock) -> None:
        self._shortest, self._clock = policy.between, clock
        self._delays: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def slow(self, host: str, seconds: float) -> None:
        """Set a longer pause for a host; one shorter than usual has no effect."""
        self._delays[host] = max(seconds, self._shortest)

    @contextmanager
    def wait_turn(self, host: str) -> Iterator[None]:
        """Wait for the host's turn, then make one request inside the block."""
        wait = self._due.get(host, 0.0) - self._clock.elapsed()
        if wait > 0:
            self._clock.sleep(wait)
        try:
            yield
        finally:
            self._due[host] = self._clock.elapsed() + self._delays.get(host, self._shortest)


READ_BLOCK_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
# zlib's code for "gzip or zlib, see the head".
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


def read_body(response: BaseHTTPResponse, limit: int, deadline: float, clock: Clock) -> bytes:
    """Read a body and undo its content encoding; `limit` is in bytes, `deadline` by `clock.elapsed()`.

    Raises FetchError if the body is too large (compressed or not), too slow, truncated, or in an encoding
    that was not requested. Raises urllib3's HTTPError if the connection is lost.
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
    raise FetchError("an uncompressed or gzipped page", f"one in {encoding}", "Save the page by hand.")


def decompress(data: bytes, limit: int) -> bytes:
    """Decompress gzipped `data` and return other data unchanged; raises FetchError as `read_body` does."""
    return _decompress_blocks([data], limit) if data.startswith(GZIP_MAGIC) else data


def _read_blocks(response: BaseHTTPResponse, deadline: float, clock: Clock) -> Iterator[bytes]:
    # `read1` returns what has arrived, so a server that sends single bytes cannot block it.
    while block := response.read1(READ_BLOCK_BYTES, decode_content=False):
        yield block
        if clock.elapsed() > deadline:
            raise FetchError("a complete page in time", "one that is still incomplete", RETRY_HINT, passing=True)


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
                # A gzip file may have several members, and zeros after the last.
                data = decoder.unconsumed_tail or decoder.unused_data.lstrip(b"\0")
                if decoder.eof and data:
                    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    except zlib.error as error:
        raise FetchError("an undamaged gzipped page", f"a corrupt one ({error})", RETRY_HINT, passing=True) from error
    if not decoder.eof:
        raise FetchError("a complete gzipped page", "one that is cut short", RETRY_HINT, passing=True)
    return bytes(content)


def _make_size_error(size: str, limit: int) -> FetchError:
    return FetchError(f"at most {limit:,} bytes", size, "If it is a text that you need, save it by hand.")


# Our name in robots.txt rules, and the user agent that we send.
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
    """Fetch single addresses."""

    def __init__(self, hosts: HostPolicy, limiter: RateLimiter, policy: CrawlPolicy, clock: Clock, agent: str) -> None:
        self._agent = agent
        self._hosts, self._limiter, self._policy, self._clock = hosts, limiter, policy, clock
        self._pools: dict[tuple[str, str, int, tuple[str, int]], HTTPConnectionPool] = {}

    def get(
        self,
        url: str,
        limit: int,
        check_permission: CheckPermission,
        check_response: CheckResponse,
        extra: Mapping[str, str] = NO_HEADERS,
    ) -> FetchedPage:
        """Send a GET request to a normalised address, follow redirects, and read the body of a 200.

        `limit` is in bytes; `extra` are headers to send. `check_permission` is called before each request, and
        `check_response` with the headers of a 200 before its body is read; either may raise. Answers such as
        404 are returned. Raises FetchError if there is no answer.
        """
        hops = [url]
        while True:
            # Checked first, because robots.txt is requested from the same host.
            self._hosts.check(hops[-1])
            check_permission(hops[-1])
            page = self._get_with_retries(hops[-1], limit, check_response, extra)
            if page.status not in REDIRECT_STATUSES:
                return replace(page, url=url)
            following = normalise_url(_get_redirect_target(page), base=hops[-1])
            if following in hops:
                raise FetchError("a page", f"circular redirects through {following}", "Use another address.")
            if len(hops) > self._policy.redirects:
                raise FetchError("a page", f"more than {self._policy.redirects} redirects", "Use another address.")
            hops.append(following)

    def close(self) -> None:
        """Close all open connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _get_with_retries(
        self, url: str, limit: int, check_response: CheckResponse, extra: Mapping[str, str]
    ) -> FetchedPage:
        """Send one request, and repeat it after temporary failures, with growing waits."""
        attempt = 0
        while True:
            attempt += 1
            asked = 0.0
            try:
                page = self._get_once(url, limit, check_response, extra)
            except FetchError as error:
                if not error.passing:
                    raise
                failure = error
            else:
                if page.status not in RETRY_STATUSES:
                    return page
                got = describe_status(page.status)
                failure = FetchError("a page", got, RETRY_HINT, passing=True, status=page.status)
                asked = self._parse_retry_after(page)
            if asked > self._policy.longest_wait:
                raise _extend_error(failure, f", with a request to wait {asked:,.0f} s")
            if attempt == self._policy.attempts:
                raise _extend_error(failure, f", {attempt} times")
            self._clock.sleep(max(asked, FIRST_BACKOFF * 2 ** (attempt - 1)))

    def _get_once(self, url: str, limit: int, check_response: CheckResponse, extra: Mapping[str, str]) -> FetchedPage:
        target = self._hosts.check(url)
        with self._limiter.wait_turn(get_host(url)):
            deadline = self._clock.elapsed() + self._policy.deadline
            try:
                response = self._send(target, extra)
                try:
                    page = FetchedPage(url, url, response.status, tuple(response.headers.items()))
                    if page.status != HTTPStatus.OK:
                        return page
                    check_response(page)
                    body = read_body(response, limit, deadline, self._clock)
                    response.release_conn()
                    return replace(page, body=body)
                finally:
                    # No effect after a release. Before one, the rest of the body is not read.
                    if response.connection is not None:
                        response.close()
            except HTTPError as error:
                raise _convert_error(error) from error

    def _send(self, target: ConnectionTarget, extra: Mapping[str, str]) -> BaseHTTPResponse:
        """Send the request to the first of the checked addresses that accepts a connection."""
        headers = {**REQUEST_HEADERS, "User-Agent": self._agent, "Host": target.authority, **extra}
        for number, address in enumerate(target.addresses, 1):
            try:
                return self._get_pool(target, address).urlopen(
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

    def _get_pool(self, target: ConnectionTarget, address: tuple[str, int]) -> HTTPConnectionPool:
        key = (target.scheme, target.host, target.port, address)
        if key not in self._pools:
            timeout = Timeout(connect=self._policy.connect, read=self._policy.silence)
            self._pools[key] = (
                HTTPConnectionPool(*address, timeout=timeout)
                if target.scheme == "http"
                else HTTPSConnectionPool(
                    *address,
                    timeout=timeout,
                    ssl_context=_make_tls_context(),
                    # The connection goes to an IP address; the certificate must belong to the named host.
                    server_hostname=target.host,
                    assert_hostname=target.host,
                )
            )
        return self._pools[key]

    def _parse_retry_after(self, page: FetchedPage) -> float:
        """Return the seconds that a Retry-After header (a number or a date) asks for, or 0."""
        text = page.get_header("Retry-After").strip()
        if text.isdecimal():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, math.ceil(aware.timestamp() - self._clock.now()))


def build_user_agent(contact: str) -> str:
    """Build the user agent with an optional contact; raises UsageError if it is neither a URL nor an email address."""
    if not contact:
        return USER_AGENT
    if not _CONTACT_PATTERN.fullmatch(contact):
        hint = "Give a web address or an email address, without spaces or brackets."
        raise UsageError("--contact URL_OR_EMAIL", repr(contact), hint)
    return f"{USER_AGENT[:-1]}; contact: {contact})"


def describe_status(status: int) -> str:
    """Return a status in words: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"


def _extend_error(failure: FetchError, more: str) -> FetchError:
    return FetchError(failure.expected, failure.got + more, failure.hint, passing=True, status=failure.status)


def _get_redirect_target(page: FetchedPage) -> str:
    text = page.get_header("Location")
    if not text:
        got = f"{describe_status(page.status)} without one"
        raise FetchError("a redirect with a target", got, "Use another address.")
    try:
        # Headers are decoded as Latin-1; servers that do not escape them send UTF-8.
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _convert_error(error: HTTPError) -> FetchError:
    if isinstance(error, SSLError):
        hint = "Do not use the page until the site has a valid certificate."
        return FetchError("a valid certificate", str(error), hint)
    # In urllib3, a refused connection counts as a timeout.
    is_refused = isinstance(error, NewConnectionError)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError) and not is_refused:
        return FetchError("an answer in time", "no answer", RETRY_HINT, passing=True)
    if isinstance(error, IncompleteRead) or isinstance(error.__context__, IncompleteRead):
        return FetchError("a complete page", "a lost connection", RETRY_HINT, passing=True)
    return FetchError("an answer", f"a failed connection ({error})", RETRY_HINT, passing=True)


@cache
def _make_tls_context() -> ssl.SSLContext:
    # The authorities of the system, and those of certifi in case the system has none.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


# RFC 9309 asks to read at least 500 KiB.
MAX_ROBOTS_BYTES = 1 << 20


class RobotsRules:
    """Check addresses against robots.txt, and apply the crawl delay that it asks for."""

    def __init__(self, client: HttpClient, limiter: RateLimiter, policy: CrawlPolicy) -> None:
        self._client, self._limiter, self._policy = client, limiter, policy
        self._rules: dict[str, Protego | FetchError] = {}

    def check_permission(self, url: str) -> None:
        """Raise FetchError if a normalised address is disallowed, or its robots.txt is not available.

        A robots.txt that does not exist (4xx) allows everything. One that cannot be fetched (5xx, a timeout,
        a forbidden redirect) allows nothing for the rest of the run.
        """
        parts = urlsplit(url)
        origin = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
        if origin not in self._rules:
            self._rules[origin] = self._load_rules(origin)
        rules = self._rules[origin]
        if isinstance(rules, FetchError):
            raise rules.with_traceback(None)
        if not rules.can_fetch(url, ROBOTS_TOKEN):
            raise FetchError("a page that robots.txt allows", "one that it disallows", "Remove the address.")

    def _load_rules(self, origin: str) -> Protego | FetchError:
        try:
            # Robots.txt itself needs no permission. If it is an HTML page, it has no rules and allows everything.
            page = self._client.get(origin, MAX_ROBOTS_BYTES, _accept, _accept)
            if page.status != HTTPStatus.OK and not 400 <= page.status < 500:
                raise FetchError("robots.txt", describe_status(page.status), RETRY_HINT, passing=True)
        except FetchError as error:
            got = f"{error.got} for {origin}"
            return FetchError("rules in robots.txt", got, error.hint, passing=error.passing)
        rules = Protego.parse(page.body.decode("utf-8-sig", errors="replace"))
        delay = self._get_delay(rules)
        if delay > self._policy.longest_delay:
            expected = f"a crawl delay of up to {self._policy.longest_delay:,.0f} s in robots.txt"
            return FetchError(expected, f"{delay:,.0f} s", "Ask the owner of the site.")
        self._limiter.slow(get_host(origin), delay)
        return rules

    def _get_delay(self, rules: Protego) -> float:
        asked = [rules.crawl_delay(ROBOTS_TOKEN) or 0.0]
        if rate := rules.request_rate(ROBOTS_TOKEN):
            asked.append(rate.seconds / rate.requests)
        return max(asked)


def _accept(checked: object) -> None:
    """Raise nothing."""
