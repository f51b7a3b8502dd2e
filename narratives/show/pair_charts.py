"""Two speakers side by side: dots, intervals and what lies between. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from narratives.show.axes import SMALL, layout, names_axis
from narratives.show.charts import MARKERS, Figure
from narratives.show.colours import FAINT, GREY, PALETTE, rgba
from narratives.show.marks import Trace, records, wrapped
from narratives.show.speakers_charts import ROW, hover, target

PAIR = (PALETTE[0], PALETTE[1])
_ASIDE = 0.16  # of a row: two speakers' intervals stand beside each other


def dumbbell(frame: pd.DataFrame, pair: Sequence[str]) -> Figure:
    """Shares of two speakers a narrative, in the order of the frame, each with its 95 % interval."""
    names = dict(zip(frame["narrative_id"], frame["narrative"], strict=True))
    row_of = {key: i for i, key in enumerate(names)}
    shown = frame[frame["share"].notna()]
    by = shown.pivot(index="narrative_id", columns="speaker", values="share").reindex(list(names))
    lines: list[Trace] = []
    if set(pair) <= set(by.columns):
        x: list[float | None] = []
        y: list[float | None] = []
        for key, (left, right) in zip(by.index, by[list(pair)].to_numpy(), strict=True):
            x += [float(left), float(right), None]
            y += [row_of[key] - _ASIDE, row_of[key] + _ASIDE, None]
        line = {"color": rgba(GREY, 0.5), "width": 1.5}
        lines = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "line": line,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        ]
    dots = [_dots(shown[shown["speaker"] == speaker], row_of, place) for place, speaker in enumerate(pair)]
    top = _top(shown)
    signs = list(MARKERS.values())
    legend = "     ".join(
        f"<span style='color:{PAIR[i]}'>{signs[i]}</span> <b>{wrapped(name, 30, 1)}</b>"
        for i, name in enumerate(pair)
    )
    drawn = layout(ROW * len(names) + 96, {"l": 8, "r": 12, "t": 40, "b": 40})
    drawn["annotations"] = [
        {
            "text": legend,
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "yshift": 10,
            "align": "left",
            "showarrow": False,
            "font": {"size": 13},
        }
    ]
    drawn["xaxis"] = {
        "range": [-0.025 * top, top],
        "tickformat": ".0%" if top > 0.04 else ".1%",
        "nticks": 6,
        "gridcolor": FAINT,
        "zeroline": True,
        "zerolinecolor": FAINT,
        "fixedrange": True,
        "tickfont": {"size": SMALL},
    }
    drawn["yaxis"] = {
        **names_axis([wrapped(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.6],
        "showgrid": False,
    }
    return {"data": [*lines, *dots], "layout": drawn}


def _top(shown: pd.DataFrame) -> float:
    """Where the scale ends: all of most intervals is inside, unless few documents make them very long."""
    if shown.empty:
        return 0.05
    return min(float(shown["share_high"].max()) * 1.04, max(3 * float(shown["share"].max()), 0.01))


def _dots(rows: pd.DataFrame, row_of: Mapping[str, int], place: int) -> Trace:
    found = records(rows)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [record["share"] for record in found],
        "y": [row_of[record["narrative_id"]] + (2 * place - 1) * _ASIDE for record in found],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [record["share_high"] - record["share"] for record in found],
            "arrayminus": [record["share"] - record["share_low"] for record in found],
            "color": rgba(PAIR[place], 0.5),
            "thickness": 2,
            "width": 0,
        },
        "marker": {"color": PAIR[place], "symbol": list(MARKERS)[place], "size": 9},
        "customdata": [target(record) for record in found],
        "hovertemplate": [hover(record) for record in found],
        "showlegend": False,
    }
