"""Sources: the texts by outlet and date, what is missing, and how to add more."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.views import sources, uploads


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Sources",
        "How much text there is by outlet and period, where it has gaps, and what could not be used. "
        "Shares say nothing about periods or outlets for which no texts were collected.",
        view.handle,
    )
    uploads.draw_uploads()
    sources.draw_headline(view)
    sources.draw_coverage(view, sources.draw_coverage_controls(view))
    sources.draw_slice_tables(view)
    sources.draw_store_tables(view)


def draw_first_page() -> None:
    """Draw the page of an empty store: how to add texts."""
    shell.draw_heading(
        "Sources",
        "This store contains no texts yet. Add some here, or on the command line: `narratives build INPUT`.",
        None,
    )
    uploads.draw_uploads(opened=True)


with shell.show_errors():
    if shell.is_store_empty():
        draw_first_page()
    else:
        draw_page(shell.get_view())
