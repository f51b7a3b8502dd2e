"""The nearest neighbours of rows by cosine, continued from those of an earlier build.

They are exact for up to EXACT_ROWS rows. The time of an exact search grows with the square of their number, so that a
million rows would take hours. Among more rows, a row is compared with those of the cells around it (an inverted file:
Jégou, Douze and Schmid 2011, https://doi.org/10.1109/TPAMI.2010.57). The result depends on the rows alone, not on their
order, threads or processor: all products are of whole numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from narratives.model import VectorArray
from narratives.model.kept import KEY_BYTES, NOTHING_KEPT, Arrays, KeptArrays
from narratives.model.text import VectorRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# A component of a unit vector becomes a whole number up to this; (GRID + sqrt(d) / 2)**2 stays below 2**24.
GRID_STEPS = 4000
BLOCK_CELLS = 1 << 24
# Columns whose largest product bounds the nearest ones from below.
GROUP_COLUMNS = 64
MAX_NEW_SHARE = 0.5  # share of new rows from which everything is searched
UNCLUSTERED = -1  # the label of a row that is in no group
EXACT_ROWS = 60_000
# Of more rows: rows of a cell on average, cells that a row is compared with, rows of each cell that place its centre,
# and how often the centre moves to their mean. Of the 15 nearest of 200,000 vectors of paragraphs, 92 % are found.
CELL_ROWS, CELLS_COMPARED, TRAINING_ROWS, CENTRE_MOVES = 500, 24, 48, 4

Indices = NDArray[np.int64]
Grid = NDArray[np.int16]  # rows on the grid in half of the memory; float32 is for products
Keys = NDArray[np.uint8]


def round_to_grid(vectors: VectorArray) -> VectorArray:
    """Round the components of unit rows to whole numbers up to 4000, whose products and sums float32 holds exactly."""
    whole: VectorArray = np.multiply(vectors, GRID_STEPS, dtype=np.float32)
    return np.rint(whole, out=whole)


def compute_centres(vectors: VectorRows, labels: Indices) -> VectorArray:
    """Compute the direction of the centre of each cluster 0 to `labels.max()`: (c, d) on the grid.

    The sums are exact, so their order has no influence. The centre of an empty cluster is 0.
    """
    from scipy import sparse  # imported here because it is slow, and pages never cluster

    inside = np.flatnonzero(labels >= 0)
    shape = (len(labels), int(labels.max(initial=-1)) + 1)
    member = sparse.csr_matrix((np.ones(len(inside)), (inside, labels[inside])), shape=shape)
    return round_to_grid(scale_sums(sum_on_grid(member, vectors)).astype(np.float32))


def sum_on_grid(member: csr_matrix, vectors: VectorRows) -> NDArray[np.float64]:
    """Sum rows on the grid by group: (g, d), exact; `member` (n, g) says how often a row (n, d) is in a group."""
    sums = np.zeros((member.shape[1], vectors.shape[1]))
    height = BLOCK_CELLS // max(1, vectors.shape[1])  # a copy of all rows in double precision would take much memory
    for first in range(0, len(vectors), height):
        part = slice(first, first + height)
        sums += member[part].T @ round_to_grid(vectors[part]).astype(np.float64)
    return sums


def scale_sums(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions of sums of rows on the grid, with length 1; sums below a step stay as they are."""
    lengths = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
    scaled: NDArray[np.float64] = sums / np.maximum(lengths, 1.0)
    return scaled


def assign_nearest(vectors: VectorRows, centres: VectorArray, least: float) -> tuple[Indices, NDArray[np.float64]]:
    """Return for each row (n,) the nearest of the centres, -1 if its cosine is below `least`, and this cosine.

    `centres` (c, d) are on the grid. Of equally near centres the first is taken.
    """
    labels = np.full(len(vectors), UNCLUSTERED, dtype=np.int64)
    cosines = np.zeros(len(vectors))
    height = max(1, BLOCK_CELLS // max(1, len(centres)))
    for first in range(0, len(vectors) if len(centres) else 0, height):
        products = round_to_grid(vectors[first : first + height]) @ centres.T
        nearest = products.argmax(axis=1)
        part = slice(first, first + len(products))
        cosines[part] = products[np.arange(len(products)), nearest] / float(GRID_STEPS) ** 2
        labels[part] = np.where(cosines[part] >= least, nearest, UNCLUSTERED)
    return labels, cosines


def find_neighbours(vectors: VectorRows, k: int) -> tuple[Indices, VectorArray]:
    """Find the k nearest other rows of each row by cosine: (n, k) indices and cosines, nearest first.

    The search is exact up to EXACT_ROWS rows. Components are rounded to 1/4000, so that products and their sums are
    whole numbers that float32 holds without rounding. The result is then the same for every BLAS, thread count and CPU
    (the error of a cosine is about 1e-4). Equal cosines are in the order of rows.
    """
    return NeighbourSearch().find("", [], vectors, k)


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The k nearest other rows of each of n rows: `indices` and `products` (n, k), nearest first.

    `keys` (n, 16) identify the rows; `products` are those of vectors on the grid.
    """

    keys: Keys
    indices: Indices
    products: VectorArray


class NeighbourSearch:
    """Searches that continue those of an earlier build, so that only new rows are compared with all.

    Without `kept` arrays, every search begins from nothing. The results are the same where the search is exact.
    """

    def __init__(self, kept: KeptArrays = NOTHING_KEPT) -> None:
        self._kept = kept
        self._found: dict[str, _Neighbours] = {}

    def find(self, name: str, ids: Sequence[str], vectors: VectorRows, k: int) -> tuple[Indices, VectorArray]:
        """Find the k nearest other rows of each row, as `find_neighbours` describes.

        The search continues the last one of this `name`, if all `ids` are in the same order there. Without `ids`, it
        continues none.
        """
        whole = _make_grid(vectors)
        keys = _make_keys(ids or [""] * len(whole), whole)
        earlier = self._found.get(name) or _parse_arrays(self._kept.load(name)) if ids else None
        found = _continue_search(earlier, keys, whole, k) if earlier else None
        if found is None:
            is_exact = len(whole) <= EXACT_ROWS
            every = np.arange(len(whole))
            nearest = _search(whole, every, k) if is_exact else _search_cells(vectors, whole, keys, k)
            found = _Neighbours(keys, *nearest)
        if ids:
            if earlier is None or not np.array_equal(earlier.keys, keys) or earlier.indices.shape[1] != k:
                arrays: Arrays = {"keys": keys, "indices": found.indices.astype(np.int32), "products": found.products}
                self._kept.save(name, arrays)
            self._found[name] = found
        return found.indices, found.products / np.float32(GRID_STEPS) ** 2


def _make_grid(vectors: VectorRows) -> Grid:
    """Round unit rows to the grid, block by block, which limits memory."""
    whole = np.empty(vectors.shape, dtype=np.int16)
    height = BLOCK_CELLS // max(1, vectors.shape[1])
    for first in range(0, len(vectors), height):
        whole[first : first + height] = round_to_grid(vectors[first : first + height])
    return whole


def _make_keys(ids: Sequence[str], whole: Grid) -> Keys:
    """Make a key for each row, from its id and its vector."""
    keys = b"".join(
        hashlib.blake2b(row.tobytes() + name.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
        for name, row in zip(ids, whole, strict=False)
    )
    return np.frombuffer(keys, np.uint8).reshape(-1, KEY_BYTES)


def _parse_arrays(arrays: Arrays | None) -> _Neighbours | None:
    """Return the saved neighbours, None if they are none."""
    if arrays is None or arrays.keys() != {"keys", "indices", "products"}:
        return None
    keys, indices, products = arrays["keys"], arrays["indices"].astype(np.int64), arrays["products"]
    fits = keys.shape[1:] == (KEY_BYTES,) and indices.shape == products.shape and len(indices) == len(keys)
    if not fits or indices.ndim != 2 or not indices.size or indices.min() < 0 or indices.max() >= len(keys):
        return None
    return _Neighbours(keys, indices, products)


def _continue_search(earlier: _Neighbours, keys: Keys, whole: Grid, k: int) -> _Neighbours | None:
    """Find the neighbours of rows, most of which are in an `earlier` search; None if too few are.

    A row keeps its earlier neighbours if all of them are still there: no other earlier row can be nearer. They are
    compared with the new rows. New rows, and those that lost a neighbour, are compared with all rows.
    """
    if earlier.indices.shape[1] < k:
        return None
    places = _find_places(earlier.keys, keys)
    present = places[places >= 0]
    if np.any(np.diff(present) < 0):  # ties go to the earlier row, so the order must be the same
        return None
    moved = places[earlier.indices[:, :k]]
    kept = (places >= 0) & (moved >= 0).all(axis=1)
    rows = places[kept]
    searched = np.setdiff1d(np.arange(len(whole)), rows)
    if len(searched) > MAX_NEW_SHARE * len(whole):
        return None
    indices = np.empty((len(whole), k), dtype=np.int64)
    products = np.empty((len(whole), k), dtype=np.float32)
    indices[rows], products[rows] = moved[kept], earlier.products[kept, :k]
    added = np.setdiff1d(np.arange(len(whole)), present)
    _insert_nearer(indices, products, whole, rows, added)
    indices[searched], products[searched] = _search(whole, searched, k)
    return _Neighbours(keys, indices, products)


def _find_places(earlier: Keys, keys: Keys) -> Indices:
    """Return the row of each earlier key, -1 if it is not there."""
    places = {key.tobytes(): row for row, key in enumerate(keys)}
    return np.array([places.get(key.tobytes(), -1) for key in earlier], dtype=np.int64)


def _insert_nearer(indices: Indices, products: VectorArray, whole: Grid, rows: Indices, added: Indices) -> None:
    """Put those of the `added` rows that are near enough among the neighbours of these rows."""
    k = indices.shape[1]
    columns = whole[added].astype(np.float32).T
    height = max(1, BLOCK_CELLS // max(1, len(added)))
    for start in range(0, len(rows) if len(added) else 0, height):
        part = rows[start : start + height]
        new = whole[part].astype(np.float32) @ columns
        row, column = np.nonzero(new >= products[part, -1:])
        changed = np.unique(row)
        indices[part[changed]], products[part[changed]] = _take_nearest(
            np.concatenate([np.repeat(changed, k), row]),
            np.concatenate([indices[part[changed]].ravel(), added[column]]),
            np.concatenate([products[part[changed]].ravel(), new[row, column]]),
            changed,
            k,
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows in cells: the centres (c, d) on the grid, the rows of each cell in order, and its near cells, nearest first.

    `near` (c, c) begins with the cell itself.
    """

    centres: VectorArray
    members: Sequence[Indices]
    near: Indices

    def list_rows(self, cell: int, least: int) -> Indices:
        """List in order the rows of the CELLS_COMPARED near cells, or of more until there are at least so many rows."""
        sizes = np.cumsum([len(self.members[other]) for other in self.near[cell]])
        compared = max(CELLS_COMPARED, int(np.searchsorted(sizes, least)) + 1)
        return np.sort(np.concatenate([self.members[other] for other in self.near[cell, :compared]]))


def _divide(vectors: VectorRows, order: Indices) -> _Cells:
    """Divide rows into cells; the first rows in `order`, which must be random, place the centres."""
    count = max(1, len(vectors) // CELL_ROWS)
    centres = _place_centres(vectors[order[: count * TRAINING_ROWS]], count)
    cells, _cosines = assign_nearest(vectors, centres, -np.inf)
    members = np.split(np.argsort(cells, kind="stable"), np.cumsum(np.bincount(cells, minlength=count))[:-1])
    return _Cells(centres, members, np.argsort(-(centres @ centres.T), axis=1, kind="stable"))


def _search_cells(vectors: VectorRows, whole: Grid, keys: Keys, k: int) -> tuple[Indices, VectorArray]:
    """Compare each row with those of the cells around its own: (n, k) indices and products of the nearest others."""
    cells = _divide(vectors, np.lexsort(keys.view(">u8").T))
    indices = np.empty((len(whole), k), dtype=np.int64)
    products = np.empty((len(whole), k), dtype=np.float32)
    for cell, rows in enumerate(cells.members):
        among = cells.list_rows(cell, k + 1)
        indices[rows], products[rows] = _search(whole, rows, k, among)
    return indices, products


def find_near_rows(vectors: VectorArray, others: VectorArray, k: int) -> Indices:
    """Find for each row of `vectors` k near rows among `others`, (n, k), in no order.

    The other rows must be in a random order. A row is compared with those of the cells around it only.
    """
    cells = _divide(others, np.arange(len(others)))
    nearest, _cosines = assign_nearest(vectors, cells.centres, -np.inf)
    grid = _make_grid(others)
    found = np.empty((len(vectors), k), dtype=np.int64)
    for cell in np.unique(nearest):
        among, rows = cells.list_rows(cell, k), np.flatnonzero(nearest == cell)
        columns = grid[among].astype(np.float32).T
        height = max(1, BLOCK_CELLS // len(among))
        for first in range(0, len(rows), height):
            part = rows[first : first + height]
            products = round_to_grid(vectors[part]) @ columns
            found[part] = among[np.argpartition(products, -k, axis=1)[:, -k:]]
    return found


def _place_centres(training: VectorArray, count: int) -> VectorArray:
    """Return the centres (count, d) of cells, on the grid, from rows in a random order (Lloyd's algorithm)."""
    centres = round_to_grid(training[:count])
    for _ in range(CENTRE_MOVES):
        cells, _cosines = assign_nearest(training, centres, -np.inf)
        filled = np.unique(cells)
        centres[filled] = compute_centres(training, cells)[filled]
    return centres


def _search(whole: Grid, rows: Indices, k: int, among: Indices | None = None) -> tuple[Indices, VectorArray]:
    """Compare these rows with all, or with those `among`: (r, k) indices and products of the nearest others."""
    compared = whole if among is None else whole[among]
    places = rows if among is None else np.searchsorted(among, rows)
    n = len(compared)
    indices = np.empty((len(rows), k), dtype=np.int64)
    products = np.empty((len(rows), k), dtype=np.float32)
    groups = -(-n // GROUP_COLUMNS)
    if groups < 4 * k:
        groups = n
    # Whole groups, so that they can be compared without a copy.
    padded = np.zeros((n + (-n % groups if n and len(rows) else 0), whole.shape[1]), np.float32)
    if len(rows):
        padded[:n] = compared
    height = max(1, min(len(rows), BLOCK_CELLS // max(1, len(padded))))
    for start in range(0, len(rows), height):
        part = rows[start : start + height]
        product = whole[part].astype(np.float32) @ padded.T
        product[:, n:] = -np.inf
        own = np.arange(len(part))
        product[own, places[start : start + height]] = -np.inf
        # The k-th largest of the groups' largest products is no more than the k-th largest product.
        largest = product.reshape(len(part), -1, groups).max(axis=1)
        least = np.partition(largest, groups - k, axis=1)[:, groups - k]
        row, column = np.nonzero(product >= least[:, None])
        nearest = _take_nearest(row, column, product[row, column], own, k)
        indices[start : start + height], products[start : start + height] = nearest
    return indices if among is None else among[indices], products


def _take_nearest(
    row: Indices, column: Indices, product: VectorArray, rows: Indices, k: int
) -> tuple[Indices, VectorArray]:
    """Return the columns and products (r, k) of the k largest products of each of the r `rows`, at least k each."""
    best = np.lexsort((column, -product, row))
    row, column, product = row[best], column[best], product[best]
    taken = np.searchsorted(row, rows)[:, None] + np.arange(k)
    return column[taken], product[taken]


def build_mutual_graph(indices: Indices, cosines: VectorArray) -> csr_matrix:
    """Build the symmetric (n, n) sparse matrix of cosines of rows that are among each other's k nearest."""
    from scipy import sparse  # imported here because it is slow, and pages never cluster

    n, k = indices.shape
    rows = np.repeat(np.arange(n), k)
    directed = sparse.csr_matrix((np.maximum(cosines, 0).ravel(), (rows, indices.ravel())), shape=(n, n))
    mutual = directed.minimum(directed.T).tocsr()
    mutual.eliminate_zeros()
    mutual.sort_indices()
    return mutual
