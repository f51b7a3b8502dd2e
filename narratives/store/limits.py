"""What the queries of one connection may take: memory, processors, time, and a turn among others.

A build or an export has the machine to itself. Pages are asked by many people at once, by links that anybody
can write, so what they ask is bounded; a limit that is reached is told as one, never as damage.
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
# A container may have less than its machine; version 2 of the groups, then version 1.
_GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_SMALL_MACHINE = 4096 * MB  # taken where the system does not tell
_NARROWER = (
    "Nothing is damaged. Ask for less (a shorter period, fewer speakers or narratives, a shorter search), "
    "or try again later."
)


class Turns:
    """So many at once, and a queue before them in which nobody waits longer than `patience` seconds."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._free = BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and hold it. Raises ServerBusyError where none came in time."""
        if not self._free.acquire(timeout=self._patience):
            raise ServerBusyError(
                f"a turn within {self._patience:g} seconds",
                "a server that is busy with the questions of others",
                "Nothing is damaged. Wait a little, then try again.",
            )
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, threads and seconds for the queries of one connection; 0 leaves it to DuckDB.

    DuckDB takes four fifths of the memory, all processors and any time. Connections that share `turns` wait
    for each other.
    """

    memory: int = 0
    threads: int = 0
    seconds: float = 0.0
    turns: Turns | None = None

    def turn(self) -> AbstractContextManager[None]:
        """A turn to hold during one query. Raises ServerBusyError on entering where none comes in time."""
        return self.turns.take() if self.turns else nullcontext()

    def settings(self) -> dict[str, str]:
        """The same as DuckDB's settings."""
        settings = {
            "memory_limit": f"{self.memory}B" if self.memory else "",
            "threads": f"{self.threads or ''}",
            "max_execution_time": f"{self.seconds * 1000:.0f}" if self.seconds else "",
        }
        return {name: value for name, value in settings.items() if value}

    def reached(self, error: Exception) -> ResourceError | None:
        """What to say where `error` is no fault of query or file, but a limit that was reached."""
        if isinstance(error, duckdb.InterruptException):
            return ResourceError(
                f"an answer within {self.seconds:g} seconds" if self.seconds else "a query that may end",
                "a query that was stopped before it ended",
                _NARROWER,
            )
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
            most = f"at most {self.memory // MB:,} MB of" if self.memory else "no more than this machine's"
            return ResourceError(f"a query that takes {most} memory", "one that takes more; it was stopped", _NARROWER)
        return None


ALONE = Limits()  # for builds, exports and whatever else is one person's own program


@cache
def for_pages() -> Limits:
    """The limits of the pages' queries; all of a process share their turns.

    An eighth of the memory for each of the few snapshots that a dashboard keeps open.
    """
    memory = min(max(machine_memory() // 8, 256 * MB), 2048 * MB)
    return Limits(memory, min(os.cpu_count() or 1, 4), 20.0, Turns(4, 30.0))


@cache
def for_files() -> Limits:
    """The limits of a file made for a page, which may be of the whole snapshot: one at a time."""
    return Limits(machine_memory() // 2, min(os.cpu_count() or 1, 4), 600.0, Turns(1, 60.0))


def machine_memory() -> int:
    """Bytes of memory that this process can have: the machine's, or its container's where that has less."""
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
