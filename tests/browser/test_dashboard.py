"""The dashboard in a real browser: filters, links, downloads, new snapshots, narrow screens, no calls out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from narratives.store import Store
from tests.helpers.browser import (
    calls,
    choose,
    compared,
    downloaded,
    fresh,
    guarded,
    headline,
    opened,
    saved,
    serving,
    settled,
    sql,
    turned_to,
)
from tests.helpers.factory import build_store, content, document

pytestmark = pytest.mark.browser
NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return build_store(tmp_path_factory.mktemp("browser") / "store", NOTICE).path


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def test_the_guard_refuses_and_notes_what_goes_out(tmp_path):
    """Without this the guard could be asleep. The address is one kept for documentation."""
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    environment = {**os.environ, **guarded(tmp_path / "a.log")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode == 1
    assert "192.0.2.1" in calls(tmp_path / "a.log")


@pytest.mark.model
def test_filters_links_and_downloads(browser, sample):
    store, speaker, year = sample, "Sergei Lavrov", "2018"
    with serving(store) as address:
        with fresh(browser) as first:
            page = opened(first, address)
            before, everything = headline(page), compared(page)
            expect(page.get_by_text(NOTICE)).to_be_visible()
            choose(page, "Speaker", speaker)
            choose(page, "From", year)
            choose(page, "To", year)
            expect(page.get_by_text(f"by {speaker} dated {year}; originals only").first).to_be_visible()
            after, hers = headline(page), compared(page)
            assert after != before and hers != everything
            query = parse_qs(urlparse(page.url).query)
            assert query == {"speaker": [speaker], "from": [year], "to": [year]}
            link = page.url

            hits = f"p.statement AND p.duplicate_of = '' AND p.speaker = '{speaker}' AND p.year = '{year}'"
            [(total,)] = sql(store, f"SELECT count(*) FROM paragraphs p WHERE {hits}")
            assert after["Paragraphs"] == f"{total}"

            table = saved(page, "prevalence", "Numbers (CSV)")
            counted = dict(
                sql(
                    store,
                    "SELECT narrative_id, count(*) FROM assignments a JOIN paragraphs p USING (paragraph_id) "
                    f"WHERE a.status <> 'rejected' AND a.origin = 'codebook' AND {hits} GROUP BY 1",
                )
            )
            assert {k: n for k, n in zip(table["narrative_id"], table["paragraphs"], strict=True) if n} == counted
            assert set(table["total_paragraphs"]) == {total}
            assert set(table["filter_speaker"]) == {speaker}
            assert set(table["filter_from"]) == {year}
            drawn = [share for [share] in hers]
            assert drawn == [float(share) if share else None for share in table["share"]][: len(drawn)]

            turned_to(page, "Evidence")
            assert parse_qs(urlparse(page.url).query) == query
            rows = downloaded(page, "paragraphs (CSV)")
            expected = sql(store, f"SELECT paragraph_id FROM paragraphs p WHERE {hits} ORDER BY 1")
            assert sorted(rows["paragraph_id"]) == [paragraph for (paragraph,) in expected]
            assert set(rows["snapshot"]) == {(store / "CURRENT").read_text().strip()}
            evidence = page.url

        with fresh(browser) as again:
            page = opened(again, link)
            assert headline(page) == after
            assert compared(page) == hers
        with fresh(browser) as elsewhere:
            page = opened(elsewhere, evidence)
            expect(page.get_by_text(f"{total} statement paragraphs by {speaker} dated {year}")).to_be_visible()


def test_a_page_s_own_controls_stand_in_the_link_too(browser, address):
    with fresh(browser) as first:
        page = opened(first, address)
        page.get_by_role("radio", name="Count").or_(page.get_by_role("button", name="Count")).first.click()
        page.wait_for_url("**show=count**")
        settled(page)
        counts, link = compared(page), page.url
        assert all(n is None or n == int(n) for line in counts for n in line)
        assert compared(turned_to(turned_to(page, "Narrative"), "Prevalence")) == counts
        assert page.url == link
    with fresh(browser) as again:
        assert compared(opened(again, link)) == counts


def test_a_formula_from_a_text_stays_text(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence?text=HYPERLINK")
        rows = downloaded(page, "paragraph (CSV)")
        assert rows["text"].tolist()[0].startswith("'=HYPERLINK(")
        expect(page.get_by_text("1 statement paragraph with “HYPERLINK”")).to_be_visible()


def test_nothing_to_show_is_said(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/?speaker=Maria+Zakharova&outlet=RT")
        expect(page.get_by_text("No dated statement paragraph matches")).to_be_visible()
        page.get_by_role("button", name="Clear all filters").click()
        settled(page)
        assert compared(page)
        assert not urlparse(page.url).query


def test_a_finger_on_a_chart_scrolls_the_page(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(address)
    settled(page)
    chart = page.locator(".st-key-panel-prevalence .js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    at, finger = chart.bounding_box(), context.new_cdp_session(page)
    top = "document.querySelector('[data-testid=stMain]').scrollTop"
    before, y = page.evaluate(top), at["y"] + at["height"] / 2

    def touch(kind: str, *points: dict[str, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": 195, "y": y})
    for moved in range(15, 151, 15):
        touch("touchMove", {"x": 195, "y": y + moved})
    touch("touchEnd")
    page.wait_for_timeout(500)
    assert page.evaluate(top) < before - 50
    context.close()


@pytest.mark.parametrize("path", ["", "evidence"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(browser, address, path, width):
    with fresh(browser, width) as watched:
        page = opened(watched, f"{address}/{path}")
        main = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"Math.max(document.documentElement.scrollWidth, {main}.scrollWidth)") <= width
        chart = ".js-plotly-plot" if not path else "[data-testid=stDataFrame]"
        page.wait_for_selector(chart)
        boxes = [element.bounding_box() for element in page.locator(chart).all()]
        assert boxes and all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


def test_a_link_may_be_a_server_s_first_visit(browser, store):
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence?speaker=Maria+Zakharova")
        expect(page.get_by_text("by Maria Zakharova; originals only")).to_be_visible()
        settled(page)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert parse_qs(urlparse(page.url).query) == {"speaker": ["Maria Zakharova"]}
        turned_to(page, "Prevalence")


def test_a_page_asked_for_by_its_file_s_name_stands_without_the_frame(browser, store):
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence_page?speaker=Nobody")
        expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        expect(page.get_by_text(NOTICE)).to_be_visible()


def test_a_new_snapshot_appears_at_the_next_interaction(browser, address, store):
    with fresh(browser) as watched:
        page = opened(watched, address)
        before = headline(page)
        text = "A further paragraph that says nothing much at all."
        more, _ = document(8, "2018-09-09", "TASS", "One more", [("Vladimir Putin", "own", text, {})])
        old = content()
        statements = {*old.statements, more.paragraphs[1].paragraph_id}
        added = replace(old, documents=[*old.documents, more], statements=statements, notice=NOTICE)
        Store(store).write_snapshot(added)
        choose(page, "Narrative", "The US meddles too")
        after = headline(page)
        assert int(after["Paragraphs"]) == int(before["Paragraphs"]) + 1
        expect(page.get_by_text(f"Snapshot {(store / 'CURRENT').read_text().strip()}")).to_be_visible()


SYRIA, NAME = "syria_counterterrorism", "Syria as counterterrorism"


def test_a_click_leads_to_the_paragraphs_and_the_way_back_to_the_chart(browser, sample):
    with serving(sample) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/?by=year")
        page.wait_for_selector(".js-plotly-plot .main-svg")
        point = page.locator(f".st-key-small-{SYRIA} .points path").nth(2)
        box = point.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_url("**/evidence?**")
        settled(page)
        assert parse_qs(urlparse(page.url).query) == {"narrative": [SYRIA], "from": ["2018"], "to": ["2018"]}
        [(expected,)] = sql(
            sample,
            "SELECT count(DISTINCT paragraph_id) FROM assignments a JOIN paragraphs p USING (paragraph_id) "
            f"WHERE a.status <> 'rejected' AND narrative_id = '{SYRIA}' AND p.statement "
            "AND p.duplicate_of = '' AND p.year = '2018'",
        )
        words = f"{expected} statement paragraphs dated 2018 that advance {NAME}"
        expect(page.get_by_text(words)).to_be_visible()
        page.go_back()
        page.wait_for_selector(".js-plotly-plot .main-svg")
        settled(page)
        assert parse_qs(urlparse(page.url).query) == {"by": ["year"]}
        assert page.locator(".js-plotly-plot").count() > 10  # no filter is left over


def test_back_undoes_a_filter(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, address)
        before = headline(page)
        choose(page, "Speaker", "Maria Zakharova")
        assert headline(page) != before
        page.go_back()
        settled(page)
        assert headline(page) == before and not urlparse(page.url).query


def test_a_link_by_name_works_and_what_is_unknown_is_said(browser, address):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/evidence?narrative=The+US+meddles+too&speaker=Nobody&from=soon")
        expect(page.get_by_text("that advance The US meddles too")).to_be_visible()
        expect(page.get_by_text("speaker “Nobody”; from “soon”")).to_be_visible()
        settled(page)
        assert parse_qs(urlparse(page.url).query) == {"narrative": ["us_meddles_too"]}


def test_pictures_hold_what_is_shown_and_what_must_be_known(browser, address, store):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/?speaker=Maria+Zakharova")
        svg = saved(page, "prevalence", "Picture (SVG)")
        words = " ".join(ElementTree.fromstring(svg).itertext())
        snapshot = (store / "CURRENT").read_text().strip()
        for part in ("Every narrative", "by Maria Zakharova", f"Snapshot {snapshot}", "does not endorse"):
            assert part in words
        png = saved(page, "prevalence", "Picture (PNG)")
        assert png.startswith(b"\x89PNG") and len(png) > 10_000


def test_a_pinned_link_shows_the_old_snapshot(browser, tmp_path):
    path = build_store(tmp_path / "store", NOTICE).path
    old = (path / "CURRENT").read_text().strip()
    with serving(path) as address, fresh(browser) as watched:
        page = opened(watched, address)
        before = headline(page)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator(".st-key-panel-prevalence").get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Copy link to this snapshot").click()
        expect(page.get_by_role("status").get_by_text("Link copied")).to_be_visible()
        link = page.evaluate("navigator.clipboard.readText()")
        more = content()
        statements = set(list(more.statements)[:-2])
        Store(path).write_snapshot(replace(more, statements=statements, notice=NOTICE))
        assert headline(opened(watched, address)) != before
        page = opened(watched, link)
        assert headline(page) == before
        expect(page.get_by_text(f"This link shows an earlier snapshot: {old}")).to_be_visible()
        page.get_by_role("button", name="Show the latest").click()
        settled(page)
        assert headline(page) != before and not urlparse(page.url).query
