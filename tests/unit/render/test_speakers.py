"""Charts of speakers and of spread, and the words beside them, without a page."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.dashboard.views import speaker_profile, speakers, spread
from narratives.measure import add_shares, compute_difference, suppress_small_bases
from narratives.model import Slice, SuppressionRule
from narratives.render import speaker_charts, spread_charts
from narratives.render.colours import BACKGROUNDS, compute_contrast

HOSTILE = "Ann <b> <img src=x>"


def cells() -> pd.DataFrame:
    """Two speakers by three narratives."""
    frame = pd.DataFrame(
        [
            (name, key, key.title(), hits, total, 20, total * 5, hits * 5, hits)
            for name, total, row in (("Ben", 100, (0, 1, 40)), (HOSTILE, 50, (2, 10, 0)))
            for key, hits in zip(("alpha", "beta", "gamma"), row, strict=True)
        ],
        columns=[
            *("speaker", "narrative_id", "narrative", "paragraphs", "total_paragraphs"),
            *("documents", "m2", "my", "y2"),
        ],
    )
    return add_shares(frame).assign(base_reason="")


def test_a_cell_s_colour_number_and_target_are_of_one_share():
    figure = speaker_charts.build_speaker_heatmap(cells(), dark=False)
    drawn, targets = figure["data"]
    assert drawn["text"] == [["0", "4.0"], ["1.0", "20.0"], ["40.0", "0"]]
    assert drawn["z"] == [[0, 3], [1, 4], [5, 0]]
    at = {(x, y): told for x, y, told in zip(targets["x"], targets["y"], targets["customdata"], strict=True)}
    assert at[1, 1] == {"speaker": HOSTILE, "narrative": "beta"}
    assert at[0, 2] == {"speaker": "Ben", "narrative": "gamma"}
    hover = dict(zip(at, targets["hovertemplate"], strict=True))[1, 1]
    assert "10 of 50 statement paragraphs" in hover and "95 % interval" in hover and "20 documents" in hover
    assert "<img" not in hover and "&lt;img" in hover
    assert "<img" not in "".join(figure["layout"]["xaxis"]["ticktext"])


def test_a_share_on_the_edge_belongs_below_it():
    frame = cells().assign(share=[*speaker_charts.CLASS_EDGES, 0.0, 1.0])
    drawn = speaker_charts.build_speaker_heatmap(frame, dark=True)["data"][0]
    assert drawn["z"] == [[1, 4], [2, 0], [3, 5]]
    assert len(speaker_charts.CLASS_LABELS) == len(speaker_charts.CLASS_EDGES) + 2


@pytest.mark.parametrize(
    ("colours", "ground"), [(speaker_charts.LIGHT_SCALE, BACKGROUNDS[0]), (speaker_charts.DARK_SCALE, BACKGROUNDS[1])]
)
def test_the_scale_is_in_order_and_bears_its_numbers(colours, ground):
    from_ground = [compute_contrast(colour, ground) for colour in colours]
    assert from_ground == sorted(from_ground)
    assert all(high / low > 1.15 for low, high in itertools.pairwise(from_ground))
    for colour in colours:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        dark = (299 * red + 587 * green + 114 * blue) / 1000 < 128  # Plotly's rule for the letters
        assert compute_contrast(colour, "#ffffff" if dark else "#444444") >= 4.5


def test_the_pair_s_dots_stand_at_their_shares_with_their_limits():
    rows = cells()
    figure = speaker_charts.build_dumbbell_figure(rows, ("Ben", HOSTILE))
    line, ben, other = figure["data"]
    assert ben["x"] == [0, 0.01, 0.4] and other["x"] == [0.04, 0.2, 0]
    upper = rows[rows["speaker"] == "Ben"]["share_high"] - rows[rows["speaker"] == "Ben"]["share"]
    assert np.allclose(ben["error_x"]["array"], upper)
    assert ben["marker"]["symbol"] != other["marker"]["symbol"]
    assert line["x"][:2] == [0, 0.04]
    assert max(other["y"][0] - ben["y"][0], 0) > 0  # side by side, not one over the other
    assert figure["layout"]["xaxis"]["range"][1] >= 0.4


def test_a_speaker_below_the_base_has_no_dot_and_no_difference():
    rows = cells()
    below = rows["speaker"] == HOSTILE
    rows.loc[below, ["share", "share_low", "share_high"]] = np.nan
    figure = speaker_charts.build_dumbbell_figure(rows, ("Ben", HOSTILE))
    assert [len(trace["x"]) for trace in figure["data"]] == [3, 0]
    table = speakers.compute_differences(rows, ("Ben", HOSTILE))
    assert table["difference"].isna().all() and table["paragraphs_2"].tolist() == [0, 10, 2]
    assert speaker_profile.describe_differences(table, ("Ben", HOSTILE)) == [
        "There is not enough text by both speakers to compare them."
    ]


def test_differences_are_those_of_measure_and_told_in_words():
    rows = cells()
    table = speakers.compute_differences(rows, ("Ben", HOSTILE))
    assert table["narrative_id"].tolist() == ["gamma", "beta", "alpha"]  # largest share first
    ben, other = (rows[rows["speaker"] == name].iloc[::-1] for name in ("Ben", HOSTILE))
    limits = ("share", "share_low", "share_high")
    expected = compute_difference(*(ben[c] for c in limits), *(other[c] for c in limits))
    assert np.allclose(table[["difference", "difference_low", "difference_high"]].to_numpy().T, expected)
    first, *_, last = speaker_profile.describe_differences(table, ("Ben", HOSTILE))
    low, high = (f"{x * 100:+.1f}" for x in (expected[1][0], expected[2][0]))
    assert first == f"Gamma: Ben 40.0 %, {HOSTILE} 0.0 %; differs by +40.0 points (95 % {low} to {high})."
    assert last.endswith("the texts show no clear difference.")
    reverse = speakers.compute_differences(rows, (HOSTILE, "Ben"))
    assert np.allclose(reverse["difference"], -table["difference"])


@pytest.mark.parametrize(
    ("paragraphs", "documents", "reason"),
    [
        (29, 9, "29 statement paragraphs, fewer than 30"),
        (1, 1, "1 statement paragraph, fewer than 30"),
        (30, 4, "4 documents, fewer than 5"),
        (30, 5, ""),
    ],
)
def test_the_reason_for_leaving_a_speaker_out(paragraphs, documents, reason):
    assert speakers.explain_suppression(paragraphs, documents, speakers.SPEAKER_RULE) == reason


def over_time() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "period": ["2016", "2017", "2019"],
            "narrative_id": "beta",
            "narrative": "Beta",
            "documents": [40, 3, 50],
            "total_paragraphs": [100, 10, 200],
            "paragraphs": [10, 4, 30],
            "m2": [300, 40, 900],
            "my": [30, 12, 120],
            "y2": [14, 8, 40],
        }
    )
    return suppress_small_bases(add_shares(frame), SuppressionRule())


def test_thin_periods_have_a_hollow_mark_and_gaps_stay_gaps():
    labels = ["2016", "2017", "2018", "2019"]
    figure = speaker_charts.build_period_figure(over_time(), "Ben", "#123456", labels, "share", 0.3, True)
    thin, line = figure["data"]
    assert line["y"] == [0.1, None, None, 0.15] and line["connectgaps"] is False
    assert thin["text"] == ["4"] and "3 documents, fewer than 30" in thin["hovertemplate"][0]
    assert thin["customdata"] == [{"speaker": "Ben", "narrative": "beta", "period": "2017"}]
    assert "14.2 % · 44 paragraphs" in figure["layout"]["annotations"][0]["text"]
    without = speaker_charts.build_period_figure(over_time(), "Ben", "#123456", labels, "share", 0.3, False)
    assert "%" not in without["layout"]["annotations"][0]["text"]
    said = speaker_charts.describe_periods(over_time())
    assert said == (
        "Beta: 44 of 310 statement paragraphs; 10.0 % in 2016 at the lowest, 15.0 % in 2019 at the highest."
    )


def test_counts_are_bars_of_every_period():
    figure = speaker_charts.build_period_figure(over_time(), "Ben", "#123456", ["2016", "2017"], "count", 40, True)
    [bars] = figure["data"]
    assert bars["type"] == "bar" and bars["y"] == [10, 4, 30]
    assert speaker_charts.compute_scale_top(over_time(), "count") > 30
    assert 0.15 < speaker_charts.compute_scale_top(over_time(), "share") <= 1
    nothing = over_time().assign(share=np.nan, share_high=np.nan)
    assert speaker_charts.compute_scale_top(nothing, "share") == 0.1


USES = pd.DataFrame(
    [
        ("x", "RT", "2016-03-05", 1),
        ("x", "RT", "2016-03-09", 4),
        ("x", "TASS", "2016-03-05", 2),
        ("x", "TASS", "2017-01", 1),
        ("x", "Late", "2018-07-01", 1),
        ("x", "Debate", "2016", 3),
        ("x", "", "", 2),
    ],
    columns=["narrative_id", "actor", "date", "paragraphs"],
)
COVERED = pd.DataFrame(
    [
        ("RT", "2016-01", "2016-01-04", "2016-01-30", "2016-01-04", 9),
        ("RT", "2016-02", "2016-02-01", "2016-02-02", "2016-02-01", 9),
        ("RT", "2016-04", "2016-04-01", "2016-04-02", "2016-04-01", 9),
        ("TASS", "2016-03", "2016-03-05", "2016-03-20", "2016-03-05", 9),
        ("Late", "2018-07", "2018-07-01", "2018-07-09", "2018-07-01", 9),
        ("Debate", "2016", "2016-01-01", "2016-12-31", "2016-12-31", 9),
    ],
    columns=["actor", "period", "first_day", "last_day", "sure", "paragraphs"],
)


def test_who_comes_first_and_who_could_not_be_seen_before():
    table = spread.compute_first_uses(USES, COVERED, 3)
    assert table["actor"].tolist() == ["RT", "TASS", "Late", "", "Debate"]
    named = table.set_index("actor")
    assert named["first"].to_dict() == {
        **{"RT": "2016-03-05", "TASS": "2016-03-05", "Late": "2018-07-01"},
        **{"": "", "Debate": ""},
    }
    assert named.loc["RT", "kth"] == "2016-03-09" and named.loc["TASS", "kth"] == ""
    assert named["covered_before"].to_dict() == {
        **{"RT": True, "TASS": False, "Late": False},
        **{"": False, "Debate": False},
    }
    assert named.loc["Debate", "coarse"] == "2016" and named.loc["TASS", "coarse"] == "2017-01"
    assert named.loc["RT", "covered_to"] == "2016-04-02" and named.loc["", "covered_to"] == ""
    said = spread.describe_spread(table, "outlet")
    assert "5 outlets advance it here, in 14 statement paragraphs." in said
    assert "First in the texts collected: RT and TASS, 5 Mar 2016. Next: Late 848 days later." in said
    assert "For 2 outlets there is no text from before that day" in said
    assert "6 paragraphs are not dated to the day" in said and "some may be earlier" in said


def test_months_of_text_that_follow_each_other_are_one_stretch():
    assert spread.find_covered_ranges(COVERED, "RT") == [
        (date(2016, 1, 1), date(2016, 2, 29)),
        (date(2016, 4, 1), date(2016, 4, 30)),
    ]
    assert spread.find_covered_ranges(COVERED, "Debate") == [(date(2016, 1, 1), date(2016, 12, 31))]
    assert spread.find_covered_ranges(COVERED, "Nobody") == []


@given(st.sets(st.integers(0, 60), min_size=1))
def test_stretches_hold_every_month_and_no_other(months):
    labels = [f"{2015 + m // 12}-{m % 12 + 1:02}" for m in months]
    found = spread.find_covered_ranges(pd.DataFrame({"actor": "a", "period": labels}), "a")
    held = {
        12 * (day.year - 2015) + day.month - 1 for start, end in found for day in pd.date_range(start, end, freq="MS")
    }
    assert held == months
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


def test_the_axis_is_of_the_dates_asked_for_else_of_what_is_covered():
    assert spread.compute_time_window(COVERED, Slice()) == (date(2016, 1, 1), date(2018, 7, 9))
    assert spread.compute_time_window(COVERED, Slice(date_from="2016-02", date_to="2017")) == (
        date(2016, 2, 1),
        date(2017, 12, 31),
    )


def drawn() -> dict[str, dict]:
    table = spread.compute_first_uses(USES, COVERED, 3)
    runs = {actor: spread.find_covered_ranges(COVERED, actor) for actor in table["actor"]}
    window = spread.compute_time_window(COVERED, Slice(date_to="2017"))
    figure = spread_charts.build_timeline_figure(table, USES, runs, window, "outlet", 3)
    kinds = ["ground", "days", "first", "kth", "coarse"]
    assert len(figure["data"]) == len(kinds)
    return {**dict(zip(kinds, figure["data"], strict=True)), "layout": figure["layout"]}


def test_the_timeline_tells_late_from_not_collected():
    figure = drawn()
    assert figure["layout"]["yaxis"]["ticktext"] == [
        *("RT · 5", "TASS · 3", "Late · 1", "(none named) · 2 undated", "Debate · 3")
    ]
    assert figure["first"]["x"] == ["2016-03-05", "2016-03-05", "2018-07-01"]
    assert figure["first"]["y"] == [0, 1, 2]
    assert figure["first"]["customdata"][2] == {"outlet": "Late", "narrative": "x", "period": "2018-07"}
    assert "nothing collected before the first use" in figure["first"]["hovertemplate"][2]
    assert "nothing collected" not in figure["first"]["hovertemplate"][0]
    assert figure["kth"]["x"] == ["2016-03-09"] and "4 days after the first" in figure["kth"]["hovertemplate"][0]
    assert figure["coarse"]["x"] == ["2016-07-01"] and "not known" in figure["coarse"]["hovertemplate"][0]
    assert len(figure["days"]["x"]) == 4  # the days of RT, TASS and Late
    assert figure["ground"]["x"][:2] == ["2016-01-01", "2016-02-29"]
    assert max(day for day in figure["ground"]["x"] if day) <= "2017-12-31"  # cut to the time shown


def test_running_totals_rise_to_all_that_is_dated():
    table = spread.compute_first_uses(USES, COVERED, 3)
    window = spread.compute_time_window(COVERED, Slice())
    figure = spread_charts.build_cumulative_figure(table[table["first"] != ""], USES, window, "outlet")
    assert [trace["y"][-1] for trace in figure["data"]] == [5, 2, 1]
    assert figure["data"][0]["y"] == [1, 5, 5]
    assert all(trace["x"][-1] == "2018-07-09" for trace in figure["data"])
    heights = [label["y"] for label in figure["layout"]["annotations"]]
    assert len({round(height, 3) for height in heights}) == 3


@pytest.mark.parametrize(("k", "said"), [(2, "2nd"), (3, "3rd"), (5, "5th"), (10, "10th"), (11, "11th"), (21, "21st")])
def test_ordinals(k, said):
    assert spread_charts.format_ordinal(k) == said
