"""Compare this project with other methods: the same vectors, the same reference labels, one run.

    .venv-peers/bin/python -m benchmarks.peers [GOLD.jsonl] [--out docs/accuracy.md]

Needs the packages of benchmarks/requirements.txt, in a separate environment, and no network. Prints the table
as Markdown and, with --out, puts it under the heading `Comparison with other methods` of that file. Every
method is tested in ten folds by document: it is tuned on the other nine, and its best setting is chosen there
by macro-F1. Settings are a method's own thresholds and the ways of describing the narratives to it.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import rivals
from benchmarks.labels import GOLD, ROOT, Embed, Labels, Mask, Scores, load
from benchmarks.tuning import Setting, choose, fixed, folds_of, mapped, taught, thresholded, trained
from narratives.match import fit_matcher, load_background
from narratives.measure import ScoredPairs, compute_quality
from narratives.model import QualityMetrics

FOLDS = 10

INTRODUCTION = """\
All rows come from one run of `benchmarks/peers.py`, with the same all-MiniLM-L6-v2 vectors of the same
paragraphs, the same exemplars and definitions of the default codebook, and the same reference labels. The
labels are machine annotation, not human coding. Disputed pairs of paragraph and narrative are left out.

Paragraphs are tested in ten folds by document. Thresholds and the choice among a method's settings come from
the other nine folds. In the columns *first to second*, they come only from the first sample of labels outside
the fold, and are tested on the second sample, which was found mostly by similarity to examples. Intervals
come from a bootstrap of documents. AP is average precision, for methods that rank. Seconds are for one
setting on all paragraphs, without the time for the vectors.

The methods received this input:

- BERTopic, zero-shot: the names, the definitions or both, at seven similarities.
- BERTopic, guided: the cue phrases or the definitions as seeds. Its topics were then matched with the
  narratives by means of the labels.
- KeyNMF: one seeded model for each narrative.
- Concept vectors: the exemplars, against the contrasts or against the exemplars of other narratives.
- Cosine: the similarity to the nearest exemplar.

BERTopic gives a paragraph at most one topic, although some paragraphs advance two narratives. The exemplars
and cues were improved by reading errors on these same paragraphs. This favours every method that uses them,
and this project most, because its few constants were set on the same paragraphs too. Expect lower figures on
other documents.
"""


@dataclass(frozen=True, slots=True)
class Method:
    """A line of the table: its settings, and the seconds that one of them takes, vectors given."""

    name: str
    settings: Sequence[Setting]
    seconds: float


def both(gold: Labels, runs: Iterable[tuple[Scores, float]]) -> list[Setting]:
    """Each of a method's scores with either choice of thresholds."""
    return [thresholded(gold, scores, steady) for scores, _ in runs for steady in (True, False)]


def measure(method: Method, gold: Labels, tune: Mask, test: Mask) -> QualityMetrics:
    """The macro row of a method: tuned on rows of `tune`, tested on those of `test`, of other documents."""
    folds = folds_of(gold.documents, FOLDS)
    said, scores = np.zeros_like(gold.truth), np.zeros(gold.truth.shape)
    ranked = False
    for fold in range(FOLDS):
        rows, here = tune & (folds != fold), folds == fold
        best, ranks = choose(gold, method.settings, rows)(rows)
        said[here] = best[here]
        if ranks is not None:
            scores[here], ranked = ranks[here], True
    documents = [document for document, tested in zip(gold.documents, test, strict=True) if tested]
    pairs = ScoredPairs(gold.truth[test], gold.usable[test], scores[test], said[test], documents)
    *_, macro = compute_quality(pairs, gold.narratives)
    if ranked:
        return macro
    none = float("nan")
    return replace(macro, average_precision=none, average_precision_low=none, average_precision_high=none)


def methods(gold: Labels, embed: Embed) -> list[Method]:
    """The lines of the table, the peers first."""
    zeroshot = list(rivals.bertopic_zeroshot(gold, embed))
    guided = list(rivals.bertopic_guided(gold, embed))
    keynmf = list(rivals.turftopic_keynmf(gold, embed))
    concepts = list(rivals.turftopic_concepts(gold, embed))
    plain, finer = rivals.cosine(gold, with_windows=False), rivals.cosine(gold, with_windows=True)
    own = ours(gold, embed)
    evidence, seconds = own
    # Without the thresholds that the codebook ships, which saw every fold.
    taught_too = taught(gold, evidence, np.full(len(gold.narratives), 0.5, np.float32))
    everything = np.ones(len(gold.texts), dtype=np.bool_)
    started = time.monotonic()
    taught_too(everything)
    teaching = time.monotonic() - started
    started = time.monotonic()
    learner = trained(gold, np.concatenate([gold.vectors, finer[0]], axis=1).astype(np.float64))
    learner(everything)
    learning = time.monotonic() - started
    shares = (0.25, 0.4, 0.55)
    return [
        Method("BERTopic, zero-shot", [fixed(said) for said, _ in zeroshot], _median(zeroshot)),
        Method(
            "BERTopic, guided",
            [mapped(gold, topics, least) for topics, _ in guided for least in shares],
            _median(guided),
        ),
        Method("Turftopic, KeyNMF with a seed phrase", both(gold, keynmf), _median(keynmf)),
        Method("Turftopic, concept vectors", both(gold, concepts), _median(concepts)),
        Method("cosine to the exemplars, paragraph", both(gold, [plain]), plain[1]),
        Method("cosine to the exemplars, paragraph and sentences", both(gold, [finer]), finer[1]),
        Method("logistic regression trained on the labels", [learner], learning),
        Method("**this project**, codebook alone", both(gold, [own]), seconds),
        Method("**this project**, with the labels as decisions", [taught_too], seconds + teaching),
    ]


def ours(gold: Labels, embed: Embed) -> tuple[Scores, float]:
    """This project's evidence (n, k), codebook alone, and the seconds for fitting and matching."""
    started = time.monotonic()
    matcher = fit_matcher(gold.codebook, embed, load_background(ROOT / "data" / "background.npz"))
    return matcher.match(gold.texts, gold.vectors, gold.windows).evidence, time.monotonic() - started


def _median(runs: Sequence[tuple[object, float]]) -> float:
    return float(np.median([seconds for _, seconds in runs]))


def table(gold: Labels, lines: Sequence[Method]) -> str:
    """The comparison as Markdown."""
    everything = np.ones(len(gold.texts), dtype=np.bool_)
    rows = [
        "| method | macro-F1 (95 %) | precision | recall | AP | first to second: macro-F1 | AP | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method in lines:
        crossed = measure(method, gold, everything, everything)
        onward = measure(method, gold, gold.first, ~gold.first)
        cells = [
            method.name,
            _with_limits(crossed),
            *map(_share, (crossed.precision, crossed.recall, crossed.average_precision)),
            _with_limits(onward),
            _share(onward.average_precision),
            f"{method.seconds:.1f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _with_limits(macro: QualityMetrics) -> str:
    return f"{macro.f1:.2f} ({macro.f1_low:.2f}–{macro.f1_high:.2f})"


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def put(path: Path, heading: str, text: str) -> None:
    """Make `text` the section `heading` of a Markdown file, in the place of an earlier one."""
    old = path.read_text("utf-8") if path.exists() else "# Accuracy\n"
    section = re.compile(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    new = f"## {heading}\n\n{text}\n"
    found = section.search(old)
    path.write_text(
        f"{old[: found.start()]}{new}{chr(10) if old[found.end() :] else ''}{old[found.end() :]}"
        if found
        else f"{old.rstrip()}\n\n{new}",
        "utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("gold", nargs="?", type=Path, default=GOLD)
    parser.add_argument("--out", type=Path, metavar="F.md", help="where to put the table")
    arguments = parser.parse_args()
    gold, embed = load(arguments.gold)
    text = table(gold, methods(gold, embed))
    print(text)
    if arguments.out:
        put(arguments.out, "Comparison with other methods", f"{INTRODUCTION}\n{text}")


if __name__ == "__main__":
    main()
