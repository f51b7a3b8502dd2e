"""The trend of one narrative: its share with band, corrected share, levels, changes and events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from narratives.show import charts, periods, words
from narratives.show import narrative_words as said
from narratives.show.colours import FAINT, GREY, rgba
from narratives.show.marks import Look, Measure, Trace, event_marks, records, wrapped
from narratives.show.narrative_charts import LEGEND, upright


def trend(
    rows: pd.DataFrame,
    moves: pd.DataFrame,
    colour: str,
    measure: Measure,
    events: Sequence[tuple[date, str]] = (),
) -> charts.Figure:
    """The share (or count) by period over its 95 % band, with corrected shares, levels, changes and events.

    `rows` are those of `narrative_data.trend`; periods whose share rests on too little get a cross at the
    bottom. Where none has a share the counts are drawn. `moves` are change points (measure.changes).
    """
    measure = measure if rows["base_ok"].any() else "count"
    shown = rows[rows["base_ok"]] if measure == "share" else rows
    axes = charts.look(rows, measure)
    if measure == "share":
        axes = Look(axes.labels, measure, max(axes.top, shown["corrected"].fillna(0).max() * 1.05))
    # Corrected shares stand here as marks with their limits, not as the small charts' dotted line.
    figure = charts.small(shown.drop(columns="corrected"), colour, axes)
    figure["data"][-1]["name"] = "Share, with its 95 % band" if measure == "share" else "Paragraphs"
    figure["data"][-1]["showlegend"] = True
    by_period = {row["period"]: _hover(row) for row in records(shown)}
    figure["data"][-1]["hovertemplate"] = [by_period.get(label, "") for label in axes.labels]
    layout = figure["layout"]
    layout |= {"height": 400, "margin": {"l": 44, "r": 12, "t": 40, "b": 30}, "annotations": []}
    layout |= {"showlegend": True, "legend": LEGEND, "shapes": []}
    layout["yaxis"]["nticks"] = 6
    if measure == "share":
        figure["data"] += [*_corrected(shown), *_levels(rows, moves), *_left_out(rows)]
    start, end = periods.bounds(axes.labels[0])[0], periods.bounds(axes.labels[-1])[1]
    inside = [(day, name) for day, name in events if start <= day <= end]
    figure["data"] += [{**trace, "showlegend": True} for trace in event_marks(inside, axes.top)]
    layout["shapes"] += [upright(day.isoformat(), FAINT, "solid") for day, _ in inside]
    for number, (label, direction) in enumerate(
        zip(moves["period"], moves["direction"], strict=True) if len(moves) else (), 1
    ):
        at = periods.bounds(label)[0].isoformat()
        layout["shapes"].append(upright(at, GREY, "dash"))
        layout["annotations"].append(
            {
                "text": f"<b>{'▲' if direction == 'up' else '▼'} {number}</b>",
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


def _corrected(shown: pd.DataFrame) -> list[Trace]:
    """Open diamonds with bars where there is a corrected share."""
    rows = records(shown[shown["corrected"].notna()])
    if not rows:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "Corrected for matching errors",
            # Aside, so that its interval does not hide in the band.
            "x": [periods.middle(row["period"], 0.12).isoformat() for row in rows],
            "y": [row["corrected"] for row in rows],
            "marker": {"symbol": "diamond-open", "size": 9, "color": GREY, "line": {"width": 2}},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [row["corrected_high"] - row["corrected"] for row in rows],
                "arrayminus": [row["corrected"] - row["corrected_low"] for row in rows],
                "color": rgba(GREY, 0.7),
                "thickness": 1.5,
                "width": 3,
            },
            "customdata": [_point(row) for row in rows],
            "hovertemplate": [_hover(row) for row in rows],
        }
    ]


def _levels(rows: pd.DataFrame, moves: pd.DataFrame) -> list[Trace]:
    """The share between changes as dashed lines."""
    if not len(moves):
        return []
    starts = [min(rows["period"]), *moves["period"]]
    shares = [moves["before"].iloc[0], *moves["after"]]
    ends = [*(periods.bounds(label)[0] for label in starts), periods.bounds(max(rows["period"]))[1]]
    edges = [day.isoformat() for day in ends]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Level between changes",
            "x": [day for at in range(len(shares)) for day in (*edges[at : at + 2], None)],
            "y": [value for share in shares for value in (share, share, None)],
            "line": {"color": GREY, "width": 1.6, "dash": "dash"},
            "hoverinfo": "skip",
        }
    ]


def _left_out(rows: pd.DataFrame) -> list[Trace]:
    """A cross at the bottom for every period whose share rests on too little."""
    few = records(rows[~rows["base_ok"]])
    if not few:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "Too little text for a share",
            "x": [periods.middle(row["period"]).isoformat() for row in few],
            "y": [0] * len(few),
            "cliponaxis": False,
            "marker": {"symbol": "x-thin-open", "size": 8, "color": GREY, "line": {"width": 2}},
            "customdata": [_point(row) for row in few],
            "hovertemplate": [_hover(row) for row in few],
        }
    ]


def _hover(row: dict[str, Any]) -> str:
    """A period in words: share, corrected share and count, or why there is no share."""
    total = words.count(int(row["total_paragraphs"]), "statement paragraph")
    share = f"Share {_limits(row, 'share')}" if row["base_ok"] else f"No share: {row['base_reason']}"
    corrected = f"<br>Corrected {_limits(row, 'corrected')}" if row["corrected"] == row["corrected"] else ""
    return (
        f"<b>{periods.in_words(row['period'])}</b><br>{wrapped(share, 44, 3)}{corrected}"
        f"<br>{int(row['paragraphs']):,} of {total}<extra></extra>"
    )


def _limits(row: dict[str, Any], name: str) -> str:
    return said.limits(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _point(row: dict[str, object]) -> dict[str, object]:
    """What a click on a period stands for."""
    return {"narrative": row["narrative_id"], "period": row["period"]}
