"""Speakers: who advances which narratives, one speaker over time, and two compared."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.views import speaker_profile, speakers


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.heading(
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
    speaker = speaker_profile.chosen_one(view, names)
    speaker_profile.profile(view, speaker)
    speaker_profile.compare(view, speaker, names)


with shell.guarded():
    page(shell.view())
