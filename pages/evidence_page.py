"""Evidence: the paragraphs behind any slice, what decided, and the way to their source."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.components import tables
from narratives.dashboard.views import evidence


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Evidence",
        "The paragraphs behind the numbers. Choose a row to read it in its document, with what decided.",
        view.handle,
    )
    asked = evidence.choices()
    near, told = evidence.find_near_paragraphs(view, asked)
    if not told:
        return
    found = evidence.count_results(view, view.slice, asked, near)
    if not found:
        evidence.draw_empty_state(view, asked, near)
        return
    st.text(evidence.describe_results(view, asked, found))
    evidence.draw_unread_note(view, asked)
    offset = tables.draw_pagination(found)
    rows = cached_queries.load_paragraphs(
        view.handle,
        view.slice,
        asked.text,
        tables.PAGE_SIZE,
        offset,
        asked.unassigned,
        asked.sort,
        asked.among,
        near,
    )
    tables.draw_paragraph_table(rows, key=f"{view}{asked}{offset}")
    evidence.draw_downloads(view, asked, found, near)


with shell.show_errors():
    page(shell.get_view())
