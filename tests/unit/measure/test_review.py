"""Precision, recall and agreement from review answers, against corpora and programs that know the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from narratives.measure import Stratum, compute_kappa, compute_review_figures


def simulate(seed: int, answered: float) -> tuple[float, float, Stratum, Stratum]:
    """A corpus with calibrated scores, its true precision and recall, and a drawn part of which some was answered."""
    rng = np.random.default_rng(seed)
    chance = np.where(rng.random(6000) < 0.08, rng.beta(2, 2, 6000), 0.0006)
    truth, assigned = rng.random(6000) < chance, chance >= 0.5
    strata = []
    for side, size in ((assigned, 60), (~assigned, 120)):
        weight = np.ones(side.sum()) if side is assigned else np.sqrt(np.maximum(chance[side], 0.0001))
        drawn = np.minimum(1, size * weight / weight.sum())
        chosen = (rng.random(side.sum()) < drawn) & (rng.random(side.sum()) < answered)
        sums = (float(drawn.sum()), float(chance[side].sum()), float((chance[side] / drawn).sum()))
        strata.append(Stratum(int(side.sum()), *sums, drawn[chosen].tolist(), truth[side][chosen].tolist()))
    precision = (truth & assigned).sum() / assigned.sum()
    return float(precision), float((truth & assigned).sum() / truth.sum()), strata[0], strata[1]


@pytest.mark.parametrize("answered", [1.0, 0.4])
def test_intervals_cover_the_truth_and_estimates_are_not_biased(answered):
    covered, errors = np.zeros(2), []
    for seed in range(300):
        precision, recall, assigned, others = simulate(seed, answered)
        found = compute_review_figures("n", assigned, others)
        for at, (truth, (value, low, high)) in enumerate(((precision, found.precision), (recall, found.recall))):
            covered[at] += low <= truth <= high
            assert 0 <= low <= value <= high <= 1
        errors.append((found.precision[0] - precision, found.recall[0] - recall))
    assert (covered / 300 > 0.92).all(), covered
    assert np.abs(np.mean(errors, axis=0)).max() < 0.02


def test_all_answered_gives_the_truth():
    assigned = Stratum(4, 4.0, 2.0, 2.0, [1.0] * 4, [True, True, True, False])
    others = Stratum(10, 10.0, 1.0, 1.0, [1.0] * 10, [True] + [False] * 9)
    found = compute_review_figures("n", assigned, others)
    assert found.precision[0] == 0.75 and found.recall[0] == 0.75 and found.answers == (4, 10)
    assert found.check.judged == 4 and found.check.advancing == 3


def test_equal_chances_count_as_a_simple_random_sample():
    """One that is drawn without replacement, so that it counts for more answers than it has."""
    others = Stratum(200, 20.0, 10.0, 100.0, [0.1] * 20, [True] * 12 + [False] * 8)
    check = compute_review_figures("n", Stratum(1, 1.0, 1.0, 1.0, [1.0], [True]), others).check
    assert check.others == pytest.approx(20 / (1 - 0.1))
    assert check.others_advancing == pytest.approx(0.6 * 20 / (1 - 0.1))


def test_a_rare_true_pair_counts_for_all_that_were_not_drawn():
    others = Stratum(1000, 20.0, 5.0, 400.0, [0.01] * 10 + [0.5] * 10, [True] + [False] * 19)
    found = compute_review_figures("n", Stratum(10, 10.0, 5.0, 5.0, [1.0] * 10, [True] * 10), others)
    share = 100 / (10 * 100 + 10 * 2)
    assert math.isclose(found.recall[0], 10 / (10 + 1000 * share))
    assert found.recall[1] < 0.1  # hardly anything is known from one such answer


def test_without_answers_nothing_is_claimed():
    found = compute_review_figures("n", Stratum(5, 5.0, 1.0, 1.0), Stratum(5, 5.0, 1.0, 1.0))
    assert all(math.isnan(value) for value in (*found.precision, *found.recall))
    half = compute_review_figures("n", Stratum(5, 5.0, 1.0, 1.0, [1.0], [True]), Stratum(5, 5.0, 1.0, 1.0))
    assert half.precision[0] == 1 and math.isnan(half.recall[0])


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    first = rng.choice(["accepted", "rejected", "undecided"], 40).tolist()
    second = [verdict if rng.random() < 0.7 else "rejected" for verdict in first]
    answers = list(zip(first, second, strict=True))
    assert math.isclose(compute_kappa(answers), cohen_kappa_score(first, second))


def test_kappa_is_undefined_where_chance_explains_all():
    assert math.isnan(compute_kappa([])) and math.isnan(compute_kappa([("accepted", "accepted")] * 5))
