"""Spread: when each outlet and speaker took a narrative up, in the texts collected."""

from __future__ import annotations

from narratives.show import frame, spread, spread_data


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
        "Spread",
        "When each outlet and speaker took a narrative up, before the ground of what was collected of them. "
        "Choose a mark to read the paragraphs behind it.",
        view.handle,
    )
    choice = spread.choices(view)
    if spread_data.uses(view.handle, view.slice, choice.actor, choice.narrative).empty:
        spread.nothing(view, choice)
    else:
        spread.shown(view, choice)
    spread.copies(view, choice)


with frame.guarded():
    page(frame.view())
