"""The accuracy report: a run rewrites its own section and nothing else."""

from __future__ import annotations

import pytest

from benchmarks.accuracy import BEGIN, END, replace_section
from benchmarks.accuracy_seeds import BRIEFING, measure, unpack

OTHERS = "# Accuracy\n\n## Matching\n\nThe figures of others.\n"


def test_only_what_stands_between_the_markers_is_replaced():
    first = replace_section(OTHERS, "## Reading\n\nOne.")
    assert first == f"{OTHERS}\n{BEGIN}\n## Reading\n\nOne.\n{END}\n"
    again = replace_section(first + "\n## Later\n", r"## Reading \\1")
    assert again == f"{OTHERS}\n{BEGIN}\n## Reading \\\\1\n{END}\n\n## Later\n"


def test_the_short_form_of_labels():
    assert unpack("th2o-?") == "thoo-?"
    assert unpack(BRIEFING).count("o") == 82


@pytest.mark.shared
def test_the_seeds_are_read_as_labelled(shared):
    seeds = measure(shared)
    assert seeds.kinds >= 0.95 * seeds.blocks, seeds.details
    assert seeds.speakers >= 0.97 * seeds.body and seeds.voices >= 0.93 * seeds.body, seeds.details
