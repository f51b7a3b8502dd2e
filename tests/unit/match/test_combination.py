"""The combination of the codebook's evidence with a classifier's outputs."""

from __future__ import annotations

import numpy as np
import pytest

from narratives.match import Combination, LabelledPairs, assign_folds, fit_combination, is_near, to_score
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


@pytest.fixture(scope="module")
def fitted():
    pairs, outputs = decided()
    return fit_combination(pairs, outputs, assign_folds(pairs.documents, 2))


def test_a_narrative_is_combined_only_where_that_ranks_better_out_of_fold(fitted):
    combination, gains = fitted
    assert gains.used.tolist() == [True, False]
    assert combination.columns.tolist() == combination.outputs.tolist() == [0]
    assert gains.combined[0] > gains.codebook[0] + 0.1
    assert (combination.weights[0, :2] > 0).all()


def test_scores_are_probabilities_for_new_pairs(fitted):
    combination, _ = fitted
    pairs, outputs = decided(seed=4)
    row_of = {text: row for row, text in enumerate(pairs.texts)}
    evidence = combination.combine(pairs.evidence, pairs.texts, lambda texts: outputs[[row_of[text] for text in texts]])
    near = is_near(pairs.evidence)
    scores = to_score(evidence[:, 0])[near]
    truth = pairs.accepted[near, 0]
    assert scores.mean() == pytest.approx(truth.mean(), abs=0.03)
    assert truth[scores < 0.1].mean() < 0.05
    assert truth[scores > 0.8].mean() > 0.8
    assert np.array_equal(evidence[:, 1], np.round(pairs.evidence[:, 1], 4))


def test_far_texts_are_not_classified():
    combination = Combination(np.array([0]), np.array([0]), np.ones((1, 3)), 0.5)
    evidence = np.array([[MIN_CLASSIFIED_EVIDENCE, 0.0], [MIN_CLASSIFIED_EVIDENCE + 1, 0.0]])
    asked = []

    def classify(texts):
        asked.extend(texts)
        return np.zeros((len(texts), 1), np.float32)

    combined = combination.combine(evidence, ["far", "near"], classify)
    assert asked == ["near"]
    assert combined[0].tolist() == evidence[0].tolist()


def test_too_few_accepted_pairs_leave_the_codebook_alone():
    pairs, outputs = decided()
    few = np.flatnonzero(~pairs.accepted[:, 0] | (np.cumsum(pairs.accepted[:, 0]) <= 9))
    combination, gains = fit_combination(pairs.rows(few), outputs[few], assign_folds(pairs.rows(few).documents, 2))
    assert not gains.used[0] and 0 not in combination.columns
