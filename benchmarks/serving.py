"""What benchmarks of the dashboard share: a dashboard on a store, a proxy before several, a browser, and the pages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
# The addresses of the pages, in the order of the navigation. One that a version does not have is passed over.
PAGES = {
    "prevalence": "",
    "narrative": "narrative",
    "topics": "topics",
    "speakers": "speakers",
    "spread": "spread",
    "evidence": "evidence",
    "map": "map",
    "codebook": "codebook",
    "sources": "sources",
    "method": "method",
}
NGINX = """
user root;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/narratives.conf;
}}
"""
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


@contextmanager
def serving(store: Path) -> Iterator[str]:
    """A dashboard on that store, and its address."""
    port = _find_port()
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port)]
    environment = {**os.environ, "NARRATIVES_STORE": str(store.resolve())}
    with _running(command, port, environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """A server that listens on a port, and ends with the block."""
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield
    finally:
        server.terminate()
        server.wait(timeout=20)


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            raise SystemExit(f"the server ended with status {server.returncode}")
        time.sleep(0.1)
    raise SystemExit(f"the server did not listen on port {port} after {seconds:.0f} s")


@contextmanager
def proxying(folder: Path, addresses: Sequence[str]) -> Iterator[str]:
    """The address of nginx with the example, with other names and ports; `folder` gets `access.log`."""
    key, certificate, port, plain = folder / "key.pem", folder / "certificate.pem", _find_port(), _find_port()
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    example = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    first, *others = (address.removeprefix("http://") for address in addresses)
    for old, new in {
        "127.0.0.1:8501": first,
        "    server 127.0.0.1:8502;\n": "".join(f"    server {other};\n" for other in others),
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "https://tracker.example.org": f"https://127.0.0.1:{port}",
        "tracker.example.org": "127.0.0.1",
        "/etc/ssl/tracker.pem": str(certificate),
        "/etc/ssl/tracker.key": str(key),
        "/var/log/nginx/narratives.log": str(folder / "access.log"),
    }.items():
        assert old in example
        example = example.replace(old, new)
    (folder / "narratives.conf").write_text(example)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    with _running(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], port):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A chromium or chrome from the path."""
    names = "chromium", "chromium-browser", "chromium-headless-shell", "google-chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise SystemExit("expected chromium or chrome on the path; install one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


def settled(page: Page) -> None:
    """Return once Streamlit has nothing left to do."""
    page.wait_for_selector("h1")
    page.wait_for_timeout(300)
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(500)


def existing(browser: Browser, address: str) -> dict[str, str]:
    """Of `PAGES` those that the navigation of the dashboard at `address` leads to; the others are named."""
    page = browser.new_page()
    page.goto(address)
    settled(page)
    links = page.get_by_test_id("stSidebarNavLink").evaluate_all("links => links.map(l => l.pathname)")
    page.close()
    there = {link.strip("/") for link in links}
    for name in PAGES:
        if PAGES[name] not in there:
            print(f"no page {name}: skipped", file=sys.stderr)
    return {name: path for name, path in PAGES.items() if path in there}
