"""What charts of named rows and columns have in common. Pure."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd

from narratives.model import dates
from narratives.render import phrases
from narratives.render.colours import GREY, format_rgba

AXIS_FONT_SIZE = 11  # size of the letters on axes, in pixels


def build_names_axis(texts: Sequence[str]) -> dict[str, Any]:
    """An axis of names instead of numbers, with as much room as they need."""
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": list(texts),
        "tickfont": {"size": AXIS_FONT_SIZE},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "ticks": "",
    }


def build_layout(height: int, margin: Mapping[str, int]) -> dict[str, Any]:
    """A figure without ground, legend or dragging, so that it stands on the page's own colours."""
    return {
        "height": height,
        "margin": dict(margin),
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


Measure = Literal["share", "count"]
Trace = dict[str, Any]
RowsByPeriod = dict[str, dict[str, Any]]  # rows of one narrative by their period
MAX_LARGE_MARKS = 12  # periods, up to which there is room for large marks


@dataclass(frozen=True, slots=True)
class AxisSpec:
    """What the charts of a page share: the time axis, the measure, the top of the scale.

    `noun` is what is counted; `cut` says that some intervals reach beyond the top.
    """

    labels: tuple[str, ...]
    measure: Measure
    top: float
    noun: str = "statement paragraph"
    cut: bool = False


def line_with_band(rows: pd.DataFrame, colour: str, view: AxisSpec) -> list[Trace]:
    """A narrative's line over its 95 % band."""
    found = _index_by_period(rows)
    line = _build_line(found, colour, view)
    if view.measure != "share":
        return [line]
    drawn = [
        *_build_bands(found, colour, view, line),
        *_build_corrected_line(found, colour, view),
        line,
        *_build_suppressed_counts(found, view),
    ]
    return _add_smoothed_line(found, drawn, view) if "smoothed" in rows else drawn


def line_with_error_bars(rows: pd.DataFrame, colour: str, view: AxisSpec, symbol: str, aside: float) -> Trace:
    """A narrative's line with its 95 % intervals as bars, for a chart that it shares with others.

    `aside` moves it along the time axis by that part of a period.
    """
    found = _index_by_period(rows)
    line = _build_line(found, colour, view, symbol, aside)
    if view.measure == "share":
        line["error_y"] = _build_error_bars(
            found, view.labels, colour, view, 2 if len(view.labels) <= MAX_LARGE_MARKS else 1
        )
    return line


def _build_error_bars(
    found: RowsByPeriod, of: Collection[str], colour: str, view: AxisSpec, thickness: int
) -> dict[str, Any]:
    """The intervals of the periods `of` as Plotly's error bars of a line through all of them."""
    edges = [
        (
            found[label]["share_high"] - found[label]["share"],
            found[label]["share"] - found[label]["share_low"],
        )
        if label in of and label in found and _has_share(found[label])
        else (None, None)
        for label in view.labels
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [above for above, _ in edges],
        "arrayminus": [below for _, below in edges],
        "color": format_rgba(colour, 0.4),
        "thickness": thickness,
        "width": 0,
    }


def _build_line(found: RowsByPeriod, colour: str, view: AxisSpec, symbol: str = "circle", aside: float = 0.0) -> Trace:
    one = next(iter(found.values()))
    column = "share" if view.measure == "share" else "paragraphs"
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": wrap_text(str(one["narrative"]), 60, 1),
        "x": _list_days(view, aside),
        "y": [_get_number(found[label], column) if label in found else None for label in view.labels],
        "customdata": [{"narrative": one["narrative_id"], "period": label} for label in view.labels],
        "connectgaps": False,
        "line": {"color": colour, "width": 2.2},
        "marker": {
            "color": colour,
            "symbol": symbol,
            "size": 7 if len(view.labels) <= MAX_LARGE_MARKS else 4,
        },
        "hovertemplate": [_format_hover(found[label], view) if label in found else "" for label in view.labels],
        "showlegend": False,
    }


def _get_number(row: Mapping[str, Any], column: str) -> float | None:
    """A number as JSON has it, None where there is none."""
    value = row.get(column)
    return None if value != value else value


def _has_share(row: Mapping[str, Any]) -> bool:
    return bool(row["share"] == row["share"])


def _build_suppressed_counts(of_all: RowsByPeriod, view: AxisSpec) -> list[Trace]:
    """Counts in place of shares, along the bottom, where a period holds too little for a share."""
    found = {label: row for label, row in of_all.items() if not _has_share(row)}
    if not found:
        return []
    written = len(view.labels) <= MAX_LARGE_MARKS
    return [
        {
            "type": "scatter",
            "mode": "text" if written else "markers",
            "name": "Too few for a share",
            "x": [dates.get_period_middle(label).isoformat() for label in found],
            "y": [0] * len(found),
            "text": [f"{int(row['paragraphs']):,}" for row in found.values()],
            "textposition": "top center",
            "textfont": {"size": 10, "color": GREY},
            "marker": {"symbol": "circle-open", "size": 3, "color": GREY},
            "hovertemplate": [_format_hover(row, view) for row in found.values()],
            "customdata": [{"narrative": row["narrative_id"], "period": label} for label, row in found.items()],
            "showlegend": False,
        }
    ]


def _build_corrected_line(found: RowsByPeriod, colour: str, view: AxisSpec) -> list[Trace]:
    """The share corrected for matching errors, as a dotted line beside the raw one, where there is one."""
    values = [_get_number(found[label], "corrected") if label in found else None for label in view.labels]
    if all(value is None for value in values):
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Corrected for matching errors",
            "x": _list_days(view, 0.0),
            "y": values,
            "connectgaps": False,
            "line": {"color": colour, "width": 1.6, "dash": "dot"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _add_smoothed_line(found: RowsByPeriod, drawn: list[Trace], view: AxisSpec) -> list[Trace]:
    """The line runs through what was smoothed, and the marks alone through the shares."""
    for trace in drawn:
        if trace.get("mode") == "lines+markers":
            trace["mode"] = "markers"
            line = {
                **{key: trace[key] for key in ("type", "name", "x", "line", "connectgaps")},
                "mode": "lines",
                "y": [_get_number(found[label], "smoothed") if label in found else None for label in view.labels],
                "hoverinfo": "skip",
                "showlegend": False,
            }
            return [*drawn, line]
    return drawn


def build_change_marks(changes: pd.DataFrame, view: AxisSpec) -> list[Trace]:
    """An arrow at the top of the chart for every change point; `changes` as from `measure.changes`."""
    if changes.empty or view.measure != "share":
        return []
    shown = changes[changes["period"].isin(view.labels)]
    return [
        {
            "type": "scatter",
            "mode": "text",
            "name": "Change points",
            "x": [dates.get_period_bounds(label)[0].isoformat() for label in shown["period"]],
            "y": [view.top * 0.94] * len(shown),
            "text": ["↑" if direction == "up" else "↓" for direction in shown["direction"]],
            "textfont": {"size": 15},
            "cliponaxis": False,
            "hovertemplate": [f"{describe_change_point(row)}<extra></extra>" for row in shown.to_dict("records")],
            "showlegend": False,
        }
    ]


def describe_change_point(row: Mapping[Any, Any]) -> str:
    """A change point in words: `From H1 2018 higher: 0.9 % (0.7–1.2) after 0.3 % (0.2–0.4)`."""
    higher = "higher" if row["direction"] == "up" else "lower"
    after, before = (
        f"{phrases.format_percent(row[side])} ({row[side + '_low'] * 100:.1f}–{row[side + '_high'] * 100:.1f})"
        for side in ("after", "before")
    )
    return f"From {dates.describe_period(row['period'])} {higher}: {after} after {before}"


def _index_by_period(rows: pd.DataFrame) -> RowsByPeriod:
    return {record["period"]: record for record in to_records(rows)}


def _list_days(view: AxisSpec, aside: float) -> list[str]:
    return [dates.get_period_middle(label, aside).isoformat() for label in view.labels]


def _build_bands(found: RowsByPeriod, colour: str, view: AxisSpec, line: Trace) -> list[Trace]:
    """The interval as one closed shape a run of periods; one that stands alone gets a bar on the `line`."""
    xs = _list_days(view, 0.0)
    runs: list[list[int]] = [[]]
    for i, label in enumerate(view.labels):
        if label in found and _has_share(found[label]):
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    alone = {view.labels[run[0]] for run in runs if len(run) == 1}
    if alone:
        line["error_y"] = _build_error_bars(found, alone, colour, view, 6)
    x: list[str | None] = []
    y: list[float | None] = []
    for run in (run for run in runs if len(run) > 1):
        x += [*(xs[i] for i in run), *(xs[i] for i in reversed(run)), None]
        y += [found[view.labels[i]]["share_high"] for i in run]
        y += [*(found[view.labels[i]]["share_low"] for i in reversed(run)), None]
    if not x:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "hoverinfo": "skip",
            "showlegend": False,
            "x": x,
            "y": y,
            "fill": "toself",
            "fillcolor": format_rgba(colour, 0.17),
            "line": {"width": 0},
        }
    ]


def _format_hover(row: Mapping[str, Any], view: AxisSpec) -> str:
    hits, total = int(row["paragraphs"]), int(row["total_paragraphs"])
    noun = view.noun
    said = [f"<b>{wrap_text(str(row['narrative']), 40, 2)}</b>"]
    if _has_share(row):
        said += [
            f"{dates.describe_period(row['period'])}: {phrases.format_percent(row['share'])}",
            f"95 % interval {row['share_low'] * 100:.1f}–{phrases.format_percent(row['share_high'])}",
        ]
        if row.get("corrected", float("nan")) == row.get("corrected", float("nan")):
            limits = f"{row['corrected_low'] * 100:.1f}–{phrases.format_percent(row['corrected_high'])}"
            said.append(f"corrected for matching errors {phrases.format_percent(row['corrected'])} ({limits})")
    else:
        said.append(f"{dates.describe_period(row['period'])}: no share")
        said.append(wrap_text(str(row.get("base_reason", "")), 44, 2))
    said.append(f"{hits:,} of {phrases.format_count(total, noun)}")
    return "<br>".join(said) + "<extra></extra>"


def build_event_marks(events: Sequence[tuple[date, str]], top: float) -> list[Trace]:
    if not events:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "Events",
            "x": [day.isoformat() for day, _ in events],
            "y": [top] * len(events),
            "cliponaxis": False,
            "marker": {"symbol": "triangle-down", "size": 7, "color": GREY},
            "hovertemplate": [
                f"{day.day} {day:%b %Y}<br>{wrap_text(name, 44, 4)}<extra></extra>" for day, name in events
            ],
            "showlegend": False,
        }
    ]


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, each by the names of its columns.

    Ten times as fast as `to_dict("records")`, for the dozens of small charts of a page.
    """
    columns = {str(name): frame[name].tolist() for name in frame}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def wrap_text(text: str, width: int, most: int) -> str:
    """Text as Plotly may draw it: broken into lines, its angle brackets harmless."""
    lines = textwrap.wrap(" ".join(text.split()), width, max_lines=most, placeholder=" …") or [""]
    return "<br>".join(html.escape(line, quote=False) for line in lines)
