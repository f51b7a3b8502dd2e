"""Kill builds at random moments, and check that the next build ends as if nothing had happened.

`python -m benchmarks.crash_rounds --rounds 100` builds a small store with an encoder that needs no model. In every
round a build that adds, replaces and removes documents is killed with SIGKILL after a random time, or its files are
limited in size, as on a full disk. The same build is then run again, and its exports are compared with those of an
undisturbed one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from narratives import measure
from narratives.model import DiskError, Slice, Text, VectorArray
from narratives.store import DEFAULT_COPIES, EXPORT_TABLES, Store, export_slice
from narratives.store.checks import find_damage
from narratives.workflows.build import BuildRequest, build

DIMENSION = 48
DISK_SIZES = (0, 500, 5_000, 50_000, 200_000, 500_000)  # bytes that a file may have
CLAIMS = (
    "The alliance moves its bases closer to our border year after year, and we are told to be calm about it.",
    "Sanctions hurt those who impose them, and our farmers have only gained from the closed market.",
    "The harvest in the southern regions was good this year, and grain exports will grow by a tenth.",
)


class WordEncoder:
    """An encoder that hashes words into a few dimensions."""

    name, variant, dimension, languages = "words", "fp32", DIMENSION, frozenset({"en"})

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        for start in range(0, len(texts), 16):
            indices = list(range(start, min(start + 16, len(texts))))
            yield indices, np.stack([self._hash(str(texts[index])) for index in indices])

    def _hash(self, text: str) -> VectorArray:
        row = np.full(DIMENSION, 0.01)
        for word in text.lower().split():
            digest = hashlib.sha256(word.encode()).digest()
            row[digest[0] % DIMENSION] += 1.0 if digest[1] % 2 else -1.0
        made: VectorArray = (row / np.linalg.norm(row)).astype(np.float32)
        return made


def write_inputs(folder: Path, name: str, first: int, last: int) -> str:
    path = folder / name
    rows = [
        {
            "id": f"doc-{number}",
            "outlet": f"Paper {number % 3}",
            "date": f"{2016 + number % 5}-0{1 + number % 9}-15",
            "paragraphs": [f"{CLAIMS[(number + at) % 3]} This was item {number} and {at}." for at in range(3)],
        }
        for number in range(first, last)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def run_build(folder: Path, store: Path, limit: int | None = None) -> None:
    """Run the build of a round. Exit status 4 if the disk is full."""
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    inputs = (str(folder / "a.jsonl"), str(folder / "c.jsonl"))
    kept, gone = Store(store), folder / "b.jsonl"
    records = [*kept.load_inputs(), *kept.manifest(kept.current() or "").inputs]
    remove = (str(gone),) if any(record.path == gone.resolve() for record in records) else ()
    request = BuildRequest(inputs, store, remove=remove)
    try:
        build(request, encoder=WordEncoder())
    except DiskError:
        os._exit(4)


def export_all(store: Path) -> dict[str, str]:
    return {
        table: export_slice(store, table, Slice(copies=DEFAULT_COPIES[table]), None, measure.add_shares)
        for table in EXPORT_TABLES
    }


def run_rounds(rounds: int, disks: int, seed: int, folder: Path) -> Counter[str]:
    """Run the rounds and return how they ended."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["benchmarks.crash_rounds"])
    write_inputs(folder, "a.jsonl", 0, 8)
    write_inputs(folder, "b.jsonl", 8, 12)
    before = folder / "before"
    build(BuildRequest((str(folder / "a.jsonl"), str(folder / "b.jsonl")), before), encoder=WordEncoder())
    write_inputs(folder, "a.jsonl", 0, 9)  # replaced
    write_inputs(folder, "c.jsonl", 12, 20)  # added; b.jsonl is removed
    shutil.copytree(before, folder / "whole")
    started = time.monotonic()
    run_build(folder, folder / "whole")
    duration = time.monotonic() - started
    expected, chance = export_all(folder / "whole"), random.Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(rounds + disks):
        store = folder / f"round-{number}"
        shutil.copytree(before, store)
        limit = DISK_SIZES[number % len(DISK_SIZES)] if number >= rounds else None
        victim = processes.Process(target=run_build, args=(folder, store, limit))
        victim.start()
        victim.join(None if limit is not None else chance.uniform(0, 1.2 * duration))
        if victim.is_alive():
            victim.kill()
            victim.join()
        status = victim.exitcode
        how = {-signal.SIGKILL: "killed", 0: "complete", 4: "full disk"}.get(status or 0, f"status {status}")
        run_build(folder, store)
        same, damage = export_all(store) == expected, find_damage(Store(store))
        left = list(store.rglob(".tmp-*"))
        outcomes[
            f"{how}: {'the same exports' if same else 'OTHER EXPORTS'}, {len(damage)} damaged, {len(left)} left"
        ] += 1
        shutil.rmtree(store)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="builds to kill")
    parser.add_argument("--disks", type=int, default=20, help="builds on a full disk")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_rounds(options.rounds, options.disks, options.seed, Path(folder))
    for outcome, number in sorted(outcomes.items()):
        print(f"{number:>5}  {outcome}")
    sys.exit(any("OTHER" in outcome or "status" in outcome for outcome in outcomes))


if __name__ == "__main__":
    main()
