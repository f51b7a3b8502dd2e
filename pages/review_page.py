"""Review: one paragraph at a time, with a question that can be answered by one key."""

from __future__ import annotations

from narratives.dashboard import roles, shell
from narratives.dashboard.views import review


def draw_page(view: shell.View) -> None:
    """Draw the page for one snapshot and slice."""
    shell.draw_heading(
        "Review",
        "Does this paragraph advance the narrative? Two questions of three are those about which the matching is least "
        "certain; every third is drawn at random, which measures the matching. The filters of the sidebar apply.",
        view.handle,
    )
    review.draw_review(view)


with shell.show_errors():
    roles.require("reviewer")
    draw_page(shell.get_view())
