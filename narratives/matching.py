"""Which statements advance which narratives of the codebook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain

import numpy as np

from narratives import track
from narratives.embedding import Embedder
from narratives.model import Assignment, Codebook, Paragraph, Progress
from narratives.shipped import DATA, SAMPLE

BLOCK = 4096  # statements at a time: bounds memory, changes no score


def assign(
    codebook: Codebook,
    statements: Sequence[Paragraph],
    windows: Sequence[Sequence[str]],
    embed: Embedder,
    progress: Progress,
) -> list[Assignment]:
    """Every statement, copies included, against every narrative; in blocks, so that memory stays bounded."""
    background = track.load_background(DATA / "background.npz")
    if background.model != embed.encoder.name:
        background = track.make_background(_ordinary(), embed, embed.encoder.name)
    matcher = track.fit_matcher(codebook, embed, background)
    found: list[Assignment] = []
    for start in range(0, len(statements), BLOCK):
        progress("matching", start, len(statements))
        block = statements[start : start + BLOCK]
        of_block = windows[start : start + BLOCK]
        texts = [p.text for p in block]
        ends = np.cumsum([len(w) for w in of_block])
        window_rows = np.split(embed(list(chain.from_iterable(of_block))), ends[:-1])
        result = matcher.match(texts, embed(texts), window_rows)
        found += [
            Assignment(
                paragraph_id=block[row].paragraph_id,
                narrative_id=matcher.narrative_ids[column],
                score=round(float(result.scores[row, column]), 3),
                exemplar=matcher.statements[column][result.best_exemplar[row, column]],
                sentence=of_block[row][result.best_window[row, column]],
            )
            for row, column in zip(*np.nonzero(matcher.advances(result.scores)), strict=True)
        ]
    progress("matching", len(statements), len(statements))
    return found


def _ordinary() -> list[str]:
    """The sample's paragraphs that advance no narrative: the background of models other than the bundled."""
    paragraphs = chain.from_iterable(
        json.loads(line)["paragraphs"]
        for path in sorted(SAMPLE.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    )
    return sorted(p["text"] for p in paragraphs if not p["advances"])
