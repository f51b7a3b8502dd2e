"""Speakers: who advances which narratives, one speaker over time, and two compared."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.views import speaker_profile, speakers


def page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Speakers",
        "How large a share of each speaker's own statement paragraphs advances each narrative. Choose a cell "
        "to read the paragraphs behind it.",
        view.handle,
    )
    found = speakers.split_speakers(view)
    names = [*found.enough["speaker"], *found.little["speaker"]]
    if not names:
        speakers.draw_empty_state(view)
        return
    speakers.draw_heatmap(view, found)
    speakers.draw_suppressed(view, found)
    speaker = speaker_profile.draw_profile_picker(view, names)
    speaker_profile.draw_profile(view, speaker)
    speaker_profile.draw_comparison(view, speaker, names)


with shell.show_errors():
    page(shell.get_view())
