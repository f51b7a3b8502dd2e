"""Spread: when each outlet or speaker first used a narrative in the collected texts."""

from __future__ import annotations

from dataclasses import replace

from narratives.dashboard import shell
from narratives.dashboard.views import spread


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Spread",
        "When each outlet or speaker first used a narrative. Grey bars show the periods for which texts were "
        "collected. Click a mark to read its paragraphs.",
        view.handle,
    )
    settings = spread.draw_controls(view)
    view = replace(view, slice=replace(view.slice, narratives=()))  # the page shows the one of its own control
    if spread.load_uses(view.handle, view.slice, settings.actor, settings.narrative).empty:
        spread.draw_empty_state(view, settings)
    else:
        spread.draw_spread(view, settings)
    spread.draw_copies(view, settings)


with shell.show_errors():
    draw_page(shell.get_view())
