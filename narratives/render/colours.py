"""Colours that hold on a light and on a dark page, and can be told from one another. Pure.

The palette takes its hues from Paul Tol's colour-blind safe schemes (https://personal.sron.nl/~pault/), moved
to a lightness that stands out from both backgrounds.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping

GREY = "#7d8288"
FAINT = "rgba(128,134,140,0.18)"
PALETTE = ("#2f7fb8", "#c4612a", "#2f8f6b", "#a8639f", "#8a7d1f", "#c0566b")
BACKGROUNDS = ("#fdfcfa", "#15181c")  # as .streamlit/config.toml has them
LINE_CONTRAST = 3.0  # the least for lines and marks: https://www.w3.org/TR/WCAG22/#non-text-contrast
CLOSEST = 0.042  # in OKLab; half the least distance within the palette, so that one of it is always free


def rgba(colour: str, alpha: float) -> str:
    """`#rrggbb` with an alpha, as CSS writes it."""
    red, green, blue = (round(part * 255) for part in _rgb(colour))
    return f"rgba({red},{green},{blue},{alpha:g})"


def chosen(colour: str, position: int) -> str:
    """A narrative's own colour, made legible, or the palette's for its position where it has none."""
    own = len(colour) == 7 and colour[0] == "#" and all(c in "0123456789abcdef" for c in colour[1:].lower())
    return legible(colour) if own else PALETTE[position % len(PALETTE)]


def legible(colour: str) -> str:
    """The colour in the nearest lightness that stands out from both backgrounds; hue and saturation stay."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    steps = sorted((i / 100 for i in range(101)), key=lambda step: abs(step - lightness))
    for step in (lightness, *steps):
        shade = _hex(colorsys.hls_to_rgb(hue, step, saturation))
        if all(contrast(shade, ground) >= LINE_CONTRAST for ground in BACKGROUNDS):
            return shade
    return GREY


def distinct(colours: Mapping[str, str]) -> dict[str, str]:
    """The colours of one chart: each as given, but of the palette where it is too close to an earlier one."""
    told: dict[str, str] = {}
    for key, colour in colours.items():
        if any(distance(colour, other) < CLOSEST for other in told.values()):
            colour = max(PALETTE, key=lambda spare: min(distance(spare, other) for other in told.values()))
        told[key] = colour
    return told


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    low, high = sorted(sum(w * p for w, p in zip(_WEIGHTS, _linear(c), strict=True)) for c in (first, second))
    return (high + 0.05) / (low + 0.05)


def distance(first: str, second: str) -> float:
    """Distance of two colours in OKLab (https://bottosson.github.io/posts/oklab/); 0.02 is barely seen."""
    return math.dist(_oklab(first), _oklab(second))


_WEIGHTS = (0.2126, 0.7152, 0.0722)


def _oklab(colour: str) -> tuple[float, float, float]:
    r, g, b = _linear(colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _linear(colour: str) -> list[float]:
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in _rgb(colour)]
