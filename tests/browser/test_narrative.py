"""The page of one narrative in a real browser: filters, clicks, links, downloads, narrow and dark screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import choose, fresh, opened, saved, serving, settled, sql, turned_to
from tests.helpers.larger import ABOUT, BESIDE, build_larger

pytestmark = pytest.mark.browser
NAME = "Memory of the Second World War"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return build_larger(tmp_path_factory.mktemp("narrative") / "store").path


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def drawn(page: Page, key: str) -> list[dict]:
    """The traces of a chart, as the browser holds them: name, x and y."""
    page.wait_for_selector(f".st-key-{key} .js-plotly-plot .main-svg")
    return page.evaluate(
        f"Array.from(document.querySelector('.st-key-{key} .js-plotly-plot').data)"
        ".map(t => ({name: t.name, x: Array.from(t.x), y: Array.from(t.y)}))"
    )


def bars(page: Page) -> int:
    return sum(sum(trace["x"]) for trace in drawn(page, "narrative-speakers"))


def counted(store: Path, condition: str) -> int:
    [(found,)] = sql(
        store,
        "SELECT count(*) FROM assignments a JOIN paragraphs p USING (paragraph_id) WHERE p.statement "
        f"AND a.status <> 'rejected' AND a.narrative_id = '{ABOUT}' AND {condition}",
    )
    return int(found)


def test_filters_change_charts_and_tables_alike(browser, address, store):
    with fresh(browser) as first:
        page = turned_to(opened(first, address), "Narrative")
        expect(page.get_by_role("heading", name=NAME)).to_be_visible()
        assert bars(page) == counted(store, "true")
        choose(turned_to(page, "Prevalence"), "Speaker", "Vladimir Putin")
        turned_to(page, "Narrative")
        choose(page, "From", "2018")
        choose(page, "To", "2018")
        hits = counted(store, "p.speaker = 'Vladimir Putin' AND p.year = '2018'")
        assert bars(page) == hits
        assert page.get_by_test_id("stMetricValue").first.inner_text() == f"{hits}"
        table = saved(page, "narrative-trend", "Numbers (CSV)")
        assert table["paragraphs"].sum() == hits and set(table["filter_narrative"]) == {ABOUT}
        assert set(table["filter_speaker"]) == {"Vladimir Putin"} and "caveat" in table
        [line] = [t for t in drawn(page, "narrative-trend") if str(t["name"]).startswith("Share")]
        kept = table[table["base_ok"].astype(str) == "True"]["share"].astype(float).tolist()
        assert [y for y in line["y"] if y is not None] == pytest.approx(kept)
        speakers = saved(page, "narrative-speakers", "Numbers (CSV)")
        assert speakers["paragraphs"].tolist() == [hits]
        before = drawn(page, "narrative-company")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator(".st-key-panel-narrative-trend").get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Copy link", exact=True).click()
        expect(page.get_by_role("status").get_by_text("Link copied")).to_be_visible()
        link = page.evaluate("navigator.clipboard.readText()")
        filters = {"speaker": ["Vladimir Putin"], "from": ["2018"], "to": ["2018"]}
        assert parse_qs(urlparse(page.url).query) == filters
        # The page started with the most prevalent narrative; the link must not leave that to chance.
        assert parse_qs(urlparse(link).query) == {**filters, "about": [ABOUT]}
    with fresh(browser) as again:
        page = opened(again, link)
        assert bars(page) == hits and drawn(page, "narrative-company") == before


def click(page: Page, mark: str) -> dict[str, list[str]]:
    """Click the middle of a mark; returns what the address of the evidence then asks for."""
    place = page.locator(mark).last
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/evidence?**")
    settled(page)
    return parse_qs(urlparse(page.url).query)


def test_clicks_open_the_paragraphs_and_back_returns(browser, address, store):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/narrative?about={ABOUT}")
        every = bars(page)
        query = click(page, ".st-key-narrative-speakers .point:first-child path")
        [speaker], [voice] = query.pop("speaker"), query.pop("voice")
        assert query == {"narrative": [ABOUT]}
        hits = counted(store, f"p.speaker = '{speaker.replace('(none)', '')}' AND p.voice = '{voice}'")
        expect(page.get_by_text(f"{hits} statement paragraphs by").first).to_be_visible()
        page.go_back()
        settled(page)
        assert bars(page) == every == counted(store, "true")
        drawn(page, "narrative-company")
        assert click(page, ".st-key-narrative-company .points path") == {"narrative": [ABOUT, BESIDE]}
        page.go_back()
        settled(page)
        drawn(page, "narrative-trend")
        query = click(page, ".st-key-narrative-trend .points path")
        assert query["narrative"] == [ABOUT] and query["from"] and query["to"]


def test_another_narrative_is_chosen_and_back_undoes_it(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        page.get_by_role("combobox", name="Open a narrative").click()
        page.get_by_role("option", name="The US meddles too").click()
        page.wait_for_url("**/narrative?**")
        settled(page)
        expect(page.get_by_role("heading", name="The US meddles too")).to_be_visible()
        assert parse_qs(urlparse(page.url).query) == {"about": [BESIDE]}
        page.get_by_role("combobox", name="Narrative to show").click()
        page.get_by_role("option", name=NAME).click()
        settled(page)
        expect(page.get_by_role("heading", name=NAME)).to_be_visible()
        page.go_back()
        settled(page)
        expect(page.get_by_role("heading", name="The US meddles too")).to_be_visible()


def test_it_fits_a_narrow_screen_and_can_be_read_in_the_dark(browser, address):
    with fresh(browser, 390) as watched:
        watched.page.emulate_media(color_scheme="dark")
        page = opened(watched, f"{address}/narrative?about={ABOUT}")
        drawn(page, "narrative-company")
        main = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"Math.max(document.documentElement.scrollWidth, {main}.scrollWidth)") <= 390
        boxes = [element.bounding_box() for element in page.locator(".js-plotly-plot").all()]
        assert len(boxes) == 6
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
        colours = "[...document.querySelectorAll('.legendtext, .ytick text')].map(e => getComputedStyle(e).fill)"
        assert set(page.evaluate(colours)) == {page.evaluate(f"getComputedStyle({main}).color")}
