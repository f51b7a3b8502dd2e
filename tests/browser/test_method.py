"""The method page and the brief in a real browser: formulas offline, anchors, hints, one printed sheet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from narratives.model import Slice
from narratives.workflows.brief import write_brief
from tests.helpers.browser import choose, fresh, opened, serving, settled, sql, turned_to
from tests.helpers.factory import build_store

pytestmark = pytest.mark.browser
NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return build_store(tmp_path_factory.mktemp("method") / "store", NOTICE).path


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def brief(page, out: Path) -> Path:
    """The file that the button on the page gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Brief (HTML)").click()
    assert waiting.value.suggested_filename.startswith("narratives-brief-")
    waiting.value.save_as(out)
    return out


def test_the_brief_of_the_filters_shows_and_prints_them(browser, address, store, tmp_path):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/?speaker=Vladimir+Putin&from=2016&to=2018")
        file = brief(page, tmp_path / "brief.html")
        link = page.context.new_page()
        asked: list[str] = []
        link.on("request", lambda request: asked.append(request.url))
        link.goto(f"file://{file}")
        assert asked == [f"file://{file}"]
        assert "by Vladimir Putin, 2016–2018" in link.title()
        [(expected,)] = sql(
            store,
            "SELECT count(*) FROM paragraphs WHERE statement AND duplicate_of = '' AND year BETWEEN '2016' "
            "AND '2018' AND speaker = 'Vladimir Putin'",
        )
        figures = link.locator(".figures div").all_inner_texts()
        assert any(text.split() == ["Statement", "paragraphs", f"{expected}"] for text in figures)
        assert link.get_by_role("img").count() == 3 + 1 + 1
        link.pdf(path=tmp_path / "brief.pdf", prefer_css_page_size=True)
        assert len(PdfReader(tmp_path / "brief.pdf").pages) == 1
        back = link.get_by_role("link", name="these figures on the dashboard").get_attribute("href")
        page = opened(watched, back or "")
        expect(page.get_by_text("This link shows the latest snapshot")).to_be_visible()
        expect(page.get_by_text("by Vladimir Putin dated 2016–2018").first).to_be_visible()


@pytest.mark.model
def test_the_brief_of_the_sample_is_one_sheet(browser, sample, tmp_path):
    with fresh(browser) as watched:
        page = watched.page
        write_brief(sample, Slice(), tmp_path / "brief.html")
        page.goto(f"file://{tmp_path / 'brief.html'}")
        assert page.locator("blockquote").count() == 5 and page.get_by_role("img").count() == 6 + 1 + 1
        page.pdf(path=tmp_path / "brief.pdf", prefer_css_page_size=True)
        assert len(PdfReader(tmp_path / "brief.pdf").pages) == 1
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_formulas_are_drawn_and_no_page_is_wider_than_a_phone(browser, address):
    with fresh(browser, 390, 844) as watched:
        page = opened(watched, f"{address}/method")
        page.wait_for_selector(".katex")
        assert page.locator(".katex-display").count() >= 8
        assert page.locator(".katex-error").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        wide = page.evaluate(
            "Array.from(document.querySelectorAll('.katex-display'))"
            ".filter(f => f.querySelector('.katex-html').getBoundingClientRect().right > 390).length"
        )
        assert wide == 0


def test_the_page_is_found_from_the_others_and_its_sections_by_address(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        choose(page, "Speaker", "Vladimir Putin")
        page.get_by_role("link", name="How these numbers are computed").click()
        page.wait_for_url("**/method?speaker=Vladimir+Putin")
        settled(page)
        expect(page.get_by_role("heading", name="What the words mean")).to_be_visible()
        page.get_by_role("link", name="How to cite").first.click()
        expect(page.get_by_role("heading", name="How to cite")).to_be_in_viewport()


def test_hints_go_and_stay_away(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        hint = page.get_by_text("Choose a speaker or a year")
        expect(hint).to_be_visible()
        page.get_by_role("button", name="Got it").click()
        settled(page)
        expect(hint).to_have_count(0)
        turned_to(turned_to(page, "Method"), "Prevalence")
        expect(hint).to_have_count(0)
