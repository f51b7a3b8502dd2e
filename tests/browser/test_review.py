"""Reviewing in a real browser: from the menu, by keys, taken back, and what other pages then count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from narratives.store import DECISIONS_FILE, DecisionLog
from tests.browser.test_accessibility import violations
from tests.helpers.browser import STREAMLIT, TURNED, fresh, opened, serving, settled, turned_to
from tests.helpers.factory import build_store

pytestmark = pytest.mark.browser


@pytest.fixture
def store(tmp_path) -> Path:
    return build_store(tmp_path / "store").path


def press(page: Page, key: str) -> None:
    """Press a key and wait until it is counted and the next question is there."""
    # While a page is drawn again, its old and its new text may both be there.
    count = page.get_by_text(re.compile(r"\d+ decisions? today\.")).first
    said = count.inner_text()
    page.keyboard.press(key)
    expect(count).not_to_have_text(said)
    settled(page, TURNED)


def test_ten_decisions_by_keys_and_three_taken_back(browser, store):
    log = DecisionLog(store / DECISIONS_FILE)
    with serving(store) as address, fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Review")
        for key in "ynynuynyny":
            press(page, key)
        expect(page.get_by_text("10 decisions today.")).to_be_visible()
        sidebar = page.get_by_test_id("stSidebar")
        expect(sidebar.get_by_text("10 decisions since this snapshot count already.")).to_be_visible()
        expect(sidebar.get_by_role("button", name="Build now")).to_be_visible()
        for _ in range(3):
            press(page, "z")
        expect(page.get_by_text("7 decisions today.")).to_be_visible()
        assert len(log.history()) == 13
        assert [d.verdict for d in log.history()][:5] == ["accepted", "rejected", "accepted", "rejected", "undecided"]
        assert len(log.current()) == 7
        page.keyboard.press("o")
        expect(page.get_by_role("combobox", name="The narrative that it advances instead")).to_be_focused()
        page.keyboard.type("y")  # a letter in the list, not an answer
        page.keyboard.press("Escape")
        settled(page)
        assert len(log.history()) == 13
        assert not violations(page)


def test_a_rejection_on_evidence_changes_the_counts_of_other_pages(browser, store):
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence?narrative=western_russophobia&open=d001-002")
        page.get_by_role("button", name="Reject").first.click()
        expect(page.get_by_text("1 decision since this snapshot counts already.")).to_be_visible()
        expect(page.get_by_text("1 statement paragraph that advances Western Russophobia")).to_be_visible()
        page = opened(watched, f"{address}/narrative?about=western_russophobia")
        metric = page.get_by_test_id("stMetric").filter(has_text="Paragraphs").first
        expect(metric).to_contain_text("1")


def test_where_others_may_reach_the_server_nothing_can_be_changed(browser, store):
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    program = (*STREAMLIT, "--server.address", "0.0.0.0")
    with serving(store, program) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/?open=d001-002")
        expect(page.get_by_text("The server listens on 0.0.0.0, and there is no login.")).to_be_visible()
        assert "Review" not in page.get_by_test_id("stSidebarNavLink").all_inner_texts()
        for name in ("Evidence", "Sources"):
            turned_to(page, name)
            assert not page.get_by_role("button", name="Reject", exact=True).count()
            assert not page.locator("input[type=file]").count()
        for path in ("review", "review_page"):
            page.goto(f"{address}/{path}")
            settled(page)
            assert not page.get_by_role("button", name="Yes").count()
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
