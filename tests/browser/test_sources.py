"""Adding texts in a real browser: an upload that ends in a new snapshot, one that is stopped, a bad one."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from narratives.model import BuildCounts
from narratives.store import Store
from tests.helpers.browser import choose, fresh, opened, put, saved, serving, settled, sql, turned_to
from tests.helpers.factory import content

pytestmark = [pytest.mark.browser, pytest.mark.model]
ENOUGH = 120_000  # milliseconds for a build of some hundred short texts on a slow machine
WHO = ("Maria Zakharova", "Sergei Lavrov", "Dmitry Peskov")
WHAT = (
    "The harvest in the {} region was discussed at some length today.",
    "Nobody should meddle in the elections of the {} neighbours, we have said.",
    "The press of the {} capital keeps painting us as an enemy of everyone.",
    "A delegation from the {} provinces will come here in the autumn.",
)
PLACES = ("northern", "southern", "eastern", "western", "central", "coastal", "upper", "lower")


def table(number: int) -> bytes:
    """A CSV of that many different short documents, under column names of its own."""
    draw, sink = random.Random(5), io.StringIO()
    rows = csv.writer(sink)
    rows.writerow(["Headline", "Published on", "Body text", "Person", "Source", "Link"])
    for n in range(number):
        day = f"{draw.choice((2017, 2018, 2019))}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        text = f"{draw.choice(WHAT).format(draw.choice(PLACES))} This is remark number {n} of the day."
        link = f"https://example.org/remarks/{n}"
        rows.writerow([f"Remark {n}", day, text, draw.choice(WHO), "Daily Remarks", link])
    return sink.getvalue().encode()


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Open the box, hand the files over, and wait until they are looked at."""
    page.get_by_text("Add texts: tables").click()
    sent = [{"name": name, "mimeType": "application/octet-stream", "buffer": body} for name, body in files]
    page.locator("input[type=file]").set_input_files(sent)
    settled(page)


@pytest.fixture
def store(tmp_path) -> Path:
    """A small store whose manifest counts like one that a build wrote."""
    counts = BuildCounts(7, 2, 1, 0, 19, 1, 9, 1, 6, 1, 2, 2, 1)
    made = Store(tmp_path / "store")
    made.write_snapshot(replace(content(), counts=asdict(counts)))
    return made.path


def test_a_table_of_200_documents_ends_in_a_new_snapshot(browser, store):
    before = Store(store).current()
    with serving(store) as address:
        with fresh(browser) as watched:
            page = opened(watched, f"{address}/sources")
            upload(page, ("remarks.csv", table(200)))
            expect(page.get_by_role("combobox", name="Text (required)")).to_have_value("Body text")
            expect(page.get_by_role("combobox", name="Date")).to_have_value("Published on")
            expect(page.get_by_text("Of the rows, 200 can be read and 0 cannot.")).to_be_visible()
            page.get_by_role("button", name="Build with 1 file").click()
            expect(page.get_by_role("heading", name="Building")).to_be_visible()
        # Whoever opens the page while it builds finds the progress.
        with fresh(browser) as watched:
            page = opened(watched, f"{address}/sources")
            expect(page.get_by_role("heading", name="New snapshot")).to_be_visible(timeout=ENOUGH)
            after = Store(store).current()
            assert after != before
            expect(page.get_by_text(f"Snapshot {after}, built from remarks.csv.")).to_be_visible()
            expect(page.get_by_text(f"Snapshot {after}, built ").last).to_be_visible()
            query = "SELECT count(*), min(date) FROM documents WHERE outlet = 'Daily Remarks' AND url <> ''"
            [(documents, first)] = sql(store, query)
            assert documents == 200 and first.startswith("2017-")
            page.get_by_role("button", name="Add more texts").click()
            settled(page)
            expect(page.get_by_text("Add texts: tables")).to_be_visible()
            page.goto(f"{address}/?outlet=Daily+Remarks")
            expect(page.get_by_text("in Daily Remarks").first).to_be_visible()


def test_a_build_is_stopped_and_goes_on(browser, store):
    before = Store(store).current()
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/sources")
        upload(page, ("remarks.csv", table(60)))
        page.get_by_role("button", name="Build with 1 file").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name="Build stopped")).to_be_visible(timeout=ENOUGH)
        assert Store(store).current() == before
        page.get_by_role("button", name="Continue the build").click()
        expect(page.get_by_role("heading", name="New snapshot")).to_be_visible(timeout=ENOUGH)
        assert Store(store).current() != before


def test_what_cannot_be_read_is_told_with_its_reason(browser, store):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../outside.txt", "climbing")
        archive.writestr("inner.zip", b"PK")
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/sources")
        bad = json.dumps({"body": 5}).encode() + b"\n{not json\n"
        upload(page, ("bad.jsonl", bad), ("pack.zip", packed.getvalue()))
        expect(page.get_by_text("Not accepted: 2 rows or files.")).to_have_count(2)
        expect(page.get_by_text("Of the rows, 0 can be read and 2 cannot.")).to_be_visible()
        page.get_by_role("button", name="Build with 1 file").click()
        expect(page.get_by_role("heading", name="Nothing could be read")).to_be_visible(timeout=ENOUGH)
        expect(page.get_by_text("2 rows or files rejected:")).to_be_visible()
    assert not (store.parent / "outside.txt").exists()


def test_a_cell_leads_to_its_paragraphs_and_is_saved_as_a_picture(browser, store):
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, address)
        choose(page, "Narrative", "Memory of the Second World War")
        put(turned_to(page, "Sources"), "Period", "Year")
        table = saved(page, "coverage", "Numbers (CSV)")
        assert table["documents"].sum() == sql(store, "SELECT count(*) FROM documents WHERE date <> ''")[0][0]
        svg = ElementTree.fromstring(saved(page, "coverage", "Picture (SVG)"))
        assert len(svg.findall(".//{http://www.w3.org/2000/svg}image")) == 1
        assert saved(page, "coverage", "Picture (PNG)").startswith(b"\x89PNG")
        totals = table.groupby("outlet")["documents"].sum()
        outlet = min(totals.index, key=lambda name: (-totals[name], name))  # the first row
        year = table.loc[table["outlet"] == outlet, "period"].min()
        first, last = int(table["period"].min()), int(table["period"].max())
        cells = page.locator(".st-key-coverage .heatmaplayer image").bounding_box()
        width = cells["width"] / (last - first + 1)
        page.mouse.click(cells["x"] + width * (int(year) - first) + 6, cells["y"] + 6)  # a corner of the cell
        page.wait_for_url("**/evidence?**")
        settled(page)
        asked = parse_qs(urlparse(page.url).query)
        assert asked == {"outlet": [outlet], "from": [year], "to": [year]}


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(browser, store, width):
    with serving(store) as address, fresh(browser, width) as watched:
        page = opened(watched, f"{address}/sources")
        upload(page, ("remarks.csv", table(3)))
        main = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"Math.max(document.documentElement.scrollWidth, {main}.scrollWidth)") <= width
        boxes = [element.bounding_box() for element in page.locator(".js-plotly-plot").all()]
        assert boxes and all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


def test_the_keyboard_reaches_the_upload(browser, store):
    with serving(store) as address, fresh(browser) as watched:
        page = opened(watched, f"{address}/sources")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.innerText").endswith("mails or zip files"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
