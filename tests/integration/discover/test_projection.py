"""The map: the same for the same paragraphs, inside its square, and like things together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from narratives.discover import project_to_map
from narratives.discover.projection import HALF_WIDTH
from tests.conftest import ROOT

DIMENSION = 24


def groups(n: int, kinds: int = 6, seed: int = 0) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Unit vectors (n, d) around `kinds` directions, ids, and the kind of each."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(kinds, DIMENSION))
    kind = np.arange(n) % kinds
    rows = centres[kind] + 0.5 * random.normal(size=(n, DIMENSION))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), [f"d{i:05d}-1" for i in range(n)], kind


@pytest.fixture(scope="module")
def corpus() -> tuple[np.ndarray, list[str], np.ndarray]:
    return groups(400)


@pytest.fixture(scope="module")
def drawn(corpus) -> np.ndarray:
    vectors, ids, _ = corpus
    return project_to_map(vectors, ids)


def as_map(ids: list[str], places: np.ndarray) -> dict[str, tuple[float, float]]:
    return {key: (float(x), float(y)) for key, (x, y) in zip(ids, places, strict=True)}


def test_order_does_not_matter(corpus, drawn):
    vectors, ids, _ = corpus
    shuffled = np.random.default_rng(1).permutation(len(ids))
    again = project_to_map(vectors[shuffled], [ids[i] for i in shuffled])
    assert again.tobytes() == drawn[shuffled].tobytes()
    earlier = as_map(ids, drawn)
    onward = project_to_map(vectors, ids, earlier)
    again = project_to_map(vectors[shuffled], [ids[i] for i in shuffled], earlier)
    assert again.tobytes() == onward[shuffled].tobytes()


def test_threads_do_not_matter(corpus, drawn, tmp_path: Path):
    vectors, _, _ = corpus
    np.save(tmp_path / "vectors.npy", vectors)
    code = (
        "import sys, numpy as np; from narratives.discover import project_to_map;"
        "v = np.load('vectors.npy'); ids = [f'd{i:05d}-1' for i in range(len(v))];"
        "sys.stdout.buffer.write(project_to_map(v, ids).tobytes())"
    )
    for threads in ("1", "2"):
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        command = [sys.executable, "-c", code]
        told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
        assert told.stdout == drawn.tobytes()


def test_like_paragraphs_lie_together(corpus, drawn):
    _, _, kind = corpus
    apart = np.linalg.norm(drawn[:, None] - drawn[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :5]
    assert (kind[nearest] == kind[:, None]).mean() > 0.95


def test_equal_texts_lie_together(corpus):
    vectors, ids, _ = corpus
    both = project_to_map(np.concatenate([vectors, vectors[:3]]), [*ids, "x", "y", "z"])
    apart = np.linalg.norm(both[-3:] - both[:3], axis=1)
    assert apart.max() < 0.05 * HALF_WIDTH


def test_a_map_is_continued(corpus, drawn):
    """A few more paragraphs: those known stay about where they were."""
    vectors, ids, _ = corpus
    half = len(ids) * 9 // 10
    earlier = project_to_map(vectors[:half], ids[:half])
    onward = project_to_map(vectors, ids, as_map(ids[:half], earlier))
    moved = np.median(np.linalg.norm(onward[:half] - earlier, axis=1))
    anew = np.median(np.linalg.norm(drawn[:half] - earlier, axis=1))
    assert moved < 0.1 * HALF_WIDTH
    assert moved < anew


def test_a_map_of_other_paragraphs_is_begun_anew(corpus, drawn):
    vectors, ids, _ = corpus
    other = {**dict.fromkeys(ids[:100], (3.0, -2.0)), "gone": (1.0, 1.0)}
    assert project_to_map(vectors, ids, other).tobytes() == drawn.tobytes()


def test_what_is_too_much_is_placed_among_its_like(corpus, monkeypatch):
    vectors, ids, kind = corpus
    monkeypatch.setattr(sys.modules["narratives.discover.projection"], "MAX_FOR_TSNE", 200)
    places = project_to_map(vectors, ids)
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) > 200
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (kind[np.argsort(apart, axis=1)[:, :3]] == kind[:, None]).mean() > 0.9
    monkeypatch.setattr(sys.modules["narratives.discover.projection"], "PLACED_AT_ONCE", 30)
    assert project_to_map(vectors, ids).tobytes() == places.tobytes()


@settings(max_examples=40, deadline=None)
@example(n=60, kinds=1, seed=0, equal=True)
@given(n=st.integers(0, 70), kinds=st.integers(1, 4), seed=st.integers(0, 99), equal=st.booleans())
def test_any_corpus_fits_the_square(n, kinds, seed, equal):
    vectors, ids, _ = groups(n, kinds, seed)
    if equal:
        vectors = np.repeat(vectors[:1], n, axis=0)
    places = project_to_map(vectors, ids)
    assert places.shape == (n, 2) and places.dtype == np.float32
    assert np.isfinite(places).all()
    assert np.abs(places).max(initial=0) <= HALF_WIDTH
    assert np.array_equal(places, np.round(places.astype(np.float64), 3).astype(np.float32))
    if equal:
        assert not places.any()


def test_an_earlier_map_of_one_point_is_not_continued(corpus, drawn):
    vectors, ids, _ = corpus
    assert project_to_map(vectors, ids, dict.fromkeys(ids, (1.0, 1.0))).tobytes() == drawn.tobytes()


def test_ids_that_repeat_are_refused():
    vectors, ids, _ = groups(3)
    with pytest.raises(ValueError, match="2 different of 3"):
        project_to_map(vectors, [ids[0], ids[0], ids[1]])
    with pytest.raises(ValueError, match=r"\(3, 24\)"):
        project_to_map(vectors, ids[:2])
