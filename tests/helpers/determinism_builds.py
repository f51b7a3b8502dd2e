"""Builds of a part of the sample in a process of its own, for tests/integration/builds/test_determinism.py.

    python -m tests.helpers.determinism_builds THREADS FOLDER SEED STEPS

Writes FOLDER/<plain|decided>/<table>.csv: the exports of FOLDER/store before and after a build with
decisions. SEED shuffles rows, files and decisions; with STEPS 2 the files come in two builds.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
from pathlib import Path

from narratives import measure
from narratives.model import LabelledText, Slice, Verdict
from narratives.read import load_codebook
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER
from narratives.store import DECISIONS_FILE, DEFAULT_COPIES, EXPORT_TABLES, DecisionLog, export_slice
from narratives.workflows.build import BuildRequest, build

DOCUMENTS, DECIDED, NARRATIVES = 16, 32, 5


def sample() -> list[dict]:
    lines = [line for path in sorted(SAMPLE_FOLDER.glob("2*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    rows = [json.loads(line) for line in lines[:DECIDED]]
    for row in rows:
        for part in row["paragraphs"]:
            part["text"] += " So it was said."  # the vectors of the sample ship with the program, and would be taken
    return rows


def codebook(path: Path) -> list[str]:
    """Write the first narratives of the default codebook to `path`; their ids."""
    head, *tables = re.split(r"(?m)^(?=\[\[narrative\]\])", (DATA_FOLDER / "codebook.toml").read_text("utf-8"))
    path.write_text(head + "".join(tables[:NARRATIVES]), "utf-8")
    return [narrative.id for narrative in load_codebook(path).narratives]


def decisions(rows: list[dict], codes: list[str]) -> list[LabelledText]:
    """What the sample says of its own paragraphs; for every seventh the contrary."""
    found = []
    parts = [(row["id"], part) for row in rows for part in row["paragraphs"]]
    for number, (document, part) in enumerate(parts):
        accepted = [(code in part["advances"]) != (number % 7 == 0) for code in codes]
        verdicts: dict[str, Verdict] = {
            code: "accepted" if yes else "rejected" for code, yes in zip(codes, accepted, strict=True)
        }
        found.append(LabelledText(number, part["text"], document, verdicts))
    return found


def main(threads: int, folder: Path, seed: int, steps: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    rows = sample()
    mixed = random.Random(seed)
    folder.mkdir()
    os.chdir(folder)
    parts = [rows[start:DOCUMENTS:3] for start in range(3)]
    names = []
    for number, part in enumerate(parts):
        names.append(f"part{number}.jsonl")
        Path(names[-1]).write_text("".join(json.dumps(row) + "\n" for row in part), "utf-8")
    mixed.shuffle(names)
    store, narratives = Path("store"), Path("codebook.toml")
    codes = codebook(narratives)
    for some in (names,) if steps == 1 else (names[:1], names[1:]):
        build(BuildRequest(tuple(some), store, narratives))
    exports(store, Path("plain"))
    made = decisions(rows, codes)
    mixed.shuffle(made)
    log = DecisionLog(store / DECISIONS_FILE)
    for start in range(0, len(made), 100):
        log.add(made[start : start + 100], "test", "")
    build(BuildRequest((), store, narratives))
    exports(store, Path("decided"))


def exports(store: Path, out: Path) -> None:
    out.mkdir()
    for table in EXPORT_TABLES:
        export_slice(store, table, Slice(copies=DEFAULT_COPIES[table]), out / f"{table}.csv", measure.add_shares)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
