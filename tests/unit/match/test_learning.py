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
