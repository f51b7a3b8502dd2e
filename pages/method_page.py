"""Method: how each number is computed, what it is based on, and what it does not show."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import shell
from narratives.dashboard.views import method


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot."""
    shell.draw_heading(
        "Method",
        "How each number is computed, what it is based on, and what it does not show. The figures here come "
        "from the program and from the current snapshot.",
        view.handle,
    )
    with st.container(width=method.TEXT_WIDTH):
        method.draw_contents(view)
        method.draw_explanations(view)
        method.draw_quality(view)
        method.draw_snapshot(view)
        method.draw_sources(view)
        method.draw_citation(view)


with shell.show_errors():
    draw_page(shell.get_view())
