"""Method: how each number is made, what it rests on, and what must not be concluded from it."""

from __future__ import annotations

import streamlit as st

from narratives.show import frame
from narratives.show import method as parts


def page(view: frame.View) -> None:
    """Draw the page for one snapshot."""
    frame.heading(
        "Method",
        "How each number is made, what it rests on, and what must not be concluded from it. The figures "
        "here are those of the program and of the snapshot in use.",
        view.handle,
    )
    with st.container(width=parts.WIDTH):
        parts.contents(view)
        parts.how(view)
        parts.measured(view)
        parts.snapshot(view)
        parts.sources(view)
        parts.cite(view)


with frame.guarded():
    page(frame.view())
