"""Lineage: every change between two snapshots has its entry, and says where the members went."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from narratives.discover import trace_lineage
from narratives.model import Cluster, Codebook, LineageEvent, Narrative, PreviousSnapshot
from narratives.store import Store, open_snapshot
from tests.helpers import factory


def a_cluster(cluster_id: str, members: str, name: str = "n", offered: bool = True) -> Cluster:
    return Cluster(cluster_id, name, (), tuple(members), tuple(members[:1]), "", "", 0.0, offered, False)


def before(**clusters: str) -> PreviousSnapshot:
    named = {f"c-{key}": members for key, members in clusters.items()}
    return PreviousSnapshot(
        snapshot_id="0" * 12,
        members={key: frozenset(members) for key, members in named.items()},
        names=dict.fromkeys(named, "n"),
        candidates=frozenset(named),
    )


NO_CODEBOOK = Codebook((), "")


def kinds(found: tuple[LineageEvent, ...]) -> dict[tuple[str, str], LineageEvent]:
    return {(entry.kind, entry.subject): entry for entry in found}


def test_the_first_snapshot_has_no_lineage() -> None:
    assert trace_lineage([a_cluster("c-1", "abc")], NO_CODEBOOK, PreviousSnapshot()) == ()


def test_kept_clusters_tell_their_overlap_new_names_and_whether_they_are_offered() -> None:
    now = [a_cluster("c-1", "abcx"), a_cluster("c-2", "de", "other"), a_cluster("c-3", "fg", offered=False)]
    found = kinds(trace_lineage(now, NO_CODEBOOK, before(**{"1": "abc", "2": "de", "3": "fg"})))
    assert found["kept", "c-1"].shares == (0.75,)
    assert found["rename", "c-2"].note == "n" and found["rename", "c-2"].name == "other"
    assert set(found) == {
        ("kept", "c-1"), ("kept", "c-2"), ("kept", "c-3"), ("rename", "c-2"), ("withdrawn", "c-3"),
    }  # fmt: skip
    again = PreviousSnapshot("0" * 12, {"c-3": frozenset("fg")}, {"c-3": "n"})
    assert ("offered", "c-3") in kinds(trace_lineage([a_cluster("c-3", "fg")], NO_CODEBOOK, again))


def test_births_splits_merges_and_deaths_name_what_they_came_from_and_went_to() -> None:
    now = [
        a_cluster("c-big", "abcdefgh"), a_cluster("c-part", "mnx"), a_cluster("c-old", "ijkl"),
        a_cluster("c-new", "xyz"),
    ]  # fmt: skip
    found = kinds(trace_lineage(now, NO_CODEBOOK, before(big="abcd", gone="efgh", old="ijklmn", lost="qrst")))
    assert found["merge", "c-gone"].related == ("c-big",) and found["merge", "c-gone"].shares == (1.0,)
    assert found["split", "c-part"].related == ("c-old",)
    assert found["birth", "c-new"].related == ()
    assert found["death", "c-lost"].related == ()
    assert {subject for kind, subject in found if kind == "kept"} == {"c-big", "c-old"}


def test_every_cluster_before_and_after_has_exactly_one_fate() -> None:
    earlier = before(a="abcd", b="efgh", c="ijkl")
    now = [a_cluster("c-a", "abef"), a_cluster("c-d", "ghij"), a_cluster("c-e", "xyz")]
    found = trace_lineage(now, NO_CODEBOOK, earlier)
    fates = [e.subject for e in found if e.kind in ("kept", "birth", "split", "death", "merge")]
    assert sorted(fates) == ["c-a", "c-b", "c-c", "c-d", "c-e"]


def test_codebook_changes_are_told() -> None:
    def narrative(key: str, *exemplars: str, replaces: tuple[str, ...] = ()) -> Narrative:
        return Narrative(key, key.title(), "d", exemplars=exemplars, replaces=replaces)

    old = [narrative(key, "e") for key in ("same", "named", "taught", "gone", "one", "two", "parted")]
    earlier = PreviousSnapshot("0" * 12, codebook={n.id: (n.name, n.digest) for n in old})
    earlier = PreviousSnapshot("0" * 12, codebook={**earlier.codebook, "named": ("Before", old[1].digest)})
    now = Codebook(
        (
            narrative("same", "e"),
            narrative("named", "e"),
            narrative("taught", "e", "f"),
            narrative("both", "e", replaces=("one", "two")),
            narrative("left", "e", replaces=("parted",)),
            narrative("right", "e", replaces=("parted",)),
            narrative("fresh", "e"),
        ),
        "",
    )
    found = kinds(trace_lineage([], now, earlier))
    assert found["rename", "named"].note == "Before"
    assert found["merge", "one"].related == found["merge", "two"].related == ("both",)
    assert found["added", "both"].related == ("one", "two")
    assert found["split", "parted"].related == ("left", "right")
    assert {("changed", "taught"), ("removed", "gone"), ("added", "fresh")} <= set(found)
    assert not [key for key in found if key[1] == "same"]


def test_a_snapshot_keeps_its_lineage_and_its_predecessor(tmp_path: Path) -> None:
    content = factory.content()
    content = replace(content, clusters=content.clusters[:2])
    store = Store(tmp_path)
    store.write_snapshot(content)
    first = store.current()
    assert first is not None and open_snapshot(tmp_path).lineage().empty
    earlier = open_snapshot(tmp_path).make_previous()
    assert earlier.snapshot_id == first and earlier.candidates == {"c-0000beef"}
    assert earlier.names["c-0000cafe"] == "Elections" and "d002-001" in earlier.members["c-0000cafe"]
    changes = trace_lineage(content.clusters[:1], content.narratives, earlier)
    store.write_snapshot(replace(content, clusters=content.clusters[:1], predecessor=first, lineage=changes))
    after = open_snapshot(tmp_path)
    assert after.meta().predecessor == first
    rows = after.lineage()
    assert list(zip(rows["kind"], rows["subject"], strict=True)) == [("death", "c-0000cafe"), ("kept", "c-0000beef")]
    assert open_snapshot(tmp_path, first).lineage().empty
