"""Coverage in words and tables: which outlet has text of when, and where it has none. Pure.

Every frame has the columns outlet, period, documents and statements, one row an outlet and period with text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from narratives.model import Granularity, dates
from narratives.render import phrases
from narratives.render.colours import GREY, PALETTE, format_rgba
from narratives.render.time_series import INTERACTION_MODES
from narratives.render.traces import MAX_LARGE_MARKS, wrap_text

MAX_PERIODS = 72  # that a phone can still tell apart
MIN_DATED_FRACTION = 0.9  # of the dated documents must have a month for months or quarters to be shown unasked


class Gap(NamedTuple):
    """A run of periods in which an outlet has no document: the first and last label, and how many."""

    outlet: str
    first: str
    last: str
    periods: int

    @property
    def length(self) -> str:
        """`4 months`."""
        return phrases.format_count(self.periods, dates.GRANULARITY_NOUNS[dates.detect_granularity(self.first)])

    @property
    def in_words(self) -> str:
        """`No document of MFA from Mar 2017 to Jun 2017 (4 months).`"""
        return f"No document of {_format_outlet(self.outlet)} {format_period_range(self.first, self.last)} ({self.length})."  # noqa: E501


def choose_period_length(years: Sequence[str], dated: pd.DataFrame) -> Granularity:
    """The shortest period that keeps the chart legible and hides few documents.

    `dated` has columns date_precision and documents; documents dated to the year stand in no month.
    """
    counts = dated.groupby("date_precision")["documents"].sum()
    fine, coarse = int(counts.get("day", 0) + counts.get("month", 0)), int(counts.get("year", 0))
    if not years or fine < MIN_DATED_FRACTION * (fine + coarse):
        return "year"
    span = int(max(years)) - int(min(years)) + 1
    if span * 12 <= MAX_PERIODS:
        return "month"
    return "quarter" if span * 4 <= MAX_PERIODS else "year"


def list_outlets(frame: pd.DataFrame) -> list[str]:
    """The outlets, most documents first."""
    totals = frame.groupby("outlet")["documents"].sum()
    return sorted(totals.index, key=lambda name: (-int(totals[name]), name))


def list_periods(frame: pd.DataFrame) -> list[str]:
    """All periods from the first with text to the last, those without text included."""
    return dates.list_period_labels(min(frame["period"]), max(frame["period"])) if len(frame) else []


def find_gaps(frame: pd.DataFrame) -> list[Gap]:
    """The periods without any document, longest gap first.

    A gap lies between an outlet's own first and last period with text: what was before or after is not known
    to be missing.
    """
    found: list[Gap] = []
    for outlet in list_outlets(frame):
        has = set(frame.loc[frame["outlet"] == outlet, "period"])
        run: list[str] = []
        for label in dates.list_period_labels(min(has), max(has)):
            if label not in has:
                run.append(label)
            elif run:
                found.append(Gap(outlet, run[0], run[-1], len(run)))
                run = []
    return sorted(found, key=lambda gap: (-gap.periods, gap.first, gap.outlet))


def format_period_range(first: str, last: str) -> str:
    """A run of periods in words: `in Mar 2017`, `from Mar 2017 to Jun 2017`."""
    start, end = dates.describe_period(first), dates.describe_period(last)
    return f"in {start}" if first == last else f"from {start} to {end}"


def select_gaps(frame: pd.DataFrame, missing: Sequence[Gap], most: int = 3) -> list[Gap]:
    """The longest gap of each of the largest outlets that have one: a small outlet is nearly all gaps."""
    longest = {gap.outlet: gap for gap in reversed(missing)}
    return [longest[outlet] for outlet in list_outlets(frame) if outlet in longest][:most]


def build_outlet_table(frame: pd.DataFrame, missing: Sequence[Gap]) -> pd.DataFrame:
    """Columns outlet, documents, statements, first, last, gap: one row an outlet, most documents first.

    `gap` is the longest of `missing` (see `gaps`) in words, empty where the outlet has none.
    """
    longest = {gap.outlet: gap for gap in reversed(missing)}
    rows = []
    for outlet in list_outlets(frame):
        own = frame[frame["outlet"] == outlet]
        gap = longest.get(outlet)
        counts = int(own["documents"].sum()), int(own["statements"].sum())
        ends = dates.describe_period(own["period"].min()), dates.describe_period(own["period"].max())
        rows.append(
            (
                _format_outlet(outlet),
                *counts,
                *ends,
                f"{gap.length}, {format_period_range(gap.first, gap.last)}" if gap else "",
            )
        )
    return pd.DataFrame(rows, columns=["outlet", "documents", "statements", "first", "last", "gap"])


def describe_coverage(frame: pd.DataFrame, missing: Sequence[Gap]) -> str:
    """The chart in a few sentences, for those who cannot see it."""
    named = list_outlets(frame)
    parts = [
        f"{phrases.format_count(int(frame['documents'].sum()), 'document')} of "
        f"{phrases.format_count(len(named), 'outlet')} "
        f"{format_period_range(min(frame['period']), max(frame['period']))}."
    ]
    for outlet in named[:3]:
        own = frame[frame["outlet"] == outlet]
        most = own.sort_values(["documents", "period"]).iloc[-1]
        parts.append(
            f"{_format_outlet(outlet)}: {phrases.format_count(int(own['documents'].sum()), 'document')}, most "
            f"({int(most['documents']):,}) in {dates.describe_period(most['period'])}."
        )
    parts += [gap.in_words for gap in select_gaps(frame, missing, 1)]
    return " ".join(parts)


def _format_outlet(outlet: str) -> str:
    return outlet or phrases.NOBODY


Figure = dict[str, Any]
CoverageUnit = Literal["documents", "statements"]
MAX_OUTLETS = 30
COVERAGE_NOUNS: dict[CoverageUnit, str] = {"documents": "document", "statements": "statement paragraph"}
_ROW_HEIGHT, _NAME_WIDTH = 30, 20  # pixels of a row's height; letters of a line of an outlet's name
_MIN_OPACITY = 0.28  # opacity of a single document, which must still stand out from the page


def build_coverage_heatmap(frame: pd.DataFrame, counted: CoverageUnit, missing: Sequence[Gap]) -> Figure:
    """Outlets in rows, most documents first, periods in columns; the fuller the colour the more text.

    One hue in growing opacity, so that it reads on a light and on a dark page, in grey, and with any colour
    vision. The scale goes by the square root, since outlets differ a hundredfold. Periods without any
    document between an outlet's first and last (`missing`) are marked with a dash; at most `MOST_OUTLETS`
    rows are drawn. `frame` must not be empty. Plotly lets nobody choose a heatmap's cell, so an unseen mark
    in the middle of every cell takes the clicks, from wherever in the cell: it is the nearest.
    """
    shown, labels = list_outlets(frame)[:MAX_OUTLETS], list_periods(frame)
    row_of = {outlet: at for at, outlet in enumerate(shown)}
    column_of = {label: at for at, label in enumerate(labels)}
    depth: list[list[float | None]] = [[None] * len(labels) for _ in shown]
    hover = [[_format_hover(outlet, label, 0, 0) for label in labels] for outlet in shown]
    for row in frame.to_dict("records"):
        if row["outlet"] in row_of:
            at, column = row_of[row["outlet"]], column_of[row["period"]]
            documents, statements = int(row["documents"]), int(row["statements"])
            depth[at][column] = int(row[counted]) ** 0.5 or None
            hover[at][column] = _format_hover(row["outlet"], row["period"], documents, statements)
    for gap in missing:
        if gap.outlet in row_of:
            for label in dates.list_period_labels(gap.first, gap.last):
                hover[row_of[gap.outlet]][column_of[label]] = wrap_text(gap.in_words, 44, 3)
    names = [wrap_text(outlet or phrases.NOBODY, _NAME_WIDTH, 2) for outlet in shown]
    figure: Figure = {
        "data": [
            {
                "type": "heatmap",
                "x": list(range(len(labels))),
                "y": list(range(len(shown))),
                "z": depth,
                "zmin": 0,
                "zmax": max(1.0, float(frame[counted].max()) ** 0.5),
                "colorscale": [[0, format_rgba(PALETTE[0], _MIN_OPACITY)], [1, format_rgba(PALETTE[0], 1)]],
                "showscale": False,
                "xgap": 1,
                "ygap": 3,
                "hoverinfo": "skip",
            },
            _build_click_targets(shown, labels, depth, hover),
            _build_gap_marks(missing, row_of, column_of, 6 if len(labels) <= MAX_LARGE_MARKS * 3 else 3),
        ],
        "layout": {
            "height": _ROW_HEIGHT * len(shown) + 44,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 28},
            **INTERACTION_MODES,
            "hoverdistance": -1,
            "showlegend": False,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": {
                **_build_axis(len(labels)),
                "tickvals": [column_of[label] for label in _select_tick_labels(labels)],
                "ticktext": [
                    label[:4] if len(labels[0]) > 4 and _count_years(labels) > 1 else dates.describe_period(label)
                    for label in _select_tick_labels(labels)
                ],
            },
            "yaxis": {
                **_build_axis(len(shown)),
                "range": [len(shown) - 0.5, -0.5],
                "tickvals": list(range(len(shown))),
                "ticktext": names,
                "automargin": True,
            },
        },
    }
    return figure


def _build_click_targets(
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
            {"outlet": outlets[at], "period": labels[column]} if depth[at][column] else None for at, column in cells
        ],
        "text": [hover[at][column] for at, column in cells],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "square", "size": 12, "opacity": 0, "color": GREY},
        "selected": unseen,
        "unselected": unseen,
    }


def _build_axis(number: int) -> dict[str, Any]:
    return {
        "range": [-0.5, number - 0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 11},
    }


def _count_years(labels: list[str]) -> int:
    return len({label[:4] for label in labels})


def _select_tick_labels(labels: list[str]) -> list[str]:
    """At most eight periods that the axis names: the first of each year where there are several."""
    firsts = list({label[:4]: label for label in reversed(labels)}.values())[::-1]
    shown = firsts if len(firsts) > 1 else labels
    return shown[:: -(-len(shown) // 8)]


def _build_gap_marks(
    missing: Sequence[Gap], row_of: dict[str, int], column_of: dict[str, int], size: int
) -> dict[str, Any]:
    places = [
        (column_of[label], row_of[gap.outlet])
        for gap in missing
        if gap.outlet in row_of
        for label in dates.list_period_labels(gap.first, gap.last)
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


def _format_hover(outlet: str, label: str, documents: int, statements: int) -> str:
    counts = (
        f"{phrases.format_count(documents, 'document')}, {phrases.format_count(statements, COVERAGE_NOUNS['statements'])}"  # noqa: E501
        if documents
        else "no document"
    )
    return f"<b>{wrap_text(outlet or phrases.NOBODY, 40, 2)}</b><br>{dates.describe_period(label)}: {counts}"
