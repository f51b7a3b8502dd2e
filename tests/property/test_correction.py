"""Correcting shares for matching errors: against matchers whose errors are known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulate import corpus
from narratives.measure import add_shares, correct_shares
from narratives.measure.correction import NO_RECALL, NOT_MEASURED, NOT_RANDOM, RATES_TOO_HIGH
from narratives.model import QualityMetrics
from narratives.model.snapshot import Calibration

REPEATS = 2500
NAN = math.nan


def measured(key: str, recall: float, support: int, rate: float, negatives: int) -> QualityMetrics:
    return QualityMetrics(key, support, *[NAN] * 3, recall, NAN, NAN, *[NAN] * 6, negatives, rate, NAN, NAN)


def matched(draw, documents: int, share: float, likeness: float, recall: float, rate: float) -> pd.DataFrame:
    """REPEATS corpora, each a period and narrative of its own, as a matcher with known errors sees them."""
    frame = corpus(draw, REPEATS, documents, share, likeness, recall=recall, false_positives=rate)
    frame.insert(0, "narrative_id", [f"n{i}" for i in range(REPEATS)])
    shared = add_shares(frame.assign(narrative_id=np.arange(REPEATS) // 10))
    return frame.assign(**{name: shared[name] for name in ("share", "share_low", "share_high")})


def check(found: pd.DataFrame, share: float) -> None:
    error = found["corrected"].std() / math.sqrt(REPEATS)
    assert found["corrected"].mean() == pytest.approx(share, abs=4 * error + 0.002 * share)
    covered = np.mean((found["corrected_low"] <= share) & (share <= found["corrected_high"]))
    assert 0.93 <= covered <= 0.98


CASES = [(0.05, 0.1, 0.8, 0.03), (0.1, 0.2, 0.6, 0.02), (0.2, 0.05, 0.9, 0.05)]


@pytest.mark.parametrize(("share", "likeness", "recall", "rate"), CASES)
def test_known_rates_take_the_bias_away(share, likeness, recall, rate):
    draw = np.random.default_rng(3)
    frame = matched(draw, 150, share, likeness, recall, rate)
    found_recall, found_rate = (draw.binomial(100, recall, REPEATS) / 100, draw.binomial(900, rate, REPEATS) / 900)
    quality = [
        measured(key, *values)
        for key, *values in zip(
            frame["narrative_id"], found_recall, [100] * REPEATS, found_rate, [900] * REPEATS, strict=True
        )
    ]
    found = correct_shares(frame, quality, rates_carry_over=True)
    assert set(found["correction"]) == {"rates"}
    assert set(correct_shares(frame, quality)["correction_reason"]) == {NOT_RANDOM}
    check(found, share)
    raw = share * recall + (1 - share) * rate
    assert frame["share"].mean() == pytest.approx(raw, rel=0.02) and abs(raw - share) > 0.05 * share


@pytest.mark.parametrize(("share", "likeness", "recall", "rate"), CASES)
def test_labels_of_the_corpus_take_the_bias_away(share, likeness, recall, rate):
    draw = np.random.default_rng(4)
    frame = matched(draw, 150, share, likeness, recall, rate)
    raw = share * recall + (1 - share) * rate
    labels = pd.DataFrame(
        {
            "narrative_id": frame["narrative_id"],
            "assigned": 100,
            "assigned_true": draw.binomial(100, share * recall / raw, REPEATS),
            "others": 400,
            "others_true": draw.binomial(400, share * (1 - recall) / (1 - raw), REPEATS),
        }
    )
    found = correct_shares(frame, labels=labels)
    assert set(found["correction"]) == {"labels"}
    check(found, share)


@pytest.mark.parametrize(("share", "likeness", "recall", "rate"), CASES)
def test_labels_of_what_was_assigned_need_a_recall_beside_them(share, likeness, recall, rate):
    draw = np.random.default_rng(5)
    frame = matched(draw, 150, share, likeness, recall, rate)
    true = share * recall / (share * recall + (1 - share) * rate)
    labels = pd.DataFrame(
        {
            "narrative_id": frame["narrative_id"],
            "assigned": 100,
            "assigned_true": draw.binomial(100, true, REPEATS),
            "others": 0,
            "others_true": 0,
        }
    )
    found_recall = draw.binomial(200, recall, REPEATS) / 200
    quality = [measured(*row, 200, NAN, 0) for row in zip(frame["narrative_id"], found_recall, strict=True)]
    found = correct_shares(frame, quality, labels)
    assert set(found["correction"]) == {"precision"}
    check(found, share)
    assert set(correct_shares(frame, labels=labels)["correction_reason"]) == {NO_RECALL}


def small(*shares: tuple[int, int]) -> pd.DataFrame:
    rows = [(f"n{i}", k, n) for i, (k, n) in enumerate(shares)]
    return add_shares(pd.DataFrame(rows, columns=["narrative_id", "paragraphs", "total_paragraphs"]))


def test_perfect_matching_is_left_as_it_is():
    frame = small((50, 1000))
    row = correct_shares(frame, [measured("n0", 1.0, 100_000, 0.0, 10_000_000)], rates_carry_over=True).iloc[0]
    assert row["corrected"] == row["share"]
    assert row["corrected_low"] == pytest.approx(row["share_low"], abs=1e-4)
    assert row["corrected_high"] == pytest.approx(row["share_high"], abs=1e-4)


def test_a_rate_that_cannot_be_that_of_these_texts_is_not_used():
    # 2 % of the negatives of an enriched set were false positives, but here 0.2 % are assigned in all.
    row = correct_shares(small((20, 10_000)), [measured("n0", 0.8, 40, 0.02, 950)], rates_carry_over=True).iloc[0]
    assert row["correction"] == "" and row["correction_reason"] == RATES_TOO_HIGH
    assert np.isnan([row["corrected"], row["corrected_low"], row["corrected_high"]]).all()


def test_a_matcher_no_better_than_chance_corrects_nothing():
    row = correct_shares(small((500, 1000)), [measured("n0", 0.3, 40, 0.3, 950)], rates_carry_over=True).iloc[0]
    assert row["correction"] == "" and "no more often" in row["correction_reason"]


def test_each_narrative_has_the_method_its_labels_allow():
    labels = pd.DataFrame(
        [("n0", 40, 30, 200, 1), ("n1", 40, 30, 0, 0), ("other", 9, 9, 9, 9)],
        columns=["narrative_id", "assigned", "assigned_true", "others", "others_true"],
    )
    quality = [measured(f"n{i}", 0.8, 40, 0.01, 950) for i in (1, 2)] + [measured("", 0.8, 99, 0.01, 999)]
    found = correct_shares(
        small((100, 1000), (100, 1000), (100, 1000), (100, 1000), (0, 0)), quality, labels, rates_carry_over=True
    )
    assert list(found["correction"]) == ["labels", "precision", "rates", "", ""]
    assert list(found["correction_reason"]) == ["", "", "", NOT_MEASURED, NOT_MEASURED]
    assert found["corrected"][0] == pytest.approx(0.1 * 0.75 + 0.9 * 0.005)
    assert found["corrected"][1] == pytest.approx(0.1 * 0.75 / 0.8)
    assert found["corrected"][2] == pytest.approx((0.1 - 0.01) / (0.8 - 0.01))
    assert correct_shares(small()[:0]).empty


@given(st.integers(0, 200), st.integers(0, 40), st.integers(0, 200))
def test_limits_hold_the_corrected_share_within_bounds(k, hits, wrong):
    quality = [measured("n0", hits / 40, 40, wrong / 200, 200)]
    row = correct_shares(small((k, 200)), quality, rates_carry_over=True).iloc[0]
    if row["correction"]:
        assert 0 <= row["corrected_low"] <= row["corrected"] <= row["corrected_high"] <= 1
        assert row["corrected_low"] < row["corrected_high"]
    else:
        assert math.isnan(row["corrected"]) and row["correction_reason"]


def test_the_expected_share_is_the_mean_probability_and_covers_the_true_share():
    """Each paragraph has its own probability, and the matcher assigns from one half up, so the raw share is biased."""
    draw = np.random.default_rng(8)
    rows, truth = [], 0.15
    for corpus_number in range(400):
        chances = draw.beta(0.3, 0.3 * (1 - truth) / truth, 1500)
        rows.append((f"n{corpus_number}", int((chances >= 0.5).sum()), 1500, float(chances.sum())))
    frame = add_shares(pd.DataFrame(rows, columns=["narrative_id", "paragraphs", "total_paragraphs", "expected"]))
    found = correct_shares(frame, calibration=Calibration((), 1.0, 0.98, 1.02))
    assert set(found["correction"]) == {"expected"}
    assert found["corrected"].to_numpy() == pytest.approx(frame["expected"].to_numpy() / 1500)
    assert found["corrected"].mean() == pytest.approx(truth, rel=0.02)
    assert abs(frame["share"].mean() - truth) > 0.01
    assert np.mean((found["corrected_low"] <= truth) & (truth <= found["corrected_high"])) > 0.95


def test_the_expected_share_needs_a_measured_calibration_and_yields_to_spot_checks():
    frame = small((100, 1000), (100, 1000), (100, 1000)).assign(expected=[80.0, 80.0, NAN])
    assert set(correct_shares(frame)["correction"]) == {""}
    labels = pd.DataFrame(
        [("n1", 40, 30, 0, 0)], columns=["narrative_id", "assigned", "assigned_true", "others", "others_true"]
    )
    calibration = Calibration((), 1.0, 0.9, 1.1)
    found = correct_shares(frame, [measured("n1", 0.8, 40, NAN, 0)], labels, calibration=calibration)
    assert list(found["correction"]) == ["expected", "precision", ""]
    assert found["correction_reason"][2] == NOT_MEASURED
    uncertain = correct_shares(frame, calibration=Calibration((), 1.0, 0.5, 1.5))
    assert uncertain["corrected_low"][0] < found["corrected_low"][0] < 0.08 < found["corrected_high"][0]
