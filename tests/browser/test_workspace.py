"""The whole loop in a real browser: a topic becomes a narrative, people decide, and the next build knows it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows.build import BuildRequest, build
from tests.browser.test_review import press
from tests.browser.test_topics import click_area
from tests.helpers.browser import fresh, opened, serving, settled, sql, turned_to
from tests.integration.builds.test_build import rows, small_codebook, write

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(900)]
BUILT = 300_000  # milliseconds for a build


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    source = write(folder / "a.jsonl", rows(0, 12))
    build(BuildRequest((source,), folder / "store", small_codebook(folder)))
    return folder / "store"


def build_now(page: Page, store: Path) -> None:
    """Press the button of the sidebar and wait for another snapshot."""
    before = (store / "CURRENT").read_text("utf-8")
    page.get_by_role("button", name="Build now").click()
    expect(page.get_by_role("button", name="Build now")).to_be_hidden()
    expect(page.get_by_text(re.compile("^Building"))).to_be_hidden(timeout=BUILT)
    page.reload()
    settled(page)
    assert (store / "CURRENT").read_text("utf-8") != before


def count_statuses(store: Path) -> Counter[tuple[str, str]]:
    return Counter(sql(store, "SELECT narrative_id, status FROM assignments WHERE origin = 'codebook'"))


def test_a_topic_becomes_a_narrative_that_people_correct(browser, store):
    [(topic, size)] = sql(store, "SELECT cluster_id, size FROM clusters WHERE cluster_id LIKE 't-%' LIMIT 1")
    with serving(store) as address, fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Topics")
        click_area(page, topic)
        page.get_by_role("button", name="Make a narrative of it").click()
        page.wait_for_url("**/codebook?**")
        main = settled(page).get_by_test_id("stMain")
        assert len(main.get_by_label("Exemplars").input_value().splitlines()) >= 1
        for label, text in (("Name", "A claim of ours"), ("Definition", "It recurs."), ("Why", "To test the loop.")):
            main.get_by_label(label, exact=True).fill(text)
            page.keyboard.press("Tab")
            settled(page)
        expect(main.get_by_text("Gained", exact=True).first).to_be_visible()
        main.get_by_role("button", name="Add the narrative").click()
        expect(settled(page).get_by_text("Saved: 1 edit.")).to_be_visible()
        build_now(page, store)
        [narrative] = {key for key, _ in count_statuses(store)} & {"a_claim_of_ours"}
        assert count_statuses(store)[narrative, "auto"] >= min(3, size)

        turned_to(page, "Review")
        for number in range(30):
            press(page, "yn"[number % 2])
        for _ in range(3):
            press(page, "z")
        log = DecisionLog(store / DECISIONS_FILE)
        assert len(log.history()) == 33 and len(log.current()) == 27
        decided = Counter((d.narrative_id, d.verdict) for d in log.current())
        build_now(page, store)
        statuses = count_statuses(store)
        # Accepted pairs are confirmed, whatever their score; rejected ones count nowhere. Texts here are not repeated.
        for key in {key for key, _ in decided}:
            assert statuses[key, "confirmed"] == decided[key, "accepted"]
            assert statuses[key, "rejected"] <= decided[key, "rejected"]
        [(used, total)] = sql(
            store,
            "SELECT count(DISTINCT a.paragraph_id), (SELECT count(*) FROM paragraphs WHERE statement AND "
            "duplicate_of = '') FROM assignments a JOIN paragraphs p USING (paragraph_id) "
            f"WHERE a.narrative_id = '{narrative}' AND a.status <> 'rejected' AND p.duplicate_of = ''",
        )
        page = opened(watched, f"{address}/narrative?about={narrative}")
        expect(page.get_by_test_id("stMetric").filter(has_text="Paragraphs").first).to_contain_text(str(used))
        expect(page.get_by_test_id("stMain")).to_contain_text(f"{100 * used / total:.0f}")
        [edit] = log.edits("narrative")
        assert edit.why == "To test the loop." and json.loads(edit.value)["name"] == "A claim of ours"
