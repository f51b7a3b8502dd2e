"""Learning from decisions: what it takes from them, what it leaves alone, and that order does not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.match.calibration import to_evidence, to_score
from narratives.match.learning import NEAR_EVIDENCE, LabelledPairs, LearnedCorrections, learn_corrections
from tests.helpers.decided import decided


def f1(data: LabelledPairs, lessons: LearnedCorrections, k: int) -> float:
    scores = to_score(lessons.correct(data.evidence, data.texts))
    said = (scores >= lessons.thresholds)[:, k]
    truth = data.accepted[:, k]
    return float(2 * (said & truth).sum() / (said.sum() + truth.sum()))


def test_it_learns_what_the_codebook_does_not_know_and_that_holds_for_new_texts():
    lessons = learn_corrections(decided())
    fresh = decided(seed=9)
    alone = (to_score(fresh.evidence) >= fresh.thresholds)[:, 0]
    truth = fresh.accepted[:, 0]
    before = 2 * (alone & truth).sum() / (alone.sum() + truth.sum())
    assert lessons.learned[0]
    assert f1(fresh, lessons, 0) > 0.9 > 0.6 > before
    assert f1(fresh, lessons, 1) == 1.0


def test_the_weights_of_words_are_the_optimum_of_a_logistic_regression():
    """The slope of its loss, with the evidence as offset and a normal prior on the weights, is zero there."""
    data = decided()
    known = data.known.copy()
    known[::7, 0] = False
    evidence = data.evidence.copy()
    evidence[::5, 0] = NEAR_EVIDENCE  # too far to be corrected, and so not learned from
    data = replace(data, known=known, evidence=evidence)
    lessons = learn_corrections(data)
    assert lessons.learned[0]
    use = known[:, 0] & (evidence[:, 0] > NEAR_EVIDENCE)
    rows = lessons.terms.transform(data.texts)[use].toarray()
    log_odds = evidence[use, 0] - 6.5 + rows @ lessons.weights[:, 0] + lessons.shift[0]
    residual = 1 / (1 + np.exp(-log_odds)) - data.accepted[use, 0]
    assert np.abs(rows.T @ residual + lessons.weights[:, 0] / 10.0).max() < 1e-3
    assert abs(residual.sum() + lessons.shift[0] / 1.0) < 1e-3


def test_a_threshold_lies_between_the_codebook_s_and_the_peak_of_the_smooth_f1_curve():
    from scipy.ndimage import gaussian_filter1d

    draw = np.random.default_rng(5)
    accepted = np.arange(80) % 4 == 0
    data = LabelledPairs(
        texts=tuple(f"word{row}" for row in range(80)),  # no word comes twice, so that none is learned
        documents=tuple(f"d{row}" for row in range(80)),
        evidence=(np.where(accepted, 9.0, 4.0) + draw.normal(size=80))[:, None],
        accepted=accepted[:, None],
        known=(draw.random(80) < 0.9)[:, None],
        thresholds=np.array([0.5], np.float32),
    )
    grid = np.arange(-1.0, 14.0, 0.05)
    truth = (accepted & data.known[:, 0])[:, None]
    said = (data.evidence >= grid) & data.known
    f1_curve = 2 * (said & truth).sum(axis=0) / (said.sum(axis=0) + truth.sum())
    smooth = gaussian_filter1d(f1_curve, 0.4 / 0.05, mode="nearest", truncate=4)
    peak, count = grid[smooth.argmax()], truth.sum()
    lessons = learn_corrections(data)
    assert lessons.learned[0]
    found = float(to_evidence(lessons.thresholds)[0])
    assert found == pytest.approx((count * peak + 10 * 6.5) / (count + 10), abs=0.02)


def test_words_that_mislead_elsewhere_are_not_learned():
    data = decided()
    # One document has all that is accepted, and its own word: no other document bears it out.
    accepted = np.zeros_like(data.accepted)
    accepted[:, 0] = [row % 2 == 0 for row in range(160)]
    texts = tuple(f"{text} word{document}" for text, document in zip(data.texts, data.documents, strict=True))
    evidence = data.evidence.copy()
    evidence[:, 0] = np.where(accepted[:, 0], 9.0, 3.0)
    flipped = accepted.copy()
    flipped[::10, 0] = ~flipped[::10, 0]
    lessons = learn_corrections(replace(data, texts=texts, accepted=flipped, evidence=evidence))
    clean = replace(data, texts=texts, accepted=accepted, evidence=evidence)
    assert f1(clean, lessons, 0) > 0.95


def test_a_narrative_with_fewer_than_ten_accepted_paragraphs_learns_nothing_beside_one_that_does():
    data = decided()
    few = data.accepted.copy()
    few[np.flatnonzero(few[:, 1])[9:], 1] = False
    lessons = learn_corrections(replace(data, accepted=few))
    assert lessons.learned.tolist() == [True, False]
    assert lessons.weights[:, 0].any() and not lessons.weights[:, 1].any()
    assert lessons.shift[0] != 0 == lessons.shift[1]
    assert lessons.thresholds[1] == data.thresholds[1] and lessons.thresholds[0] != data.thresholds[0]


def test_nothing_decided_leaves_the_codebook_alone():
    data = decided()
    none = data.rows([])
    for lessons in (learn_corrections(none), learn_corrections(replace(data, known=np.zeros_like(data.known)))):
        assert lessons.thresholds.tobytes() == data.thresholds.tobytes()
        assert lessons.correct(data.evidence, data.texts).tobytes() == data.evidence.tobytes()
        assert not lessons.learned.any()


def test_rejections_alone_move_no_threshold():
    data = decided()
    lessons = learn_corrections(replace(data, accepted=np.zeros_like(data.accepted)))
    assert lessons.thresholds.tobytes() == data.thresholds.tobytes()


def test_one_document_alone_teaches_nothing():
    data = decided()
    lessons = learn_corrections(replace(data, documents=("d",) * 160))
    assert not lessons.learned.any() and lessons.thresholds.tobytes() == data.thresholds.tobytes()


def test_a_few_decisions_move_a_threshold_only_a_little():
    data = decided().rows([0, 1, 4, 5])
    lessons = learn_corrections(replace(data, evidence=np.full((4, 2), 3.0)))
    moved = np.abs(to_evidence(lessons.thresholds) - to_evidence(data.thresholds))
    assert moved.max() < 3.5


def test_far_paragraphs_are_left_as_they_are():
    lessons = learn_corrections(decided())
    evidence = np.array([[NEAR_EVIDENCE, NEAR_EVIDENCE], [NEAR_EVIDENCE + 4, NEAR_EVIDENCE + 4]])
    corrected = lessons.correct(evidence, ["harbour harbour", "harbour harbour"])
    assert corrected[0].tolist() == [NEAR_EVIDENCE, NEAR_EVIDENCE]
    assert corrected[1, 0] > NEAR_EVIDENCE + 4


@given(st.floats(-5, 20))
def test_scores_and_evidence_are_one_scale(evidence):
    score = float(to_score(evidence))
    assert 0 <= score <= 1
    assert float(to_score(to_evidence(score))) == pytest.approx(score, abs=0.0011)
