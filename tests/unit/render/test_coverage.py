"""Coverage as a chart and in words: gaps, periods, and what the figure holds."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from narratives.model import dates
from narratives.render import coverage
from narratives.render.colours import BACKGROUNDS, PALETTE, compute_contrast
from narratives.render.coverage import MAX_OUTLETS, build_coverage_heatmap


def frame(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["outlet", "period", "documents", "statements"])


SHOWN = frame(
    ("MFA", "2017-02", 4, 40), ("MFA", "2017-07", 1, 0), ("MFA", "2017-09", 1, 9),
    ("RT", "2017-05", 1, 5), ("", "2017-04", 1, 2), ("", "2017-05", 1, 2),
)  # fmt: skip


def test_gaps_lie_between_an_outlet_s_own_first_and_last():
    missing = coverage.find_gaps(SHOWN)
    assert [gap.in_words for gap in missing] == [
        "No document of MFA from Mar 2017 to Jun 2017 (4 months).",
        "No document of MFA in Aug 2017 (1 month).",
    ]
    assert coverage.find_gaps(frame(("RT", "2017", 1, 1), ("RT", "2018", 1, 1))) == []
    [yearly] = coverage.find_gaps(frame(("RT", "2016", 1, 1), ("RT", "2018", 1, 1)))
    assert yearly.in_words == "No document of RT in 2017 (1 year)."


def test_the_gaps_told_first_are_those_of_large_outlets():
    small = frame(("Tiny", "2010-01", 1, 1), ("Tiny", "2017-12", 1, 1))
    both = pd.concat([SHOWN, small])
    missing = coverage.find_gaps(both)
    assert missing[0].outlet == "Tiny"
    assert [(gap.outlet, gap.periods) for gap in coverage.select_gaps(both, missing)] == [("MFA", 4), ("Tiny", 94)]
    assert coverage.select_gaps(SHOWN, []) == []


def test_every_period_has_a_document_or_lies_in_a_gap():
    for outlet, own in SHOWN.groupby("outlet"):
        all_of_them = dates.list_period_labels(own["period"].min(), own["period"].max())
        assert len(all_of_them) == len(own) + sum(g.periods for g in coverage.find_gaps(SHOWN) if g.outlet == outlet)


def test_outlets_in_a_table_and_in_words():
    table = coverage.build_outlet_table(SHOWN, coverage.find_gaps(SHOWN))
    assert table.iloc[0].tolist() == ["MFA", 6, 49, "Feb 2017", "Sep 2017", "4 months, from Mar 2017 to Jun 2017"]
    assert table["outlet"].tolist()[1:] == ["(none named)", "RT"]
    said = coverage.describe_coverage(SHOWN, coverage.find_gaps(SHOWN))
    assert said.startswith("9 documents of 3 outlets from Feb 2017 to Sep 2017.")
    assert "MFA: 6 documents, most (4) in Feb 2017." in said
    assert said.endswith("No document of MFA from Mar 2017 to Jun 2017 (4 months).")


@pytest.mark.parametrize(
    ("years", "day", "year", "expected"),
    [
        (["2016", "2020"], 95, 5, "month"),
        (["2010", "2020"], 95, 5, "quarter"),
        (["1990", "2020"], 95, 5, "year"),
        (["2016", "2020"], 60, 40, "year"),
        ([], 0, 0, "year"),
    ],
)
def test_periods_are_as_short_as_can_be_read(years, day, year, expected):
    dated = pd.DataFrame({"date_precision": ["day", "year", "none"], "documents": [day, year, 50]})
    assert coverage.choose_period_length(years, dated) == expected


def test_the_figure_holds_the_counts_and_the_gaps():
    missing = coverage.find_gaps(SHOWN)
    figure = build_coverage_heatmap(SHOWN, "documents", missing)
    cells, targets, dashes = figure["data"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["MFA", "(none named)", "RT"]
    drawn = sum(round(value**2) for row in cells["z"] for value in row if value)
    assert drawn == SHOWN["documents"].sum()
    assert len(dashes["x"]) == 5 and all(
        cells["z"][y][x] is None for x, y in zip(dashes["x"], dashes["y"], strict=True)
    )
    assert "Feb 2017: 4 documents, 40 statement paragraphs" in targets["text"][0]
    assert targets["text"][1].startswith("No document of MFA from Mar 2017") and not targets["customdata"][1]
    assert targets["customdata"][0] == {"outlet": "MFA", "period": "2017-02"}
    json.dumps(figure, allow_nan=False)


def test_statements_are_drawn_where_there_are_any():
    cells, targets, _ = build_coverage_heatmap(SHOWN, "statements", [])["data"]
    assert cells["z"][0][5] is None  # a document without a statement paragraph
    assert "Jul 2017: 1 document, 0 statement paragraphs" in targets["text"][5]


def test_hostile_and_many_outlets_are_drawn_harmless_and_few():
    rows = [(f"<b onload=x>{n}" if n else "<script>", "2017", 40 - n, 1) for n in range(40)]
    figure = build_coverage_heatmap(frame(*rows), "documents", [])
    names = figure["layout"]["yaxis"]["ticktext"]
    assert len(names) == MAX_OUTLETS and not any("<script" in name or "<b onload" in name for name in names)


def test_the_colour_stands_out_on_both_pages():
    assert all(compute_contrast(PALETTE[0], ground) >= 3 for ground in BACKGROUNDS)
    faint, strongest = build_coverage_heatmap(SHOWN, "documents", [])["data"][0]["colorscale"]
    assert faint[1].endswith(",0.28)") and strongest[1].endswith(",1)")
    rows = build_coverage_heatmap(SHOWN, "documents", [])["layout"]
    assert rows["paper_bgcolor"] == rows["plot_bgcolor"] == "rgba(0,0,0,0)"
