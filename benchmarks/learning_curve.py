"""What decisions teach: macro-F1 against the number of decided paragraphs, cross-validated by document.

    python -m benchmarks.learning_curve [GOLD.jsonl] [--out docs/accuracy.md]

The decisions are the reference labels. In each of eight folds by document, decided paragraphs are drawn from
the documents of the other seven, whole documents at a time, and what they teach is tested on the fold. The
same is done with a codebook that lost half of its exemplars and contrasts by lot: the default codebook was
improved by reading errors on these very paragraphs, so that little is left to learn from them, while a
codebook of one's own begins weaker. Prints the table as Markdown and, with --out, puts it between its markers
in that file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import replace_section
from benchmarks.match_quality import FOLDS, ROOT, Labelled, Mask, choose_thresholds, f1, folds_of, load
from narratives.match import LabelledPairs, LearnedCorrections, learn_corrections, to_score
from narratives.model import Codebook, Narrative
from narratives.read import load_codebook

SIZES = (0, 100, 200, 400, 800)
REPEATS = 2
INTRODUCTION = """\
## Learning from decisions

Written by `make learning`. The columns are numbers of decided paragraphs. The decisions are the reference
labels (machine annotation, not human coding) of {paragraphs:,} paragraphs of {documents} documents. Each
paragraph is tested with decisions on paragraphs of other documents, in eight folds. F1 is the mean of
{repeats} divisions into folds. Even at 0 decisions the thresholds come from the other folds, as the shipped
ones come from all of them, so the table shows what decisions add to good thresholds.

The default codebook was improved by reading errors on these same paragraphs. The weakened codebook has lost a
random half of its exemplars and contrasts, which makes it more like a new codebook of your own. Differences
below 0.01 are noise.
"""


def halved(codebook: Codebook, seed: int) -> Codebook:
    """The codebook with half of every narrative's exemplars and contrasts, drawn by lot."""
    draw = np.random.default_rng(seed)

    def half(texts: Sequence[str]) -> tuple[str, ...]:
        kept = np.sort(draw.permutation(len(texts))[: (len(texts) + 1) // 2])
        return tuple(texts[index] for index in kept)

    def weaker(narrative: Narrative) -> Narrative:
        exemplars, contrasts = half(narrative.exemplars), half(narrative.contrasts)
        return replace(narrative, exemplars=exemplars, contrasts=contrasts)

    return replace(codebook, narratives=tuple(map(weaker, codebook.narratives)))


def decided(data: Labelled, rows: NDArray[np.intp], thresholds: NDArray[np.float32]) -> LabelledPairs:
    """The reference labels of some rows as decisions."""
    return LabelledPairs(
        texts=tuple(data.texts[row] for row in rows),
        documents=tuple(str(data.documents[row]) for row in rows),
        evidence=data.evidence[rows],
        accepted=data.labels[rows],
        known=data.usable[rows],
        thresholds=thresholds,
    )


def out_of_fold(data: Labelled, size: int, seed: int) -> tuple[Mask, float]:
    """What is said of each pair (n, k) after `size` decided paragraphs; what share of narratives learned."""
    folds = folds_of(data, seed)
    said, learned = np.zeros_like(data.labels), []
    for fold in range(FOLDS):
        held = np.flatnonzero(folds == fold)
        thresholds = choose_thresholds(data, folds != fold)
        rows = drawn(data, np.flatnonzero(folds != fold), size, seed)
        lessons = learn_corrections(decided(data, rows, thresholds))
        said[held] = said_of(data, held, lessons)
        learned.append(float(lessons.learned.mean()))
    return said, float(np.mean(learned))


def drawn(data: Labelled, rows: NDArray[np.intp], size: int, seed: int) -> NDArray[np.intp]:
    """About `size` of the rows: whole documents by lot, the last of them cut."""
    documents = np.random.default_rng(seed).permutation(np.unique(data.documents[rows]))
    place = {document: number for number, document in enumerate(documents)}
    order = np.argsort([place[document] for document in data.documents[rows]], kind="stable")
    taken: NDArray[np.intp] = rows[order][:size]
    return taken


def said_of(data: Labelled, rows: NDArray[np.intp], lessons: LearnedCorrections) -> Mask:
    """Which narratives the rows are said to advance (m, k)."""
    corrected = lessons.correct(data.evidence[rows], [data.texts[row] for row in rows])
    said: Mask = to_score(corrected).astype(np.float32) >= lessons.thresholds
    return said


def curve(data: Labelled) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 (sizes, k) and the share of narratives that learned (sizes,), means of the repeats; last: all."""
    scores, learned = [], []
    for size in (*SIZES, len(data.texts)):
        runs = [out_of_fold(data, size, seed) for seed in range(REPEATS)]
        use = [data.usable[:, k] for k in range(len(data.narratives))]
        per_run = [[f1(data.labels[rows, k], said[rows, k]) for k, rows in enumerate(use)] for said, _ in runs]
        scores.append(np.mean(per_run, axis=0))
        learned.append(np.mean([share for _, share in runs]))
    return np.array(scores), np.array(learned)


def report(gold: Path) -> str:
    """The section as Markdown."""
    codebook = load_codebook(ROOT / "data/codebook.toml")
    full = load(gold)
    all_others = round(len(full.texts) * (1 - 1 / FOLDS))
    lines = [
        f"| | {' | '.join(map(str, SIZES))} | all others (about {all_others}) |",
        f"|---{'|---' * (len(SIZES) + 1)}|",
    ]
    scores, learned = curve(full)
    lines.append(_row("**macro-F1**, default codebook", scores.mean(axis=1)))
    lines.append(_row("share of narratives that use the words of decisions", learned))
    for seed in range(2):
        weak, _ = curve(load(gold, codebook=halved(codebook, seed)))
        lines.append(_row(f"**macro-F1**, weakened codebook, random half {seed + 1}", weak.mean(axis=1)))
    lines += [_row(narrative, of) for narrative, of in zip(full.narratives, scores.T, strict=True)]
    text = INTRODUCTION.format(paragraphs=len(full.texts), documents=len(set(full.documents.tolist())), repeats=REPEATS)
    return f"{text}\n" + "\n".join(lines)


def _row(name: str, values: NDArray[np.float64]) -> str:
    digits = 3 if name.startswith("**") else 2
    return f"| {name} | {' | '.join(f'{value:.{digits}f}' for value in values)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    gold = ROOT.parent / "shared/gold/narratives_dev.jsonl"
    parser.add_argument("gold", nargs="?", type=Path, default=gold)
    parser.add_argument("--out", type=Path, metavar="F.md", help="where to put the table")
    arguments = parser.parse_args()
    text = report(arguments.gold)
    print(text)
    if arguments.out:
        old = arguments.out.read_text("utf-8")
        arguments.out.write_text(replace_section(old, text, "learning"), "utf-8")


if __name__ == "__main__":
    main()
