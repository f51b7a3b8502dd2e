"""Charts of speakers: a frame in, a plain Plotly figure out. Pure.

Frames have the columns speaker, narrative_id, narrative, paragraphs, total_paragraphs, documents, share,
share_low, share_high and base_reason, as `speakers_data` makes them; shares are NaN below the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from narratives.show import words
from narratives.show.charts import MARKERS, Figure
from narratives.show.colours import FAINT, GREY, PALETTE, rgba
from narratives.show.marks import Trace, wrapped

# Classes of shares: none, then up to each of these, then more. They are the same whatever is filtered, so
# that a colour always means the same share.
EDGES = (0.01, 0.03, 0.10, 0.30)
CLASSES = ("0", "≤ 1", "≤ 3", "≤ 10", "≤ 30", "> 30 %")
# One hue from the page's own ground to full: in order for every kind of sight, and in grey. Plotly writes
# #444 on the bright and white on the dark ones: every step bears its numbers.
LIGHT = ("#f3f1ec", "#c9deea", "#8fbdd6", "#2f7aa8", "#1c5b82", "#0c2f47")
DARK = ("#1e2329", "#1f4157", "#28648a", "#3778a0", "#86bfdd", "#d8edf8")
_ROW, _SMALL = 34, 11
FEW = 8  # speakers, up to which a column is wide enough for two lines of a name, even on a phone
PAIR = (PALETTE[0], PALETTE[1])
_ASIDE = 0.16  # of a row: two speakers' intervals stand beside each other


def heatmap(frame: pd.DataFrame, dark: bool) -> Figure:
    """Narratives by speakers, both in the order of the frame: colour and number are the share in percent.

    A heatmap's cells cannot be chosen by a click, so an unseen mark stands in the middle of each.
    """
    speakers = list(dict.fromkeys(frame["speaker"]))
    names = dict(zip(frame["narrative_id"], frame["narrative"], strict=True))
    table = frame.pivot(index="narrative_id", columns="speaker", values="share")
    share = table.loc[list(names), speakers].to_numpy(np.float64)
    classes = np.where(share > 0, 1 + np.searchsorted(EDGES, share, side="left"), 0).astype(float)
    colours = DARK if dark else LIGHT
    steps = [(i / len(colours), c) for i, c in enumerate(colours)]
    ends = [((i + 1) / len(colours), c) for i, c in enumerate(colours)]
    cells: Trace = {
        "type": "heatmap",
        "z": classes.tolist(),
        "text": [[f"{one * 100:.1f}" if one > 0 else "0" for one in row] for row in share],
        "texttemplate": "%{text}",
        "hoverinfo": "skip",
        "zmin": -0.5,
        "zmax": len(colours) - 0.5,
        "colorscale": [list(step) for pair in zip(steps, ends, strict=True) for step in pair],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "orientation": "h",
            "thickness": 10,
            "len": 1,
            "x": 0.5,
            "y": 0,
            "yanchor": "top",
            "ypad": 8,
            "outlinewidth": 0,
            "tickvals": list(range(len(CLASSES))),
            "ticktext": list(CLASSES),
            "tickangle": 0,
            "tickfont": {"size": _SMALL},
        },
    }
    row_of = {key: i for i, key in enumerate(names)}
    column_of = {name: i for i, name in enumerate(speakers)}
    records = _records(frame)
    targets: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [column_of[record["speaker"]] for record in records],
        "y": [row_of[record["narrative_id"]] for record in records],
        "marker": {"symbol": "square", "size": 20, "opacity": 0},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "customdata": [_target(record) for record in records],
        "hovertemplate": [_hover(record) for record in records],
        "showlegend": False,
    }
    layout = _layout(_ROW * len(names) + 150, {"l": 8, "r": 8, "t": 8, "b": 44})
    layout["hoverdistance"] = -1  # the nearest mark counts wherever in its cell one points
    layout["xaxis"] = {
        **_labels([wrapped(name, *((14, 2) if len(speakers) <= FEW else (24, 1))) for name in speakers]),
        "side": "top",
        "autotickangles": [0, -90],
        "range": [-0.5, len(speakers) - 0.5],
    }
    layout["yaxis"] = {
        **_labels([wrapped(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.5],
    }
    return {"data": [cells, targets], "layout": layout}


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
    layout = _layout(_ROW * len(names) + 96, {"l": 8, "r": 12, "t": 40, "b": 40})
    layout["annotations"] = [
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
    layout["xaxis"] = {
        "range": [-0.025 * top, top],
        "tickformat": ".0%" if top > 0.04 else ".1%",
        "nticks": 6,
        "gridcolor": FAINT,
        "zeroline": True,
        "zerolinecolor": FAINT,
        "fixedrange": True,
        "tickfont": {"size": _SMALL},
    }
    layout["yaxis"] = {
        **_labels([wrapped(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.6],
        "showgrid": False,
    }
    return {"data": [*lines, *dots], "layout": layout}


def where_and_how(frame: pd.DataFrame, colour: str) -> Figure:
    """Bars of a speaker's paragraphs by voice and by outlet.

    `frame` has field ("voice" or "outlet"), value, label, paragraphs and share, voices first. An empty row
    parts the two.
    """
    at: list[int] = []
    for i, field in enumerate(frame["field"]):
        parted = i > 0 and field != frame["field"].iloc[i - 1]
        at.append((at[-1] + 1 + parted) if at else 0)
    records = _records(frame)
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": [int(record["paragraphs"]) for record in records],
        "y": at,
        "width": 0.62,
        "marker": {"color": rgba(colour, 0.75)},
        "customdata": [
            {"speaker": record["speaker"], record["field"]: record["value"]} for record in records
        ],
        "hovertemplate": [
            f"<b>{wrapped(record['label'], 40, 2)}</b>"
            f"<br>{words.count(int(record['paragraphs']), 'statement paragraph')}"
            f"<br>in {words.count(int(record['documents']), 'document')}<extra></extra>"
            for record in records
        ],
        "showlegend": False,
    }
    layout = _layout(26 * (at[-1] + 1) + 20, {"l": 8, "r": 92, "t": 6, "b": 6})
    layout["annotations"] = [
        {
            "text": f"{int(record['paragraphs']):,} · {words.percent(record['share'])}",
            "x": int(record["paragraphs"]),
            "y": place,
            "xanchor": "left",
            "xshift": 3,
            "showarrow": False,
            "font": {"size": _SMALL},
        }
        for record, place in zip(records, at, strict=True)
    ]
    layout["xaxis"] = {"visible": False, "fixedrange": True, "rangemode": "tozero"}
    layout["yaxis"] = {
        **_labels([wrapped(record["label"], 24, 1) for record in records]),
        "tickvals": at,
        "range": [at[-1] + 0.6, -0.6],
        "showgrid": False,
    }
    return {"data": [bars], "layout": layout}


def _top(shown: pd.DataFrame) -> float:
    """Where the scale ends: all of most intervals is inside, unless few documents make them very long."""
    if shown.empty:
        return 0.05
    return min(float(shown["share_high"].max()) * 1.04, max(3 * float(shown["share"].max()), 0.01))


def _dots(rows: pd.DataFrame, row_of: Mapping[str, int], place: int) -> Trace:
    records = _records(rows)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [record["share"] for record in records],
        "y": [row_of[record["narrative_id"]] + (2 * place - 1) * _ASIDE for record in records],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [record["share_high"] - record["share"] for record in records],
            "arrayminus": [record["share"] - record["share_low"] for record in records],
            "color": rgba(PAIR[place], 0.5),
            "thickness": 2,
            "width": 0,
        },
        "marker": {"color": PAIR[place], "symbol": list(MARKERS)[place], "size": 9},
        "customdata": [_target(record) for record in records],
        "hovertemplate": [_hover(record) for record in records],
        "showlegend": False,
    }


def _target(record: Mapping[str, Any]) -> dict[str, str]:
    return {"speaker": record["speaker"], "narrative": record["narrative_id"]}


def _hover(record: Mapping[str, Any]) -> str:
    hits, total = int(record["paragraphs"]), int(record["total_paragraphs"])
    share = record["share"]
    limits = (
        f"<br>95 % interval {record['share_low'] * 100:.1f}–{words.percent(record['share_high'])}"
        if share == share
        else f"<br>No share: {record['base_reason']}"
    )
    return (
        f"<b>{wrapped(record['speaker'], 40, 2)}</b><br>{wrapped(record['narrative'], 40, 2)}: "
        f"{words.percent(share)}{limits}"
        f"<br>{hits:,} of {words.count(total, 'statement paragraph')}"
        f"<br>in {words.count(int(record['documents']), 'document')}<extra></extra>"
    )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in record.items()} for record in frame.to_dict("records")]


def _labels(texts: Sequence[str]) -> dict[str, Any]:
    """An axis of names instead of numbers, with as much room as they need."""
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": list(texts),
        "tickfont": {"size": _SMALL},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "ticks": "",
    }


def _layout(height: int, margin: Mapping[str, int]) -> dict[str, Any]:
    return {
        "height": height,
        "margin": dict(margin),
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
