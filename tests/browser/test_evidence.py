"""The evidence page in a real browser: order, both searches, a paragraph in its document, three formats."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect
from pyarrow import parquet

from tests.helpers.browser import choose, downloaded, fetched, fresh, opened, put, serving, settled, sql, turned_to
from tests.helpers.factory import build_store

pytestmark = pytest.mark.browser
STATEMENTS = "p.statement AND p.duplicate_of = ''"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return build_store(tmp_path_factory.mktemp("evidence") / "store").path


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def row(page: Page, number: int) -> None:
    """Choose a row of the table, counted from 0."""
    box = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 38 + 66 * number + 30)
    settled(page)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


def test_a_row_opens_in_its_document_and_back_closes_it(browser, address):
    with fresh(browser) as first:
        page = opened(first, f"{address}/evidence?text=breeds")
        row(page, 0)
        drawer = page.get_by_role("dialog")
        for words in (
            "Weekly briefing",
            "Score 0.83; matched by machine.",
            "The matching passage",
            "The minister will visit Lima on Friday next.",
        ):
            expect(drawer.get_by_text(words).first).to_be_visible()
        assert query(page) == {"text": ["breeds"], "open": ["d001-003"]}
        link = page.url
        page.go_back()
        settled(page)
        expect(drawer).to_have_count(0)
        assert query(page) == {"text": ["breeds"]}
    with fresh(browser) as again:
        page = opened(again, link)
        expect(page.get_by_role("dialog").get_by_text("Weekly briefing").first).to_be_visible()
        page.keyboard.press("Escape")
        settled(page)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert query(page) == {"text": ["breeds"]}


def test_the_drawer_leads_on_and_the_address_follows(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence?open=d005-001")
        page.get_by_role("button", name="Open the original").click()
        settled(page)
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_text("Kremlin on the elections").first).to_be_visible()
        assert query(page) == {"open": ["d002-001"]}
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        drawer.get_by_role("button", name="Share").click()
        page.get_by_role("button", name="Copy link", exact=True).click()
        expect(page.get_by_text("Link copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_drawer_fits_a_narrow_screen(browser, address, scheme):
    with fresh(browser, 390) as watched:
        watched.page.emulate_media(color_scheme=scheme)
        page = opened(watched, f"{address}/evidence?open=d001-003")
        box = page.get_by_role("dialog").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        chips = page.locator(".chips > div")
        assert chips.count() >= 4
        assert all(chip.bounding_box()["x"] + chip.bounding_box()["width"] <= 390 for chip in chips.all())


def test_filters_order_and_three_formats_are_what_sql_says(browser, address, store):
    with fresh(browser) as watched:
        page = opened(watched, address)
        choose(page, "Speaker", "Vladimir Putin")
        choose(page, "From", "2016")
        choose(page, "To", "2017")
        put(turned_to(page, "Evidence"), "Sort all rows by", "Newest first")
        assert query(page) == {"sort": ["newest"], "speaker": ["Vladimir Putin"], "from": ["2016"], "to": ["2017"]}
        expected = sql(
            store,
            f"SELECT paragraph_id FROM paragraphs p WHERE {STATEMENTS} AND speaker = 'Vladimir Putin' "
            "AND year IN ('2016', '2017') ORDER BY date DESC",
        )
        expected = [key for (key,) in expected]
        assert len(expected) == 2
        expect(page.get_by_text("2 statement paragraphs by Vladimir Putin dated 2016–2017")).to_be_visible()
        table = downloaded(page, "paragraphs (CSV)")
        assert table["paragraph_id"].tolist() == expected
        assert set(table["sorted_by"]) == {"newest"} and set(table["filter_to"]) == {"2017"}
        lines = [json.loads(line) for line in fetched(page, "JSON lines").splitlines()]
        assert lines == parquet.read_table(io.BytesIO(fetched(page, "Parquet"))).to_pylist()
        assert [line["paragraph_id"] for line in lines] == expected


def test_the_order_is_chosen_on_the_page(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence")
        page.get_by_role("combobox", name="Sort all rows by").click()
        page.get_by_role("option", name="Oldest first").click()
        settled(page)
        assert query(page) == {"sort": ["oldest"]}
        assert downloaded(page, "paragraphs (CSV)")["paragraph_id"].tolist()[0] == "d001-002"
        page.go_back()
        settled(page)
        assert not query(page)


@pytest.mark.model
def test_paragraphs_that_say_the_same_are_found(browser, sample):
    with serving(sample) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence")
        box = page.get_by_role("textbox", name="Find paragraphs that say")
        box.fill("Restrictive measures against us break the rules of world trade")
        box.press("Enter")
        expect(page.get_by_text("similar in meaning to “Restrictive measures")).to_be_visible()
        settled(page)
        found = downloaded(page, "(CSV)")
        assert found["similarity"].astype(float).is_monotonic_decreasing
        assert found["narratives"].head(5).str.contains("Sanctions as unlawful").any()
        box.fill("my sourdough starter will not rise")
        box.press("Enter")
        expect(page.get_by_text("No paragraph in the snapshot is similar in meaning to")).to_be_visible()
        settled(page)
        assert query(page) == {"like": ["my sourdough starter will not rise"]}
