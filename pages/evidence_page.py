"""Evidence: the paragraphs behind any slice, what decided, and the way to their source."""

from __future__ import annotations

import streamlit as st

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.components import tables
from narratives.dashboard.views import evidence


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.heading(
        "Evidence",
        "The paragraphs behind the numbers. Choose a row to read it in its document, with what decided.",
        view.handle,
    )
    asked = evidence.choices()
    near, told = evidence.near(view, asked)
    if not told:
        return
    found = evidence.count(view, view.slice, asked, near)
    if not found:
        evidence.nothing(view, asked, near)
        return
    st.text(evidence.counted(view, asked, found))
    evidence.unread(view, asked)
    offset = tables.paging(found)
    rows = cached_queries.paragraphs(
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
    tables.paragraph_table(rows, key=f"{view}{asked}{offset}")
    evidence.files(view, asked, found, near)


with shell.guarded():
    page(shell.view())
