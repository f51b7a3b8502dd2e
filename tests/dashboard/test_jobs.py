"""Builds that the Sources page starts: one a store, stopped like Ctrl-C, resumed, patient with others."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from narratives.dashboard import builds
from narratives.dashboard.builds import BuildJob, BuildJobRegistry, make_build_command
from narratives.model.errors import EXIT_BUSY, EXIT_NOTHING_READ, EXIT_STOPPED

REPORT = json.dumps({"report": {"inputs_readable": 1, "snapshot": "abc", "rejected": []}})
WELL = f"import sys; print({REPORT!r}, file=sys.stderr)"
# The first handler is Python's own, whatever the shell that runs the tests does about background programs.
LONG = (
    "import signal, sys, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    'print(\'{"stage": "encoding", "done": 1, "total": 4}\', file=sys.stderr, flush=True)\n'
    "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(130)"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def until(told, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(job: BuildJob) -> int:
    until(lambda: job.status() is not None)
    return job.status()


def test_builds_run_one_after_another_and_report():
    job = BuildJob([python(WELL), python(WELL)], ["a.csv", "b.csv"])
    assert ended(job) == 0
    assert len(job.reports) == 2 and job.reports[0]["snapshot"] == "abc"


def test_one_unreadable_file_does_not_cost_the_others():
    assert ended(BuildJob([python(f"import sys; sys.exit({EXIT_NOTHING_READ})"), python(WELL)], ["a", "b"])) == 0
    assert ended(BuildJob([python(WELL), python(f"import sys; sys.exit({EXIT_NOTHING_READ})")], ["a", "b"])) == 0
    assert ended(BuildJob([python(f"import sys; sys.exit({EXIT_NOTHING_READ})")], ["a"])) == EXIT_NOTHING_READ


def test_a_failure_keeps_its_words_and_can_be_tried_again(tmp_path):
    mended = tmp_path / "mended"
    code = (
        "import sys, pathlib\n"
        f"if not pathlib.Path({str(mended)!r}).exists():\n"
        "    print('narratives: no room', file=sys.stderr); sys.exit(2)\n" + WELL
    )
    job = BuildJob([python(code)], ["a"])
    assert ended(job) == 2 and job.messages == "narratives: no room"
    mended.touch()
    job.resume()
    assert ended(job) == 0 and job.messages == ""


def test_a_program_that_is_not_there_is_a_failure():
    job = BuildJob([["/no/such/python"]], ["a"])
    assert ended(job) != 0 and "could not be started" in job.messages


def test_a_stopped_build_goes_on_with_the_same_command(tmp_path):
    began = tmp_path / "began"
    code = f"import pathlib\np = pathlib.Path({str(began)!r})\n"
    code += f"first = not p.exists(); p.touch()\nexec({LONG!r} if first else {WELL!r})"
    job = BuildJob([python(code)], ["a"])
    until(lambda: job.progress == ("encoding", 1, 4))
    assert job.status() is None and not job.stopping
    job.stop()
    assert job.stopping and ended(job) == EXIT_STOPPED
    job.resume()
    assert ended(job) == 0 and not job.stopping


def test_a_build_that_does_not_heed_is_ended(monkeypatch):
    monkeypatch.setattr(builds, "STOP_GRACE_SECONDS", 0.3)
    deaf = "import signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    deaf += 'print(\'{"stage": "x", "done": 0, "total": 1}\', file=sys.stderr, flush=True); time.sleep(60)'
    job = BuildJob([python(deaf)], ["a"])
    until(lambda: job.progress[0] == "x")
    job.stop()
    assert ended(job) == EXIT_STOPPED


def test_another_build_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(builds, "RETRY_SECONDS", 0.2)
    free = tmp_path / "free"
    code = f"import sys, pathlib\nif not pathlib.Path({str(free)!r}).exists(): sys.exit({EXIT_BUSY})\n{WELL}"
    job = BuildJob([python(code)], ["a"])
    until(lambda: job.waiting)
    assert job.status() is None
    free.touch()
    assert ended(job) == 0


def test_waiting_can_be_stopped():
    job = BuildJob([python(f"import sys; sys.exit({EXIT_BUSY})")], ["a"])
    until(lambda: job.waiting)
    job.stop()
    assert ended(job) == EXIT_STOPPED


def test_a_store_has_one_job(tmp_path):
    register = BuildJobRegistry()
    first = register.start(tmp_path, [python(LONG)], ["a"])
    assert register.start(tmp_path, [python(WELL)], ["b"]) is first
    register.dismiss(tmp_path)
    assert register.get(tmp_path) is first  # it runs
    first.stop()
    ended(first)
    register.dismiss(tmp_path)
    assert register.get(tmp_path) is None
    second = register.start(tmp_path, [python(WELL)], ["b"])
    assert second is not first and ended(second) == 0


@pytest.mark.parametrize("name", ["-x.csv", "--store", "a b.csv"])
def test_no_file_s_name_becomes_an_option(tmp_path, name):
    made = make_build_command(tmp_path, [name], [("text", "Body=text")])
    at = made.index("--")
    assert made[at + 1 :] == [name] and made[1:4] == ["-m", "narratives", "build"]
    assert made[made.index("--map") + 1] == "text=Body=text"
    assert Path(made[made.index("--store") + 1]) == tmp_path
    assert "--date-from-name" not in made and "--date-from-name" in make_build_command(tmp_path, [name], [], True)
