"""Spread: when each outlet and speaker took a narrative up, in the texts collected."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.views import spread


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Spread",
        "When each outlet and speaker took a narrative up, before the ground of what was collected of them. "
        "Choose a mark to read the paragraphs behind it.",
        view.handle,
    )
    choice = spread.choices(view)
    if spread.load_uses(view.handle, view.slice, choice.actor, choice.narrative).empty:
        spread.draw_empty_state(view, choice)
    else:
        spread.draw_spread(view, choice)
    spread.draw_copies(view, choice)


with shell.show_errors():
    page(shell.get_view())
