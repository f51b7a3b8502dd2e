"""Learning from decisions does not depend on their order or on the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from narratives.match.learning import LearnedCorrections, learn_corrections
from tests.conftest import ROOT
from tests.helpers.decided import decided


def same(one: LearnedCorrections, other: LearnedCorrections) -> bool:
    texts = ["harbour plan", "the city road"]
    evidence = np.full((2, 2), 6.0)
    return (
        one.thresholds.tobytes() == other.thresholds.tobytes()
        and one.weights.tobytes() == other.weights.tobytes()
        and one.correct(evidence, texts).tobytes() == other.correct(evidence, texts).tobytes()
    )


@given(st.permutations(range(60)))
@settings(max_examples=5, deadline=None)
def test_the_order_of_decisions_changes_no_bit(order):
    data = decided(60)
    assert same(learn_corrections(data.rows(order)), learn_corrections(data))


def test_the_number_of_threads_changes_no_bit():
    code = (
        "import hashlib; from tests.property.test_learning import decided, learn_corrections\n"
        "found = learn_corrections(decided())\n"
        "print(hashlib.sha256(found.weights.tobytes() + found.thresholds.tobytes()).hexdigest())"
    )
    said = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        said.add(done.stdout)
    assert len(said) == 1
