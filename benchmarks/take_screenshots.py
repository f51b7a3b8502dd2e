"""Take the pictures in docs/img: all pages, wide and narrow, light and dark, of the sample.

    python benchmarks/take_screenshots.py [STORE]

Needs a chromium or chrome on the path, and a store (`make run` builds ./store-sample).
"""

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

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "img"
WIDTHS = {1440: 2600, 390: 2200}  # and how much of a page's height is shown
PAGES = {
    "prevalence": ("", ".st-key-uncovered .main-svg"),
    "evidence": ("evidence", "[data-testid=stDataFrame]"),
    "map": ("map", ".stPlotlyChart .main-svg"),
    "sources": ("sources", ".st-key-coverage .main-svg"),
    "method": ("method", ".katex"),
}
MAIN = "document.querySelector('[data-testid=stMain]')"


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
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def take(page: Page, url: str, drawn: str, most: int, out: Path) -> None:
    """One picture of a page, as high as the page is but no higher than `most` pixels."""
    page.goto(url)
    page.wait_for_selector(drawn)
    page.wait_for_timeout(1500)
    width = page.evaluate("innerWidth")
    page.set_viewport_size({"width": width, "height": min(most, page.evaluate(f"{MAIN}.scrollHeight"))})
    page.wait_for_timeout(1000)
    page.screenshot(path=out)
    page.set_viewport_size({"width": width, "height": 900})


def main(store: Path) -> None:
    """Take all pictures."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serving(store) as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=browser_path, args=arguments)
        for theme in ("light", "dark"):
            for width, most in WIDTHS.items():
                context = browser.new_context(
                    viewport={"width": width, "height": 900},
                    color_scheme="dark" if theme == "dark" else "light",
                )
                for name, (path, drawn) in PAGES.items():
                    out = IMAGES / f"{name}-{width}-{theme}.png"
                    take(context.new_page(), f"{address}/{path}", drawn, most, out)
                    print(out.relative_to(ROOT))
                context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "store-sample"))
