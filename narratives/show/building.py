"""Building from the dashboard: a process of its own, so that no page ever loads the model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

import streamlit as st

from narratives.show.data import SAMPLE
from narratives.store import Store

ROOT = Path(__file__).resolve().parents[2]
BUSY = 3  # the exit status of a build that finds another one at work in the same store
_STEP = 0.3


class Build:
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


def sample_command(store: Path) -> list[str]:
    """The command that builds the sample into `store`."""
    inputs = [str(Path("data", "sample")), "--store", str(store.resolve()), "--progress", "json"]
    return [sys.executable, "-m", "narratives", "build", *inputs]


@st.cache_resource(show_spinner=False)
def _sample_build(store: str) -> Build:
    """One build a store, whoever of the sessions asks."""
    return Build(sample_command(Path(store)))


def build_sample(store: Path = SAMPLE) -> None:
    """Build the sample and show how far it is; returns when it stands, stops the page if it fails."""
    st.subheader("Preparing the sample")
    st.write(
        "There is no snapshot yet, so the sample that comes with the project is being built. "
        "This happens once and takes a minute or two, mostly for loading the language model."
    )
    bar = st.progress(0.0, "starting")
    while Store(store).current() is None:
        build = _sample_build(str(store.resolve()))
        status = build.status()
        if status is None:
            counted = f": {build.done:,} of {build.total:,}" if build.total else ""
            bar.progress(build.share, f"{build.stage}{counted}")
        elif status == BUSY:
            bar.progress(0.0, "another build is at work in the same store; waiting for it")
            time.sleep(2)
            _sample_build.clear()
        elif Store(store).current() is None:
            bar.empty()
            st.error("The sample could not be built.")
            st.text(build.said or f"The build ended with status {status} and said nothing.")
            if st.button("Try again"):
                _sample_build.clear()
                st.rerun()
            st.stop()
        time.sleep(_STEP)
    _sample_build.clear()
