"""The default codebook: complete, well formed, in the project's own words."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from narratives.embed import load_classifier, load_encoder
from narratives.embed.encoder import BUNDLED_NAME
from narratives.model import Codebook
from narratives.model.text import normalise_words
from narratives.read import load_codebook
from narratives.store.files import read_evaluation
from narratives.workflows.match import SHIPPED_CLASSIFIER

PATH = Path(__file__).resolve().parents[3] / "data" / "codebook.toml"
QUALITY = PATH.with_name("quality.json")
IDS = [
    "western_russophobia",
    "us_meddles_too",
    "no_election_interference",
    "syria_counterterrorism",
    "atrocity_allegations_fabricated",
    "groundless_accusations",
    "western_media_bias",
    "dialogue_on_equal_terms",
    "multipolar_vs_diktat",
    "nato_expansion_threat",
    "sanctions_unlawful",
    "ukraine_kiev_sabotages_minsk",
    "crimea_reunification",
    "wwii_memory",
    "eurasian_integration",
    "traditional_values",
]


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load_codebook(PATH)


def test_has_the_sixteen_narratives_in_their_fixed_order(codebook):
    assert [narrative.id for narrative in codebook.narratives] == IDS


def test_every_narrative_is_described_and_exemplified(codebook):
    for narrative in codebook.narratives:
        assert narrative.name and narrative.definition, narrative.id
        assert narrative.includes and narrative.excludes and narrative.cues, narrative.id
        assert len(narrative.exemplars) >= 12, narrative.id
        assert len(narrative.contrasts) >= 4, narrative.id
        assert narrative.threshold is None or 0.1 < narrative.threshold < 0.5, narrative.id


def test_exemplars_are_statements_of_usual_length(codebook):
    for narrative in codebook.narratives:
        lengths = [len(text.split()) for text in narrative.exemplars]
        assert min(lengths) >= 15 and max(lengths) <= 45, narrative.id


def test_no_statement_stands_twice(codebook):
    texts = [normalise_words(t) for n in codebook.narratives for t in (*n.exemplars, *n.contrasts)]
    assert len(texts) == len(set(texts))


def test_no_cue_speaks_for_two_narratives_and_each_has_words(codebook):
    cues = [normalise_words(cue) for narrative in codebook.narratives for cue in narrative.cues]
    assert all(cue.strip() for cue in cues)
    assert len(cues) == len(set(cues))


def test_the_published_figures_are_of_this_codebook(codebook):
    """Whoever changes it measures anew: python -m benchmarks.make_classifier FOLDER"""
    published = read_evaluation(QUALITY)
    assert published is not None and published.codebook == codebook.digest
    assert published.model == BUNDLED_NAME
    assert [row.narrative_id for row in published.rows] == [*(n.id for n in codebook.narratives), ""]
    assert [row.narrative_id for row in published.corpus] == [row.narrative_id for row in published.rows]
    assert published.calibration is not None and published.calibration.compute_error() < 0.02
    assert published.classifier == load_classifier(SHIPPED_CLASSIFIER, load_encoder()).name
    assert "machine annotation, not human coding" in published.caveat
    assert QUALITY.stat().st_size < 30_000  # figures, no texts


def test_colours_can_be_told_apart(codebook):
    colours = [narrative.colour for narrative in codebook.narratives]
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)
    channels = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]
    nearest = min(
        sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) ** 0.5 for one, two in combinations(channels, 2)
    )
    assert nearest > 40


@pytest.mark.shared
def test_shares_no_run_of_words_with_the_sources(shared):
    done = subprocess.run(
        [sys.executable, str(shared / "tools/overlap.py"), str(PATH)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
