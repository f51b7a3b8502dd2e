"""The server as `streamlit run dashboard.py` starts it: whom it serves, what it sends, and that it asks nobody."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from narratives.dashboard.server import SECURITY_HEADERS
from tests.helpers.browser import serving
from tests.helpers.factory import build_store

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that may connect to nothing; at its end, it must not have tried, and have logged no stack trace."""
    folder: Path = tmp_path_factory.mktemp("server")
    with serving(build_store(folder / "store").path) as found:
        yield urlsplit(found).netloc
    [log] = folder.glob("server-*.log")
    assert "harvest" not in log.read_text() and "checkip" not in log.read_text()


def ask(address: str, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in {"Host": address, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse()


@pytest.mark.parametrize("path", ["/", "/evidence?text=harvest", "/_stcore/health", "/_stcore/host-config", "/none.js"])
def test_every_answer_has_the_security_headers(address, path):
    answer = ask(address, path)
    assert {name: answer.getheader(name) for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)


def test_sockets_are_for_the_own_origin_and_host(address):
    port = address.rpartition(":")[2]
    assert ask(address, "/_stcore/stream", **HANDSHAKE, Origin=f"http://{address}").status == 101
    for origin in ("http://127.0.0.1:9999", f"http://localhost:{port}", "https://evil.example", "null"):
        assert ask(address, "/_stcore/stream", **HANDSHAKE, Origin=origin).status == 403
    assert ask(address, "/_stcore/stream", **HANDSHAKE, Host=f"evil.example:{port}").status == 403
    assert ask(address, "/", Host=f"evil.example:{port}").status == 400


def test_a_page_of_another_origin_may_read_nothing(address):
    answer = ask(address, "/_stcore/health", Origin="http://127.0.0.1:9999")
    assert answer.getheader("Access-Control-Allow-Origin") is None
