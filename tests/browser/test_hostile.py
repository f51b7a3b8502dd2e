"""Pages and brief with hostile strings in every field: nothing runs, nothing is loaded, nothing overflows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from narratives.model import Slice
from narratives.workflows import brief
from tests.helpers.browser import fresh, opened, serving
from tests.helpers.hostile import build_hostile_store

pytestmark = pytest.mark.browser
NARROW = 390
# The pages with the most kinds of elements. All eleven take a minute or two.
PAGES = {"": "", "narrative": "", "evidence": "?open=d106-001"}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return build_hostile_store(tmp_path_factory.mktemp("hostile") / "store")


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def find_faults(page: Page) -> list[str]:
    """What a hostile string has achieved on a page."""
    return page.evaluate(
        """() => {
          const faults = [];
          if (window.__ran) faults.push("a script ran");
          if (document.querySelector("[data-testid=stException]")) faults.push("an exception is shown");
          const main = document.querySelector("[data-testid=stMain]") ?? document.documentElement;
          for (const box of [document.documentElement, main])
            if (box.scrollWidth > innerWidth) faults.push(`${box.tagName} is ${box.scrollWidth} px wide`);
          for (const link of document.links) {
            if (!["http:", "https:"].includes(link.protocol)) faults.push(`a link to ${link.href}`);
            else if (link.origin !== location.origin && !link.rel.includes("noreferrer"))
              faults.push(`a link to ${link.href} with the referrer`);
          }
          const text = document.body.innerText;
          if ([...text].some((c) => "\\u202a\\u202b\\u202d\\u202e\\u2066\\u2067\\u2068\\x1b".includes(c)))
            faults.push("characters that act");
          return faults;
        }"""
    )


def test_no_page_runs_loads_or_overflows(browser: Browser, address: str) -> None:
    faults: dict[str, list[str]] = {}
    with fresh(browser, NARROW, 844) as watched:
        dialogs: list[str] = []
        watched.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        for name, query in PAGES.items():
            page = opened(watched, f"{address}/{name}{query}")
            bare = [link for link in page.evaluate("[...document.links].map(l => l.href)") if "evil.example" in link]
            if found := [*find_faults(page), *(f"a link to {link}" for link in bare if name != "evidence")]:
                faults[name] = found
        assert not dialogs
    assert not faults, "\n".join(f"{name}: {sorted(set(found))}" for name, found in faults.items())


def test_the_brief_fits_a_narrow_screen(browser: Browser, store: Path, tmp_path: Path) -> None:
    file = tmp_path / "brief.html"
    brief.write_brief(store, Slice(), file)
    with fresh(browser, NARROW, 844) as watched:
        watched.page.goto(file.as_uri())
        assert find_faults(watched.page) == []
