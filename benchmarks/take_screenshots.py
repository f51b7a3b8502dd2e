"""Take pictures of all pages, wide and narrow, light and dark, for docs/img or to look at.

    python -m benchmarks.take_screenshots [STORE] [--out FOLDER]

Needs a chromium or chrome on the path, and a store (`make run` builds ./store-sample). Pages that this
version does not have are skipped with a message.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

from benchmarks.serving import ROOT, chromium, existing, serving, settled
from narratives.model import EvidenceQuery
from narratives.store import open_snapshot

IMAGES = ROOT / "docs" / "img"
WIDTHS = {1440: 2600, 390: 2200}  # and how much of a page's height is shown
MAIN = "document.querySelector('[data-testid=stMain]')"


def take(page: Page, url: str, most: int, out: Path) -> None:
    """One picture of a page, as high as the page is but no higher than `most` pixels."""
    page.goto(url)
    settled(page)
    page.wait_for_timeout(1500)
    width = page.evaluate("innerWidth")
    page.set_viewport_size({"width": width, "height": min(most, page.evaluate(f"{MAIN}.scrollHeight"))})
    page.wait_for_timeout(1000)
    page.screenshot(path=out)
    page.close()


def main(store: Path, images: Path) -> None:
    """Take all pictures."""
    images.mkdir(parents=True, exist_ok=True)
    best = open_snapshot(store).paragraphs(EvidenceQuery(), limit=1)
    with serving(store) as address, chromium() as browser:
        pages = existing(browser, address)
        if "evidence" in pages and len(best):
            pages["evidence-open"] = f"evidence?{urlencode({'open': best['paragraph_id'].iloc[0]})}"
        for theme in ("light", "dark"):
            for width, most in WIDTHS.items():
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
                )
                for name, path in pages.items():
                    out = images / f"{name}-{width}-{theme}.png"
                    take(context.new_page(), f"{address}/{path}", most, out)
                    print(out)
                context.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take pictures of all pages.")
    parser.add_argument("store", nargs="?", type=Path, default=Path("store-sample"))
    parser.add_argument("--out", type=Path, default=IMAGES)
    asked = parser.parse_args()
    main(asked.store, asked.out)
