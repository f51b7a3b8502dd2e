"""The map in a real browser: filters, a click on a point, an area that opens in Evidence, links."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import choose, fresh, opened, saved, serving, settled, sql, turned_to

pytestmark = pytest.mark.browser
ORIGINALS = "SELECT count(*) FROM paragraphs p WHERE p.statement AND p.duplicate_of = ''"
CHART = ".st-key-panel-map .js-plotly-plot"


@pytest.fixture(scope="module")
def address(sample: Path) -> Iterator[str]:
    with serving(sample) as found:
        yield found


def points(page: Page) -> list[tuple[float, float]]:
    """Where the browser draws points, in the map's own units."""
    page.wait_for_selector(f"{CHART} .main-svg")
    drawn = page.evaluate(
        f"document.querySelector('{CHART}').data.flatMap(t => Array.from(t.x).map((x, i) => [x, t.y[i]]))"
    )
    return sorted((x, y) for x, y in drawn if x is not None)


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """The place of a point in the window."""
    at = page.evaluate(
        f"(() => {{ const p = document.querySelector('{CHART}'), l = p._fullLayout,"
        "b = p.getBoundingClientRect();"
        f"return [b.x + l._size.l + l.xaxis.d2p({x}), b.y + l._size.t + l.yaxis.d2p({y})]; }})()"
    )
    return at[0], at[1]


def found_on_evidence(page: Page) -> int:
    """How many paragraphs Evidence says it shows."""
    line = page.get_by_text(re.compile(r"^[\d,]+ statement paragraphs?\b")).first
    expect(line).to_be_visible()
    said = re.match(r"[\d,]+", line.inner_text())
    assert said
    return int(said[0].replace(",", ""))


def test_filters_change_the_map_as_sql_has_it_and_a_link_shows_the_same(browser, address, sample):
    with fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Map")
        [(total,)] = sql(sample, ORIGINALS)
        assert len(points(page)) == total
        choose(turned_to(page, "Prevalence"), "From", "2018")
        turned_to(page, "Map")
        [(since,)] = sql(sample, f"{ORIGINALS} AND p.year >= '2018'")
        assert len(points(page)) == since < total
        [(speaker, own)] = sql(
            sample,
            "SELECT p.speaker, count(*) FROM paragraphs p WHERE p.statement AND p.duplicate_of = '' "
            "AND p.year >= '2018' AND p.speaker <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1",
        )
        choose(page, "Speaker", speaker)
        assert len(points(page)) == own < since
        table = saved(page, "map", "Numbers (CSV)")
        assert len(table) == own and set(table["speaker"]) == {speaker}
        link, drawn = page.url, points(page)
        page.go_back()
        assert len(points(settled(page))) == since
    with fresh(browser) as again:
        assert points(opened(again, link)) == drawn


def test_a_point_opens_its_paragraph_and_the_way_back_the_map(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/map")
        everything = points(page)
        # The most lonely point is hit for sure.
        alone = max(everything, key=lambda p: min(math.dist(p, q) for q in everything if q != p))
        page.mouse.click(*on_screen(page, *alone))
        page.wait_for_url("**/evidence?**")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert set(parse_qs(urlparse(settled(page).url).query)) == {"open"}
        page.go_back()
        assert points(settled(page)) == everything


def test_what_lies_in_a_box_is_listed_and_opens_in_evidence(browser, address, sample):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/map?from=2017")
        everything = points(page)
        middle = sorted(x for x, _ in everything)[len(everything) // 2]
        page.locator(CHART).hover()
        page.locator(f"{CHART} [data-title='Box Select']").click()
        left, right = on_screen(page, -9.9, 9.5), on_screen(page, middle, -9.5)
        page.mouse.move(*left)
        page.mouse.down()
        page.mouse.move(*[(a + b) / 2 for a, b in zip(left, right, strict=True)])
        page.mouse.move(*right)
        page.mouse.up()
        expect(page.get_by_role("heading", name="Selected paragraphs")).to_be_visible()
        settled(page).get_by_role("button", name="Open this area in Evidence").click()
        page.wait_for_url("**/evidence?**")
        settled(page)
        query = parse_qs(urlparse(page.url).query)
        assert query["from"] == ["2017"]
        corners = [tuple(map(float, corner.split(","))) for corner in query["area"][0].split(";")]
        (low_x, low_y), (high_x, high_y) = min(corners), max(corners)
        [(inside,)] = sql(
            sample,
            f"{ORIGINALS} AND p.year >= '2017' AND p.paragraph_id IN (SELECT paragraph_id FROM map "
            f"WHERE x BETWEEN {low_x} AND {high_x} AND y BETWEEN {low_y} AND {high_y})",
        )
        assert 0 < inside < len(everything) and found_on_evidence(page) == inside
        link = page.url
    with fresh(browser) as again:
        page = opened(again, link)
        assert found_on_evidence(page) == inside
        page.get_by_role("button", name="Whole map").click()
        expect(page.get_by_text("Only paragraphs in the selected area")).to_have_count(0)
        assert found_on_evidence(settled(page)) == len(everything)
        assert parse_qs(urlparse(page.url).query) == {"from": ["2017"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_fits_a_phone(browser, address, scheme):
    with fresh(browser, width=390, height=800) as watched:
        watched.page.emulate_media(color_scheme=scheme)
        page = opened(watched, f"{address}/map")
        assert points(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        box = page.locator(CHART).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
