"""Builds that the dashboard starts, each in a separate process, so that no page loads the model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from narratives.dashboard import roles
from narratives.dashboard.cached_queries import SAMPLE_STORE
from narratives.model.errors import EXIT_BUSY, EXIT_NOTHING_READ, EXIT_STOPPED
from narratives.model.printable import hide_folders
from narratives.resources import APP
from narratives.store import Store

RETRY_SECONDS = 3.0  # seconds between two attempts while another build uses the store
STOP_GRACE_SECONDS = 10.0  # seconds that a build has to stop by itself
_PACKAGE_PARENT = Path(__file__).resolve().parents[2]  # the folder that holds the package `narratives`
_POLL_SECONDS = 0.3


class BuildProcess:
    """A running build: its latest progress and, once it has ended, its report, messages and exit status.

    `cwd` is the folder to run it in, by default the dashboard's own. The process imports the same package
    `narratives` as the dashboard, wherever it runs.
    """

    def __init__(self, command: list[str], cwd: Path | None = None) -> None:
        self.stage, self.done, self.total = "starting", 0, 0
        self.report: dict[str, Any] = {}
        self._messages: deque[str] = deque(maxlen=6)
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=_make_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            try:
                step = json.loads(line)
                if "report" in step:
                    self.report = step["report"]
                    continue
                self.stage, self.done, self.total = step["stage"], step["done"], step["total"] or 0
            except (ValueError, KeyError, TypeError):
                self._messages.append(line.strip())

    def status(self) -> int | None:
        """Return the exit status, or None while it runs. All messages have been read by then."""
        status = self._process.poll()
        if status is not None:
            self._listener.join(timeout=5)
        return status

    def stop(self) -> None:
        """Ask the build to stop, as Ctrl-C does. It releases the store and keeps what it has encoded."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill the build if it does not react to `stop`. The current snapshot does not change."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    @property
    def messages(self) -> str:
        """The last lines that report no progress: the reason, if the build failed."""
        return "\n".join(line for line in self._messages if line)

    @property
    def share(self) -> float:
        """How much of the current stage is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def _make_environment() -> dict[str, str]:
    """Return this process's environment, with the folder of the package first on the import path."""
    paths = [str(_PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def make_sample_command(store: Path) -> list[str]:
    """Return the command that builds the sample into `store`, to be run in `narratives.resources.APP`."""
    inputs = [str(Path("data", "sample")), "--store", str(store.resolve()), "--progress", "json"]
    return [sys.executable, "-m", "narratives", "build", *inputs]


@st.cache_resource(show_spinner=False)
def _start_sample_build(store: str) -> BuildProcess:
    """Start one build per store, shared by all sessions."""
    roles.require("editor")
    return BuildProcess(make_sample_command(Path(store)), cwd=APP)


def build_sample(store: Path = SAMPLE_STORE) -> None:
    """Build the sample and show the progress. Returns when the snapshot exists; stops the page on failure."""
    st.subheader("Preparing the sample")
    st.write(
        "There is no snapshot yet. The sample that comes with the project is being built. "
        "This happens once and takes a minute or two. Loading the language model takes most of that time."
    )
    bar = st.progress(0.0, "starting")
    while Store(store).current() is None:
        build = _start_sample_build(str(store.resolve()))
        status = build.status()
        if status is None:
            counted = f": {build.done:,} of {build.total:,}" if build.total else ""
            bar.progress(build.share, f"{build.stage}{counted}")
        elif status == EXIT_BUSY:
            bar.progress(0.0, "another build is using this store; waiting for it to finish")
            time.sleep(2)
            _start_sample_build.clear()
        elif Store(store).current() is None:
            bar.empty()
            st.error("The sample could not be built.")
            st.text(
                hide_folders(build.messages, store.resolve())
                or f"The build ended with status {status} and gave no reason."
            )
            if st.button("Try again"):
                _start_sample_build.clear()
                st.rerun()
            st.stop()
        time.sleep(_POLL_SECONDS)
    _start_sample_build.clear()


class BuildJob:
    """Builds of one store, one after another, each in its own process.

    While another build uses the store, the job waits and tries again. `stop` ends the running build as Ctrl-C
    does: what it has encoded is kept, and `resume` continues from there.
    """

    def __init__(self, commands: Sequence[list[str]], names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.reports: list[dict[str, Any]] = []
        self.messages = ""
        self.waiting = False
        self._remaining = list(commands)
        self._build: BuildProcess | None = None
        self._status: int | None = None
        self._stop, self._resuming = threading.Event(), threading.Lock()
        self._begin()

    def resume(self) -> None:
        """Continue after a stop or a failure, with the build that did not finish."""
        with self._resuming:
            if self._status is not None:
                self.messages, self._status = "", None
                self._stop.clear()
                self._begin()

    def stop(self) -> None:
        """Ask the running build to stop. `status` returns None until it has stopped."""
        self._stop.set()
        if self._build is not None:
            self._build.stop()

    @property
    def stopping(self) -> bool:
        """Whether the job was asked to stop and has not been resumed."""
        return self._stop.is_set()

    def status(self) -> int | None:
        """Return the exit status: 0 if any build read something, None while a build runs or waits."""
        return self._status

    @property
    def progress(self) -> tuple[str, int, int]:
        """The stage, how much of it is done, and its total (0 if unknown)."""
        build = self._build
        return (build.stage, build.done, build.total) if build else ("starting", 0, 0)

    def _begin(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        read = any(report.get("inputs_readable") for report in self.reports)
        status = 0
        while self._remaining and status in (0, EXIT_NOTHING_READ):
            status = self._run_build(self._remaining[0])
            if status in (0, EXIT_NOTHING_READ):
                self._remaining.pop(0)
                read = read or status == 0
        self._status = 0 if read and status == EXIT_NOTHING_READ else status

    def _run_build(self, command: list[str]) -> int:
        """Run one build to its end; try again while another build uses the store."""
        while not self._stop.is_set():
            try:
                self._build = build = BuildProcess(command)
            except OSError as error:
                self.messages = f"The build could not be started: {error}"
                return error.errno or 1
            status = self._wait_for(build)
            if self._stop.is_set() and status != 0:
                return EXIT_STOPPED
            if status != EXIT_BUSY:
                self.messages = build.messages
                if build.report:
                    self.reports.append(build.report)
                return status
            self.waiting = True
            self._stop.wait(RETRY_SECONDS)
            self.waiting = False
        return EXIT_STOPPED

    def _wait_for(self, build: BuildProcess) -> int:
        """Return the build's exit status; kill the build if it does not stop when asked."""
        if self._stop.is_set():
            build.stop()
        deadline = 0.0
        while (status := build.status()) is None:
            time.sleep(0.1)
            deadline = deadline or (time.monotonic() + STOP_GRACE_SECONDS if self._stop.is_set() else 0.0)
            if deadline and time.monotonic() > deadline:
                build.kill()
        return status


def describe_progress(job: BuildJob, waiting: str) -> tuple[float, str]:
    """Return how much of a running job is done (0 to 1), and its stage with counts, or `waiting` for another build."""
    stage, done, total = (waiting, 0, 0) if job.waiting else job.progress
    counted = f": {done:,} of {total:,}" if total else ""
    return min(1.0, done / total) if total else 0.0, f"{stage[:1].upper()}{stage[1:]}{counted}"


class BuildJobRegistry:
    """The jobs of this server, at most one per store."""

    def __init__(self) -> None:
        self._jobs: dict[str, BuildJob] = {}
        self._lock = threading.Lock()

    def get(self, store: Path) -> BuildJob | None:
        """Return the store's job, running or ended, unless it was dismissed."""
        return self._jobs.get(str(store.resolve()))

    def start(self, store: Path, commands: Sequence[list[str]], names: Sequence[str]) -> BuildJob:
        """Start and return a job; if the store has a running job, return that one."""
        with self._lock:
            job = self.get(store)
            if job is None or job.status() is not None:
                job = self._jobs[str(store.resolve())] = BuildJob(commands, names)
            return job

    def dismiss(self, store: Path) -> None:
        """Forget the store's job, if it has ended."""
        with self._lock:
            job = self.get(store)
            if job is not None and job.status() is not None:
                del self._jobs[str(store.resolve())]


@st.cache_resource(show_spinner=False)
def get_job_registry() -> BuildJobRegistry:
    """Return the server's only registry."""
    return BuildJobRegistry()


def make_build_command(
    store: Path, inputs: Sequence[str], columns: Sequence[tuple[str, str]], date_from_name: bool = False
) -> list[str]:
    """Return the command that builds `inputs` into `store`, with a column map of (ours, theirs)."""
    maps = [part for ours, theirs in columns for part in ("--map", f"{ours}={theirs}")]
    where = ["--store", str(store.resolve()), "--progress", "json"]
    names = ["--date-from-name"] * date_from_name
    return [sys.executable, "-m", "narratives", "build", *where, *maps, *names, "--", *inputs]
