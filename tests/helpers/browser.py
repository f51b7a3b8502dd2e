"""What the browser tests share: a dashboard on a store, a fresh profile, and what must not happen."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import duckdb
import pandas as pd
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect

from tests.conftest import ROOT

# On a link to a page other than the first, Streamlit asks for these in two places and finds them in one.
# What it says where such a link is a server's first visit, just before our frame loads the page anew.
KNOWN_LINE = "The page that you have requested does not seem to exist"
KNOWN_404 = ("/_stcore/health", "/_stcore/host-config")
# Milliseconds that a busy machine may take to show something; a free one takes a fraction of it.
ENOUGH = 60_000
expect.set_options(timeout=ENOUGH)
# For so many milliseconds on end nothing must have run before a page counts as settled: a click is some
# way to the server, and until it arrives there the page looks as if it had nothing to do.
QUIET = 500
# As long after something that only a rerun shows, such as another page: the click has arrived by then.
TURNED = 100
_AT_REST = """(quiet) => {
  const running = !document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]");
  // A new profile fetches the program of each kind of control when it is first needed.
  const waiting = !document.querySelector("h1") || document.querySelector("[data-testid=stSkeleton]");
  if (running || waiting) window.restingSince = undefined;
  else window.restingSince ??= performance.now();
  return performance.now() - window.restingSince >= quiet;
}"""


@dataclass
class Watched:
    """A page of a fresh profile, and all that must not have happened in it."""

    page: Page
    abroad: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def guarded(log: Path) -> dict[str, str]:
    """The environment of a program that may connect to nothing but this machine."""
    offline = str(ROOT / "tests" / "helpers" / "offline")
    return {"PYTHONPATH": offline, "NARRATIVES_CALLS": str(log.with_suffix(".calls"))}


def calls(log: Path) -> str:
    """The connections that it tried all the same."""
    path = log.with_suffix(".calls")
    return path.read_text() if path.exists() else ""


STREAMLIT = (sys.executable, "-m", "streamlit", "run", "dashboard.py")


def find_port() -> int:
    """A port of this machine that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for_port(port: int, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return once the server answers at the port; it fails with the server's log if that ends or takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


@contextmanager
def serving(
    store: Path, program: Sequence[str] = STREAMLIT, option: str = "--server.port", folder: Path = ROOT, port: int = 0
) -> Iterator[str]:
    """A dashboard on that store, run by that program in that folder, and its address; on a free port unless given."""
    port = port or find_port()
    command = [*program, option, str(port)]
    log = store.parent / f"server-{port}.log"
    with log.open("w") as said:
        environment = {**os.environ, "NARRATIVES_STORE": str(store), **guarded(log)}
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        try:
            wait_for_port(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)
    assert "Traceback" not in log.read_text()
    assert not calls(log)


@contextmanager
def fresh(browser: Browser, width: int = 1440, height: int = 1000) -> Iterator[Watched]:
    """A page in a fresh profile; on leaving, nothing may have gone out and nothing may have gone wrong."""
    # Movement is work for the browser, and no test looks at it.
    size = ViewportSize(width=width, height=height)
    context: BrowserContext = browser.new_context(viewport=size, reduced_motion="reduce")
    watched = Watched(context.new_page())
    watched.page.set_default_timeout(ENOUGH)
    watched.page.on("request", lambda request: _note_request(watched, request.url))
    watched.page.on("response", lambda answer: _note_answer(watched, answer.status, answer.url))
    watched.page.on("console", lambda line: _note_line(watched, line))
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    yield watched
    context.close()
    assert not watched.abroad, watched.abroad
    assert not watched.errors, watched.errors


def _note_request(watched: Watched, url: str) -> None:
    if urlparse(url).scheme in ("http", "https", "ws", "wss") and urlparse(url).hostname != "127.0.0.1":
        watched.abroad.append(url)


def _note_answer(watched: Watched, status: int, url: str) -> None:
    if status >= 400 and not url.endswith(KNOWN_404):
        watched.errors.append(f"{status} {url}")


def _note_line(watched: Watched, line: ConsoleMessage) -> None:
    # Answers 404 are looked at one by one in _note_answer.
    if line.type == "error" and "404" not in line.text and not line.text.startswith(KNOWN_LINE):
        watched.errors.append(f"{line.text} ({line.location['url']})")


def settled(page: Page, quiet: int = QUIET) -> Page:
    """The page once Streamlit has had nothing left to do for so many milliseconds."""
    page.evaluate("window.restingSince = undefined")
    # Asking at every frame, as is the default, makes the browser draw frames that nobody needs.
    page.wait_for_function(_AT_REST, arg=quiet, polling=50)
    return page


def opened(watched: Watched, url: str) -> Page:
    watched.page.goto(url)
    return settled(watched.page)


def turned_to(page: Page, name: str) -> Page:
    """Another page, by its link in the menu, once Streamlit has nothing left to do."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    # The title is the first thing that the new page draws: from then on the click is no longer under way.
    page.wait_for_function("(name) => document.querySelector('h1')?.innerText === name", arg=name)
    return settled(page, TURNED)


def headline(page: Page) -> dict[str, str]:
    expect(page.get_by_test_id("stMetric")).to_have_count(7)
    labels = page.locator("[data-testid=stMetricLabel]").all_inner_texts()
    values = page.locator("[data-testid=stMetricValue]").all_inner_texts()
    return dict(zip(labels, values, strict=True))


def compared(page: Page) -> list[list[float | None]]:
    """The lines of the comparison chart, as the browser holds them."""
    page.wait_for_selector(".st-key-comparison .js-plotly-plot .main-svg")
    return page.evaluate(
        "document.querySelector('.st-key-comparison .js-plotly-plot').data"
        ".filter(t => t.mode === 'lines+markers').map(t => Array.from(t.y))"
    )


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option in one of the sidebar's boxes."""
    page.get_by_test_id("stSidebar").get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).first.click()
    page.keyboard.press("Tab")  # closes the list; Escape would empty the box
    settled(page)


def put(page: Page, label: str, option: str) -> None:
    """Choose an option in one of the page's own controls."""
    main = page.get_by_test_id("stMain")
    group = main.get_by_role("radiogroup", name=label, exact=True)
    if group.count():
        group.get_by_role("radio", name=option, exact=True).click()
    else:
        main.get_by_role("combobox", name=label, exact=True).click()
        page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def downloaded(page: Page, label: str) -> pd.DataFrame:
    """The table that a button on the page itself gives."""
    return _table(fetched(page, label))


def fetched(page: Page, label: str) -> bytes:
    """The file that a button on the page itself gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    return Path(waiting.value.path()).read_bytes()


def saved(page: Page, panel: str, label: str) -> Any:
    """What a panel's menu gives: the bytes of a picture, or the table of a CSV."""
    menu = page.locator(f".st-key-panel-{panel}").get_by_role("button", name="Save")
    menu.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).click()
    menu.click()
    raw = Path(waiting.value.path()).read_bytes()
    return _table(raw) if label.endswith("(CSV)") else raw


def _table(raw: bytes) -> pd.DataFrame:
    assert raw.startswith(b"\xef\xbb\xbf")
    text = {"period": str, "filter_from": str, "filter_to": str}
    return pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig", keep_default_na=False, dtype=text)


def sql(store: Path, query: str) -> list[tuple]:
    """The answer of the snapshot's own file, past all of our queries."""
    current = (store / "CURRENT").read_text().strip()
    with duckdb.connect(str(store / "snapshots" / current / "snapshot.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()
