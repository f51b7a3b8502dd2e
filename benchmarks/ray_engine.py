"""Time builds of one engine and the other, and compare what they export.

    python -m benchmarks.ray_engine [--documents N] [--corpus FILE] [--workers 1 2 ...]

Builds the first N documents of the corpus into a new store, once in this process and once for each number of workers in
a cluster on this machine. Prints the seconds of each stage, the start of its workers included, and its rate after its
first result, without that start. Every process computes with one thread. Needs as many free cores as workers, and one
more for this process, to show what workers gain.
"""

from __future__ import annotations

import argparse
import gzip
import os
import tempfile
import time
from collections import defaultdict
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from narratives import measure
from narratives.model import Slice
from narratives.store import DEFAULT_COPIES, EXPORT_TABLES, export_slice
from narratives.workflows.build import BuildRequest, build
from narratives.workflows.engines import cluster
from narratives.workflows.engines.engine import EngineName

CORPUS = Path("../shared/corpora/kremlin_en_2016_2020.jsonl.gz")
STAGES = ("reading", "parsing", "encoding", "matching")


class Timer:
    """A progress callback. The time before a message belongs to the stage of the message."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._marks: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self._last = time.monotonic()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        self.seconds[stage] += now - self._last
        self._last = now
        if done:
            self._marks[stage].append((now, done))

    def compute_rate(self, stage: str) -> float:
        """Compute the items for each second between the first result of a stage and the last; 0 if that is one."""
        marks = self._marks[stage]
        # The build goes through all documents again, after the workers.
        end = next((at for at in range(1, len(marks)) if marks[at][1] <= marks[at - 1][1]), len(marks))
        if end < 2:
            return 0.0
        (first, before), (last, done) = marks[0], marks[end - 1]
        return (done - before) / (last - first)


def run(texts: Path, store: Path, engine: EngineName, workers: int) -> dict[str, bytes]:
    """Build, print the times, and return the exports by table."""
    timer = Timer()
    with cluster.open_cluster(workers) if workers else nullcontext():
        started = time.monotonic()
        build(BuildRequest((str(texts),), store, engine=engine), timer)
        total = time.monotonic() - started
    cells = [f"{timer.seconds[stage]:8.1f} s {timer.compute_rate(stage):7.1f}/s" for stage in STAGES]
    print(f"{engine if not workers else f'ray, {workers}':8}{''.join(cells)} {total:8.1f} s", flush=True)
    return {table: export(store, table) for table in EXPORT_TABLES}


def export(store: Path, table: Any) -> bytes:  # noqa: ANN401  # one of EXPORT_TABLES
    out = store.with_suffix(".csv")
    export_slice(store, table, Slice(copies=DEFAULT_COPIES[table]), out, measure.add_shares)
    return out.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder) / "texts.jsonl"
        with gzip.open(options.corpus, "rt", encoding="utf-8") as lines:
            texts.write_text("".join(islice(lines, options.documents)), "utf-8")
        print(f"{'':8}{''.join(f'{stage:>21}' for stage in STAGES)} {'build':>10}")
        local = run(texts, Path(folder) / "local", "local", 0)
        for workers in options.workers:
            exports = run(texts, Path(folder) / f"ray{workers}", "ray", workers)
            print(f"{'':8}exports identical: {exports == local}", flush=True)


if __name__ == "__main__":
    main()
