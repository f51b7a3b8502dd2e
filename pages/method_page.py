"""Method: how each number is made, what it rests on, and what must not be concluded from it."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import shell
from narratives.dashboard.views import method


def page(view: shell.View) -> None:
    """Draw the page for one snapshot."""
    shell.heading(
        "Method",
        "How each number is made, what it rests on, and what must not be concluded from it. The figures "
        "here are those of the program and of the snapshot in use.",
        view.handle,
    )
    with st.container(width=method.WIDTH):
        method.contents(view)
        method.how(view)
        method.measured(view)
        method.snapshot(view)
        method.list_sources(view)
        method.cite(view)


with shell.guarded():
    page(shell.view())
