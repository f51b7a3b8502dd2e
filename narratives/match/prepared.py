"""Texts that are matched with many codebooks, one after another, as for previews of an edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from narratives.match.matcher import Matcher, compute_soft_maximum, find_cues, index_cues
from narratives.model import EmbedFunction, FloatArray, VectorArray
from narratives.model.text import embed_passages, is_question_to_speaker, normalise_words

_BLOCK_TEXTS = 4096  # limits memory; does not change any score


class PreparedTexts:
    """Texts with everything that matching needs and that no codebook changes.

    `vectors` (n, d) are those of the texts. The windows of text i are the rows of `windows` (w, d) from
    `first_windows[i]` on.
    """

    def __init__(self, texts: Sequence[str], embed: EmbedFunction) -> None:
        self.texts = tuple(texts)
        parts = [embed_passages(block, embed) for block in _cut(self.texts)]
        windows = [rows for _, own in parts for rows in own]
        self.vectors: VectorArray = np.concatenate([rows for rows, _ in parts]) if parts else np.zeros((0, 1), "f4")
        self.windows: VectorArray = np.concatenate(windows) if windows else np.zeros((0, 1), "f4")
        counts = [len(rows) for rows in windows]
        self.first_windows: NDArray[np.intp] = np.cumsum([0, *counts[:-1]]) if counts else np.zeros(0, np.intp)
        self._words = [normalise_words(text) for text in self.texts]
        self._asks = np.array([is_question_to_speaker(text) for text in self.texts], np.bool_)

    def __len__(self) -> int:
        return len(self.texts)

    def compute_evidence(self, matcher: Matcher) -> FloatArray:
        """Compute the evidence (n, k) of the codebook alone; equal to that of `Matcher.match` for these texts."""
        if not self.texts:
            return np.zeros((0, len(matcher.narrative_ids)))
        with threadpool_limits(limits=1, user_api="blas"):
            paragraph_soft, paragraph_probe = _compute_both(matcher, self.vectors)
            window_soft, window_probe = _compute_both(matcher, self.windows)
        values = np.stack(
            [
                paragraph_soft,
                np.maximum.reduceat(window_soft, self.first_windows),
                paragraph_probe,
                np.maximum.reduceat(window_probe, self.first_windows),
            ]
        )
        index = index_cues(matcher.cues)
        cued = np.array([find_cues(matcher.cues, words, index) for words in self._words])
        return matcher.compute_evidence(values, cued, self._asks)


def _compute_both(matcher: Matcher, rows: VectorArray) -> tuple[FloatArray, FloatArray]:
    """Compute the soft maximum over exemplars and the probe, each (n, k), of the rows."""
    soft, probe = [], []
    for start in range(0, len(rows), _BLOCK_TEXTS):
        block = rows[start : start + _BLOCK_TEXTS].astype(np.float64)
        soft.append(compute_soft_maximum(matcher, block @ matcher.exemplars.T))
        probe.append(block @ matcher.probe + matcher.intercept)
    return np.concatenate(soft), np.concatenate(probe)


def _cut(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _BLOCK_TEXTS] for start in range(0, len(texts), _BLOCK_TEXTS))
