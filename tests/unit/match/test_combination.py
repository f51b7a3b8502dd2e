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


def helpful() -> tuple[LabelledPairs, np.ndarray]:
    """Pairs of two narratives which the outputs help to rank, with weights, and some that are not decided."""
    pairs, outputs = decided()
    draw = np.random.default_rng(6)
    outputs = outputs + 3 * pairs.accepted
    known = draw.random(pairs.known.shape) < 0.9
    return replace(pairs, known=known, weights=draw.uniform(0.5, 4.0, len(known))), outputs.astype(np.float32)


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


def test_the_weights_are_the_optimum_of_a_regression_that_shares_between_narratives():
    """The slopes of the loss are zero there. The common weights have no prior, so they are the mean of all."""
    pairs, outputs = helpful()
    near = is_near(pairs.evidence)
    combination, gains = fit(pairs, outputs)
    assert gains.used.all()
    far = np.stack([combination.far[:, 0], np.zeros(2), combination.far[:, 1]], axis=1)
    for weights, rows in ((combination.weights, near), (far, np.ones(len(near), np.bool_))):
        for k in range(2):
            use = rows & pairs.known[:, k]
            features = np.stack([pairs.evidence[use, k], outputs[use, k], np.ones(use.sum())], axis=1)
            residual = (sigmoid(features @ weights[k]) - pairs.accepted[use, k]) * pairs.weights[use]
            slope = features.T @ residual + np.array([10_000.0, 10_000.0, 30.0]) * (weights[k] - weights.mean(axis=0))
            fitted_too = [0, 1, 2] if weights is combination.weights else [0, 2]
            assert np.abs(slope[fitted_too]).max() < 0.1, (k, slope)


def test_probabilities_of_decided_pairs_come_from_a_fit_without_their_documents():
    pairs, outputs = helpful()
    near, folds = is_near(pairs.evidence), assign_folds(pairs.documents, 2)
    _, gains = fit(pairs, outputs)
    for fold in (0, 1):
        held, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        found, _ = fit_combination(pairs.rows(others), near[others], outputs[others], folds[others] * 0 + [0, 1] * 90)
        evidence, output = pairs.evidence[held], outputs[held]
        expected = sigmoid(found.far[:, 0] * evidence + found.far[:, 1])
        close = sigmoid(found.weights[:, 0] * evidence + found.weights[:, 1] * output + found.weights[:, 2])
        expected[near[held]] = close[near[held]]
        assert gains.probabilities[held] == pytest.approx(expected, abs=1e-3)


def test_the_threshold_is_at_the_peak_of_the_smoothed_weighted_f1():
    pairs, outputs = helpful()
    combination, gains = fit(pairs, outputs)
    weights = np.repeat(pairs.weights[:, None], 2, axis=1)[pairs.known]
    truth, scores = pairs.accepted[pairs.known], gains.probabilities[pairs.known]
    grid = [at / 100 for at in range(10, 90)]
    f1 = []
    for threshold in grid:
        said = scores >= threshold
        f1.append(2 * weights[said & truth].sum() / (weights[said].sum() + weights[truth].sum()))
    smooth = [np.average(f1, weights=np.exp(-0.5 * ((np.array(grid) - at) / 0.05) ** 2)) for at in grid]
    assert combination.threshold == pytest.approx(grid[int(np.argmax(smooth))])
    nothing = replace(pairs, accepted=np.zeros_like(pairs.accepted))
    assert fit(nothing, outputs)[0].threshold == 0.5


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
