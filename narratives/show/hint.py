"""What to do first, for those who see the sample for the first time."""

from __future__ import annotations

import streamlit as st

from narratives.show import data
from narratives.show.frame import View

LINES = (
    "**1.** Choose a speaker or a year in the sidebar: every chart and number follows.",
    "**2.** Click a point of a chart to read the paragraphs behind it.",
    "**3.** Save a chart, its numbers or a link with *Save* above it.",
)
_SEEN = "hint seen"


def first_run(view: View) -> None:
    """Three lines on what to do first, on the sample only and until they are dismissed in this session."""
    if st.session_state.get(_SEEN) or not data.manifest(view.handle).notice:
        return
    with (
        st.container(border=True, key="hint"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        st.markdown("  \n".join(LINES), width="stretch")
        st.button("Got it", key="hint-dismiss", on_click=_dismiss, help="Hide these hints")


def _dismiss() -> None:
    st.session_state[_SEEN] = True
