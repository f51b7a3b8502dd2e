"""A store large enough for shares, changes and company, built in code: for a narrative's own page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from narratives.model import SnapshotContent, Voice
from narratives.store import Store
from tests.helpers.factory import content, document

ABOUT, BESIDE = "wwii_memory", "us_meddles_too"
RISE = "2018"  # from here on the share of ABOUT is higher
WHO: tuple[tuple[str, Voice], ...] = (
    ("Vladimir Putin", "own"),
    ("Vladimir Putin", "quoted"),
    ("Maria Zakharova", "own"),
    ("Sergei Lavrov", "reported"),
    ("", "outlet"),
)
SENTENCE, EXEMPLAR = "Nobody may rewrite the war.", "They rewrite the history of our victory."


def larger() -> SnapshotContent:
    """320 documents of 2016-2019, 20 a quarter, with 4 statement paragraphs each; the same at every call.

    ABOUT is in one of twenty paragraphs, from RISE on in one of four; BESIDE mostly where ABOUT is. The last
    document has no date. Maria Zakharova speaks only from 2017 on.
    """
    draw = np.random.default_rng(5)
    documents, assignments = [], []
    for number in range(320):
        year, quarter = 2016 + number // 80, number % 80 // 20
        when = f"{year}-{quarter * 3 + 1:02}-{number % 20 + 1:02}" if number < 319 else ""
        bodies = []
        for place in range(4):
            who, voice = WHO[draw.integers(len(WHO) if year > 2016 else 2)]
            hit = draw.random() < (0.25 if str(year) >= RISE else 0.05)
            scores = {ABOUT: round(0.5 + 0.4 * draw.random(), 3)} if hit else {}
            if draw.random() < (0.5 if hit else 0.02):
                scores[BESIDE] = 0.7
            text = f"Paragraph {place} of text {number} says this. {SENTENCE} So much for that."
            bodies.append((who, voice, text, scores))
        made, of_it = document(number, when, ("Kremlin", "TASS")[number % 2], f"Text {number}", bodies)
        documents.append(made)
        assignments += [replace(a, sentence=SENTENCE, exemplar=EXEMPLAR) for a in of_it]
    statements = {p.paragraph_id for d in documents for p in d.paragraphs if p.kind == "body"}
    return replace(
        content(),
        documents=documents,
        assignments=assignments,
        statements=statements,
        copies={},
        clusters=[],
        rejected=[],
    )


def build_larger(path: Path) -> Store:
    """A store at `path` that holds `larger()` as its current snapshot."""
    store = Store(path)
    store.write_snapshot(larger())
    return store
