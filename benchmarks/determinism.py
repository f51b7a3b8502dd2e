"""Compare the exports of three builds of the same documents: shuffled, with other threads, and in two steps.

    python -m benchmarks.determinism FILE.jsonl[.gz] STORE FOLDER

Builds in FOLDER (new), with vectors copied from STORE, which must hold the same texts, so that little is
encoded. The first build takes the rows as they are, with one thread. The second takes them shuffled, in three
files, with two threads. The third adds them in two builds. Prints how the last two differ from the first.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from narratives import measure
from narratives.model import Slice
from narratives.store import DEFAULT_COPIES, EXPORT_TABLES, export_slice


def main(source: Path, donor: Path, folder: Path) -> None:
    """Build the three stores and compare their exports."""
    data = source.read_bytes()
    lines = (gzip.decompress(data) if source.suffix == ".gz" else data).decode().splitlines(keepends=True)
    mixed = random.Random(0).sample(lines, len(lines))
    cuts = [mixed[:100], mixed[100 : len(mixed) // 2], mixed[len(mixed) // 2 :]]
    _build(folder / "plain", donor, 1, [[lines]])
    _build(folder / "shuffled", donor, 2, [cuts])
    _build(folder / "steps", donor, 2, [cuts[:2], cuts[2:]])
    plain = _exports(folder / "plain")
    for name in ("shuffled", "steps"):
        other = _exports(folder / name)
        print(name, {table: "identical" if plain[table] == other[table] else "differs" for table in EXPORT_TABLES})
        print("  codebook assignments", _assigned(plain, "codebook") == _assigned(other, "codebook"))
        print("  candidates up to ids", _groups(plain) == _groups(other), len(_groups(plain)))


def _build(folder: Path, donor: Path, threads: int, steps: list[list[list[str]]]) -> None:
    """Build from files of one name and place in every store, as paths are part of the exports."""
    shutil.copytree(donor / "vectors", folder / "store" / "vectors")
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    number = 0
    for parts in steps:
        names = []
        for part in parts:
            names.append(f"part{number}.jsonl")
            (folder / names[-1]).write_text("".join(part), encoding="utf-8")
            number += 1
        command = [sys.executable, "-m", "narratives", "build", *names, "--store", "store"]
        root = str(Path(__file__).resolve().parent.parent)
        subprocess.run(
            command, cwd=folder, check=True, env={**environment, "PYTHONPATH": root}, stdout=subprocess.DEVNULL
        )


def _exports(folder: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of every export without the paths, which differ where inputs are cut otherwise."""
    found = {}
    for table in EXPORT_TABLES:
        out = folder / f"{table}.jsonl"
        export_slice(folder / "store", table, Slice(copies=DEFAULT_COPIES[table]), out, measure.add_shares)
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        found[table] = [{k: v for k, v in row.items() if k not in ("source_path", "snapshot")} for row in rows]
    return found


def _assigned(exports: dict[str, list[dict[str, str]]], origin: str) -> list[dict[str, str]]:
    return [row for row in exports["assignments"] if row["origin"] == origin]


def _groups(exports: dict[str, list[dict[str, str]]]) -> set[tuple[str, frozenset[str]]]:
    """Name and members of each candidate."""
    found = defaultdict(set)
    for row in _assigned(exports, "discovered"):
        found[row["narrative_id"], row["narrative"]].add(row["paragraph_id"])
    return {(name, frozenset(members)) for (_, name), members in found.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
