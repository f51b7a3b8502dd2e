"""Rollback, prune, backup and restore: what they keep, and that exports are the same afterwards."""

from __future__ import annotations

import multiprocessing
import os
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from narratives.cli import main
from narratives.model import LabelledText, StoreError
from narratives.store import DecisionLog, Store, maintenance, open_snapshot
from narratives.store.checks import find_damage
from tests.helpers.factory import content
from tests.integration.builds.test_build import rows, run, tables, write

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.helpers.factory", "tests.integration.builds.test_build"])


def make_snapshots(path: Path, number: int) -> tuple[Store, list[str]]:
    """A store with so many snapshots, a day apart, the latest today."""
    store = Store(path)
    ids = [store.write_snapshot(replace(content(), assignments=content().assignments[:kept])) for kept in range(number)]
    for days, snapshot_id in enumerate(reversed(ids)):
        built = (datetime.now(UTC) - timedelta(days=days, minutes=1)).isoformat(timespec="seconds")
        store.put_manifest(replace(store.manifest(snapshot_id), built_at=built))
    return store, ids


def test_after_a_rollback_the_next_build_starts_from_the_earlier_inputs(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.jsonl", rows(0, 5)), write(tmp_path / "b.jsonl", rows(5, 9))
    first = run(tmp_path / "s", one).snapshot
    before = tables(tmp_path / "s")
    second = run(tmp_path / "s", two).snapshot
    assert main(["rollback", "--store", str(tmp_path / "s")]) == 0
    assert Store(tmp_path / "s").current() == first and tables(tmp_path / "s") == before
    assert run(tmp_path / "s").unchanged and find_damage(Store(tmp_path / "s")) == []
    assert run(tmp_path / "s", two).snapshot == second
    with pytest.raises(StoreError, match="none"):
        maintenance.rollback(Store(tmp_path / "s"), maintenance.rollback(Store(tmp_path / "s")).predecessor)


def test_prune_keeps_the_newest_the_current_and_the_pinned(tmp_path: Path) -> None:
    store, ids = make_snapshots(tmp_path, 6)
    maintenance.rollback(store, ids[1])
    shown = maintenance.prune(store, 2, pin=(ids[2],), dry_run=True)
    assert [m.snapshot_id for m in shown] == [ids[0], ids[3]] and len(store.snapshots()) == 6
    maintenance.prune(store, 2)
    assert {m.snapshot_id for m in store.snapshots()} == {ids[1], ids[2], ids[4], ids[5]}
    assert sorted(p.name for p in (tmp_path / "copies" / "snapshots").iterdir()) == sorted(ids[i] for i in (1, 2, 4, 5))
    assert find_damage(store) == []
    with pytest.raises(StoreError, match="snapshot"):
        maintenance.prune(store, 2, pin=("0" * 12,))


def test_snapshots_of_one_second_keep_their_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ids = [store.write_snapshot(replace(content(), assignments=content().assignments[:kept])) for kept in range(6)]
    assert [manifest.snapshot_id for manifest in store.snapshots()] == ids


def test_prune_by_age(tmp_path: Path) -> None:
    store, ids = make_snapshots(tmp_path, 5)
    assert [m.snapshot_id for m in maintenance.prune(store, 1, older_than=2)] == ids[:3]
    assert maintenance.prune(store, 9) == ()


def _hold_open(path: Path, snapshot_id: str, held, release) -> None:
    snapshot = open_snapshot(path, snapshot_id)
    held.set()
    release.wait(60)
    snapshot.close()


def test_prune_leaves_what_another_process_has_open(tmp_path: Path) -> None:
    store, ids = make_snapshots(tmp_path, 3)
    held, release = processes.Event(), processes.Event()
    other = processes.Process(target=_hold_open, args=(tmp_path, ids[0], held, release))
    other.start()
    try:
        assert held.wait(60)
        assert [m.snapshot_id for m in maintenance.prune(store, 1)] == [ids[1]]
    finally:
        release.set()
        other.join()
    assert [m.snapshot_id for m in maintenance.prune(store, 1)] == [ids[0]]


def test_prune_removes_rows_that_no_snapshot_needs(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 5))
    run(tmp_path / "s", source)
    write(tmp_path / "a.jsonl", rows(0, 6))
    run(tmp_path / "s", source)
    folder = tmp_path / "s" / "inputs"
    assert len(list(folder.iterdir())) == 2
    maintenance.prune(Store(tmp_path / "s"), 1)
    assert len(list(folder.iterdir())) == 1 and run(tmp_path / "s", source).unchanged


def test_a_restored_store_gives_the_same_exports_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "a.jsonl", rows(0, 8))
    run(tmp_path / "s", source)
    DecisionLog(tmp_path / "s" / "decisions.sqlite").add(
        [LabelledText(1, "a text", "d", {"bases": "accepted"})], "ann", "test"
    )
    run(tmp_path / "s")
    backup = tmp_path / "backup.zip"
    assert main(["backup", str(backup), "--store", str(tmp_path / "s")]) == 0
    assert main(["restore", str(backup), "--store", str(tmp_path / "new" / "t")]) == 0
    assert "0 damaged" in capsys.readouterr().out
    new = tmp_path / "new" / "t"
    assert tables(new) == tables(tmp_path / "s")
    assert DecisionLog(new / "decisions.sqlite").history() == DecisionLog(tmp_path / "s" / "decisions.sqlite").history()
    assert run(new, source, codebook=tmp_path / "codebook.toml").unchanged
    assert not list(tmp_path.rglob(".tmp-*"))
    assert main(["restore", str(backup), "--store", str(new)]) == 1
    assert "new or empty folder" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "member"])
def test_a_damaged_backup_leaves_nothing(tmp_path: Path, damage: str) -> None:
    make_snapshots(tmp_path / "s", 1)
    backup = tmp_path / "b.zip"
    maintenance.backup(Store(tmp_path / "s"), backup)
    content = bytearray(backup.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "empty":
        content = bytearray()
    backup.write_bytes(content)
    if damage == "member":
        with zipfile.ZipFile(backup, "a") as archive:
            archive.writestr("../climbs", b"x")
    with pytest.raises(StoreError, match="whole backup"):
        maintenance.restore(backup, tmp_path / "t")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip", "s"]


def test_status_shows_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_snapshots(tmp_path, 1)
    os.utime(tmp_path, (time.time(), time.time()))
    assert main(["status", "--store", str(tmp_path)]) == 0
    assert "MB  snapshots" in capsys.readouterr().out


def test_a_backup_holds_what_lies_behind_links(tmp_path: Path) -> None:
    make_snapshots(tmp_path / "s", 2)
    for name in ("snapshots", "copies"):
        (tmp_path / "s" / name).rename(tmp_path / f"other-{name}")
        (tmp_path / "s" / name).symlink_to(tmp_path / f"other-{name}")
    (tmp_path / "s" / "copies" / "loop").symlink_to(tmp_path / "s")
    maintenance.backup(Store(tmp_path / "s"), tmp_path / "b.zip")
    maintenance.restore(tmp_path / "b.zip", tmp_path / "t")
    assert find_damage(Store(tmp_path / "t")) == [] and len(Store(tmp_path / "t").snapshots()) == 2
    assert maintenance.measure_sizes(tmp_path / "s")["snapshots"] > 0


def test_nothing_that_a_person_writes_replaces_a_file_of_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "s"
    make_snapshots(store, 1)
    log = DecisionLog(store / "decisions.sqlite")
    log.add([LabelledText(1, "a text", "d", {"bases": "accepted"})], "ann", "test")
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and path.name != ".lock"}
    for command in (
        ["backup", str(store / "CURRENT")],
        ["backup", str(store / "snapshots" / "b.zip")],
        ["review", "export", str(store / "decisions.sqlite")],
        ["codebook", "export", str(store / "codebook.toml")],
        ["export", "documents", "--out", str(store / "x.csv")],
        ["brief", "--out", str(store / "x.html")],
    ):
        assert main([*command, "--store", str(store)]) != 0
        error = capsys.readouterr().err
        assert "outside the store" in error or "the log itself" in error
    after = {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and path.name != ".lock"}
    assert {path: data for path, data in after.items() if "decisions.sqlite-" not in path.name} == {
        path: data for path, data in before.items() if "decisions.sqlite-" not in path.name
    }
    with pytest.raises(StoreError, match="log itself"):
        DecisionLog(tmp_path / "own.sqlite").export(tmp_path / "own.sqlite")


def test_a_restore_leaves_the_folders_of_others_and_refuses_an_empty_backup(tmp_path: Path) -> None:
    make_snapshots(tmp_path / "s", 1)
    maintenance.backup(Store(tmp_path / "s"), tmp_path / "b.zip")
    (tmp_path / ".tmp-t").mkdir()
    maintenance.restore(tmp_path / "b.zip", tmp_path / "t")
    assert (tmp_path / ".tmp-t").is_dir()
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("backup.json", "[]")
    with pytest.raises(StoreError, match="whole backup"):
        maintenance.restore(tmp_path / "none.zip", tmp_path / "u")


def test_a_store_with_a_question_mark_in_its_path_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="question mark"), Store(tmp_path / "why?").lock():
        pass
    assert not (tmp_path / "why?").exists()
