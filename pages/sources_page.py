"""Sources: what there is, of when and from whom, what is missing, and the way to add more."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.views import sources, sources_contents, uploads


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Sources",
        "How much text there is, from which outlet and of when, where it has gaps, and what could not be "
        "used. A share says nothing about a period or an outlet that was not collected.",
        view.handle,
    )
    uploads.draw_uploads()
    sources.draw_headline(view)
    sources.draw_coverage(view, sources.choices(view))
    sources_contents.draw_slice_tables(view)
    sources_contents.draw_store_tables(view)


def first() -> None:
    """Draw the page where the store holds nothing yet: the way to add texts."""
    shell.draw_heading(
        "Sources",
        "This store holds no texts yet. Add some here, or on the command line: `python -m narratives build INPUT`.",
        None,
    )
    uploads.draw_uploads(opened=True)


with shell.show_errors():
    if shell.is_store_empty():
        first()
    else:
        page(shell.get_view())
