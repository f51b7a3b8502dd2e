"""Limits for the queries of one connection: memory, threads, time, and queries at the same time.

A build or an export may use the whole machine. Pages serve many people at once, with links that anybody can write,
so their queries have limits. Reaching a limit is reported as such, never as damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

import duckdb

from narratives.model import ResourceError, ServerBusyError

MB = 1024**2
# A container may have less memory than its machine: control groups version 2, then version 1.
_GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_SMALL_MACHINE = 4096 * MB  # used if the system does not report its memory
_NARROWER = (
    "Nothing is damaged. Narrow the filters (a shorter period, fewer speakers or narratives, a shorter search), "
    "or try again later."
)


class Turns:
    """A limit on the number of queries at the same time; others wait for at most `patience` seconds."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._free = BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and hold it. Raises ServerBusyError if none is free in time."""
        if not self._free.acquire(timeout=self._patience):
            expected, got = (
                f"a turn within {self._patience:g} seconds",
                "a server that is busy with other users' queries",
            )
            raise ServerBusyError(expected, got, "Nothing is damaged. Wait a moment, then try again.")
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, threads and seconds for the queries of one connection; 0 means DuckDB's default.

    By default DuckDB uses four fifths of the memory, all processors and any time. Connections that share
    `turns` wait for each other.
    """

    memory: int = 0
    threads: int = 0
    seconds: float = 0.0
    turns: Turns | None = None

    def take_turn(self) -> AbstractContextManager[None]:
        """Return a turn to hold during one query. Entering it raises ServerBusyError if none is free in time."""
        return self.turns.take() if self.turns else nullcontext()

    def to_settings(self) -> dict[str, str]:
        """Return the limits as DuckDB settings."""
        settings = {
            "memory_limit": f"{self.memory}B" if self.memory else "",
            "threads": f"{self.threads or ''}",
            "max_execution_time": f"{self.seconds * 1000:.0f}" if self.seconds else "",
        }
        return {name: value for name, value in settings.items() if value}

    def explain(self, error: Exception) -> ResourceError | None:
        """Return the error to raise if `error` means that a limit was reached, None otherwise."""
        if isinstance(error, duckdb.InterruptException):
            expected = f"an answer within {self.seconds:g} seconds" if self.seconds else "a query that completes"
            return ResourceError(expected, "a query that was stopped before it completed", _NARROWER)
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
            most = f"at most {self.memory // MB:,} MB of" if self.memory else "no more than this machine's"
            return ResourceError(f"a query that uses {most} memory", "one that needs more and was stopped", _NARROWER)
        return None


ALONE = Limits()  # for builds, exports and other programs of a single user


@cache
def get_page_limits() -> Limits:
    """Return the limits of the pages' queries; all connections of a process share their turns.

    Each snapshot that a dashboard keeps open may use an eighth of the memory.
    """
    memory = min(max(get_machine_memory() // 8, 256 * MB), 2048 * MB)
    return Limits(memory, min(os.cpu_count() or 1, 4), 20.0, Turns(4, 30.0))


@cache
def get_download_limits() -> Limits:
    """Return the limits of a download, which may contain the whole snapshot: one at a time."""
    return Limits(get_machine_memory() // 2, min(os.cpu_count() or 1, 4), 600.0, Turns(1, 60.0))


def get_machine_memory() -> int:
    """Return the bytes of memory for this process: the machine's, or its container's if that has less."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return _SMALL_MACHINE
    for path in _GROUPS:
        try:
            limit = int(path.read_text())
        except (OSError, ValueError):
            continue  # no such group, or the word "max"
        memory = min(memory, limit)
    return memory
