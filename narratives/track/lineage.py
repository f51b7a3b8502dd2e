"""What became of clusters and codebook narratives since the snapshot before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from narratives.model import Change, Cluster, Codebook, Earlier, Lineage

# From this share of the members on, one cluster is said to come from another, or to have gone into it.
MOST = 0.5
# Clusters with a smaller share of the members are not named.
NAMED_SHARE = 0.1


def lineage(clusters: Sequence[Cluster], codebook: Codebook, earlier: Earlier) -> tuple[Lineage, ...]:
    """Every change between the snapshot before and this one: see `model.Lineage`; none for the first.

    `clusters` have the ids that `keep_ids` gave them. Shares are of paragraphs that both snapshots hold in
    a cluster, except those of `kept`, which are of the members of either.
    """
    if not earlier.snapshot_id:
        return ()
    return (*_of_clusters(clusters, earlier), *_of_codebook(codebook, earlier.codebook))


def _of_clusters(clusters: Sequence[Cluster], earlier: Earlier) -> Iterable[Lineage]:
    known: defaultdict[str, list[str]] = defaultdict(list)
    for before, members in earlier.members.items():
        for member in members:
            known[member].append(before)
    went: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cluster in clusters:
        own = cluster.cluster_id
        came = Counter(before for m in cluster.members for before in known[m] if before[:2] == own[:2])
        for before, n in came.items():
            went[before][own] = n
        if own not in earlier.members:
            related, shares = _largest(came)
            kind: Change = "split" if shares and shares[0] >= MOST else "birth"
            yield Lineage(kind, own, cluster.name, "discovered", related, shares)
            continue
        share = came[own] / len(earlier.members[own].union(cluster.members))
        yield Lineage("kept", own, cluster.name, "discovered", (own,), (round(share, 3),))
        was = earlier.names.get(own, cluster.name)
        if was != cluster.name:
            yield Lineage("rename", own, cluster.name, "discovered", note=was)
        if cluster.is_candidate != (own in earlier.candidates):
            turn: Change = "offered" if cluster.is_candidate else "withdrawn"
            yield Lineage(turn, own, cluster.name, "discovered")
    for gone in sorted(set(earlier.members) - {cluster.cluster_id for cluster in clusters}):
        related, shares = _largest(went[gone])
        end: Change = "merge" if shares and shares[0] >= MOST else "death"
        yield Lineage(end, gone, earlier.names.get(gone, ""), "discovered", related, shares)


def _largest(counts: Counter[str]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The clusters with a tenth or more of the members, largest first, and their shares."""
    total = sum(counts.values())
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(key, round(n / total, 3)) for key, n in order if n / total >= NAMED_SHARE]
    return tuple(key for key, _ in kept), tuple(share for _, share in kept)


def _of_codebook(codebook: Codebook, before: Mapping[str, tuple[str, str]]) -> Iterable[Lineage]:
    heirs: defaultdict[str, list[str]] = defaultdict(list)
    for narrative in codebook.narratives:
        for replaced in narrative.replaces:
            heirs[replaced].append(narrative.id)
    for narrative in codebook.narratives:
        own = narrative.id
        if own not in before:
            from_others = tuple(key for key in narrative.replaces if key in before)
            yield Lineage("added", own, narrative.name, "codebook", from_others)
            continue
        name, digest = before[own]
        if name != narrative.name:
            yield Lineage("rename", own, narrative.name, "codebook", note=name)
        if digest and digest != narrative.digest:
            yield Lineage("changed", own, narrative.name, "codebook")
    now = {narrative.id for narrative in codebook.narratives}
    for gone in sorted(set(before) - now):
        to = tuple(heirs[gone])
        kind: Change = "removed" if not to else "merge" if len(to) == 1 else "split"
        yield Lineage(kind, gone, before[gone][0], "codebook", to)
