"""Building from the dashboard: a process of its own, so that no page ever loads the model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from narratives.dashboard.cached_queries import SAMPLE_STORE
from narratives.store import Store

ROOT = Path(__file__).resolve().parents[2]
EXIT_BUSY = 3  # the exit status of a build that finds another one at work in the same store
_POLL_SECONDS = 0.3


class BuildProcess:
    """A running build: its latest progress, and in the end its report, what it said and how it left."""

    def __init__(self, command: list[str], cwd: Path = ROOT) -> None:
        self.stage, self.done, self.total = "starting", 0, 0
        self.report: dict[str, object] = {}
        self._said: deque[str] = deque(maxlen=6)
        self._process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
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
                self._said.append(line.strip())

    def status(self) -> int | None:
        """The exit status, or None while it runs; all that it said has been heard by then."""
        status = self._process.poll()
        if status is not None:
            self._listener.join(timeout=5)
        return status

    def stop(self) -> None:
        """Ask it to stop as Ctrl-C does: it lets the store go, and what it has encoded is kept."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it where it does not heed `stop`; the current snapshot stays as it was."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    @property
    def said(self) -> str:
        """The last lines that were no progress: the reason, where it failed."""
        return "\n".join(line for line in self._said if line)

    @property
    def share(self) -> float:
        """How much of the present stage is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def make_sample_command(store: Path) -> list[str]:
    """The command that builds the sample into `store`."""
    inputs = [str(Path("data", "sample")), "--store", str(store.resolve()), "--progress", "json"]
    return [sys.executable, "-m", "narratives", "build", *inputs]


@st.cache_resource(show_spinner=False)
def _start_sample_build(store: str) -> BuildProcess:
    """One build a store, whoever of the sessions asks."""
    return BuildProcess(make_sample_command(Path(store)))


def build_sample(store: Path = SAMPLE_STORE) -> None:
    """Build the sample and show how far it is; returns when it stands, stops the page if it fails."""
    st.subheader("Preparing the sample")
    st.write(
        "There is no snapshot yet, so the sample that comes with the project is being built. "
        "This happens once and takes a minute or two, mostly for loading the language model."
    )
    bar = st.progress(0.0, "starting")
    while Store(store).current() is None:
        build = _start_sample_build(str(store.resolve()))
        status = build.status()
        if status is None:
            counted = f": {build.done:,} of {build.total:,}" if build.total else ""
            bar.progress(build.share, f"{build.stage}{counted}")
        elif status == EXIT_BUSY:
            bar.progress(0.0, "another build is at work in the same store; waiting for it")
            time.sleep(2)
            _start_sample_build.clear()
        elif Store(store).current() is None:
            bar.empty()
            st.error("The sample could not be built.")
            st.text(build.said or f"The build ended with status {status} and said nothing.")
            if st.button("Try again"):
                _start_sample_build.clear()
                st.rerun()
            st.stop()
        time.sleep(_POLL_SECONDS)
    _start_sample_build.clear()


EXIT_STOPPED, EXIT_NOTHING_READ = 130, 1
RETRY_SECONDS = 3.0  # seconds between two tries while another build holds the store
STOP_GRACE_SECONDS = 10.0  # seconds that a build has to stop by itself


class BuildJob:
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
        self._build: BuildProcess | None = None
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
        while self._left and status in (0, EXIT_NOTHING_READ):
            status = self._one(self._left[0])
            if status in (0, EXIT_NOTHING_READ):
                self._left.pop(0)
                read = read or status == 0
        self._status = 0 if read and status == EXIT_NOTHING_READ else status

    def _one(self, command: list[str]) -> int:
        """Run one build to its end, however often it has to be tried."""
        while not self._stop.is_set():
            try:
                self._build = build = BuildProcess(command)
            except OSError as error:
                self.said = f"The build could not be started: {error}"
                return error.errno or 1
            if self._stop.is_set():
                build.stop()
            deadline = 0.0
            while (status := build.status()) is None:
                time.sleep(0.1)
                deadline = deadline or (time.monotonic() + STOP_GRACE_SECONDS if self._stop.is_set() else 0.0)
                if deadline and time.monotonic() > deadline:
                    build.kill()
            if self._stop.is_set() and status != 0:
                return EXIT_STOPPED
            if status != EXIT_BUSY:
                self.said = build.said
                if build.report:
                    self.reports.append(build.report)
                return status
            self.waiting = True
            self._stop.wait(RETRY_SECONDS)
            self.waiting = False
        return EXIT_STOPPED


class BuildJobRegistry:
    """The jobs of this server, at most one a store."""

    def __init__(self) -> None:
        self._jobs: dict[str, BuildJob] = {}
        self._lock = threading.Lock()

    def of(self, store: Path) -> BuildJob | None:
        """The store's job, running or ended and not yet dismissed."""
        return self._jobs.get(str(store.resolve()))

    def start(self, store: Path, commands: Sequence[list[str]], names: Sequence[str]) -> BuildJob:
        """Start a job, unless the store has one that runs: then that one is returned."""
        with self._lock:
            found = self.of(store)
            if found is None or found.status() is not None:
                found = self._jobs[str(store.resolve())] = BuildJob(commands, names)
            return found

    def dismiss(self, store: Path) -> None:
        """Forget the store's job, if it has ended."""
        with self._lock:
            found = self.of(store)
            if found is not None and found.status() is not None:
                del self._jobs[str(store.resolve())]


@st.cache_resource(show_spinner=False)
def get_job_registry() -> BuildJobRegistry:
    """The one register of this server."""
    return BuildJobRegistry()


def make_build_command(store: Path, inputs: Sequence[str], columns: Sequence[tuple[str, str]]) -> list[str]:
    """The command that builds `inputs` into `store`, with a column map of (ours, theirs)."""
    maps = [part for ours, theirs in columns for part in ("--map", f"{ours}={theirs}")]
    where = ["--store", str(store.resolve()), "--progress", "json"]
    return [sys.executable, "-m", "narratives", "build", *where, *maps, "--", *inputs]
