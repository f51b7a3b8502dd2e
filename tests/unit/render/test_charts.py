"""Charts hold exactly the numbers of their frame, show gaps as gaps, and can be read in any colour vision."""

from __future__ import annotations

import itertools
import textwrap
from datetime import date

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.measure import add_shares, suppress_small_bases
from narratives.measure.shares import CHANGE_COLUMNS
from narratives.model import SuppressionRule
from narratives.render import time_series, traces
from narratives.render.colours import (
    BACKGROUNDS,
    MIN_COLOUR_DISTANCE,
    PALETTE,
    compute_contrast,
    compute_distance,
    make_distinct,
    make_legible,
    resolve_colour,
)

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two narratives over 2016, 2017 and 2019: no text in 2018."""
    totals = {"2016": 40, "2017": 50, "2019": 20}
    counts = {"a": {"2016": 4, "2017": 10, "2019": 0}, "b": {"2016": 1, "2017": 0, "2019": 5}}
    rows = [
        (period, key, f"Narrative <{key}>", "codebook", counts[key][period], total)
        for period, total in totals.items()
        for key in counts
    ]
    columns = ["period", "narrative_id", "narrative", "origin", "paragraphs", "total_paragraphs"]
    return add_shares(pd.DataFrame(rows, columns=columns))


def only(frame: pd.DataFrame, key: str = "a") -> pd.DataFrame:
    return frame[frame["narrative_id"] == key]


def one(frame: pd.DataFrame, key: str = "a") -> list[dict]:
    return traces.to_records(only(frame, key))


def lines(figure: time_series.Figure) -> list[dict]:
    return [trace for trace in figure["data"] if trace.get("mode") == "lines+markers"]


def test_plotly_takes_every_figure(frame):
    view = time_series.compute_axis_spec(frame, "share")
    figures = [
        time_series.build_small_figure(one(frame), PALETTE[0], view),
        time_series.build_comparison_figure(
            frame, {"a": PALETTE[0], "b": PALETTE[1]}, view, [(date(2017, 5, 4), "Vote")]
        ),
        time_series.build_uncovered_figure(only(frame))[0],
    ]
    for figure in figures:
        assert go.Figure(figure).to_dict()["layout"]["height"] == figure["layout"]["height"]


def test_a_period_without_text_is_a_gap_and_not_a_zero(frame):
    [line] = lines(
        time_series.build_small_figure(one(frame), PALETTE[0], time_series.compute_axis_spec(frame, "share"))
    )
    assert line["y"] == [0.1, 0.2, None, 0.0]
    assert line["connectgaps"] is False


def test_the_band_is_the_interval_and_breaks_at_the_gap(frame):
    figure = time_series.build_small_figure(one(frame), PALETTE[0], time_series.compute_axis_spec(frame, "share"))
    band, [line] = figure["data"][0], lines(figure)
    low, high = only(frame)["share_low"].tolist(), only(frame)["share_high"].tolist()
    assert band["fill"] == "toself"
    assert band["y"] == [high[0], high[1], low[1], low[0], None]
    # The last period stands alone: there its interval is a bar, of the line.
    assert line["error_y"]["array"] == [None, None, None, pytest.approx(high[2])]
    assert line["error_y"]["arrayminus"] == [None, None, None, pytest.approx(-low[2])]


def test_counts_have_no_interval(frame):
    figure = time_series.build_small_figure(one(frame), PALETTE[0], time_series.compute_axis_spec(frame, "count"))
    assert [trace["y"] for trace in figure["data"]] == [[4, 10, None, 0]]
    compared = time_series.build_comparison_figure(
        frame, {"a": PALETTE[0]}, time_series.compute_axis_spec(frame, "count")
    )
    assert all("error_y" not in trace for trace in compared["data"])


def test_hovering_tells_share_interval_count_and_denominator(frame):
    [line] = lines(
        time_series.build_small_figure(one(frame), PALETTE[0], time_series.compute_axis_spec(frame, "share"))
    )
    row = only(frame).iloc[0]
    assert "2016: 10.0 %" in line["hovertemplate"][0]
    assert f"{row['share_low'] * 100:.1f}–{row['share_high'] * 100:.1f} %" in line["hovertemplate"][0]
    assert "4 of 40 statement paragraphs" in line["hovertemplate"][0]
    assert line["hovertemplate"][2] == ""


def test_all_small_charts_stand_on_one_scale_and_say_if_it_cuts_intervals(frame):
    view = time_series.compute_axis_spec(frame, "share")
    tops = {
        time_series.build_small_figure(one(frame, key), PALETTE[0], view)["layout"]["yaxis"]["range"][1] for key in "ab"
    }
    assert len(tops) == 1
    assert tops.pop() >= frame["share"].max() * 1.2
    assert view.cut == (frame["share_high"].max() > view.top)
    assert not time_series.compute_axis_spec(frame.assign(share_high=frame["share"]), "share").cut


def test_a_period_that_holds_too_little_shows_its_count_and_why(frame):
    rows = suppress_small_bases(frame.assign(documents=frame["total_paragraphs"]), SuppressionRule(30, 0.0))
    figure = time_series.build_small_figure(one(rows), PALETTE[0], time_series.compute_axis_spec(rows, "share"))
    [line] = lines(figure)
    assert line["y"] == [0.1, 0.2, None, None]
    [few] = [trace for trace in figure["data"] if trace.get("mode") == "text"]
    assert few["text"] == ["0"] and few["y"] == [0]
    assert "20 documents, fewer than 30" in few["hovertemplate"][0]
    assert "0 of 20 statement paragraphs" in few["hovertemplate"][0]
    assert few["customdata"] == [{"narrative": "a", "period": "2019"}]
    counts = time_series.build_small_figure(one(rows), PALETTE[0], time_series.compute_axis_spec(rows, "count"))
    assert lines(counts)[0]["y"] == [4, 10, None, 0]


def test_a_chart_of_nothing_but_small_periods_can_be_drawn_and_told(frame):
    rows = suppress_small_bases(frame.assign(documents=1), SuppressionRule(30, 0.0))
    view = time_series.compute_axis_spec(rows, "share")
    assert time_series.build_small_figure(one(rows), PALETTE[0], view)["layout"]["yaxis"]["range"][1] > 0
    assert time_series.build_comparison_figure(rows, {"a": PALETTE[0]}, view)
    assert "too few paragraphs" in time_series.describe_time_series(one(rows), view)


def test_the_corrected_share_stands_beside_the_raw_one(frame):
    rows = frame.assign(corrected=0.05, corrected_low=0.01, corrected_high=0.09)
    figure = time_series.build_small_figure(one(rows), PALETTE[0], time_series.compute_axis_spec(rows, "share"))
    [dotted] = [trace for trace in figure["data"] if trace["line"].get("dash") == "dot"]
    assert dotted["y"] == [0.05, 0.05, None, 0.05]
    assert "corrected for matching errors 5.0 % (1.0–9.0 %)" in lines(figure)[0]["hovertemplate"][0]
    assert lines(figure)[0]["y"][0] == 0.1


def test_a_smoothed_line_leaves_the_marks_where_they_are(frame):
    rows = frame.assign(smoothed=0.15)
    figure = time_series.build_small_figure(one(rows), PALETTE[0], time_series.compute_axis_spec(rows, "share"))
    assert not lines(figure)
    [marks] = [trace for trace in figure["data"] if trace.get("mode") == "markers"]
    assert marks["y"][0] == 0.1
    assert figure["data"][-1]["y"] == [0.15, 0.15, None, 0.15]


def test_change_points_are_marked_and_told(frame):
    row = ("a", "2017", "up", 0.1, 0.05, 0.2, 0.3, 0.2, 0.4, 9.0)
    found = pd.DataFrame([row], columns=list(CHANGE_COLUMNS))
    figure = time_series.build_small_figure(
        one(frame), PALETTE[0], time_series.compute_axis_spec(frame, "share"), changes=traces.to_records(found)
    )
    [mark] = [trace for trace in figure["data"] if trace.get("text") == ["↑"]]
    assert mark["x"] == ["2017-01-01"]
    assert "Higher from 2017, at 30.0 % (20.0–40.0) after 10.0 % (5.0–20.0)" in mark["hovertemplate"][0]


def test_names_cannot_carry_markup(frame):
    figure = time_series.build_small_figure(one(frame), PALETTE[0], time_series.compute_axis_spec(frame, "share"))
    assert "&lt;a&gt;" in figure["layout"]["annotations"][0]["text"]
    assert "<a>" not in str(figure)


def test_the_comparison_labels_every_line_with_its_own_sign(frame):
    view = time_series.compute_axis_spec(frame, "share")
    figure = time_series.build_comparison_figure(frame, {"b": PALETTE[0], "a": PALETTE[1]}, view)
    labels = [note["text"] for note in figure["layout"]["annotations"]]
    assert ["●" in labels[0], "■" in labels[1]] == [True, True]
    assert [line["marker"]["symbol"] for line in lines(figure)] == ["circle", "square"]
    whisker = lines(figure)[0]["error_y"]
    row = only(frame, "b").iloc[0]
    assert whisker["array"][0] == row["share_high"] - row["share"]
    assert whisker["arrayminus"][0] == row["share"] - row["share_low"]
    assert whisker["array"][2] is None


def test_events_are_marked_only_inside_the_period(frame):
    events = [(date(2015, 12, 31), "before"), (date(2017, 5, 4), "A <b>vote</b>"), (date(2020, 1, 1), "after")]
    figure = time_series.build_comparison_figure(
        frame, {"a": PALETTE[0]}, time_series.compute_axis_spec(frame, "share"), events
    )
    marks = figure["data"][-1]
    assert marks["x"] == ["2017-05-04"]
    assert "4 May 2017" in marks["hovertemplate"][0] and "&lt;b&gt;" in marks["hovertemplate"][0]
    assert len(figure["layout"]["shapes"]) == 1


def test_the_summary_says_lowest_and_highest(frame):
    assert time_series.describe_time_series(one(frame), time_series.compute_axis_spec(frame, "share")) == (
        "Narrative <a>: 0.0 % in 2019 at the lowest, 20.0 % in 2017 at the highest."
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 0.15)), min_size=1, max_size=6))
def test_labels_never_cover_one_another(labels):
    values, sizes = [value for value, _ in labels], [size for _, size in labels]
    middles = time_series.spread_labels(values, sizes, 1.0)
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    for below, above in itertools.pairwise(order):
        assert middles[above] - middles[below] >= (sizes[above] + sizes[below]) / 2 - 1e-9
    assert all(m - s / 2 >= -1e-9 and m + s / 2 <= 1 + 1e-9 for m, s in zip(middles, sizes, strict=True))


@given(COLOURS)
def test_any_colour_is_made_to_stand_out_on_light_and_dark(colour):
    assert all(compute_contrast(make_legible(colour), ground) >= 3 for ground in BACKGROUNDS)


@given(st.lists(COLOURS, min_size=1, max_size=6))
def test_the_lines_of_one_chart_can_be_told_apart(colours):
    told = list(make_distinct({str(i): make_legible(colour) for i, colour in enumerate(colours)}).values())
    for i, colour in enumerate(told):
        assert all(compute_distance(colour, other) >= MIN_COLOUR_DISTANCE for other in told[:i])


def test_a_narrative_without_a_colour_gets_one():
    assert resolve_colour("", 7) == PALETTE[1]
    assert resolve_colour("red", 0) == PALETTE[0]
    assert resolve_colour("#FFF", 0) == PALETTE[0]
    assert compute_contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_few_thin_periods_among_many_do_not_flatten_the_rest():
    def of(month: int, hits: int, total: int) -> dict[str, object]:
        period = f"{2016 + month // 12}-{month % 12 + 1:02d}"
        return {"period": period, "narrative_id": "a", "narrative": "A", "paragraphs": hits, "total_paragraphs": total}

    frame = add_shares(pd.DataFrame([of(m, *((0, 2) if m in (5, 17) else (10, 1000))) for m in range(36)]))
    assert time_series.compute_axis_spec(frame, "share").top < 0.1 < frame["share_high"].max()
    assert time_series.compute_axis_spec(frame, "share").top > frame["share"].max()


def test_a_text_in_a_chart_is_neither_markup_nor_a_placeholder():
    words = "a paragraph of many words that goes on and on " * 40
    whole = textwrap.wrap(" ".join(words.split()), 30, max_lines=3, placeholder=" …")
    assert traces.wrap_text(words, 30, 3) == "<br>".join(whole)
    assert traces.wrap_text("x" * 200, 30, 3) == "<br>".join(
        textwrap.wrap("x" * 200, 30, max_lines=3, placeholder=" …")
    )
    assert traces.wrap_text("<b>%{x}</b> \u202ereversed\x1b", 80, 2) == "&lt;b&gt;%\u2060{x}&lt;/b&gt; reversed"
