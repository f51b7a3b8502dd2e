"""Simulated periods of documents whose paragraphs go together, with a known share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sizes = Callable[[np.random.Generator, tuple[int, ...]], Floats]

LONGEST = 60


def skewed(draw: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Paragraphs a document: half have 5 or fewer, one in ten 30 or more, none over LONGEST."""
    lengths: Floats = np.clip(np.exp(draw.normal(1.7, 1.35, shape)).round(), 1, LONGEST)
    return lengths


def corpus(
    draw: np.random.Generator,
    periods: int,
    documents: int,
    share: float,
    likeness: float,
    sizes: Sizes = skewed,
    recall: float = 1.0,
    false_positives: float = 0.0,
    by_length: float = 0.0,
) -> pd.DataFrame:
    """`periods` rows with the columns `narratives.measure.clustered.SUMS`.

    The paragraphs of a document are beta-binomial, of that share and intraclass correlation (`likeness`).
    `by_length` makes the share of a document fall (above 0) or rise with its number of paragraphs m, as
    (m + 1) ** -by_length, the share of all paragraphs staying. A matcher finds each true paragraph with
    probability `recall` and any other with `false_positives`.
    """
    m = sizes(draw, (periods, documents))
    own = np.full(m.shape, share)
    if by_length:
        many = sizes(draw, (200_000,))
        own = own * (m + 1) ** -by_length * many.sum() / (many * (many + 1) ** -by_length).sum()
        own = np.minimum(own, 0.95)
    weight = (1 - likeness) / likeness
    whole = m.astype(np.int64)
    true = draw.binomial(whole, np.nan_to_num(draw.beta(own * weight, (1 - own) * weight)))
    y = (draw.binomial(true, recall) + draw.binomial(whole - true, false_positives)).astype(np.float64)
    return pd.DataFrame(
        {
            "documents": documents,
            "total_paragraphs": m.sum(axis=1),
            "paragraphs": y.sum(axis=1),
            "m2": (m * m).sum(axis=1),
            "my": (m * y).sum(axis=1),
            "y2": (y * y).sum(axis=1),
        }
    )
