"""Speakers: who advances which narratives, one speaker over time, and two compared."""

from __future__ import annotations

from narratives.dashboard import shell
from narratives.dashboard.views import speaker_profile, speakers


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Speakers",
        "The share of each speaker's statement paragraphs that advance each narrative. Click a cell to read "
        "its paragraphs.",
        view.handle,
    )
    groups = speakers.split_speakers(view.handle, view.slice)
    names = [*groups.enough["speaker"], *groups.suppressed["speaker"]]
    if not names:
        speakers.draw_empty_state(view)
        return
    speakers.draw_heatmap(view, groups)
    speakers.draw_suppressed(view, groups)
    speaker = speaker_profile.draw_profile_picker(view, names)
    speaker_profile.draw_profile(view, speaker)
    speaker_profile.draw_comparison(view, speaker, names)


with shell.show_errors():
    draw_page(shell.get_view())
