"""The gate of the server: which hosts and origins it serves, and what it sends with every answer; and its heaps."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit import config

from narratives.dashboard import cached_queries, server
from narratives.dashboard.views import evidence
from narratives.model import ServerBusyError
from tests.conftest import ROOT

OWN = "127.0.0.1:8501"


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    config.set_option("server.allowedHosts", ["127.0.0.1", "localhost"])
    yield
    config.set_option("server.corsAllowedOrigins", [])


def ask(kind: str = "http", method: str = "GET", path: str = "/", client: str = "127.0.0.1", **headers: str) -> Any:
    """The status and headers of the gate's answer to one request; 200 if the request reached the application."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if kind == "websocket":
            await send({"type": "websocket.accept"})
        else:
            origin = [(b"access-control-allow-origin", b"*")]
            await send({"type": "http.response.start", "status": 200, "headers": origin})

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": OWN, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"type": kind, "method": method, "path": path, "client": (client, 1), "headers": []}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in given.items()]
    # In a thread, because Playwright leaves an event loop running in that of the browser tests.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, server.Gate(app)(scope, receive, send)).result()
    first = sent[0]
    if kind == "websocket":
        return {"websocket.accept": 200, "websocket.close": 403}[first["type"]], {}
    return first["status"], {name.decode(): value.decode() for name, value in first["headers"]}


@pytest.mark.parametrize(
    ("host", "served"),
    [
        (OWN, True),
        ("localhost", True),
        ("LOCALHOST.:1", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("127.0.0.1:port", False),
        ("127.0.0.1/x", False),
        ("", False),
    ],
)
def test_hosts(host, served):
    assert (ask(host=host)[0] == 200) is served
    assert (ask("websocket", host=host)[0] == 200) is served


def test_patterns_of_hosts():
    assert server.is_host_allowed("a.example.org", ["*.example.org"]) and server.is_host_allowed("any", [])
    assert not server.is_host_allowed("example.org.evil", ["*.example.org"])


@pytest.mark.parametrize(
    ("origin", "served"),
    [
        (f"http://{OWN}", True),
        (f"https://{OWN}", True),
        ("http://127.0.0.1:9999", False),
        ("http://127.0.0.1", False),
        ("http://localhost:8501", False),
        ("https://evil.example", False),
        ("null", False),
        (f"file://{OWN}", False),
        ("http://[", False),
    ],
)
def test_only_the_own_origin_may_open_a_socket_or_write(origin, served):
    assert (ask("websocket", origin=origin)[0] == 200) is served
    assert (ask(method="DELETE", origin=origin)[0] == 200) is served
    status, headers = ask(origin=origin)
    assert status == 200 and ("access-control-allow-origin" in headers) is served


def test_a_configured_origin_is_served():
    config.set_option("server.corsAllowedOrigins", ["https://portal.example/"])
    assert ask("websocket", origin="https://portal.example")[0] == 200
    assert ask("websocket", origin="https://portal.example.evil")[0] == 403


@pytest.mark.parametrize("headers", [{}, {"host": "evil.example"}])
def test_every_answer_has_the_security_headers(headers):
    _, found = ask(**headers)
    assert {name.lower(): value for name, value in server.SECURITY_HEADERS.items()}.items() <= found.items()
    assert "frame-ancestors 'none'" in found["content-security-policy"]


def test_metrics_are_for_this_machine_only():
    path = "/_stcore/metrics"
    assert ask(path=path)[0] == 200
    assert ask(path=path, client="10.0.0.7")[0] == 404
    assert ask(path=path, x_forwarded_for="10.0.0.7")[0] == 404


@pytest.mark.parametrize(("length", "status"), [("20000000", 200), ("23000000", 413), ("", 413), ("-1", 413)])
def test_an_upload_says_how_large_it_is(length, status):
    config.set_option("server.maxUploadSize", 20)
    assert ask(method="PUT", path="/_stcore/upload_file/s/f", content_length=length)[0] == status


def test_a_session_may_not_search_without_end():
    recent: dict[str, float] = {}
    for second in range(evidence.MAX_SEARCHES):
        recent = evidence.count_search(recent, f"sentence {second}", float(second))
    assert evidence.count_search(recent, "sentence 3", 20.0) == recent
    with pytest.raises(ServerBusyError, match="at most 20 different sentences in 60 seconds"):
        evidence.count_search(recent, "another", 30.0)
    assert len(evidence.count_search(recent, "another", 60.5)) == evidence.MAX_SEARCHES


def attend(stays: list[float], monkeypatch: pytest.MonkeyPatch, seconds: float) -> int:
    """How often memory is released within some seconds, with viewers who stay so long, one after another."""
    released: list[float] = []
    monkeypatch.setattr(server, "REST_SECONDS", 0.2)
    monkeypatch.setattr(server, "release_memory", lambda: released.append(1))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(scope["stay"])

    async def come_and_go() -> None:
        attendance = server.Attendance(app)
        await attendance({"type": "http", "stay": 0.0}, None, None)  # type: ignore[arg-type]  # the app uses neither
        for stay in stays:
            await attendance({"type": "websocket", "stay": stay}, None, None)  # type: ignore[arg-type]
        await asyncio.sleep(seconds)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, come_and_go()).result()
    return len(released)


@pytest.mark.parametrize(
    ("stays", "seconds", "expected"), [([], 0.5, 0), ([0.0], 0.0, 0), ([0.0], 1.0, 1), ([0.0, 0.4, 0.0], 1.0, 1)]
)
def test_memory_is_released_once_after_the_last_viewer_has_left_for_a_while(monkeypatch, stays, seconds, expected):
    """Requests without a web socket, and viewers who come back in time, release nothing."""
    assert attend(stays, monkeypatch, seconds) == expected


def test_forgotten_answers_are_computed_again():
    asked = []

    @cached_queries.cache_shared()
    def answer(question: str) -> int:
        asked.append(question)
        return len(asked)

    assert [answer("a"), answer("b"), answer("a")] == [1, 2, 1]
    server.release_memory()
    assert answer("a") == 3


_COUNT_HEAPS = """
import ctypes, sys, threading
from narratives.dashboard import server
if sys.argv[2] == "shared":
    server.share_heaps()
met = threading.Barrier(12)
def allocate():
    met.wait()  # a heap of a thread that has ended would be used again
    kept = [bytes(1000) for _ in range(1000)]
    met.wait()
threads = [threading.Thread(target=allocate) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(open(sys.argv[1]).read().count("<heap "))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize("heaps, expected", [("shared", {2}), ("own", set(range(3, 1000)))])
def test_all_threads_of_the_server_allocate_from_two_heaps(tmp_path, heaps, expected):
    command = [sys.executable, "-c", _COUNT_HEAPS, str(tmp_path / "info.xml"), heaps]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(answer.stdout) in expected
