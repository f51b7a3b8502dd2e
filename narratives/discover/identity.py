"""The ids of clusters, how a cluster keeps its id from build to build, and its lineage."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from narratives.model import Cluster, Codebook, LineageEvent, LineageKind, PreviousSnapshot

MIN_JACCARD = 0.3
# The first characters of ids: of a recurring claim, and of a topic.
CLAIM_PREFIX, TOPIC_PREFIX = "c-", "t-"


def make_cluster_id(text: str, taken: Collection[str], prefix: str = TOPIC_PREFIX) -> str:
    """Make an id that is not `taken` from a text (a claim, or a topic's central member): prefix, 8 hex digits."""
    attempt = 0
    while True:
        salt = f"\0{attempt}" if attempt else ""
        cluster_id = prefix + hashlib.sha256((text + salt).encode("utf-8", "surrogatepass")).hexdigest()[:8]
        if cluster_id not in taken:
            return cluster_id
        attempt += 1


def keep_ids(clusters: Sequence[Cluster], previous: Mapping[str, str]) -> tuple[Cluster, ...]:
    """Give clusters their earlier ids; `previous` maps paragraph_id to cluster_id in the last snapshot.

    A cluster is the same as an earlier one if their members' Jaccard index is at least 0.3. The most similar
    pair is matched first (equal ones in the order of ids), and each id is given once. A cluster without a
    match never takes an id that `previous` used. The order and all other fields do not change.
    """
    sizes = Counter(previous.values())
    pairs = []
    for place, cluster in enumerate(clusters):
        shared = Counter(previous[member] for member in cluster.members if member in previous)
        for earlier, common in shared.items():
            likeness = common / (len(cluster.members) + sizes[earlier] - common)
            if likeness >= MIN_JACCARD:
                pairs.append((-likeness, earlier, cluster.cluster_id, place))
    ids: dict[int, str] = {}
    for _, earlier, _, place in sorted(pairs):
        if place not in ids and earlier not in ids.values():
            ids[place] = earlier
    taken = {*sizes, *ids.values()}
    for place, cluster in enumerate(clusters):
        if place not in ids:
            own = cluster.cluster_id
            ids[place] = make_cluster_id(own, taken) if own in taken else own
            taken.add(ids[place])
    return tuple(replace(cluster, cluster_id=ids[place]) for place, cluster in enumerate(clusters))


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
    former: defaultdict[str, list[str]] = defaultdict(list)
    for before, members in earlier.members.items():
        for member in members:
            former[member].append(before)
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
