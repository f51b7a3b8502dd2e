"""Printing of progress to stderr, and of rejected rows, tables and reports to stdout."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from narratives import measure
from narratives.model import BuildReport, Progress, QualityMetrics, Rejected, SpotCheck, UnusedColumns
from narratives.model.printable import escape_controls
from narratives.store import Evaluation
from narratives.workflows.train import TrainReport

MAX_REJECTED_SHOWN = 20
STAGE_UNITS = {"encoding": " texts", "classifying": " texts", "fetching": " pages"}
STAGE_UNITS |= {"publishing": "B", "downloading": "B"}


def echo(text: str, to: TextIO | None = None) -> None:
    """Print a line, by default to stdout. Names of files and columns in it cannot act on the terminal."""
    print(escape_controls(text), file=to or sys.stdout)


@contextmanager
def show_progress(kind: str) -> Iterator[Progress]:
    """Show progress on stderr: a bar with rate and remaining time, or one JSON object per line."""
    bar: tqdm[None] | None = None

    def show_bar(stage: str, done: int, total: int | None) -> None:
        nonlocal bar
        if bar is None or bar.desc != stage:
            if bar is not None:
                bar.close()
            unit = STAGE_UNITS.get(stage, "")
            bar = tqdm(desc=stage, total=total, unit=unit, unit_scale=unit == "B", dynamic_ncols=True)
        bar.total = total
        bar.update(done - bar.n)

    def show_json(stage: str, done: int, total: int | None) -> None:
        print(json.dumps({"stage": stage, "done": done, "total": total}), file=sys.stderr, flush=True)

    def show_nothing(stage: str, done: int, total: int | None) -> None: ...

    try:
        yield {"bar": show_bar, "json": show_json, "none": show_nothing}[kind]
    finally:
        if bar is not None:
            bar.close()


def print_report(report: BuildReport, store: Path) -> None:
    """Print what was damaged, rejected, read and written. The last line is about rejections."""
    for note in report.notes:
        echo(f"  note: {note}")
    # No export lists what the store does not hold, so all of that is printed here.
    kept = [r for r in report.rejected if r not in report.absent]
    shown = kept if report.counts is None else kept[:MAX_REJECTED_SHOWN]
    for rejected in [*report.absent, *shown]:
        place = f"{rejected.source_path}, row {rejected.row}" if rejected.row else rejected.source_path
        echo(f"  rejected {place}: {rejected.reason}")
    if len(kept) > len(shown):
        command = f"narratives export documents --store {shlex.quote(str(store))}"
        echo(f"  … and {len(kept) - len(shown):,} more. They are the rows with the status rejected in the output of")
        echo(f"  `{command}`.")
    for skipped in report.skipped[:MAX_REJECTED_SHOWN]:
        echo(f"  skipped {skipped.source_path}: {skipped.reason}")
    if len(report.skipped) > MAX_REJECTED_SHOWN:
        echo(f"  … and {len(report.skipped) - MAX_REJECTED_SHOWN:,} more skipped, which `narratives status` lists")
    _print_unused(report.unused)
    rejections = f"{len(report.rejected):,} rejected"
    if report.counts is None:
        echo(f"Nothing could be read, so nothing was written; {rejections}.")
        return
    echo("This build:")
    print_table(
        {
            "inputs named": report.inputs_named,
            "inputs readable": report.inputs_readable,
            "inputs unchanged": report.inputs_skipped,
            "rejected": len(report.rejected),
            "skipped": len(report.skipped),
            "texts encoded": report.encoded,
            "texts reused": report.reused,
        }
    )
    echo("The store now holds:")
    print_table({name.replace("_", " "): count for name, count in asdict(report.counts).items()})
    state = "unchanged: nothing to add" if report.unchanged else "new"
    echo(f"snapshot {report.snapshot} ({state}) in {report.seconds:.1f} s")
    if report.rejected:
        echo(f"{rejections}; the reasons are above.")


def _print_unused(unused: Sequence[UnusedColumns]) -> None:
    """Print the columns from which nothing was read, grouping files with the same ones."""
    files: dict[tuple[str, ...], list[str]] = {}
    for table in unused:
        files.setdefault(table.columns, []).append(table.source_path)
    for columns, paths in files.items():
        where = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"
        echo(f"  columns not used in {where}: {', '.join(columns)}")
    if files:
        echo("  (--map OURS=THEIRS names the column that holds a field)")


def print_rejected(rejected: Sequence[Rejected]) -> None:
    """Print the first rows of a file that could not be read, and how many more there are."""
    for row in rejected[:MAX_REJECTED_SHOWN]:
        place = f"{row.source_path}:{row.row}" if row.row else row.source_path
        echo(f"  rejected {place}: {row.reason}")
    if len(rejected) > MAX_REJECTED_SHOWN:
        echo(f"  … and {len(rejected) - MAX_REJECTED_SHOWN} more rejected")


def print_table(rows: Mapping[str, int]) -> None:
    """Print names and counts in two aligned columns."""
    width = max(map(len, rows))
    for name, count in rows.items():
        echo(f"  {name:<{width}}  {count:>9,}")


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the figures of each narrative with their intervals, those of all, the calibration, and the caveat."""
    _print_quality(evaluation.rows, "mean")
    if evaluation.corpus:
        echo("\nIn the whole corpus:")
        _print_quality(evaluation.corpus, "all pairs")
    if calibration := evaluation.calibration:
        limits = f"{calibration.ratio_low:.2f}–{calibration.ratio_high:.2f}"
        everywhere, above = calibration.compute_error(), calibration.compute_error(0.1)
        echo(f"\nCalibration error: {everywhere:.4f} over all pairs, {above:.3f} over those with a score above 0.1.")
        echo(f"Confirmed pairs for each expected one: {calibration.ratio:.2f} ({limits}).")
    echo(evaluation.caveat)


def _print_quality(rows: Sequence[QualityMetrics], last: str) -> None:
    names = ("precision", "recall", "f1", "average_precision")
    echo(f"{'':34}{'n':>5}" + "".join(f"{name.replace('_', ' '):>20}" for name in names))
    for row in rows:
        figures = asdict(row)
        shown = (f"{figures[n]:.2f} ({figures[n + '_low']:.2f}–{figures[n + '_high']:.2f})" for n in names)
        echo(f"{row.narrative_id or last:34}{row.support:>5}" + "".join(f"{text:>20}" for text in shown))


def print_training(report: TrainReport) -> None:
    """Print what training gained for each narrative, out of fold, and where the classifier is used."""
    gains = report.gains
    echo(f"{'average precision':34}{'accepted':>9}{'before':>10}{'after':>9}")
    for column, narrative_id in enumerate(report.narrative_ids):
        use = "used" if gains.used[column] else "not used"
        figures = f"{gains.before[column]:>10.2f}{gains.after[column]:>9.2f}"
        echo(f"{narrative_id:34}{gains.accepted[column]:>9}{figures}  {use}")
    echo(f"{'mean':34}{gains.accepted.sum():>9}{np.nanmean(gains.before):>10.2f}{np.nanmean(gains.after):>9.2f}")
    echo("Each text was scored by a classifier that was trained without its document.")
    echo(f"trained on {report.texts:,} texts in {report.seconds:.0f} s; kept as {report.path}; the next build uses it")


def print_spot_checks(checks: Sequence[SpotCheck]) -> None:
    """Print for each narrative how many assignments were judged and correct, and the precision with its interval."""
    echo(f"{'':34}{'judged':>8}{'correct':>9}{'precision here':>20}")
    for check in checks:
        value, low, high = measure.compute_precision(check)
        shown = f"{value:.2f} ({low:.2f}–{high:.2f})"
        echo(f"{check.narrative_id:34}{check.judged:>8}{check.advancing:>9}{shown:>20}")


def print_written(text: str, out: Path | None) -> None:
    """Print the text of an export; if it went to a file, print the file's name to stderr."""
    if out is None:
        if sys.stdout is None:  # it was closed before the program began
            return
        # A pipe gets the text as it is.
        sys.stdout.write(escape_controls(text) if sys.stdout.isatty() else text)
    else:
        echo(f"{out}", to=sys.stderr)
