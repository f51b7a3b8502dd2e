"""Evidence: the paragraphs behind any slice, with the way to their source."""

from __future__ import annotations

import streamlit as st

from narratives.show import data, downloads, evidence, frame, words


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
        "Evidence",
        "The paragraphs behind the numbers, best match first. Choose a row to read the whole paragraph.",
        view.handle,
    )
    asked = evidence.controls()
    found = data.count_paragraphs(view.handle, view.slice, asked.text, asked.unassigned)
    if not found:
        evidence.nothing(view, asked)
        return
    st.text(evidence.counted(view, asked, found))
    offset = evidence.paging(found)
    rows = data.paragraphs(view.handle, view.slice, asked.text, evidence.PAGE_SIZE, offset, asked.unassigned)
    evidence.table(rows, key=f"{view}{asked}{offset}")

    manifest = data.manifest(view.handle)
    st.download_button(
        f"Download {words.count(found, 'paragraph')} (CSV)",
        lambda: downloads.paragraphs_csv(
            data.all_paragraphs(view.handle, view.slice, asked.text, asked.unassigned),
            view.slice,
            manifest,
            asked.text,
            asked.unassigned,
        ),
        downloads.file_name("paragraphs", manifest.snapshot_id),
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


with frame.guarded():
    page(frame.view())
