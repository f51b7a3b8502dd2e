"""The encoder: nothing heavy at import, verified weights, and vectors that depend on the text alone."""

from __future__ import annotations

import logging
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from narratives.embed.encoder import (
    BUNDLED_FILES,
    BUNDLED_NAME,
    MODEL_BATCH_ROWS,
    SentenceEncoder,
    load_encoder,
    locate_bundled_model,
)
from narratives.model import EncoderError, TextPart
from tests.conftest import ROOT

WORDS = ("talks", "on", "trade", "and", "security", "go", "on", "in", "autumn", "with", "new", "partners")


def sentences(n: int) -> list[str]:
    """Texts of 1 to 90 words, so that they fall into several padded lengths."""
    draw = random.Random(3)
    return [" ".join(draw.choices(WORDS, k=1 + i % 90)) + f" {i}" for i in range(n)]


def encode(encoder: SentenceEncoder, texts: list[str | TextPart]) -> np.ndarray:
    vectors = np.full((len(texts), encoder.dimension), np.nan, dtype=np.float32)
    for indices, rows in encoder.encode(texts):
        assert np.isnan(vectors[indices]).all(), "an index came twice"
        vectors[indices] = rows
    return vectors


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return load_encoder(variant="fp32")


def test_importing_embed_and_loading_the_bundled_model_does_not_import_torch() -> None:
    code = (
        "import sys, narratives.embed as embed; encoder = embed.load_encoder();"
        "print(encoder.name, encoder.dimension, *encoder.languages);"
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [BUNDLED_NAME, "384", "en"]


def test_the_bundled_model_also_answers_to_its_hub_name() -> None:
    assert load_encoder(f"sentence-transformers/{BUNDLED_NAME}", "fp32").name == BUNDLED_NAME


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    """A copy of the bundled model, with links in place of its files."""
    folder, original = tmp_path / "model", locate_bundled_model()
    for name in BUNDLED_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(original / name)
    return folder


def test_a_changed_or_missing_file_of_the_model_is_refused(copied_model: Path) -> None:
    for name in BUNDLED_FILES:
        path = copied_model / name
        original = path.resolve()
        path.unlink()
        with pytest.raises(EncoderError, match=rf"no file .*{re.escape(name)}"):
            locate_bundled_model(copied_model)
        content = bytearray(original.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(EncoderError, match=rf"{re.escape(name)} with sha256 [0-9a-f]{{64}} instead of"):
            locate_bundled_model(copied_model)
        path.unlink()
        path.symlink_to(original)


def test_a_file_that_is_not_part_of_the_model_is_refused(copied_model: Path) -> None:
    (copied_model / "README.md").write_text("Read by nobody.")
    assert locate_bundled_model(copied_model) == copied_model
    (copied_model / "adapter_config.json").write_text("{}")
    with pytest.raises(EncoderError, match=r"adapter_config\.json, which is not part of the model"):
        locate_bundled_model(copied_model)


def test_missing_models_unknown_variants_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"no file .*config\.json"):
        locate_bundled_model(tmp_path)
    with pytest.raises(EncoderError, match="int4"):
        load_encoder(variant="int4")
    with pytest.raises(EncoderError, match="no such folder"):
        load_encoder(str(tmp_path / "absent"))


def test_bf16_on_a_cpu_without_amx_is_said_to_be_slow(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("narratives.embed.encoder.has_amx", lambda: False)
    assert load_encoder().variant == "fp32"
    with caplog.at_level(logging.WARNING):
        assert load_encoder(variant="bf16").variant == "bf16"
    assert "slow" in caplog.text


@pytest.mark.model
@pytest.mark.parametrize("variant", ["fp32", "bf16"])
def test_a_vector_depends_on_its_text_alone(variant: str) -> None:
    import torch

    encoder = load_encoder(variant=variant)
    texts = sentences(6 * MODEL_BATCH_ROWS + 3)
    vectors = encode(encoder, texts)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)

    order = random.Random(1).sample(range(len(texts)), len(texts))
    assert np.array_equal(encode(encoder, [texts[i] for i in order]), vectors[order])
    assert np.array_equal(encode(encoder, [texts[40]])[0], vectors[40])

    threads = torch.get_num_threads()
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            assert np.array_equal(encode(encoder, texts), vectors)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.model
def test_vectors_are_those_of_the_library(encoder: SentenceEncoder) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*sentences(60), ""]
    library = SentenceTransformer(str(locate_bundled_model()), device="cpu", local_files_only=True).encode(texts)
    assert np.abs(encode(encoder, texts) - library).max() < 1e-6


@pytest.mark.model
def test_a_part_is_encoded_with_its_text_whatever_else_is_asked_for(encoder: SentenceEncoder) -> None:
    text = "He spoke in Moscow. It was a sunny day. They did not agree."
    parts = [TextPart(text, 0, 19), TextPart(text, 20, 39), TextPart(text, 40, 59)]
    together = encode(encoder, [text, *parts])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert np.array_equal(encode(encoder, [parts[1], "Another text."])[0], together[2])
    alone = encode(encoder, [str(part) for part in parts])
    nearest = (together[1:] @ alone.T).argmax(axis=1).tolist()
    assert nearest == [0, 1, 2]
    assert (together[1:] @ together[0] > (alone @ together[0])).all(), "parts keep something of their context"


@pytest.mark.model
def test_a_text_longer_than_the_model_reads_is_divided_between_sentences(encoder: SentenceEncoder) -> None:
    filler = "The delegations discussed agriculture, railways and the exchange of students. " * 30
    claim = "Nobody has ever shown proof of interference in the elections."
    text = filler + claim
    part = TextPart(text, len(filler), len(text))
    whole, end, short, plain = encode(encoder, [text, part, claim, filler])
    assert end @ short > 0.6, "the end of the text is read"
    assert whole @ short > plain @ short + 0.01
    assert encode(encoder, ["word " * 1000]).shape == (1, encoder.dimension)


@pytest.mark.model
def test_stopping_between_batches_ends_the_work(encoder: SentenceEncoder) -> None:
    texts = sentences(700)
    work = encoder.encode(texts)
    indices, rows = next(work)
    work.close()
    assert 256 <= len(indices) == len(rows) < len(texts)
    assert np.array_equal(encode(encoder, [texts[i] for i in indices[:5]]), rows[:5])


@pytest.mark.model
def test_nothing_to_encode_gives_no_batch(encoder: SentenceEncoder) -> None:
    assert list(encoder.encode([])) == []


@pytest.mark.model
def test_a_model_folder_is_named_by_its_weights_and_read_by_its_card(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in locate_bundled_model().iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "README.md").unlink()
    (folder / "README.md").write_text("---\nlanguage:\n- en\n- ru\n- multilingual\n---\n", encoding="utf-8")
    mine = load_encoder(str(folder), "fp32")
    assert mine.name == "mine-53aa5117"
    assert mine.dimension == 384
    assert mine.languages == {"en", "ru"}


@pytest.mark.model
def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="sentence-transformers model"):
        load_encoder(str(tmp_path))
