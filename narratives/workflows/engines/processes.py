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
from multiprocessing import get_context, parent_process
from types import ModuleType
from typing import Any

import pyarrow as pa

from narratives import __version__

log = logging.getLogger(__name__)

WAITING_TABLES = 2  # for each process, besides the one that it works on


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_processes(
    worker: type, arguments: Sequence[Any], tables: Iterable[pa.Table], cores: int
) -> Iterator[pa.Table]:
    """Yield what the objects of `worker` turn the tables into, in the order of the tables.

    Every process makes one object from the arguments and keeps it. Tables are taken as they are needed. If a process
    dies, what it and the others had not finished is left out, with a warning. An error of the worker is raised here.
    """
    # A process that is forked would inherit locks of threads, such as those of DuckDB and PyArrow.
    pool = ProcessPoolExecutor(cores, get_context("spawn"), _start_worker, (worker, (__version__, *arguments)))
    waiting: deque[Future[pa.Table]] = deque()
    try:
        for table in tables:
            with _without_main():  # the first table starts the processes
                waiting.append(pool.submit(_run_worker, table))
            if len(waiting) > cores * (1 + WAITING_TABLES):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        log.warning("A process that parses documents died, so the build goes on without more of them.")
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _without_main() -> Iterator[None]:
    """Let new processes import nothing of the program that is running.

    They need nothing of it, and a script without `if __name__ == "__main__":` would run once more in each of them.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


_workers: list[Any] = []  # in a process of the pool: its worker


def _start_worker(worker: type, arguments: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes, and the build ends the others
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
