"""The map: a position in the plane for every paragraph, with similar paragraphs close together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from narratives.discover.clustering import PARAGRAPHS, choose_neighbours
from narratives.discover.neighbours import NeighbourSearch, find_near_rows
from narratives.model import VectorArray
from narratives.model.text import VectorRows

Positions = NDArray[np.float64]
Indices = NDArray[np.int64]

HALF_WIDTH = 10.0  # the map is a square from -10 to 10 in both directions
DECIMALS = 3
MIN_FOR_TSNE = 50  # paragraphs; with fewer, the two principal axes show more than a neighbourhood graph
MAX_FOR_TSNE = 50_000  # paragraphs that t-SNE places together; more would take minutes
MIN_FOR_GRID = 3_000  # paragraphs; with fewer, a tree (Barnes-Hut) is faster than a grid
PARTLY = "paragraphs-on-map"  # the name of the search for neighbours among those that t-SNE places
PLACED_AT_ONCE = 100_000  # of the others, so that no copy of all vectors is made
PLACING_NEIGHBOURS = 5  # near placed paragraphs that decide where each remaining one goes
EXAGGERATED_STEPS, PLAIN_STEPS, EXAGGERATION = 125, 250, 12.0
CONTINUED_STEPS = 100  # steps from an earlier map, which is nearly right already
FEW_STEPS, FEW_SHARE = 25, 0.02  # steps where at most this share of the paragraphs is new
MIN_KNOWN_SHARE = 0.5  # share of the paragraphs that an earlier map must hold to be continued
MIN_EXTENT = 1e-9  # anything narrower is one point
START_SPREAD = 1e-4  # standard deviation at the start of t-SNE: https://doi.org/10.1038/s41467-019-13056-x
TSNE_REACH = 0.35  # radius of t-SNE's result for n paragraphs, divided by the square root of n; measured


def project_to_map(
    vectors: VectorRows,
    ids: Sequence[str],
    earlier: Mapping[str, tuple[float, float]] | None = None,
    search: NeighbourSearch | None = None,
) -> NDArray[np.float32]:
    """Place paragraphs in the plane so that neighbours by meaning are neighbours on the map.

    The method: t-SNE with uniform weights on the graph of nearest neighbours that clustering uses too. It starts
    from the first two principal axes, each oriented so that its largest component is positive. If an `earlier`
    map holds at least half of the paragraphs, t-SNE starts from that map, so that readers find things where they
    were; new paragraphs start at the median of their neighbours. Above 50,000 paragraphs, t-SNE places those with
    the smallest hashes of their ids, and the others go to the median of 5 near ones among these. Fewer than 50
    paragraphs are shown on their principal axes.

    `vectors` are (n, d) float32 unit rows, `ids` n different ids in the same order. Neighbours are found by `search`,
    which may have found them already. Returns (n, 2) float32 in
    the square from -10 to 10, centred, with 3 decimals. Closeness has a meaning; the axes and large distances
    have none. The order of ids and the number of threads do not change the result, but another machine may give
    another map. Raises ValueError if ids repeat or their number differs from the vectors'.

    Sources: van der Maaten and Hinton 2008 (t-SNE); van der Maaten 2014 and Linderman et al. 2019 (the fast forms in
    openTSNE); Kobak
    and Berens 2019 (the start). docs/map.md compares it with other methods.
    """
    n = len(ids)
    if vectors.shape[:1] != (n,) or len(set(ids)) != n:
        raise ValueError(f"a different id for each row: {len(set(ids))} different of {n}, {vectors.shape}")
    order = np.array(sorted(range(n), key=lambda row: _hash_id(ids[row])), dtype=np.int64)
    laid, further = np.ascontiguousarray(vectors[order[:MAX_FOR_TSNE]], dtype=np.float32), order[MAX_FOR_TSNE:]
    # One thread: sums in another order differ in the last digit, and t-SNE amplifies the difference.
    with threadpool_limits(1):
        near = [
            find_near_rows(vectors[further[start : start + PLACED_AT_ONCE]], laid, PLACING_NEIGHBOURS)
            for start in range(0, len(further), PLACED_AT_ONCE)
        ]
        del vectors  # t-SNE needs the memory
        if n < MIN_FOR_TSNE:
            places = _project_main_axes(laid)
        else:
            laid_ids = [ids[row] for row in order[:MAX_FOR_TSNE]]
            neighbours = _find_neighbours(
                laid, laid_ids, search or NeighbourSearch(), PARTLY if len(further) else PARAGRAPHS
            )
            places = _run_tsne(laid, *neighbours, _find_known_positions(laid_ids, earlier or {}))
        places = np.concatenate([places, *(np.median(places[rows], axis=1) for rows in near)])
    positions = np.empty((n, 2), dtype=np.float32)
    positions[order] = np.round(_fit_to_square(places), DECIMALS) + 0.0  # no negative zero
    return positions


def _hash_id(key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _project_main_axes(vectors: VectorArray) -> Positions:
    """Project the rows on their two principal axes, (n, 2)."""
    places = np.zeros((len(vectors), 2))
    if len(vectors) > 1:
        centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
        _, axes = np.linalg.eigh(centred.T @ centred)
        first = axes[:, ::-1][:, :2]
        first = first * np.sign(first[np.abs(first).argmax(axis=0), range(first.shape[1])])
        places[:, : first.shape[1]] = centred @ first
    return places


def _find_known_positions(ids: Sequence[str], earlier: Mapping[str, tuple[float, float]]) -> Positions | None:
    """Return the (n, 2) positions on the earlier map, NaN where it has none; None if it cannot be continued.

    It cannot if it lacks more than half of the paragraphs, has fewer than 50 of them, or is a single point.
    """
    nowhere = (math.nan, math.nan)
    places = np.array([earlier.get(key, nowhere) for key in ids], dtype=np.float64)
    there = places[np.isfinite(places[:, 0])]
    if len(there) < max(MIN_FOR_TSNE, MIN_KNOWN_SHARE * len(ids)) or np.ptp(there, axis=0).max() < MIN_EXTENT:
        return None
    return places


def _find_neighbours(
    vectors: VectorArray, ids: Sequence[str], search: NeighbourSearch, name: str
) -> tuple[Indices, VectorArray]:
    """Find the nearest rows of each row, (n, k) indices and cosines, by a search in the order of ids."""
    by_id = np.argsort(np.array(ids, dtype=object), kind="stable")
    found = search.find(name, [ids[row] for row in by_id], vectors[by_id], choose_neighbours(len(ids)))
    indices, cosines = np.empty_like(found[0]), np.empty_like(found[1])
    indices[by_id], cosines[by_id] = by_id[found[0]], found[1]
    return indices, cosines


def _run_tsne(vectors: VectorArray, indices: Indices, cosines: VectorArray, known: Positions | None) -> Positions:
    from openTSNE import TSNEEmbedding, affinity, nearest_neighbors  # takes a second to import; pages do not need it

    n, k = indices.shape
    graph = nearest_neighbors.PrecomputedNeighbors(indices, np.sqrt(np.maximum(2 - 2 * cosines, 0)))
    if known is None:
        start = _project_main_axes(vectors)
        if np.ptp(start, axis=0).max() < MIN_EXTENT:
            return start  # all vectors are equal; openTSNE would crash on a grid without width
        start *= START_SPREAD / max(float(start[:, 0].std()), START_SPREAD)
    else:
        start = _fill_positions(known, indices) * (TSNE_REACH * math.sqrt(n) / HALF_WIDTH)
    weights = affinity.Uniform(knn_index=graph, k_neighbors=k)
    method = "fft" if n >= MIN_FOR_GRID else "bh"
    picture = TSNEEmbedding(start, weights, negative_gradient_method=method, n_jobs=1)
    if known is None:
        picture.optimize(EXAGGERATED_STEPS, exaggeration=EXAGGERATION, momentum=0.5, inplace=True)
    picture.optimize(_choose_steps(known), momentum=0.8, inplace=True)
    return np.asarray(picture, dtype=np.float64)


def _choose_steps(known: Positions | None) -> int:
    """Choose the number of steps, from the earlier positions of all rows, NaN for new ones."""
    if known is None:
        return PLAIN_STEPS
    return FEW_STEPS if np.isnan(known[:, 0]).mean() <= FEW_SHARE else CONTINUED_STEPS


def _fill_positions(known: Positions, indices: Indices) -> Positions:
    """Give rows without a position the median of their neighbours' positions, else the centre."""
    places = known.copy()
    for row in np.flatnonzero(np.isnan(known[:, 0])):
        around = known[indices[row]]
        around = around[np.isfinite(around[:, 0])]
        places[row] = np.median(around, axis=0) if len(around) else 0.0
    return places


def _fit_to_square(places: Positions) -> Positions:
    """Centre the positions and scale them to the square."""
    if not len(places):
        return places
    centred: Positions = places - (places.min(axis=0) + places.max(axis=0)) / 2
    widest = float(np.abs(centred).max())
    return centred * (HALF_WIDTH / widest) if widest else centred
