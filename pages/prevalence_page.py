"""Prevalence: the share of statement paragraphs that advance each narrative, over time."""

from __future__ import annotations

from narratives.dashboard import chart_panel, quality, shell
from narratives.dashboard.views import narrative, prevalence


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Prevalence",
        "The share of statement paragraphs that advance each narrative, most prevalent first. All small charts "
        "have the same scale. Bands are 95 % intervals. Hover for numbers.",
        view.handle,
    )
    shell.draw_onboarding(view)
    settings = prevalence.draw_controls(view)
    shown = prevalence.select_prevalence(view.handle, settings)
    if shown.empty:
        prevalence.draw_empty_state(view, settings)
        return
    prevalence.draw_headline(view, settings, shown)
    chart_panel.draw_brief_button(view, settings.slice)
    prevalence.draw_small_multiples(view, settings)
    measured = quality.load_quality(view.handle)
    quality.draw_quality_line(view, measured)
    narrative.draw_narrative_opener(view)
    prevalence.draw_comparison(view, settings)
    prevalence.draw_uncovered(view, settings)
    quality.draw_quality_details(view, measured)


with shell.show_errors():
    draw_page(shell.get_view())
