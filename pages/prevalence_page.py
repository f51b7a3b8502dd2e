"""Prevalence: how large a share of what was said advances each narrative, and how that moved."""

from __future__ import annotations

from narratives.show import brief, frame, hint, narrative, prevalence, prevalence_panels, quality


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
        "Prevalence",
        "One small chart a narrative, most prevalent first, all on one scale: the share of statement "
        "paragraphs that advance it. The band is the 95 % interval; point at a mark for the numbers.",
        view.handle,
    )
    hint.first_run(view)
    choice = prevalence.choices(view)
    shown = prevalence.frame(view, choice)
    if shown.empty:
        prevalence.nothing(view, choice)
        return
    prevalence.headline(view, choice, shown)
    brief.download(view, choice.slice)
    how = prevalence.counted(view, choice, prevalence.denominator(shown, choice))
    measured = quality.measured(view)
    prevalence_panels.small_multiples(view, choice, shown, how, measured)
    quality.line(view, measured)
    narrative.open_one(view)
    prevalence_panels.compared(view, choice, shown, how)
    prevalence_panels.uncovered(view, choice)
    quality.details(view, measured)


with frame.guarded():
    page(frame.view())
