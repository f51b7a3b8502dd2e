"""The example of a proxy, deploy/nginx.conf, in front of two dashboards: headers, uploads, and who stays where."""

from __future__ import annotations

import json
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, HTTPSHandler, OpenerDirector, Request, build_opener

import pytest
from playwright.sync_api import expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from benchmarks.serving import proxying
from tests.helpers.browser import STREAMLIT, fetched, fresh, opened, saved, serving, settled, turned_to
from tests.helpers.factory import build_store

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed"),
]
SECRET = "a secret of this test"


@dataclass
class Proxy:
    """The proxy's address, its log, and the two processes behind it, each with what stops it."""

    address: str
    log: Path
    processes: dict[str, ExitStack]

    def read_log(self) -> list[tuple[str, str]]:
        """The path of each request and the process that answered it."""
        lines = self.log.read_text().splitlines()
        return [(line.split('"')[1].split()[1], line.split()[-1]) for line in lines]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    store = build_store(folder / "store").path
    secrets = folder / "secrets.toml"
    secrets.write_text(
        f'[auth]\nredirect_uri = "https://127.0.0.1/oauth2callback"\ncookie_secret = "{SECRET}"\nclient_id = "x"\n'
        'client_secret = "x"\nserver_metadata_url = "https://127.0.0.1/"\n[roles]\neditors = ["ann@example.org"]\n'
    )
    with ExitStack() as all_processes:
        processes = {}
        for _ in range(2):
            stack = all_processes.enter_context(ExitStack())
            address = stack.enter_context(serving(store, (*STREAMLIT, "--secrets.files", str(secrets))))
            processes[address] = stack
        address = all_processes.enter_context(proxying(folder, tuple(processes)))
        yield Proxy(address, folder / "access.log", processes)


def make_client() -> OpenerDirector:
    """A visitor who keeps cookies and takes the certificate of the test."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return build_opener(HTTPSHandler(context=context), HTTPCookieProcessor())


def test_the_headers_are_there_and_closed_places_are_closed(proxy):
    client = make_client()
    with client.open(proxy.address) as answer:
        headers = answer.headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"] and "http" not in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Set-Cookie"].startswith("visitor=") and "HttpOnly" in headers["Set-Cookie"]
    with client.open(f"{proxy.address}/_stcore/health") as answer:
        assert answer.read() == b"ok" and "visitor=" not in str(answer.headers)
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json"):
        with pytest.raises(HTTPError, match="404"):
            client.open(proxy.address + path)
    with pytest.raises(HTTPError, match="413"):
        client.open(Request(f"{proxy.address}/_stcore/upload_file/a/b", bytes(22 << 20), method="PUT"))
    with pytest.raises(OSError, match="without response"):
        client.open(Request(proxy.address, headers={"Host": "elsewhere.example"}))


def test_a_visitor_stays_with_one_process_and_all_take_part(proxy):
    used = []
    for _ in range(20):
        client, before = make_client(), len(proxy.read_log())
        for path in ("/", "/_stcore/health", "/_stcore/host-config"):
            client.open(proxy.address + path).close()
        processes = {process for _, process in proxy.read_log()[before:]}
        assert len(processes) == 1
        used += processes
    assert {f"http://{process}" for process in used} == set(proxy.processes)


def test_the_pages_and_an_upload_work_under_the_policy(proxy, browser):
    """A visitor with a login, whose cookie is signed as Streamlit signs it. `fresh` fails on errors in the console."""
    token = {"email": "ann@example.org", "email_verified": True, "aud": "x", "exp": time.time() + 3600}
    claims = {"is_logged_in": True, "origin": proxy.address, **token}
    login = create_signed_value(SECRET, "_streamlit_user", json.dumps(claims)).decode()
    before = len(proxy.read_log())
    with fresh(browser) as watched:
        cookie = {"name": "_streamlit_user", "value": login, "url": proxy.address}
        watched.page.context.add_cookies([cookie])
        page = opened(watched, proxy.address)
        expect(page.get_by_text("ann@example.org · editor")).to_be_visible()
        page.wait_for_selector(".js-plotly-plot .main-svg")
        assert saved(page, "prevalence", "Picture (PNG)").startswith(b"\x89PNG")
        assert saved(page, "prevalence", "Numbers (CSV)").shape[0]
        for name in ("Narrative", "Topics", "Speakers", "Spread", "Evidence", "Map", "Review", "Codebook", "Method"):
            turned_to(page, name)
        assert fetched(turned_to(page, "Evidence"), "Download").strip()
        turned_to(page, "Sources").get_by_text("Add texts: tables").click()
        table = b"date,text\n2019-03-02,The ferry to the islands runs again after the storm of last week.\n"
        file = {"name": "a.csv", "mimeType": "text/csv", "buffer": table}
        page.locator("input[type=file]").set_input_files([file])
        settled(page)
        expect(page.get_by_role("button", name="Build with 1 file")).to_be_visible()
    deadline = time.monotonic() + 30  # nginx notes a WebSocket when it is closed
    while not any(path == "/_stcore/stream" for path, _ in proxy.read_log()[before:]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    lines = proxy.read_log()[before:]
    assert any(path.startswith("/_stcore/upload_file/") for path, _ in lines)
    assert len({process for _, process in lines}) == 1


def test_a_visitor_without_a_login_may_only_look(proxy, browser):
    with fresh(browser) as watched:
        page = opened(watched, f"{proxy.address}/sources")
        expect(page.get_by_text("Log in to review.")).to_be_visible()
        assert not page.get_by_text("Add texts: tables").count()


def test_the_visitors_of_a_process_that_stops_move_to_the_other(proxy):
    clients = [make_client() for _ in range(10)]
    for client in clients:
        client.open(proxy.address).close()
    address, stack = next(iter(proxy.processes.items()))
    stack.close()
    for client in clients:
        with client.open(proxy.address) as answer:
            assert answer.status == 200
    assert address.removeprefix("http://") in {process.rstrip(",") for _, process in proxy.read_log()}
