"""Speakers and spread in a real browser: filters, clicks, links, downloads, narrow and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.attribution import GUEST, HAWK, LAVROV, MEDDLES, PUTIN, speaking_store
from tests.helpers.browser import choose, fresh, opened, put, saved, serving, settled, sql, turned_to

pytestmark = pytest.mark.browser
LIVE = "p.statement AND p.duplicate_of = '' AND a.status <> 'rejected'"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return speaking_store(tmp_path_factory.mktemp("speakers") / "store").path


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(store) as found:
        yield found


def traces(page: Page, chart: str) -> list[dict]:
    """What the browser draws in a chart, trace by trace."""
    page.wait_for_selector(f".st-key-{chart} .js-plotly-plot .main-svg")
    return page.evaluate(
        f"document.querySelector('.st-key-{chart} .js-plotly-plot').data.map(t => ({{text: t.text,"
        " x: Array.from(t.x || []), y: Array.from(t.y || []), hover: t.hovertemplate}))"
    )


def counted(store: Path, condition: str, column: str = "a.narrative_id") -> dict[str, int]:
    query = (
        f"SELECT {column}, count(*) FROM assignments a JOIN paragraphs p USING (paragraph_id) "
        f"WHERE {LIVE} AND {condition} GROUP BY 1"
    )
    return dict(sql(store, query))


def hits(table, by: str, count: str = "paragraphs") -> dict[str, int]:
    sums = table.groupby(by)[count].sum()
    return {key: int(n) for key, n in sums.items() if n}


def test_filters_change_every_chart_and_table_of_speakers_alike(browser, address, store):
    with fresh(browser) as watched:
        page = opened(watched, f"{address}/speakers?profile={PUTIN}&with={LAVROV}&by=year")
        before = [traces(page, chart) for chart in ("speakers-heatmap", "voices-chart", "pair-chart")]
        choose(page, "From", "2017")
        choose(page, "To", "2018")
        after = [traces(page, chart) for chart in ("speakers-heatmap", "voices-chart", "pair-chart")]
        assert all(old != new for old, new in zip(before, after, strict=True))
        years = "p.year IN ('2017', '2018')"
        table = saved(page, "speakers", "Numbers (CSV)")
        shown = {name: f"p.speaker = '{name}' AND {years}" for name in (PUTIN, LAVROV)}
        for name, condition in shown.items():
            rows = table[table["speaker"] == name]
            assert hits(rows, "narrative_id") == counted(store, condition)
            [(total,)] = sql(
                store, f"SELECT count(*) FROM paragraphs p WHERE p.statement AND p.duplicate_of = '' AND {condition}"
            )
            assert set(rows["total_paragraphs"]) == {total}
        profile = saved(page, "profile", "Numbers (CSV)")
        assert hits(profile, "narrative_id") == counted(store, shown[PUTIN])
        assert set(profile["period"]) == {"2017", "2018"} and set(profile["filter_from"]) == {"2017"}
        pair = saved(page, "pair", "Numbers (CSV)")
        assert hits(pair, "narrative_id", "paragraphs_2") == counted(store, shown[LAVROV])
        voices = saved(page, "voices", "Numbers (CSV)")
        assert voices.groupby("field")["paragraphs"].sum().nunique() == 1
        link, drawn = page.url, traces(page, "pair-chart")

        choose(page, "Speaker", LAVROV)
        expect(page.get_by_role("heading", name=LAVROV)).to_be_visible()
        expect(page.get_by_text("The filters leave no second speaker")).to_be_visible()
        alone = saved(page, "speakers", "Numbers (CSV)")
        assert set(alone["speaker"]) == {LAVROV}
        page.go_back()
        settled(page)
        assert page.url == link and traces(page, "pair-chart") == drawn
    with fresh(browser) as again:
        assert traces(opened(again, link), "pair-chart") == drawn


def test_a_cell_leads_to_its_paragraphs_and_back(browser, address, store):
    with fresh(browser) as watched:
        page = opened(watched, address)
        choose(page, "From", "2017")
        choose(page, "To", "2018")
        turned_to(page, "Speakers")
        page.wait_for_selector(".st-key-speakers-heatmap .js-plotly-plot .main-svg")
        # Lavrov stands first, the meddling second; a corner of the cell will do.
        at = page.evaluate(
            "(() => { const p = document.querySelector('.st-key-speakers-heatmap .js-plotly-plot');"
            "const l = p._fullLayout, b = p.getBoundingClientRect();"
            "return {x: b.x + l._size.l + l.xaxis.d2p(-0.4), y: b.y + l._size.t + l.yaxis.d2p(1.3)}; })()"
        )
        page.mouse.click(at["x"], at["y"])
        page.wait_for_url("**/evidence?**")
        settled(page)
        query = parse_qs(urlparse(page.url).query)
        assert query == {"speaker": [LAVROV], "narrative": [MEDDLES], "from": ["2017"], "to": ["2018"]}
        found = counted(store, f"p.speaker = '{LAVROV}' AND p.year IN ('2017', '2018')")[MEDDLES]
        expect(page.get_by_text(f"{found} statement paragraphs by {LAVROV} dated 2017–2018")).to_be_visible()
        page.go_back()
        page.wait_for_selector(".st-key-speakers-heatmap .js-plotly-plot .main-svg")
        assert parse_qs(urlparse(settled(page).url).query) == {"from": ["2017"], "to": ["2018"]}

        page.get_by_text("2 speakers with too little text for a share").click()
        expect(page.locator(".st-key-panel-little").get_by_test_id("stDataFrame")).to_be_visible()
        settled(page)
        table = saved(page, "little", "Numbers (CSV)")
        assert table["speaker"].tolist() == [HAWK, GUEST]
        reasons = [f"{n} statement paragraph{s}, fewer than 30" for n, s in ((24, "s"), (1, ""))]
        assert table["reason"].tolist() == reasons


def test_filters_change_spread_and_a_mark_leads_to_its_paragraphs(browser, address, store):
    with fresh(browser) as watched:
        page = turned_to(opened(watched, address), "Spread")
        put(page, "Narrative", "The US meddles too")
        put(page, "Who", "Speakers")
        turned_to(turned_to(page, "Evidence"), "Spread")
        before = traces(page, "spread-timeline")
        table = saved(page, "spread", "Numbers (CSV)")
        [found] = [counted(store, f"a.narrative_id = '{MEDDLES}' AND p.speaker <> ''", "p.speaker")]
        assert hits(table, "actor", "uses") == found
        choose(page, "From", "2018")
        assert traces(page, "spread-timeline") != before
        table = saved(page, "spread", "Numbers (CSV)")
        later = counted(store, f"a.narrative_id = '{MEDDLES}' AND p.year >= '2018'", "p.speaker")
        assert hits(table, "actor", "uses") == later
        first = sql(
            store,
            f"SELECT min(date) FROM assignments a JOIN paragraphs p USING (paragraph_id) WHERE {LIVE} AND "
            f"narrative_id = '{MEDDLES}' AND p.year >= '2018' AND len(date) = 10 AND speaker <> ''",
        )
        assert table["first"].iloc[0] == first[0][0]
        copies = page.locator(".st-key-panel-copies")
        expect(copies.get_by_text("5 of them repeat an earlier paragraph")).to_be_visible()
        pairs = saved(page, "copies", "Numbers (CSV)")
        assert pairs[["original_outlet", "outlet", "paragraphs"]].to_numpy().tolist() == [["TASS", "RT", 5]]
        link = page.url
        svg = saved(page, "spread", "Picture (SVG)")
        words = " ".join(ElementTree.fromstring(svg).itertext())
        assert "“First” means first in the texts collected" in words and "Filters: " in words

        hollow = page.locator(".st-key-spread-timeline .trace").last.locator(".points path").first
        box = hollow.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_url("**/evidence?**")
        settled(page)
        query = parse_qs(urlparse(page.url).query)
        assert query == {"speaker": [HAWK], "narrative": [MEDDLES], "from": ["2018"], "to": ["2018"]}
        page.go_back()
        assert settled(page).url == link
    with fresh(browser) as again:
        page = opened(again, link)
        page.locator(".st-key-panel-spread").get_by_text("Table", exact=True).click()
        expect(page.locator(".st-key-panel-spread").get_by_test_id("stDataFrame")).to_be_visible()
        settled(page)


@pytest.mark.parametrize("path", ["speakers", "spread"])
def test_a_narrow_dark_page_holds_everything(browser, address, path):
    with fresh(browser, 390) as watched:
        watched.page.emulate_media(color_scheme="dark")
        page = opened(watched, f"{address}/{path}")
        page.wait_for_selector(".js-plotly-plot .main-svg")
        main = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"Math.max(document.documentElement.scrollWidth, {main}.scrollWidth)") <= 390
        boxes = [element.bounding_box() for element in page.locator(".js-plotly-plot").all()]
        assert boxes and all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
        labels = page.locator(".js-plotly-plot .ytick text, .js-plotly-plot .xtick text").all()
        edges = [label.bounding_box() for label in labels]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in edges if box)
