"""Evidence: the paragraphs behind any slice, what decided, and the way to their source."""

from __future__ import annotations

import streamlit as st

from narratives.show import data, evidence, evidence_table, frame


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
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
    offset = evidence_table.paging(found)
    rows = data.paragraphs(
        view.handle,
        view.slice,
        asked.text,
        evidence_table.PAGE_SIZE,
        offset,
        asked.unassigned,
        asked.sort,
        asked.among,
        near,
    )
    evidence_table.table(rows, key=f"{view}{asked}{offset}")
    evidence.files(view, asked, found, near)


with frame.guarded():
    page(frame.view())
