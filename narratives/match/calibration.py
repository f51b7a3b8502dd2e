"""Scores from evidence (standard deviations over the background), and the background itself."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narratives.model import ConfigError
from narratives.model.text import EmbedFunction, FloatArray, embed_passages

MIDPOINT, SLOPE = 6.5, 1.5  # evidence at which the score is one half; a larger slope rises more slowly
DECIMALS = 3


def to_score(evidence: ArrayLike) -> FloatArray:
    """Return scores in 0..1 of any shape, rounded so that last bits never decide at a threshold."""
    scores: FloatArray = np.round(1 / (1 + np.exp((MIDPOINT - np.asarray(evidence, np.float64)) / SLOPE)), DECIMALS)
    return scores


def to_evidence(scores: ArrayLike) -> FloatArray:
    """Return the evidence of scores; 0 and 1 count as the nearest scores that are not rounded to them."""
    half = 0.5 * 10.0**-DECIMALS
    inner = np.clip(np.asarray(scores, np.float64), half, 1 - half)
    evidence: FloatArray = MIDPOINT + SLOPE * np.log(inner / (1 - inner))
    return evidence


MIN_BACKGROUND = 20


@dataclass(frozen=True, slots=True)
class Background:
    """Vectors of ordinary paragraphs, chosen without regard to narratives and made by one model.

    `paragraph_vectors` float (n, d) and `window_vectors` float (w, d) are unit rows. `window_owner` int (w,)
    is the row of each window's paragraph, ascending; every paragraph has at least one window. `model` names
    the model, `sha256` its weights ("" where unknown).
    """

    model: str
    paragraph_vectors: NDArray[np.float32]
    window_vectors: NDArray[np.float32]
    window_owner: NDArray[np.int32]
    sha256: str = ""

    def __post_init__(self) -> None:
        paragraphs, owner = len(self.paragraph_vectors), self.window_owner
        if paragraphs < MIN_BACKGROUND:
            raise ConfigError(
                f"a background of at least {MIN_BACKGROUND} paragraphs",
                f"{paragraphs}",
                "Give more ordinary paragraphs, or use the shipped background.",
            )
        if len(owner) != len(self.window_vectors) or not np.array_equal(np.unique(owner), np.arange(paragraphs)):
            raise ConfigError(
                f"windows that belong to each of {paragraphs} background paragraphs",
                f"{len(owner)} owners for {len(self.window_vectors)} windows",
                "Make the background again (benchmarks/make_background.py).",
            )


def load_background(path: Path) -> Background:
    """Read the background that `benchmarks/make_background.py` writes: float16 vectors, no text.

    Raises ConfigError where the file is missing or is not a background archive.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Background(
                model=str(archive["model"]),
                paragraph_vectors=archive["paragraph_vectors"].astype(np.float32),
                window_vectors=archive["window_vectors"].astype(np.float32),
                window_owner=archive["window_owner"].astype(np.int32),
                sha256=str(archive["sha256"]),
            )
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ConfigError(
            f"a background archive at {path}",
            f"{type(error).__name__}: {error}",
            "Restore data/background.npz, or make it again with benchmarks/make_background.py.",
        ) from error


def make_background(texts: Sequence[str], embed: EmbedFunction, model: str, sha256: str = "") -> Background:
    """Encode `texts` (ordinary paragraphs) and their windows, for a model without a shipped background.

    Raises ConfigError for fewer than MIN_BACKGROUND texts.
    """
    vectors, windows = embed_passages(texts, embed)
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), [len(rows) for rows in windows])
    return Background(model, vectors, np.concatenate(windows), owner, sha256)
