"""Parts that all charts share: axes, layouts, lines with their intervals, and marks. Pure."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

import pandas as pd

from narratives.model import dates
from narratives.model.printable import remove_controls
from narratives.render import phrases
from narratives.render.colours import FAINT, GREY, format_rgba

Figure = dict[str, Any]  # a plain Plotly figure: `data` and `layout`
Trace = dict[str, Any]
Measure = Literal["share", "count"]
# Rows of a frame as `to_records` makes them: on frames as small as those of one chart, pandas takes most of the time.
Records = Sequence[Mapping[str, Any]]
RowsByPeriod = dict[str, Mapping[str, Any]]  # rows of one narrative by their period
AXIS_FONT_SIZE = 11  # pixels
KEPT_TEXTS = 1 << 14  # the wrapped texts that are kept: charts of other filters show many of them again
TICK_FONT = {"size": AXIS_FONT_SIZE}
NO_BACKGROUND = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}  # the page's own shows through
MAX_LARGE_MARKS = 12  # periods; with more, marks are small
# What traces and axes have in common.
MARKS = {"type": "scatter", "mode": "markers"}
SILENT_LINES = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
FIXED_AXIS = {"zeroline": False, "fixedrange": True, "tickfont": TICK_FONT}


def build_layout(height: int, margin: Mapping[str, int]) -> dict[str, Any]:
    """Return a layout without background, legend or dragging."""
    return {
        "height": height,
        "margin": dict(margin),
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        **NO_BACKGROUND,
    }


def build_names_axis(texts: Sequence[str]) -> dict[str, Any]:
    """Return an axis of names instead of numbers, with as much room as they need."""
    return {
        **FIXED_AXIS,
        "tickvals": list(range(len(texts))),
        "ticktext": list(texts),
        "showgrid": False,
        "automargin": True,
        "ticks": "",
    }


def build_value_axis(low: float, top: float, measure: Measure, ticks: int = 6) -> dict[str, Any]:
    """Return an axis of shares or counts from `low` to `top` with about that many ticks."""
    share = measure == "share"
    return {
        **FIXED_AXIS,
        "range": [low, top],
        "tickformat": (".0%" if top > 0.04 else ".1%") if share else ",d",
        "nticks": ticks,
        # Without this, Plotly puts several ticks with the same label between two whole numbers.
        "dtick": 1 if not share and top < 5 else None,
        "gridcolor": FAINT,
        "zeroline": True,
        "zerolinecolor": FAINT,
    }


def build_period_axis(labels: Sequence[str]) -> dict[str, Any]:
    """Return a time axis over all `labels` with at most six ticks: years, or the periods of a single year."""
    start, end = dates.get_period_bounds(labels[0])[0], dates.get_period_bounds(labels[-1])[1]
    years = sorted({label[:4] for label in labels})
    ticks = years if len(years) > 1 else list(labels)
    ticks = ticks[:: -(-len(ticks) // 6)]
    return {
        **FIXED_AXIS,
        "type": "date",
        "range": [start.isoformat(), end.isoformat()],
        "tickvals": [dates.get_period_middle(label).isoformat() for label in ticks],
        "ticktext": [dates.describe_period(label) for label in ticks],
        "showgrid": False,
    }


def select_tick_labels(labels: Sequence[str], most: int) -> tuple[list[str], bool]:
    """Return at most `most` labels for an axis, and whether each stands for its year.

    They are the first period of each year, or the periods themselves where there is only one year.
    """
    firsts = list({label[:4]: label for label in reversed(labels)}.values())[::-1]
    shown = firsts if len(firsts) > 1 else list(labels)
    return shown[:: -(-len(shown) // most)], len(firsts) > 1


def build_heading(name: str, line: str, left: int, height: int) -> dict[str, Any]:
    """Return a chart's heading as an annotation: the name in bold with `line` below, in the top left corner.

    `left` is the chart's left margin and `height` the distance above the plot, in pixels.
    """
    return {
        "text": f"<b>{wrap_text(name, 30, 2)}</b><br>{line}",
        "font": {"size": 13},
        "align": "left",
        "showarrow": False,
        **{"x": 0, "xref": "paper", "xanchor": "left", "xshift": -left},
        **{"y": 1, "yref": "paper", "yanchor": "top", "yshift": height},
    }


def build_click_targets(cells: Sequence[tuple[int, int]], marker: Mapping[str, Any]) -> Trace:
    """Return an invisible mark for each cell (column, row) of a heatmap, because Plotly cannot select its cells.

    `marker` has the size of the marks and the colour of their hover texts.
    """
    invisible = {"marker": {"opacity": 0}}
    return {
        **MARKS,
        "x": [column for column, _ in cells],
        "y": [row for _, row in cells],
        "marker": {"symbol": "square", "opacity": 0, **marker},
        "selected": invisible,
        "unselected": invisible,
    }


def drop_empty(traces: Sequence[Trace]) -> list[Trace]:
    """Return the traces that have any point."""
    return [trace for trace in traces if trace["x"]]


def build_vertical_line(at: str | float, colour: str, dash: str) -> dict[str, Any]:
    """Return a thin line over the whole height of a chart, as a shape of its layout."""
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "below",
        "line": {"color": colour, "width": 1, "dash": dash},
    }


def build_error_bars(
    rows: Sequence[Mapping[str, Any] | None], column: str, colour: str, thickness: float, width: int = 0
) -> dict[str, Any]:
    """Return the intervals of `column` (its `_low` and `_high`) as error bars; none where a row is None."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [row[f"{column}_high"] - row[column] if row else None for row in rows],
        "arrayminus": [row[column] - row[f"{column}_low"] if row else None for row in rows],
        "color": colour,
        "thickness": thickness,
        "width": width,
    }


def select_events(events: Sequence[tuple[date, str]], labels: Sequence[str]) -> list[tuple[date, str]]:
    """Return the events within the periods."""
    start, end = dates.get_period_bounds(labels[0])[0], dates.get_period_bounds(labels[-1])[1]
    return [(day, name) for day, name in events if start <= day <= end]


@dataclass(frozen=True, slots=True)
class AxisSpec:
    """The time axis, the measure and the scale that the charts of a page share.

    `noun` is what is counted. `cut` means that some intervals go beyond the top.
    """

    labels: tuple[str, ...]
    measure: Measure
    top: float
    noun: str = "statement paragraph"
    cut: bool = False


def build_line_with_band(rows: Records, colour: str, axes: AxisSpec) -> list[Trace]:
    """Return a narrative's line over its 95 % band."""
    by_period = _index_by_period(rows)
    line = _build_line(by_period, colour, axes)
    if axes.measure != "share":
        return [line]
    drawn = [
        _build_bands(by_period, colour, axes, line),
        *_build_corrected_line(by_period, colour, axes),
        line,
        _build_suppressed_counts(by_period, axes),
    ]
    if "smoothed" in rows[0]:
        line["mode"] = "markers"
        values = _list_values(by_period, "smoothed", axes)
        smoothed = {key: line[key] for key in ("name", "x", "line", "connectgaps", "showlegend")}
        drawn.append({**SILENT_LINES, **smoothed, "y": values})
    return drop_empty(drawn)


def build_line_with_error_bars(rows: Records, colour: str, axes: AxisSpec, symbol: str, offset: float) -> Trace:
    """Return a narrative's line with its 95 % intervals as bars, for a chart of several narratives.

    `offset` moves it along the time axis by that part of a period.
    """
    by_period = _index_by_period(rows)
    line = _build_line(by_period, colour, axes, symbol, offset)
    if axes.measure == "share":
        shown = [by_period[label] if _has_share(by_period.get(label)) else None for label in axes.labels]
        line["error_y"] = build_error_bars(shown, "share", format_rgba(colour, 0.4), 2 if _has_room(axes) else 1)
    return line


def _build_line(
    by_period: RowsByPeriod, colour: str, axes: AxisSpec, symbol: str = "circle", offset: float = 0.0
) -> Trace:
    one = next(iter(by_period.values()))
    column = "share" if axes.measure == "share" else "paragraphs"
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": wrap_text(str(one["narrative"]), 60, 1),
        "x": _list_days(axes, offset),
        "y": _list_values(by_period, column, axes),
        "customdata": [{"narrative": one["narrative_id"], "period": label} for label in axes.labels],
        "connectgaps": False,
        "line": {"color": colour, "width": 2.2},
        "marker": {"color": colour, "symbol": symbol, "size": 7 if _has_room(axes) else 4},
        "hovertemplate": [_format_hover(by_period[label], axes) if label in by_period else "" for label in axes.labels],
        "showlegend": False,
    }


def _get_number(row: Mapping[str, Any], column: str) -> float | None:
    """Return a number, or None (null in JSON) where it is missing."""
    value = row.get(column)
    return None if value is None or math.isnan(value) else value


def _list_values(by_period: RowsByPeriod, column: str, axes: AxisSpec) -> list[float | None]:
    return [_get_number(by_period[label], column) if label in by_period else None for label in axes.labels]


def _has_share(row: Mapping[str, Any] | None) -> bool:
    return row is not None and not math.isnan(row["share"])


def _has_room(axes: AxisSpec) -> bool:
    return len(axes.labels) <= MAX_LARGE_MARKS


def _build_suppressed_counts(by_period: RowsByPeriod, axes: AxisSpec) -> Trace:
    """Write counts along the bottom for periods with too little text for a share."""
    suppressed = {label: row for label, row in by_period.items() if not _has_share(row)}
    return {
        "type": "scatter",
        "mode": "text" if _has_room(axes) else "markers",
        "name": "Too few for a share",
        "x": [dates.get_period_middle(label).isoformat() for label in suppressed],
        "y": [0] * len(suppressed),
        "text": [f"{int(row['paragraphs']):,}" for row in suppressed.values()],
        "textposition": "top center",
        "textfont": {"size": 10, "color": GREY},
        "marker": {"symbol": "circle-open", "size": 3, "color": GREY},
        "hovertemplate": [_format_hover(row, axes) for row in suppressed.values()],
        "customdata": [{"narrative": row["narrative_id"], "period": label} for label, row in suppressed.items()],
        "showlegend": False,
    }


def _build_corrected_line(by_period: RowsByPeriod, colour: str, axes: AxisSpec) -> list[Trace]:
    """Draw the share corrected for matching errors, where there is one, as a dotted line."""
    values = _list_values(by_period, "corrected", axes)
    if all(value is None for value in values):
        return []
    return [
        {
            **SILENT_LINES,
            "name": "Corrected for matching errors",
            "x": _list_days(axes, 0.0),
            "y": values,
            "connectgaps": False,
            "line": {"color": colour, "width": 1.6, "dash": "dot"},
            "showlegend": False,
        }
    ]


def build_change_marks(changes: Records, axes: AxisSpec) -> Trace:
    """Return an arrow at the top of the chart for every change point (see `measure.find_change_points`)."""
    shown = [row for row in changes if row["period"] in axes.labels]
    return {
        "type": "scatter",
        "mode": "text",
        "name": "Change points",
        "x": [dates.get_period_bounds(row["period"])[0].isoformat() for row in shown],
        "y": [axes.top * 0.94] * len(shown),
        "text": ["↑" if row["direction"] == "up" else "↓" for row in shown],
        "textfont": {"size": 15},
        "cliponaxis": False,
        "hovertemplate": [f"{phrases.describe_change_point(row)}<extra></extra>" for row in shown],
        "showlegend": False,
    }


def _index_by_period(rows: Records) -> RowsByPeriod:
    return {row["period"]: row for row in rows}


def _list_days(axes: AxisSpec, offset: float) -> list[str]:
    return [dates.get_period_middle(label, offset).isoformat() for label in axes.labels]


def _build_bands(by_period: RowsByPeriod, colour: str, axes: AxisSpec, line: Trace) -> Trace:
    """Draw the interval as a closed shape for each run of periods; a single period gets a bar on the `line`."""
    xs = _list_days(axes, 0.0)
    runs: list[list[int]] = [[]]
    for i, label in enumerate(axes.labels):
        if _has_share(by_period.get(label)):
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    alone = {run[0] for run in runs if len(run) == 1}
    if alone:
        shown = [by_period[label] if i in alone else None for i, label in enumerate(axes.labels)]
        line["error_y"] = build_error_bars(shown, "share", format_rgba(colour, 0.4), 6)
    x: list[str | None] = []
    y: list[float | None] = []
    for run in (run for run in runs if len(run) > 1):
        x += [*(xs[i] for i in run), *(xs[i] for i in reversed(run)), None]
        y += [by_period[axes.labels[i]]["share_high"] for i in run]
        y += [*(by_period[axes.labels[i]]["share_low"] for i in reversed(run)), None]
    return {
        **SILENT_LINES,
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": format_rgba(colour, 0.17),
        "line": {"width": 0},
        "showlegend": False,
    }


def _format_hover(row: Mapping[str, Any], axes: AxisSpec) -> str:
    period = dates.describe_period(row["period"])
    lines = [f"<b>{wrap_text(str(row['narrative']), 40, 2)}</b>"]
    if _has_share(row):
        lines.append(f"{period}: {phrases.format_percent(row['share'])}<br>{phrases.format_interval(row)}")
        if _get_number(row, "corrected") is not None:
            limits = f"{row['corrected_low'] * 100:.1f}–{phrases.format_percent(row['corrected_high'])}"
            name = "expected share" if row.get("correction") == "expected" else "corrected for matching errors"
            lines.append(f"{name} {phrases.format_percent(row['corrected'])} ({limits})")
    else:
        lines += [f"{period}: no share", wrap_text(str(row.get("base_reason", "")), 44, 2)]
    lines.append(f"{int(row['paragraphs']):,} of {phrases.format_count(int(row['total_paragraphs']), axes.noun)}")
    return "<br>".join(lines) + "<extra></extra>"


def build_event_marks(events: Sequence[tuple[date, str]], top: float) -> Trace:
    """Return a mark at height `top` for every event; its name is shown on hover."""
    return {
        **MARKS,
        "name": "Events",
        "x": [day.isoformat() for day, _ in events],
        "y": [top] * len(events),
        "cliponaxis": False,
        "marker": {"symbol": "triangle-down", "size": 7, "color": GREY},
        "hovertemplate": [f"{day.day} {day:%b %Y}<br>{wrap_text(name, 44, 4)}<extra></extra>" for day, name in events],
        "showlegend": False,
    }


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dictionaries.

    It is many times as fast as `to_dict("records")`, which matters on a page with dozens of small charts.
    """
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.to_numpy(object).tolist()]


def group_records(rows: Records) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each narrative, in the order in which the narratives first occur."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["narrative_id"], []).append(row)
    return groups


@lru_cache(KEPT_TEXTS)
def wrap_text(text: str, width: int, most: int) -> str:
    """Return text that is safe to give to Plotly: broken into at most `most` lines, with its markup escaped.

    A word joiner keeps `%{...}` from being a placeholder where the text is in a hover template.
    """
    text = remove_controls(text).replace("%{", "%\u2060{")
    text = " ".join(text.split())[: width * (most + 2)]  # the rest is in none of the lines
    lines = textwrap.wrap(text, width, max_lines=most, placeholder=" …") or [""]
    return "<br>".join(html.escape(line, quote=False) for line in lines)
