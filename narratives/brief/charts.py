"""The brief's three charts as inline SVG: dark on white, distinct by position and words, not colour. Pure.

Sizes are in units of the drawing; on a printed page, one unit is about 0.27 mm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, tostring

import pandas as pd

from narratives.model import dates
from narratives.model.printable import remove_controls
from narratives.render import phrases, time_series
from narratives.render.traces import AxisSpec, select_tick_labels, to_records

INK_COLOUR, GREY_COLOUR, GRID_COLOUR = "#22252a", "#5c6168", "#dcd8d0"
ACCENT_COLOUR, BAND_COLOUR = "#1f5a7a", "#d3e0e7"
FONT_SIZE = 10.0
_LETTER_WIDTH = 0.54  # mean width of a letter relative to the font size
_SMALL_WIDTH, _SMALL_HEIGHT = 232.0, 84.0
_ROWS_WIDTH, _ROW_HEIGHT, _TALL_ROW_HEIGHT = 350.0, 13.6, 21.5
MAX_SHADE = 0.42  # part of the accent in the fullest cell; text on it keeps a contrast of 6:1 or better
MAX_WRITTEN_COUNTS = 12  # periods; with more, dots replace written counts


def build_trend_svg(rows: pd.DataFrame, axes: AxisSpec) -> str:
    """Draw one narrative over time: the line, its 95 % band, and counts where there is no share.

    `rows` has narrative, period, paragraphs, share, share_low and share_high. `axes` are the common axes.
    """
    left, right, top, bottom = 30.0, _SMALL_WIDTH - 6, 8.0, _SMALL_HEIGHT - 17
    x = _make_scale(0, max(1, len(axes.labels) - 1), left + 8, right - 8)
    y = _make_scale(0.0, axes.top, bottom, top)
    place = {label: number for number, label in enumerate(axes.labels)}
    at = {label: x(number) if len(place) > 1 else (left + right) / 2 for label, number in place.items()}
    drawn = [_build_grid_line(value, y(value), left, right, axes.top) for value in compute_ticks(axes.top, 3)]
    records = {str(row["period"]): row for row in to_records(rows)}
    known = [
        (label, records[label]) for label in axes.labels if label in records and not math.isnan(records[label]["share"])
    ]
    dot = 2.2 if len(known) <= MAX_WRITTEN_COUNTS else 1.2
    runs = [
        [(at[label], row) for _, (label, row) in run]
        for _, run in groupby(enumerate(known), lambda pair: place[pair[1][0]] - pair[0])
    ]
    for run in runs:
        upper = [(x0, y(min(row["share_high"], axes.top))) for x0, row in run]
        lower = [(x0, y(row["share_low"])) for x0, row in reversed(run)]
        if len(run) == 1:
            drawn.append(_build_polyline([upper[0], lower[0]], BAND_COLOUR, 6.0))
        else:
            drawn.append(_make_element("polygon", {"points": _format_points([*upper, *lower]), "fill": BAND_COLOUR}))
    for run in runs:
        drawn.append(_build_polyline([(x0, y(row["share"])) for x0, row in run], ACCENT_COLOUR, 1.8))
        drawn += [_build_dot(x0, y(row["share"]), dot) for x0, row in run]
    for label, row in records.items():
        if math.isnan(row["share"]) and len(axes.labels) <= MAX_WRITTEN_COUNTS:
            drawn.append(_build_text(f"({int(row['paragraphs']):,})", at[label], bottom - 4, GREY_COLOUR, "middle", 9))
        elif math.isnan(row["share"]):
            drawn.append(
                _make_element(
                    "circle", {"cx": at[label], "cy": bottom, "r": 1.5, "fill": "#fff", "stroke": GREY_COLOUR}
                )
            )
    drawn += _build_time_axis(axes.labels, at, bottom)
    summary = time_series.describe_time_series(list(records.values()), axes)
    return _build_svg(_SMALL_WIDTH, _SMALL_HEIGHT, str(rows["narrative"].iloc[0]), summary, drawn)


def build_ranking_svg(rows: pd.DataFrame, title: str) -> str:
    """Draw a numbered row for each narrative: the share as a dot, its 95 % interval as a bar, and figures.

    `rows` has narrative, paragraphs, share, share_low, share_high and base_reason, in the order of the rows.
    """
    left, right, head = 188.0, _ROWS_WIDTH - 76, 14.0
    top = max([0.001, *rows["share_high"].dropna()])
    x = _make_scale(0.0, top, left, right)
    height = head + _ROW_HEIGHT * len(rows) + 4
    drawn = [
        part
        for value in compute_ticks(top, 3)
        for part in (
            _build_polyline([(x(value), head), (x(value), height - 4)], GRID_COLOUR, 0.8),
            _build_text(_format_percent(value, top), x(value), head - 5, GREY_COLOUR, "middle", 9),
        )
    ]
    summaries = []
    for number, row in enumerate(rows.to_dict("records"), 1):
        middle = head + _ROW_HEIGHT * (number - 0.5)
        drawn.append(_build_text(f"{number}", 12, middle + 3.5, GREY_COLOUR, "end"))
        name = str(row["narrative"])
        drawn.append(_build_text(truncate_text(name, left - 24), 17, middle + 3.5, INK_COLOUR, whole=name))
        if not math.isnan(row["share"]):
            ends = [(x(row["share_low"]), middle), (x(row["share_high"]), middle)]
            drawn.append(_build_polyline(ends, BAND_COLOUR, 7.0))
            drawn.append(_build_dot(x(row["share"]), middle, 3.2))
            figures = f"{phrases.format_percent(row['share'])} · {int(row['paragraphs']):,}"
            limits = f" ({row['share_low'] * 100:.1f} to {row['share_high'] * 100:.1f})"
        else:
            figures, limits = f"too few · {int(row['paragraphs']):,}", ""
        drawn.append(_build_text(figures, _ROWS_WIDTH - 2, middle + 3.5, INK_COLOUR, "end"))
        summaries.append(f"{name}: {figures}{limits}")
    return _build_svg(_ROWS_WIDTH, height, title, ". ".join(summaries) + ".", drawn)


def build_heatmap_svg(rows: pd.DataFrame, columns: Sequence[str], title: str, empty: str) -> str:
    """Draw a row for each group and a numbered column for each narrative; a deeper colour is a higher share.

    `rows` has group, narrative_id, narrative, paragraphs, total_paragraphs and share, `columns` are narrative
    ids; `empty` is the label of a group without a name. Where there is no share, the count is in brackets.
    """
    left, head = 132.0, 16.0
    wide = (_ROWS_WIDTH - left) / max(1, len(columns))
    top = max([0.001, *rows["share"].dropna()])
    groups = list(dict.fromkeys(rows["group"]))
    drawn = [
        _build_text(f"{number}", left + wide * (number - 0.5), head - 5, GREY_COLOUR, "middle")
        for number in range(1, len(columns) + 1)
    ]
    summaries = []
    cell_of = {(row["group"], row["narrative_id"]): row for row in to_records(rows)}
    for place, group in enumerate(groups):
        upper, name = head + _TALL_ROW_HEIGHT * place, str(group) or empty
        first = cell_of[group, columns[0]]
        drawn.append(_build_text(truncate_text(name, left - 8), 0, upper + 9, INK_COLOUR, whole=name))
        drawn.append(_build_text(f"of {int(first['total_paragraphs']):,}", 0, upper + 18, GREY_COLOUR, size=8.5))
        cells = []
        for number, key in enumerate(columns):
            row = cell_of[group, key]
            known = not math.isnan(row["share"])
            shown = f"{row['share'] * 100:.1f}" if known else f"({int(row['paragraphs']):,})"
            depth = MAX_SHADE * row["share"] / top if known else 0.0
            box = {"x": left + wide * number + 1, "y": upper, "width": wide - 2, "height": _TALL_ROW_HEIGHT - 2}
            drawn.append(
                _make_element("rect", {**box, "fill": compute_shade(depth), "stroke": GRID_COLOUR, "stroke-width": 0.6})
            )
            ink = INK_COLOUR if known else GREY_COLOUR
            drawn.append(_build_text(shown, left + wide * (number + 0.5), upper + 13.5, ink, "middle"))
            cells.append(f"{row['narrative']} {shown}{' %' if known else ' paragraphs'}")
        summaries.append(f"{name}: {', '.join(cells)}")
    height = head + _TALL_ROW_HEIGHT * len(groups)
    return _build_svg(_ROWS_WIDTH, height, title, ". ".join(summaries) + ".", drawn)


def compute_ticks(top: float, most: int) -> list[float]:
    """Return round values from 0 to at most `top`, at most `most` of them above 0."""
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * most >= top * 0.999)
    return [step * n for n in range(int(top / step + 1e-9) + 1)]


def truncate_text(text: str, width: float) -> str:
    """Cut text to `width`, with an ellipsis where something is left out."""
    room = int(width / (FONT_SIZE * _LETTER_WIDTH))
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def compute_shade(depth: float) -> str:
    """Mix white with that part of the accent colour, as `#rrggbb`."""
    parts = (int(ACCENT_COLOUR[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * depth):02x}" for part in parts)


def _make_scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Return a linear scale from one range to another."""
    slope = (end - start) / ((high - low) or 1.0)
    return lambda value: start + (value - low) * slope


def _format_percent(value: float, top: float) -> str:
    digits = 0 if top >= 0.03 else 1 if top >= 0.003 else 2
    return f"{value * 100:.{digits}f} %"


def _build_grid_line(value: float, y: float, left: float, right: float, top: float) -> Element:
    label = _build_text(_format_percent(value, top), left - 3, y + 3, GREY_COLOUR, "end", 9)
    return _make_element("g", {}, children=[_build_polyline([(left, y), (right, y)], GRID_COLOUR, 0.8), label])


def _build_time_axis(labels: Sequence[str], at: dict[str, float], bottom: float) -> list[Element]:
    """Draw at most five labels: years where there are several, each at its first period."""
    shown, yearly = select_tick_labels(labels, 5)
    return [
        _build_text(
            label[:4] if yearly else dates.describe_period(label), at[label], bottom + 12, GREY_COLOUR, "middle", 9
        )
        for label in shown
    ]


def _build_text(
    text: str, x: float, y: float, fill: str, anchor: str = "start", size: float = FONT_SIZE, whole: str = ""
) -> Element:
    """Draw a line of text; where it was cut, browsers show `whole` on hover."""
    attributes = {"x": x, "y": y, "fill": fill, "text-anchor": anchor, "font-size": size}
    titles = [_make_element("title", {}, whole)] if whole and whole != text else []
    return _make_element("text", attributes, text, titles)


def _build_polyline(points: Sequence[tuple[float, float]], colour: str, width: float) -> Element:
    return _make_element(
        "polyline", {"points": _format_points(points), "fill": "none", "stroke": colour, "stroke-width": width}
    )


def _build_dot(x: float, y: float, radius: float) -> Element:
    return _make_element("circle", {"cx": x, "cy": y, "r": radius, "fill": ACCENT_COLOUR})


def _format_points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _build_svg(width: float, height: float, title: str, description: str, drawn: Sequence[Element]) -> str:
    """Return the drawing as markup, with its name and a description for readers who cannot see it."""
    attributes = {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": f"{title}. {description}"}
    labels = [_make_element("title", {}, title), _make_element("desc", {}, description)]
    svg = _make_element("svg", attributes, children=[*labels, *drawn])
    return tostring(svg, encoding="unicode", method="html")


def _make_element(
    name: str, attributes: Mapping[str, object], text: str = "", children: Sequence[Element] = ()
) -> Element:
    """Return an element with its attributes, its text and then its children.

    Lengths are written to a hundredth of a unit, which is finer than print.
    """
    element = Element(name, {key: _format_attribute(value) for key, value in attributes.items()})
    element.text = remove_controls(text)
    element.extend(children)
    return element


def _format_attribute(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else remove_controls(str(value))
