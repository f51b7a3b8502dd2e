"""Spot checks: random samples of the paragraphs assigned to each narrative, for people to judge.

They measure the precision of the matching on the texts of the store, which labels from elsewhere cannot. With
the recall, precision corrects the shares (`measure.correct_shares`, method "precision").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from narratives.model import AnnotationSource, ConfigError, Judgement, Rejected, SpotCheck, UsageError
from narratives.read import JUDGEMENT_ANSWERS, read_judgements
from narratives.store import SpotChecks, Store, frame_to_csv, open_snapshot

_JUDGE_PHRASES = {"human": "by people", "machine": "by machine, not by people"}


@dataclass(frozen=True, slots=True)
class SpotCheckResult:
    """Imported judgements: the spot checks with their caveat, and the rejected rows.

    `replaced` is true if they replaced earlier spot checks of the snapshot.
    """

    snapshot: str
    checks: tuple[SpotCheck, ...]
    caveat: str
    replaced: bool
    rejected: tuple[Rejected, ...]


def write_spot_check_sample(store: Path, out: Path, each: int = 30, seed: int = 0) -> dict[str, int]:
    """Write `each` pairs per narrative (all if there are fewer) to a new CSV file; return the number of each.

    They are drawn without replacement from the original statement paragraphs that the current snapshot assigns
    to the narrative; the same `seed` gives the same sample. The rows of a narrative are in random order, so
    that judging only the first ones still judges a random sample. Raises UsageError where `out` exists, as it
    may hold judgements, and where there is nothing to draw.
    """
    if each < 1:
        raise UsageError("at least 1 paragraph of each narrative", str(each), "Give --each a larger number.")
    with closing(open_snapshot(store)) as snapshot:
        pairs, snapshot_id = snapshot.query_spot_check_pool(), snapshot.meta().snapshot_id
    if pairs.empty:
        raise UsageError("paragraphs that advance a narrative", f"none in {store}", "Add such texts with `build`.")
    random = np.random.default_rng(seed)
    drawn = pd.concat(
        rows.iloc[random.permutation(len(rows))[:each]] for _, rows in pairs.groupby("narrative_id", sort=False)
    )
    drawn.insert(0, "snapshot", snapshot_id)
    _write_new_file(out, frame_to_csv(drawn.assign(verdict=""), bom=True))
    return dict(drawn.groupby("narrative_id", sort=False).size())


def import_judgements(store: Path, path: Path, judge: AnnotationSource) -> SpotCheckResult:
    """Count the judgements in a sample file, and store them with the snapshot that it was drawn from.

    They replace earlier ones. Unusable rows are listed with reasons. Raises ConfigError where the file has no
    verdict or pairs of several snapshots, StoreError where the store lacks the snapshot.
    """
    rows = list(read_judgements(path))
    judged = [row for row in rows if isinstance(row, Judgement)]
    rejected = [row for row in rows if isinstance(row, Rejected)]
    snapshot_ids = sorted({row.snapshot_id for row in judged})
    hint = f"Fill in the column verdict with {', '.join(JUDGEMENT_ANSWERS)}."
    if not snapshot_ids:
        raise ConfigError(f"verdicts in {path}", rejected[0].reason if rejected else "none", hint)
    if len(snapshot_ids) > 1:
        raise ConfigError("pairs drawn from one snapshot", ", ".join(snapshot_ids), "Import each file separately.")
    [snapshot_id] = snapshot_ids
    with closing(open_snapshot(store, snapshot_id)) as snapshot:
        pairs = snapshot.query_spot_check_pool()[["paragraph_id", "narrative_id"]].itertuples(index=False, name=None)
        good, bad = _sort_judgements(judged, set(pairs), str(path))
        replaced = snapshot.spot_checks() is not None
    if not good:
        raise ConfigError(
            f"verdicts on assignments of {snapshot_id}", bad[0].reason, "Import the file as it was drawn."
        )
    sure = [row for row in good if row.advances is not None]
    if not sure:
        raise ConfigError(f"yes or no as a verdict in {path}", "only unsure", hint)
    counts = Counter(row.narrative_id for row in sure)
    hold = Counter(row.narrative_id for row in sure if row.advances)
    checks = tuple(SpotCheck(key, counts[key], hold[key]) for key in sorted(counts))
    caveat = _format_caveat(len(good) - len(sure), judge)
    Store(store).put_spot_checks(snapshot_id, SpotChecks(checks, caveat))
    return SpotCheckResult(snapshot_id, checks, caveat, replaced, tuple(rejected + bad))


def _write_new_file(out: Path, data: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise UsageError(
            "a new file", f"{out}, which exists", "It may hold judgements. Choose another name."
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"to write {out}", reason, "Choose another file, or check its folder.") from error


def _sort_judgements(
    judged: Iterable[Judgement], pairs: set[tuple[str, str]], path: str
) -> tuple[list[Judgement], list[Rejected]]:
    """Return the first judgement on each pair of the snapshot, and the other rows with reasons."""
    good: dict[tuple[str, str], Judgement] = {}
    bad = []
    for row in judged:
        pair = (row.paragraph_id, row.narrative_id)
        if pair not in pairs:
            reason = f"paragraph {row.paragraph_id!r} is not assigned to {row.narrative_id!r} in that snapshot"
            bad.append(Rejected(path, row.row, reason))
        elif pair in good:
            bad.append(Rejected(path, row.row, f"already judged in row {good[pair].row}"))
        else:
            good[pair] = row
    return list(good.values()), bad


def _format_caveat(unsure: int, judge: AnnotationSource) -> str:
    left_out = f"; {unsure:,} unsure verdict{'' if unsure == 1 else 's'} left out" if unsure else ""
    return f"Judged {_JUDGE_PHRASES[judge]}{left_out}."
