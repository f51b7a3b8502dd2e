"""Narrative: one narrative in full: what it says, how it moved, who advances it, how well it is found."""

from __future__ import annotations

from narratives.show import (
    frame,
    narrative,
    narrative_actors,
    narrative_data,
    narrative_panels,
    narrative_texts,
    quality,
)


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
        "Narrative",
        "One narrative in full: what it says, how its share moved, who advances it, and the paragraphs that "
        "show it. A click on a point or bar opens the paragraphs behind it.",
        view.handle,
    )
    key = narrative.choose(view)
    measured = quality.measured(view)
    narrative_texts.definition(view, narrative_data.card(view.handle, key))
    about = narrative.about(view, key, list(measured.values()))
    if narrative.headline(view, about):
        about = narrative.choices(view, about)
        narrative_panels.trend(view, about)
        narrative_actors.actors(view, about, "speaker")
        narrative_actors.actors(view, about, "outlet")
        narrative_actors.firsts(view, about, "speaker")
        narrative_actors.firsts(view, about, "outlet")
        narrative_panels.characteristic(view, about)
        narrative_actors.company(view, about)
    narrative.measured_quality(view, about, measured)
    narrative.past(view, about)


with frame.guarded():
    page(frame.view())
