"""One narrative in words and charts: exactly the numbers given, and in words what they rest on."""

from __future__ import annotations

import math
from datetime import date
from types import SimpleNamespace

import pandas as pd
import plotly.graph_objects as go
import pytest

from narratives.measure import (
    add_shares,
    compute_cooccurrence,
    correct_shares,
    find_change_points,
    find_first_uses,
    suppress_small_bases,
)
from narratives.measure.correction import NOT_MEASURED
from narratives.model import QualityMetrics, SuppressionRule
from narratives.render import narrative_charts, phrases

BASE = SuppressionRule(documents=30, expected=5)
LOW, HIGH = 2, 30  # paragraphs of 200 before and after the change


def measured(rate: float = 0.001) -> QualityMetrics:
    figures = [0.9, 0.8, 0.95, 0.8, 0.7, 0.9, 0.85, 0.8, 0.9, 0.9, 0.8, 0.95]
    return QualityMetrics("n", 50, *figures, 900, rate, rate / 2, rate * 2)


def series(quality: QualityMetrics | None = None) -> pd.DataFrame:
    """Ten half-years of 40 documents with 5 paragraphs each; the third has 4 documents only."""
    rows = []
    for at in range(10):
        documents = 4 if at == 2 else 40
        hits = HIGH if at >= 6 else LOW
        hits = 0 if at == 2 else hits
        label = f"{2016 + at // 2}-H{at % 2 + 1}"
        rows.append((label, "n", "A <b>name", documents, documents * 5, hits, documents * 25, hits * 5, hits))
    columns = ["period", "narrative_id", "narrative", "documents", "total_paragraphs", "paragraphs"]
    frame = add_shares(pd.DataFrame(rows, columns=[*columns, "m2", "my", "y2"]))
    return suppress_small_bases(correct_shares(frame, [quality] if quality else [], rates_carry_over=True), BASE)


def named(figure: dict, name: str) -> dict:
    [found] = [trace for trace in figure["data"] if trace.get("name") == name]
    return found


def test_the_trend_shows_shares_changes_levels_and_what_is_left_out():
    rows = series(measured())
    moves = find_change_points(rows)
    assert moves["period"].tolist() == ["2019-H1"]
    figure = narrative_charts.build_trend_figure(rows, moves, "#4269d0", "share", [(date(2018, 3, 1), "Vote")])
    go.Figure(figure)
    line = named(figure, "Share, with its 95 % band")
    assert line["y"][2] is None and line["y"][0] == LOW / 200 and line["y"][9] == HIGH / 200
    few = named(figure, "Too little text for a share")
    assert few["customdata"] == [{"narrative": "n", "period": "2017-H1"}]
    assert "0 of 20 statement paragraphs" in few["hovertemplate"][0]
    assert "4 documents, fewer than 30" in few["hovertemplate"][0].replace("<br>", " ")
    levels = named(figure, "Level between changes")["y"]
    assert [value for value in levels if value is not None][::2] == [moves["before"].iloc[0], moves["after"].iloc[0]]
    assert figure["layout"]["annotations"][0]["text"] == "<b>▲ 1</b>"
    assert figure["layout"]["annotations"][0]["x"] == "2019-01-01"
    dots = named(figure, "Corrected for matching errors")
    assert dots["y"] == rows["corrected"].dropna().tolist() and len(dots["y"]) > 0
    assert named(figure, "Events")["x"] == ["2018-03-01"]
    assert figure["layout"]["yaxis"]["range"][1] >= max(dots["y"])


def test_counts_are_drawn_where_no_share_can_be():
    rows = suppress_small_bases(series(), SuppressionRule(documents=1000, expected=5))
    figure = narrative_charts.build_trend_figure(rows, find_change_points(rows).head(0), "#4269d0", "share")
    line = named(figure, "Paragraphs")
    assert line["y"] == rows["paragraphs"].tolist()
    assert all("No share: " in text and "nan" not in text for text in line["hovertemplate"])


def test_without_labels_no_corrected_share_is_drawn():
    figure = narrative_charts.build_trend_figure(series(), find_change_points(series()), "#4269d0", "share")
    assert not [t for t in figure["data"] if "Corrected" in str(t.get("name"))]


@pytest.mark.parametrize(
    ("quality", "part"),
    [
        (measured(), ""),
        (None, NOT_MEASURED),
        (measured(math.nan), "lack the false-positive rate"),
        (measured(0.5), "as frequent on the reference labels"),
    ],
)
def test_why_there_is_no_corrected_share(quality, part):
    row = series(quality).iloc[0].to_dict()
    reason = phrases.explain_no_correction(row, quality)
    assert part in reason and bool(part) == bool(reason)


def test_a_corrected_share_on_too_little_is_said():
    row = series(measured()).iloc[2].to_dict()
    assert phrases.explain_no_correction(row, measured()) == phrases.TOO_LITTLE_TEXT


ACTORS = pd.DataFrame(
    {
        "speaker": ["A <i>b", ""],
        "own_voice": [5, 0],
        "quoted_voice": [2, 0],
        "outlet_voice": [0, 3],
        "paragraphs": [7, 3],
        "total_paragraphs": [100, 40],
        "share": [0.07, math.nan],
        "share_low": [0.03, math.nan],
        "share_high": [0.14, math.nan],
        "base_ok": [True, False],
        "base_reason": ["", "4 documents, fewer than 30"],
    }
)


def test_bars_hold_every_paragraph_in_its_voice():
    figure = narrative_charts.build_actors_figure(ACTORS, "speaker", "n")
    go.Figure(figure)
    assert [trace["name"] for trace in figure["data"]] == ["Own words", "Quoted", "The outlet's voice"]
    assert sum(sum(trace["x"]) for trace in figure["data"]) == ACTORS["paragraphs"].sum()
    patterns = [trace["marker"]["pattern"]["shape"] for trace in figure["data"]]
    assert len(set(patterns)) == len(patterns)
    points = [point for trace in figure["data"] for point in trace["customdata"]]
    assert {"narrative": "n", "speaker": "", "voice": "outlet"} in points
    texts = "".join(text for trace in figure["data"] for text in trace["hovertemplate"])
    assert "7.0 % (3.0–14.0)" in texts and "fewer than 30" in texts
    assert "A &lt;i&gt;b" in texts and "<i>" not in texts
    ends = [note["text"] for note in figure["layout"]["annotations"]]
    assert ends == ["7 · 7.0 %", "3"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["A &lt;i&gt;b", "(none named)"]


def uses() -> pd.DataFrame:
    rows = [("A", "2016-03-01", 2), ("B", "2016-02-01", 1), ("B", "2016-05-01", 4), ("C", "2016", 3)]
    frame = pd.DataFrame([("n", *row) for row in rows], columns=["narrative_id", "actor", "date", "paragraphs"])
    return find_first_uses(frame, {"A": "2016-01-01", "B": "2016-02-01"})


def test_first_uses_stand_where_they_were():
    rows = uses()
    figure = narrative_charts.build_first_uses_figure(rows[rows["first"] != ""], "speaker", "n", "#4269d0")
    go.Figure(figure)
    assert named(figure, "First use")["x"] == ["2016-02-01", "2016-03-01"]
    assert named(figure, "Third use")["x"] == ["2016-05-01"]
    assert named(figure, "Texts begin")["x"] == ["2016-02-01", "2016-01-01"]
    assert named(figure, "First use")["customdata"][1] == {"narrative": "n", "speaker": "A", "period": "2016-03"}


def test_who_was_first_comes_with_what_is_not_known():
    assert phrases.describe_first_uses(uses()) == "First B on 1 Feb 2016; then A (29 days later)."
    assert phrases.describe_first_uses(uses().tail(1)) == ""
    assert "since 1 Jan 2016; what came before" in phrases.describe_first_use_limits("2016-01-01")
    assert "nobody else" in phrases.describe_first_uses(uses().head(1))


def company() -> pd.DataFrame:
    pairs = {
        "narrative_id": ["more", "none", "less", "rare"],
        "narrative": ["More", "None", "Less", "Rare"],
        "a": [100] * 4,
        "b": [50, 100, 200, 2],
        "both": [30, 11, 2, 1],
        "total": [1000] * 4,
        "shared": [3, 0, 0, 0],
    }
    return compute_cooccurrence(pd.DataFrame(pairs), BASE)


def test_company_is_told_from_chance():
    rows = company()
    verdicts = [phrases.classify_lift(row) for row in rows[rows["base_ok"]].to_dict("records")]
    assert verdicts == [phrases.MORE_OFTEN, phrases.NO_DIFFERENCE, phrases.LESS_OFTEN]
    lines = [phrases.describe_cooccurrence(row) for row in rows.to_dict("records")]
    assert lines[0].startswith("More: 30 documents with both, 5.0 expected by chance, 6.0 times (")
    assert lines[3] == "Rare: 1 document with both; fewer than 5 documents with both, observed or expected."
    figure = narrative_charts.build_cooccurrence_figure(rows[rows["base_ok"]], "n")
    go.Figure(figure)
    assert len({trace["marker"]["symbol"] for trace in figure["data"]}) == 3
    assert figure["data"][0]["customdata"] == [{"narrative": ["n", "more"]}]
    low, high = figure["layout"]["xaxis"]["range"]
    for trace in figure["data"]:
        ends = zip(trace["x"], trace["error_x"]["array"], trace["error_x"]["arrayminus"], strict=True)
        for x, up, down in ends:
            assert 10**low < x - down <= x <= x + up < 10**high


def test_a_narrative_never_found_beside_it_stays_on_the_axis():
    rows = compute_cooccurrence(
        pd.DataFrame({"narrative_id": ["z"], "narrative": ["Z"], "a": [300], "b": [300], "both": [0], "total": [900]}),
        BASE,
    )
    [trace] = narrative_charts.build_cooccurrence_figure(rows, "n")["data"]
    assert trace["x"] == [narrative_charts.MIN_LIFT]


def test_small_shares_keep_a_digit_that_says_something():
    def write(share: float, low: float, high: float) -> str:
        return phrases.format_limits({"share": share, "share_low": low, "share_high": high})

    assert write(0.0008, 0.0004, 0.0013) == "0.08 % (0.04–0.13)"
    assert write(0.021, 0.014, 0.033) == "2.1 % (1.4–3.3)"
    assert write(math.nan, math.nan, math.nan) == "–"
    assert write(0.0, 0.0, 0.01) == "0.0 % (0.0–1.0)"


def test_the_sentence_that_decided_is_bold_and_nothing_else_is_markup():
    text = "Before *all* this. The [deciding](http://x) one! " + "And much more after it. " * 20
    found = phrases.highlight_sentence(text, "The [deciding](http://x) one!", 80)
    assert "**The \\[deciding\\]\\(http\\:\u2060\\/\\/x\\) one\\!**" in found and r"\*all\*" in found
    assert found.endswith(" …") and found.replace("\\", "").removesuffix(" …").split()[-1] in text.split()
    late = phrases.highlight_sentence("word " * 100 + "Here it is. " + "word " * 100, "Here it is.", 80)
    assert late.startswith("… word") and "**Here it is\\.**" in late and len(late) < 150
    assert phrases.highlight_sentence("No sentence is known.", "") == r"No sentence is known\."
    assert phrases.highlight_sentence("Short.", "Another one.") == r"Short\."


def step(predecessor: str, *rows: tuple, **names: str):
    columns = ["kind", "subject", "name", "origin", "related", "shares", "note"]
    meta = SimpleNamespace(snapshot_id="abc", built_at="2026-01-02T03:04:05+00:00", predecessor=predecessor)
    return meta, pd.DataFrame(rows, columns=columns), names


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (("rename", "n", "New", "codebook", [], [], "Old"), "Renamed; it was “Old”."),
        (("added", "n", "N", "codebook", ["o"], [], ""), "New in the codebook; it replaces “Older”."),
        (("birth", "n", "N", "discovered", ["o"], [0.25], ""), "in “Older” (25.0 %)."),
        (("birth", "n", "N", "discovered", [], [], ""), "Found for the first time."),
        (("kept", "n", "N", "discovered", ["n"], [0.8], ""), "have 80.0 % of their paragraphs in common"),
        (("merge", "o", "Other", "discovered", ["n"], [0.6], ""), "“Other” was merged into this one."),
        (("death", "o", "Other", "discovered", ["n"], [0.2], ""), "“Other” is gone; 20.0 % of it"),
        (("split", "o", "Other", "discovered", ["n"], [0.7], ""), "“Other” split off from this one."),
        (("split", "o", "Other", "codebook", ["n"], [], ""), "“Other” was divided"),
        (("offered", "n", "N", "discovered", [], [], ""), "Offered as a narrative"),
    ],
)
def test_the_past_in_words(row, line):
    [found] = phrases.build_lineage_table([step("before", row, o="Older")], "n")["What changed"]
    assert line in found


def test_every_snapshot_has_a_row():
    rows = phrases.build_lineage_table([step("before"), step("")], "n")
    assert rows["What changed"].tolist() == ["No change.", "The first snapshot: nothing to compare with."]
    assert rows["Built"].tolist() == ["2 Jan 2026"] * 2
