"""What charts of named rows and columns have in common. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SMALL = 11  # size of the letters on axes, in pixels


def names_axis(texts: Sequence[str]) -> dict[str, Any]:
    """An axis of names instead of numbers, with as much room as they need."""
    return {
        "tickvals": list(range(len(texts))),
        "ticktext": list(texts),
        "tickfont": {"size": SMALL},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "ticks": "",
    }


def layout(height: int, margin: Mapping[str, int]) -> dict[str, Any]:
    """A figure without ground, legend or dragging, so that it stands on the page's own colours."""
    return {
        "height": height,
        "margin": dict(margin),
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
