"""A search for neighbours that continues an earlier one finds what one from nothing finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.discover import NeighbourSearch, neighbours
from narratives.discover.neighbours import KeptArrays, find_neighbours

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
