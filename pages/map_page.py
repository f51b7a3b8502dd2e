"""Map: paragraphs that say alike things, side by side."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.views import map


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Map",
        "Each point is a paragraph; what lies close together is said in much the same way. Point at one to "
        "read its beginning, click it to open it, or draw a box or lasso around several to list them below "
        "and open them in Evidence.",
        view.handle,
    )
    by = map.choices()
    found = cached_queries.load_map_points(view.handle, view.slice)
    if found.frame.empty:
        map.draw_empty_state(view)
        return
    picked, outline = map.draw_map(view, found, by)
    if picked:
        map.draw_selection_list(view, picked, outline)
    st.caption(
        "Only nearness means something here: directions, distances across the map and empty stretches do "
        "not. The places are computed at each build and go on from the last one's, so that things stay "
        "about where they were. A paragraph that advances several narratives is coloured by the best match."
    )


with shell.show_errors():
    page(shell.get_view())
