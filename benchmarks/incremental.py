"""Processor seconds of each stage of a first build, of one with a few more documents, and of later ones.

    python -m benchmarks.incremental FOLDER [FILE.jsonl[.gz]] [--documents N] [--percent P] [--words] [--first]

FOLDER (new) gets the parts of FILE (the Kremlin set of `../shared`) and a store. The first build takes all but P % of
the documents; the second adds these; the third changes a date by a correction, so that nothing is new but all is to be
done; the fourth has nothing to do. `--words` replaces the model by hashed words, which are fast and lie close where
texts share words: every stage but the encoding then has its usual work, but no classifier takes part in the matching.
`--first` makes only a first build, of all documents. `--profile` writes FOLDER/<build>.pstats.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import json
import random
import resource
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from narratives.model.text import Encoder, Text, VectorArray
from narratives.store import DECISIONS_FILE, DecisionLog, open_snapshot
from narratives.workflows.build import BuildRequest, build

KREMLIN = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora" / "kremlin_en_2016_2020.jsonl.gz"
DIMENSION = 384
BATCH = 4096


class WordEncoder:
    """A stand-in for the model: a text is the mean of random directions, one for each of its words."""

    name, variant, dimension = "words", "fp32", DIMENSION
    languages = frozenset({"en"})

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self._words = HashingVectorizer(n_features=1 << 16, stop_words="english", alternate_sign=False)
        self._directions = np.random.default_rng(0).normal(size=(1 << 16, DIMENSION)).astype(np.float32)

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield batches of indices and unit rows."""
        for start in range(0, len(texts), BATCH):
            part = [str(text) for text in texts[start : start + BATCH]]
            rows = (self._words.transform(part) @ self._directions).astype(np.float32) + np.float32(0.01)
            yield list(range(start, start + len(part))), rows / np.linalg.norm(rows, axis=1, keepdims=True)


class StageTimer:
    """Processor seconds between the reports of one stage and of the next: other programs do not change them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._stage, self._since = "start", time.process_time()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Note the stage that begins or goes on."""
        now = time.process_time()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = stage, now


def main() -> None:
    """Build four times and print one column of seconds for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path, nargs="?", default=KREMLIN)
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--percent", type=float, default=1.0)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--first", action="store_true", help="only the first build, of all documents")
    given = parser.parse_args()
    given.folder.mkdir(parents=True)
    with gzip.open(given.file, "rt", encoding="utf-8") as file:
        lines = file.readlines()
    lines = random.Random(0).sample(lines, given.documents or len(lines))
    more = 0 if given.first else max(1, round(len(lines) * given.percent / 100))
    parts = {"most.jsonl": lines[more:], "more.jsonl": lines[:more]}
    for name, part in parts.items():
        (given.folder / name).write_text("".join(part), encoding="utf-8")
    encoder: Encoder | None = WordEncoder() if given.words else None
    store = given.folder / "store"
    columns: dict[str, dict[str, float]] = {}
    builds: tuple[tuple[str, list[str]], ...] = (
        ("first", ["most.jsonl"]),
        ("more", ["more.jsonl"]),
        ("corrected", []),
        ("nothing", []),
    )
    for name, files in builds[:1] if given.first else builds:
        if name == "corrected":
            _correct_a_date(store)
        timer, profile = StageTimer(), cProfile.Profile()
        if given.profile:
            profile.enable()
        started, began = time.process_time(), time.monotonic()
        request = BuildRequest(tuple(str(given.folder / file) for file in files), store)
        report = build(request, timer, encoder)
        seconds, wall = time.process_time() - started, time.monotonic() - began
        timer("end", 0, None)
        if given.profile:
            profile.disable()
            profile.dump_stats(given.folder / f"{name}.pstats")
        columns[name] = {**timer.seconds, "whole build": seconds}
        took = f"{seconds:.1f} s of the processor, {wall:.1f} s"
        print(f"{name}: {report.snapshot}, {report.counts}, {report.encoded} encoded, {took}", flush=True)
    stages = dict.fromkeys(stage for column in columns.values() for stage in column)
    print(f"\n{'':20}" + "".join(f"{name:>12}" for name in columns))
    for stage in stages:
        print(f"{stage:20}" + "".join(f"{column.get(stage, 0.0):12.1f}" for column in columns.values()))
    whole = columns["first"]["whole build"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of memory: {peak:,.0f} MiB")
    print(f"{'of the first, %':20}" + "".join(f"{100 * c['whole build'] / whole:12.1f}" for c in columns.values()))


def _correct_a_date(store: Path) -> None:
    with closing(open_snapshot(store)) as snapshot:
        document = str(snapshot.frame("SELECT min(document_id) AS document_id FROM snap.paragraphs")["document_id"][0])
    value = json.dumps({"date": "2016-02-03"})
    DecisionLog(store / DECISIONS_FILE).edit("document", document, value, "benchmark", "to build again")


if __name__ == "__main__":
    main()
