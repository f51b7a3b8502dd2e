"""Prevalence: how large a share of what was said advances each narrative, and how that moved."""

from __future__ import annotations

import streamlit as st

from narratives.show import data, downloads, frame, prevalence, quality


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
        "Prevalence",
        "One small chart a narrative, most prevalent first, all on one scale: the share of statement "
        "paragraphs that advance it. The band is the 95 % interval; point at a mark for the numbers.",
        view.handle,
    )
    choice = prevalence.controls(view)
    shown = prevalence.frame(view, choice)
    if shown.empty:
        prevalence.nothing(view, choice)
        return
    prevalence.headline(view, choice, shown)
    denominator = prevalence.denominator(shown, choice)
    frame.note(prevalence.counted(view, choice, denominator))

    measured = quality.measured(view)
    prevalence.small_multiples(view, choice, shown, measured)
    quality.line(view, measured)
    prevalence.compared(view, choice, shown)
    prevalence.uncovered(view, choice)
    quality.details(view, measured)
    with st.expander("The numbers as a table"):
        prevalence.table(shown)
    manifest = data.manifest(view.handle)
    st.download_button(
        "Download these numbers (CSV)",
        lambda: downloads.prevalence_csv(shown, choice.slice, manifest, denominator),
        downloads.file_name("prevalence", manifest.snapshot_id),
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


with frame.guarded():
    page(frame.view())
