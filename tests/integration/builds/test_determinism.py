"""The same texts and decisions give the same bytes: in any order, with any number of threads, in steps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from narratives.store import EXPORT_TABLES
from tests.conftest import ROOT

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]  # builds in three processes, one after another

CHAPTERS = ("plain", "decided")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Builds of a part of the sample: with one thread; with two, shuffled; with two, in two steps."""
    base = tmp_path_factory.mktemp("determinism")
    wanted = {"one": (1, 0, 1), "two": (2, 1, 1), "steps": (2, 2, 2)}
    for name, (threads, seed, steps) in wanted.items():
        number = str(threads)
        environment = {**os.environ, "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number}
        command = [sys.executable, "-m", "tests.helpers.determinism_builds", number, base / name, str(seed), str(steps)]
        subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=True)
    return {name: base / name for name in wanted}


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("table", EXPORT_TABLES)
def test_shuffled_inputs_and_other_threads_change_no_byte(folders, chapter: str, table: str) -> None:
    one, two = (folders[name] / chapter / f"{table}.csv" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_two_steps_end_where_one_does(folders, chapter: str) -> None:
    one, steps = folders["one"] / chapter, folders["steps"] / chapter
    for table in ("documents", "paragraphs"):
        assert (one / f"{table}.csv").read_bytes() == (steps / f"{table}.csv").read_bytes()
    codebook, candidates = [], []
    for folder in (one, steps):
        frame = pd.read_csv(folder / "assignments.csv", keep_default_na=False)
        discovered = frame["origin"] == "discovered"
        codebook.append(frame[~discovered].reset_index(drop=True))
        groups = frame[discovered].groupby("narrative_id")["paragraph_id"]
        candidates.append({frozenset(members) for _, members in groups})
    pd.testing.assert_frame_equal(*codebook)
    assert candidates[0] == candidates[1]


def test_the_decisions_changed_what_is_assigned(folders) -> None:
    frames = [pd.read_csv(folders["one"] / chapter / "assignments.csv") for chapter in CHAPTERS]
    assert set(frames[0]["status"]) == {"auto"}
    assert {"confirmed", "rejected"} <= set(frames[1]["status"])
    machine = [frame[["paragraph_id", "narrative_id", "score"]] for frame in frames]
    assert not machine[0].equals(machine[1])
