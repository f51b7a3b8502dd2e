"""Several processes at one store: builds exclude each other, readers go on, and a kill costs nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from narratives.model import QualityMetrics, Slice, StoreBusyError
from narratives.store import DecisionLog, Snapshot, Store, open_snapshot
from narratives.store.snapshot_reader import DATABASE_FILE
from tests.conftest import ROOT
from tests.helpers.factory import build_store, content, verify_snapshot

# Children of the fork server start in milliseconds, and without any thread of this process.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.helpers.factory"])


def _hold(path: Path, held, release) -> None:
    with Store(path).lock():
        held.set()
        release.wait(120)


def test_a_second_build_is_told_that_one_is_running(tmp_path: Path) -> None:
    held, release = processes.Event(), processes.Event()
    other = processes.Process(target=_hold, args=(tmp_path, held, release))
    other.start()
    try:
        assert held.wait(120)
        with pytest.raises(StoreBusyError, match="another build is running"):
            build_store(tmp_path)
    finally:
        release.set()
        other.join()
    assert build_store(tmp_path).current()


def test_the_lock_can_be_nested_and_sweeps_leftovers_once(tmp_path: Path) -> None:
    leftover = tmp_path / "snapshots" / ".tmp-left"
    leftover.mkdir(parents=True)
    (leftover / DATABASE_FILE).write_text("half a file")
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / ".tmp-1-aa").write_text("half")
    store = Store(tmp_path)
    with store.lock(), store.lock():
        assert not leftover.exists()
    assert list((tmp_path / "inputs").iterdir()) == []


def test_an_open_snapshot_outlives_the_swap(tmp_path: Path) -> None:
    store = build_store(tmp_path)
    old, old_id = open_snapshot(tmp_path), store.current()
    new_id = store.write_snapshot(replace(content(), assignments=[]))
    assert store.current() == new_id != old_id
    assert old.totals(Slice()).assigned == 7
    assert open_snapshot(tmp_path).totals(Slice()).assigned == 0
    assert open_snapshot(tmp_path, old_id).totals(Slice()).assigned == 7
    assert {m.snapshot_id for m in store.snapshots()} == {old_id, new_id}


def _read_all_the_while(path: Path, started, stop, answers) -> None:
    seen: dict[int, int] = {}
    snapshot: Snapshot | None = None
    opened = None
    while not stop.is_set() or not seen:
        current = Store(path).current()
        if current != opened or snapshot is None:
            snapshot, opened = open_snapshot(path, current), current
        assigned = snapshot.totals(Slice()).assigned
        seen[assigned] = seen.get(assigned, 0) + 1
        started.set()
    answers.put(seen)


def test_two_processes_read_while_snapshots_are_written(tmp_path: Path) -> None:
    store = build_store(tmp_path)
    stop, answers = processes.Event(), processes.Queue()
    started = [processes.Event(), processes.Event()]
    readers = [processes.Process(target=_read_all_the_while, args=(tmp_path, each, stop, answers)) for each in started]
    for reader in readers:
        reader.start()
    assert all(each.wait(60) for each in started)
    for kept in range(len(content().assignments)):
        store.write_snapshot(replace(content(), assignments=content().assignments[:kept]))
    stop.set()
    found = [answers.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
        assert reader.exitcode == 0
    assert all(set(seen) <= set(range(8)) for seen in found)


# --- killed -------------------------------------------------------------------------------------------------
PERFECT = (QualityMetrics("", 3, *[1.0] * 12),)


def _build_and_die(path: Path, at: int, count) -> None:
    """Write a second snapshot, and die without a word at the at-th time that something reaches the disk."""
    real = os.fsync

    def fsync(handle: int) -> None:
        count.value += 1
        if count.value == at:
            os.kill(os.getpid(), signal.SIGKILL)
        real(handle)

    os.fsync = fsync
    Store(path).write_snapshot(replace(content(), assignments=[]))


def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    at, finished = 0, False
    while not finished:
        at += 1
        path = tmp_path / str(at)
        old = build_store(path).current()
        Store(path).put_quality(old, PERFECT, "by hand")
        count = processes.Value("i", 0)
        victim = processes.Process(target=_build_and_die, args=(path, at, count))
        victim.start()
        victim.join()
        finished = victim.exitcode == 0
        assert finished or victim.exitcode == -signal.SIGKILL
        store = Store(path)
        assert verify_snapshot(path, old) == []
        assert store.quality(store.current()) == PERFECT
        assert open_snapshot(path).totals(Slice()).assigned == (7 if store.current() == old else 0)
        new = store.write_snapshot(replace(content(), assignments=[]))
        assert store.current() == new and verify_snapshot(path, new) == [] and store.quality(new) == PERFECT
        assert sorted(p.name for p in (path / "snapshots").iterdir()) == sorted([old, new])
        assert not list(path.glob(".tmp*"))
    assert at > 5


def test_several_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "decisions.sqlite")
    code = (
        "import sys; from pathlib import Path; from narratives.model import LabelledText;"
        "from narratives.store import DecisionLog\n"
        "log = DecisionLog(Path(sys.argv[1]))\n"
        "for i in range(20):\n"
        "    row = LabelledText(i, f'text {sys.argv[2]} {i}', 'd', {'bases': 'accepted'})\n"
        "    log.add([row], sys.argv[2], '')\n"
        "    assert log.current()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(log.path), str(number)], cwd=ROOT) for number in range(4)
    ]
    assert [process.wait(timeout=120) for process in running] == [0] * 4
    assert len(log.history()) == len(log.current()) == 80
