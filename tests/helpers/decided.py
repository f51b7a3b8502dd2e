"""Decisions on invented texts, made from a seed."""

from __future__ import annotations

import random

import numpy as np

from narratives.match.learning import LabelledPairs

FILLER = list(map(str, range(100, 114)))


def decided(count: int = 160, seed: int = 5) -> LabelledPairs:
    """Texts on two narratives. "harbour", new to the codebook, makes the first true; the second it knows."""
    rng = random.Random(seed)
    texts, evidence, accepted = [], [], []
    for row in range(count):
        harbour, sure = row % 4 == 0, row % 3 == 0
        words = rng.choices(FILLER, k=12) + (["harbour"] if harbour else [])
        rng.shuffle(words)
        texts.append(" ".join(words) + f" {row}")
        accepted.append([harbour, sure])
        evidence.append([rng.gauss(5.5, 1.0), 9.0 + rng.random() if sure else 2.0 + rng.random()])
    return LabelledPairs(
        texts=tuple(texts),
        documents=tuple(f"d{row // 2}" for row in range(count)),
        evidence=np.round(np.array(evidence), 6),
        accepted=np.array(accepted),
        known=np.ones((count, 2), bool),
        thresholds=np.array([0.5, 0.5], np.float32),
    )
