"""What answers to randomly drawn questions say: precision and recall with intervals, and agreement of reviewers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from narratives.measure.shares import Floats, compute_wilson_interval, propagate_limits
from narratives.model import SpotCheck

Limits = tuple[float, float, float]  # a value with its 95 % limits


@dataclass(frozen=True, slots=True)
class Stratum:
    """The pairs of one narrative that are assigned to it, or all others, and the answers to those drawn of them.

    `pairs` is their number, `size` the expected number drawn, `chances` the sum of their chances of advancing the
    narrative, `spread` the sum of chance / probability of being drawn. `drawn` are these probabilities for the
    answered ones, `advancing` their answers.
    """

    pairs: int
    size: float
    chances: float
    spread: float
    drawn: Sequence[float] = ()
    advancing: Sequence[bool] = ()


@dataclass(frozen=True, slots=True)
class ReviewFigures:
    """Precision and recall of the assignments of one narrative, each with 95 % limits, NaN if unknown.

    `check` has the same answers as counts, for the correction of shares. `answers` are the numbers of answers on
    assigned pairs and on others.
    """

    precision: Limits
    recall: Limits
    check: SpotCheck
    answers: tuple[int, int]


def compute_review_figures(narrative_id: str, assigned: Stratum, others: Stratum) -> ReviewFigures:
    """Compute precision and recall from the answers; the true pairs among the others are those that were missed.

    Assigned pairs are drawn alike, so their share t is a plain mean, and the precision. The share m of the others is a
    ratio of sums over the answers, each weighted by one over its probability of being drawn (Hajek 1971). It needs only
    that the answered questions are a random part of the drawn ones. The recall is A t / (A t + B m), with A and B the
    sizes of the strata. Intervals are Wilson's, on the effective numbers of answers, combined as in `propagate_limits`.
    """
    judged, advancing = len(assigned.advancing), sum(assigned.advancing)
    missed, others_judged = _estimate_share(others)
    check = SpotCheck(narrative_id, judged, advancing, others_judged, missed * others_judged)
    precision = _make_limits(advancing / max(1, judged), judged)
    answers = (judged, len(others.advancing))
    if not (judged and others_judged):
        return ReviewFigures(precision, (math.nan, math.nan, math.nan), check, answers)

    def compute_recall(share_true: Floats, share_missed: Floats) -> Floats:
        found, lost = assigned.pairs * share_true, others.pairs * share_missed
        return np.where(found + lost > 0, found / np.maximum(found + lost, 1e-12), 1.0)

    terms = [
        tuple(np.array([limit]) for limit in limits) for limits in (precision, _make_limits(missed, others_judged))
    ]
    point, low, high = np.clip(propagate_limits(compute_recall, terms)[:, 0], 0, 1).tolist()
    return ReviewFigures(precision, (point, low, high), check, answers)


def _estimate_share(stratum: Stratum) -> tuple[float, float]:
    """Return the share of a stratum that advances the narrative, and the effective number of answers; 0 without any.

    The effective number is that of a simple random sample with the same variance. The variance is the larger of the
    one seen in the answers and the one to expect from the scores: with few answers, none may have met a rare true pair.
    """
    if not stratum.drawn:
        return 0.0, 0.0
    answered = min(1.0, len(stratum.drawn) / stratum.size)
    probability = np.minimum(1.0, np.asarray(stratum.drawn, np.float64) * answered)
    advancing = np.asarray(stratum.advancing, np.float64)
    total = (1 / probability).sum()
    share = float((advancing / probability).sum() / total)
    seen = float(((1 - probability) * ((advancing - share) / probability) ** 2).sum() / total**2)
    expected_share = stratum.chances / stratum.pairs
    expected = max(0.0, (stratum.spread / answered - stratum.chances) / stratum.pairs**2)
    variance, around = (seen, share)
    if expected >= seen or not 0 < share < 1:
        variance, around = max(seen, expected), max(share, expected_share)
    if variance <= 0 or not 0 < around < 1:
        return share, float(len(stratum.drawn))
    return share, max(1.0, around * (1 - around) / variance)


def _make_limits(share: float, number: float) -> Limits:
    if not number:
        return math.nan, math.nan, math.nan
    low, high = compute_wilson_interval(np.array([share * number]), np.array([number], np.float64))
    return share, float(low[0]), float(high[0])


def compute_kappa(answers: Sequence[tuple[str, str]]) -> float:
    """Compute the agreement of two reviewers beyond chance (Cohen 1960): 1 is perfect, 0 is chance; NaN if undefined.

    `answers` are the verdicts of both on the same items.
    """
    if not answers:
        return math.nan
    first, second = zip(*answers, strict=True)
    observed = sum(a == b for a, b in answers) / len(answers)
    chance = sum(first.count(verdict) * second.count(verdict) for verdict in set(first)) / len(answers) ** 2
    return (observed - chance) / (1 - chance) if chance < 1 else math.nan
