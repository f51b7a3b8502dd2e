"""How often the intervals hold a known truth, and the rest of the statistics against simulated corpora.

    python -m benchmarks.coverage [--shared ../shared] [--repeats 4000]

Writes the results into `docs/statistics.md`, between its two markers.
"""

from __future__ import annotations

import argparse
import itertools
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from benchmarks.accuracy import replace_section
from benchmarks.simulate import Floats, Sizes, corpus, kremlin, series, skewed
from narratives.measure import add_shares, correct_shares, find_change_points
from narratives.measure.shares import compute_clustered_interval, compute_score_limits, compute_wilson_interval
from narratives.model import QualityMetrics

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "statistics.md"

DOCUMENTS = (30, 60, 120, 400)
SHARES = (0.005, 0.01, 0.03, 0.1, 0.3)
LIKENESS = (0.05, 0.1, 0.2, 0.35, 0.5)
EXPECTED = 5
LOW, HIGH = 0.93, 0.98
PERIODS = 10

# Measured on 100 true paragraphs and 900 others.
NAN: Any = float("nan")
UNKNOWN = replace(QualityMetrics("", 100, *[NAN] * 12), negatives=900)

Limits = Callable[[pd.DataFrame], tuple[Floats, Floats]]
Cell = tuple[int, float, float]


def taylor(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Share and effective number of paragraphs by Taylor's linearisation; at 0 or all, documents count."""
    documents, n, y, m2, my, y2 = (frame[name].to_numpy(np.float64) for name in frame.columns[:6])
    p = y / n
    spread = (y2 - 2 * p * my + p**2 * m2) * documents / (documents - 1)
    variance = n * p * (1 - p)
    effect = np.divide(spread, variance, out=m2 / n, where=variance > 0)
    return p, n / np.maximum(effect, 1)


def taylor_wilson(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    return compute_score_limits(*taylor(frame), np.asarray(stats.norm.ppf(0.975)))


def korn_graubard(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Clopper and Pearson's limits at the effective number, times (normal / Student's quantile) squared."""
    share, effective = taylor(frame)
    ratio = stats.norm.ppf(0.975) / stats.t.ppf(0.975, frame["documents"].to_numpy() - 1)
    n = effective * ratio**2
    k = share * n
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 1e-9), n - k + 1, 0.025), 0)
    high = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1e-9), 0.975), 1)
    return low, high


def grouped(frame: pd.DataFrame, periods: int) -> tuple[Floats, Floats]:
    return compute_clustered_interval(frame.assign(narrative_id=np.arange(len(frame)) // periods))


METHODS: dict[str, Limits] = {
    "Wilson, paragraphs independent": lambda frame: compute_wilson_interval(
        frame["paragraphs"], frame["total_paragraphs"]
    ),
    "Wilson at Taylor's effective number": taylor_wilson,
    "Korn and Graubard": korn_graubard,
    "**this project**, one period by itself": partial(grouped, periods=1),
    f"**this project**, {PERIODS} periods": partial(grouped, periods=PERIODS),
}


def coverage(repeats: int, sizes: Sizes, by_length: float = 0.0) -> dict[str, dict[Cell, tuple[float, float]]]:
    """By method and cell (documents, share, likeness): how often the truth is held, and the mean width."""
    draw = np.random.default_rng(21)
    mean = sizes(draw, (100_000,)).mean()
    found: dict[str, dict[Cell, tuple[float, float]]] = {name: {} for name in METHODS}
    for cell in itertools.product(DOCUMENTS, SHARES, LIKENESS):
        documents, share, likeness = cell
        if documents * mean * share < EXPECTED:
            continue
        frame = corpus(draw, repeats, documents, share, likeness, sizes, by_length=by_length)
        for name, limits in METHODS.items():
            low, high = limits(frame)
            found[name][cell] = float(np.mean((low <= share) & (share <= high))), float(np.mean(high - low))
    return found


def coverage_section(title: str, repeats: int, sizes: Sizes, by_length: float = 0.0) -> str:
    found = coverage(repeats, sizes, by_length)
    reference = found[f"**this project**, {PERIODS} periods"]
    lines = [
        f"{title}: {len(reference)} cells.",
        "",
        "| interval | lowest | mean | highest | cells under 93 % | over 98 % | width |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, cells in found.items():
        held = np.array([held for held, _ in cells.values()])
        width = np.mean([cells[cell][1] / reference[cell][1] for cell in cells])
        lines.append(
            f"| {name} | {held.min():.1%} | {held.mean():.1%} | {held.max():.1%} "
            f"| {(held < LOW).sum()} | {(held > HIGH).sum()} | {width:.2f} |"
        )
    return "\n".join(lines)


def correction_section(repeats: int) -> str:
    lines = [
        "| share | recall | false positives | raw | labels used | corrected | limits contain it |",
        "|---|---|---|---|---|---|---|",
    ]
    for share, recall, rate in ((0.01, 0.7, 0.004), (0.05, 0.8, 0.03), (0.1, 0.6, 0.02), (0.2, 0.9, 0.05)):
        draw = np.random.default_rng(22)
        frame = corpus(draw, repeats, 200, share, 0.1, recall=recall, false_positives=rate)
        limits = add_shares(frame.assign(narrative_id=np.arange(repeats) // PERIODS))
        frame = limits.assign(narrative_id=[f"n{i}" for i in range(repeats)])
        raw = share * recall + (1 - share) * rate
        labels = pd.DataFrame(
            {
                "narrative_id": frame["narrative_id"],
                "assigned": 100,
                "assigned_true": draw.binomial(100, share * recall / raw, repeats),
                "others": 400,
                "others_true": draw.binomial(400, share * (1 - recall) / (1 - raw), repeats),
            }
        )
        rates = zip(
            frame["narrative_id"],
            draw.binomial(100, recall, repeats) / 100,
            draw.binomial(900, rate, repeats) / 900,
            strict=True,
        )
        quality = [
            replace(UNKNOWN, narrative_id=key, recall=found, false_positive_rate=wrong) for key, found, wrong in rates
        ]
        for name, table in (
            ("100 assigned and 400 others", correct_shares(frame, labels=labels)),
            ("100 assigned; recall from 100", correct_shares(frame, quality, labels.assign(others=0, others_true=0))),
            ("rates from 100 and 900", correct_shares(frame, quality, rates_carry_over=True)),
        ):
            some = table.dropna(subset="corrected")
            held = np.mean((some["corrected_low"] <= share) & (share <= some["corrected_high"]))
            lines.append(
                f"| {share:.1%} | {recall:.0%} | {rate:.1%} | {frame['share'].mean():.2%} | {name} "
                f"| {some['corrected'].mean():.2%} | {held:.1%} |"
            )
    return "\n".join(lines)


def change_section() -> str:
    draw, number = np.random.default_rng(23), 200
    lines = ["| periods | series | series with a false change, mean of 18 cells | highest |", "|---|---|---|---|"]
    for periods in (5, 12, 24, 60):
        alarms = []
        for documents, share, likeness in itertools.product((15, 60), (0.005, 0.02, 0.1), (0.05, 0.2, 0.5)):
            found = find_change_points(series(draw, number, [share] * periods, documents, likeness))
            alarms.append(found["narrative_id"].nunique() / number)
        lines.append(f"| {periods} | {18 * number:,} | {np.mean(alarms):.1%} | {max(alarms):.1%} |")
    lines += ["", "| periods | documents in each | share | correlation | tripling detected |", "|---|---|---|---|---|"]
    for periods, documents, share, likeness in (
        (36, 40, 0.01, 0.1),
        (36, 40, 0.005, 0.05),
        (20, 100, 0.01, 0.2),
        (20, 100, 0.005, 0.05),
        (12, 150, 0.003, 0.03),
        (8, 400, 0.005, 0.05),
    ):
        half = periods // 2
        frame = series(draw, number, [share] * half + [3 * share] * half, documents, likeness)
        seen = find_change_points(frame)["narrative_id"].nunique() / number
        lines.append(f"| {periods} | {documents} | {share:.1%} | {likeness} | {seen:.0%} |")
    return "\n".join(lines)


def speed_section() -> str:
    frame = series(np.random.default_rng(4), 56, [0.02] * 60, 40, 0.1)

    def median(work: Callable[[], object]) -> float:
        seconds = []
        for _ in range(9):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds)) * 1000

    shares, found = median(lambda: add_shares(frame)), median(lambda: find_change_points(frame))
    times = f"shares with limits take {shares:.0f} ms and change points {found:.0f} ms"
    return f"For 56 narratives over 60 months, {times}."


def section(shared: Path, repeats: int) -> str:
    return "\n\n".join(
        [
            "## Figures",
            "Written by `python -m benchmarks.coverage`.",
            "### Intervals",
            _prose(
                f"The simulated documents are beta-binomial. A period has {_listed(DOCUMENTS, 'd')} documents; "
                f"the true share is {_listed(SHARES, '.1%')}; the intraclass correlation is "
                f"{_listed(LIKENESS, 'g')}. Each combination is a cell. Cells with {EXPECTED} expected positives "
                f"or more are simulated, with {repeats:,} periods each. The tables show how often the 95 % "
                "limits contain the true share, and the mean width relative to this project's interval with "
                f"{PERIODS} periods of a narrative."
            ),
            coverage_section("Documents of 1 to 60 paragraphs, with skewed lengths", repeats, skewed),
            coverage_section("Documents as long as those of the Kremlin set (1 to 903)", repeats, kremlin(shared)),
            coverage_section("As in the first table, short documents more often positive", repeats, skewed, 0.5),
            coverage_section("As in the first table, long documents more often positive", repeats, skewed, -0.3),
            "### Correction",
            _prose(
                f"Each row is the result of {repeats:,} corpora of 200 documents: the mean corrected share, and "
                "how often its limits contain the true one. A corpus is left out if it cannot be corrected, as "
                "may happen if only rates are known."
            ),
            correction_section(repeats),
            f"### Change points\n\n{change_section()}",
            f"### Time\n\n{speed_section()}",
        ]
    )


def _listed(values: Sequence[float], form: str) -> str:
    return ", ".join(format(value, form) for value in values)


def _prose(text: str) -> str:
    return textwrap.fill(text, 110, break_on_hyphens=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--repeats", type=int, default=4000)
    options = parser.parse_args()
    report = REPORT.read_text("utf-8")
    REPORT.write_text(replace_section(report, section(options.shared, options.repeats), "coverage"), "utf-8")


if __name__ == "__main__":
    main()
