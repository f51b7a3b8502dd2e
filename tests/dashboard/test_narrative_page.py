"""The page of one narrative without a browser: states, filters, nothing there, older snapshots."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import cached_queries
from narratives.model import EvidenceQuery, LineageEvent, QualityMetrics, Slice, SpotCheck
from narratives.render import phrases
from narratives.store import SpotChecks, Store, open_snapshot
from tests.conftest import ROOT
from tests.helpers.factory import build_store, content
from tests.helpers.larger import ABOUT, BESIDE, EXEMPLAR, SENTENCE, build_larger
from tests.unit.store.test_narrative import aged

PAGE = "pages/narrative_page.py"
NOTICE = "sample: paraphrased, not quoted; hand-picked, not representative"
RATES = [0.9, 0.8, 0.95, 0.8, 0.7, 0.9, 0.85, 0.8, 0.9, 0.9, 0.8, 0.95]


@pytest.fixture(scope="module")
def larger(tmp_path_factory) -> Path:
    return build_larger(tmp_path_factory.mktemp("larger") / "store").path


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cached_queries.st.cache_resource.clear()
    cached_queries.st.cache_data.clear()


@pytest.fixture
def store(larger, monkeypatch) -> Path:
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(larger))
    return larger


def opened(**state: object) -> AppTest:
    """The page with these values of its own and the sidebar's controls."""
    app = AppTest.from_file(str(ROOT / PAGE), default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.title, app.header, app.subheader, app.caption, app.text, app.info, app.error, app.markdown)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def headline(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def hits(path: Path, s: Slice) -> int:
    return open_snapshot(path).count_paragraphs(EvidenceQuery(replace(s, narratives=(ABOUT,))))


def test_it_starts_with_the_most_prevalent_and_shows_every_part(store):
    app = opened()
    assert app.header[0].value == "Memory of the Second World War"
    for part in ("The memory of the war is being falsified.", "Includes", "holiday greetings", EXEMPLAR):
        assert part in said(app)
    titles = [title.value.replace("\\", "") for title in app.subheader]
    assert titles == [
        "Share over time",
        "Who advances it",
        "Which outlets",
        "First use, and who followed",
        "First use by outlet",
        "Best-matching paragraphs",
        "Narratives in the same documents",
        "Measured quality",
        "Lineage",
    ]
    assert headline(app)["Paragraphs"] == f"{hits(store, Slice())}"
    assert headline(app)["Named speakers"] == "3" and headline(app)["Outlets"] == "2"
    assert headline(app)["Corrected share"] == "–" and "No corrected share: no labels" in said(app)
    assert "4 further statement paragraphs have no date" in said(app)
    assert "The first snapshot: nothing to compare with." in str(app.dataframe[-1].value)


def test_the_bars_add_up_to_the_paragraphs(store):
    for chart in charts(opened())[1:3]:
        assert sum(sum(trace["x"]) for trace in chart["data"]) == hits(store, Slice())


def test_a_change_is_said_and_explained(store):
    app = opened()
    [change] = [e.label for e in app.expander if " after " in e.label]
    assert "▲ 1" in change and "Higher from H1 2018" in change.replace("\\", "")
    lines = [line for line in said(app).splitlines() if " · score " in line]
    assert len(lines) == 4 + 10
    assert all(int(line.split(" · ")[0][-4:]) >= 2018 for line in lines[:4])
    assert f"**{SENTENCE[:-1]}" in said(app) and f"Nearest exemplar of the codebook: {EXEMPLAR}" in said(app)


def test_filters_change_every_part(store):
    s = Slice(speakers=("Maria Zakharova",), date_from="2018", date_to="2018")
    app = opened(speaker=["Maria Zakharova"], **{"from": "2018"}, to="2018")
    assert headline(app)["Paragraphs"] == f"{hits(store, s)}"
    assert headline(app)["Named speakers"] == "1"
    total = open_snapshot(store).totals(s).statements
    assert f"the {total} statement paragraphs by Maria Zakharova dated 2018" in said(app)
    bars = charts(app)[1]
    assert bars["layout"]["yaxis"]["ticktext"] == ["Maria Zakharova"]
    assert sum(sum(trace["x"]) for trace in bars["data"]) == hits(store, s)
    lines = [line for line in said(app).splitlines() if " · score " in line]
    assert lines and all("2018 · Maria Zakharova" in line for line in lines)


def test_the_sidebar_s_only_narrative_is_what_it_starts_with(store):
    assert opened(narrative=[BESIDE]).header[0].value == "The US meddles too"
    both = opened(narrative=[BESIDE, "western_russophobia"])
    assert both.header[0].value == "Memory of the Second World War"
    chosen = opened(narrative=[BESIDE], about=ABOUT)
    assert chosen.header[0].value == "Memory of the Second World War"


def test_the_sidebar_is_followed_until_something_is_chosen(store):
    app = opened()
    app.session_state["narrative"] = [BESIDE]
    assert app.run().header[0].value == "The US meddles too"
    app.session_state["about"] = "western_russophobia"
    app.run()
    app.session_state["narrative"] = [ABOUT]
    assert app.run().header[0].value == "Western Russophobia"


def test_counts_and_lengths_of_periods(store):
    app = opened(show="count", by="year")
    [line] = [trace for trace in charts(app)[0]["data"] if trace.get("name") == "Paragraphs"]
    found = open_snapshot(store).prevalence(Slice(narratives=(ABOUT,)))
    assert line["y"] == found["paragraphs"].tolist()
    months = opened(by="month")
    assert "No period has enough text for a share" in said(months)


def test_a_narrative_that_nobody_advances_says_what_to_take_off(store):
    app = opened(about="western_russophobia")
    assert "No paragraph in this selection advances Western Russophobia." in said(app)
    assert not charts(app) and "Hostility to Russia" in said(app)
    none = opened(speaker=["Maria Zakharova"], **{"from": "2016"}, to="2016")
    expected = hits(store, Slice(date_from="2016", date_to="2016"))
    assert f"Without the speaker filter: {phrases.format_count(expected, 'statement paragraph')}." in said(none)
    assert "Measured quality" in said(none)


def test_measured_quality_and_the_corrected_share(store):
    measured = QualityMetrics(ABOUT, 40, *RATES, 900, 0.01, 0.005, 0.02)
    current = Store(store).current()
    try:
        Store(store).put_quality(current, (measured,), "labels by machine")
        # Labels that were not drawn at random correct no share, and the page says so.
        app = opened()
        assert headline(app)["Corrected share"] == "–" and "not a random sample" in said(app)
        checks = SpotChecks((SpotCheck(ABOUT, 30, 15),), "Judged by people.")
        Store(store).put_spot_checks(current, checks)
        app = opened()
        assert headline(app)["Corrected share"] != "–" and "No corrected share" not in said(app)
        names = [trace.get("name") for trace in charts(app)[0]["data"]]
        assert "Corrected for matching errors" in names
        table = next(t.value for t in app.dataframe if "Precision" in t.value)
        assert table["Labelled"].tolist() == [40] and "Labels by machine." in said(app)
    finally:
        for name in ("quality.json", "spotcheck.json"):
            (Store(store).snapshot_path(current) / name).unlink(missing_ok=True)


def test_the_table_holds_what_is_drawn(store):
    app = opened(by="year", **{"table-narrative-trend": True})
    rows = app.dataframe[0].value
    assert rows["paragraphs"].sum() == open_snapshot(store).prevalence(Slice(narratives=(ABOUT,)))["paragraphs"].sum()
    assert len(charts(app)) == len(charts(opened(by="year"))) - 1


def test_a_discovered_one_shows_its_clause_and_its_like(tmp_path, monkeypatch):
    path = build_store(tmp_path / "store", NOTICE).path
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(path))
    app = opened(about="c-0000beef")
    assert app.header[0].value == "Exports and slides"
    for part in ("nobody has defined it", "grain exports", "Grain exports grew again", "matching cannot be measured"):
        assert part in said(app)
    [near] = [b for b in app.button if "Nearest in the codebook" in b.label]
    assert "Memory of the Second World War" in near.label
    assert "because this is a small sample" in said(app) and NOTICE in said(app)


def test_an_older_snapshot_says_what_it_lacks(tmp_path, monkeypatch):
    path = build_store(tmp_path / "store").path
    aged(path, "2")
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(path))
    app = opened(about=ABOUT)
    assert "built before includes, excludes and exemplars were stored" in said(app)
    assert "Includes" not in said(app) and headline(app)["Paragraphs"] == "2"


def test_the_past_is_followed_through_the_snapshots(tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    first = store.write_snapshot(content())
    renamed = LineageEvent("rename", ABOUT, "Memory of the Second World War", "codebook", note="The war")
    store.write_snapshot(replace(content(), predecessor=first, lineage=(renamed,)))
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(store.path))
    past = opened(about=ABOUT).dataframe[-1].value
    assert past["What changed"].tolist() == [
        "Renamed; it was “The war”.",
        "The first snapshot: nothing to compare with.",
    ]
    (store.snapshot_path(first) / "manifest.json").unlink()
    cached_queries.st.cache_resource.clear()
    assert len(opened(about=ABOUT).dataframe[-1].value) == 1


def test_the_page_stands_alone_and_another_page_opens_it(store):
    app = AppTest.from_file(str(ROOT / PAGE), default_timeout=60).run()
    assert not app.exception and "Memory of the Second World War" in said(app)
    home = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60).run()
    assert [box.label for box in home.selectbox if box.label == "Open a narrative"]
