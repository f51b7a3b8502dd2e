"""Charts of prevalence over time: rows in, a plain Plotly figure out. Pure; no theme colours.

Rows are a frame, or its records if they are of one narrative. They have the columns period, narrative_id, narrative,
paragraphs, total_paragraphs, share, share_low and share_high, with one row for each period with text and each
narrative. Periods between the first and the last without text are gaps in the chart, not zeros.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from narratives.model import QualityMetrics, Unit, dates
from narratives.render import phrases
from narratives.render.colours import FAINT, GREY
from narratives.render.traces import (
    NO_BACKGROUND,
    AxisSpec,
    Figure,
    Measure,
    Records,
    Trace,
    build_change_marks,
    build_event_marks,
    build_heading,
    build_line_with_band,
    build_line_with_error_bars,
    build_period_axis,
    build_value_axis,
    build_vertical_line,
    drop_empty,
    group_records,
    select_events,
    to_records,
    wrap_text,
)

UNCOVERED_LABEL = "In no narrative"
MARKERS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚", "triangle-down": "▼"}
_SERIES_OFFSET = 0.08  # of a period, between neighbours, so that no interval hides another
_LABEL_HEIGHT = 0.046  # of the plot's height, with a little air
MIN_SCALE_TOP = 0.001  # share
_LEFT_MARGIN = 42  # pixels, room for the labels of the vertical axis
SCALE_TOP_QUANTILE, SCALE_HEADROOM = 0.75, 1.25
# All settings are explicit: a default that Streamlit or Plotly adds later would draw every chart again. Fixed
# margins save Plotly a second layout pass.
INTERACTION_MODES = {"hovermode": "closest", "dragmode": "pan", "clickmode": "event+select"}
_FIXED_LABELS = {"automargin": False, "tickangle": 0}
PLOTLY_CONFIG = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False, "doubleClick": False}


def compute_axis_spec(frame: pd.DataFrame, measure: Measure, unit: Unit = "paragraph") -> AxisSpec:
    """Compute the common axes of a frame, whose counts are of `unit`.

    The scale holds every share, with room above, and three in four of the intervals. Otherwise a few periods
    with hardly any text, or with all of it in one long document, would flatten all lines. `cut` is true where
    intervals go beyond the scale. The top is at least MIN_SCALE_TOP.
    """
    labels = tuple(dates.list_period_labels(min(frame["period"]), max(frame["period"]))) if len(frame) else ()
    if measure == "share":
        highs = frame["share_high"].dropna()
        wanted = [frame["share"].max() * SCALE_HEADROOM, highs.quantile(SCALE_TOP_QUANTILE) if len(highs) else 0.0]
        top = min(1.0, max(MIN_SCALE_TOP, *np.nan_to_num(wanted).tolist()) * 1.02)
        return AxisSpec(labels, measure, top, phrases.UNIT_NOUNS[unit], bool((highs > top).any()))
    return AxisSpec(labels, measure, max(1.0, float(frame["paragraphs"].max())) * 1.12, phrases.UNIT_NOUNS[unit])


def build_small_figure(
    rows: Records, colour: str, axes: AxisSpec, measured: QualityMetrics | None = None, changes: Records | None = None
) -> Figure:
    """Draw one narrative's small chart: its name and overall share above, the line and its 95 % band below.

    Where its matching was `measured`, its F1 follows the share. `changes` are its change points.
    """
    name = str(rows[0]["narrative"])
    hits, total = (int(sum(row[column] for row in rows)) for column in ("paragraphs", "total_paragraphs"))
    share = phrases.format_percent(hits / total if total else float("nan"))
    headline = f"{share} · {phrases.format_count(hits, axes.noun.split()[-1])}"
    if measured and not math.isnan(measured.f1):
        headline += f" · F1 {measured.f1:.2f}"
    drawn = build_line_with_band(rows, colour, axes)
    if changes is not None and axes.measure == "share":
        drawn.append(build_change_marks(changes, axes))
    figure = _build_figure(drawn, axes, height=200)
    figure["layout"]["margin"] = {"autoexpand": False, "l": _LEFT_MARGIN, "r": 10, "t": 60, "b": 32}
    figure["layout"]["annotations"] = [build_heading(name, headline, _LEFT_MARGIN, 58)]
    return figure


def build_comparison_figure(
    frame: pd.DataFrame, colours: Mapping[str, str], axes: AxisSpec, events: Sequence[tuple[date, str]] = ()
) -> Figure:
    """Draw up to six narratives in one chart, each labelled at its end; events are named on hover.

    `colours` maps narrative ids, in the order in which they are drawn, to their colours.
    """
    drawn: list[Trace] = []
    ends: list[tuple[float, str]] = []
    groups = group_records(to_records(frame))
    for position, (narrative_id, colour) in enumerate(colours.items()):
        rows = sorted(groups[narrative_id], key=lambda row: str(row["period"]))
        symbol, sign = list(MARKERS.items())[position % len(MARKERS)]
        offset = (position - (len(colours) - 1) / 2) * _SERIES_OFFSET
        drawn.append(build_line_with_error_bars(rows, colour, axes, symbol, offset))
        label = f"<span style='color:{colour}'>{sign}</span> {wrap_text(str(rows[0]['narrative']), 18, 3)}"
        values = [row["share" if axes.measure == "share" else "paragraphs"] for row in rows]
        ends.append((next((float(value) for value in reversed(values) if not math.isnan(value)), 0.0), label))
    inside = select_events(events, axes.labels)
    drawn.append(build_event_marks(inside, axes.top))
    figure = _build_figure(drawn, axes, height=400)
    layout = figure["layout"]
    layout["margin"] = {"autoexpand": False, "l": _LEFT_MARGIN, "r": 128, "t": 12, "b": 34}
    layout["shapes"] = [build_vertical_line(day.isoformat(), FAINT, "solid") for day, _ in inside]
    layout["annotations"] = build_end_labels(ends, _LABEL_HEIGHT * axes.top, axes.top)
    return figure


def build_uncovered_figure(frame: pd.DataFrame) -> tuple[Figure, str]:
    """Return the chart of the share that advances no narrative, on a scale to 100 %, and its summary."""
    rows = to_records(frame.assign(narrative_id="", narrative=UNCOVERED_LABEL))
    axes = AxisSpec(compute_axis_spec(frame, "share").labels, "share", 1.04)
    figure = build_small_figure(rows, GREY, axes)
    for trace in figure["data"]:
        trace.pop("customdata", None)
    figure["data"][-1]["customdata"] = [{"period": label} for label in axes.labels]
    return figure, describe_time_series(rows, axes)


def describe_time_series(rows: Records, axes: AxisSpec) -> str:
    """Describe a chart of one narrative in a sentence, for readers who cannot see it."""
    name, column = rows[0]["narrative"], "share" if axes.measure == "share" else "paragraphs"
    ranked = sorted((row[column], row["period"]) for row in rows if not math.isnan(row[column]))
    if not ranked:
        return f"{name}: too few paragraphs in every period for a share."
    write = phrases.format_percent if axes.measure == "share" else lambda n: phrases.format_count(int(n), "paragraph")
    low, high = (f"{write(value)} in {dates.describe_period(period)}" for value, period in (ranked[0], ranked[-1]))
    return f"{name}: {low} at the lowest, {high} at the highest."


def build_end_labels(ends: Sequence[tuple[float, str]], line: float, top: float) -> list[dict[str, Any]]:
    """Place labels, each (height, text), beside the ends of lines without overlap; `line` is a line's height."""
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
    """Return the middles of labels near `values`, so that labels of height `sizes` do not overlap.

    The order of the values is kept. No label goes above `top` or, as long as there is room, below 0.
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


def _build_figure(data: list[Trace], axes: AxisSpec, height: int) -> Figure:
    return {
        "data": drop_empty(data),
        "layout": {
            "height": height,
            **INTERACTION_MODES,
            "showlegend": False,
            **NO_BACKGROUND,
            "xaxis": build_period_axis(axes.labels) | _FIXED_LABELS,
            "yaxis": build_value_axis(0, axes.top, axes.measure, 4 if height < 250 else 6) | _FIXED_LABELS,
        },
    }
