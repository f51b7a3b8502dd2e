"""Colours that are legible on a light and a dark page and distinct from one another. Pure.

The palette takes its hues from Paul Tol's colour-blind safe schemes (https://personal.sron.nl/~pault/), with
a lightness that contrasts with both backgrounds.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping

GREY = "#7d8288"
FAINT = "rgba(128,134,140,0.18)"
PALETTE = ("#2f7fb8", "#c4612a", "#2f8f6b", "#a8639f", "#8a7d1f", "#c0566b")
BACKGROUNDS = ("#fdfcfa", "#15181c")  # as .streamlit/config.toml has them
MIN_LINE_CONTRAST = 3.0  # for lines and marks: https://www.w3.org/TR/WCAG22/#non-text-contrast
# In OKLab: half the smallest distance within the palette, so that one of its colours is always free.
MIN_COLOUR_DISTANCE = 0.042


def format_rgba(colour: str, alpha: float) -> str:
    """Write `#rrggbb` with an alpha as a CSS colour."""
    red, green, blue = (round(part * 255) for part in _to_rgb(colour))
    return f"rgba({red},{green},{blue},{alpha:g})"


def resolve_colour(colour: str, position: int) -> str:
    """Return a narrative's own colour, made legible, or the palette's colour for its position."""
    own = len(colour) == 7 and colour[0] == "#" and all(c in "0123456789abcdef" for c in colour[1:].lower())
    return make_legible(colour) if own else PALETTE[position % len(PALETTE)]


def make_legible(colour: str) -> str:
    """Change the lightness as little as needed to contrast with both backgrounds; keep hue and saturation."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_to_rgb(colour))
    steps = sorted((i / 100 for i in range(101)), key=lambda step: abs(step - lightness))
    for step in (lightness, *steps):
        shade = _to_hex(colorsys.hls_to_rgb(hue, step, saturation))
        if all(compute_contrast(shade, background) >= MIN_LINE_CONTRAST for background in BACKGROUNDS):
            return shade
    return GREY


def make_distinct(colours: Mapping[str, str]) -> dict[str, str]:
    """Replace each colour that is too close to an earlier one of the same chart by one of the palette."""
    distinct: dict[str, str] = {}
    for key, colour in colours.items():
        if any(compute_distance(colour, other) < MIN_COLOUR_DISTANCE for other in distinct.values()):
            colour = max(PALETTE, key=lambda spare: min(compute_distance(spare, other) for other in distinct.values()))
        distinct[key] = colour
    return distinct


def compute_contrast(first: str, second: str) -> float:
    """Compute the contrast ratio of two colours, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    low, high = sorted(
        sum(w * p for w, p in zip(_LUMINANCE_WEIGHTS, _to_linear(c), strict=True)) for c in (first, second)
    )
    return (high + 0.05) / (low + 0.05)


def compute_distance(first: str, second: str) -> float:
    """Compute the distance of two colours in OKLab (https://bottosson.github.io/posts/oklab/); 0.02 is just visible."""
    return math.dist(_to_oklab(first), _to_oklab(second))


_LUMINANCE_WEIGHTS = (0.2126, 0.7152, 0.0722)


def _to_oklab(colour: str) -> tuple[float, float, float]:
    r, g, b = _to_linear(colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _to_rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _to_hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _to_linear(colour: str) -> list[float]:
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in _to_rgb(colour)]
