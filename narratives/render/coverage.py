"""Coverage as a chart, a table and in words: the periods for which each outlet has text. Pure.

Every frame has the columns outlet, period, documents and statements, with one row for each outlet and period
with text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from narratives.model import Granularity, dates
from narratives.render import phrases
from narratives.render.colours import GREY, PALETTE, format_rgba
from narratives.render.time_series import INTERACTION_MODES
from narratives.render.traces import (
    FIXED_AXIS,
    MARKS,
    MAX_LARGE_MARKS,
    Figure,
    build_click_targets,
    build_layout,
    select_tick_labels,
    wrap_text,
)

MAX_PERIODS = 72  # that are still distinct on a phone
MIN_DATED_FRACTION = 0.9  # of dated documents that must have a month, for months or quarters to be the default


class Gap(NamedTuple):
    """A run of periods without a document of an outlet: the first and last label, and their number."""

    outlet: str
    first: str
    last: str
    periods: int

    @property
    def length(self) -> str:
        """Write the length: `4 months`."""
        return phrases.format_count(self.periods, dates.GRANULARITY_NOUNS[dates.detect_granularity(self.first)])

    @property
    def in_words(self) -> str:
        """Describe the gap: `No document of MFA from Mar 2017 to Jun 2017 (4 months).`."""
        span = format_period_range(self.first, self.last)
        return f"No document of {_format_outlet(self.outlet)} {span} ({self.length})."


def choose_period_length(years: Sequence[str], dated: pd.DataFrame) -> Granularity:
    """Choose the shortest period that keeps the chart legible and hides few documents.

    `dated` has columns date_precision and documents. Documents dated to the year are in no month.
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
    """List the outlets, most documents first."""
    totals = frame.groupby("outlet")["documents"].sum()
    return sorted(totals.index, key=lambda name: (-int(totals[name]), name))


def list_periods(frame: pd.DataFrame) -> list[str]:
    """List all periods from the first with text to the last, including those without text."""
    return dates.list_period_labels(min(frame["period"]), max(frame["period"])) if len(frame) else []


def find_gaps(frame: pd.DataFrame) -> list[Gap]:
    """Find the runs of periods without any document, longest first.

    A gap lies between an outlet's own first and last period with text. It is not known whether anything is
    missing before or after.
    """
    gaps: list[Gap] = []
    for outlet in list_outlets(frame):
        has = set(frame.loc[frame["outlet"] == outlet, "period"])
        run: list[str] = []
        for label in dates.list_period_labels(min(has), max(has)):
            if label not in has:
                run.append(label)
            elif run:
                gaps.append(Gap(outlet, run[0], run[-1], len(run)))
                run = []
    return sorted(gaps, key=lambda gap: (-gap.periods, gap.first, gap.outlet))


def format_period_range(first: str, last: str) -> str:
    """Describe a run of periods: `in Mar 2017`, `from Mar 2017 to Jun 2017`."""
    start, end = dates.describe_period(first), dates.describe_period(last)
    return f"in {start}" if first == last else f"from {start} to {end}"


def select_gaps(frame: pd.DataFrame, missing: Sequence[Gap], most: int = 3) -> list[Gap]:
    """Select the longest gap of each of the largest outlets with gaps; small outlets have too many."""
    longest = {gap.outlet: gap for gap in reversed(missing)}
    return [longest[outlet] for outlet in list_outlets(frame) if outlet in longest][:most]


def build_outlet_table(frame: pd.DataFrame, missing: Sequence[Gap]) -> pd.DataFrame:
    """Return columns outlet, documents, statements, first, last and gap, most documents first.

    `gap` describes the outlet's longest gap of `missing` (see `find_gaps`); it is empty where there is none.
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
    """Describe the chart in a few sentences, for readers who cannot see it."""
    outlets = list_outlets(frame)
    parts = [
        f"{phrases.format_count(int(frame['documents'].sum()), 'document')} of "
        f"{phrases.format_count(len(outlets), 'outlet')} "
        f"{format_period_range(min(frame['period']), max(frame['period']))}."
    ]
    for outlet in outlets[:3]:
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


CoverageUnit = Literal["documents", "statements"]
MAX_OUTLETS = 30
COVERAGE_NOUNS: dict[CoverageUnit, str] = {"documents": "document", "statements": "statement paragraph"}
_ROW_HEIGHT, _NAME_WIDTH = 30, 20  # pixels; letters per line of an outlet's name
_MIN_OPACITY = 0.28  # of a single document, which must still be visible


def build_coverage_heatmap(frame: pd.DataFrame, counted: CoverageUnit, missing: Sequence[Gap]) -> Figure:
    """Draw outlets in rows, most documents first, and periods in columns; a fuller colour means more text.

    One hue with rising opacity is legible on a light and a dark page, in greyscale, and in any colour vision.
    The scale is a square root, because outlets differ a hundredfold. A dash marks the gaps (`missing`). At
    most `MAX_OUTLETS` rows are drawn. `frame` must not be empty.
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
    names = [wrap_text(_format_outlet(outlet), _NAME_WIDTH, 2) for outlet in shown]
    ticks, yearly = select_tick_labels(labels, 8)
    cells = [(column, at) for at in range(len(shown)) for column in range(len(labels))]
    targets = build_click_targets(cells, {"size": 12, "color": GREY}) | {
        "name": "Cells",
        "customdata": [
            {"outlet": shown[at], "period": labels[column]} if depth[at][column] else None for column, at in cells
        ],
        "text": [hover[at][column] for column, at in cells],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return {
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
            targets,
            _build_gap_marks(missing, row_of, column_of, 6 if len(labels) <= MAX_LARGE_MARKS * 3 else 3),
        ],
        "layout": {
            **build_layout(_ROW_HEIGHT * len(shown) + 44, {"l": 8, "r": 8, "t": 8, "b": 28}),
            **INTERACTION_MODES,
            "hoverdistance": -1,
            "xaxis": {
                **_build_axis(len(labels)),
                "tickvals": [column_of[label] for label in ticks],
                "ticktext": [label[:4] if yearly else dates.describe_period(label) for label in ticks],
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


def _build_axis(number: int) -> dict[str, Any]:
    return {**FIXED_AXIS, "range": [-0.5, number - 0.5], "showgrid": False}


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
        **MARKS,
        "name": "No document",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "marker": {"symbol": "line-ew", "size": size, "line": {"width": 1.5, "color": GREY}},
        "hoverinfo": "skip",
    }


def _format_hover(outlet: str, label: str, documents: int, statements: int) -> str:
    counts = "no document"
    if documents:
        paragraphs = phrases.format_count(statements, COVERAGE_NOUNS["statements"])
        counts = f"{phrases.format_count(documents, 'document')}, {paragraphs}"
    return f"<b>{wrap_text(_format_outlet(outlet), 40, 2)}</b><br>{dates.describe_period(label)}: {counts}"
