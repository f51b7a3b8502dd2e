"""What benchmarks of the dashboard share: a dashboard on a store, a browser, and the pages there are."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
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
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


@contextmanager
def serving(store: Path) -> Iterator[str]:
    """A dashboard on that store, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port)]
    environment = {**os.environ, "NARRATIVES_STORE": str(store.resolve())}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if server.poll() is not None:
                raise SystemExit(f"the dashboard ended with status {server.returncode}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


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
