"""A full disk and missing permissions: one clear error, nothing half-written stays, and the next build goes on."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import resource
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from narratives import embed
from narratives.cli import main
from narratives.model import DiskError
from narratives.model.errors import EXIT_DISK
from narratives.store import Store, open_snapshot
from tests.helpers.factory import build_store, content
from tests.helpers.fakes import FakeEncoder, use_encoder
from tests.integration.builds.test_build import rows, small_codebook, tables, write

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.helpers.factory", "tests.integration.builds.test_build"])


def _build_with_limit(arguments: list[str], limit: int, answer) -> None:
    """Run a command that can write no file beyond `limit` bytes, as on a disk that is full after them."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    embed.load_encoder = lambda *_, **__: FakeEncoder()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as messages:
        status = main(arguments)
    answer.send((status, messages.getvalue()))


def run_with_limit(arguments: list[str], limit: int) -> tuple[int, str]:
    here, there = processes.Pipe()
    child = processes.Process(target=_build_with_limit, args=(arguments, limit, there))
    child.start()
    answer = here.recv() if here.poll(200) else (None, "no answer")
    child.join()
    return answer


@pytest.mark.parametrize("limit", [0, 2_000, 300_000])
def test_a_full_disk_ends_a_build_with_one_error_and_the_next_build_continues(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_encoder(monkeypatch, FakeEncoder())
    arguments = ["build", write(tmp_path / "a.jsonl", rows(0, 12)), "--progress", "none"]
    arguments += ["--store", str(tmp_path / "s"), "--codebook", str(small_codebook(tmp_path))]
    status, messages = run_with_limit(arguments, limit)
    assert status == EXIT_DISK, messages
    *warnings, error = messages.splitlines()
    assert error.startswith("narratives: ") and "space" in error, messages
    assert all("cannot be kept" in line for line in warnings), messages  # a cache that the build can do without
    left = [path for path in (tmp_path / "s").rglob("*") if ".tmp-" in path.name]
    assert left == [], "what is half written is removed at once"
    assert main(arguments) == 0
    whole = [*arguments[:4], *("--store", str(tmp_path / "other"), *arguments[6:])]
    assert main(whole) == 0
    assert tables(tmp_path / "s") == tables(tmp_path / "other")


def test_an_error_at_any_step_of_writing_leaves_the_snapshot_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, at, finished = os.fsync, 0, False
    other, before = replace(content(), assignments=[]), build_store(tmp_path / "before")
    while not finished:
        at += 1
        number = errno.ENOSPC if at % 2 else errno.EACCES
        store = Store(tmp_path / str(at))
        shutil.copytree(before.path, store.path)
        old, steps = store.current(), 0

        def fail(handle: int, at: int = at, number: int = number) -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                raise OSError(number, os.strerror(number))
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            try:
                store.write_snapshot(other)
                finished = steps < at
            except DiskError as error:
                assert error.hint and ("space" in str(error)) == (number == errno.ENOSPC)
        assert not list(store.path.rglob(".tmp-*")), at
        assert finished or store.current() == old or open_snapshot(store.path).meta().snapshot_id != old
        new = store.write_snapshot(other)
        assert store.current() == new and store.check(new)
    assert at > 10


def test_a_folder_that_may_not_be_written_to_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = build_store(tmp_path)

    def refuse(self: Path, *_: object, **__: object) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(DiskError, match=r"Permission denied.*permission"):
            store.load_inputs()
        assert main(["check", "--repair", "--store", str(tmp_path), "--progress", "none"]) == EXIT_DISK
    assert not (tmp_path / "damaged").exists()
