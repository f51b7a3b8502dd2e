"""The marks that charts are made of: a line with its 95 % band, and event signs. Pure."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd

from narratives.show import periods, words
from narratives.show.colours import GREY, rgba

Measure = Literal["share", "count"]
Trace = dict[str, Any]
FEW = 12  # periods, up to which there is room for large marks


@dataclass(frozen=True, slots=True)
class Look:
    """What the charts of a page share: the time axis, the measure, the top of the scale."""

    labels: tuple[str, ...]
    measure: Measure
    top: float


def banded(rows: pd.DataFrame, colour: str, view: Look) -> list[Trace]:
    """A narrative's line over its 95 % band."""
    line = _line(rows, colour, view)
    return [*_bands(rows, colour, view), line] if view.measure == "share" else [line]


def whiskered(rows: pd.DataFrame, colour: str, view: Look, symbol: str, aside: float) -> Trace:
    """A narrative's line with its 95 % intervals as bars, for a chart that it shares with others.

    `aside` moves it along the time axis by that part of a period.
    """
    line = _line(rows, colour, view, symbol, aside)
    if view.measure == "share":
        found = _by_period(rows)
        edges = [
            (
                found[label]["share_high"] - found[label]["share"],
                found[label]["share"] - found[label]["share_low"],
            )
            if label in found
            else (None, None)
            for label in view.labels
        ]
        line["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [above for above, _ in edges],
            "arrayminus": [below for _, below in edges],
            "color": rgba(colour, 0.4),
            "thickness": 2 if len(view.labels) <= FEW else 1,
            "width": 0,
        }
    return line


def _line(rows: pd.DataFrame, colour: str, view: Look, symbol: str = "circle", aside: float = 0.0) -> Trace:
    found = _by_period(rows)
    column = "share" if view.measure == "share" else "paragraphs"
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": wrapped(str(rows["narrative"].iloc[0]), 60, 1),
        "x": _days(view, aside),
        "y": [found[label][column] if label in found else None for label in view.labels],
        "customdata": [{"narrative": rows["narrative_id"].iloc[0], "period": label} for label in view.labels],
        "connectgaps": False,
        "line": {"color": colour, "width": 2.2},
        "marker": {"color": colour, "symbol": symbol, "size": 7 if len(view.labels) <= FEW else 4},
        "hovertemplate": [_hover(found[label], view) if label in found else "" for label in view.labels],
        "showlegend": False,
    }


def _by_period(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {record["period"]: record for record in records(rows)}


def _days(view: Look, aside: float) -> list[str]:
    return [periods.middle(label, aside).isoformat() for label in view.labels]


def _bands(rows: pd.DataFrame, colour: str, view: Look) -> list[Trace]:
    """The interval as one closed shape a run of periods; a period that stands alone gets a bar."""
    found, xs = _by_period(rows), _days(view, 0.0)
    runs: list[list[int]] = [[]]
    for i, label in enumerate(view.labels):
        if label in found:
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    x: list[str | None] = []
    y: list[float | None] = []
    alone: list[int] = []
    for run in filter(None, runs):
        if len(run) == 1:
            alone += run
            continue
        x += [*(xs[i] for i in run), *(xs[i] for i in reversed(run)), None]
        y += [found[view.labels[i]]["share_high"] for i in run]
        y += [*(found[view.labels[i]]["share_low"] for i in reversed(run)), None]
    quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    shape = {
        **quiet,
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": rgba(colour, 0.17),
        "line": {"width": 0},
    }
    bars = [
        {
            **quiet,
            "x": [xs[i], xs[i]],
            "y": [found[view.labels[i]]["share_low"], found[view.labels[i]]["share_high"]],
            "line": {"color": rgba(colour, 0.4), "width": 6},
        }
        for i in alone
    ]
    return [*([shape] if x else []), *bars]


def _hover(row: Mapping[str, Any], view: Look) -> str:
    hits, total = int(row["paragraphs"]), int(row["total_paragraphs"])
    return (
        f"<b>{wrapped(str(row['narrative']), 40, 2)}</b>"
        f"<br>{periods.in_words(row['period'])}: {words.percent(row['share'])}"
        f"<br>95 % interval {row['share_low'] * 100:.1f}–{words.percent(row['share_high'])}"
        f"<br>{hits:,} of {words.count(total, 'statement paragraph')}<extra></extra>"
    )


def event_marks(events: Sequence[tuple[date, str]], top: float) -> list[Trace]:
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
                f"{day.day} {day:%b %Y}<br>{wrapped(name, 44, 4)}<extra></extra>" for day, name in events
            ],
            "showlegend": False,
        }
    ]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, each by its columns' names."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def wrapped(text: str, width: int, most: int) -> str:
    """Text as Plotly may draw it: broken into lines, its angle brackets harmless."""
    lines = textwrap.wrap(" ".join(text.split()), width, max_lines=most, placeholder=" …") or [""]
    return "<br>".join(html.escape(line, quote=False) for line in lines)
