"""Charts: a frame of prevalence in, a plain Plotly figure out. Pure; no colours of a theme.

Every frame has the columns period, narrative_id, narrative, paragraphs, total_paragraphs, share, share_low
and share_high, one row a period and narrative, and only periods that have text. Periods between the first
and the last that have none stay empty in the chart: a gap, not a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from narratives.model import QualityMetrics, Unit, dates
from narratives.render import phrases
from narratives.render.colours import FAINT, GREY
from narratives.render.traces import (
    AxisSpec,
    Measure,
    Trace,
    build_change_marks,
    build_event_marks,
    line_with_band,
    line_with_error_bars,
    wrap_text,
)

Figure = dict[str, Any]
UNCOVERED_LABEL = "In no narrative"
MARKERS = {
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "triangle-up": "▲",
    "cross": "✚",
    "triangle-down": "▼",
}
_SERIES_OFFSET = 0.08  # of a period: neighbours stand this far apart, so that no interval hides another
_LABEL_HEIGHT = 0.046  # of the plot's height, with a little air
MIN_SCALE_TOP = 0.001  # of a scale of shares
_LEFT_MARGIN = 42  # room for the marks of the vertical axis, in pixels
SCALE_TOP_QUANTILE, SCALE_HEADROOM = 0.75, 1.25
# Said outright, since what Streamlit or Plotly would add later makes them draw every chart once more; margins
# are ours, so that Plotly need not lay a chart out twice to find them.
INTERACTION_MODES = {"hovermode": "closest", "dragmode": "pan", "clickmode": "event+select"}
_FIXED_AXIS = {"fixedrange": True, "automargin": False, "tickangle": 0}
PLOTLY_CONFIG = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False, "doubleClick": False}


def compute_axis_spec(frame: pd.DataFrame, measure: Measure, unit: Unit = "paragraph") -> AxisSpec:
    """The common axes of a frame, whose counts are of `unit`.

    Every share is inside, with air above it, and three in four of the intervals: a few periods with hardly
    any text, or with all of it in one long document, would else flatten all lines. Where that cuts
    intervals, `cut` says so. The scale never shrinks to nothing.
    """
    labels = tuple(dates.list_period_labels(min(frame["period"]), max(frame["period"]))) if len(frame) else ()
    if measure == "share":
        highs = frame["share_high"].dropna()
        wanted = [
            frame["share"].max() * SCALE_HEADROOM,
            highs.quantile(SCALE_TOP_QUANTILE) if len(highs) else 0.0,
        ]
        top = min(1.0, max(MIN_SCALE_TOP, *np.nan_to_num(wanted).tolist()) * 1.02)
        return AxisSpec(labels, measure, top, phrases.UNIT_NOUNS[unit], bool((highs > top).any()))
    return AxisSpec(labels, measure, max(1.0, float(frame["paragraphs"].max())) * 1.12, phrases.UNIT_NOUNS[unit])


def build_small_figure(
    rows: pd.DataFrame,
    colour: str,
    view: AxisSpec,
    measured: QualityMetrics | None = None,
    changes: pd.DataFrame | None = None,
) -> Figure:
    """One narrative's small chart: its name and overall figure above, the line and its 95 % band below.

    Where its matching was `measured`, the figure is followed by its F1. `changes` are its change points.
    """
    name = str(rows["narrative"].iloc[0])
    hits, total = int(rows["paragraphs"].sum()), int(rows["total_paragraphs"].sum())
    share = phrases.format_percent(hits / total if total else float("nan"))
    headline = f"{share} · {phrases.format_count(hits, view.noun.split()[-1])}"
    if measured and measured.f1 == measured.f1:
        headline += f" · F1 {measured.f1:.2f}"
    marks = build_change_marks(changes, view) if changes is not None else []
    figure = _build_figure([*line_with_band(rows, colour, view), *marks], view, height=200)
    figure["layout"]["margin"] = {"autoexpand": False, "l": _LEFT_MARGIN, "r": 10, "t": 60, "b": 32}
    figure["layout"]["annotations"] = [
        {
            "text": f"<b>{wrap_text(name, 30, 2)}</b><br>{headline}",
            "font": {"size": 13},
            "align": "left",
            "showarrow": False,
            **{"x": 0, "xref": "paper", "xanchor": "left", "xshift": -_LEFT_MARGIN},
            **{"y": 1, "yref": "paper", "yanchor": "top", "yshift": 58},
        }
    ]
    return figure


def build_comparison_figure(
    frame: pd.DataFrame, colours: Mapping[str, str], view: AxisSpec, events: Sequence[tuple[date, str]] = ()
) -> Figure:
    """Up to six narratives on one pair of axes, each labelled at its end; events are named on hover.

    `colours` gives the narratives (ids), in the order in which they are drawn, and their colours.
    """
    drawn: list[Trace] = []
    ends: list[tuple[float, str]] = []
    for position, (narrative_id, colour) in enumerate(colours.items()):
        rows = frame[frame["narrative_id"] == narrative_id].sort_values("period")
        symbol, sign = list(MARKERS.items())[position % len(MARKERS)]
        aside = (position - (len(colours) - 1) / 2) * _SERIES_OFFSET
        drawn.append(line_with_error_bars(rows, colour, view, symbol, aside))
        label = f"<span style='color:{colour}'>{sign}</span> {wrap_text(str(rows['narrative'].iloc[0]), 18, 3)}"
        values = rows["share" if view.measure == "share" else "paragraphs"].dropna()
        ends.append((float(values.iloc[-1]) if len(values) else 0.0, label))
    start, end = dates.get_period_bounds(view.labels[0])[0], dates.get_period_bounds(view.labels[-1])[1]
    inside = [(day, name) for day, name in events if start <= day <= end]
    drawn += build_event_marks(inside, view.top)
    figure = _build_figure(drawn, view, height=400)
    layout = figure["layout"]
    layout["margin"] = {"autoexpand": False, "l": _LEFT_MARGIN, "r": 128, "t": 12, "b": 34}
    layout["shapes"] = [
        {
            "type": "line",
            "x0": day.isoformat(),
            "x1": day.isoformat(),
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "layer": "below",
            "line": {"color": FAINT, "width": 1},
        }
        for day, _ in inside
    ]
    layout["annotations"] = build_end_labels(ends, _LABEL_HEIGHT * view.top, view.top)
    return figure


def build_uncovered_figure(frame: pd.DataFrame) -> tuple[Figure, str]:
    """The share that advances no narrative, and its summary; the scale goes to 100 %, unlike the others."""
    rows = frame.assign(narrative_id="", narrative=UNCOVERED_LABEL)
    view = AxisSpec(compute_axis_spec(rows, "share").labels, "share", 1.04)
    figure = build_small_figure(rows, GREY, view)
    for trace in figure["data"]:
        trace.pop("customdata", None)
    figure["data"][-1]["customdata"] = [{"period": label} for label in view.labels]
    return figure, describe_time_series(rows, view)


def describe_time_series(rows: pd.DataFrame, view: AxisSpec) -> str:
    """A chart of one narrative in a sentence, for those who cannot see it."""
    name, column = rows["narrative"].iloc[0], "share" if view.measure == "share" else "paragraphs"
    say = phrases.format_percent if view.measure == "share" else lambda n: phrases.format_count(int(n), "paragraph")
    figures = zip(rows[column].tolist(), rows["period"].tolist(), strict=True)
    ranked = sorted((value, period) for value, period in figures if value == value)
    if not ranked:
        return f"{name}: too few paragraphs in every period for a share."
    (low, trough), (high, peak) = ranked[0], ranked[-1]
    return (
        f"{name}: {say(low)} in {dates.describe_period(trough)} at the lowest, "
        f"{say(high)} in {dates.describe_period(peak)} at the highest."
    )


def build_end_labels(ends: Sequence[tuple[float, str]], line: float, top: float) -> list[dict[str, Any]]:
    """Labels beside the ends of lines, (height, text) each, none over another; `line` is a line's height."""
    sizes = [(1 + label.count("<br>")) * line for _, label in ends]
    heights = spread_labels([value for value, _ in ends], sizes, top)
    return [
        {
            "text": label,
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 8,
            "y": height,
            "yanchor": "middle",
            "align": "left",
            "showarrow": False,
            "font": {"size": 12},
        }
        for height, (_, label) in zip(heights, ends, strict=True)
    ]


def spread_labels(values: Sequence[float], sizes: Sequence[float], top: float) -> list[float]:
    """Middles for labels that want to stand at `values` and are `sizes` high: none covers another.

    The order of the values is kept, and no label reaches above `top` or, as long as there is room, below 0.
    """
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    middles, floor = [0.0] * len(values), 0.0
    for i in order:
        middles[i] = max(values[i], floor + sizes[i] / 2)
        floor = middles[i] + sizes[i] / 2
    ceiling = top
    for i in reversed(order):
        middles[i] = min(middles[i], ceiling - sizes[i] / 2)
        ceiling = middles[i] - sizes[i] / 2
    return middles


def _build_figure(drawn: list[Trace], view: AxisSpec, height: int) -> Figure:
    start, end = dates.get_period_bounds(view.labels[0])[0], dates.get_period_bounds(view.labels[-1])[1]
    ticks = _select_ticks(view.labels)
    share = view.measure == "share"
    return {
        "data": drawn,
        "layout": {
            "height": height,
            **INTERACTION_MODES,
            "showlegend": False,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": {
                "type": "date",
                "range": [start.isoformat(), end.isoformat()],
                "tickvals": [at for at, _ in ticks],
                "ticktext": [text for _, text in ticks],
                "showgrid": False,
                "zeroline": False,
                **_FIXED_AXIS,
                "tickfont": {"size": 11},
            },
            "yaxis": {
                "range": [0, view.top],
                "tickformat": (".0%" if view.top > 0.04 else ".1%") if share else ",d",
                "nticks": 4 if height < 250 else 6,
                # Else Plotly puts marks between the numbers, and calls several of them by the same one.
                "dtick": 1 if not share and view.top < 5 else None,
                "gridcolor": FAINT,
                "zeroline": True,
                "zerolinecolor": FAINT,
                **_FIXED_AXIS,
                "tickfont": {"size": 11},
            },
        },
    }


def _select_ticks(labels: Sequence[str]) -> list[tuple[str, str]]:
    """At most six marks of the time axis: years where there are several, else the periods themselves."""
    years = sorted({label[:4] for label in labels})
    shown = years if len(years) > 1 else list(labels)
    step = -(-len(shown) // 6)
    return [(dates.get_period_middle(label).isoformat(), dates.describe_period(label)) for label in shown[::step]]
