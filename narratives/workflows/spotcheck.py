"""Spot checks: paragraphs drawn at random among those assigned to each narrative, for people to judge.

What they find is the precision of the matching on these very texts, which no labels from elsewhere can tell,
and with the recall it corrects the shares (`measure.corrected`, method "precision").
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
    """What came of the judgements: the spot checks with their caveat, and the bad rows.

    `replaced` says whether the snapshot had earlier spot checks, which these take the place of.
    """

    snapshot: str
    checks: tuple[SpotCheck, ...]
    caveat: str
    replaced: bool
    rejected: tuple[Rejected, ...]


def write_spot_check_sample(store: Path, out: Path, each: int = 30, seed: int = 0) -> dict[str, int]:
    """Write `each` pairs a narrative (all where there are fewer) to a new CSV file; returns how many of each.

    Drawn without replacement from the original statement paragraphs that the current snapshot assigns to the
    narrative; the same `seed` draws the same. A narrative's rows stand in random order, so that who stops
    early has judged a random draw as well. Raises UsageError where `out` exists already, as it may hold
    judgements, and where there is nothing to draw.
    """
    if each < 1:
        raise UsageError("at least 1 paragraph of each narrative", str(each), "Give --each a larger number.")
    with closing(open_snapshot(store)) as snapshot:
        pairs, made = snapshot.drawable(), snapshot.meta().snapshot_id
    if pairs.empty:
        raise UsageError("paragraphs that advance a narrative", f"none in {store}", "Build with texts that do.")
    chance = np.random.default_rng(seed)
    drawn = pd.concat(
        rows.iloc[chance.permutation(len(rows))[:each]] for _, rows in pairs.groupby("narrative_id", sort=False)
    )
    drawn.insert(0, "snapshot", made)
    _write_new_file(out, frame_to_csv(drawn.assign(verdict=""), bom=True))
    return dict(drawn.groupby("narrative_id", sort=False).size())


def import_judgements(store: Path, path: Path, judge: AnnotationSource) -> SpotCheckResult:
    """Count the judgements of a drawn file, and keep them with the snapshot that it was drawn from.

    They take the place of earlier ones. Rows that are of no use are listed with reasons. Raises ConfigError
    where the file holds no verdict or pairs of several snapshots, StoreError where the store lacks that
    snapshot.
    """
    rows = list(read_judgements(path))
    judged = [row for row in rows if isinstance(row, Judgement)]
    rejected = [row for row in rows if isinstance(row, Rejected)]
    made = sorted({row.snapshot_id for row in judged})
    hint = f"Fill in the column verdict with {', '.join(JUDGEMENT_ANSWERS)}."
    if not made:
        raise ConfigError(f"verdicts in {path}", rejected[0].reason if rejected else "none", hint)
    if len(made) > 1:
        raise ConfigError("pairs drawn from one snapshot", ", ".join(made), "Take each file by itself.")
    with closing(open_snapshot(store, made[0])) as snapshot:
        pairs = snapshot.drawable()[["paragraph_id", "narrative_id"]].itertuples(index=False, name=None)
        good, bad = _sort_judgements(judged, set(pairs), str(path))
        replaced = snapshot.spot_checks() is not None
    if not good:
        raise ConfigError(f"verdicts on what {made[0]} assigns", bad[0].reason, "Give the file as it was drawn.")
    sure = [row for row in good if row.advances is not None]
    if not sure:
        raise ConfigError(f"yes or no as verdict in {path}", "unsure alone", hint)
    counts = Counter(row.narrative_id for row in sure)
    hold = Counter(row.narrative_id for row in sure if row.advances)
    checks = tuple(SpotCheck(key, counts[key], hold[key]) for key in sorted(counts))
    caveat = _format_caveat(len(good) - len(sure), judge)
    Store(store).put_spot_checks(made[0], SpotChecks(checks, caveat))
    return SpotCheckResult(made[0], checks, caveat, replaced, tuple(rejected + bad))


def _write_new_file(out: Path, data: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise UsageError("a new file", f"{out}, which exists", "It may hold judgements: name another.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"to write {out}", reason, "Name another file, or mend its folder.") from error


def _sort_judgements(
    judged: Iterable[Judgement], pairs: set[tuple[str, str]], path: str
) -> tuple[list[Judgement], list[Rejected]]:
    """The judgements of pairs that could be drawn, the first on each; the others with the reason."""
    good: dict[tuple[str, str], Judgement] = {}
    bad = []
    for row in judged:
        pair = (row.paragraph_id, row.narrative_id)
        if pair not in pairs:
            reason = f"paragraph {row.paragraph_id!r} is not assigned to {row.narrative_id!r} in that snapshot"
            bad.append(Rejected(path, row.row, reason))
        elif pair in good:
            bad.append(Rejected(path, row.row, f"judged in row {good[pair].row} already"))
        else:
            good[pair] = row
    return list(good.values()), bad


def _format_caveat(unsure: int, judge: AnnotationSource) -> str:
    left_out = f"; in all {unsure:,} without a certain verdict left out" if unsure else ""
    return f"Judged {_JUDGE_PHRASES[judge]}{left_out}."
