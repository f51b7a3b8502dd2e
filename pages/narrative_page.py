"""Narrative: one narrative in detail: definition, share over time, actors, and measured quality."""

from __future__ import annotations

from narratives.dashboard import cached_queries, quality, shell
from narratives.dashboard.views import narrative, narrative_panels


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Narrative",
        "One narrative in detail: its definition, its share over time, who advances it, and its best-matching "
        "paragraphs. Click a point or bar to read its paragraphs.",
        view.handle,
    )
    key = narrative.draw_narrative_picker(view)
    measured = quality.load_quality(view.handle)
    narrative.draw_definition(view, cached_queries.load_card(view.handle, key))
    context = narrative.build_context(view, key, list(measured.values()))
    if narrative.draw_headline(view, context):
        context = narrative.draw_controls(view, context)
        narrative_panels.draw_trend(view, context)
        narrative_panels.draw_actors(view, context, "speaker")
        narrative_panels.draw_actors(view, context, "outlet")
        narrative_panels.draw_first_uses(view, context, "speaker")
        narrative_panels.draw_first_uses(view, context, "outlet")
        narrative_panels.draw_best_paragraphs(view, context)
        narrative_panels.draw_cooccurrence(view, context)
    narrative.draw_quality(view, context, measured)
    narrative.draw_lineage(view, context)


with shell.show_errors():
    draw_page(shell.get_view())
