"""Matching: its properties with a tiny fake encoder, and its sense with the real one."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.match import matcher as matcher_module
from narratives.match.calibration import Background, load_background, make_background
from narratives.match.matcher import Matcher, MatchResult, fit_matcher
from narratives.model import Codebook, ConfigError, Narrative
from narratives.model.kept import KeptArrays
from narratives.model.text import (
    embed_passages,
    is_question_to_speaker,
    normalise_words,
    split_sentences,
    split_windows,
)

DIMENSION = 48
VOCABULARY = [
    "the",
    "of",
    "and",
    "a",
    "trade",
    "road",
    "school",
    "farm",
    "river",
    "doctor",
    "budget",
    "train",
    "winter",
    "letter",
    "city",
    "plan",
]


def bag_of_words(texts: Sequence[str]) -> np.ndarray:
    """A fake encoder: hashed words, unit rows."""
    rows = np.zeros((len(texts), DIMENSION), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in normalise_words(str(text)).split() or ["empty"]:
            row[zlib.crc32(word.encode()) % DIMENSION] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ordinary(count: int, seed: int = 3) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join(" ".join(rng.choices(VOCABULARY, k=9)).capitalize() + "." for _ in range(rng.randint(1, 5)))
        for _ in range(count)
    ]


CODEBOOK = Codebook(
    (
        Narrative(
            "apples",
            "Apples",
            "Apples are best.",
            exemplars=("apples are the best fruit", "nothing beats ripe apples", "every day one apple"),
            contrasts=("the apple trade grew", "a farm sells fruit"),
            cues=("golden apple",),
            threshold=0.7,
        ),
        Narrative("boats", "Boats", "boats always sink in storms", threshold=None),
        Narrative("clouds", "Clouds", "Clouds lie.", exemplars=("clouds tell lies to sailors",), threshold=0.3),
    ),
    digest="0" * 64,
)
TEXTS = [
    "The budget of the city. Nothing beats ripe apples and apples are the best fruit. A letter came.",
    "Boats always sink in storms.",
    "Clouds tell lies to sailors. The train was late. Boats always sink in storms. Winter came.",
    *ordinary(9, seed=8),
]


@pytest.fixture(scope="module")
def background() -> Background:
    return make_background(ordinary(60), bag_of_words, "bag of words")


@pytest.fixture(scope="module")
def matcher(background) -> Matcher:
    return fit_matcher(CODEBOOK, bag_of_words, background)


def run(matcher: Matcher, texts: Sequence[str], embed: Callable = bag_of_words) -> MatchResult:
    return matcher.match(texts, *embed_passages(texts, embed))


# --- windows ------------------------------------------------------------------------------------------
def test_windows_are_pairs_of_neighbouring_sentences():
    assert split_windows("One came. Two went. Three stayed.") == ["One came. Two went.", "Two went. Three stayed."]


@pytest.mark.parametrize("text", ["One came.", "One came. Mr. Smith went at 5 p.m. today.", "no full stop", ""])
def test_short_paragraphs_are_their_own_window(text):
    assert split_windows(text) == [text]


def test_a_window_is_the_mean_of_its_sentences_weighted_by_their_lengths():
    text = "One came. Two went away. Three stayed."
    one, two, three = bag_of_words([str(part) for part in split_sentences(text)])
    expected = np.stack([9 * one + 14 * two, 14 * two + 13 * three])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    _, (windows, short) = embed_passages([text, "One came. Two went."], bag_of_words)
    assert np.allclose(windows, expected, atol=1e-6)
    assert np.allclose(short, bag_of_words(["One came. Two went."]))


def test_the_parts_of_a_text_are_its_sentences_without_spaces_and_a_single_sentence_is_the_text():
    assert split_sentences("One came.") == ["One came."]
    text = "“No.” He left.\n Why? "
    parts = split_sentences(text)
    assert [str(part) for part in parts] == ["“No.”", "He left.", "Why?"]
    assert all(part.text == text and text[part.start : part.end] == str(part) for part in parts)


@given(st.text(max_size=200))
def test_windows_never_fail_and_are_never_empty(text):
    assert len(split_windows(text)) >= 1


# --- properties ---------------------------------------------------------------------------------------
def test_finds_what_each_text_says(matcher):
    scores = run(matcher, TEXTS).scores
    assert scores[:3].argmax(axis=1).tolist()[:2] == [0, 1]
    assert scores[2, 2] > scores[3:, 2].max() and scores[2, 1] > scores[3:, 1].max()


def test_scores_do_not_depend_on_order_or_company(matcher):
    whole = run(matcher, TEXTS)
    order = [7, 2, 0, 11, 5, 1, 3, 10, 4, 6, 9, 8]
    shuffled = run(matcher, [TEXTS[i] for i in order])
    for name in ("scores", "best_exemplar", "best_window"):
        assert np.array_equal(getattr(shuffled, name), getattr(whole, name)[order]), name
    for index in (0, 2, 5):
        assert np.array_equal(run(matcher, [TEXTS[index]]).scores[0], whole.scores[index])


@pytest.mark.parametrize("block", [1, 5, 12])
def test_scores_do_not_depend_on_the_block_size(matcher, monkeypatch, block):
    whole = run(matcher, TEXTS)
    monkeypatch.setattr(matcher_module, "_BLOCK_ROWS", block)
    blocks = run(matcher, TEXTS)
    assert np.array_equal(whole.scores, blocks.scores)
    assert np.array_equal(whole.best_window, blocks.best_window)


def test_fitting_again_gives_the_same_matcher_to_the_byte(matcher, background):
    again = fit_matcher(CODEBOOK, bag_of_words, background)
    assert run(again, TEXTS).scores.tobytes() == run(matcher, TEXTS).scores.tobytes()


def test_kept_probes_are_not_fitted_again_and_change_nothing(matcher, background, monkeypatch):
    saved: dict[str, dict[str, np.ndarray]] = {}
    kept = KeptArrays(saved.get, lambda name, arrays: saved.update({name: dict(arrays)}))
    fit_matcher(CODEBOOK, bag_of_words, background, kept=kept)
    fitted = Mock(side_effect=matcher_module._fit_probe)
    monkeypatch.setattr(matcher_module, "_fit_probe", fitted)
    again = fit_matcher(CODEBOOK, bag_of_words, background, kept=kept)
    assert not fitted.called
    assert run(again, TEXTS).evidence.tobytes() == run(matcher, TEXTS).evidence.tobytes()

    changed = replace(CODEBOOK.narratives[0], contrasts=("apples fall far from the tree",))
    codebook = replace(CODEBOOK, narratives=(changed, *CODEBOOK.narratives[1:]))
    fit_matcher(codebook, bag_of_words, background, kept=kept)
    assert fitted.call_count == 1  # contrasts belong to one probe
    saved[matcher_module.PROBES] = {"keys": saved[matcher_module.PROBES]["keys"][:1]}
    fit_matcher(CODEBOOK, bag_of_words, background, kept=kept)
    assert fitted.call_count == 1 + len(CODEBOOK.narratives)


def test_scores_are_rounded_and_lie_between_0_and_1(matcher):
    scores = run(matcher, TEXTS).scores
    assert scores.dtype == np.float32 and scores.shape == (len(TEXTS), 3)
    assert scores.min() >= 0 and scores.max() <= 1
    assert np.array_equal(scores, np.round(scores.astype(np.float64), 3).astype(np.float32))


def test_explanations_point_at_the_sentence_and_the_exemplar(matcher):
    result = run(matcher, TEXTS)
    for index, text in enumerate(TEXTS):
        assert result.best_window[index].min() >= 0 and result.best_window[index].max() < len(split_windows(text))
    for k, statements in enumerate(matcher.statements):
        assert result.best_exemplar[:, k].min() >= 0 and result.best_exemplar[:, k].max() < len(statements)
    assert "sink in storms" in split_windows(TEXTS[2])[result.best_window[2, 1]]
    assert "Clouds tell" in split_windows(TEXTS[2])[result.best_window[2, 2]]
    assert matcher.statements[0][run(matcher, ["Nothing beats ripe apples."]).best_exemplar[0, 0]] == (
        "nothing beats ripe apples"
    )


def test_a_narrative_without_exemplars_is_its_definition(matcher):
    assert matcher.statements[1] == ("boats always sink in storms",)


def test_a_threshold_is_reached_by_its_very_score(matcher):
    assert matcher.thresholds.tolist() == np.array([0.7, 0.5, 0.3], np.float32).tolist()
    scores = np.array([[0.7, 0.5, 0.3], [0.699, 0.499, 0.299]], np.float32)
    assert matcher.advances(scores).tolist() == [[True] * 3, [False] * 3]


def test_thresholds_are_those_of_the_codebook_or_else_one_half(matcher):
    assert matcher.thresholds.tolist() == pytest.approx([0.7, 0.5, 0.3])


def test_a_matcher_of_some_narratives_scores_them_as_the_whole_one_does(matcher, background):
    some = fit_matcher(CODEBOOK, bag_of_words, background, only=[0, 2])
    assert list(some.narrative_ids) == ["apples", "clouds"]
    assert np.array_equal(run(some, TEXTS).scores, run(matcher, TEXTS).scores[:, [0, 2]])


def test_the_evidence_is_what_its_definition_says(matcher, background):
    """The four similarities of `compute_evidence`, one narrative and one paragraph at a time."""
    from sklearn.linear_model import LogisticRegression

    texts = [*TEXTS, "A golden apple fell.", "Do you say that nothing beats ripe apples?"]
    vectors, windows = embed_passages(texts, bag_of_words)
    owners = [background.window_vectors[background.window_owner == row] for row in range(60)]
    found = matcher.match(texts, vectors, windows)
    assert (found.scores.dtype, found.best_exemplar.dtype, found.best_window.dtype) == (np.float32, np.int32, np.int32)
    for k, narrative in enumerate(CODEBOOK.narratives[:2]):  # the background has no word of the third
        exemplars = bag_of_words(narrative.statements).astype(float)
        others = [bag_of_words(n.statements) for n in CODEBOOK.narratives if n is not narrative]
        groups = [exemplars, background.paragraph_vectors]
        weights = [1000.0, 500.0]
        if narrative.contrasts:
            groups, weights = [*groups, bag_of_words(narrative.contrasts)], [*weights, 300.0]
        groups, weights = [*groups, np.concatenate(others)], [*weights, 200.0]
        probe = LogisticRegression(C=3.0, tol=1e-10, max_iter=2000).fit(
            np.concatenate(groups).astype(float),
            np.repeat([1, *[0] * (len(groups) - 1)], list(map(len, groups))),
            np.concatenate([np.full(len(rows), w / len(rows)) for rows, w in zip(groups, weights, strict=True)]),
        )

        def describe(paragraph, its_windows, exemplars=exemplars, probe=probe):
            def soft(row):
                return np.log(np.mean(np.exp(10 * (exemplars @ row)))) / 10

            log_odds = probe.decision_function([paragraph, *its_windows])
            return [soft(paragraph), max(map(soft, its_windows)), log_odds[0], log_odds[1:].max()]

        cohort = np.array([describe(*one) for one in zip(background.paragraph_vectors, owners, strict=True)])
        values = np.array([describe(*one) for one in zip(vectors, windows, strict=True)])
        expected = ((values - cohort.mean(axis=0)) / cohort.std(axis=0)).sum(axis=1) / 2
        if narrative.id == "apples":
            expected[-2] += 2.5
        expected[-1] -= 3.0
        assert found.evidence[:, k] == pytest.approx(expected, abs=1e-3), narrative.id


def test_a_cue_raises_only_its_own_narrative(background):
    text = "A letter of the golden-apple committee came to the city."
    with_cue = fit_matcher(CODEBOOK, bag_of_words, background)
    first = replace(CODEBOOK.narratives[0], cues=())
    without = fit_matcher(replace(CODEBOOK, narratives=(first, *CODEBOOK.narratives[1:])), bag_of_words, background)
    difference = run(with_cue, [text]).scores[0] - run(without, [text]).scores[0]
    assert difference[0] > 0 and difference[1:].tolist() == [0, 0]


def test_a_question_put_to_the_speaker_scores_less_than_the_statement(matcher, monkeypatch):
    text = "Did your school plan a farm where one apple a day is fruit?"
    asked = run(matcher, [text]).scores[0, 0]
    monkeypatch.setattr(matcher_module, "is_question_to_speaker", lambda _: False)
    assert asked < run(matcher, [text]).scores[0, 0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr President, what will happen to the treaty?", True),
        ("I have a question about the north. Thank you.", True),
        ("Did you do it?”", True),
        ("Madam Chancellor, is there a way out?", True),
        ("Thank you. Minister Brown, what will become of the north?", True),
        ("Mr. Smith, is it so? Thank you.", True),
        ("My next question concerns the north.", True),
        ("Was it Minister Brown who signed it, or somebody else?", False),
        ("Who needs this? Nobody.", False),
        ("Why should we apologise for that?", False),
        ("You know our position well.", False),
    ],
)
def test_questions_put_to_the_speaker_are_told_from_rhetorical_ones(text, expected):
    assert is_question_to_speaker(text) is expected


def test_no_texts_give_an_empty_result(matcher):
    assert matcher.match([], np.zeros((0, DIMENSION), np.float32), []).scores.shape == (0, 3)


# --- errors -------------------------------------------------------------------------------------------
def test_inputs_that_do_not_fit_together_are_refused(matcher):
    row = np.zeros((1, DIMENSION), np.float32)
    with pytest.raises(ValueError, match="2 texts, 1 vectors"):
        matcher.match(["a", "b"], row, [row, row])
    with pytest.raises(ValueError, match="at least one window"):
        matcher.match(["a"], row, [row[:0]])


def test_a_codebook_without_narratives_is_refused(background):
    with pytest.raises(ConfigError, match="narratives"):
        fit_matcher(Codebook((), "0" * 64, "empty.toml"), bag_of_words, background)


def test_a_background_of_another_model_is_refused(background):
    with pytest.raises(ConfigError, match="dimension 7"):
        fit_matcher(CODEBOOK, lambda texts: bag_of_words(texts)[:, :7], background)


def test_a_background_that_is_too_small_or_torn_is_refused(background):
    with pytest.raises(ConfigError, match="at least 20"):
        make_background(ordinary(19), bag_of_words, "bag of words")
    with pytest.raises(ConfigError, match="windows that belong"):
        replace(background, window_owner=background.window_owner[:-1])


def test_a_background_that_was_written_is_read_as_it_was(background, tmp_path):
    kept = replace(background, sha256="ab12")
    fields = ("model", "paragraph_vectors", "window_vectors", "window_owner", "sha256")
    np.savez(tmp_path / "background.npz", **{name: getattr(kept, name) for name in fields})
    read = load_background(tmp_path / "background.npz")
    assert (read.model, read.sha256) == ("bag of words", "ab12")
    assert all(np.array_equal(getattr(read, name), getattr(kept, name)) for name in fields)
    assert make_background(ordinary(20), bag_of_words, "bag of words", "cd34").sha256 == "cd34"


def test_a_missing_or_broken_background_file_says_what_to_do(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 not an archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    for name in ("missing.npz", "broken.npz", "empty.npz", "other.npz"):
        with pytest.raises(ConfigError, match="make_background"):
            load_background(tmp_path / name)
