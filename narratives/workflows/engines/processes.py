"""Processes of this machine that do the work of a stage, one for each core that this process may use."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import current_process, get_context, parent_process
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from narratives import __version__

log = logging.getLogger(__name__)

WAITING_TABLES = 2  # for each process, besides the one that it works on
MAX_PROCESSES = 16  # each takes 150 MB or more
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of processor time, and the period


def count_cores() -> int:
    """Count the cores that this process may use, also in a container with a limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = map(int, CPU_QUOTA.read_text("ascii").split())
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return cores
    return max(1, min(cores, quota // max(1, period)))


def run_in_processes(
    worker: type, arguments: Sequence[Any], tables: Iterable[pa.Table], cores: int
) -> Iterator[pa.Table]:
    """Yield what the objects of `worker` turn the tables into, in the order of the tables.

    Every process makes one object from the arguments and keeps it. Tables are taken as they are needed. If a process
    dies or cannot be started, what they had not finished is left out, with a warning. An error of the worker is raised
    here. A process that may have no children, such as one of a daemonic pool, starts none.
    """
    if current_process().daemon:
        return
    cores = min(cores, MAX_PROCESSES)
    # A process that is forked would inherit locks of threads, such as those of DuckDB and PyArrow.
    pool = ProcessPoolExecutor(cores, get_context("spawn"), _start_worker, (worker, (__version__, *arguments)))
    waiting: deque[Future[pa.Table]] = deque()
    try:
        for table in tables:
            with _isolated():  # the first table starts the processes
                try:
                    waiting.append(pool.submit(_run_worker, table))
                except OSError as error:
                    log.warning("Processes to parse documents cannot be started (%s), so the build does it.", error)
                    return
            if len(waiting) > cores * (1 + WAITING_TABLES):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        log.warning("A process that parses documents died, so the build goes on without more of them.")
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _isolated() -> Iterator[None]:
    """Let new processes import nothing of the program that is running, and not hear Ctrl-C, which goes to all of them.

    They need nothing of it, and a script without `if __name__ == "__main__":` would run once more in each of them. The
    build ends them.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if heard is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, heard)


_workers: list[Any] = []  # in a process of the pool: its worker


def _start_worker(worker: type, arguments: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _workers.append(worker(*arguments))


def _end_with_parent() -> None:
    """End this process when the build was killed: the pool would wait for its next table forever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_worker(table: pa.Table) -> pa.Table:
    return _workers[0](table)
