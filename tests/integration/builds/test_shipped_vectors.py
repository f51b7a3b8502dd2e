"""The vectors that ship with the program: they are the model's, they suffice for the sample, and damage is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from narratives import embed
from narratives.embed.encoder import BUNDLED_DIMENSION, BUNDLED_NAME, VARIANTS
from narratives.model import no_progress
from narratives.resources import DATA_FOLDER, SAMPLE_FOLDER
from narratives.store import Store
from narratives.store.vectors import KEY_BYTES
from narratives.workflows.engines import embedder
from narratives.workflows.engines.embedder import Embedder
from tests.helpers.fakes import DIMENSION, FakeEncoder

TEXTS = [f"Sentence number {number} is like no other." for number in range(40)]


@pytest.mark.model
def test_the_sample_needs_no_model(sample: Path) -> None:
    """If this fails after a change of the sample, codebook or classifier, run benchmarks/make_vectors.py."""
    folders = {folder.name for folder in (sample / "vectors").iterdir()}
    variant = embed.load_encoder().variant
    shipped_folders = {folder.name for folder in (DATA_FOLDER / "vectors").glob(f"*-{variant}")}
    assert folders == shipped_folders and len(folders) == 2
    for name in folders:
        files = (folder / "vectors" / name / "keys.bin" for folder in (sample, DATA_FOLDER))
        used, shipped = (np.fromfile(file, f"S{KEY_BYTES}") for file in files)
        assert len(used) and set(used) <= set(shipped), name


@pytest.mark.model
@pytest.mark.parametrize("variant", VARIANTS)
def test_they_are_those_of_the_model(variant: str) -> None:
    rows = [json.loads(line) for line in (SAMPLE_FOLDER / "seeds.jsonl").read_text("utf-8").splitlines()]
    shipped = Store(DATA_FOLDER).vectors(BUNDLED_NAME, variant, BUNDLED_DIMENSION)
    texts = [part["text"] for row in rows for part in row["paragraphs"]]
    missing = set(shipped.missing(texts))
    known = [text for text in texts if text not in missing][:30]
    assert len(known) > 20
    fresh = embed.encode_all(embed.load_encoder(variant=variant), known)
    assert (fresh * shipped.get(known)).sum(axis=1).min() > (0.99999 if variant == "fp32" else 0.999)


@pytest.fixture
def shipping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A program that ships the vectors of TEXTS, of the tiny encoder."""
    folder = tmp_path / "data"
    shutil.copytree(DATA_FOLDER, folder, ignore=shutil.ignore_patterns("vectors", "sample"))
    shipped, encoder = Store(folder), FakeEncoder()
    shipped.vectors("fake", "fp32", DIMENSION).append(TEXTS, embed.encode_all(encoder, TEXTS))
    monkeypatch.setattr(embedder, "DATA_FOLDER", folder)
    return shipped


def test_only_texts_without_one_are_encoded(shipping: Store, tmp_path: Path) -> None:
    encoder = FakeEncoder()
    store = Store(tmp_path / "store")
    vectors = Embedder(encoder, store.vectors("fake", "fp32", DIMENSION), no_progress)
    asked = [*TEXTS[:5], "One that is new."]
    assert np.array_equal(vectors(asked), embed.encode_all(FakeEncoder(), asked))
    assert encoder.encoded == ["One that is new."] and (vectors.encoded, vectors.reused) == (1, 5)
    assert not store.vectors("fake", "fp32", DIMENSION).missing(asked)


def test_damaged_ones_are_not_used(shipping: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = shipping.path / "vectors/fake-fp32/vectors.f32"
    damaged = bytearray(file.read_bytes())
    damaged[7] ^= 1
    file.write_bytes(damaged)
    encoder = FakeEncoder()
    vectors = Embedder(encoder, Store(tmp_path / "store").vectors("fake", "fp32", DIMENSION), no_progress)
    assert np.array_equal(vectors(TEXTS), embed.encode_all(FakeEncoder(), TEXTS))
    assert encoder.encoded == TEXTS and "are damaged" in caplog.text
