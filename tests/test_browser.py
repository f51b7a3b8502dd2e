"""The dashboard in a real browser: filters, links, downloads, new snapshots, narrow screens, no calls out."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import duckdb
import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from narratives.pipeline import BuildRequest, build
from narratives.shipped import SAMPLE
from narratives.store import Store

from .conftest import ROOT
from .factory import build_store, content, document

pytestmark = pytest.mark.browser
NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
# On a link to a page other than the first, Streamlit asks for these in two places and finds them in one.
# What it says where such a link is a server's first visit, just before our frame loads the page anew.
KNOWN_LINE = "The page that you have requested does not seem to exist"
KNOWN_404 = ("/_stcore/health", "/_stcore/host-config")


@dataclass
class Watched:
    """A page of a fresh profile, and all that must not have happened in it."""

    page: Page
    abroad: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium or chrome on the path: install one to run the browser tests")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield running
        running.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return build_store(tmp_path_factory.mktemp("browser") / "store", NOTICE).path


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """The sample as every new user sees it: read, parsed, encoded, matched and clustered."""
    store = tmp_path_factory.mktemp("sample") / "store"
    build(BuildRequest(inputs=(str(SAMPLE),), store=store))
    return store


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def guarded(log: Path) -> dict[str, str]:
    """The environment of a program that may connect to nothing but this machine."""
    offline = str(ROOT / "tests" / "offline")
    return {"PYTHONPATH": offline, "NARRATIVES_CALLS": str(log.with_suffix(".calls"))}


def calls(log: Path) -> str:
    """The connections that it tried all the same."""
    path = log.with_suffix(".calls")
    return path.read_text() if path.exists() else ""


def test_the_guard_refuses_and_notes_what_goes_out(tmp_path):
    """Without this the guard could be asleep. The address is one kept for documentation."""
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    environment = {**os.environ, **guarded(tmp_path / "a.log")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode == 1
    assert "192.0.2.1" in calls(tmp_path / "a.log")


@pytest.mark.model
def test_a_build_connects_to_nothing(tmp_path):
    environment = {**os.environ, **guarded(tmp_path / "a.log")}
    command = [sys.executable, "-m", "narratives", "build", str(SAMPLE / "seeds.jsonl")]
    subprocess.run([*command, "--store", str(tmp_path / "s")], cwd=ROOT, env=environment, check=True)
    assert not calls(tmp_path / "a.log")


@contextmanager
def serving(store: Path) -> Iterator[str]:
    """A dashboard on that store, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port)]
    log = store.parent / f"server-{port}.log"
    with log.open("w") as said:
        environment = {**os.environ, "NARRATIVES_STORE": str(store), **guarded(log)}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
        try:
            deadline = time.monotonic() + 60
            while True:
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                with socket.socket() as knock:
                    if knock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)
    assert "Traceback" not in log.read_text()
    assert not calls(log)


@contextmanager
def fresh(browser: Browser, width: int = 1440, height: int = 1000) -> Iterator[Watched]:
    """A page in a fresh profile; on leaving, nothing may have gone out and nothing may have gone wrong."""
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": height})
    watched = Watched(context.new_page())
    watched.page.set_default_timeout(30_000)
    watched.page.on("request", lambda request: _note_request(watched, request.url))
    watched.page.on("response", lambda answer: _note_answer(watched, answer.status, answer.url))
    watched.page.on("console", lambda line: _note_line(watched, line.type, line.text))
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    yield watched
    context.close()
    assert not watched.abroad
    assert not watched.errors


def _note_request(watched: Watched, url: str) -> None:
    if urlparse(url).scheme in ("http", "https", "ws", "wss") and urlparse(url).hostname != "127.0.0.1":
        watched.abroad.append(url)


def _note_answer(watched: Watched, status: int, url: str) -> None:
    if status >= 400 and not url.endswith(KNOWN_404):
        watched.errors.append(f"{status} {url}")


def _note_line(watched: Watched, kind: str, text: str) -> None:
    # Answers 404 are looked at one by one in _note_answer.
    if kind == "error" and "404" not in text and not text.startswith(KNOWN_LINE):
        watched.errors.append(text)


def settled(page: Page) -> Page:
    """The page once Streamlit has nothing left to do."""
    page.wait_for_timeout(300)
    page.wait_for_selector("h1")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(300)
    return page


def opened(watched: Watched, url: str) -> Page:
    watched.page.goto(url)
    return settled(watched.page)


def headline(page: Page) -> dict[str, str]:
    expect(page.get_by_test_id("stMetric")).to_have_count(6)
    labels = page.locator("[data-testid=stMetricLabel]").all_inner_texts()
    values = page.locator("[data-testid=stMetricValue]").all_inner_texts()
    return dict(zip(labels, values, strict=True))


def compared(page: Page) -> list[list[float | None]]:
    """The lines of the comparison chart, as the browser holds them."""
    page.wait_for_selector(".st-key-comparison .js-plotly-plot .main-svg")
    return page.evaluate(
        "document.querySelector('.st-key-comparison .js-plotly-plot').data"
        ".filter(t => t.mode === 'lines+markers').map(t => Array.from(t.y))"
    )


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option in one of the sidebar's boxes."""
    page.get_by_test_id("stSidebar").get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).first.click()
    page.keyboard.press("Tab")  # closes the list; Escape would empty the box
    settled(page)


def downloaded(page: Page, label: str) -> pd.DataFrame:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    raw = Path(waiting.value.path()).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    text = {"period": str, "filter_from": str, "filter_to": str}
    return pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig", keep_default_na=False, dtype=text)


def sql(store: Path, query: str) -> list[tuple]:
    """The answer of the snapshot's own file, past all of our queries."""
    current = (store / "CURRENT").read_text().strip()
    with duckdb.connect(str(store / "snapshots" / current / "snapshot.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.model
@pytest.mark.parametrize(
    ("which", "speaker", "year"), [("store", "Maria Zakharova", "2016"), ("sample", "Sergei Lavrov", "2018")]
)
def test_filters_links_and_downloads(browser, request, which, speaker, year):
    store = request.getfixturevalue(which)
    with serving(store) as address:
        _filter_link_and_download(browser, address, store, speaker, year)


def _filter_link_and_download(browser: Browser, address: str, store: Path, speaker: str, year: str) -> None:
    with fresh(browser) as first:
        page = opened(first, address)
        before, everything = headline(page), compared(page)
        expect(page.get_by_text(NOTICE)).to_be_visible()
        choose(page, "Speaker", speaker)
        choose(page, "From", year)
        choose(page, "To", year)
        expect(page.get_by_text(f"by {speaker} dated {year}; originals only")).to_be_visible()
        after, hers = headline(page), compared(page)
        assert after != before and hers != everything
        query = parse_qs(urlparse(page.url).query)
        assert query == {"speaker": [speaker], "from": [year], "to": [year]}
        link = page.url

        hits = f"p.statement AND p.duplicate_of = '' AND p.speaker = '{speaker}' AND p.year = '{year}'"
        [(total,)] = sql(store, f"SELECT count(*) FROM paragraphs p WHERE {hits}")
        assert after["Statement paragraphs"] == f"{total}"

        table = downloaded(page, "Download these numbers")
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
        assert drawn == table["share"].tolist()[: len(drawn)]

        page.get_by_role("link", name="Evidence").click()
        expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
        settled(page)
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
        page.wait_for_url("**show=Count**")
        settled(page)
        counts, link = compared(page), page.url
        assert all(n is None or n == int(n) for line in counts for n in line)
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
        page.get_by_role("link", name="Prevalence").click()
        expect(page.get_by_role("heading", name="Prevalence")).to_be_visible()


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
        assert int(after["Statement paragraphs"]) == int(before["Statement paragraphs"]) + 1
        expect(page.get_by_text(f"Snapshot {(store / 'CURRENT').read_text().strip()}")).to_be_visible()
