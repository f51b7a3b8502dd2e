"""The sample is built by another process; the dashboard itself never loads the model."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from narratives.dashboard.builds import BuildProcess, make_sample_command
from narratives.model.errors import EXIT_BUSY
from tests.conftest import ROOT


def finished(code: str) -> tuple[BuildProcess, int]:
    build = BuildProcess([sys.executable, "-c", code])
    deadline = time.monotonic() + 30
    while (status := build.status()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return build, status


def test_progress_is_heard():
    lines = ['{"stage": "reading", "done": 1, "total": null}', '{"stage": "encoding", "done": 32, "total": 128}']
    build, status = finished(f"import sys; [print(l, file=sys.stderr) for l in {lines!r}]")
    assert status == 0
    assert (build.stage, build.done, build.total, build.share) == ("encoding", 32, 128, 0.25)
    assert build.messages == ""


def test_a_failure_keeps_what_was_said():
    build, status = finished("import sys; print('narratives: no model here', file=sys.stderr); sys.exit(1)")
    assert status == 1
    assert build.messages == "narratives: no model here"


def test_a_build_runs_the_dashboard_s_own_program_wherever_it_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "import narratives, os, sys; print(narratives.__file__, os.getcwd(), sep='\\n', file=sys.stderr)"
    build, status = finished(code)
    assert status == 0
    assert build.messages.splitlines() == [str(ROOT / "narratives" / "__init__.py"), str(tmp_path)]


def test_a_busy_store_is_told_from_a_failure():
    assert finished(f"import sys; sys.exit({EXIT_BUSY})")[1] == EXIT_BUSY


def test_the_sample_is_built_from_its_own_folder(tmp_path):
    command = make_sample_command(tmp_path / "store-sample")
    assert command[1:5] == ["-m", "narratives", "build", str(Path("data", "sample"))]
    assert command[-3:] == [str(tmp_path / "store-sample"), "--progress", "json"]


def test_no_page_loads_the_model():
    code = """
import sys
import narratives.dashboard.builds, narratives.dashboard.shell
import narratives.dashboard.views.evidence, narratives.dashboard.views.prevalence
import narratives.dashboard.views.sources, narratives.dashboard.views.uploads
heavy = {"torch", "transformers", "sentence_transformers", "sklearn"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
