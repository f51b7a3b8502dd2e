"""The map as a chart: a frame of points in, a plain Plotly figure out. Pure.

A frame has one row per point: x, y, text, speaker, date, year and narrative_ids. The chart is SVG: a few
thousand points need no WebGL, which some browsers lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from narratives.render import phrases
from narratives.render.colours import GREY, PALETTE, make_distinct, make_legible
from narratives.render.time_series import INTERACTION_MODES
from narratives.render.traces import MARKS, Figure, wrap_text

ColourBy = Literal["narrative", "year", "speaker"]

MAX_NAMED_GROUPS = 10  # groups with their own colour, symbol and number
OTHER_LABELS = {"narrative": "other narratives", "year": "earlier years", "speaker": "other speakers"}
MISSING_LABELS = {"narrative": "in no narrative", "year": "undated", "speaker": "no speaker named"}
GROUP_SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "triangle-down",
    "x",
    "pentagon",
    "hexagram",
    "star-diamond",
)
# Six of the palette, and four hues between them.
GROUP_COLOURS = (*PALETTE, *map(make_legible, ("#5a67c9", "#6b9a2d", "#8f6b4a", "#d0559b")))
_YEAR_COLOURS = ("#3b4cc0", "#2f7fb8", "#2a9187", "#6b9a2d", "#b8860b", "#c4612a", "#b2283c")  # old to new
_HOVER_WIDTH, _HOVER_LINES = 44, 2
_AXIS_LIMIT = 10.6  # the map is the square from -10 to 10
MAP_PLOTLY_CONFIG = {
    "displaylogo": False,
    "displayModeBar": True,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["autoScale2d", "toImage"],
}


@dataclass(frozen=True, slots=True)
class PointGroup:
    """Points with the same colour; `rows` are their positions in the frame, and a grey group has number 0."""

    name: str
    number: int
    colour: str
    symbol: str
    rows: tuple[int, ...]


def group_points(
    frame: pd.DataFrame, by: ColourBy, names: Mapping[str, str], colours: Mapping[str, str]
) -> list[PointGroup]:
    """Group the points by their first narrative, year or speaker; grey groups come first, below the others.

    At most ten groups are named: the latest years, or the largest narratives and speakers. The others are in
    one grey group, and points without any in another. `names` and `colours` of narratives are by id.
    """
    if by == "narrative":
        keys = [str(ids[0]) if len(ids) else "" for ids in frame["narrative_ids"]]
    else:
        keys = frame[by].astype(str).tolist()
    rows_by_key: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows_by_key.setdefault(key, []).append(row)
    ungrouped = rows_by_key.pop("", [])
    if by == "year":
        named = sorted(sorted(rows_by_key, reverse=True)[:MAX_NAMED_GROUPS])
        shades = {key: _choose_year_colour(at, len(named)) for at, key in enumerate(named)}
    else:
        named = sorted(rows_by_key, key=lambda key: (-len(rows_by_key[key]), key))[:MAX_NAMED_GROUPS]
        own = colours if by == "narrative" else {}
        wanted = {key: own.get(key, GROUP_COLOURS[at]) for at, key in enumerate(named)}
        shades = make_distinct(wanted) if by == "narrative" else wanted
    others = sorted(row for key, rows in rows_by_key.items() if key not in named for row in rows)
    grey = [
        PointGroup(MISSING_LABELS[by], 0, GREY, "circle-open", tuple(ungrouped)),
        PointGroup(OTHER_LABELS[by], 0, GREY, "circle", tuple(others)),
    ]
    return [group for group in grey if group.rows] + [
        PointGroup(names.get(key, key), at + 1, shades[key], GROUP_SYMBOLS[at], tuple(rows_by_key[key]))
        for at, key in enumerate(named)
    ]


def build_map_figure(frame: pd.DataFrame, groups: Sequence[PointGroup], by: ColourBy) -> Figure:
    """Draw one trace for each group, in order, and the number of each named narrative at its middle.

    Years and speakers get no number: they are spread over the map, so that a middle means nothing.
    """
    numbered = by == "narrative"
    xs, ys = (frame[name].astype("float64").round(2).tolist() for name in ("x", "y"))
    hovers = [_format_hover(*columns) for columns in zip(frame["text"], frame["speaker"], frame["date"], strict=True)]
    traces, numbers = [], []
    for group in groups:
        x, y = [xs[row] for row in group.rows], [ys[row] for row in group.rows]
        label = wrap_text(group.name, 40, 1)
        size, opacity = (7 if numbered else 5, 0.8) if group.number else (4, 0.35)
        traces.append(
            {
                **MARKS,
                "name": f"<b>{group.number}</b> {label}" if group.number and numbered else label,
                "legendrank": group.number or 1000,
                "x": x,
                "y": y,
                "text": [hovers[row] for row in group.rows],
                "hovertemplate": f"<b>{label}</b><br>%{{text}}<extra></extra>",
                "marker": {"color": group.colour, "symbol": group.symbol, "size": size, "opacity": opacity},
                "unselected": {"marker": {"opacity": 0.15}},
            }
        )
        if group.number and numbered:
            at = _find_medoid(x, y)
            numbers.append(_build_number_label(group, x[at], y[at]))
    axis = {"visible": False, "range": [-_AXIS_LIMIT, _AXIS_LIMIT], "fixedrange": False}
    return {
        "data": traces,
        "layout": {
            "height": 660,
            "margin": {"l": 0, "r": 0, "t": 34, "b": 0},
            "xaxis": dict(axis),
            "yaxis": dict(axis),
            "annotations": numbers,
            **INTERACTION_MODES,
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 0,
                "yanchor": "top",
                "itemsizing": "constant",
                "font": {"size": 12},
            },
        },
    }


def describe_map(frame: pd.DataFrame, groups: Sequence[PointGroup], by: ColourBy) -> str:
    """Describe the chart, for readers who cannot see it."""
    sizes = [f"{group.name} {len(group.rows):,}" for group in reversed(groups)]
    return (
        f"Map of {phrases.format_count(len(frame), 'paragraph')} by similarity of content, coloured by {by}: "
        f"{', '.join(sizes)}."
    )


def _choose_year_colour(at: int, many: int) -> str:
    return make_legible(
        _YEAR_COLOURS[round(at * (len(_YEAR_COLOURS) - 1) / max(1, many - 1))] if many > 1 else PALETTE[0]
    )


def _format_hover(text: str, speaker: str, when: str) -> str:
    who = " · ".join(part for part in (when, speaker) if part)
    lines = wrap_text(text, _HOVER_WIDTH, _HOVER_LINES)
    return f"{wrap_text(who, _HOVER_WIDTH, 1)}<br>{lines}" if who else lines


def _find_medoid(x: Sequence[float], y: Sequence[float]) -> int:
    """Return the position of the point with the least total distance to the others; at most 300 are tried."""
    step = max(1, len(x) // 300)
    return min(
        range(0, len(x), step),
        key=lambda i: sum(((x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2) ** 0.5 for j in range(0, len(x), step)),
    )


def _build_number_label(group: PointGroup, x: float, y: float) -> dict[str, Any]:
    return {
        # The text sets its own colour, because Streamlit gives all other text the colour of the theme.
        "text": f"<b><span style='color:#15181c'>{group.number}</span></b>",
        "x": x,
        "y": y,
        "showarrow": False,
        "font": {"size": 13},
        "bgcolor": "rgba(253,252,250,0.88)",
        "bordercolor": group.colour,
        "borderwidth": 2,
        "borderpad": 2,
    }
