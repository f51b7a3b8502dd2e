"""The time and memory of a whole build, against BERTopic on the same paragraphs with the same model.

    .venv-peers/bin/python -m benchmarks.whole_build FOLDER [FILE.jsonl[.gz]]

FOLDER (new) gets a store. Each method is a process of its own, which begins with no vectors. The build reads, parses,
encodes, matches with the default codebook, finds topics and claims, draws the map and writes the snapshot. BERTopic, as
its defaults have it, gets the build's statement paragraphs, encodes them and finds topics. Needs the environment of
benchmarks/requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.incremental import KREMLIN
from narratives.embed.encoder import locate_bundled_model
from narratives.store import open_snapshot


def main() -> None:
    """Run the build, then BERTopic, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path, nargs="?", default=KREMLIN)
    parser.add_argument("--bertopic", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    texts, store = given.folder / "texts.json", given.folder / "store"
    if given.bertopic:
        _find_topics(json.loads(texts.read_text(encoding="utf-8")))
        return
    given.folder.mkdir(parents=True)
    ours = _measure("this project", ["-m", "narratives", "build", str(given.file), "--store", str(store)])
    with closing(open_snapshot(store)) as snapshot:
        found = snapshot.frame("SELECT text FROM snap.paragraphs WHERE statement ORDER BY place")["text"].tolist()
    texts.write_text(json.dumps(found), encoding="utf-8")
    print(f"{len(found):,} paragraphs")
    theirs = _measure("BERTopic", ["-m", "benchmarks.whole_build", str(given.folder), "--bertopic"])
    shares = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    print(f"{'ratio':14}{shares[0]:9.2f} {shares[1]:17.2f} {shares[2]:19.2f}")


def _measure(name: str, arguments: Sequence[str]) -> tuple[float, float, float]:
    """Run Python with these arguments, print and return its seconds, those of the processor, and its memory in MiB."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{name} failed with status {status}")
    figures = time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print("{:14}{:9.1f} s {:9.1f} s of the processor {:9,.0f} MiB".format(name, *figures), flush=True)
    return figures


def _find_topics(texts: Sequence[str]) -> None:
    from bertopic import BERTopic

    BERTopic(embedding_model=str(locate_bundled_model())).fit_transform(list(texts))


if __name__ == "__main__":
    main()
