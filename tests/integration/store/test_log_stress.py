"""The decisions log under many writers and sudden death: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter

import pytest

from benchmarks.log_stress import check_log, run_writers
from narratives.model import LabelledText
from narratives.store import DecisionLog
from tests.conftest import ROOT

WRITERS, DECISIONS, ROUNDS = 4, 25, 3


def test_several_processes_write_at_once(tmp_path):
    log = DecisionLog(tmp_path / "decisions.sqlite")
    run_writers(log.path, WRITERS, DECISIONS)
    assert check_log(log, WRITERS, DECISIONS) == []
    readers = Counter(len(log.history()) for _ in range(3))
    assert readers == {WRITERS * DECISIONS: 3}


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_what_was_acknowledged_survives_a_kill(tmp_path, seed):
    path = tmp_path / "decisions.sqlite"
    command = [sys.executable, "-m", "benchmarks.log_stress", "--write", str(path), "--who", "w0", "--number", "100000"]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(5)]  # it is at work
    time.sleep(random.Random(seed).random() * 0.3)
    writer.kill()
    acknowledged += writer.stdout.readlines()
    writer.wait()
    kept = [d.text for d in DecisionLog(path).history()]
    whole = [line.rstrip("\n") for line in acknowledged if line.endswith("\n")]
    assert kept[: len(whole)] == whole and len(kept) <= len(whole) + 1  # one may be written and not yet acknowledged
    assert DecisionLog(path).add([LabelledText(1, "After it.", "d", {"n": "accepted"})], "w1", "") == 1
