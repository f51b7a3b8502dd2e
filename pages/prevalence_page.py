"""Prevalence: how large a share of what was said advances each narrative, and how that moved."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.components import chart_panel, quality
from narratives.dashboard.views import narrative, prevalence


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Prevalence",
        "One small chart a narrative, most prevalent first, all on one scale: the share of statement "
        "paragraphs that advance it. The band is the 95 % interval; point at a mark for the numbers.",
        view.handle,
    )
    shell.draw_onboarding(view)
    choice = prevalence.choices(view)
    shown = prevalence.select_prevalence(view, choice)
    if shown.empty:
        prevalence.draw_empty_state(view, choice)
        return
    prevalence.draw_headline(view, choice, shown)
    chart_panel.draw_brief_button(view, choice.slice)
    how = prevalence.describe_counts(view, choice, prevalence.describe_shown_denominator(shown, choice))
    measured = quality.load_quality(view)
    prevalence.draw_small_multiples(view, choice, shown, how, measured)
    quality.draw_quality_line(view, measured)
    narrative.draw_narrative_opener(view)
    prevalence.draw_comparison(view, choice, shown, how)
    prevalence.draw_uncovered(view, choice)
    quality.draw_quality_details(view, measured)


with shell.show_errors():
    page(shell.get_view())
