"""Measured quality: the figures of a hand count and of scikit-learn, intervals that respect documents."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from narratives.measure import ScoredPairs, compute_calibration, compute_quality
from narratives.model import QualityMetrics

MEASURES = ("precision", "recall", "f1", "average_precision", "false_positive_rate")


def case(seed: int = 0, n: int = 200, k: int = 3, documents: int = 40):
    """Labels, known pairs, scores in coarse steps (so that many tie), predictions and documents."""
    draw = np.random.default_rng(seed)
    truth = draw.random((n, k)) < 0.2
    scores = np.round(draw.random((n, k)) * 0.7 + truth * 0.3, 1)
    known = draw.random((n, k)) < 0.9
    return truth, known, scores, scores >= 0.6, [f"d{i}" for i in draw.integers(0, documents, n)]


def names(k: int = 3) -> list[str]:
    return [f"n{i}" for i in range(k)]


def same(a: QualityMetrics, b: QualityMetrics) -> bool:
    return repr(a) == repr(b)  # NaN is not equal to itself


def quality(*pairs_and_names: object, **more: int) -> tuple[QualityMetrics, ...]:
    *pairs, narrative_ids = pairs_and_names
    return compute_quality(ScoredPairs(*pairs), narrative_ids, **more)


def test_a_hand_count():
    truth = np.array([[1], [1], [1], [0], [0], [0]], bool)
    predicted = np.array([[1], [1], [0], [1], [0], [0]], bool)
    scores = np.array([[0.9], [0.8], [0.3], [0.7], [0.2], [0.1]])
    found, macro = quality(truth, np.ones_like(truth), scores, predicted, list("aabbcc"), ["n"])
    assert (found.narrative_id, found.support) == ("n", 3)
    assert found.precision == found.recall == found.f1 == pytest.approx(2 / 3)
    assert found.average_precision == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert (found.negatives, found.false_positive_rate) == (3, pytest.approx(1 / 3))
    assert (macro.narrative_id, macro.support, macro.negatives, macro.f1) == ("", 3, 3, found.f1)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_the_figures_of_scikit_learn(seed):
    truth, known, scores, predicted, documents = case(seed)
    rows = quality(truth, known, scores, predicted, documents, names(), resamples=2)
    for k, row in enumerate(rows[:-1]):
        use = known[:, k]
        y, said = truth[use, k], predicted[use, k]
        assert row.support == y.sum()
        assert row.precision == pytest.approx(precision_score(y, said))
        assert row.recall == pytest.approx(recall_score(y, said))
        assert row.f1 == pytest.approx(f1_score(y, said))
        assert row.average_precision == pytest.approx(average_precision_score(y, scores[use, k]))
        assert row.negatives == (~y).sum()
        assert row.false_positive_rate == pytest.approx(1 - recall_score(~y, ~said))
    for measure in MEASURES:
        assert getattr(rows[-1], measure) == pytest.approx(np.mean([getattr(r, measure) for r in rows[:-1]]))


def test_a_disputed_pair_plays_no_part():
    truth, known, scores, predicted, documents = case()
    before = quality(truth, known, scores, predicted, documents, names())
    after = quality(truth ^ ~known, known, scores - 5 * ~known, predicted ^ ~known, documents, names())
    assert all(map(same, before, after))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_an_interval_holds_its_figure_and_stays_within_bounds(seed):
    for row in quality(*case(seed), names(), resamples=200):
        for measure in MEASURES:
            low, high = getattr(row, f"{measure}_low"), getattr(row, f"{measure}_high")
            assert 0 <= low <= getattr(row, measure) <= high <= 1


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    data = case()
    assert all(map(same, quality(*data, names()), quality(*data, names())))
    assert not same(quality(*data, names())[-1], quality(*data, names(), seed=1)[-1])


def test_paragraphs_of_one_document_are_not_independent():
    truth, known, scores, predicted, _ = case(n=100)
    repeated = [np.repeat(array, 8, axis=0) for array in (truth, known, scores, predicted)]
    together = quality(*repeated, [f"d{i // 8}" for i in range(800)], names())[-1]
    apart = quality(*repeated, [f"d{i}" for i in range(800)], names())[-1]
    once = quality(truth, known, scores, predicted, [f"d{i}" for i in range(100)], names())[-1]
    assert together.f1 == apart.f1 == once.f1
    assert together.f1_high - together.f1_low == pytest.approx(once.f1_high - once.f1_low, rel=0.1)
    assert together.f1_high - together.f1_low > 2 * (apart.f1_high - apart.f1_low)


def test_more_documents_give_narrower_intervals():
    widths = [
        row.f1_high - row.f1_low
        for n in (100, 400, 1600)
        for row in quality(*case(n=n, documents=n // 2), names())[-1:]
    ]
    assert all(wide > narrow for wide, narrow in pairwise(widths))


def test_blocks_of_resamples_change_nothing(monkeypatch):
    whole = quality(*case(), names())
    monkeypatch.setattr(sys.modules[compute_quality.__module__], "_MAX_CELLS", 200 * 7)
    assert all(map(same, whole, quality(*case(), names())))


def test_what_is_undefined_is_nan():
    truth = np.array([[1, 0], [0, 0], [1, 0]], bool)
    predicted = np.array([[0, 1], [0, 0], [0, 0]], bool)
    silent, absent, macro = quality(
        truth, np.ones_like(truth), predicted * 1.0, predicted, list("abc"), ["silent", "absent"]
    )
    assert np.isnan(silent.precision) and silent.recall == silent.f1 == 0
    assert absent.precision == 0 and absent.support == 0
    assert np.isnan([absent.recall, absent.f1, absent.average_precision, absent.f1_low]).all()
    assert macro.f1 == 0 and np.isnan(macro.precision)


def test_one_document_has_no_interval():
    truth, known, scores, predicted, _ = case()
    macro = quality(truth, known, scores, predicted, ["d"] * 200, names())[-1]
    assert macro.f1 > 0 and np.isnan([macro.f1_low, macro.f1_high]).all()


def test_no_paragraphs_at_all():
    none = np.zeros((0, 1))
    narrative, macro = quality(none > 0, none > 0, none, none > 0, [], ["n"])
    assert narrative.support == macro.support == 0
    assert np.isnan([narrative.f1, macro.f1]).all()


@pytest.mark.parametrize("wrong", range(4))
def test_shapes_that_disagree_are_named(wrong):
    arrays = list(case()[:4])
    arrays[wrong] = arrays[wrong][:-1]
    with pytest.raises(ValueError, match=r"of shape \(200, 3\), got \(199, 3\)"):
        quality(*arrays, case()[4], names())


def test_a_weight_is_a_number_of_equal_paragraphs():
    truth, known, scores, predicted, documents = case(n=60)
    weights = np.random.default_rng(1).integers(0, 4, 60)
    times = np.repeat(np.arange(60), weights)
    weighted = compute_quality(
        ScoredPairs(truth, known, scores, predicted, documents, weights.astype(float)), names(), pooled=True
    )
    repeated = compute_quality(
        ScoredPairs(*(part[times] for part in (truth, known, scores, predicted)), [documents[i] for i in times]),
        names(),
        pooled=True,
    )
    for one, other in zip(weighted, repeated, strict=True):
        for measure in MEASURES:
            assert getattr(one, measure) == pytest.approx(getattr(other, measure), nan_ok=True)


def test_the_pooled_row_is_computed_over_the_pairs_of_all_narratives():
    truth, known, scores, predicted, documents = case()
    *_, pooled = compute_quality(ScoredPairs(truth, known, scores, predicted, documents), names(), pooled=True)
    assert pooled.precision == pytest.approx(precision_score(truth[known], predicted[known]))
    assert pooled.recall == pytest.approx(recall_score(truth[known], predicted[known]))
    assert pooled.average_precision == pytest.approx(average_precision_score(truth[known], scores[known]))
    assert pooled.precision_low < pooled.precision < pooled.precision_high


def test_calibration_tells_probabilities_from_other_scores():
    draw = np.random.default_rng(2)
    scores = draw.random((4000, 2)) ** 3
    truth = draw.random((4000, 2)) < scores
    known, documents = np.ones_like(truth), [f"d{i // 10}" for i in range(4000)]
    good = compute_calibration(ScoredPairs(truth, known, scores, scores > 0.5, documents))
    assert good.compute_error() < 0.02 and good.compute_error(0.1) < 0.04
    assert good.ratio_low < 1 < good.ratio_high
    assert all(part.share_low <= part.share <= part.share_high for part in good.bins)
    assert sum(part.pairs for part in good.bins) == 8000
    bad = compute_calibration(ScoredPairs(truth, known, np.sqrt(scores), scores > 0.5, documents))
    assert bad.compute_error() > 0.1 and bad.ratio_high < 0.9
    # A bin's share is that of the corpus: rows that stand for nothing do not count.
    weights = (np.arange(4000) < 2000).astype(float)
    half = compute_calibration(ScoredPairs(truth, known, scores, scores > 0.5, documents, weights))
    assert sum(part.pairs for part in half.bins) == 4000


def test_thresholds_give_the_precision_and_recall_of_the_pairs_that_reach_them():
    draw = np.random.default_rng(3)
    scores = draw.random((2000, 2)) ** 2
    truth, known = draw.random((2000, 2)) < scores, draw.random((2000, 2)) < 0.9
    weights, documents = draw.random(2000) * 5, [f"d{i // 8}" for i in range(2000)]
    found = compute_calibration(ScoredPairs(truth, known, scores, scores > 0.5, documents, weights)).thresholds
    assert [part.threshold for part in found] == pytest.approx(np.arange(0.05, 0.96, 0.05))
    mass = np.broadcast_to(weights[:, None], known.shape)[known]
    for part in found:
        reached = (scores >= part.threshold)[known]
        assert part.precision == pytest.approx(precision_score(truth[known], reached, sample_weight=mass))
        assert part.recall == pytest.approx(recall_score(truth[known], reached, sample_weight=mass))
        assert part.precision_low <= part.precision <= part.precision_high
        assert part.recall_low <= part.recall <= part.recall_high
    none = compute_calibration(ScoredPairs(truth, known, scores * 0.5, scores > 0.5, documents)).thresholds[-1]
    assert np.isnan(none.precision) and none.recall == 0
