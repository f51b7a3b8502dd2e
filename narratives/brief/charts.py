"""The brief's three charts as inline SVG: dark on white, told apart by place and words rather than colour.

Sizes are in units of the drawing; on a printed page one is about 0.27 mm. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from xml.etree.ElementTree import Element, tostring

import pandas as pd

from narratives.model import dates
from narratives.render import phrases
from narratives.render.traces import AxisSpec

INK_COLOUR, GREY_COLOUR, GRID_COLOUR = "#22252a", "#5c6168", "#dcd8d0"
ACCENT_COLOUR, BAND_COLOUR = "#1f5a7a", "#d3e0e7"
FONT_SIZE = 10.0
_LETTER_WIDTH = 0.54  # mean width of a letter in heights of the type
_SMALL_WIDTH, _SMALL_HEIGHT = 232.0, 84.0
_ROWS_WIDTH, _ROW_HEIGHT, _TALL_ROW_HEIGHT = 350.0, 13.6, 21.5
MAX_SHADE = 0.42  # how much accent the fullest cell has: text on it stays at 6:1 or better
MAX_WRITTEN_COUNTS = 12  # periods, up to which counts are written below the line


def build_trend_svg(rows: pd.DataFrame, look: AxisSpec, name: str, summary: str) -> Element:
    """One narrative over time: the line, its 95 % band, counts where there is no share.

    `rows` has period, paragraphs, share, share_low and share_high; `look` the common axes.
    """
    left, right, top, bottom = 30.0, _SMALL_WIDTH - 6, 8.0, _SMALL_HEIGHT - 17
    x = _make_scale(0, max(1, len(look.labels) - 1), left + 8, right - 8)
    y = _make_scale(0.0, look.top, bottom, top)
    place = {label: number for number, label in enumerate(look.labels)}
    at = {label: x(number) if len(place) > 1 else (left + right) / 2 for label, number in place.items()}
    drawn = [_build_grid_line(value, y(value), left, right, look.top) for value in compute_ticks(look.top, 3)]
    records = {str(row["period"]): row for row in rows.to_dict("records")}
    known = [
        (label, records[label])
        for label in look.labels
        if label in records and records[label]["share"] == records[label]["share"]
    ]
    dot = 2.2 if len(known) <= MAX_WRITTEN_COUNTS else 1.2
    runs = [
        [(at[label], row) for _, (label, row) in run]
        for _, run in groupby(enumerate(known), lambda pair: place[pair[1][0]] - pair[0])
    ]
    for run in runs:
        upper = [(x0, y(min(row["share_high"], look.top))) for x0, row in run]
        lower = [(x0, y(row["share_low"])) for x0, row in reversed(run)]
        if len(run) == 1:
            drawn.append(_build_polyline([upper[0], lower[0]], BAND_COLOUR, 6.0))
        else:
            drawn.append(make_element("polygon", {"points": _format_points([*upper, *lower]), "fill": BAND_COLOUR}))
    for run in runs:
        drawn.append(_build_polyline([(x0, y(row["share"])) for x0, row in run], ACCENT_COLOUR, 1.8))
        drawn += [
            make_element("circle", {"cx": x0, "cy": y(row["share"]), "r": dot, "fill": ACCENT_COLOUR})
            for x0, row in run
        ]
    for label, row in records.items():
        if row["share"] != row["share"] and len(look.labels) <= MAX_WRITTEN_COUNTS:
            drawn.append(_build_text(f"({int(row['paragraphs']):,})", at[label], bottom - 4, GREY_COLOUR, "middle", 9))
        elif row["share"] != row["share"]:
            drawn.append(
                make_element("circle", {"cx": at[label], "cy": bottom, "r": 1.5, "fill": "#fff", "stroke": GREY_COLOUR})
            )
    drawn += _build_time_axis(look.labels, at, bottom)
    return _build_svg(_SMALL_WIDTH, _SMALL_HEIGHT, name, summary, drawn)


def build_ranking_svg(rows: pd.DataFrame, title: str) -> Element:
    """A row a narrative, numbered: the share as a dot, its 95 % interval as a bar, the figures beside it.

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
    said = []
    for number, row in enumerate(rows.to_dict("records"), 1):
        middle = head + _ROW_HEIGHT * (number - 0.5)
        drawn.append(_build_text(f"{number}", 12, middle + 3.5, GREY_COLOUR, "end"))
        name = str(row["narrative"])
        drawn.append(_build_text(truncate_text(name, left - 24), 17, middle + 3.5, INK_COLOUR, whole=name))
        if row["share"] == row["share"]:
            drawn.append(
                _build_polyline([(x(row["share_low"]), middle), (x(row["share_high"]), middle)], BAND_COLOUR, 7.0)
            )
            drawn.append(make_element("circle", {"cx": x(row["share"]), "cy": middle, "r": 3.2, "fill": ACCENT_COLOUR}))
            figures = f"{phrases.format_percent(row['share'])} · {int(row['paragraphs']):,}"
            limits = f" ({row['share_low'] * 100:.1f} to {row['share_high'] * 100:.1f})"
        else:
            figures, limits = f"too few · {int(row['paragraphs']):,}", ""
        drawn.append(_build_text(figures, _ROWS_WIDTH - 2, middle + 3.5, INK_COLOUR, "end"))
        said.append(f"{name}: {figures}{limits}")
    return _build_svg(_ROWS_WIDTH, height, title, ". ".join(said) + ".", drawn)


def build_heatmap_svg(rows: pd.DataFrame, columns: Sequence[str], title: str, empty: str) -> Element:
    """A row a group, a column a narrative (by number): the share of the group's own, the deeper the higher.

    `rows` has group, narrative_id, narrative, paragraphs, total_paragraphs and share, `columns` are narrative
    ids; `empty` stands for a group without a name. Where there is no share the count stands in brackets.
    """
    left, head = 132.0, 16.0
    wide = (_ROWS_WIDTH - left) / max(1, len(columns))
    top = max([0.001, *rows["share"].dropna()])
    groups = list(dict.fromkeys(rows["group"]))
    drawn = [
        _build_text(f"{number}", left + wide * (number - 0.5), head - 5, GREY_COLOUR, "middle")
        for number in range(1, len(columns) + 1)
    ]
    said = []
    found = {(row["group"], row["narrative_id"]): row for row in rows.to_dict("records")}
    for place, group in enumerate(groups):
        upper, name = head + _TALL_ROW_HEIGHT * place, str(group) or empty
        first = found[group, columns[0]]
        drawn.append(_build_text(truncate_text(name, left - 8), 0, upper + 9, INK_COLOUR, whole=name))
        drawn.append(_build_text(f"of {int(first['total_paragraphs']):,}", 0, upper + 18, GREY_COLOUR, size=8.5))
        cells = []
        for number, key in enumerate(columns):
            row = found[group, key]
            share = row["share"]
            shown = f"{share * 100:.1f}" if share == share else f"({int(row['paragraphs']):,})"
            depth = MAX_SHADE * share / top if share == share else 0.0
            box = {
                "x": left + wide * number + 1,
                "y": upper,
                "width": wide - 2,
                "height": _TALL_ROW_HEIGHT - 2,
            }
            drawn.append(
                make_element("rect", {**box, "fill": compute_shade(depth), "stroke": GRID_COLOUR, "stroke-width": 0.6})
            )
            ink = INK_COLOUR if share == share else GREY_COLOUR
            drawn.append(_build_text(shown, left + wide * (number + 0.5), upper + 13.5, ink, "middle"))
            cells.append(f"{row['narrative']} {shown}{' %' if share == share else ' paragraphs'}")
        said.append(f"{name}: {', '.join(cells)}")
    height = head + _TALL_ROW_HEIGHT * len(groups)
    return _build_svg(_ROWS_WIDTH, height, title, ". ".join(said) + ".", drawn)


def compute_ticks(top: float, most: int) -> list[float]:
    """Round values from 0 to at most `top`, at most `most` of them above 0."""
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * most >= top * 0.999)
    return [step * n for n in range(int(top / step + 1e-9) + 1)]


def truncate_text(text: str, width: float) -> str:
    """Text as long as `width` has room for, with an ellipsis where something is left out."""
    room = int(width / (FONT_SIZE * _LETTER_WIDTH))
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def compute_shade(depth: float) -> str:
    """White with that part of the accent, as `#rrggbb`."""
    parts = (int(ACCENT_COLOUR[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * depth):02x}" for part in parts)


def _make_scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """A linear scale from one range to another."""
    slope = (end - start) / ((high - low) or 1.0)
    return lambda value: start + (value - low) * slope


def _format_percent(value: float, top: float) -> str:
    digits = 0 if top >= 0.03 else 1 if top >= 0.003 else 2
    return f"{value * 100:.{digits}f} %"


def _build_grid_line(value: float, y: float, left: float, right: float, top: float) -> Element:
    label = _build_text(_format_percent(value, top), left - 3, y + 3, GREY_COLOUR, "end", 9)
    return make_element("g", {}, _build_polyline([(left, y), (right, y)], GRID_COLOUR, 0.8), label)


def _build_time_axis(labels: Sequence[str], at: dict[str, float], bottom: float) -> list[Element]:
    """At most five labels: years where there are several, each where its first period stands."""
    firsts = list({label[:4]: label for label in reversed(labels)}.values())[::-1]
    shown = firsts if len(firsts) > 1 else list(labels)
    step = -(-len(shown) // 5)
    return [
        _build_text(
            label[:4] if len(firsts) > 1 else dates.describe_period(label),
            at[label],
            bottom + 12,
            GREY_COLOUR,
            "middle",
            9,
        )
        for label in shown[::step]
    ]


def _build_text(
    text: str, x: float, y: float, fill: str, anchor: str = "start", size: float = FONT_SIZE, whole: str = ""
) -> Element:
    """A line of text; `whole` is what it says in full, shown by browsers where it was cut."""
    title = make_element("title", {}, whole) if whole and whole != text else None
    return make_element("text", {"x": x, "y": y, "fill": fill, "text-anchor": anchor, "font-size": size}, text, title)


def _build_polyline(points: Sequence[tuple[float, float]], colour: str, width: float) -> Element:
    return make_element(
        "polyline",
        {"points": _format_points(points), "fill": "none", "stroke": colour, "stroke-width": width},
    )


def _format_points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _build_svg(width: float, height: float, title: str, description: str, drawn: Sequence[Element]) -> Element:
    """The drawing with its name and, in words, what it shows: for those who cannot see it."""
    attributes = {
        "viewBox": f"0 0 {width:g} {height:g}",
        "role": "img",
        "aria-label": f"{title}. {description}",
    }
    return make_element(
        "svg", attributes, make_element("title", {}, title), make_element("desc", {}, description), *drawn
    )


NO_ATTRIBUTES: Mapping[str, object] = MappingProxyType({})


def make_element(
    name: str, attributes: Mapping[str, object] = NO_ATTRIBUTES, *content: Element | str | None
) -> Element:
    """An element with its attributes and, in order, the elements and texts within it; None is left out."""
    made = Element(name, {key: _format_attribute(value) for key, value in attributes.items()})
    for part in content:
        if isinstance(part, Element):
            made.append(part)
        elif part and len(made):
            made[-1].tail = (made[-1].tail or "") + part
        elif part:
            made.text = (made.text or "") + part
    return made


def serialize_page(root: Element) -> str:
    """The whole page as HTML."""
    return f"<!DOCTYPE html>\n{tostring(root, encoding='unicode', method='html')}\n"


def _format_attribute(value: object) -> str:
    """A value as an attribute; lengths to a hundredth, which is finer than print."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
