"""The scale of scores: evidence in standard deviations over the background, seen through a logistic curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIDPOINT, SLOPE = 6.5, 1.5  # evidence at which the score is one half, and how slowly it rises
DECIMALS = 3

Array = NDArray[np.float64]


def to_score(evidence: ArrayLike) -> Array:
    """Scores in 0..1 of any shape, rounded before any threshold: last bits must not decide."""
    scores: Array = np.round(
        1 / (1 + np.exp((MIDPOINT - np.asarray(evidence, np.float64)) / SLOPE)), DECIMALS
    )
    return scores


def to_evidence(scores: ArrayLike) -> Array:
    """The evidence of scores; 0 and 1, to which many round, stand for the nearest that do not."""
    half = 0.5 * 10.0**-DECIMALS
    inner = np.clip(np.asarray(scores, np.float64), half, 1 - half)
    evidence: Array = MIDPOINT + SLOPE * np.log(inner / (1 - inner))
    return evidence
