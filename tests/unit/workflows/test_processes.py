"""Work in processes of this machine: its order, its errors, and processes that die."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from narratives import __version__, parse, read
from narratives.model import InputFile, RawDocument
from narratives.model.documents import Document
from narratives.resources import SAMPLE_FOLDER
from narratives.store import ParsedDocuments
from narratives.workflows.engines import engine, processes
from narratives.workflows.engines.engine import LocalEngine
from narratives.workflows.engines.parser import CachedParser
from narratives.workflows.engines.processes import run_in_processes
from tests.conftest import ROOT


class Squares:
    """Turns numbers into their squares, and knows what to do with two of them."""

    def __init__(self, version: str, fatal: int = -1, wrong: int = -1) -> None:
        self._fatal, self._wrong = fatal, wrong

    def __call__(self, table: pa.Table) -> pa.Table:
        [number] = table["number"].to_pylist()
        if number == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == self._wrong:
            raise ValueError("a wrong number")
        return pa.table({"square": [number * number]})


def list_tables(count: int) -> list[pa.Table]:
    return [pa.table({"number": [number]}) for number in range(count)]


def read_squares(tables: list[pa.Table]) -> list[int]:
    return [square for table in tables for square in table["square"].to_pylist()]


def test_results_come_in_the_order_of_the_tables():
    tables = list(run_in_processes(Squares, (), list_tables(20), 2))
    assert read_squares(tables) == [number * number for number in range(20)]


def test_an_error_of_the_worker_is_raised_here():
    with pytest.raises(ValueError, match="a wrong number"):
        list(run_in_processes(Squares, (-1, 3), list_tables(20), 2))


def test_what_a_dead_process_leaves_is_missing_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        squares = read_squares(list(run_in_processes(Squares, (10,), list_tables(20), 2)))
    assert squares == [number * number for number in range(len(squares))] and 3 <= len(squares) < 20
    assert "died" in caplog.text


def test_processes_that_cannot_be_started_leave_all_to_the_build(monkeypatch, caplog):
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(processes.ProcessPoolExecutor, "submit", refuse)
    assert list(run_in_processes(Squares, (), list_tables(3), 2)) == [] and "cannot be started" in caplog.text


def test_a_process_of_a_daemonic_pool_starts_no_others(monkeypatch):
    monkeypatch.setattr(processes, "current_process", lambda: SimpleNamespace(daemon=True))
    assert list(run_in_processes(Squares, (), list_tables(3), 2)) == []


@pytest.mark.parametrize(("limit", "cores"), [("max 100000", 8), ("250000 100000", 2), ("50000 100000", 1), ("", 8)])
def test_the_cores_are_those_that_a_container_may_use(tmp_path, monkeypatch, limit: str, cores: int):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(processes, "CPU_QUOTA", tmp_path / "cpu.max")
    if limit:
        (tmp_path / "cpu.max").write_text(f"{limit}\n", "ascii")
    assert processes.count_cores() == cores


def parse_sample(path: Path, monkeypatch: pytest.MonkeyPatch, cores: int) -> dict[str, Document]:
    """What the local engine has parsed ahead with this number of cores, by key."""
    monkeypatch.setattr(engine, "count_cores", lambda: cores)
    files = [InputFile(file, file.name) for file in sorted(SAMPLE_FOLDER.glob("2*.jsonl"))]
    rows = [row for file in files for row in read.read_file(file, {}) if isinstance(row, RawDocument)]
    with ParsedDocuments(path) as kept:
        jobs = list(CachedParser(kept, ()).list_missing((row, parse.DateOrder()) for row in rows))
        LocalEngine().parse(iter(jobs), kept, (), lambda *_: None)
        found = {job.key: kept.get(job.key) for job in jobs}
    return {key: one.document for key, one in found.items() if one}


def test_much_is_parsed_with_all_cores_and_little_is_left_to_the_build(tmp_path, monkeypatch):
    assert parse_sample(tmp_path / "little.sqlite", monkeypatch, 2) == {}
    monkeypatch.setattr(engine, "PROCESSES_BYTES", 1)
    assert parse_sample(tmp_path / "one.sqlite", monkeypatch, 1) == {}
    with_two = parse_sample(tmp_path / "two.sqlite", monkeypatch, 2)
    monkeypatch.setattr(
        engine, "run_in_processes", lambda worker, given, tables, _: map(worker(__version__, *given), tables)
    )
    assert with_two == parse_sample(tmp_path / "here.sqlite", monkeypatch, 2) and with_two


SCRIPT = """
import time
from narratives.workflows.engines.processes import run_in_processes
from tests.unit.workflows.test_processes import Squares, list_tables
print("a script without a guard", flush=True)
results = run_in_processes(Squares, (), list_tables(20), 2)
next(results)
print("working", flush=True)
{then}
"""


def start_script(path: Path, then: str) -> subprocess.Popen[str]:
    path.write_text(SCRIPT.format(then=then), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True, env=environment)


def test_a_script_is_not_run_again_by_its_processes(tmp_path):
    with start_script(tmp_path / "script.py", "list(results)") as script:
        assert script.communicate()[0].splitlines() == ["a script without a guard", "working"]


def test_processes_end_with_a_program_that_was_killed(tmp_path):
    with start_script(tmp_path / "script.py", "time.sleep(60)") as script:
        assert script.stdout is not None
        assert [script.stdout.readline().strip() for _ in range(2)] == ["a script without a guard", "working"]
        workers = [pid for pid in list_pids() if read_parent(pid) == script.pid]
        assert len(workers) >= 2
        script.kill()
    end = time.monotonic() + 20
    while set(workers) & set(list_pids()) and time.monotonic() < end:
        time.sleep(0.05)
    assert not set(workers) & set(list_pids())


def list_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if read_state(int(path.name)) not in ("", "Z")]


def read_state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def read_parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return 0
