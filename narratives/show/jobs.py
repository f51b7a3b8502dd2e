"""Builds that people start from the Sources page: one a store, found again by whoever opens the page."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from narratives.show.building import BUSY, Build

STOPPED, NOTHING_READ = 130, 1
WAIT = 3.0  # seconds between two tries while another build holds the store
GRACE = 10.0  # seconds that a build has to stop by itself


class Job:
    """Builds of one store, one after another; each is a process of its own.

    Where another build holds the store, the job waits for it and tries again. `stop` ends the running build
    as Ctrl-C would: what it had encoded is kept, and `resume` goes on from there.
    """

    def __init__(self, commands: Sequence[list[str]], names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.reports: list[dict[str, object]] = []
        self.said = ""
        self.waiting = False
        self._left = list(commands)
        self._build: Build | None = None
        self._status: int | None = None
        self._stop, self._resuming = threading.Event(), threading.Lock()
        self._begin()

    def resume(self) -> None:
        """Go on after a stop or a failure, with the build that did not end."""
        with self._resuming:
            if self._status is not None:
                self.said, self._status = "", None
                self._stop.clear()
                self._begin()

    def stop(self) -> None:
        """Ask the running build to stop; `status` tells once it has."""
        self._stop.set()
        if self._build is not None:
            self._build.stop()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop, and has not been resumed."""
        return self._stop.is_set()

    def status(self) -> int | None:
        """The exit status: 0 if any build read something; None while one runs or waits."""
        return self._status

    @property
    def progress(self) -> tuple[str, int, int]:
        """Stage, and how much of it is done, of how much (0: unknown)."""
        build = self._build
        return (build.stage, build.done, build.total) if build else ("starting", 0, 0)

    def _begin(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        read = any(report.get("inputs_readable") for report in self.reports)
        status = 0
        while self._left and status in (0, NOTHING_READ):
            status = self._one(self._left[0])
            if status in (0, NOTHING_READ):
                self._left.pop(0)
                read = read or status == 0
        self._status = 0 if read and status == NOTHING_READ else status

    def _one(self, command: list[str]) -> int:
        """Run one build to its end, however often it has to be tried."""
        while not self._stop.is_set():
            try:
                self._build = build = Build(command)
            except OSError as error:
                self.said = f"The build could not be started: {error}"
                return error.errno or 1
            if self._stop.is_set():
                build.stop()
            deadline = 0.0
            while (status := build.status()) is None:
                time.sleep(0.1)
                deadline = deadline or (time.monotonic() + GRACE if self._stop.is_set() else 0.0)
                if deadline and time.monotonic() > deadline:
                    build.kill()
            if self._stop.is_set() and status != 0:
                return STOPPED
            if status != BUSY:
                self.said = build.said
                if build.report:
                    self.reports.append(build.report)
                return status
            self.waiting = True
            self._stop.wait(WAIT)
            self.waiting = False
        return STOPPED


class Jobs:
    """The jobs of this server, at most one a store."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def of(self, store: Path) -> Job | None:
        """The store's job, running or ended and not yet dismissed."""
        return self._jobs.get(str(store.resolve()))

    def start(self, store: Path, commands: Sequence[list[str]], names: Sequence[str]) -> Job:
        """Start a job, unless the store has one that runs: then that one is returned."""
        with self._lock:
            found = self.of(store)
            if found is None or found.status() is not None:
                found = self._jobs[str(store.resolve())] = Job(commands, names)
            return found

    def dismiss(self, store: Path) -> None:
        """Forget the store's job, if it has ended."""
        with self._lock:
            found = self.of(store)
            if found is not None and found.status() is not None:
                del self._jobs[str(store.resolve())]


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The one register of this server."""
    return Jobs()


def command(store: Path, inputs: Sequence[str], columns: Sequence[tuple[str, str]]) -> list[str]:
    """The command that builds `inputs` into `store`, with a column map of (ours, theirs)."""
    maps = [part for ours, theirs in columns for part in ("--map", f"{ours}={theirs}")]
    where = ["--store", str(store.resolve()), "--progress", "json"]
    return [sys.executable, "-m", "narratives", "build", *where, *maps, "--", *inputs]
