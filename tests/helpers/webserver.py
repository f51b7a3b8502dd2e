"""A web server on a free loopback port that behaves as told, and a clock that waits without waiting."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from narratives.fetch import fetch_source
from narratives.fetch.records import Clock, CrawlPolicy, FetchReport, FetchRequest
from narratives.read.encoding import decode_text

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = "<html><body><p>{}</p></body></html>"
# A minute's patience would be a minute's test.
HASTY = CrawlPolicy(silence=0.3, deadline=1.0, connect=2.0)


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(HTML))
    # What Content-Length claims, if not the truth; "" leaves the header out and ends by closing.
    length: str | None = None

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        length = str(len(self.body)) if self.length is None else self.length
        if length:
            handler.send_header("Content-Length", length)
        handler.close_connection = self.length is not None
        handler.end_headers()
        handler.wfile.write(self.body)


Behaviour = Answer | Callable[[BaseHTTPRequestHandler], None]


def page(text: str = "A page.", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(PAGE.format(text).encode(), headers=HTML | named)


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": location})


def zipped(data: bytes, **headers: str) -> Answer:
    return Answer(gzip.compress(data), headers=HTML | {"Content-Encoding": "gzip"} | headers)


class FastClock:
    """Real time plus all that was slept, which is noted and takes none."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.slept: list[float] = []
        self._offset = start - time.time()

    def clock(self) -> Clock:
        return Clock(
            now=lambda: time.time() + self._offset + sum(self.slept),
            elapsed=lambda: time.monotonic() + sum(self.slept),
            sleep=self.slept.append,
        )


@dataclass
class Site:
    """What is served where: an answer, or several of which the last one stays."""

    host: str
    routes: dict[str, Behaviour | list[Behaviour]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    # One for all fetches of a test: time goes on between them.
    clock: FastClock = field(default_factory=FastClock)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def asked(self, path: str | None = None) -> list[str]:
        """The paths asked for in order, robots.txt left out; or only one of them."""
        paths = [each for each, _ in self.requests if each != "/robots.txt"]
        return paths if path is None else [each for each in paths if each == path]

    def behaviour(self, path: str) -> Behaviour:
        route = self.routes.get(path, Answer(b"nothing here", 404))
        if isinstance(route, list):
            return route.pop(0) if len(route) > 1 else route[0]
        return route


@contextmanager
def serve() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A client that has read enough hangs up.
            with suppress(ConnectionError):
                super().handle()

        def do_GET(self) -> None:
            site.requests.append((self.path, dict(self.headers)))
            behaviour = site.behaviour(self.path)
            behaviour.send(self) if isinstance(behaviour, Answer) else behaviour(self)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def addresses(tmp_path: Path, *urls: str) -> str:
    """A file of addresses, as a source."""
    path = tmp_path / "urls.txt"
    path.write_text("\n".join(urls) + "\n", "utf-8")
    return str(path)


def get(site: Site, tmp_path: Path, *paths: str, source: str = "", clock=None, policy=HASTY, **terms):
    """Fetch some paths of a site, or a source, into `tmp_path`/in without losing time."""
    source = source or addresses(tmp_path, *map(site.url, paths))
    request = FetchRequest(source, tmp_path / "in", allow_hosts=(site.host,))
    passed = {name: terms.pop(name) for name in ("progress", "resolve") if name in terms}
    request = replace(request, **terms)
    return fetch_source(request, policy=policy, decode=decode_text, clock=(clock or site.clock).clock(), **passed)


def why(report: FetchReport) -> str:
    """The reason of the only failure."""
    (failure,) = report.failures
    return failure.reason


def bodies(tmp_path: Path) -> list[bytes]:
    """What the archive holds, beside its own notes."""
    files = (tmp_path / "in").glob("[!.]*/*")
    return [
        path.read_bytes()
        for path in sorted(files)
        if path.is_file() and path.name != "manifest.csv" and not path.name.startswith(".")
    ]
