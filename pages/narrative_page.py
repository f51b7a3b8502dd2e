"""Narrative: one narrative in full: what it says, how it moved, who advances it, how well it is found."""

from __future__ import annotations

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.components import quality
from narratives.dashboard.views import narrative, narrative_panels


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.heading(
        "Narrative",
        "One narrative in full: what it says, how its share moved, who advances it, and the paragraphs that "
        "show it. A click on a point or bar opens the paragraphs behind it.",
        view.handle,
    )
    key = narrative.choose(view)
    measured = quality.measured(view)
    narrative.definition(view, cached_queries.card(view.handle, key))
    about = narrative.about(view, key, list(measured.values()))
    if narrative.headline(view, about):
        about = narrative.choices(view, about)
        narrative_panels.trend(view, about)
        narrative_panels.actors(view, about, "speaker")
        narrative_panels.actors(view, about, "outlet")
        narrative_panels.firsts(view, about, "speaker")
        narrative_panels.firsts(view, about, "outlet")
        narrative_panels.characteristic(view, about)
        narrative_panels.company(view, about)
    narrative.measured_quality(view, about, measured)
    narrative.past(view, about)


with shell.guarded():
    page(shell.view())
