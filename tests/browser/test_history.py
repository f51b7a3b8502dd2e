"""The browser's Back and Forward: each leads to what was seen before, with the filters that were set then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page

from narratives.store import Store
from tests.helpers.attribution import PUTIN, speaking
from tests.helpers.browser import choose, fresh, opened, put, serving, settled, turned_to

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("history") / "store")
    made.write_snapshot(replace(speaking(), notice="sample: made up"))
    with serving(Path(made.path)) as found:
        yield found


def place(page: Page) -> tuple[str, str, dict[str, list[str]]]:
    """The path, the title and the parameters of the page."""
    url = urlparse(page.url)
    return url.path, page.locator("h1").first.inner_text(), parse_qs(url.query)


def back(page: Page) -> tuple[str, str, dict[str, list[str]]]:
    page.go_back()
    return place(settled(page))


def test_back_after_the_menu_keeps_the_filters(browser, address):
    filters = {"speaker": [PUTIN], "from": ["2017"]}
    with fresh(browser) as watched:
        page = opened(watched, address)
        choose(page, "Speaker", PUTIN)
        choose(page, "From", "2017")
        for name in ("Speakers", "Evidence"):
            turned_to(page, name)
            settled(page)
        assert place(page) == ("/evidence", "Evidence", filters)
        assert back(page) == ("/speakers", "Speakers", filters)
        assert back(page) == ("/", "Prevalence", filters)
        page.go_forward()
        assert place(settled(page)) == ("/speakers", "Speakers", filters)
        assert back(page)[2] == filters
        assert back(page) == ("/", "Prevalence", {"speaker": [PUTIN]})
        assert back(page) == ("/", "Prevalence", {})


def test_back_undoes_the_first_choice_on_a_page_from_the_menu(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        turned_to(page, "Speakers")
        settled(page)
        put(page, "Show", "Count")
        assert place(page) == ("/speakers", "Speakers", {"show": ["count"]})
        assert back(page) == ("/speakers", "Speakers", {})
        assert back(page) == ("/", "Prevalence", {})
