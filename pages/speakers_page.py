"""Speakers: who advances which narratives, one speaker over time, and two compared."""

from __future__ import annotations

from narratives.show import frame, pair, profile, speakers


def page(view: frame.View) -> None:
    """Draw the page for one snapshot and slice."""
    frame.heading(
        "Speakers",
        "How large a share of each speaker's own statement paragraphs advances each narrative. Choose a cell "
        "to read the paragraphs behind it.",
        view.handle,
    )
    found = speakers.field(view)
    names = [*found.enough["speaker"], *found.little["speaker"]]
    if not names:
        speakers.nothing(view)
        return
    speakers.heatmap(view, found)
    speakers.left_out(view, found)
    speaker = profile.chosen_one(view, names)
    profile.profile(view, speaker)
    pair.compare(view, speaker, names)


with frame.guarded():
    page(frame.view())
