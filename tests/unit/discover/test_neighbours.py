"""A search for neighbours that continues an earlier one finds what one from nothing finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.discover import NeighbourSearch, neighbours
from narratives.discover.neighbours import find_near_rows, find_neighbours
from narratives.model.kept import KeptArrays

# Few different rows, so that equal cosines are frequent.
POOL = np.random.default_rng(3).integers(-2, 3, size=(40, 6)).astype(np.float32) + np.float32(0.5)
POOL /= np.linalg.norm(POOL, axis=1, keepdims=True)


class Shelf(dict):
    """What a store would keep."""

    def search(self) -> NeighbourSearch:
        return NeighbourSearch(KeptArrays(self.get, self.__setitem__))


def plain(vectors: np.ndarray, k: int) -> tuple[list[list[int]], list[list[float]]]:
    """The nearest rows by sorting whole lines of exact products."""
    whole = np.rint(vectors * np.float32(4000)).astype(np.int64)
    products = whole @ whole.T
    np.fill_diagonal(products, -(1 << 40))
    nearest = np.argsort(-products, axis=1, kind="stable")[:, :k]
    return nearest.tolist(), np.take_along_axis(products, nearest, axis=1).tolist()


def check(shelf: Shelf, rows: list[int], k: int) -> None:
    ids = [f"{row:04d}" for row in rows]
    vectors = POOL[[row % len(POOL) for row in rows]]
    indices, cosines = shelf.search().find("rows", ids, vectors, k)
    expected = plain(vectors, k)
    assert indices.tolist() == expected[0]
    assert np.allclose(cosines, np.array(expected[1]) / 4000**2, atol=1e-6)


corpora = st.lists(st.sets(st.integers(0, 120), min_size=8).map(sorted), min_size=2, max_size=5)


@settings(max_examples=30)
@given(corpora, st.integers(1, 7))
def test_after_any_additions_and_removals_the_neighbours_are_those_of_a_plain_search(history, k):
    shelf = Shelf()
    for rows in history:
        check(shelf, rows, k)


def test_only_new_rows_are_compared_with_all(monkeypatch):
    compared = []
    original = neighbours._search
    monkeypatch.setattr(neighbours, "_search", lambda w, rows, k: compared.append(len(rows)) or original(w, rows, k))
    shelf = Shelf()
    rows = list(range(0, 120, 2))
    check(shelf, rows, 3)
    check(shelf, rows, 3)
    check(shelf, sorted([*rows, 7, 33]), 3)
    check(shelf, sorted([*rows, 7, 33]), 2)
    assert compared == [60, 0, 2, 0]
    check(shelf, [*rows[:20], *range(121, 200)], 3)  # mostly new
    assert compared[4:] == [99]


def test_many_columns_are_bounded_by_groups(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 50_000)
    vectors = POOL[np.random.default_rng(1).integers(0, len(POOL), 900)]
    indices, _ = find_neighbours(vectors, 3)
    assert indices.tolist() == plain(vectors, 3)[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: {},
        lambda kept: {**kept, "indices": kept["indices"][:-1]},
        lambda kept: {**kept, "indices": kept["indices"] + 1000},
        lambda kept: {**kept, "keys": kept["keys"][::-1]},
        lambda kept: {**kept, "keys": kept["keys"][:, :4]},
        lambda kept: {name: kept[name] for name in ("keys", "indices")},
    ],
)
def test_saved_neighbours_that_do_not_fit_are_not_used(damage):
    shelf = Shelf()
    rows = list(range(50))
    check(shelf, rows, 3)
    shelf["rows"] = damage(shelf["rows"])
    check(shelf, rows, 3)


def make_groups(count: int) -> np.ndarray:
    """Rows around 30 centres, as paragraphs lie around subjects."""
    draw = np.random.default_rng(4)
    centres = draw.normal(size=(30, 24))
    rows = centres[np.arange(count) % 30] + 1.0 * draw.normal(size=(count, 24))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def small_cells(monkeypatch):
    for name, value in {"EXACT_ROWS": 100, "CELL_ROWS": 40, "CELLS_COMPARED": 6}.items():
        monkeypatch.setattr(neighbours, name, value)
    return monkeypatch


def test_a_search_by_cells_finds_most(small_cells):
    vectors = make_groups(1200)
    indices, cosines = find_neighbours(vectors, 5)
    small_cells.undo()
    exact, exact_cosines = find_neighbours(vectors, 5)
    found = np.mean([len(set(own) & set(true)) / 5 for own, true in zip(indices, exact, strict=True)])
    assert 0.8 < found < 1 and (cosines <= exact_cosines + 1e-6).all()
    assert (indices != np.arange(1200)[:, None]).all() and (np.diff(cosines, axis=1) <= 0).all()


def test_near_rows_among_others_are_mostly_the_nearest(small_cells):
    vectors = make_groups(1500)
    some, others = vectors[:300], vectors[300:]
    nearest = np.argsort(-(some @ others.T), axis=1)[:, :5]

    def share() -> float:
        near = find_near_rows(some, others, 5)
        assert all(len(set(row)) == 5 for row in near)
        return np.mean([len(set(row) & set(true)) / 5 for row, true in zip(near, nearest, strict=True)])

    assert 0.8 < share() < 1
    small_cells.setattr(neighbours, "CELL_ROWS", 5000)  # one cell
    assert share() > 0.99


@pytest.mark.usefixtures("small_cells")
def test_a_search_by_cells_is_the_same_in_any_order():
    vectors = make_groups(600)
    order = np.random.default_rng(1).permutation(600)
    indices, cosines = find_neighbours(vectors, 5)
    shuffled, shuffled_cosines = find_neighbours(vectors[order], 5)
    assert np.array_equal(cosines[order], shuffled_cosines)
    clear = (np.diff(cosines[order], axis=1) < 0).all(axis=1)  # equal cosines are in the order that was given
    assert clear.sum() > 300 and np.array_equal(indices[order][clear][:, :4], order[shuffled[clear]][:, :4])


@pytest.mark.usefixtures("small_cells")
def test_cells_may_be_nearly_empty():
    vectors = np.repeat(make_groups(3), 120, axis=0)
    indices, cosines = find_neighbours(vectors, 5)
    assert cosines.min() > 0.999 and (indices // 120 == (np.arange(360) // 120)[:, None]).all()
