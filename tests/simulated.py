"""Simulated periods of documents whose paragraphs go together, with a known share."""

from __future__ import annotations

import numpy as np
import pandas as pd

LONGEST = 60


def document_sizes(draw: np.random.Generator, shape: tuple[int, ...]):
    """Paragraphs a document: half have 5 or fewer, one in ten 35 or more, as among real transcripts."""
    return np.clip(np.exp(draw.normal(1.7, 1.35, shape)).round(), 1, LONGEST)


def corpus(
    draw: np.random.Generator, periods: int, documents: int, share: float, likeness: float
) -> pd.DataFrame:
    """`periods` rows with the columns SUMS: beta-binomial documents of that share and likeness (ICC)."""
    m = document_sizes(draw, (periods, documents))
    weight = (1 - likeness) / likeness
    y = draw.binomial(m.astype(int), draw.beta(share * weight, (1 - share) * weight, m.shape)).astype(float)
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
