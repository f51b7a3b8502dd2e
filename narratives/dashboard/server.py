"""The server around the pages: who may talk to it, the security headers of its answers, and how it uses memory.

Streamlit checks hosts and origins of web sockets only, accepts every port of this machine as an origin, and asks
another host for the machine's address before it refuses a foreign one. This layer answers before Streamlit does.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import platform
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from narratives.dashboard.roles import FORWARDED_HEADERS, LOOPBACK

# What the pages need: styles and small scripts that are added while they run, and scripts from blobs. Nothing may be
# loaded from elsewhere, sent elsewhere, or framed.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "media-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_METRICS_PATH = "/_stcore/metrics"
_UPLOAD_PATH = "/_stcore/upload_file"
_READING = ("GET", "HEAD")
_MARGIN = 1_000_000  # bytes of an upload that are not of its file
_M_ARENA_MAX = -8  # of glibc's malloc.h
REST_SECONDS = 180.0  # from the last viewer's leaving: Streamlit keeps their sessions for two minutes


class Gate:
    """Middleware that refuses foreign hosts and origins, and sets the security headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        given = Headers(scope=scope)
        origins = st.get_option("server.corsAllowedOrigins") or ()
        is_served = is_origin_allowed(given.get("origin"), given.get("host", ""), origins)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                if not is_served:
                    del headers["Access-Control-Allow-Origin"]
            await send(message)

        if refusal := find_refusal(scope, is_served):
            status, reason = refusal
            if scope["type"] == "websocket":
                # Closing a socket before it is accepted refuses it with the status 403.
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": reason})
            else:
                await PlainTextResponse(reason, status)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


class Attendance:
    """Middleware that gives memory back when there has been no viewer for a while. Each viewer has a web socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._viewers = 0
        self._rest: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        self._viewers += 1
        if self._rest:
            self._rest.cancel()
        try:
            await self._app(scope, receive, send)
        finally:
            self._viewers -= 1
            if not self._viewers:
                loop = asyncio.get_running_loop()
                self._rest = loop.call_later(REST_SECONDS, loop.run_in_executor, None, release_memory)


def find_refusal(scope: Scope, is_served: bool) -> tuple[int, str] | None:
    """Return the status and the reason with which a request is refused, None if it is not.

    `is_served` says whether its origin may change anything here.
    """
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not is_host_allowed(host, st.get_option("server.allowedHosts") or ()):
        return 400, "This server does not answer for this host."
    is_socket = scope["type"] == "websocket"
    writes = is_socket or scope["method"] not in _READING
    if writes and not is_served:
        return 403, "This server does not answer to pages of other origins."
    if is_socket:
        return None
    path = scope["path"]
    is_near = (scope.get("client") or ("",))[0] in LOOPBACK and not any(map(headers.get, FORWARDED_HEADERS))
    if _METRICS_PATH in path and not is_near:
        return 404, "Not found"
    most = int(st.get_option("server.maxUploadSize")) * 1_048_576 + _MARGIN
    length = headers.get("content-length", "")
    if _UPLOAD_PATH in path and scope["method"] == "PUT" and not (length.isdecimal() and int(length) <= most):
        return 413, "The upload is too large, or does not say how large it is."
    return None


def is_host_allowed(host: str, allowed: Sequence[str]) -> bool:
    """Return whether the server answers for this `Host` header; `*.example.org` allows subdomains, and none all."""
    try:
        parts = urlsplit(f"//{host}")
        name = (parts.hostname or "").lower().rstrip(".")
        is_plain = parts.netloc == host and "@" not in host and (parts.port or 1) > 0
    except ValueError:
        return False
    if not name or not is_plain:
        return False
    patterns = [pattern.strip().lower().rstrip(".") for pattern in allowed]
    return not patterns or any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in patterns
    )


def is_origin_allowed(origin: str | None, host: str, allowed: Sequence[str]) -> bool:
    """Return whether a request from a page of `origin` is served: the server's own, or one that is configured.

    Programs other than browsers send no origin.
    """
    if origin is None or origin.rstrip("/") in {one.strip().rstrip("/") for one in allowed}:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:  # not a valid address, such as an unclosed [ of IPv6
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def share_heaps() -> None:
    """Make all threads of the process allocate from two heaps, where the C library is glibc.

    It would make up to eight for each processor. Each redraw is a thread, so that what one leaves free in its heap is
    of no use to most of the others.
    """
    _call_glibc("mallopt", _M_ARENA_MAX, 2)


def use_plain_strings() -> None:
    """Make pandas keep texts as Python's strings, not in Arrow's memory.

    The frames of the pages are so small that most of the time of an operation on Arrow's goes into the way there and
    back. On such frames, selecting and adding columns take half of the time with Python's.
    """
    import pandas as pd  # at the start of the server, not of every program that imports this module

    pd.options.mode.string_storage = "python"


def release_memory() -> None:
    """Forget the answers that viewers shared, close the snapshots, and give free memory back to the system."""
    from narratives.dashboard import cached_queries  # its caches need a server that runs

    cached_queries.forget_answers()
    gc.collect()
    _call_glibc("malloc_trim", 0)


def _call_glibc(function: str, *numbers: int) -> None:
    """Call a function of the C library, if that is glibc."""
    if platform.libc_ver()[0] == "glibc":
        getattr(ctypes.CDLL(None), function)(*numbers)


def make_middleware() -> list[Middleware]:
    """Return the middleware of the server, outermost first."""
    return [Middleware(Gate), Middleware(Attendance)]
