"""Prevalence: how large a share of what was said advances each narrative, and how that moved."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.components import chart_panel, quality
from narratives.dashboard.views import narrative, prevalence


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.heading(
        "Prevalence",
        "One small chart a narrative, most prevalent first, all on one scale: the share of statement "
        "paragraphs that advance it. The band is the 95 % interval; point at a mark for the numbers.",
        view.handle,
    )
    shell.first_run(view)
    choice = prevalence.choices(view)
    shown = prevalence.frame(view, choice)
    if shown.empty:
        prevalence.nothing(view, choice)
        return
    prevalence.headline(view, choice, shown)
    chart_panel.download(view, choice.slice)
    how = prevalence.counted(view, choice, prevalence.denominator(shown, choice))
    measured = quality.measured(view)
    prevalence.small_multiples(view, choice, shown, how, measured)
    quality.line(view, measured)
    narrative.open_one(view)
    prevalence.compared(view, choice, shown, how)
    prevalence.uncovered(view, choice)
    quality.details(view, measured)


with shell.guarded():
    page(shell.view())
