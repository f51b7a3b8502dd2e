"""Clusters of similar paragraphs: when they recur, how they keep their ids, and their lineage."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from narratives.discover.neighbours import (
    BLOCK_CELLS,
    GRID_STEPS,
    UNCLUSTERED,
    NeighbourSearch,
    assign_nearest,
    build_mutual_graph,
    compute_centres,
)
from narratives.model import Cluster, Codebook, Granularity, LineageEvent, LineageKind, PreviousSnapshot, VectorArray
from narratives.model.dates import get_period_label, parse_partial_date
from narratives.model.narratives import TOPIC_PREFIX
from narratives.model.text import VectorRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEW_DOCUMENTS, MANY_DOCUMENTS = 30, 300
# The least documents, and quarters or months, of a recurring claim; in a very small corpus documents alone.
MIN_IN_LARGE, MIN_IN_MEDIUM, MIN_IN_SMALL = (5, 3), (3, 2), 2


def is_recurring(
    document_ids: Sequence[str], dates: Sequence[str], corpus: int, many_least: tuple[int, int] = MIN_IN_LARGE
) -> bool:
    """Return whether paragraphs are spread over enough documents and time; `dates` are `YYYY[-MM[-DD]]`.

    At least 5 documents and 3 quarters, or `many_least`; 3 documents and 2 months in a corpus of fewer than
    300 documents; 2 documents in a corpus of fewer than 30. A date that is known to the year alone counts as
    one more quarter or month only if no month of that year is known.
    """
    documents = len(set(document_ids))
    if corpus < FEW_DOCUMENTS:
        return documents >= MIN_IN_SMALL
    many = corpus >= MANY_DOCUMENTS
    by: Granularity = "quarter" if many else "month"
    times = {get_period_label(parse_partial_date(date)[0], by) for date in dates if len(date) >= 7}
    years = {date for date in dates if len(date) == 4} - {time[:4] for time in times}
    least_documents, least_times = many_least if many else MIN_IN_MEDIUM
    return documents >= least_documents and len(times) + len(years) >= least_times


ClusterLabels = NDArray[np.int64]

PARAGRAPHS = "paragraphs"  # the name of their search for neighbours
NEIGHBOURS = 15
TOLERANCE = 1e-5
MIN_AGREEMENT = 0.5
EARLIER_VOTES = 2.0  # of the previous snapshot in the consensus, for each run
# Runs where at least this share of the paragraphs had a topic, which comes from many runs already.
CONTINUED_SEEDS, MIN_KNOWN_SHARE = 5, 0.75
SMALL_CORPUS = 1000
MOVES = 2
# The least cosine of a paragraph with the centre of its cluster.
MEMBER_COSINE = 0.55
# The least mean cosine of the centres of clusters that are one. It is lower for those of one earlier cluster and higher
# for those of two, so that few clusters are merged in one snapshot and not in the next.
SAME_COSINE, SAME_EARLIER = 0.8, 0.1
# The most clusters whose pairs are all held at a time. If a chain of near pairs connects more, as in large corpora,
# they are divided by chains of pairs that are nearer, by this step.
MAX_LINKED, NEARER = 4000, 0.02


def cluster_paragraphs(
    ids: Sequence[str],
    vectors: VectorRows,
    *,
    seeds: int = 20,
    search: NeighbourSearch | None = None,
    earlier: Mapping[str, str] | None = None,
) -> ClusterLabels:
    """Group paragraphs into clusters of similar statements.

    The method: build the mutual nearest-neighbour graph of the vectors (two paragraphs are linked if each is among the
    other's 15 nearest by cosine; fewer in a small corpus). Run Louvain on it `seeds` times, each time in another order
    of the paragraphs. Run it once more with each link weighted by its cosine times the share of runs that put its ends
    into one community. Leave out paragraphs that were with most of their cluster in fewer than half of the runs, and
    clusters of fewer than 5 paragraphs (3 in a corpus of fewer than 1,000). Merge clusters whose centres have a mean
    cosine of at least `SAME_COSINE` (average linkage), as Louvain also divides what says the same. Then, twice, give
    every paragraph to the cluster with the nearest centre, if its cosine with it is at least `MEMBER_COSINE`.

    `ids` are n different paragraph ids, `vectors` (n, d) float32 unit rows in the same order. Neighbours are found by
    `search`, which may continue that of an earlier build. `earlier` maps ids to their clusters in the previous
    snapshot; these count like twice as many runs for links between such paragraphs, and a little when clusters are
    merged, so that clusters change only where the texts give reason (evolutionary clustering, Chakrabarti et al.
    2006). Returns (n,) int64 labels: 0 for the largest cluster and upwards, -1 for unclustered. Fewer than 5
    paragraphs give no cluster. The order of ids and the number of threads do not change the result: work is done in
    the order of ids, and neighbours are found with whole numbers, whose sums are exact. Raises ValueError if ids
    repeat or their number differs from the vectors'.

    On 29,411 Kremlin paragraphs it takes 12 to 16 s on one core and finds 843 clusters, with a median of 24
    paragraphs. After adding 5 % more documents, at least 90 % of them keep their ids.

    Louvain is used because scikit-network's Leiden cannot be seeded, so its runs differ. With the consensus, the
    two were equal in coherence and stability.

    Sources: Blondel et al. 2008 (Louvain); Lancichinetti and Fortunato 2012 (consensus); Sokal and Michener 1958
    (average linkage).
    """
    n = len(ids)
    if vectors.shape[:1] != (n,) or len(set(ids)) != n:
        raise ValueError(f"a different id for each row: {len(set(ids))} different of {n}, {vectors.shape}")
    labels = np.full(n, UNCLUSTERED, dtype=np.int64)
    if n < 5:
        return labels
    order = np.argsort(np.array(ids, dtype=object), kind="stable")
    ordered = vectors if (order == np.arange(n)).all() else vectors[order]  # a copy may take gigabytes
    neighbours = (search or NeighbourSearch()).find(
        PARAGRAPHS, [ids[row] for row in order], ordered, choose_neighbours(n)
    )
    graph = build_mutual_graph(*neighbours)
    if graph.nnz:
        before = _label_earlier([ids[row] for row in order], earlier) if earlier else None
        if before is not None and (before != UNCLUSTERED).mean() >= MIN_KNOWN_SHARE:
            seeds = min(seeds, CONTINUED_SEEDS)
        found = find_consensus(graph, choose_resolution(n), seeds, choose_min_size(n), before)
        found = _merge_near(ordered, found, before)
        for _ in range(MOVES):
            found, _cosines = assign_nearest(ordered, compute_centres(ordered, found), MEMBER_COSINE)
        labels[order] = _number_by_size(found, choose_min_size(n))
    return labels


def _label_earlier(ids: Sequence[str], earlier: Mapping[str, str]) -> ClusterLabels:
    """Number the clusters that the ids had: (n,) labels, -1 for those that had none."""
    numbers = {key: number for number, key in enumerate(sorted(set(earlier.values())))}
    return np.array([numbers[earlier[key]] if key in earlier else UNCLUSTERED for key in ids], dtype=np.int64)


def choose_neighbours(n: int) -> int:
    """Choose the number of neighbours in a corpus of n: 15, fewer below 2,000 paragraphs, at least 5."""
    return min(NEIGHBOURS, max(5, round(math.sqrt(n) / 3)), n - 1)


def choose_resolution(n: int) -> float:
    """Choose the resolution of modularity in a corpus of n: clusters grow with its cube root."""
    return max(1.0, math.pow(n, 2 / 3) / 16)


def choose_min_size(n: int) -> int:
    """Choose the least size of a cluster in a corpus of n paragraphs."""
    return 3 if n < SMALL_CORPUS else 5


def find_consensus(
    graph: csr_matrix, resolution: float, seeds: int, min_size: int, earlier: ClusterLabels | None = None
) -> ClusterLabels:
    """Cluster the rows of a symmetric graph as `cluster_paragraphs` describes: (n,) labels by size, -1 for none."""
    runs = np.stack([_run_louvain(graph, resolution, seed) for seed in range(seeds)])
    weighted = graph.tocoo()
    together, votes = np.zeros(weighted.nnz), np.full(weighted.nnz, float(seeds))
    for run in runs:
        together += run[weighted.row] == run[weighted.col]
    if earlier is not None:
        first, second = earlier[weighted.row], earlier[weighted.col]
        known = (first != UNCLUSTERED) & (second != UNCLUSTERED)
        votes[known] += EARLIER_VOTES * seeds
        together[known & (first == second)] += EARLIER_VOTES * seeds
    weighted.data = weighted.data * together / votes
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


def _merge_near(vectors: VectorRows, labels: ClusterLabels, earlier: ClusterLabels | None) -> ClusterLabels:
    """Merge clusters with near centres. The numbers change; -1 stays.

    Only clusters that a chain of near pairs connects can be merged, so only their distances are held at a time.
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    centres = compute_centres(vectors, labels)
    if len(centres) < 2:
        return labels
    former = None if earlier is None else _find_former(labels, earlier)
    merged = np.arange(len(centres))
    for group in _connect_near(centres, former):
        distances = 1 - _compare_centres(centres, former, group, group)
        np.fill_diagonal(distances, 0)
        tree = hierarchy.linkage(squareform(np.maximum(distances, 0), checks=False), method="average")
        parts = hierarchy.fcluster(tree, round(1 - SAME_COSINE, 9), criterion="distance")
        first = np.unique(parts, return_index=True)[1]
        merged[group] = group[first[parts - 1]]
    return np.where(labels >= 0, merged[labels], UNCLUSTERED)


def _connect_near(
    centres: VectorArray, former: ClusterLabels | None, least: float = SAME_COSINE
) -> list[NDArray[np.int64]]:
    """List the groups of clusters, at least two and at most `MAX_LINKED`, that pairs of near ones connect."""
    from scipy import sparse

    every, rows, columns = np.arange(len(centres)), [], []
    height = max(1, BLOCK_CELLS // max(1, len(centres)))
    for first in range(0, len(centres), height):
        row, column = np.nonzero(_compare_centres(centres, former, every[first : first + height], every) >= least)
        rows.append(first + row)
        columns.append(column)
    pairs = np.concatenate(rows), np.concatenate(columns)
    graph = sparse.csr_matrix((np.ones(len(pairs[0])), pairs), shape=(len(centres), len(centres)))
    found = sparse.csgraph.connected_components(graph, directed=False)[1]
    order = np.argsort(found, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(found[order])) + 1)
    connected = []
    for group in groups:
        if 1 < len(group) <= MAX_LINKED:
            connected.append(group)
        elif len(group) > MAX_LINKED:
            parts = _connect_near(centres[group], None if former is None else former[group], least + NEARER)
            connected += [group[part] for part in parts]
    return connected


def _compare_centres(
    centres: VectorArray, former: ClusterLabels | None, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute the cosines of these centres, which are on the grid, raised or lowered by the `former` clusters."""
    cosines = (centres[first] @ centres[second].T).astype(np.float64) / float(GRID_STEPS) ** 2
    if former is not None:
        one, other = former[first][:, None], former[second]
        cosines[(one == other) & (one != UNCLUSTERED)] += SAME_EARLIER
        cosines[(one != other) & (one != UNCLUSTERED) & (other != UNCLUSTERED)] -= SAME_EARLIER
    return cosines.round(9)


def _find_former(labels: ClusterLabels, earlier: ClusterLabels) -> ClusterLabels:
    """Find for each cluster (c,) the earlier one of most of its rows, -1 if they had none; of equal ones the first."""
    former = np.full(int(labels.max(initial=-1)) + 1, UNCLUSTERED, dtype=np.int64)
    known = (labels >= 0) & (earlier != UNCLUSTERED)
    pairs, counts = np.unique(np.stack([labels[known], earlier[known]]), axis=1, return_counts=True)
    order = np.lexsort((-pairs[1], counts))  # the largest comes last, and so remains
    former[pairs[0][order]] = pairs[1][order]
    return former


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


# The least Jaccard index of the members of two clusters that have one id, and of two that have one name.
MIN_JACCARD, MIN_SAME_NAME = 0.3, 0.5


def make_cluster_id(text: str, taken: Collection[str], prefix: str = TOPIC_PREFIX) -> str:
    """Make an id that is not `taken` from a text (a claim, or a topic's central member): prefix, 8 hex digits."""
    for attempt in count():
        salted = f"{text}\0{attempt}" if attempt else text
        cluster_id = prefix + hashlib.sha256(salted.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        if cluster_id not in taken:
            break
    return cluster_id


def keep_ids(clusters: Sequence[Cluster], earlier: PreviousSnapshot, known: Sequence[str] = ()) -> tuple[Cluster, ...]:
    """Give clusters of one kind the ids and names that they had in the previous snapshot.

    A cluster is the same as an earlier one if their members' Jaccard index is at least 0.3. The most similar
    pair is matched first (equal ones in the order of ids), and each id is given once. A cluster without a
    match never takes an id of the previous snapshot. With an index of at least 0.5 it also keeps the name; a new name
    that another cluster keeps gets a number. The order and all other fields do not change. Where the earlier id of a
    cluster is `known`, in the order of the clusters ("" if not), it has this one and its name.
    """
    kind = clusters[0].cluster_id[:2] if clusters else ""
    before = {key: members for key, members in earlier.members.items() if key[:2] == kind}
    ids: dict[int, str] = {}
    names: dict[int, str] = {}
    for place, key in enumerate(known):
        if key:
            ids[place], names[place] = key, earlier.names[key]
    for jaccard, key, place in _rank_matches(clusters, before):
        if place not in ids and key not in ids.values():
            ids[place] = key
            if jaccard >= MIN_SAME_NAME and key in earlier.names:
                names[place] = earlier.names[key]
    taken, used = {*before, *ids.values()}, set(names.values())
    for place, cluster in enumerate(clusters):
        own = cluster.cluster_id
        if place not in ids:
            ids[place] = make_cluster_id(own, taken, kind) if own in taken else own
            taken.add(ids[place])
        if place not in names:
            options = [cluster.name, *(f"{cluster.name} ({number})" for number in range(2, len(clusters) + 2))]
            names[place] = next(name for name in options if name not in used)
            used.add(names[place])
    return tuple(replace(cluster, cluster_id=ids[place], name=names[place]) for place, cluster in enumerate(clusters))


def _list_former_clusters(before: Mapping[str, frozenset[str]]) -> defaultdict[str, list[str]]:
    """Return the earlier clusters of each paragraph; none for a new one."""
    former: defaultdict[str, list[str]] = defaultdict(list)
    for key, members in before.items():
        for member in members:
            former[member].append(key)
    return former


def _rank_matches(
    clusters: Sequence[Cluster], before: Mapping[str, frozenset[str]]
) -> Iterable[tuple[float, str, int]]:
    """Yield Jaccard index, earlier id and place of the pairs of clusters that may be the same, most similar first."""
    former = _list_former_clusters(before)
    pairs = []
    for place, cluster in enumerate(clusters):
        shared = Counter(key for member in cluster.members for key in former[member])
        for key, common in shared.items():
            jaccard = common / (len(cluster.members) + len(before[key]) - common)
            if jaccard >= MIN_JACCARD:
                pairs.append((-jaccard, key, cluster.cluster_id, place))
    for opposite, key, _, place in sorted(pairs):
        yield -opposite, key, place


# The least share of members for one cluster to count as coming from another, or as merged into it.
MAJORITY_SHARE = 0.5
# Clusters with a smaller share of the members are not listed.
MIN_RELATED_SHARE = 0.1


def trace_lineage(
    clusters: Sequence[Cluster], codebook: Codebook, earlier: PreviousSnapshot
) -> tuple[LineageEvent, ...]:
    """List every change from the previous snapshot to this one (see `LineageEvent`); none for the first.

    `clusters` have the ids that `keep_ids` gave them. Shares are of the paragraphs that are in a cluster in
    both snapshots; those of `kept` are of all members in either snapshot.
    """
    if not earlier.snapshot_id:
        return ()
    return (*_trace_clusters(clusters, earlier), *_trace_codebook(codebook, earlier.codebook))


def _trace_clusters(clusters: Sequence[Cluster], earlier: PreviousSnapshot) -> Iterable[LineageEvent]:
    former = _list_former_clusters(earlier.members)
    successors: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cluster in clusters:
        own = cluster.cluster_id
        origins = Counter(before for m in cluster.members for before in former[m] if before[:2] == own[:2])
        for before, n in origins.items():
            successors[before][own] = n
        if own not in earlier.members:
            related, shares = _rank_related(origins)
            kind: LineageKind = "split" if shares and shares[0] >= MAJORITY_SHARE else "birth"
            yield LineageEvent(kind, own, cluster.name, "discovered", related, shares)
            continue
        share = origins[own] / len(earlier.members[own].union(cluster.members))
        yield LineageEvent("kept", own, cluster.name, "discovered", (own,), (round(share, 3),))
        earlier_name = earlier.names.get(own, cluster.name)
        if earlier_name != cluster.name:
            yield LineageEvent("rename", own, cluster.name, "discovered", note=earlier_name)
        if cluster.is_candidate != (own in earlier.candidates):
            change: LineageKind = "offered" if cluster.is_candidate else "withdrawn"
            yield LineageEvent(change, own, cluster.name, "discovered")
    for gone in sorted(set(earlier.members) - {cluster.cluster_id for cluster in clusters}):
        related, shares = _rank_related(successors[gone])
        end: LineageKind = "merge" if shares and shares[0] >= MAJORITY_SHARE else "death"
        yield LineageEvent(end, gone, earlier.names.get(gone, ""), "discovered", related, shares)


def _rank_related(counts: Counter[str]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return the clusters with at least a tenth of the members, largest first, and their shares."""
    total = sum(counts.values())
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(key, round(n / total, 3)) for key, n in order if n / total >= MIN_RELATED_SHARE]
    return tuple(key for key, _ in kept), tuple(share for _, share in kept)


def _trace_codebook(codebook: Codebook, before: Mapping[str, tuple[str, str]]) -> Iterable[LineageEvent]:
    heirs: defaultdict[str, list[str]] = defaultdict(list)
    for narrative in codebook.narratives:
        for replaced in narrative.replaces:
            heirs[replaced].append(narrative.id)
    for narrative in codebook.narratives:
        own = narrative.id
        if own not in before:
            from_others = tuple(key for key in narrative.replaces if key in before)
            yield LineageEvent("added", own, narrative.name, "codebook", from_others)
            continue
        name, digest = before[own]
        if name != narrative.name:
            yield LineageEvent("rename", own, narrative.name, "codebook", note=name)
        if digest and digest != narrative.digest:
            yield LineageEvent("changed", own, narrative.name, "codebook")
    now = {narrative.id for narrative in codebook.narratives}
    for gone in sorted(set(before) - now):
        to = tuple(heirs[gone])
        kind: LineageKind = "removed" if not to else "merge" if len(to) == 1 else "split"
        yield LineageEvent(kind, gone, before[gone][0], "codebook", to)
