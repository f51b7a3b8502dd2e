"""Search by meaning: on a tiny encoder for the rules, on the sample and the real model for the sense."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from narratives.model import EncoderError, EvidenceQuery, Slice, StoreError, UsageError
from narratives.store import Store, open_snapshot
from narratives.workflows import search
from tests.helpers.factory import content
from tests.helpers.fakes import DIMENSION, FakeEncoder, use_encoder


@pytest.fixture
def path(tmp_path):
    """A store of the small content whose statements have vectors of the tiny encoder."""
    store = Store(tmp_path / "store")
    made = replace(content(), model="fake", variant="fp32")
    texts = [p.text for d in made.documents for p in d.paragraphs if p.paragraph_id in made.statements]
    vectors = store.vectors("fake", "fp32", DIMENSION)
    for indices, rows in FakeEncoder().encode([*texts, "a text of another snapshot"]):
        vectors.append([[*texts, "a text of another snapshot"][i] for i in indices], rows)
    store.write_snapshot(made)
    return store.path


def find(path, text):
    return search.search_index(search.open_index(path, open_snapshot(path)), FakeEncoder(), text)


def test_nearest_first_and_only_of_the_snapshot(path):
    found = find(path, "The memory of the war must not be falsified.")
    assert next(iter(found)) == "d003-001" and found["d003-001"] == 1.0
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert set(found) <= content().statements
    assert min(found.values()) >= search.MIN_SIMILARITY


def test_every_similarity_is_the_cosine_of_the_texts(path):
    [(_, [query])] = FakeEncoder().encode(["elections in the press"])
    statements = {
        p.paragraph_id: p.text
        for d in content().documents
        for p in d.paragraphs
        if p.paragraph_id in content().statements
    }
    cosines = {}
    for key, text in statements.items():
        [(_, [vector])] = FakeEncoder().encode([text])
        cosines[key] = round(float(np.dot(vector, query)), 3)
    expected = {key: cosine for key, cosine in cosines.items() if cosine >= search.MIN_SIMILARITY}
    assert expected and find(path, "elections in the press") == pytest.approx(expected, abs=0.001)


def test_what_nothing_is_about_finds_nothing(path):
    assert find(path, "quorple") == {}


def test_copies_have_the_likeness_of_their_text(path):
    found = find(path, "The United States interferes in elections everywhere.")
    assert found["d002-001"] == found["d005-001"] == 1.0


def test_a_language_that_the_model_does_not_read_is_refused(path):
    with pytest.raises(UsageError, match="a sentence in ru"):
        find(path, "Санкции нарушают международное право")


def test_vectors_that_were_not_copied_along_are_said(path):
    shutil.rmtree(path / "vectors")
    with pytest.raises(StoreError, match="Copy the folder `vectors`"):
        search.open_index(path, open_snapshot(path))


def test_a_text_without_a_vector_is_said(path):
    folder = next((path / "vectors").iterdir())
    (folder / "keys.bin").write_bytes((folder / "keys.bin").read_bytes()[: 16 * 3])
    with pytest.raises(StoreError, match="without"):
        search.open_index(path, open_snapshot(path))


def test_a_model_that_is_not_here_is_said_and_nobody_is_asked(path, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    manifest = replace(open_snapshot(path).meta(), model="nobody/no-such-model")
    with pytest.raises(EncoderError, match=r"no such model on this machine.*NARRATIVES_MODEL"):
        search.load_snapshot_encoder(manifest)


def test_another_model_than_the_build_s_is_refused(path, monkeypatch):
    use_encoder(monkeypatch, FakeEncoder())
    manifest = open_snapshot(path).meta()
    assert search.load_snapshot_encoder(manifest).name == "fake"
    with pytest.raises(EncoderError, match="which made the vectors"):
        search.load_snapshot_encoder(replace(manifest, model="another"))


def test_blocks_change_nothing(path, monkeypatch):
    whole = find(path, "elections in the press")
    monkeypatch.setattr("narratives.store.vectors.BLOCK_ROWS", 3)
    assert find(path, "elections in the press") == whole


@pytest.mark.model
def test_the_model_finds_other_words_for_the_same(sample):
    snapshot = open_snapshot(sample)
    index = search.open_index(sample, snapshot)
    encoder = search.load_snapshot_encoder(snapshot.meta())
    found = search.search_index(index, encoder, "Restrictive measures against us break the rules of world trade")
    best = snapshot.paragraphs(EvidenceQuery(Slice(), similar=found), limit=5)
    assert best["narratives"].str.contains("Sanctions as unlawful").any()
    assert best["similarity"].tolist() == sorted(best["similarity"], reverse=True)
    assert search.search_index(index, encoder, "my sourdough starter will not rise") == {}
