"""Snapshots: the same content gives the same id, damage is told in words."""

from __future__ import annotations

import io
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from narratives.model import Assignment, EvidenceQuery, InputRecord, NarrativesError, Slice, SnapshotContent, StoreError
from narratives.store import Store, open_snapshot
from narratives.store.snapshot_reader import DATABASE_FILE
from narratives.store.snapshot_writer import compute_snapshot_id
from tests.helpers.factory import build_store, content, verify_snapshot


def shuffled(given: SnapshotContent, seed: int) -> SnapshotContent:
    """The same content in another order."""
    chance = random.Random(seed)

    def mix(items):
        return chance.sample(list(items), len(items))

    return replace(
        given,
        documents=mix(given.documents),
        rejected=mix(given.rejected),
        copies=dict(mix(list(given.copies.items()))),
        assignments=mix(given.assignments),
        clusters=mix([replace(c, members=tuple(mix(c.members))) for c in given.clusters]),
        events=mix(given.events),
        speakers=mix(given.speakers),
    )


def test_the_same_content_has_the_same_id_in_any_order_and_any_store(tmp_path: Path) -> None:
    ids = {Store(tmp_path / str(n)).write_snapshot(shuffled(content(), n)) for n in range(4)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda c: replace(c, documents=c.documents[1:], assignments=[], copies={}, statements=set(), clusters=[]),
        lambda c: replace(c, assignments=c.assignments[1:]),
        lambda c: replace(c, assignments=[replace(a, score=a.score - 0.001) for a in c.assignments]),
        lambda c: replace(c, narratives=replace(c.narratives, narratives=c.narratives.narratives[::-1])),
        lambda c: replace(c, events=c.events[1:]),
        lambda c: replace(c, notice="a caveat"),
    ],
)
def test_other_content_has_another_id(tmp_path: Path, change) -> None:
    store = Store(tmp_path)
    assert store.write_snapshot(content()) != store.write_snapshot(change(content()))


def test_no_program_takes_an_id_for_a_number(tmp_path: Path) -> None:
    made = [compute_snapshot_id({}, [str(number)]) for number in range(500)]
    assert len(set(made)) == 500
    frame = pd.read_csv(io.StringIO("\n".join(["snapshot", *made])))
    assert frame["snapshot"].tolist() == made
    for each in made:
        assert re.fullmatch("[0-9a-f]{12}", each)
        with pytest.raises(ValueError):
            float(each)


def test_noise_below_the_third_decimal_of_a_score_changes_nothing(tmp_path: Path) -> None:
    noisy = replace(content(), assignments=[replace(a, score=a.score + 3e-7) for a in content().assignments])
    assert Store(tmp_path / "a").write_snapshot(content()) == Store(tmp_path / "b").write_snapshot(noisy)


def test_writing_again_keeps_the_file_and_renews_the_manifest(tmp_path: Path) -> None:
    store = build_store(tmp_path)
    [first] = store.snapshots()
    database = store.snapshot_path(first.snapshot_id) / DATABASE_FILE
    before = database.stat().st_mtime_ns
    record = InputRecord(Path("/in/a.txt"), "in/a.txt", "ab" * 32, {"text": "body"}, {"date": "2016"})
    assert store.write_snapshot(replace(content(), inputs=(record,), fingerprint="new")) == first.snapshot_id
    assert database.stat().st_mtime_ns == before
    [renewed] = store.snapshots()
    assert (renewed.inputs, renewed.fingerprint) == ((record,), "new")
    assert renewed.checksums == first.checksums


def test_a_damaged_snapshot_is_replaced_by_the_next_build_of_it(tmp_path: Path) -> None:
    store = build_store(tmp_path)
    current = store.current()
    database = store.snapshot_path(current) / DATABASE_FILE
    flipped = bytearray(database.read_bytes())
    flipped[-100] ^= 255
    database.write_bytes(flipped)
    assert "sha256" in verify_snapshot(tmp_path, current)[0]
    assert store.write_snapshot(content()) == current
    assert verify_snapshot(tmp_path, current) == []


def test_an_empty_content_makes_a_snapshot_that_answers(tmp_path: Path) -> None:
    nothing = replace(
        content(), documents=[], rejected=[], copies={}, statements=set(), assignments=[], clusters=[], events=[]
    )
    Store(tmp_path).write_snapshot(nothing)
    snapshot = open_snapshot(tmp_path)
    assert snapshot.totals(Slice()).statements == 0
    assert snapshot.prevalence(Slice()).empty
    assert snapshot.options().speakers == []


# --- content that contradicts itself --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: replace(c, documents=[*c.documents, c.documents[0]]), "every document id once"),
        (lambda c: replace(c, assignments=[Assignment("nowhere", "wwii_memory", 1.0)]), "unknown: nowhere"),
        (lambda c: replace(c, assignments=[Assignment("d001-002", "no_such", 1.0)]), "unknown: no_such"),
        (lambda c: replace(c, assignments=[*c.assignments, c.assignments[0]]), "one assignment per paragraph"),
        (lambda c: replace(c, copies={"d001-002": "lost"}), "unknown: lost"),
        (lambda c: replace(c, documents=[replace(c.documents[0], date="10/11/2016")]), "10/11/2016"),
    ],
)
def test_contradictions_are_refused_and_nothing_is_written(tmp_path: Path, change, message: str) -> None:
    given = change(content())
    if "10/11" in message:
        given = replace(given, assignments=[], copies={}, statements=set(), clusters=[])
    with pytest.raises(StoreError, match=message):
        Store(tmp_path).write_snapshot(given)
    assert Store(tmp_path).current() is None


# --- missing and damaged ---------------------------------------------------------------------------------
def test_a_store_that_holds_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.current() is None and store.snapshots() == [] and store.variant("tiny") is None
    assert not (tmp_path / "none").exists()
    with pytest.raises(StoreError, match="Run `build`"):
        open_snapshot(tmp_path / "none")


@pytest.mark.parametrize("text", ["", "../../etc", "zzzzzzzzzzzz\n", "\x00" * 12])
def test_a_damaged_pointer(tmp_path: Path, text: str) -> None:
    store = build_store(tmp_path)
    (tmp_path / "CURRENT").write_text(text)
    with pytest.raises(StoreError, match="CURRENT"):
        store.current()
    with pytest.raises(StoreError, match="CURRENT"):
        open_snapshot(tmp_path)


@pytest.mark.parametrize("name", ["0123456789ab", "../snapshots", "", ".."])
def test_a_snapshot_that_is_not_there(tmp_path: Path, name: str) -> None:
    store = build_store(tmp_path)
    with pytest.raises(StoreError, match=str(store.current())):
        store.manifest(name)
    assert verify_snapshot(tmp_path, name)


def _cut(folder: Path) -> None:
    with (folder / DATABASE_FILE).open("r+b") as file:
        file.truncate(5000)


def _garble(folder: Path) -> None:
    size = (folder / DATABASE_FILE).stat().st_size
    (folder / DATABASE_FILE).write_bytes(b"x" * size)


def _other_version(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    with_other = (folder / DATABASE_FILE).read_bytes()
    assert manifest["snapshot_id"].encode() in with_other
    (folder / DATABASE_FILE).write_bytes(with_other.replace(manifest["snapshot_id"].encode(), b"0123456789ab"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / DATABASE_FILE).unlink(),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{}"),
        lambda folder: (folder / "manifest.json").write_text("[1]"),
        lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe"),
        _cut,
        _garble,
        _other_version,
    ],
)
def test_a_damaged_snapshot_says_what_is_wrong(tmp_path: Path, damage) -> None:
    store = build_store(tmp_path)
    damage(store.snapshot_path(store.current()))
    with pytest.raises(StoreError, match=r"[Bb]uild"):
        open_snapshot(tmp_path)
    assert verify_snapshot(tmp_path, store.current())


def test_errors_are_of_the_family(tmp_path: Path) -> None:
    with pytest.raises(NarrativesError) as caught:
        open_snapshot(tmp_path)
    assert caught.value.expected and caught.value.got and caught.value.hint


def test_damage_inside_a_file_of_the_right_size_is_told_in_words(tmp_path: Path) -> None:
    store = build_store(tmp_path / "s")
    file = store.snapshot_path(store.current() or "") / DATABASE_FILE
    whole = file.read_bytes()
    told = 0
    # Blocks that hold rows are few in so small a file: only those are damaged, each in its beginning.
    used = [at for at in range(1 << 14, len(whole), 1 << 12) if any(whole[at : at + 64])]
    assert used
    for start in used:
        file.write_bytes(whole[:start] + b"\xff" * 64 + whole[start + 64 :])
        try:
            snapshot = open_snapshot(tmp_path / "s")
            snapshot.prevalence(Slice())
            snapshot.paragraphs(EvidenceQuery())
            snapshot.close()
        except StoreError as error:
            told += "run `build`" in str(error)
    assert told
