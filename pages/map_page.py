"""Map: paragraphs that say similar things are close together."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.views import map as map_view


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Map",
        "Each point is a paragraph. Points close together say similar things. Hover to read the beginning, "
        "click to open the paragraph, or draw a box or lasso around several to list them below and open them "
        "in Evidence.",
        view.handle,
    )
    by = map_view.draw_controls()
    points = cached_queries.load_map_points(view.handle, view.slice)
    if points.frame.empty:
        map_view.draw_empty_state(view)
        return
    picked, outline = map_view.draw_map(view, by)
    if picked:
        map_view.draw_selection_list(view, picked, outline)
    st.caption(
        "Only closeness has a meaning: directions, large distances and empty areas have none. Each build "
        "continues from the previous map, so that points stay roughly in place. A paragraph that advances "
        "several narratives has the colour of its best match."
    )


with shell.show_errors():
    draw_page(shell.get_view())
