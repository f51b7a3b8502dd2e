"""Measure whether candidates keep their ids: build with 85 % of the documents, then add 5 % three times.

    python -m benchmarks.identity FILE.jsonl[.gz] STORE FOLDER

The documents of FILE are divided by the hash of their id. FOLDER (new) gets the parts and a store, into which
the vectors of STORE are copied. STORE must hold the same texts, so that little is encoded. For each step, the
program prints how many of the earlier candidates kept their id as candidates and as clusters, how many of the
earlier codebook assignments are unchanged, and what the lineage records for the candidates that are gone.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from narratives.store import Snapshot, open_snapshot
from narratives.workflows.build import BuildRequest, build

PARTS = (0.85, 0.90, 0.95, 1.0)
STATES = ("kept", "withdrawn", "merge", "split", "death")


def main(source: Path, donor: Path, folder: Path) -> None:
    """Build four times and print one block for each step."""
    parts = _deal(source, folder)
    store = folder / "store"
    shutil.copytree(donor / "vectors", store / "vectors")
    ids = []
    for part in parts:
        report = build(BuildRequest(inputs=(str(part),), store=store))
        ids.append(report.snapshot)
        print(f"{part.name}: {report.counts}, {report.encoded} encoded, {report.seconds:.0f} s", flush=True)
    snapshots = [open_snapshot(store, key) for key in ids]
    for number in range(1, len(snapshots)):
        _compare(f"step {number}", snapshots[number - 1], snapshots[number], lineage=True)
    _compare("all three steps", snapshots[0], snapshots[-1], lineage=False)
    for snapshot in snapshots:
        snapshot.close()


def _deal(source: Path, folder: Path) -> list[Path]:
    """One file for each part: the first 85 % of documents by the hash of their id, then 5 % each."""
    folder.mkdir(parents=True)
    data = source.read_bytes()
    text = (gzip.decompress(data) if source.suffix == ".gz" else data).decode()
    lines = sorted(
        text.splitlines(keepends=True), key=lambda line: hashlib.sha256(str(json.loads(line)["id"]).encode()).digest()
    )
    ends = [0, *(round(share * len(lines)) for share in PARTS)]
    parts = []
    for number, (first, last) in enumerate(pairwise(ends)):
        path = folder / f"part{number}.jsonl"
        path.write_text("".join(lines[first:last]), encoding="utf-8")
        parts.append(path)
    return parts


def _compare(title: str, before: Snapshot, after: Snapshot, *, lineage: bool) -> None:
    old, new = before.make_previous(), after.make_previous()
    offered, listed = old.candidates & new.candidates, old.candidates & set(new.names)
    renamed = sum(old.names[key] != new.names[key] for key in offered)
    pairs = [
        set(s.table("SELECT paragraph_id, narrative_id FROM snap.assignments WHERE origin = 'codebook'")
            .to_pandas().itertuples(index=False, name=None))
        for s in (before, after)
    ]  # fmt: skip
    print(f"\n{title}: {len(old.candidates)} candidates before, {len(new.candidates)} after")
    print(f"  same id, still offered   {len(offered) / len(old.candidates):.3f} ({renamed} renamed)")
    print(f"  same id, as a cluster    {len(listed) / len(old.candidates):.3f}")
    for kind, prefix in (("topics", "t-"), ("themes", "g-")):
        ids = {key for key in old.names if key.startswith(prefix)}
        same = [key for key in ids if key in new.names]
        named = sum(old.names[key] == new.names[key] for key in same)
        print(f"  {kind} with their id      {len(same) / max(1, len(ids)):.3f} of {len(ids)} ({named} with their name)")
    print(f"  codebook assignments unchanged {len(pairs[0] & pairs[1]) / len(pairs[0]):.4f}")
    if lineage:
        rows = after.lineage()
        gone = rows[rows["subject"].isin(old.candidates - new.candidates) & rows["kind"].isin(STATES)]
        print(f"  of those not offered any more: {dict(Counter(gone['kind']))}")
        print(f"  all changes: {dict(Counter(rows['kind']))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
