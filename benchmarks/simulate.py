"""Simulated periods of documents whose paragraphs go together, with a known share."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narratives.model import MIN_STATEMENT_WORDS

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
    """`periods` rows with the columns `narratives.measure.shares.SUM_COLUMNS`.

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


def series(
    draw: np.random.Generator, number: int, shares: Sequence[float], documents: int, likeness: float
) -> pd.DataFrame:
    """`number` narratives over as many months as there are shares."""
    parts = [corpus(draw, number, documents, share, likeness) for share in shares]
    frame = pd.concat(parts, ignore_index=True)
    at = np.repeat(np.arange(len(shares)), number)
    months = [f"{2000 + month // 12}-{month % 12 + 1:02d}" for month in at]
    return frame.assign(narrative_id=np.tile(np.arange(number), len(shares)).astype(str), period=months)


def kremlin(shared: Path) -> Sizes:
    """Documents as long as those of the Kremlin set, drawn with replacement."""
    with gzip.open(shared / "corpora" / "kremlin_en_2016_2020.jsonl.gz", "rt", encoding="utf-8") as lines:
        documents = [json.loads(line)["paragraphs"] for line in lines]
    counts = [sum(len(p["text"].split()) >= MIN_STATEMENT_WORDS for p in found) for found in documents]
    lengths = np.array([count for count in counts if count], np.float64)
    return lambda draw, shape: draw.choice(lengths, shape)
