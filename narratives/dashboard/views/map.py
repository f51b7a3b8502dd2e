"""The Map page: the chart, and the list of selected paragraphs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from narratives.dashboard import cached_queries, chart_panel, controls, navigation, shell, tables
from narratives.dashboard.shell import View
from narratives.dashboard.tables import TEXT_COLUMN
from narratives.dashboard.views import evidence
from narratives.model import Slice
from narratives.render import map_charts, phrases
from narratives.store import MapPoints
from narratives.store.queries.map import query_paragraphs_by_id

COUNTED_NOUN = "statement paragraph"
COLOUR_OPTIONS: Mapping[map_charts.ColourBy, str] = {"narrative": "Narrative", "year": "Year", "speaker": "Speaker"}
MAX_LISTED = 100
MAP_COLUMNS = {
    "date": TEXT_COLUMN("Date", width=84),
    "speaker": TEXT_COLUMN("Speaker", width=112),
    "outlet": TEXT_COLUMN("Outlet", width=84),
    "text": TEXT_COLUMN("Beginning of the paragraph", width=420),
    "narratives": TEXT_COLUMN("Narratives", width=180),
    "x": st.column_config.NumberColumn("Across", format="%.2f", width=64),
    "y": st.column_config.NumberColumn("Up", format="%.2f", width=64),
}


def draw_controls() -> map_charts.ColourBy:
    """Draw the choice of what the colours mean and return it; it is kept in the URL."""
    return controls.draw_segmented_control("Colour by", "colour", COLOUR_OPTIONS)


def describe_drawn_points(s: Slice, points: MapPoints) -> str:
    """Describe which paragraphs are drawn, and how many there are in all."""
    shown = len(points.frame)
    who = phrases.describe_scope(s)
    if shown == points.total:
        return f"{phrases.format_count(shown, COUNTED_NOUN)}{who}; originals only."
    claimed = sum(len(ids) > 0 for ids in points.frame["narrative_ids"])
    others = points.total - points.claimed
    which = f"all {claimed:,}" if claimed == points.claimed else f"{claimed:,} of {points.claimed:,}"
    return (
        f"{shown:,} of {phrases.format_count(points.total, COUNTED_NOUN)}{who} are drawn; originals only: "
        f"{which} that advance a narrative and, as background, {shown - claimed:,} of the {others:,} others. "
        "The share of coloured points is therefore not a prevalence."
    )


def draw_empty_state(view: View) -> None:
    """Draw the empty state: there is no map, or nothing matches the filters."""
    if not cached_queries.get_snapshot(view.handle).has_map:
        st.subheader("This snapshot has no map", anchor=False)
        st.text("It was built by a version without maps. The next build that changes anything creates one.")
        return
    count = partial(cached_queries.count_map_points, view.handle)
    shell.draw_empty_state(view, view.slice, count, COUNTED_NOUN)


def draw_map(view: View, by: map_charts.ColourBy) -> tuple[list[str], evidence.Outline]:
    """Draw the map and return the ids of the points in a box or lasso, and its outline."""
    key = f"map-{hashlib.sha256(f'{view}{by}'.encode()).hexdigest()[:12]}"
    panel, of_curve = _build_map(view.handle, view.slice, by, key)
    chart_panel.draw_panel(
        view,
        panel,
        on_click=lambda key: _open_clicked_point(key, of_curve),
        config=map_charts.MAP_PLOTLY_CONFIG,
        selection=("points", "box", "lasso"),
    )
    return sorted(_get_selected_ids(key, of_curve)), evidence.extract_outline(_get_selection(key))


@cached_queries.cache_shared(max_entries=10)
def _build_map(
    handle: cached_queries.Handle, s: Slice, by: map_charts.ColourBy, key: str
) -> tuple[chart_panel.ChartPanel, list[list[str]]]:
    """Return the map, and the ids of the points of each of its curves."""
    points, names = cached_queries.load_map_points(handle, s), cached_queries.get_narrative_names(handle)
    groups = map_charts.group_points(points.frame, by, names, cached_queries.get_narrative_colours(handle))
    ids = points.frame["paragraph_id"].tolist()
    of_curve = [[ids[row] for row in group.rows] for group in groups]
    summary = map_charts.describe_map(points.frame, groups, by)
    table = points.frame.assign(
        narratives=["; ".join(names.get(str(key), str(key)) for key in ids) for ids in points.frame["narrative_ids"]]
    )
    panel = chart_panel.ChartPanel(
        key="map",
        title="Similar statements",
        how=describe_drawn_points(s, points),
        summary=summary,
        table=table.drop(columns="narrative_ids"),
        slice=replace(s, copies="originals"),
        columns=MAP_COLUMNS,
        charts=[chart_panel.finish_chart(key, map_charts.build_map_figure(points.frame, groups, by), summary)],
    )
    return panel, of_curve


def _get_selection(key: str) -> dict[str, Any]:
    return dict(st.session_state.get(key, {}).get("selection", {}))


def _get_selected_ids(key: str, of_curve: Sequence[Sequence[str]]) -> set[str]:
    """Return the ids of the points selected in the chart `key`."""
    points = _get_selection(key).get("points", [])
    return {of_curve[point["curve_number"]][point["point_index"]] for point in points}


def _open_clicked_point(key: str, of_curve: Sequence[Sequence[str]]) -> None:
    """Open the paragraph of a clicked point; a box or lasso only lists paragraphs on the page."""
    selection = _get_selection(key)
    ids = _get_selected_ids(key, of_curve)
    if ids and not selection.get("box") and not selection.get("lasso"):
        navigation.open_page(navigation.EVIDENCE_PAGE, navigation.read_filters(), open=min(ids))


def draw_selection_list(view: View, picked: list[str], outline: evidence.Outline) -> None:
    """Draw the selected paragraphs, best match first, and a link to all paragraphs of that area."""
    rows = query_paragraphs_by_id(cached_queries.get_snapshot(view.handle), picked).head(MAX_LISTED)
    st.subheader("Selected paragraphs", anchor=False)
    many = len(picked)
    st.text(
        f"{phrases.format_count(many, COUNTED_NOUN)}"
        + (f"; the best {MAX_LISTED} are listed." if many > len(rows) else ".")
    )
    if outline:
        # The map draws a sample of a large slice: the area may contain more than the selection.
        s = replace(view.slice, copies="originals")
        written = evidence.format_outline(outline)
        there = evidence.EvidenceSettings("", "", False, "best", evidence.parse_outline(written))
        total = evidence.count_results(view, s, there, evidence.find_near_paragraphs(view, there)[0])
        st.button(
            f"Open this area in Evidence ({phrases.format_count(total, 'paragraph')})",
            icon=":material/article:",
            on_click=navigation.open_evidence,
            args=(s,),
            kwargs={"area": written},
        )
    tables.draw_paragraph_table(rows, key=f"map{view}{picked}")
