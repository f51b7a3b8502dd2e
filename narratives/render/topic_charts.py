"""The map of themes and topics: nested areas, as large as their numbers of paragraphs. Pure.

`rows` are records of topics with the fields of `store.queries.topics.TopicSums.groups` and their shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from narratives.render import phrases
from narratives.render.colours import GREY, PALETTE, format_rgba
from narratives.render.time_series import INTERACTION_MODES
from narratives.render.traces import NO_BACKGROUND, Figure, Trace, wrap_text

TopicColour = Literal["theme", "explained", "claims"]
WIDTH, HEIGHT = 160.0, 100.0  # of the map, in units of its axes
_PIXELS = 620  # height of the chart
_HEADER = 3.4  # height of a theme's heading, in units
MAX_AREAS = 14  # topics of a theme that have an area; the others share one
_LETTER_WIDTH = 0.95  # of a small letter, in units, in a chart of usual width
_LINE_HEIGHT = 2.6
_FILL, _HEADER_FILL, _REST_FILL = 0.34, 0.62, 0.12  # opacity: the text keeps its contrast on either background


class Area(NamedTuple):
    """A rectangle of the map: its left and lower edges, its width and its height."""

    left: float
    bottom: float
    width: float
    height: float


def divide_area(area: Area, sizes: Sequence[float]) -> list[Area]:
    """Divide a rectangle into one for each size, as square as possible; `sizes` are positive and falling.

    Method: squarified treemaps (Bruls, Huizing and van Wijk 2000).
    """
    areas: list[Area] = []
    rest, at = area, 0
    scale = area.width * area.height / sum(sizes) if sizes else 0.0
    while at < len(sizes):
        side = min(rest.width, rest.height)
        row = [sizes[at] * scale]
        while at + len(row) < len(sizes):
            longer = [*row, sizes[at + len(row)] * scale]
            if _compute_worst_ratio(longer, side) > _compute_worst_ratio(row, side):
                break
            row = longer
        depth = sum(row) / side if side else 0.0
        offset = 0.0
        for size in row:
            length = size / depth if depth else 0.0
            if rest.width >= rest.height:
                areas.append(Area(rest.left, rest.bottom + rest.height - offset - length, depth, length))
            else:
                areas.append(Area(rest.left + offset, rest.bottom + rest.height - depth, length, depth))
            offset += length
        if rest.width >= rest.height:
            rest = Area(rest.left + depth, rest.bottom, rest.width - depth, rest.height)
        else:
            rest = Area(rest.left, rest.bottom, rest.width, rest.height - depth)
        at += len(row)
    return areas


def _compute_worst_ratio(row: Sequence[float], side: float) -> float:
    total = sum(row)
    if not side or not total:
        return float("inf")
    return max(side * side * max(row) / total**2, total**2 / (side * side * min(row)))


def build_topic_map(
    themes: Sequence[Mapping[str, Any]], topics: Sequence[Mapping[str, Any]], colour: TopicColour
) -> Figure:
    """Draw the themes as areas with a heading, and their topics inside; both are largest first.

    The area of a topic is its number of paragraphs. With the colour "theme", neighbouring themes have different
    colours; otherwise a fuller colour means a larger share of paragraphs that the codebook explains, or that are
    worded like claims. A theme's smaller topics have one common area.
    """
    heads: list[tuple[Area, Mapping[str, Any], str, float]] = []
    cells: list[tuple[Area, Mapping[str, Any], str, float]] = []
    of_theme: dict[str, list[Mapping[str, Any]]] = {}
    for topic in topics:
        of_theme.setdefault(str(topic["theme_id"]), []).append(topic)
    shown = [theme for theme in themes if theme["topic_id"] in of_theme]
    places = divide_area(Area(0, 0, WIDTH, HEIGHT), [float(theme["paragraphs"]) for theme in shown])
    for number, (theme, place) in enumerate(zip(shown, places, strict=True)):
        shade = PALETTE[number % len(PALETTE)]
        head = min(_HEADER, place.height / 3)
        heads.append(
            (Area(place.left, place.bottom + place.height - head, place.width, head), theme, shade, _HEADER_FILL)
        )
        own = _join_small(of_theme[str(theme["topic_id"])])
        inside = Area(place.left, place.bottom, place.width, place.height - head)
        for topic, cell in zip(own, divide_area(inside, [float(topic["paragraphs"]) for topic in own]), strict=True):
            cells.append((cell, topic, *_choose_fill(topic, colour, shade)))
    if colour != "theme":
        heads = [(place, theme, GREY, 0.25) for place, theme, _, _ in heads]
    axis = {"visible": False, "fixedrange": True}
    return {
        "data": [_build_bars("Topics", cells, bold=False), _build_bars("Themes", heads, bold=True)],
        "layout": {
            "height": _PIXELS,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            **INTERACTION_MODES,
            "dragmode": False,
            "barmode": "overlay",
            "showlegend": False,
            "uniformtext": {"mode": "hide", "minsize": 10},
            **NO_BACKGROUND,
            "xaxis": {**axis, "range": [0, WIDTH]},
            "yaxis": {**axis, "range": [0, HEIGHT]},
        },
    }


def _join_small(topics: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the largest topics, and one area for the others, all largest first."""
    if len(topics) <= MAX_AREAS:
        return list(topics)
    rest = topics[MAX_AREAS - 1 :]
    joined = {
        "topic_id": topics[0]["theme_id"],
        "topic": f"{len(rest)} smaller topics",
        "paragraphs": sum(topic["paragraphs"] for topic in rest),
        "explained": sum(topic["explained"] for topic in rest),
        "claim_share": sum(topic["claim_share"] * topic["paragraphs"] for topic in rest)
        / max(1, sum(topic["paragraphs"] for topic in rest)),
        "share": sum(topic["share"] for topic in rest),
        "narrative": "",
        "joined": True,
    }
    return sorted([*topics[: MAX_AREAS - 1], joined], key=lambda topic: -int(topic["paragraphs"]))


def _choose_fill(topic: Mapping[str, Any], colour: TopicColour, shade: str) -> tuple[str, float]:
    if colour == "theme":
        return shade, _REST_FILL if topic.get("joined") else _FILL
    part = topic["explained"] / max(1, topic["paragraphs"]) if colour == "explained" else topic["claim_share"]
    return PALETTE[0], 0.06 + 0.6 * float(part)


def _build_bars(name: str, cells: Sequence[tuple[Area, Mapping[str, Any], str, float]], *, bold: bool) -> Trace:
    """Return the areas as bars, which unlike Plotly's treemap can be selected by a click."""
    return {
        "type": "bar",
        "name": name,
        "x": [round(cell.left + cell.width / 2, 3) for cell, *_ in cells],
        "width": [round(cell.width, 3) for cell, *_ in cells],
        "base": [round(cell.bottom, 3) for cell, *_ in cells],
        "y": [round(cell.height, 3) for cell, *_ in cells],
        "marker": {
            "color": [format_rgba(shade, round(fill, 3)) for _, _, shade, fill in cells],
            "line": {"width": 1, "color": "rgba(128,134,140,0.55)"},
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "text": [_fit_name(str(row["topic"]), cell, bold) for cell, row, *_ in cells],
        "textposition": "inside",
        "insidetextanchor": "middle" if bold else "end",
        "textangle": 0,
        "textfont": {"size": 11},
        "customdata": [{"topic": row["topic_id"]} for _, row, *_ in cells],
        "hovertemplate": [f"{_format_hover(row)}<extra></extra>" for _, row, *_ in cells],
    }


def _fit_name(name: str, cell: Area, bold: bool) -> str:
    """Return the words of a name that an area has room for, broken into lines; none of them is cut."""
    letters, lines = int(cell.width / _LETTER_WIDTH), 1 if bold else int(cell.height / _LINE_HEIGHT)
    words = name.split()
    fitting = list(takewhile(lambda word: len(word) <= letters - 2, words))  # an ellipsis may follow
    while fitting and not fitting[-1][-1].isalnum():  # the sign between two phrases
        fitting.pop()
    if not fitting or lines < 1:
        return ""
    text = wrap_text(" ".join(fitting) + (" …" if len(fitting) < len(words) else ""), letters, min(lines, 4))
    return f"<b>{text}</b>" if bold else text


def _format_hover(row: Mapping[str, Any]) -> str:
    count = phrases.format_count(int(row["paragraphs"]), "paragraph")
    lines = [f"<b>{wrap_text(str(row['topic']), 44, 3)}</b>", f"{count}, {phrases.format_fine_percent(row['share'])}"]
    if row["explained"]:
        part = phrases.format_percent(row["explained"] / row["paragraphs"])
        most = f", most: {wrap_text(str(row['narrative']), 40, 1)}" if row["narrative"] else ""
        lines.append(f"In a codebook narrative: {part}{most}")
    return "<br>".join(lines)


def describe_topic_map(themes: Sequence[Mapping[str, Any]], topics: Sequence[Mapping[str, Any]]) -> str:
    """Describe the map in a sentence, for readers who cannot see it."""
    named = [f"{theme['topic']} ({int(theme['paragraphs']):,})" for theme in themes[:10]]
    return (
        f"{phrases.format_count(len(themes), 'theme')} with {phrases.format_count(len(topics), 'topic')}. "
        f"The largest themes, with their paragraphs: {'; '.join(named)}."
    )
