"""The chart of coverage: a frame of documents by outlet and period in, a plain Plotly figure out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from narratives.show import coverage, periods, words
from narratives.show.charts import MODES
from narratives.show.colours import GREY, PALETTE, rgba
from narratives.show.coverage import Gap
from narratives.show.marks import FEW, wrapped

Figure = dict[str, Any]
Counted = Literal["documents", "statements"]
MOST_OUTLETS = 30
NOUN: dict[Counted, str] = {"documents": "document", "statements": "statement paragraph"}
_ROW, _NAME = 30, 20  # pixels of a row's height; letters of a line of an outlet's name
_FAINTEST = 0.28  # opacity of a single document, which must still stand out from the page


def heatmap(frame: pd.DataFrame, counted: Counted, missing: Sequence[Gap]) -> Figure:
    """Outlets in rows, most documents first, periods in columns; the fuller the colour the more text.

    One hue in growing opacity, so that it reads on a light and on a dark page, in grey, and with any colour
    vision. The scale goes by the square root, since outlets differ a hundredfold. Periods without any
    document between an outlet's first and last (`missing`) are marked with a dash; at most `MOST_OUTLETS`
    rows are drawn. `frame` must not be empty. Plotly lets nobody choose a heatmap's cell, so an unseen mark
    in the middle of every cell takes the clicks, from wherever in the cell: it is the nearest.
    """
    shown, labels = coverage.outlets(frame)[:MOST_OUTLETS], coverage.labels(frame)
    row_of = {outlet: at for at, outlet in enumerate(shown)}
    column_of = {label: at for at, label in enumerate(labels)}
    depth: list[list[float | None]] = [[None] * len(labels) for _ in shown]
    hover = [[_hover(outlet, label, 0, 0) for label in labels] for outlet in shown]
    for row in frame.to_dict("records"):
        if row["outlet"] in row_of:
            at, column = row_of[row["outlet"]], column_of[row["period"]]
            documents, statements = int(row["documents"]), int(row["statements"])
            depth[at][column] = int(row[counted]) ** 0.5 or None
            hover[at][column] = _hover(row["outlet"], row["period"], documents, statements)
    for gap in missing:
        if gap.outlet in row_of:
            for label in periods.between(gap.first, gap.last):
                hover[row_of[gap.outlet]][column_of[label]] = wrapped(gap.in_words, 44, 3)
    names = [wrapped(outlet or words.NOBODY, _NAME, 2) for outlet in shown]
    figure: Figure = {
        "data": [
            {
                "type": "heatmap",
                "x": list(range(len(labels))),
                "y": list(range(len(shown))),
                "z": depth,
                "zmin": 0,
                "zmax": max(1.0, float(frame[counted].max()) ** 0.5),
                "colorscale": [[0, rgba(PALETTE[0], _FAINTEST)], [1, rgba(PALETTE[0], 1)]],
                "showscale": False,
                "xgap": 1,
                "ygap": 3,
                "hoverinfo": "skip",
            },
            _targets(shown, labels, depth, hover),
            _dashes(missing, row_of, column_of, 6 if len(labels) <= FEW * 3 else 3),
        ],
        "layout": {
            "height": _ROW * len(shown) + 44,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 28},
            **MODES,
            "hoverdistance": -1,
            "showlegend": False,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": {
                **_axis(len(labels)),
                "tickvals": [column_of[label] for label in _marked(labels)],
                "ticktext": [
                    label[:4] if len(labels[0]) > 4 and _years(labels) > 1 else periods.in_words(label)
                    for label in _marked(labels)
                ],
            },
            "yaxis": {
                **_axis(len(shown)),
                "range": [len(shown) - 0.5, -0.5],
                "tickvals": list(range(len(shown))),
                "ticktext": names,
                "automargin": True,
            },
        },
    }
    return figure


def _targets(
    outlets: Sequence[str],
    labels: Sequence[str],
    depth: Sequence[Sequence[float | None]],
    hover: Sequence[Sequence[str]],
) -> dict[str, Any]:
    cells = [(at, column) for at in range(len(outlets)) for column in range(len(labels))]
    unseen = {"marker": {"opacity": 0}}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Cells",
        "x": [column for _, column in cells],
        "y": [at for at, _ in cells],
        "customdata": [
            {"outlet": outlets[at], "period": labels[column]} if depth[at][column] else None
            for at, column in cells
        ],
        "text": [hover[at][column] for at, column in cells],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "square", "size": 12, "opacity": 0, "color": GREY},
        "selected": unseen,
        "unselected": unseen,
    }


def _axis(number: int) -> dict[str, Any]:
    return {
        "range": [-0.5, number - 0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 11},
    }


def _years(labels: list[str]) -> int:
    return len({label[:4] for label in labels})


def _marked(labels: list[str]) -> list[str]:
    """At most eight periods that the axis names: the first of each year where there are several."""
    firsts = list({label[:4]: label for label in reversed(labels)}.values())[::-1]
    shown = firsts if len(firsts) > 1 else labels
    return shown[:: -(-len(shown) // 8)]


def _dashes(
    missing: Sequence[Gap], row_of: dict[str, int], column_of: dict[str, int], size: int
) -> dict[str, Any]:
    places = [
        (column_of[label], row_of[gap.outlet])
        for gap in missing
        if gap.outlet in row_of
        for label in periods.between(gap.first, gap.last)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "No document",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "marker": {"symbol": "line-ew", "size": size, "line": {"width": 1.5, "color": GREY}},
        "hoverinfo": "skip",
    }


def _hover(outlet: str, label: str, documents: int, statements: int) -> str:
    counts = (
        f"{words.count(documents, 'document')}, {words.count(statements, NOUN['statements'])}"
        if documents
        else "no document"
    )
    return f"<b>{wrapped(outlet or words.NOBODY, 40, 2)}</b><br>{periods.in_words(label)}: {counts}"
