"""Charts of speakers: a frame in, a plain Plotly figure out. Pure.

Frames have the columns speaker, narrative_id, narrative, paragraphs, total_paragraphs, documents, share,
share_low, share_high and base_reason. Shares are NaN where there is too little text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from narratives.model import dates
from narratives.render import phrases
from narratives.render.colours import GREY, PALETTE, format_rgba
from narratives.render.time_series import MARKERS
from narratives.render.traces import (
    AXIS_FONT_SIZE,
    MARKS,
    MAX_LARGE_MARKS,
    SILENT_LINES,
    TICK_FONT,
    Figure,
    Measure,
    Trace,
    build_click_targets,
    build_error_bars,
    build_heading,
    build_layout,
    build_names_axis,
    build_period_axis,
    build_value_axis,
    drop_empty,
    to_records,
    wrap_text,
)

# Classes of shares: zero, then up to each of these, then more. They never depend on the filters, so that a
# colour always means the same share.
CLASS_EDGES = (0.01, 0.03, 0.10, 0.30)
CLASS_LABELS = ("0", "≤ 1", "≤ 3", "≤ 10", "≤ 30", "> 30 %")
# One hue from the page's background to full. The order is clear in any colour vision and in greyscale. Plotly
# writes numbers in #444 on light and in white on dark steps: they are legible on every step.
LIGHT_SCALE = ("#f3f1ec", "#c9deea", "#8fbdd6", "#2f7aa8", "#1c5b82", "#0c2f47")
DARK_SCALE = ("#1e2329", "#1f4157", "#28648a", "#3778a0", "#86bfdd", "#d8edf8")
ROW_HEIGHT = 34  # pixels
MAX_WIDE_COLUMNS = 8  # speakers; with more, a column on a phone is too narrow for a name on two lines


def build_speaker_heatmap(frame: pd.DataFrame, dark: bool) -> Figure:
    """Draw narratives by speakers, in the order of the frame; colour and number are the share in percent."""
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
            "tickfont": TICK_FONT,
        },
    }
    row_of = {key: i for i, key in enumerate(names)}
    column_of = {name: i for i, name in enumerate(speakers)}
    rows = to_records(frame)
    places = [(column_of[record["speaker"]], row_of[record["narrative_id"]]) for record in rows]
    targets = build_click_targets(places, {"size": 20}) | {
        "customdata": [build_click_data(record) for record in rows],
        "hovertemplate": [format_share_hover(record) for record in rows],
    }
    layout = build_layout(ROW_HEIGHT * len(names) + 150, {"l": 8, "r": 8, "t": 8, "b": 44})
    layout["hoverdistance"] = -1  # the nearest mark, from anywhere in its cell
    layout["xaxis"] = {
        **build_names_axis(
            [wrap_text(name, *((14, 2) if len(speakers) <= MAX_WIDE_COLUMNS else (24, 1))) for name in speakers]
        ),
        "side": "top",
        "autotickangles": [0, -90],
        "range": [-0.5, len(speakers) - 0.5],
    }
    layout["yaxis"] = {
        **build_names_axis([wrap_text(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.5],
    }
    return {"data": [cells, targets], "layout": layout}


def build_breakdown_figure(frame: pd.DataFrame, colour: str) -> Figure:
    """Draw bars of a speaker's paragraphs by voice and by outlet.

    `frame` has field ("voice" or "outlet"), value, label, paragraphs and share, voices first. An empty row
    separates the two.
    """
    at: list[int] = []
    for i, field in enumerate(frame["field"]):
        separated = i > 0 and field != frame["field"].iloc[i - 1]
        at.append((at[-1] + 1 + separated) if at else 0)
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
    }
    layout = build_layout(26 * (at[-1] + 1) + 20, {"l": 8, "r": 92, "t": 6, "b": 6})
    layout["annotations"] = [
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
    layout["xaxis"] = {"visible": False, "fixedrange": True, "rangemode": "tozero"}
    layout["yaxis"] = {
        **build_names_axis([wrap_text(record["label"], 24, 1) for record in rows]),
        "tickvals": at,
        "range": [at[-1] + 0.6, -0.6],
        "showgrid": False,
    }
    return {"data": [bars], "layout": layout}


def build_click_data(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the filters that a click on a speaker's narrative sets."""
    return {"speaker": record["speaker"], "narrative": record["narrative_id"]}


def format_share_hover(record: Mapping[str, Any]) -> str:
    """Describe a speaker's narrative in a few lines: share, interval and counts, or why there is no share."""
    return _format_hover(record["speaker"], wrap_text(record["narrative"], 40, 2), record)


def format_period_hover(record: Mapping[str, Any]) -> str:
    """Describe a narrative's period in a few lines, as `format_share_hover` does."""
    return _format_hover(str(record["narrative"]), dates.describe_period(record["period"]), record)


def _format_hover(title: str, subject: str, record: Mapping[str, Any]) -> str:
    share = f"no share<br>{record['base_reason']}"
    if not math.isnan(record["share"]):
        share = f"{phrases.format_percent(record['share'])}<br>{phrases.format_interval(record)}"
    return (
        f"<b>{wrap_text(title, 40, 2)}</b><br>{subject}: {share}<br>{int(record['paragraphs']):,} of "
        f"{phrases.format_count(int(record['total_paragraphs']), 'statement paragraph')}"
        f"<br>in {phrases.format_count(int(record['documents']), 'document')}<extra></extra>"
    )


_LEFT_MARGIN, _CHART_HEIGHT = 36, 190


def compute_scale_top(frame: pd.DataFrame, measure: Measure) -> float:
    """Compute the top of the common scale, which holds every point and most intervals."""
    if measure == "count":
        return max(1.0, float(frame["paragraphs"].max())) * 1.15
    high, most = float(frame["share_high"].quantile(0.9)), float(frame["share"].max())
    return 0.1 if math.isnan(most) else min(1.0, 1.05 * max(high, most))


def build_period_figure(
    rows: pd.DataFrame, speaker: str, colour: str, labels: Sequence[str], measure: Measure, top: float, enough: bool
) -> Figure:
    """Draw one narrative of one speaker: for each period a dot with its 95 % interval, or a bar of counts.

    Periods with too little text for a share have a hollow mark at zero. `labels` are all periods of the axis.
    `enough` says whether there is enough text for a share over all periods, which the heading then shows.
    """
    entries = to_records(rows)
    hits, total = (sum(int(record[name]) for record in entries) for name in ("paragraphs", "total_paragraphs"))
    drawn = (
        [_build_bars(entries, colour)]
        if measure == "count"
        else drop_empty([_build_suppressed_marks(entries), _build_line(entries, colour, labels)])
    )
    for trace in drawn:
        trace["customdata"] = [{"speaker": speaker, **target} for target in trace["customdata"]]
    above = phrases.format_count(hits, "paragraph")
    if enough and total:
        above = f"{phrases.format_percent(hits / total)} · {above}"
    return {
        "data": drawn,
        "layout": {
            **build_layout(_CHART_HEIGHT, {"l": _LEFT_MARGIN, "r": 10, "t": 58, "b": 22}),
            "xaxis": build_period_axis(labels),
            "yaxis": {
                **build_value_axis(-0.03 * top, top, measure, 4),
                "showticklabels": measure == "count" or bool(rows["share"].notna().any()),
            },
            "annotations": [build_heading(str(rows["narrative"].iloc[0]), above, _LEFT_MARGIN, 56)],
        },
    }


def describe_periods(rows: pd.DataFrame) -> str:
    """Describe a chart in a sentence, for readers who cannot see it."""
    name, shown = rows["narrative"].iloc[0], rows[rows["share"].notna()]
    hits, total = int(rows["paragraphs"].sum()), int(rows["total_paragraphs"].sum())
    counts = f"{name}: {hits:,} of {phrases.format_count(total, 'statement paragraph')}"
    if shown.empty:
        return f"{counts}; no period has enough text for a share."
    ranked = shown.sort_values(["share", "period"])
    low, high = ranked.iloc[0], ranked.iloc[-1]
    return (
        f"{counts}; {phrases.format_percent(low['share'])} in {dates.describe_period(low['period'])} at the lowest, "
        f"{phrases.format_percent(high['share'])} in {dates.describe_period(high['period'])} at the highest."
    )


def _build_line(records: Sequence[Mapping[str, Any]], colour: str, labels: Sequence[str]) -> Trace:
    """Draw dots with intervals; a thin line joins neighbours and breaks where a period has no share."""
    by_period = {record["period"]: record for record in records if not math.isnan(record["share"])}
    shown = [by_period.get(label) for label in labels]
    large = len(labels) <= MAX_LARGE_MARKS
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [dates.get_period_middle(label).isoformat() for label in labels],
        "y": [one["share"] if one else None for one in shown],
        "connectgaps": False,
        "line": {"color": format_rgba(colour, 0.55), "width": 1.5},
        "marker": {"color": colour, "size": 7 if large else 5},
        "error_y": build_error_bars(shown, "share", format_rgba(colour, 0.4), 3 if large else 2),
        "customdata": [_build_period_filters(one) if one else {} for one in shown],
        "hovertemplate": [format_period_hover(one) if one else "" for one in shown],
    }


def _build_suppressed_marks(records: Sequence[Mapping[str, Any]]) -> Trace:
    """Draw hollow marks for the periods that have text, but too little for a share."""
    suppressed = [record for record in records if math.isnan(record["share"])]
    return {
        "type": "scatter",
        "mode": "markers+text" if len(records) <= MAX_LARGE_MARKS else "markers",
        "x": [dates.get_period_middle(record["period"]).isoformat() for record in suppressed],
        "y": [0] * len(suppressed),
        "text": [f"{int(record['paragraphs']):,}" for record in suppressed],
        "textposition": "top center",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "marker": {"color": GREY, "symbol": "circle-open", "size": 6},
        "customdata": [_build_period_filters(record) for record in suppressed],
        "hovertemplate": [format_period_hover(record) for record in suppressed],
    }


def _build_period_filters(record: Mapping[str, Any]) -> dict[str, str]:
    return {"narrative": record["narrative_id"], "period": record["period"]}


def _build_bars(records: Sequence[Mapping[str, Any]], colour: str) -> Trace:
    days = [dates.get_period_bounds(record["period"]) for record in records]
    return {
        "type": "bar",
        "x": [dates.get_period_middle(record["period"]).isoformat() for record in records],
        "y": [int(record["paragraphs"]) for record in records],
        "width": [0.72 * 86_400_000 * ((end - start).days + 1) for start, end in days],
        "marker": {"color": format_rgba(colour, 0.75)},
        "customdata": [_build_period_filters(record) for record in records],
        "hovertemplate": [format_period_hover(record) for record in records],
    }


PAIR_COLOURS = (PALETTE[0], PALETTE[1])
_PAIR_OFFSET = 0.16  # of a row, so that two speakers' intervals are side by side


def build_dumbbell_figure(frame: pd.DataFrame, pair: Sequence[str]) -> Figure:
    """Draw the shares of two speakers for each narrative, in the order of the frame, with 95 % intervals."""
    names = dict(zip(frame["narrative_id"], frame["narrative"], strict=True))
    row_of = {key: i for i, key in enumerate(names)}
    shown = frame[frame["share"].notna()]
    by = shown.pivot(index="narrative_id", columns="speaker", values="share").reindex(list(names))
    x: list[float | None] = []
    y: list[float | None] = []
    if set(pair) <= set(by.columns):
        for key, (left, right) in zip(by.index, by[list(pair)].to_numpy(), strict=True):
            x += [float(left), float(right), None]
            y += [row_of[key] - _PAIR_OFFSET, row_of[key] + _PAIR_OFFSET, None]
    lines = {**SILENT_LINES, "x": x, "y": y, "line": {"color": format_rgba(GREY, 0.5), "width": 1.5}}
    dots = [_build_dots(shown[shown["speaker"] == speaker], row_of, place) for place, speaker in enumerate(pair)]
    top = _compute_dumbbell_top(shown)
    signs = list(MARKERS.values())
    legend = "     ".join(
        f"<span style='color:{PAIR_COLOURS[i]}'>{signs[i]}</span> <b>{wrap_text(name, 30, 1)}</b>"
        for i, name in enumerate(pair)
    )
    layout = build_layout(ROW_HEIGHT * len(names) + 96, {"l": 8, "r": 12, "t": 40, "b": 40})
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
    layout["xaxis"] = build_value_axis(-0.025 * top, top, "share")
    layout["yaxis"] = {
        **build_names_axis([wrap_text(name, 19, 2) for name in names.values()]),
        "range": [len(names) - 0.5, -0.6],
        "showgrid": False,
    }
    return {"data": [*drop_empty([lines]), *dots], "layout": layout}


def _compute_dumbbell_top(shown: pd.DataFrame) -> float:
    """Compute the end of the scale: most intervals fit, unless few documents make them very long."""
    if shown.empty:
        return 0.05
    return min(float(shown["share_high"].max()) * 1.04, max(3 * float(shown["share"].max()), 0.01))


def _build_dots(rows: pd.DataFrame, row_of: Mapping[str, int], place: int) -> Trace:
    records = to_records(rows)
    return {
        **MARKS,
        "x": [record["share"] for record in records],
        "y": [row_of[record["narrative_id"]] + (2 * place - 1) * _PAIR_OFFSET for record in records],
        "error_x": build_error_bars(records, "share", format_rgba(PAIR_COLOURS[place], 0.5), 2),
        "marker": {"color": PAIR_COLOURS[place], "symbol": list(MARKERS)[place], "size": 9},
        "customdata": [build_click_data(record) for record in records],
        "hovertemplate": [format_share_hover(record) for record in records],
    }
