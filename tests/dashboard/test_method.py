"""The method page: its figures are the code's, its words true of the snapshot, and it works without one."""

from __future__ import annotations

import json
import math
import re

import pytest

from narratives.dashboard import cached_queries, quality
from narratives.dashboard.views import method
from narratives.discover import claims
from narratives.match import calibration, matcher
from narratives.measure import choose_suppression_rule
from narratives.model import QualityMetrics, Slice, SuppressionRule
from narratives.model.snapshot import Calibration, CalibrationBin, ThresholdQuality
from narratives.render import calibration as render_calibration
from narratives.store import Store, open_snapshot
from narratives.store.queries import sources as sources_queries
from narratives.store.queries.narrative import query_usual_threshold
from narratives.workflows import methodology
from tests.dashboard.conftest import NOTICE
from tests.dashboard.test_pages import opened, said
from tests.helpers.factory import build_store, content

pytestmark = pytest.mark.usefixtures("at_home")
METHOD = "pages/method_page.py"


def test_every_name_in_the_text_has_its_figure_and_the_other_way_round():
    named = set(re.findall(r"<<([^.]*?)>>", methodology.load_template()))
    assert named == set(methodology.format_phrases(SuppressionRule()))
    made = methodology.load_sections(SuppressionRule())
    assert not any("<<" in section.body or "{#" in section.body for section in made)
    anchors = [section.anchor for section in made] + list(method.SNAPSHOT_SECTIONS)
    assert len(set(anchors)) == len(anchors) and anchors[:2] == ["words", "limits"]
    assert all(section.body.count("$$") % 2 == 0 for section in made)


def test_the_figures_are_those_in_use(monkeypatch):
    def text(anchor: str) -> str:
        return next(
            section.body for section in methodology.load_sections(SuppressionRule()) if section.anchor == anchor
        )

    assert rf"\exp\bigl(({calibration.MIDPOINT:g}-e)/{calibration.SLOPE:g}\bigr)" in text("matching")
    monkeypatch.setattr(matcher, "CUE_BONUS", 7.25)
    assert "+7.25\\,c" in text("matching")
    monkeypatch.setattr(claims, "MIN_RECURRENCE", (7, 5))
    assert "paragraphs from 7 documents in 5 quarters" in text("candidates")


def test_the_score_in_the_text_is_the_one_that_is_reckoned():
    for evidence in (0.0, 6.5, 8.0):
        expected = 1 / (1 + 2.718281828459045 ** ((calibration.MIDPOINT - evidence) / calibration.SLOPE))
        assert calibration.to_score(evidence) == pytest.approx(expected, abs=0.0006)


def test_the_base_is_that_of_the_snapshot():
    assert "fewer than 30 documents" in methodology.format_phrases(SuppressionRule())["too_few"]
    assert not methodology.format_phrases(SuppressionRule())["here"]
    sample = methodology.format_phrases(choose_suppression_rule(NOTICE))
    assert "fewer than 5 documents" in sample["too_few"] and "1 paragraph expected" in sample["too_few"]
    assert "5 documents are enough" in sample["here"]


def test_the_page_says_what_is_of_the_snapshot(store):
    app = opened(METHOD)
    assert app.title[0].value == "Method"
    shown = said(app) + "\n".join(code.value for code in app.code)
    snapshot = open_snapshot(store).meta().snapshot_id
    assert f"snapshot {snapshot}" in shown and f"@misc{{narratives-{snapshot}" in shown
    assert "not measured for this snapshot" in shown and "paraphrases statements" in shown
    assert NOTICE in shown
    heads = [head.value for head in app.header]
    assert heads[:2] == ["What the words mean", "What must not be concluded"]
    assert heads[-4:] == list(method.SNAPSHOT_SECTIONS.values())
    links = re.findall(r"\(#([a-z]+)\)", app.markdown[0].value)
    assert len(links) == len(heads)
    tables = [table.value for table in app.dataframe]
    assert {"parameter", "version"} <= set(tables[0]["What"])


def test_measured_quality_stands_on_the_page(store):
    figures = (QualityMetrics("", 17, 0.75, 0.6, 0.9, 0.625, 0.5, 0.7, 0.6667, 0.5, 0.78, 0.7, 0.6, 0.8),)
    Store(store).put_quality(Store(store).current() or "", figures, "labels by a machine")
    app = opened(METHOD)
    assert "Labels by a machine." in said(app)
    assert app.dataframe[0].value["F1"].tolist() == ["0.67 (0.50–0.78)"]


def test_a_snapshot_that_is_no_sample_is_not_called_one(tmp_path, monkeypatch):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(build_store(tmp_path / "own").path))
    shown = said(opened(METHOD))
    assert "paraphrases statements" not in shown and "fewer than 30 documents" in shown


def test_a_citation_names_the_filters(store):
    manifest = open_snapshot(store).meta()
    s = Slice(narratives=("wwii_memory",), date_from="2016", date_to="2018")
    text = method.format_citation(manifest, s, {"wwii_memory": "Memory"})
    assert "Filters: narrative: Memory; dates: 2016–2018." in text and manifest.snapshot_id in text
    assert "Filters" not in method.format_citation(manifest, Slice(), {})


def test_sources_are_counted_by_outlet_and_site(store):
    found = sources_queries.query_outlets(open_snapshot(store))
    made = content().documents
    assert found["documents"].sum() == len(made)
    assert found["documents"].is_monotonic_decreasing
    assert set(found["host"]) == {"example.org"}
    tass = found.set_index("outlet").loc["TASS"]
    dates = [d.date for d in made if d.outlet == "TASS"]
    assert (tass["documents"], tass["first"], tass["last"]) == (len(dates), min(dates), max(dates))
    assert found.set_index("outlet").loc[""]["first"] == ""


def test_hints_are_shown_on_the_sample_until_they_are_dismissed(store):
    app = opened()
    assert "Click a point of a chart" in said(app)
    app.button(key="hint-dismiss").click().run()
    assert "Click a point of a chart" not in said(app)
    assert "Click a point of a chart" not in said(app.run())


def test_who_has_texts_of_their_own_sees_no_hints(tmp_path, monkeypatch):
    monkeypatch.setenv(cached_queries.STORE_VARIABLE, str(build_store(tmp_path / "own").path))
    assert "Click a point of a chart" not in said(opened())


def test_a_measured_calibration_stands_on_the_page_with_the_figures_of_the_corpus_first(store):
    opened_store = Store(store)
    figures = [0.8, 0.7, 0.9] * 4
    rows = [QualityMetrics("us_meddles_too", 12, *figures), QualityMetrics("", 12, *figures)]
    corpus = [QualityMetrics("us_meddles_too", 9, *[0.61, 0.5, 0.7] * 4), QualityMetrics("", 9, *[0.6, 0.5, 0.7] * 4)]
    bins = (CalibrationBin(900, 9000.0, 0.01, 0.012, 0.008, 0.018), CalibrationBin(40, 50.0, 0.72, 0.7, 0.55, 0.82))
    thresholds = tuple(
        ThresholdQuality(at / 10, 0.5 + at / 20, 0.4, 0.99, 1 - at / 10, 0.0, 1.0) for at in range(1, 10)
    )
    scores = Calibration(bins, 1.03, 0.9, 1.17, thresholds)
    opened_store.put_quality(opened_store.current(), rows, "by hand", corpus, scores)
    app = opened(METHOD)
    shown = said(app)
    usual = round(query_usual_threshold(open_snapshot(store, opened_store.current())), 2)
    nearest = min(thresholds, key=lambda part: abs(part.threshold - usual))
    assert f"The threshold of most narratives is {usual:.2f}. At {nearest.threshold:.2f}" in shown
    assert f"recall {nearest.recall:.2f} (0.00–1.00)" in shown
    assert render_calibration.TITLE in "".join(head.value for head in app.subheader)
    assert "1.03 (0.90–1.17)" in shown
    tables = [table.value for table in app.dataframe if "Narrative" in table.value]
    assert [table["F1"].iloc[0][:4] for table in tables] == ["0.60", "0.80"]
    assert tables[0]["Narrative"].iloc[0] == quality.POOLED_LABEL
    assert tables[1]["Narrative"].iloc[0] == quality.MEAN_LABEL


def test_the_reliability_diagram_has_a_point_with_its_interval_for_each_group():
    bins = (CalibrationBin(900, 9000.0, 0.01, 0.012, 0.008, 0.018), CalibrationBin(40, 50.0, 0.72, 0.7, 0.55, 0.82))
    figure = render_calibration.build_reliability_diagram(Calibration(bins, 1.0, 0.9, 1.1))
    line, points = figure["data"]
    assert line["x"] == line["y"] == [0, 1]
    assert points["x"] == [0.01, 0.72] and points["y"] == [0.012, 0.7]
    assert points["error_y"]["array"][1] == pytest.approx(0.12)
    assert "40 labelled pairs" in points["hovertext"][1]


def test_thresholds_that_nothing_reaches_have_no_point():
    parts = (ThresholdQuality(0.2, 0.6, 0.5, 0.7, 0.8, 0.7, 0.9), ThresholdQuality(0.9, *[math.nan] * 3, 0.0, 0.0, 0.0))
    figure = render_calibration.build_threshold_chart(Calibration((), 1.0, 0.9, 1.1, parts), 0.23)
    precision, recall = figure["data"]
    assert precision["x"] == [0.2] and recall["x"] == [0.2, 0.9]
    assert figure["layout"]["shapes"][0]["x0"] == 0.23
    json.dumps(figure, allow_nan=False)
