"""Charts of one narrative: its trend, who advances it, who was first, and what occurs with it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from narratives.model import dates
from narratives.render import phrases, time_series
from narratives.render.colours import FAINT, GREY, PALETTE, format_rgba
from narratives.render.traces import (
    FIXED_AXIS,
    MARKS,
    SILENT_LINES,
    AxisSpec,
    Figure,
    Measure,
    Trace,
    build_error_bars,
    build_event_marks,
    build_layout,
    build_names_axis,
    build_vertical_line,
    drop_empty,
    select_events,
    to_records,
    wrap_text,
)

# Colour and pattern of each voice; the pattern distinguishes them without colour.
VOICE_STYLES = {
    "own": (PALETTE[0], ""),
    "quoted": (PALETTE[1], "/"),
    "reported": (PALETTE[2], "."),
    "outlet": (GREY, "x"),
}
_LIFT_STYLES = {
    phrases.MORE_OFTEN: ("circle", PALETTE[0]),
    phrases.NO_DIFFERENCE: ("circle-open", GREY),
    phrases.LESS_OFTEN: ("square", PALETTE[1]),
}
MIN_LIFT, MAX_LIFT = 1 / 16, 64.0  # of the axis; values beyond are drawn at its end
_ROW_HEIGHT, _MARGIN_HEIGHT = 34, 92  # pixels: height of a row, and of everything above and below
_NAME_WIDTH = 24  # letters per line of a name
LEGEND_LAYOUT = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1.02,
    "yanchor": "bottom",
    "itemclick": False,
    "itemdoubleclick": False,
    "font": {"size": 12},
}


def build_actors_figure(rows: pd.DataFrame, actor: str, narrative_id: str) -> Figure:
    """Draw stacked bars of each actor's paragraphs by voice, with count and share at the end of the bar.

    `rows` has one row per actor, most paragraphs first.
    """
    names = [name or phrases.NOBODY for name in rows[actor]]
    data: list[Trace] = []
    for voice, (colour, pattern) in VOICE_STYLES.items():
        column = f"{voice}_voice"
        drawn = [(at, row) for at, row in enumerate(to_records(rows)) if column in rows and row[column] > 0]
        if not drawn:
            continue
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": phrases.VOICE_LABELS[voice].capitalize(),
                "x": [int(row[column]) for _, row in drawn],
                "y": [at for at, _ in drawn],
                "marker": {
                    "color": colour,
                    "pattern": {"shape": pattern, "fillmode": "overlay", "size": 7, "solidity": 0.3},
                },
                "customdata": [{"narrative": narrative_id, actor: row[actor], "voice": voice} for _, row in drawn],
                "hovertemplate": [_format_actor_hover(row, names[at], voice) for at, row in drawn],
                "width": 0.66,
            }
        )
    figure = _build_row_figure(data, names)
    most = int(rows["paragraphs"].max())
    figure["layout"] |= {"barmode": "stack", "legend": {**LEGEND_LAYOUT, "traceorder": "normal"}}
    figure["layout"]["xaxis"] |= {"range": [0, most * 1.3], "tickformat": ",d"}
    figure["layout"]["xaxis"] |= {"dtick": 1 if most < 6 else None}
    figure["layout"]["annotations"] = [
        {
            "text": f"{row['paragraphs']:,}"
            + (f" · {phrases.format_fine_percent(row['share'])}" if row["base_ok"] else ""),
            "x": row["paragraphs"],
            "y": at,
            "xanchor": "left",
            "xshift": 5,
            "showarrow": False,
            "font": {"size": 12},
        }
        for at, row in enumerate(to_records(rows))
    ]
    return figure


def build_first_uses_figure(rows: pd.DataFrame, actor: str, narrative_id: str, colour: str) -> Figure:
    """Draw each actor's first and third use on a line that starts with the first text collected from them."""
    who = to_records(rows)
    names = [row["actor"] or phrases.NOBODY for row in who]
    lines: Trace = {
        **SILENT_LINES,
        "name": "Texts before the first use",
        "x": [day for row in who for day in (row["covered_from"] or row["first"], row["first"], None)],
        "y": [place for at in range(len(who)) for place in (at, at, None)],
        "line": {"color": format_rgba(GREY, 0.55), "width": 1.5, "dash": "dot"},
    }
    marks = [
        _build_date_marks("Texts begin", "covered_from", {"symbol": "line-ns-open", "color": GREY}, who),
        _build_date_marks("First use", "first", {"symbol": "circle", "color": colour}, who),
        _build_date_marks("Third use", "kth", {"symbol": "diamond-open", "color": colour}, who),
    ]
    for trace, column in zip(marks[1:], ("first", "kth"), strict=True):
        used = [row for row in who if row[column]]
        trace["customdata"] = [
            {"narrative": narrative_id, actor: row["actor"], "period": row[column][:7]} for row in used
        ]
    figure = _build_row_figure([lines, *marks], names)
    figure["layout"]["xaxis"] |= {"type": "date", "nticks": 6}
    return figure


def build_cooccurrence_figure(rows: pd.DataFrame, narrative_id: str) -> Figure:
    """Draw how often other narratives are in the same documents compared with chance, with 95 % intervals."""
    others = to_records(rows)
    data: list[Trace] = []
    for name, (symbol, colour) in _LIFT_STYLES.items():
        drawn = [(at, row) for at, row in enumerate(others) if phrases.classify_lift(row) == name]
        if not drawn:
            continue
        clipped = [{key: _clip_lift(row[key]) for key in ("lift", "lift_low", "lift_high")} for _, row in drawn]
        data.append(
            {
                **MARKS,
                "name": phrases.make_sentence(name).rstrip("."),
                "x": [row["lift"] for row in clipped],
                "y": [at for at, _ in drawn],
                "marker": {"symbol": symbol, "color": colour, "size": 10, "line": {"width": 2, "color": colour}},
                "error_x": build_error_bars(clipped, "lift", colour, 1.6),
                "customdata": [{"narrative": [narrative_id, row["narrative_id"]]} for _, row in drawn],
                "hovertemplate": [
                    f"{wrap_text(phrases.describe_cooccurrence(row), 46, 5)}<extra></extra>" for _, row in drawn
                ],
            }
        )
    figure = _build_row_figure(data, [str(row["narrative"]) for row in others])
    low = min([1.0, *(_clip_lift(row["lift_low"]) for row in others)])
    high = max([1.0, *(_clip_lift(row["lift_high"]) for row in others)])
    ticks = {1 / 16: "1/16", 1 / 8: "1/8", 1 / 4: "1/4", 1 / 2: "half", 1: "chance"}
    ticks |= {2**n: f"{2**n} ×" for n in range(1, 7)}
    figure["layout"]["xaxis"] |= {
        "type": "log",
        "range": [math.log10(low) - 0.05, math.log10(high) + 0.05],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
    }
    figure["layout"]["shapes"] = [build_vertical_line(1, GREY, "dash")]
    return figure


def _build_row_figure(data: list[Trace], names: Sequence[str]) -> Figure:
    """Return a chart with a row for each of `names`, the first on top."""
    return {
        "data": data,
        "layout": {
            **build_layout(_ROW_HEIGHT * len(names) + _MARGIN_HEIGHT, {"l": 10, "r": 12, "t": 48, "b": 34}),
            "showlegend": True,
            "legend": LEGEND_LAYOUT,
            "xaxis": {**FIXED_AXIS, "gridcolor": FAINT},
            "yaxis": {
                **build_names_axis([wrap_text(name, _NAME_WIDTH, 2) for name in names]),
                "range": [len(names) - 0.4, -0.6],
                "tickfont": {"size": 12},
            },
        },
    }


def _format_actor_hover(row: Mapping[str, Any], name: str, voice: str) -> str:
    total = phrases.format_count(int(row["total_paragraphs"]), "paragraph")
    share = phrases.format_limits(row) if row["base_ok"] else f"no share: {row['base_reason']}"
    return (
        f"<b>{wrap_text(name, 40, 2)}</b><br>{phrases.VOICE_LABELS[voice].capitalize()}: "
        f"{int(row[voice + '_voice']):,}"
        f"<br>In all voices {int(row['paragraphs']):,} of {total}"
        f"<br>{wrap_text(share, 44, 3)}<extra></extra>"
    )


def _build_date_marks(name: str, column: str, marker: Trace, who: Sequence[Mapping[str, Any]]) -> Trace:
    """Draw the dates in `column` as marks, one per row; rows without a date are left out."""
    drawn = [(at, row) for at, row in enumerate(who) if row[column]]
    return {
        **MARKS,
        "name": name,
        "x": [row[column] for _, row in drawn],
        "y": [at for at, _ in drawn],
        "marker": {"size": 10, "line": {"width": 2, "color": marker["color"]}, **marker},
        "hovertemplate": [_format_first_use_hover(row) for _, row in drawn],
    }


def _format_first_use_hover(row: Mapping[str, Any]) -> str:
    third = f"<br>Third use: {phrases.format_partial_date(row['kth'])}" if row["kth"] else ""
    since = f"<br>Texts since {phrases.format_partial_date(row['covered_from'])}" if row["covered_from"] else ""
    later = phrases.format_count(int(row["days_after"]), "day")
    return (
        f"<b>{wrap_text(row['actor'] or phrases.NOBODY, 40, 2)}</b><br>First use: "
        f"{phrases.format_partial_date(row['first'])}, "
        f"{later} after the first use of all{third}{since}"
        f"<br>{phrases.format_count(int(row['uses']), 'paragraph')} in all<extra></extra>"
    )


def _clip_lift(lift: float) -> float:
    return min(max(lift, MIN_LIFT), MAX_LIFT)


def build_trend_figure(
    rows: pd.DataFrame, changes: pd.DataFrame, colour: str, measure: Measure, events: Sequence[tuple[date, str]] = ()
) -> Figure:
    """Draw the share (or count) by period over its 95 % band, with corrected shares, levels and events.

    `rows` has one row per period. Periods with too little text for a share get a cross at the bottom; where no
    period has a share, counts are drawn. `changes` are change points (see `measure.find_change_points`).
    """
    measure = measure if rows["base_ok"].any() else "count"
    shown = rows[rows["base_ok"]] if measure == "share" else rows
    axes = time_series.compute_axis_spec(rows, measure)
    if measure == "share":
        axes = AxisSpec(axes.labels, measure, max(axes.top, shown["corrected"].fillna(0).max() * 1.05))
    # Corrected shares are marks with limits here, not a dotted line as in the small charts.
    figure = time_series.build_small_figure(to_records(shown.drop(columns="corrected")), colour, axes)
    figure["data"][-1]["name"] = "Share, with its 95 % band" if measure == "share" else "Paragraphs"
    figure["data"][-1]["showlegend"] = True
    by_period = {row["period"]: _format_period_hover(row) for row in to_records(shown)}
    figure["data"][-1]["hovertemplate"] = [by_period.get(label, "") for label in axes.labels]
    layout = figure["layout"]
    layout |= {"height": 400, "margin": {"l": 44, "r": 12, "t": 40, "b": 30}, "annotations": []}
    layout |= {"showlegend": True, "legend": LEGEND_LAYOUT, "shapes": []}
    layout["yaxis"]["nticks"] = 6
    if measure == "share":
        marks = [_build_corrected_marks(shown), *_build_level_lines(rows, changes), _build_suppressed_marks(rows)]
        figure["data"] += drop_empty(marks)
    inside = select_events(events, axes.labels)
    figure["data"] += drop_empty([{**build_event_marks(inside, axes.top), "showlegend": True}])
    layout["shapes"] += [build_vertical_line(day.isoformat(), FAINT, "solid") for day, _ in inside]
    for number, change in enumerate(to_records(changes), 1):
        at = dates.get_period_bounds(change["period"])[0].isoformat()
        layout["shapes"].append(build_vertical_line(at, GREY, "dash"))
        layout["annotations"].append(
            {
                "text": f"<b>{'▲' if change['direction'] == 'up' else '▼'} {number}</b>",
                "x": at,
                "y": 1,
                "yref": "paper",
                "yanchor": "top",
                "xanchor": "left",
                "xshift": 3,
                "showarrow": False,
                "font": {"size": 13},
            }
        )
    return figure


def _build_corrected_marks(shown: pd.DataFrame) -> Trace:
    """Draw open diamonds with bars where there is a corrected share."""
    rows = to_records(shown[shown["corrected"].notna()])
    return {
        **MARKS,
        "name": "Corrected for matching errors",
        # Moved aside, so that the interval is visible beside the band.
        "x": [dates.get_period_middle(row["period"], 0.12).isoformat() for row in rows],
        "y": [row["corrected"] for row in rows],
        "marker": {"symbol": "diamond-open", "size": 9, "color": GREY, "line": {"width": 2}},
        "error_y": build_error_bars(rows, "corrected", format_rgba(GREY, 0.7), 1.5, 3),
        "customdata": [_build_click_data(row) for row in rows],
        "hovertemplate": [_format_period_hover(row) for row in rows],
    }


def _build_level_lines(rows: pd.DataFrame, changes: pd.DataFrame) -> list[Trace]:
    """Draw the share between changes as dashed lines."""
    if not len(changes):
        return []
    starts = [min(rows["period"]), *changes["period"]]
    shares = [changes["before"].iloc[0], *changes["after"]]
    ends = [*(dates.get_period_bounds(label)[0] for label in starts), dates.get_period_bounds(max(rows["period"]))[1]]
    edges = [day.isoformat() for day in ends]
    return [
        {
            **SILENT_LINES,
            "name": "Level between changes",
            "x": [day for at in range(len(shares)) for day in (*edges[at : at + 2], None)],
            "y": [value for share in shares for value in (share, share, None)],
            "line": {"color": GREY, "width": 1.6, "dash": "dash"},
        }
    ]


def _build_suppressed_marks(rows: pd.DataFrame) -> Trace:
    """Draw a cross at the bottom for every period with too little text for a share."""
    few = to_records(rows[~rows["base_ok"]])
    return {
        **MARKS,
        "name": "Too little text for a share",
        "x": [dates.get_period_middle(row["period"]).isoformat() for row in few],
        "y": [0] * len(few),
        "cliponaxis": False,
        "marker": {"symbol": "x-thin-open", "size": 8, "color": GREY, "line": {"width": 2}},
        "customdata": [_build_click_data(row) for row in few],
        "hovertemplate": [_format_period_hover(row) for row in few],
    }


def _format_period_hover(row: dict[str, Any]) -> str:
    """Describe a period: share, corrected share and count, or why there is no share."""
    total = phrases.format_count(int(row["total_paragraphs"]), "statement paragraph")
    share = f"Share {phrases.format_limits(row)}" if row["base_ok"] else f"No share: {row['base_reason']}"
    corrected = "" if math.isnan(row["corrected"]) else f"<br>Corrected {phrases.format_limits(row, 'corrected')}"
    return (
        f"<b>{dates.describe_period(row['period'])}</b><br>{wrap_text(share, 44, 3)}{corrected}"
        f"<br>{int(row['paragraphs']):,} of {total}<extra></extra>"
    )


def _build_click_data(row: dict[str, object]) -> dict[str, object]:
    """Return the filters that a click on a period sets."""
    return {"narrative": row["narrative_id"], "period": row["period"]}
