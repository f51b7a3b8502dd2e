"""The Topics page in a real browser: from the menu to a topic, its paragraphs and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import choose, fresh, opened, saved, serving, settled, turned_to
from tests.helpers.factory import build_store

pytestmark = pytest.mark.browser
CHART = ".st-key-panel-themes .js-plotly-plot"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store: Path = build_store(tmp_path_factory.mktemp("topics") / "texts").path
    with serving(store) as found:
        yield found


def click_area(page: Page, topic: str) -> None:
    """Click in the middle of a topic's area."""
    page.wait_for_selector(f"{CHART} .main-svg")
    at = page.evaluate(
        """([selector, topic]) => {
          const plot = document.querySelector(selector), box = plot.getBoundingClientRect(), l = plot._fullLayout;
          const trace = plot.data.find((one) => one.customdata.some((point) => point.topic === topic));
          const place = trace.customdata.findIndex((point) => point.topic === topic);
          const x = trace.x[place], y = trace.base[place] + trace.y[place] / 2;
          return [box.x + l._size.l + l.xaxis.d2p(x), box.y + l._size.t + l.yaxis.d2p(y)];
        }""",
        [CHART, topic],
    )
    page.mouse.click(*at)


def test_a_click_on_an_area_leads_to_the_paragraphs_and_back(browser, address):
    with fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Topics")
        click_area(page, "t-00000001")
        expect(page.get_by_role("heading", name="elections · interference")).to_be_visible()
        assert parse_qs(urlparse(settled(page).url).query)["about-topic"] == ["t-00000001"]
        page.get_by_role("button", name="Open 3 paragraphs in Evidence").click()
        page.wait_for_url("**/evidence?**")
        expect(page.get_by_text("Only paragraphs of the topic “elections · interference”.")).to_be_visible()
        expect(settled(page).get_by_text("3 statement paragraphs of the topic")).to_be_visible()
        page.get_by_role("button", name="All topics").click()
        expect(page.get_by_text("9 statement paragraphs")).to_be_visible()
        settled(page).go_back()
        expect(page.get_by_text("Only paragraphs of the topic “elections · interference”.")).to_be_visible()
        settled(page).go_back()
        expect(settled(page).get_by_role("heading", name="elections · interference")).to_be_visible()


def test_filters_narrow_the_map_and_its_file(browser, address):
    with fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Topics")
        choose(page, "Speaker", "Maria Zakharova")
        table = saved(settled(page), "themes", "Numbers (CSV)")
        assert table["topic"].tolist() == ["elections"] and table["paragraphs"].tolist() == [1]
        assert set(table["filter_speaker"]) == {"Maria Zakharova"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(browser, address, scheme):
    with fresh(browser, width=390, height=800) as watched:
        watched.page.emulate_media(color_scheme=scheme)
        page = opened(watched, f"{address}/topics?about-topic=t-00000001")
        page.wait_for_selector(f"{CHART} .main-svg")
        assert settled(page).evaluate("document.documentElement.scrollWidth") <= 390
