"""Topics: what the texts are about, how much of it the codebook explains, and which claims recur."""

from __future__ import annotations

from narratives.dashboard import cached_queries, shell
from narratives.dashboard.views import topic_panels, topics


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Topics",
        "What the texts are about: groups of similar paragraphs, found automatically, how much of each the codebook "
        "explains, and claims that recur outside the codebook. Click an area or choose a row to read more.",
        view.handle,
    )
    settings = topics.draw_controls()
    found = cached_queries.load_topics(view.handle, view.slice)
    if found.groups.empty:
        topics.draw_empty_state(view)
        return
    topics.draw_headline(view)
    topics.draw_map(view, settings)
    row = topics.draw_selected(view, found, settings)
    if row is not None:
        topic_panels.draw_trend(view, row)
        topic_panels.draw_actors(view, row, "speaker")
        topic_panels.draw_actors(view, row, "outlet")
        topic_panels.draw_paragraphs(view, row)
    topics.draw_table(view, found, settings)


with shell.show_errors():
    draw_page(shell.get_view())
