"""The Codebook page in a real browser, by clicks: a narrative from a search, its preview, and its history."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.review import get_login
from tests.helpers.browser import fetched, fresh, opened, put, serving, settled, turned_to
from tests.integration.builds.test_build import rows, small_codebook, write

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("codebook")
    source = write(folder / "a.jsonl", rows(0, 12))
    build(BuildRequest((source,), folder / "store", small_codebook(folder)))
    return folder / "store"


def test_a_narrative_from_a_search_is_previewed_saved_and_in_the_history(browser, store):
    with serving(store) as address, fresh(browser) as watched:
        page = turned_to(opened(watched, f"{address}/method"), "Codebook")
        main = page.get_by_test_id("stMain")
        put(page, "What to do", "New")
        put(page, "Start from", "a search")
        main.get_by_role("textbox", name="Find paragraphs that say").fill("The harvest was good this year.")
        page.keyboard.press("Enter")
        settled(page)
        exemplars = main.get_by_role("textbox", name="Exemplars")
        expect(exemplars).to_have_value(re.compile("harvest"))
        main.get_by_role("textbox", name="Definition").fill("Harvests are good and exports grow.")
        page.keyboard.press("Tab")
        settled(page)
        expect(main.get_by_text("of 36 original statement paragraphs")).to_be_visible()
        expect(main.get_by_text("Gained", exact=True).first).to_be_visible()
        main.get_by_role("textbox", name="Why").fill("It recurs.")
        page.keyboard.press("Tab")
        settled(page)
        main.get_by_role("button", name="Add the narrative").click()
        settled(page)
        expect(main.get_by_text("Saved: 1 edit.")).to_be_visible()
        expect(main.get_by_text("Edits of 1 narrative wait for a build.")).to_be_visible()
        [edit] = DecisionLog(store / DECISIONS_FILE).edits("narrative")
        assert (edit.who, edit.why) == (get_login(), "It recurs.") and json.loads(edit.value)["exemplars"]
        put(page, "What to do", "Edit")
        put(page, "Narrative", "The harvest was good this year")
        main.get_by_text("What changed, in full").click()
        expect(main.get_by_text(f"{get_login()}: It recurs.")).to_be_visible()
        put(page, "What to do", "Import and export")
        assert b'id = "the_harvest_was_good_this_year"' in fetched(page, "Download the codebook (TOML)")
    with serving(store) as address, fresh(browser, 390) as watched:
        page = opened(watched, f"{address}/codebook")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
