"""The pages without a browser: what they say for a filter, for nothing, and for a damaged store."""

from __future__ import annotations

import json
import math
import sys

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from narratives.dashboard import builds, cached_queries
from narratives.model import EvidenceQuery, QualityMetrics, Slice
from narratives.render import phrases
from narratives.store import Store, open_snapshot
from tests.conftest import ROOT
from tests.dashboard.conftest import NOTICE
from tests.helpers.factory import build_store

PREVALENCE, EVIDENCE = "pages/prevalence_page.py", "pages/evidence_page.py"


pytestmark = pytest.mark.usefixtures("at_home")


def opened(file: str = "dashboard.py", **query: str | list[str]) -> AppTest:
    """The dashboard, or one page alone, as a link with this query opens it."""
    app = AppTest.from_file(str(ROOT / file), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    """All words on the page, without the marks that keep Markdown from reading them."""
    kinds = (app.title, app.subheader, app.caption, app.text, app.info, app.error, app.markdown)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def headline(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def above(app: AppTest) -> list[str]:
    """What stands above each chart: name and overall figure."""
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [spec["layout"]["annotations"][0]["text"] for spec in specs]


def test_widgets_that_are_gone_are_forgotten(store):
    """Streamlit would keep the callbacks of every chart that was drawn, and what they refer to."""
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    state = app._session_state._state
    state._new_widget_state.widget_metadata["gone"] = object()
    app.run()
    assert not app.exception
    assert "gone" not in state._new_widget_state.widget_metadata and state._new_widget_state.widget_metadata


def test_home_shows_everything(store):
    app = opened()
    totals = open_snapshot(store).totals(Slice())
    assert app.title[0].value == "Prevalence"
    assert headline(app)["Paragraphs"] == f"{totals.statements}"
    assert headline(app)["Undated"] == phrases.format_percent(totals.undated / (totals.placed + totals.undated))
    assert headline(app)["Speakers"] == f"{totals.speakers}"
    assert headline(app)["Period"] == "2016–2018"
    assert len(app.get("plotly_chart")) == 3 + 1 + 1  # narratives, comparison, what none covers
    assert NOTICE in said(app) and phrases.CAVEAT in said(app)
    assert f"the {totals.placed} statement paragraphs dated" in said(app)
    assert phrases.describe_undated(totals.undated, Slice()) in said(app)


def test_a_speaker_and_a_year_change_the_numbers(store):
    s = Slice(speakers=("Maria Zakharova",), date_from="2016", date_to="2016")
    totals = open_snapshot(store).totals(s)
    app = opened(speaker="Maria Zakharova", **{"from": "2016", "to": "2016"})
    assert headline(app)["Paragraphs"] == f"{totals.statements}"
    assert headline(app)["Paragraphs"] != headline(opened())["Paragraphs"]
    assert headline(app)["Period"] == "2016"
    shown = f"the {totals.placed} statement paragraphs by Maria Zakharova dated 2016; originals only"
    assert shown in said(app)


def test_years_in_the_wrong_order_are_still_a_range(store):
    assert "dated 2016–2018;" in said(opened(**{"from": "2018", "to": "2016"}))


def test_a_link_with_nonsense_shows_everything(store):
    app = opened(speaker="Nobody", by="fortnight", show="feelings", **{"from": "1066"})
    assert headline(app) == headline(opened())


def test_discovered_narratives_can_be_chosen(store):
    assert len(opened(origin="Discovered").get("plotly_chart")) == 1 + 1 + 1
    assert len(opened(origin="All").get("plotly_chart")) == 4 + 1 + 1


def test_a_narrative_named_in_the_sidebar_is_shown_whatever_its_origin(store):
    assert len(opened(narrative="Exports and slides").get("plotly_chart")) == 1 + 1 + 1


def test_the_table_has_the_numbers_of_the_chart(store):
    app = opened()
    app.session_state["table-prevalence"] = True
    shown = app.run().dataframe[0].value
    snapshot = open_snapshot(store).prevalence(Slice())
    expected = snapshot[snapshot["origin"] == "codebook"]
    assert shown["paragraphs"].sum() == expected["paragraphs"].sum()
    assert len(shown) == len(expected)


CAVEAT = "reference labels are machine annotation, not human coding"
QUALITY = (
    QualityMetrics("western_russophobia", 8, 0.5, 0.3, 0.7, 0.25, 0.1, 0.4, 0.3333, 0.2, 0.5, 0.4, 0.2, 0.6),
    QualityMetrics("us_meddles_too", 9, *[1.0] * 6, 1.0, 0.91, 1.0, *[1.0] * 3),
    QualityMetrics("wwii_memory", 0, *[math.nan] * 12),
    QualityMetrics("", 17, 0.75, 0.6, 0.9, 0.625, 0.5, 0.7, 0.6667, 0.5, 0.78, 0.7, 0.6, 0.8),
)


def test_quality_stands_beside_the_charts(store):
    Store(store).put_quality(Store(store).current(), QUALITY, CAVEAT)
    app = opened()
    assert "F1 0.67 (0.50–0.78) where 1 is perfect, precision 0.75, recall 0.62" in said(app)
    assert "Reference labels are machine annotation, not human coding." in said(app)
    assert "not measured" not in said(app)
    shown = app.dataframe[0].value.set_index("Narrative")
    assert shown.index[0] == "Mean of the narratives" and len(shown) == len(QUALITY)
    assert shown.loc["Western Russophobia", "F1"] == "0.33 (0.20–0.50)"
    assert shown.loc["Western Russophobia", "Labelled"] == 8
    assert shown.loc["Memory of the Second World War", "F1"] == "–"
    assert [text.partition(" · F1 ")[2] for text in above(app)[:3]].count("0.33") == 1
    assert sum(" · F1 " in text for text in above(app)) == 2  # none for what has no figure of its own


def test_an_evaluation_that_comes_later_is_shown_at_the_next_visit(store):
    app = opened()
    Store(store).put_quality(Store(store).current(), QUALITY, CAVEAT)
    assert "not measured" in said(app)
    assert "not measured" not in said(opened())


@pytest.mark.parametrize("page", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.stem)
def test_pages_do_not_change_the_answers_that_all_sessions_share(store, page):
    handle = cached_queries.find_snapshot()
    shared = [
        cached_queries.load_options(handle).narratives,
        cached_queries.load_prevalence(handle, Slice()),
        cached_queries.load_topics(handle, Slice()).groups,
        cached_queries.load_map_points(handle, Slice()).frame,
    ]
    before = [frame.copy() for frame in shared]
    opened(f"pages/{page.name}")
    for frame, copy in zip(shared, before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_what_was_not_measured_says_how_to(store):
    app = opened()
    assert "not measured for this snapshot" in said(app)
    assert "narratives evaluate --gold F" in said(app)
    assert not any(" · F1 " in text for text in above(app))


def test_a_damaged_evaluation_is_said_in_words(store):
    (Store(store).snapshot_path(Store(store).current()) / "quality.json").write_text("{")
    assert "run `evaluate` again" in said(opened())


def test_filters_that_match_nothing_say_which_and_how_to_widen(store):
    app = opened(speaker="Maria Zakharova", outlet="RT")
    assert "No dated statement paragraph matches" in said(app)
    assert "Filters: speaker Maria Zakharova; outlet RT." in said(app)
    s = Slice(outlets=("RT",))
    without = phrases.format_count(open_snapshot(store).totals(s).placed, "dated statement paragraph")
    assert f"Without the speaker filter: {without}." in said(app)
    assert not app.get("plotly_chart")
    assert phrases.CAVEAT in said(app)


def evidence(**state: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    app.run()
    for key, value in state.items():
        app.session_state[key] = value
    app.switch_page(EVIDENCE).run()
    assert not app.exception, app.exception
    return app


def test_evidence_lists_the_paragraphs_of_the_slice(store):
    app = evidence(speaker=["Vladimir Putin"], narrative=["us_meddles_too"])
    found = open_snapshot(store).paragraphs(EvidenceQuery(Slice(("Vladimir Putin",), narratives=("us_meddles_too",))))
    assert app.dataframe[0].value["text"].tolist() == found["text"].tolist()
    assert "1 statement paragraph by Vladimir Putin that advances The US meddles too; originals only." in said(app)
    assert NOTICE in said(app)


def test_evidence_is_searched(store):
    app = evidence(text="falsified")
    assert app.dataframe[0].value["text"].tolist() == ["The memory of the war must not be falsified."]
    assert "with “falsified” in the text" in said(app)


def test_evidence_shows_what_no_narrative_covers(store):
    app = evidence(unassigned=True)
    assert set(app.dataframe[0].value["narratives"]) == {""}
    assert len(app.dataframe[0].value) == open_snapshot(store).totals(Slice()).unassigned


def test_evidence_that_is_not_there_says_what_to_take_off(store):
    app = evidence(text="zeppelin", outlet=["RT"])
    in_rt = open_snapshot(store).count_paragraphs(EvidenceQuery(Slice(outlets=("RT",))))
    assert "No statement paragraph matches" in said(app)
    assert f"Without the search for “zeppelin”: {phrases.format_count(in_rt, 'statement paragraph')}." in said(app)
    assert "Without the outlet filter: 0 statement paragraphs." in said(app)


@pytest.mark.parametrize("page", [PREVALENCE, EVIDENCE])
def test_a_page_stands_alone(store, page):
    app = opened(page)
    assert NOTICE in said(app)
    assert "statement paragraphs" in said(app)


@pytest.mark.parametrize("page", ["dashboard.py", PREVALENCE, EVIDENCE])
def test_a_store_without_a_snapshot_says_how_to_make_one(tmp_path, monkeypatch, page):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(tmp_path / "empty"))
    app = opened(page)
    assert "cannot be shown" in said(app)
    assert "narratives build INPUT --store" in said(app)


@pytest.mark.parametrize("damage", ["no folder", "no database", "cut short", "bad pointer", "bad manifest"])
def test_a_damaged_snapshot_is_said_in_words(store, damage):
    folder = store / "snapshots" / (store / "CURRENT").read_text().strip()
    match damage:
        case "no folder":
            folder.rename(store / "elsewhere")
        case "no database":
            (folder / "snapshot.duckdb").unlink()
        case "cut short":
            (folder / "snapshot.duckdb").write_bytes((folder / "snapshot.duckdb").read_bytes()[:5000])
        case "bad pointer":
            (store / "CURRENT").write_text("../../etc")
        case "bad manifest":
            (folder / "manifest.json").write_text("{")
    app = opened()
    assert "This page cannot be shown." in said(app)
    assert "Expected" in said(app) and "Traceback" not in said(app)


def test_the_own_store_comes_before_the_sample(tmp_path, monkeypatch):
    build_store(tmp_path / "store-sample", NOTICE)
    assert NOTICE in said(opened())
    build_store(tmp_path / "store")
    assert NOTICE not in said(opened())


def test_without_any_snapshot_the_sample_is_built(tmp_path, monkeypatch):
    """A stand-in for the build: the dashboard's part is to start it, wait and go on."""
    code = (
        "import sys; from pathlib import Path; from tests.helpers.factory import build_store;"
        f"print({json.dumps(json.dumps({'stage': 'encoding', 'done': 1, 'total': 2}))}, file=sys.stderr);"
        f"build_store(Path({str(tmp_path / 'store-sample')!r}), {NOTICE!r})"
    )
    monkeypatch.setattr(builds, "make_sample_command", lambda store: [sys.executable, "-c", code])
    app = opened()
    assert app.title[0].value == "Prevalence"
    assert NOTICE in said(app)


def test_a_sample_that_cannot_be_built_says_why(monkeypatch):
    code = "import sys; print('narratives: no room on the disk', file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(builds, "make_sample_command", lambda store: [sys.executable, "-c", code])
    app = opened()
    assert "The sample could not be built." in said(app)
    assert "no room on the disk" in said(app)
    assert [button.label for button in app.button] == ["Try again"]
