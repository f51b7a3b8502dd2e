"""Narrative: one narrative in full: what it says, how it moved, who advances it, how well it is found."""

from __future__ import annotations

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.components import quality
from narratives.dashboard.views import narrative, narrative_panels


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Narrative",
        "One narrative in full: what it says, how its share moved, who advances it, and the paragraphs that "
        "show it. A click on a point or bar opens the paragraphs behind it.",
        view.handle,
    )
    key = narrative.draw_narrative_picker(view)
    measured = quality.load_quality(view)
    narrative.draw_definition(view, cached_queries.load_card(view.handle, key))
    about = narrative.build_context(view, key, list(measured.values()))
    if narrative.draw_headline(view, about):
        about = narrative.choices(view, about)
        narrative_panels.draw_trend(view, about)
        narrative_panels.draw_actors(view, about, "speaker")
        narrative_panels.draw_actors(view, about, "outlet")
        narrative_panels.draw_first_uses(view, about, "speaker")
        narrative_panels.draw_first_uses(view, about, "outlet")
        narrative_panels.draw_best_paragraphs(view, about)
        narrative_panels.draw_cooccurrence(view, about)
    narrative.draw_quality(view, about, measured)
    narrative.draw_lineage(view, about)


with shell.show_errors():
    page(shell.get_view())
