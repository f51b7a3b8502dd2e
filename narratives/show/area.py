"""An area of the map as an address holds it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Outline = tuple[tuple[float, float], ...]

MOST_CORNERS = 40  # of a lasso, which comes with hundreds: an address has to stay short
LONGEST = MOST_CORNERS * 25  # characters; `written` takes 22 for the farthest corner there may be


def drawn(selection: Mapping[str, Any]) -> Outline:
    """The outline of the box or lasso that was drawn last on a chart; empty where there is none."""
    for box in selection.get("box", []):
        left, right, bottom, top = *sorted(box["x"]), *sorted(box["y"])
        return (left, bottom), (right, bottom), (right, top), (left, top)
    for lasso in selection.get("lasso", []):
        corners = list(zip(lasso["x"], lasso["y"], strict=True))
        step = -(-len(corners) // MOST_CORNERS)
        return tuple(corners[::step])
    return ()


def written(outline: Sequence[tuple[float, float]]) -> str:
    """The outline as text: `x,y` of every corner with two decimals, by semicolons."""
    return ";".join(f"{x:.2f},{y:.2f}" for x, y in outline)


def read(text: str) -> Outline:
    """The outline that such a text means; empty where it means none."""
    try:
        corners = tuple((float(x), float(y)) for x, y in (corner.split(",") for corner in text.split(";")))
    except ValueError:
        return ()
    finite = all(abs(x) < 1e6 and abs(y) < 1e6 for x, y in corners)
    return corners if 3 <= len(corners) <= MOST_CORNERS and finite else ()
