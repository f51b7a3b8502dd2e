"""The whole loop in a real browser: a topic becomes a narrative, people decide, and the next build knows it."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from narratives.store import DECISIONS_FILE, DecisionLog
from narratives.workflows.build import BuildRequest, build
from tests.browser.test_review import press
from tests.browser.test_topics import click_area
from tests.helpers.browser import downloaded, fresh, opened, put, serving, settled, sql, turned_to
from tests.integration.builds.test_build import rows, small_codebook, write

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(900)]
BUILT = 200  # seconds that a build may take


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    source = write(folder / "a.jsonl", rows(0, 40))
    build(BuildRequest((source,), folder / "store", small_codebook(folder)))
    return folder / "store"


def build_now(page: Page, store: Path) -> None:
    """Press the button of the sidebar and wait for another snapshot."""
    before = (store / "CURRENT").read_text("utf-8")
    page.get_by_role("button", name="Build now").click()
    deadline = time.monotonic() + BUILT
    while (store / "CURRENT").read_text("utf-8") == before:
        assert time.monotonic() < deadline, page.get_by_test_id("stSidebar").inner_text()
        page.wait_for_timeout(500)
    expect(page.get_by_text(re.compile("^Building"))).to_be_hidden()
    page.reload()
    settled(page)


def count_statuses(store: Path) -> Counter[tuple[str, str]]:
    return Counter(sql(store, "SELECT narrative_id, status FROM assignments WHERE origin = 'codebook'"))


ASSIGNED = """
    SELECT (p.text, a.narrative_id), a.status IN ('auto', 'confirmed')
    FROM assignments a JOIN paragraphs p USING (paragraph_id) WHERE a.origin = 'codebook'
"""


def answers_by_hand(log: DecisionLog, assigned: dict[tuple[str, str], bool]) -> dict[str, tuple[str, int, int]]:
    """For each narrative, the precision and the numbers of random answers on assigned paragraphs and on others."""
    names = {"bases": "Bases at the border", "sanctions": "Sanctions backfire", "a_claim_of_ours": "A claim of ours"}
    answers: dict[str, list[list[str]]] = {}
    for one in log.current():
        if one.drawn is not None:
            on = assigned.get((one.text, one.narrative_id), False)
            answers.setdefault(names[one.narrative_id], [[], []])[not on].append(one.verdict)
    return {
        name: (f"{on.count('accepted') / len(on):.2f}" if on else "–", len(on), len(others))
        for name, (on, others) in answers.items()
    }


def count_answers(page: Page) -> dict[str, tuple[str, int, int]]:
    """The same, as the page shows it."""
    page.get_by_text("What the random answers say so far").click()
    grid = page.get_by_test_id("stDataFrame").first.locator("td[role=gridcell]")
    expect(grid.last).to_have_text(re.compile(r"\d"))
    cells = grid.all_text_contents()
    rows = [cells[at : at + 5] for at in range(0, len(cells), 5)]
    return {row[0]: (row[1].split(" ")[0], int(row[3]), int(row[4])) for row in rows}


def test_a_topic_becomes_a_narrative_that_people_correct(browser, store):
    [(topic, size)] = sql(store, "SELECT cluster_id, size FROM clusters WHERE cluster_id LIKE 't-%' LIMIT 1")
    with serving(store) as address, fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Topics")
        click_area(page, topic)
        page.get_by_role("button", name="Make a narrative of it").click()
        page.wait_for_url("**/codebook?**")
        main = settled(page).get_by_test_id("stMain")
        assert len(main.get_by_role("textbox", name="Exemplars").input_value().splitlines()) >= 1
        for label, text in (("Name", "A claim of ours"), ("Definition", "It recurs."), ("Why", "To test the loop.")):
            main.get_by_role("textbox", name=label, exact=True).fill(text)
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
        assert count_answers(page) == answers_by_hand(log, dict(sql(store, ASSIGNED)))
        decided = Counter((d.narrative_id, d.verdict) for d in log.current())
        turned_to(page, "Prevalence")
        expect(page.get_by_text("27 decisions since this snapshot count already.")).to_be_visible()
        build_now(page, store)
        statuses = count_statuses(store)
        # Accepted pairs are confirmed, whatever their score; rejected ones count nowhere. Texts here are not repeated.
        for key in {key for key, _ in decided}:
            assert statuses[key, "confirmed"] == decided[key, "accepted"]
            assert statuses[key, "rejected"] <= decided[key, "rejected"]
        [(used,)] = sql(
            store,
            f"SELECT count(*) FROM assignments WHERE narrative_id = '{narrative}' AND status IN ('auto', 'confirmed')",
        )
        page = opened(watched, f"{address}/narrative?about={narrative}")
        expect(page.get_by_test_id("stMetric").filter(has_text="Paragraphs").first).to_contain_text(str(used))
        # 40 documents of three paragraphs each.
        expect(page.get_by_test_id("stMetric").filter(has_text="Share").first).to_contain_text(f"{used / 1.2:.1f} %")

        turned_to(page, "Codebook")
        put(page, "Narrative", "A claim of ours")
        [entry] = downloaded(page, "History (CSV)").to_dict("records")
        [edit] = log.edits("narrative")
        assert (entry["who"], entry["why"], entry["edit"]) == (edit.who, "To test the loop.", edit.edit_id)
        assert json.loads(edit.value)["name"] == "A claim of ours"
