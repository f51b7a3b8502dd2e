"""Clusters of similar paragraphs, and when a cluster or claim counts as recurring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from narratives.model import VectorArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEW_DOCUMENTS, MANY_DOCUMENTS = 30, 300
# The least documents, and quarters or months, of a recurring claim; in a very small corpus documents alone.
MIN_IN_LARGE, MIN_IN_MEDIUM, MIN_IN_SMALL = (5, 3), (3, 2), 2


def is_recurring(
    document_ids: Sequence[str], dates: Sequence[str], corpus: int, many_least: tuple[int, int] = MIN_IN_LARGE
) -> bool:
    """Whether these paragraphs are spread over enough documents and time; `dates` are `YYYY[-MM[-DD]]`.

    At least 5 documents and 3 quarters, or `many_least`; 3 documents and 2 months in a corpus of fewer than
    300 documents; 2 documents in a corpus of fewer than 30. A date that is known to the year alone counts as
    one more quarter or month only if no month of that year is known.
    """
    documents = len(set(document_ids))
    if corpus < FEW_DOCUMENTS:
        return documents >= MIN_IN_SMALL
    many = corpus >= MANY_DOCUMENTS
    times = {_to_quarter(date) if many else date[:7] for date in dates if len(date) >= 7}
    years = {date for date in dates if len(date) == 4} - {time[:4] for time in times}
    least_documents, least_times = many_least if many else MIN_IN_MEDIUM
    return documents >= least_documents and len(times) + len(years) >= least_times


def _to_quarter(date: str) -> str:
    return f"{date[:4]}-Q{(int(date[5:7]) + 2) // 3}"


ClusterLabels = NDArray[np.int64]

UNCLUSTERED = -1
NEIGHBOURS = 15
TOLERANCE = 1e-5
MIN_AGREEMENT = 0.5
SMALL_CORPUS = 1000
# A component of a unit vector becomes a whole number up to this; (GRID + sqrt(d) / 2)**2 stays below 2**24.
GRID_STEPS = 4000
BLOCK_CELLS = 1 << 24


def cluster_paragraphs(ids: Sequence[str], vectors: VectorArray, *, seeds: int = 20) -> ClusterLabels:
    """Group paragraphs into clusters of similar statements.

    The method: build the mutual nearest-neighbour graph of the vectors (two paragraphs are linked if each is
    among the other's 15 nearest by cosine; fewer in a small corpus). Run Louvain on it `seeds` times, each
    time in another order of the paragraphs. Run it once more with each link weighted by its cosine times the
    share of runs that put its ends into one community. Leave out paragraphs that were with most of their
    cluster in fewer than half of the runs, and clusters of fewer than 5 paragraphs (3 in a corpus of fewer
    than 1,000).

    `ids` are n different paragraph ids, `vectors` (n, d) float32 unit rows in the same order. Returns (n,)
    int64 labels: 0 for the largest cluster and upwards, -1 for unclustered. Fewer than 5 paragraphs give no
    cluster. The result depends on the set of ids and vectors, not on their order or on the number of
    threads: work is done in the order of ids, and neighbours are found with whole numbers, whose sums are
    exact. Raises ValueError where ids repeat or their number differs from the vectors'.

    Measured on 29,597 Kremlin paragraphs: 12 to 16 s on one core; 991 clusters of 5 to 72 paragraphs (median
    25), 89 % clustered; bit-identical when shuffled and with 1 or 2 threads. After adding 5 % more documents,
    93 % of the clusters are found again (members' Jaccard index at least 0.3).

    Louvain rather than Leiden: scikit-network's Leiden draws from the C library's rand(), which takes no seed
    from here, so two runs in one process differ. With the consensus the two were equal in coherence and
    stability, and no cluster of either was disconnected in the graph.

    Sources: Blondel et al. 2008 (Louvain); Lancichinetti and Fortunato 2012 (consensus).
    """
    n = len(ids)
    if vectors.shape[:1] != (n,) or len(set(ids)) != n:
        raise ValueError(f"a different id for each row: {len(set(ids))} different of {n}, {vectors.shape}")
    labels = np.full(n, UNCLUSTERED, dtype=np.int64)
    if n < 5:
        return labels
    order = np.argsort(np.array(ids, dtype=object), kind="stable")
    graph = _build_mutual_graph(vectors[order], choose_neighbours(n))
    if graph.nnz:
        labels[order] = _find_consensus(graph, choose_resolution(n), seeds, choose_min_size(n))
    return labels


def choose_neighbours(n: int) -> int:
    """Choose the number of neighbours in a corpus of n: 15, fewer below 2,000 paragraphs, at least 5."""
    return min(NEIGHBOURS, max(5, round(math.sqrt(n) / 3)), n - 1)


def choose_resolution(n: int) -> float:
    """Choose the resolution of modularity in a corpus of n: clusters grow with its cube root."""
    return max(1.0, math.pow(n, 2 / 3) / 16)


def choose_min_size(n: int) -> int:
    """Choose the least size of a cluster in a corpus of n paragraphs."""
    return 3 if n < SMALL_CORPUS else 5


def find_neighbours(vectors: VectorArray, k: int) -> tuple[NDArray[np.int64], VectorArray]:
    """Find the k nearest other rows of each row by cosine: (n, k) indices and cosines, nearest first.

    The search is exact. Components are rounded to 1/4000, so that products and their sums are whole numbers
    that float32 holds without rounding. The result is then the same for every BLAS, thread count and CPU (the
    error of a cosine is about 1e-4). Equal cosines are in the order of rows.
    """
    n = len(vectors)
    whole = np.rint(vectors * np.float32(GRID_STEPS)).astype(np.float32)
    indices = np.empty((n, k), dtype=np.int64)
    cosines = np.empty((n, k), dtype=np.float32)
    height = max(1, min(n, BLOCK_CELLS // n))
    for start in range(0, n, height):
        products = whole[start : start + height] @ whole.T
        rows = np.arange(len(products))
        products[rows, rows + start] = -np.inf
        least = np.partition(products, n - k, axis=1)[:, n - k]
        row, column = np.nonzero(products >= least[:, None])
        product = products[row, column]
        best = np.lexsort((column, -product, row))
        row, column, product = row[best], column[best], product[best]
        taken = np.searchsorted(row, rows)[:, None] + np.arange(k)
        indices[start : start + height] = column[taken]
        cosines[start : start + height] = product[taken] / np.float32(GRID_STEPS) ** 2
    return indices, cosines


def _build_mutual_graph(vectors: VectorArray, k: int) -> csr_matrix:
    """Build the symmetric (n, n) sparse matrix of cosines of rows that are among each other's k nearest."""
    from scipy import sparse  # imported here and below because it is slow, and pages never cluster

    n = len(vectors)
    indices, cosines = find_neighbours(vectors, k)
    rows = np.repeat(np.arange(n), k)
    directed = sparse.csr_matrix((np.maximum(cosines, 0).ravel(), (rows, indices.ravel())), shape=(n, n))
    mutual = directed.minimum(directed.T).tocsr()
    mutual.eliminate_zeros()
    mutual.sort_indices()
    return mutual


def _find_consensus(graph: csr_matrix, resolution: float, seeds: int, min_size: int) -> ClusterLabels:
    runs = np.stack([_run_louvain(graph, resolution, seed) for seed in range(seeds)])
    weighted = graph.tocoo()
    together = np.zeros(weighted.nnz)
    for run in runs:
        together += run[weighted.row] == run[weighted.col]
    weighted.data = weighted.data * together / seeds
    weighted = weighted.tocsr()
    weighted.eliminate_zeros()
    weighted.sort_indices()
    labels = _run_louvain(weighted, resolution, 0)
    labels[_compute_agreement(labels, runs) < MIN_AGREEMENT] = UNCLUSTERED
    return _number_by_size(labels, min_size)


def _run_louvain(graph: csr_matrix, resolution: float, seed: int) -> ClusterLabels:
    from sknetwork.clustering import Louvain

    louvain = Louvain(
        resolution=resolution,
        modularity="newman",
        tol_optimization=TOLERANCE,
        tol_aggregation=TOLERANCE,
        shuffle_nodes=True,
        random_state=seed,
        return_probs=False,
        return_aggregate=False,
    )
    return np.asarray(louvain.fit_predict(graph), dtype=np.int64)


def _compute_agreement(labels: ClusterLabels, runs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute for each row (n,) the share of runs in which it is in the community of most of its cluster."""
    agreeing = np.zeros(len(labels))
    for run in runs:
        pairs, counts = np.unique(np.stack([labels, run]), axis=1, return_counts=True)
        # Sorted by cluster, then size: the first pair of each cluster is the community of most of its rows.
        order = np.lexsort((pairs[1], -counts, pairs[0]))
        _, first = np.unique(pairs[0][order], return_index=True)
        largest = pairs[1][order][first]
        agreeing += run == largest[labels]
    return agreeing / len(runs)


def _number_by_size(labels: ClusterLabels, min_size: int) -> ClusterLabels:
    """Renumber clusters by decreasing size, equal ones by first row; leave out those below `min_size`."""
    kept, first, sizes = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    renamed = np.full(labels.max(initial=0) + 2, UNCLUSTERED, dtype=np.int64)
    large = order[sizes[order] >= min_size]
    renamed[kept[large]] = np.arange(len(large))
    return renamed[labels]
