"""The ids of clusters, and how a cluster keeps its id from build to build."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from narratives.model import Cluster

SAME = 0.3
# How ids begin: a claim that may be offered as a narrative, and a cluster of one topic.
CLAIM, TOPIC = "c-", "t-"


def new_id(text: str, taken: Collection[str], prefix: str = TOPIC) -> str:
    """The prefix and 8 hex digits from a text (a claim; a topic's central member), none of those `taken`."""
    attempt = 0
    while True:
        salt = f"\0{attempt}" if attempt else ""
        found = prefix + hashlib.sha256((text + salt).encode("utf-8", "surrogatepass")).hexdigest()[:8]
        if found not in taken:
            return found
        attempt += 1


def keep_ids(clusters: Sequence[Cluster], previous: Mapping[str, str]) -> tuple[Cluster, ...]:
    """Give clusters the ids they had: `previous` maps a paragraph_id to its cluster_id in the last snapshot.

    A cluster is the same as an earlier one if their members' Jaccard index is at least 0.3. The most alike
    pair is matched first (equal ones in the order of ids), and each id is given once. A cluster without a
    match never takes an id that `previous` used. Order and all other fields stay.
    """
    sizes = Counter(previous.values())
    pairs = []
    for place, cluster in enumerate(clusters):
        shared = Counter(previous[member] for member in cluster.members if member in previous)
        for earlier, common in shared.items():
            likeness = common / (len(cluster.members) + sizes[earlier] - common)
            if likeness >= SAME:
                pairs.append((-likeness, earlier, cluster.cluster_id, place))
    ids: dict[int, str] = {}
    for _, earlier, _, place in sorted(pairs):
        if place not in ids and earlier not in ids.values():
            ids[place] = earlier
    taken = {*sizes, *ids.values()}
    for place, cluster in enumerate(clusters):
        if place not in ids:
            own = cluster.cluster_id
            ids[place] = new_id(own, taken) if own in taken else own
            taken.add(ids[place])
    return tuple(replace(cluster, cluster_id=ids[place]) for place, cluster in enumerate(clusters))
