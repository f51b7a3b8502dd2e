"""Evidence: the paragraphs behind any slice, why each was assigned, and links to their sources."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import cached_queries, shell, tables
from narratives.dashboard.views import evidence


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Evidence", "The paragraphs behind the numbers. Click a row to read the paragraph in its document.", view.handle
    )
    settings = evidence.draw_controls(view)
    similar, succeeded = evidence.find_near_paragraphs(view, settings)
    if not succeeded:
        return
    total = evidence.count_results(view, view.slice, settings, similar)
    if not total:
        evidence.draw_empty_state(view, settings, similar)
        return
    st.text(evidence.describe_results(view, settings, total))
    evidence.draw_unread_note(view, settings)
    offset = tables.draw_pagination(total)
    query = settings.build_query(view.slice, similar)
    rows = cached_queries.load_paragraphs(view.handle, query, tables.PAGE_SIZE, offset)
    tables.draw_paragraph_table(rows, key=f"{view}{settings}{offset}")
    evidence.draw_downloads(view, settings, total, similar)


with shell.show_errors():
    draw_page(shell.get_view())
