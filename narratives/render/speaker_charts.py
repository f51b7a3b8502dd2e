"""Charts of speakers: a frame in, a plain Plotly figure out. Pure.

Frames have the columns speaker, narrative_id, narrative, paragraphs, total_paragraphs, documents, share,
share_low, share_high and base_reason, as `speakers_data` makes them; shares are NaN below the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from narratives.model import dates
from narratives.render import phrases, traces
from narratives.render.colours import FAINT, GREY, PALETTE, format_rgba
from narratives.render.time_series import MARKERS, Figure
from narratives.render.traces import (
    AXIS_FONT_SIZE,
    MAX_LARGE_MARKS,
    Measure,
    Trace,
    build_layout,
    build_names_axis,
    to_records,
    wrap_text,
)

# Classes of shares: none, then up to each of these, then more. They are the same whatever is filtered, so
# that a colour always means the same share.
CLASS_EDGES = (0.01, 0.03, 0.10, 0.30)
CLASS_LABELS = ("0", "≤ 1", "≤ 3", "≤ 10", "≤ 30", "> 30 %")
# One hue from the page's own ground to full: in order for every kind of sight, and in grey. Plotly writes
# #444 on the bright and white on the dark ones: every step bears its numbers.
LIGHT_SCALE = ("#f3f1ec", "#c9deea", "#8fbdd6", "#2f7aa8", "#1c5b82", "#0c2f47")
DARK_SCALE = ("#1e2329", "#1f4157", "#28648a", "#3778a0", "#86bfdd", "#d8edf8")
ROW_HEIGHT = 34  # pixels
MAX_WIDE_COLUMNS = 8  # speakers, up to which a column is wide enough for two lines of a name, even on a phone


def build_speaker_heatmap(frame: pd.DataFrame, dark: bool) -> Figure:
    """Narratives by speakers, both in the order of the frame: colour and number are the share in percent.

    A heatmap's cells cannot be chosen by a click, so an unseen mark stands in the middle of each.
    """
    speakers = list(dict.fromkeys(frame["speaker"]))
    names = dict(zip(frame["narrative_id"], frame["narrative"], strict=True))
    table = frame.pivot(index="narrative_id", columns="speaker", values="share")
    share = table.loc[list(names), speakers].to_numpy(np.float64)
    classes = np.where(share > 0, 1 + np.searchsorted(CLASS_EDGES, share, side="left"), 0).astype(float)
    colours = DARK_SCALE if dark else LIGHT_SCALE
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
            "tickvals": list(range(len(CLASS_LABELS))),
            "ticktext": list(CLASS_LABELS),
            "tickangle": 0,
            "tickfont": {"size": AXIS_FONT_SIZE},
        },
    }
    row_of = {key: i for i, key in enumerate(names)}
    column_of = {name: i for i, name in enumerate(speakers)}
    rows = to_records(frame)
    targets: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [column_of[record["speaker"]] for record in rows],
        "y": [row_of[record["narrative_id"]] for record in rows],
        "marker": {"symbol": "square", "size": 20, "opacity": 0},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "customdata": [build_click_data(record) for record in rows],
        "hovertemplate": [format_share_hover(record) for record in rows],
        "showlegend": False,
    }
    drawn = build_layout(ROW_HEIGHT * len(names) + 150, {"l": 8, "r": 8, "t": 8, "b": 44})
    drawn["hoverdistance"] = -1  # the nearest mark counts wherever in its cell one points
    drawn["xaxis"] = {
        **build_names_axis(
            [wrap_text(name, *((14, 2) if len(speakers) <= MAX_WIDE_COLUMNS else (24, 1))) for name in speakers]
        ),
        "side": "top",
        "autotickangles": [0, -90],
        "range": [-0.5, len(speakers) - 0.5],
    }
    drawn["yaxis"] = {
        **build_names_axis([wrap_text(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.5],
    }
    return {"data": [cells, targets], "layout": drawn}


def build_breakdown_figure(frame: pd.DataFrame, colour: str) -> Figure:
    """Bars of a speaker's paragraphs by voice and by outlet.

    `frame` has field ("voice" or "outlet"), value, label, paragraphs and share, voices first. An empty row
    parts the two.
    """
    at: list[int] = []
    for i, field in enumerate(frame["field"]):
        parted = i > 0 and field != frame["field"].iloc[i - 1]
        at.append((at[-1] + 1 + parted) if at else 0)
    rows = to_records(frame)
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": [int(record["paragraphs"]) for record in rows],
        "y": at,
        "width": 0.62,
        "marker": {"color": format_rgba(colour, 0.75)},
        "customdata": [{"speaker": record["speaker"], record["field"]: record["value"]} for record in rows],
        "hovertemplate": [
            f"<b>{wrap_text(record['label'], 40, 2)}</b>"
            f"<br>{phrases.format_count(int(record['paragraphs']), 'statement paragraph')}"
            f"<br>in {phrases.format_count(int(record['documents']), 'document')}<extra></extra>"
            for record in rows
        ],
        "showlegend": False,
    }
    drawn = build_layout(26 * (at[-1] + 1) + 20, {"l": 8, "r": 92, "t": 6, "b": 6})
    drawn["annotations"] = [
        {
            "text": f"{int(record['paragraphs']):,} · {phrases.format_percent(record['share'])}",
            "x": int(record["paragraphs"]),
            "y": place,
            "xanchor": "left",
            "xshift": 3,
            "showarrow": False,
            "font": {"size": AXIS_FONT_SIZE},
        }
        for record, place in zip(rows, at, strict=True)
    ]
    drawn["xaxis"] = {"visible": False, "fixedrange": True, "rangemode": "tozero"}
    drawn["yaxis"] = {
        **build_names_axis([wrap_text(record["label"], 24, 1) for record in rows]),
        "tickvals": at,
        "range": [at[-1] + 0.6, -0.6],
        "showgrid": False,
    }
    return {"data": [bars], "layout": drawn}


def build_click_data(record: Mapping[str, Any]) -> dict[str, str]:
    """What a click on a speaker's narrative leads to."""
    return {"speaker": record["speaker"], "narrative": record["narrative_id"]}


def format_share_hover(record: Mapping[str, Any]) -> str:
    """A speaker's narrative in a few lines: share, interval, counts, or why there is no share."""
    hits, total = int(record["paragraphs"]), int(record["total_paragraphs"])
    share = record["share"]
    limits = (
        f"<br>95 % interval {record['share_low'] * 100:.1f}–{phrases.format_percent(record['share_high'])}"
        if share == share
        else f"<br>No share: {record['base_reason']}"
    )
    return (
        f"<b>{wrap_text(record['speaker'], 40, 2)}</b><br>{wrap_text(record['narrative'], 40, 2)}: "
        f"{phrases.format_percent(share)}{limits}"
        f"<br>{hits:,} of {phrases.format_count(total, 'statement paragraph')}"
        f"<br>in {phrases.format_count(int(record['documents']), 'document')}<extra></extra>"
    )


_LEFT_MARGIN, _CHART_HEIGHT = 36, 190


def compute_scale_top(frame: pd.DataFrame, measure: Measure) -> float:
    """The top of the common scale: every point is inside, and most intervals."""
    if measure == "count":
        return max(1.0, float(frame["paragraphs"].max())) * 1.15
    high, most = frame["share_high"].quantile(0.9), frame["share"].max()
    return min(1.0, 1.05 * max(float(high), float(most))) if most == most else 0.1


def build_period_figure(
    rows: pd.DataFrame,
    speaker: str,
    colour: str,
    labels: Sequence[str],
    measure: Measure,
    top: float,
    enough: bool,
) -> Figure:
    """One narrative of one speaker: a dot with its 95 % interval a period, or a bar where counts are asked.

    Periods too thin for a share have a hollow mark on the ground line; `labels` are all periods of the axis.
    `enough` says whether there is enough text for a share over all periods, which then stands above.
    """
    entries = to_records(rows)
    hits, total = (sum(int(record[name]) for record in entries) for name in ("paragraphs", "total_paragraphs"))
    drawn = (
        [_build_bars(entries, colour)]
        if measure == "count"
        else [*_build_suppressed_marks(entries), *_build_line(entries, colour, labels)]
    )
    for trace in drawn:
        trace["customdata"] = [{"speaker": speaker, **found} for found in trace["customdata"]]
    start, end = dates.get_period_bounds(labels[0])[0], dates.get_period_bounds(labels[-1])[1]
    years = sorted({label[:4] for label in labels})
    marks = years if len(years) > 1 else list(labels)
    marks = marks[:: -(-len(marks) // 6)]
    above = phrases.format_count(hits, "paragraph")
    if enough and total:
        above = f"{phrases.format_percent(hits / total)} · {above}"
    return {
        "data": drawn,
        "layout": {
            **traces.build_layout(_CHART_HEIGHT, {"l": _LEFT_MARGIN, "r": 10, "t": 58, "b": 22}),
            "xaxis": {
                "type": "date",
                "range": [start.isoformat(), end.isoformat()],
                "tickvals": [dates.get_period_middle(label).isoformat() for label in marks],
                "ticktext": [dates.describe_period(label) for label in marks],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
                "tickfont": {"size": 11},
            },
            "yaxis": {
                "range": [-0.03 * top, top],
                "tickformat": ",d" if measure == "count" else ".0%" if top > 0.04 else ".1%",
                "nticks": 4,
                "showticklabels": measure == "count" or bool(rows["share"].notna().any()),
                "dtick": 1 if measure == "count" and top < 5 else None,
                "gridcolor": FAINT,
                "zeroline": True,
                "zerolinecolor": FAINT,
                "fixedrange": True,
                "tickfont": {"size": 11},
            },
            "annotations": [
                {
                    "text": f"<b>{wrap_text(str(rows['narrative'].iloc[0]), 30, 2)}</b><br>{above}",
                    "font": {"size": 13},
                    "align": "left",
                    "showarrow": False,
                    **{"x": 0, "xref": "paper", "xanchor": "left", "xshift": -_LEFT_MARGIN},
                    **{"y": 1, "yref": "paper", "yanchor": "top", "yshift": 56},
                }
            ],
        },
    }


def describe_periods(rows: pd.DataFrame) -> str:
    """A chart in a sentence, for those who cannot see it."""
    name, shown = rows["narrative"].iloc[0], rows[rows["share"].notna()]
    hits, total = int(rows["paragraphs"].sum()), int(rows["total_paragraphs"].sum())
    found = f"{name}: {hits:,} of {phrases.format_count(total, 'statement paragraph')}"
    if shown.empty:
        return f"{found}; no period has enough text for a share."
    ranked = shown.sort_values(["share", "period"])
    low, high = ranked.iloc[0], ranked.iloc[-1]
    return (
        f"{found}; {phrases.format_percent(low['share'])} in {dates.describe_period(low['period'])} at the lowest, "
        f"{phrases.format_percent(high['share'])} in {dates.describe_period(high['period'])} at the highest."
    )


def _build_line(records: Sequence[Mapping[str, Any]], colour: str, labels: Sequence[str]) -> list[Trace]:
    """Dots with intervals; a thin line joins neighbours, and breaks where a period has no share."""
    found = {record["period"]: record for record in records if record["share"] == record["share"]}
    shown = [found.get(label) for label in labels]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [dates.get_period_middle(label).isoformat() for label in labels],
            "y": [one["share"] if one else None for one in shown],
            "connectgaps": False,
            "line": {"color": format_rgba(colour, 0.55), "width": 1.5},
            "marker": {"color": colour, "size": 7 if len(labels) <= MAX_LARGE_MARKS else 5},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [one["share_high"] - one["share"] if one else None for one in shown],
                "arrayminus": [one["share"] - one["share_low"] if one else None for one in shown],
                "color": format_rgba(colour, 0.4),
                "thickness": 3 if len(labels) <= MAX_LARGE_MARKS else 2,
                "width": 0,
            },
            "customdata": [
                {"narrative": one["narrative_id"], "period": label} if one else {}
                for one, label in zip(shown, labels, strict=True)
            ],
            "hovertemplate": [_format_period_hover(one) if one else "" for one in shown],
            "showlegend": False,
        }
    ]


def _build_suppressed_marks(records: Sequence[Mapping[str, Any]]) -> list[Trace]:
    """Hollow marks for the periods that have text, but too little for a share."""
    thin = [record for record in records if record["share"] != record["share"]]
    if not thin:
        return []
    few = len(records) <= MAX_LARGE_MARKS
    return [
        {
            "type": "scatter",
            "mode": "markers+text" if few else "markers",
            "x": [dates.get_period_middle(record["period"]).isoformat() for record in thin],
            "y": [0] * len(thin),
            "text": [f"{int(record['paragraphs']):,}" for record in thin],
            "textposition": "top center",
            "textfont": {"size": 11},
            "cliponaxis": False,
            "marker": {"color": GREY, "symbol": "circle-open", "size": 6},
            "customdata": [{"narrative": record["narrative_id"], "period": record["period"]} for record in thin],
            "hovertemplate": [_format_period_hover(record) for record in thin],
            "showlegend": False,
        }
    ]


def _build_bars(records: Sequence[Mapping[str, Any]], colour: str) -> Trace:
    days = [dates.get_period_bounds(record["period"]) for record in records]
    return {
        "type": "bar",
        "x": [dates.get_period_middle(record["period"]).isoformat() for record in records],
        "y": [int(record["paragraphs"]) for record in records],
        "width": [0.72 * 86_400_000 * ((end - start).days + 1) for start, end in days],
        "marker": {"color": format_rgba(colour, 0.75)},
        "customdata": [{"narrative": record["narrative_id"], "period": record["period"]} for record in records],
        "hovertemplate": [_format_period_hover(record) for record in records],
        "showlegend": False,
    }


def _format_period_hover(record: Mapping[str, Any]) -> str:
    hits, total = int(record["paragraphs"]), int(record["total_paragraphs"])
    said = (
        f": {phrases.format_percent(record['share'])}"
        f"<br>95 % interval {record['share_low'] * 100:.1f}–{phrases.format_percent(record['share_high'])}"
        if record["share"] == record["share"]
        else f"<br>No share: {record['base_reason']}"
    )
    return (
        f"<b>{wrap_text(str(record['narrative']), 40, 2)}</b><br>{dates.describe_period(record['period'])}{said}"
        f"<br>{hits:,} of {phrases.format_count(total, 'statement paragraph')}"
        f"<br>in {phrases.format_count(int(record['documents']), 'document')}<extra></extra>"
    )


PAIR_COLOURS = (PALETTE[0], PALETTE[1])
_PAIR_OFFSET = 0.16  # of a row: two speakers' intervals stand beside each other


def build_dumbbell_figure(frame: pd.DataFrame, pair: Sequence[str]) -> Figure:
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
            y += [row_of[key] - _PAIR_OFFSET, row_of[key] + _PAIR_OFFSET, None]
        line = {"color": format_rgba(GREY, 0.5), "width": 1.5}
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
    dots = [_build_dots(shown[shown["speaker"] == speaker], row_of, place) for place, speaker in enumerate(pair)]
    top = _compute_dumbbell_top(shown)
    signs = list(MARKERS.values())
    legend = "     ".join(
        f"<span style='color:{PAIR_COLOURS[i]}'>{signs[i]}</span> <b>{wrap_text(name, 30, 1)}</b>"
        for i, name in enumerate(pair)
    )
    drawn = build_layout(ROW_HEIGHT * len(names) + 96, {"l": 8, "r": 12, "t": 40, "b": 40})
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
        "tickfont": {"size": AXIS_FONT_SIZE},
    }
    drawn["yaxis"] = {
        **build_names_axis([wrap_text(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.6],
        "showgrid": False,
    }
    return {"data": [*lines, *dots], "layout": drawn}


def _compute_dumbbell_top(shown: pd.DataFrame) -> float:
    """Where the scale ends: all of most intervals is inside, unless few documents make them very long."""
    if shown.empty:
        return 0.05
    return min(float(shown["share_high"].max()) * 1.04, max(3 * float(shown["share"].max()), 0.01))


def _build_dots(rows: pd.DataFrame, row_of: Mapping[str, int], place: int) -> Trace:
    found = to_records(rows)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [record["share"] for record in found],
        "y": [row_of[record["narrative_id"]] + (2 * place - 1) * _PAIR_OFFSET for record in found],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [record["share_high"] - record["share"] for record in found],
            "arrayminus": [record["share"] - record["share_low"] for record in found],
            "color": format_rgba(PAIR_COLOURS[place], 0.5),
            "thickness": 2,
            "width": 0,
        },
        "marker": {"color": PAIR_COLOURS[place], "symbol": list(MARKERS)[place], "size": 9},
        "customdata": [build_click_data(record) for record in found],
        "hovertemplate": [format_share_hover(record) for record in found],
        "showlegend": False,
    }
