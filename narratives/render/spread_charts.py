"""Charts of spread: who used a narrative when, with the periods for which texts were collected. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from narratives.model import dates
from narratives.render import phrases
from narratives.render.colours import FAINT, GREY, PALETTE, format_rgba
from narratives.render.time_series import MARKERS, build_end_labels
from narratives.render.traces import (
    FIXED_AXIS,
    MARKS,
    SILENT_LINES,
    Figure,
    Trace,
    build_layout,
    build_names_axis,
    build_value_axis,
    build_vertical_line,
    drop_empty,
    to_records,
    wrap_text,
)

TimeWindow = tuple[date, date]
_ROW_HEIGHT = 30
_LABEL_HEIGHT = 0.055  # of a plot's height, for each line of a label
FIRST_USE_SIGN, KTH_USE_SIGN, USE_DAY_SIGN = "●", "◇", "|"  # signs of the timeline, for captions


def format_ordinal(k: int) -> str:
    """Write an ordinal: `2nd`, `3rd`, `10th`."""
    return f"{k}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(k if k < 20 else k % 10, 'th') }"


def build_timeline_figure(
    table: pd.DataFrame,
    days: pd.DataFrame,
    runs: Mapping[str, Sequence[TimeWindow]],
    window: TimeWindow,
    field: str,
    k: int,
) -> Figure:
    """Draw a row for each actor: its first and k-th use, every day of use, and when texts were collected.

    `table` has the first uses, one row per actor, in the order of the rows; `days` the uses by actor and date;
    `runs` the time ranges with any text of each actor. `field` is "outlet" or "speaker".
    """
    actors = table["actor"].tolist()
    row_of = {actor: i for i, actor in enumerate(actors)}
    uses = to_records(days[(days["date"].str.len() == 10) & days["actor"].isin(actors)])
    rows = to_records(table)
    firsts = [row for row in rows if row["first"]]
    kths = [row for row in rows if row["kth"]]
    coarse = [row for row in rows if not row["first"] and row["coarse"]]
    build_marks = partial(_build_use_marks, row_of, field)
    data = [
        _build_coverage_bands(runs, row_of, window),
        build_marks(
            uses,
            "date",
            {"symbol": "line-ns-open", "size": 11, "color": format_rgba(GREY, 0.75), "line": {"width": 1.5}},
            [
                f"{_format_actor(row)}<br>{phrases.format_partial_date(row['date'])}: "
                f"{phrases.format_count(int(row['paragraphs']), 'paragraph')}"
                for row in uses
            ],
        ),
        build_marks(
            firsts,
            "first",
            {
                "symbol": "circle",
                "opacity": 1,
                "size": [min(8 + 1.1 * int(row["uses"]) ** 0.5, 24) for row in firsts],
                "color": PALETTE[0],
                "line": {"width": 1, "color": "rgba(255,255,255,0.7)"},
            },
            [_format_first_use_hover(row) for row in firsts],
        ),
        build_marks(
            kths,
            "kth",
            {"symbol": "diamond-open", "size": 12, "color": PALETTE[1], "line": {"width": 2}},
            [
                f"{_format_actor(row)}<br>{format_ordinal(k)} paragraph on {phrases.format_partial_date(row['kth'])}, "
                f"{phrases.format_count(int(row['days_to_kth']), 'day')} after the first"
                for row in kths
            ],
        ),
        build_marks(
            coarse,
            "coarse",
            {"symbol": "circle-open", "size": 11, "color": PALETTE[0], "line": {"width": 2}},
            [
                f"{_format_actor(row)}<br>{phrases.format_partial_date(row['coarse'])}, the day is not known"
                f"<br>{phrases.format_count(int(row['uses']), 'paragraph')}"
                for row in coarse
            ],
        ),
    ]
    layout = _build_time_layout(_ROW_HEIGHT * len(actors) + 56, window, {"l": 8, "r": 14, "t": 10, "b": 30})
    names = [
        f"{wrap_text(row['actor'] or phrases.NOBODY, 22, 1)} · {int(row['uses']):,}"
        + ("" if row["first"] or row["coarse"] else " undated")
        for row in rows
    ]
    layout["yaxis"] = {**build_names_axis(names), "range": [len(actors) - 0.4, -0.6]}
    if firsts:
        first = min(row["first"] for row in firsts)
        layout["shapes"] = [build_vertical_line(first, format_rgba(GREY, 0.6), "dot")]
    return {"data": drop_empty(data), "layout": layout}


def build_cumulative_figure(
    table: pd.DataFrame, days: pd.DataFrame, window: TimeWindow, field: str, colours: Sequence[str] = PALETTE
) -> Figure:
    """Draw the running total of each actor's paragraphs by day; lines are named at their end."""
    data: list[Trace] = []
    ends: list[tuple[float, str]] = []
    dated = days[days["date"].str.len() == 10].sort_values("date", kind="stable")
    last = window[1].isoformat()
    for place, actor in enumerate(table["actor"]):
        rows = dated[dated["actor"] == actor]
        sums = rows["paragraphs"].cumsum().astype(int).tolist()
        dates = rows["date"].tolist()
        symbol, sign = list(MARKERS.items())[place % len(MARKERS)]
        colour = colours[place % len(colours)]
        narrative = str(rows["narrative_id"].iloc[0])
        targets = [{field: actor, "narrative": narrative, "period": one[:7]} for one in dates]
        name = wrap_text(actor or phrases.NOBODY, 60, 1)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [*dates, last],
                "y": [*sums, sums[-1]],
                "line": {"color": colour, "width": 2, "shape": "hv"},
                "marker": {"color": colour, "symbol": symbol, "size": [8, *[5] * (len(dates) - 1), 0.1]},
                "customdata": [*targets, {}],
                "hovertemplate": [
                    *(
                        f"<b>{name}</b><br>{phrases.format_count(n, 'paragraph')} by {phrases.format_partial_date(one)}"
                        "<extra></extra>"
                        for one, n in zip(dates, sums, strict=True)
                    ),
                    "",
                ],
            }
        )
        label = f"<span style='color:{colour}'>{sign}</span> {wrap_text(actor or phrases.NOBODY, 16, 2)}"
        ends.append((float(sums[-1]), label))
    top = max(value for value, _ in ends) * 1.08
    layout = _build_time_layout(420, window, {"l": 40, "r": 128, "t": 12, "b": 30})
    layout["yaxis"] = build_value_axis(0, top, "count")
    layout["annotations"] = build_end_labels(ends, _LABEL_HEIGHT * top, top)
    return {"data": data, "layout": layout}


def _build_coverage_bands(
    runs: Mapping[str, Sequence[TimeWindow]], row_of: Mapping[str, int], window: TimeWindow
) -> Trace:
    """Draw faint bands where there is any text of an actor, within the time shown."""
    x: list[str | None] = []
    y: list[int | None] = []
    for actor, row in row_of.items():
        for start, end in runs.get(actor, ()):
            if start <= window[1] and end >= window[0]:
                x += [max(start, window[0]).isoformat(), min(end, window[1]).isoformat(), None]
                y += [row, row, None]
    return {**SILENT_LINES, "x": x, "y": y, "line": {"color": format_rgba(GREY, 0.2), "width": 13}}


def _build_use_marks(
    row_of: Mapping[str, int],
    field: str,
    rows: Sequence[Mapping[str, Any]],
    column: str,
    marker: Mapping[str, Any],
    hover: Sequence[str],
) -> Trace:
    """Draw a mark for each row at the date in `column`; a click selects its month or year."""
    days = [row[column] for row in rows]
    return {
        **MARKS,
        "x": [day if len(day) == 10 else dates.get_period_middle(day).isoformat() for day in days],
        "y": [row_of[row["actor"]] for row in rows],
        "marker": dict(marker),
        "customdata": [
            {field: row["actor"], "narrative": row["narrative_id"], "period": row[column][:7]} for row in rows
        ],
        "hovertemplate": [f"{text}<extra></extra>" for text in hover],
        "cliponaxis": False,
    }


def _format_first_use_hover(row: Mapping[str, Any]) -> str:
    after = int(row["days_after"])
    when = "first in the texts collected" if not after else f"{phrases.format_count(after, 'day')} after the first"
    known = (
        f"texts collected since {phrases.format_partial_date(row['covered_from'])}"
        if row["covered_from"]
        else "it is not known on which day the texts begin"
    )
    unseen = "" if row["covered_before"] or not after else "<br>nothing collected before the first use of all"
    uses = phrases.format_count(int(row["uses"]), "paragraph")
    return (
        f"{_format_actor(row)}<br>{phrases.format_partial_date(row['first'])}: {when}<br>{uses} in all; {known}{unseen}"
    )


def _format_actor(row: Mapping[str, Any]) -> str:
    return f"<b>{wrap_text(str(row['actor']) or phrases.NOBODY, 40, 2)}</b>"


def _build_time_layout(height: int, window: TimeWindow, margin: Mapping[str, int]) -> dict[str, Any]:
    """Return a layout with a time axis over `window`."""
    days = [window[0].isoformat(), window[1].isoformat()]
    axis = {**FIXED_AXIS, "type": "date", "range": days, "nticks": 6, "gridcolor": FAINT}
    return {**build_layout(height, margin), "xaxis": axis}
