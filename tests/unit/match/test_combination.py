"""The combination of the codebook's evidence with a classifier's outputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from narratives.match import (
    Combination,
    Gains,
    LabelledPairs,
    assign_folds,
    fit_combination,
    is_near,
    learning,
    to_score,
)
from narratives.match.learning import MIN_CLASSIFIED_EVIDENCE

DOCUMENTS = 60


def decided(seed: int = 3) -> tuple[LabelledPairs, np.ndarray]:
    """Pairs of two narratives. The outputs know the first much better than the evidence; of the second, nothing."""
    draw = np.random.default_rng(seed)
    count = 6 * DOCUMENTS
    accepted = draw.random((count, 2)) < 0.25
    evidence = np.round(4 + 2.0 * accepted + draw.normal(size=(count, 2)) * (2.0, 1.0), 6)
    outputs = np.stack([4.0 * accepted[:, 0] - 3, np.zeros(count)], axis=1) + draw.normal(size=(count, 2))
    pairs = LabelledPairs(
        texts=tuple(f"text {row}" for row in range(count)),
        documents=tuple(f"d{row // 6}" for row in range(count)),
        evidence=evidence,
        accepted=accepted,
        known=np.ones((count, 2), bool),
        thresholds=np.array([0.5, 0.5], np.float32),
    )
    return pairs, outputs.astype(np.float32)


def fit(pairs: LabelledPairs, outputs: np.ndarray) -> tuple[Combination, Gains]:
    return fit_combination(pairs, is_near(pairs.evidence), outputs, assign_folds(pairs.documents, 2))


def combine(combination: Combination, pairs: LabelledPairs, outputs: np.ndarray) -> np.ndarray:
    row_of = {text: row for row, text in enumerate(pairs.texts)}

    def classify(texts):
        return outputs[[row_of[text] for text in texts]]

    return to_score(combination.combine(pairs.evidence, is_near(pairs.evidence), pairs.texts, classify))


@pytest.fixture(scope="module")
def fitted():
    return fit(*decided())


def test_outputs_are_used_only_where_they_rank_better_out_of_fold(fitted):
    combination, gains = fitted
    assert gains.used.tolist() == [True, False]
    assert combination.columns.tolist() == combination.outputs.tolist() == [0]
    assert gains.after[0] > gains.before[0] + 0.1 and gains.after[1] < gains.before[1]
    assert (combination.weights[0, :2] > 0).all()


def test_where_outputs_do_not_help_the_evidence_alone_can_make_the_probability():
    pairs, outputs = decided()
    folds = assign_folds(pairs.documents, 2)
    combination, gains = fit_combination(pairs, is_near(pairs.evidence), outputs, folds, calibrate_all=True)
    assert gains.used.tolist() == [True, False] and combination.columns.tolist() == [0, 1]
    assert combination.weights[1, 1] == 0 and combination.weights[1, 0] > 0
    scores = combine(combination, pairs, outputs)
    assert scores[:, 1].mean() == pytest.approx(pairs.accepted[:, 1].mean(), abs=0.04)


def test_scores_are_probabilities_for_new_pairs_near_or_far(fitted):
    combination, _ = fitted
    pairs, outputs = decided(seed=4)
    scores = combine(combination, pairs, outputs)
    near = is_near(pairs.evidence)
    assert scores[:, 0].mean() == pytest.approx(pairs.accepted[:, 0].mean(), abs=0.04)
    truth = pairs.accepted[near, 0]
    assert truth[scores[near, 0] < 0.1].mean() < 0.05
    assert truth[scores[near, 0] > 0.8].mean() > 0.8


def test_rows_count_as_often_as_the_paragraphs_that_they_stand_for():
    pairs, outputs = decided()
    weights = np.where(pairs.accepted[:, 0], 1.0, 10.0)
    weighted, gains = fit(replace(pairs, weights=weights), outputs)
    scores = combine(weighted, pairs, outputs)[:, 0]
    rare = float((weights * pairs.accepted[:, 0]).sum() / weights.sum())
    assert float((weights * scores).sum() / weights.sum()) == pytest.approx(rare, abs=0.01)
    assert gains.probabilities.shape == pairs.evidence.shape
    plain, _ = fit(pairs, outputs)
    assert scores.mean() < combine(plain, pairs, outputs)[:, 0].mean() - 0.05


def test_far_texts_are_not_classified():
    combination = Combination(np.array([0]), np.array([0]), np.ones((1, 3)), np.array([[1.0, -5.0]]), 0.5)
    evidence = np.array([[MIN_CLASSIFIED_EVIDENCE, 0.0], [MIN_CLASSIFIED_EVIDENCE + 1, 0.0]])
    asked = []

    def classify(texts):
        asked.extend(texts)
        return np.zeros((len(texts), 1), np.float32)

    combined = combination.combine(evidence, is_near(evidence), ["far", "near"], classify)
    assert asked == ["near"]
    logit = MIN_CLASSIFIED_EVIDENCE - 5
    assert to_score(combined)[0, 0] == pytest.approx(1 / (1 + np.exp(-logit)), abs=0.001)
    assert combined[:, 1].tolist() == [0.0, 0.0]


def test_too_few_accepted_pairs_leave_the_codebook_alone():
    pairs, outputs = decided()
    few = np.flatnonzero(~pairs.accepted[:, 0] | (np.cumsum(pairs.accepted[:, 0]) <= 9))
    combination, gains = fit(pairs.rows(few), outputs[few])
    assert not gains.used[0] and 0 not in combination.columns


def test_a_text_that_refutes_what_it_says_loses_probability_in_proportion():
    plain = Combination(np.array([0]), np.array([0]), np.array([[0.0, 1.0, 0.0]]), np.zeros((1, 2)), 0.5)
    combination = replace(plain, refutation=1)
    outputs = np.array([[2.0, -60.0], [2.0, 0.0], [2.0, 3.0], [-4.0, 1.0], [80.0, 80.0]])
    evidence, near = np.full((5, 1), 6.0), np.ones(5, np.bool_)
    found = to_score(combination.combine(evidence, near, list("abcde"), lambda _: outputs))[:, 0]
    advances, refutes = (1 / (1 + np.exp(-outputs[:, column])) for column in (0, 1))
    assert found == pytest.approx(advances * (1 - refutes), abs=0.001)
    undiscounted = to_score(plain.combine(evidence, near, list("abcde"), lambda _: outputs))[:, 0]
    assert undiscounted == pytest.approx(advances, abs=0.001)


def test_the_threshold_lies_between_what_was_accepted_and_what_was_rejected() -> None:
    pairs, _ = decided()
    draw = np.random.default_rng(1)
    probabilities = np.where(pairs.accepted, 0.45, 0.15) + 0.04 * draw.normal(size=pairs.accepted.shape)
    threshold = learning._choose_threshold(pairs, probabilities, np.arange(2))
    assert 0.2 < threshold < 0.4


def test_thresholds_are_tested_on_documents_that_they_were_not_fitted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, _ = decided()
    folds = assign_folds(pairs.documents, 2)
    fitted_to: list[np.ndarray] = []

    def fit_thresholds(_: LabelledPairs, evidence: np.ndarray, rows: np.ndarray) -> np.ndarray:
        fitted_to.append(rows)
        return np.zeros(evidence.shape[1])

    monkeypatch.setattr(learning, "_fit_thresholds", fit_thresholds)
    learning._cross_validate_f1(pairs, pairs.evidence, folds)
    assert [rows.tolist() for rows in fitted_to] == [(folds != fold).tolist() for fold in range(learning.FOLDS)]
