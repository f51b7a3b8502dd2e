"""How fast the dashboard is in a browser, and how much it sends: one row a page.

    python -m benchmarks.dashboard_speed STORE [--changes 20] [--starts 3]

First the server is started so many times, each with a browser profile that knows nothing: the time is from the
start of the process to the first chart. Then every page is opened in a fresh profile of its own, and the filter by
speaker and the filter by first year are changed in turn, to a slice that nobody asked for before; the time is from
the choice in the browser to the last change of the page, its charts included. What is sent to show the page is
counted at the first visit: Streamlit's program, which a browser keeps, apart from the page itself.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.serving import IDLE, PAGES, chromium, existing, serving, settled
from narratives.store import open_snapshot

QUIET = 700  # milliseconds without a change after which a page counts as drawn
_WATCH = """
window.chosenAt = window.changedAt = 0;
document.addEventListener("click", (event) => {
  if (event.target.closest("[role=option]")) window.chosenAt = window.changedAt = performance.now();
}, true);
new MutationObserver((changes) => {
  if (changes.some((change) => (change.target.closest ? change.target : change.target.parentElement)
      ?.closest("[data-testid=stMain]"))) window.changedAt = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""
_DRAWN = f"""document.querySelector("{IDLE}") && performance.now() - window.changedAt > {QUIET}"""


@dataclass
class Sent:
    """Bytes that came to a browser: the program that it keeps, other answers, and websocket frames."""

    program: int = 0
    answers: int = 0
    frames: int = 0
    _urls: dict[str, str] = field(default_factory=dict)

    def watch(self, page: Page) -> None:
        """Count what comes to this page from now on."""
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.responseReceived", self._answer)
        wire.on("Network.loadingFinished", self._finished)
        wire.on("Network.webSocketFrameReceived", self._frame)

    def _answer(self, said: dict[str, Any]) -> None:
        self._urls[said["requestId"]] = said["response"]["url"]

    def _finished(self, said: dict[str, Any]) -> None:
        size = int(said["encodedDataLength"])
        url = self._urls.get(said["requestId"], "")
        if "/static/" in url or url.endswith("/"):
            self.program += size
        else:
            self.answers += size

    def _frame(self, said: dict[str, Any]) -> None:
        frame = said["response"]
        data = frame["payloadData"]
        self.frames += len(base64.b64decode(data)) if frame["opcode"] == 2 else len(data)


@dataclass(frozen=True, slots=True)
class Row:
    """A page's figures: bytes at the first visit, bytes a change, and seconds of every change."""

    page: str
    first: int
    program: int
    change: float
    seconds: Sequence[float]


def _open_context(browser: Browser) -> BrowserContext:
    # The pages let no script make code from text, which waiting for a condition does.
    return browser.new_context(bypass_csp=True, viewport={"width": 1440, "height": 1000})


def measure(browser: Browser, address: str, name: str, path: str, store: Path, changes: int) -> Row:
    """Open a page and change its filters."""
    options = open_snapshot(store).options()
    speakers = cycle([speaker for speaker, _ in options.speakers if speaker][: changes // 2 + 1])
    years = cycle(options.years)
    context = _open_context(browser)
    page = context.new_page()
    page.add_init_script(_WATCH)
    sent = Sent()
    sent.watch(page)
    page.goto(f"{address}/{path}")
    settled(page)
    page.wait_for_function(_DRAWN)
    first, program, before = sent.frames + sent.answers, sent.program, sent.frames + sent.answers
    seconds = []
    for at in range(changes):
        label, option = ("Speaker", next(speakers)) if at % 2 == 0 else ("From", next(years))
        seconds.append(_changed(page, label, option))
    context.close()
    return Row(name, first, program, (sent.frames + sent.answers - before) / changes, seconds)


def _changed(page: Page, label: str, option: str) -> float:
    """Choose an option of a filter; seconds until the page no longer changes."""
    page.get_by_test_id("stSidebar").get_by_role("combobox", name=label).click()
    page.keyboard.type(option)
    page.get_by_role("option", name=option, exact=True).first.click()
    page.wait_for_timeout(200)
    page.wait_for_function(_DRAWN)
    took = float(page.evaluate("(window.changedAt - window.chosenAt) / 1000"))
    page.keyboard.press("Tab")  # closes the list
    return took


def measure_start(browser: Browser, store: Path) -> float:
    """Start a server; seconds until its first page shows a chart."""
    context = _open_context(browser)
    began = time.monotonic()
    with serving(store) as address:
        page = context.new_page()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(".js-plotly-plot .main-svg")
        took = time.monotonic() - began
        context.close()
    return took


def table(rows: Sequence[Row]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| page | redraw, median | redraw, worst | sent at first visit | sent a change |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.page} | {statistics.median(row.seconds):.2f} s | {max(row.seconds):.2f} s "
        f"| {row.first / 1000:,.0f} kB | {row.change / 1000:,.0f} kB |"
        for row in rows
    ]
    program = max(row.program for row in rows)
    return "\n".join([*lines, "", f"Streamlit's program, once a browser: {program / 1e6:.1f} MB."])


def main() -> None:
    """Measure the start and every page on a store, and print the table."""
    parser = argparse.ArgumentParser(description="How fast the dashboard is in a browser.")
    parser.add_argument("store", type=Path)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--page", choices=sorted(PAGES), help="only this one")
    asked = parser.parse_args()
    with chromium() as browser:
        starts = [measure_start(browser, asked.store) for _ in range(asked.starts)]
    if starts:
        print(f"First chart, from the start of the server: median {statistics.median(starts):.1f} s of {len(starts)}\n")
    if not asked.changes:
        return
    with serving(asked.store) as address, chromium() as browser:
        pages = existing(browser, address)
        rows = [
            measure(browser, address, name, path, asked.store, asked.changes)
            for name, path in pages.items()
            if asked.page in (None, name)
        ]
    print(table(rows))


if __name__ == "__main__":
    main()
