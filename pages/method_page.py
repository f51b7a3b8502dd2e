"""Method: how each number is made, what it rests on, and what must not be concluded from it."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import shell
from narratives.dashboard.views import method


def page(view: shell.View) -> None:
    """Draw the page for one snapshot."""
    shell.draw_heading(
        "Method",
        "How each number is made, what it rests on, and what must not be concluded from it. The figures "
        "here are those of the program and of the snapshot in use.",
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
    page(shell.get_view())
