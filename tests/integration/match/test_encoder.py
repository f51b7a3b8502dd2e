"""The encoder: nothing heavy at import, verified weights, and vectors that depend on the text alone."""

from __future__ import annotations

import pickle
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from narratives.embed import load_classifier
from narratives.embed.bert_network import BertNetwork
from narratives.embed.encoder import BUNDLED_FILES, BUNDLED_NAME, SentenceEncoder, load_encoder, locate_bundled_model
from narratives.embed.network import BATCH_ROWS, multiplies_bf16
from narratives.embed.torch_network import TorchNetwork
from narratives.model import ConfigError, EncoderError, TextPart
from narratives.store import Store
from narratives.workflows.engines.embedder import check_encoder
from narratives.workflows.match import SHIPPED_CLASSIFIER, load_store_encoder
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


def test_importing_embed_and_loading_the_bundled_model_is_light() -> None:
    code = (
        "import sys, narratives.embed as embed; encoder = embed.load_encoder();"
        "print(encoder.name, encoder.dimension, *encoder.languages);"
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers', 'sklearn', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [BUNDLED_NAME, "384", "en"]


@pytest.mark.model
def test_encoding_with_the_bundled_model_needs_no_torch_and_asks_no_name_server() -> None:
    code = (
        "import socket, sys; asked = []; socket.getaddrinfo = lambda *given, **_: asked.append(given);"
        "from narratives import embed; rows = embed.encode_all(embed.load_encoder(), ['A sentence.']);"
        "print(rows.shape, asked, sys.modules['openvino_telemetry']);"
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(1, 384) [] None"


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


@pytest.mark.parametrize("flags", ["fpu sse2 amx_bf16 avx2", "fpu avx512f avx512_bf16"])
def test_bf16_is_chosen_where_the_cpu_multiplies_in_it(flags: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"flags : {flags}")
    assert multiplies_bf16()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "flags : fpu sse2 avx2 avx512f avx512_vnni")
    assert not multiplies_bf16()


@pytest.mark.model
def test_another_cpu_computes_bf16_in_fp32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    set_bf16(monkeypatch, True)
    assert load_encoder().variant == "bf16"
    set_bf16(monkeypatch, False)
    assert load_encoder().variant == "fp32"
    texts = sentences(9)
    assert np.array_equal(encode(load_encoder(variant="bf16"), texts), encode(load_encoder(variant="fp32"), texts))
    assert not caplog.text
    (tmp_path / "mine").symlink_to(locate_bundled_model())
    assert load_encoder(str(tmp_path / "mine"), "bf16").variant == "bf16"
    assert "encoding in bf16 will be slow" in caplog.text


def set_bf16(monkeypatch: pytest.MonkeyPatch, multiplies: bool) -> None:
    """Pretend that this CPU does, or does not, multiply in bf16."""
    for place in ("encoder", "bert_network"):
        monkeypatch.setattr(f"narratives.embed.{place}.multiplies_bf16", lambda: multiplies)


@pytest.mark.model
def test_where_openvino_does_not_run_torch_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no such instructions")

    monkeypatch.setattr("narratives.embed.bert_network._compile", refuse)
    encoder = load_encoder(variant="fp32")
    assert isinstance(encoder.network, TorchNetwork) and encoder.uses_torch
    assert "so PyTorch is used: no such instructions" in caplog.text


@pytest.mark.model
@pytest.mark.parametrize("variant", ["fp32", "bf16"])
@pytest.mark.parametrize("uses_torch", [False, True])
def test_a_vector_depends_on_its_text_alone(variant: str, uses_torch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(threads: int) -> SentenceEncoder:
        encoder = load_encoder(variant=variant)
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        if uses_torch:
            encoder.use_torch()
            monkeypatch.setattr("torch.get_num_threads", lambda: threads)
        assert encoder.network.workers == threads
        return encoder

    encoder, texts = load(2), sentences(6 * BATCH_ROWS + 3)
    vectors = encode(encoder, texts)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)

    order = random.Random(1).sample(range(len(texts)), len(texts))
    assert np.array_equal(encode(encoder, [texts[i] for i in order]), vectors[order])
    assert np.array_equal(encode(encoder, [texts[40]])[0], vectors[40])
    assert np.array_equal(encode(load(1), texts), vectors)


@pytest.mark.model
def test_vectors_are_those_of_the_library(encoder: SentenceEncoder) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*sentences(60), ""]
    library = SentenceTransformer(str(locate_bundled_model()), device="cpu", local_files_only=True).encode(texts)
    assert np.abs(encode(encoder, texts) - library).max() < 1e-6
    in_torch = load_encoder(variant="fp32")
    in_torch.use_torch()
    assert np.abs(encode(in_torch, texts) - library).max() < 1e-6
    assert (encode(load_encoder(variant="bf16"), texts) * library).sum(axis=1).min() > 0.9995


@pytest.mark.model
def test_texts_are_cut_into_the_tokens_of_the_library(encoder: SentenceEncoder) -> None:
    in_torch = load_encoder(variant="fp32")
    in_torch.use_torch()
    long = "Sanctions, “they say”, are über-lawful; Обама 日本 disagreed\u200b with e\u0301clat. " * 40
    texts = [*sentences(20), long, "word " * 1000, "", " ", "\x00\ufffd \ud83d", "İstanbul ﬁnance"]
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    for (pieces, features), (expected, more) in zip(
        encoder.network.make_batches(texts), in_torch.network.make_batches(texts), strict=True
    ):
        assert [(piece.row, piece.count, piece.start) for piece in pieces] == [
            (piece.row, piece.count, piece.start) for piece in expected
        ]
        for name, values in features.items():
            assert np.array_equal(values, more[name]), name
        for one, other in zip(pieces, expected, strict=True):
            assert np.array_equal(one.offsets, other.offsets)


@pytest.mark.model
@pytest.mark.parametrize("variant", ["fp32", "bf16"])
def test_outputs_of_the_classifier_are_those_of_torch(variant: str) -> None:
    texts, encoder, in_torch = [*sentences(40), ""], load_encoder(variant=variant), load_encoder(variant="fp32")
    in_torch.use_torch()
    mine, reference = (encode(load_classifier(SHIPPED_CLASSIFIER, one), texts) for one in (encoder, in_torch))
    assert np.abs(mine - reference).max() < (1e-4 if variant == "fp32" else 0.5)


@pytest.mark.model
def test_where_openvino_computes_other_vectors_torch_takes_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = load_encoder(variant="fp32"), load_encoder(variant="fp32")
    check_encoder(good)
    assert not good.uses_torch and not caplog.text
    compute = BertNetwork.compute
    monkeypatch.setattr(BertNetwork, "compute", lambda self, *given: [states**3 for states in compute(self, *given)])
    classifier = load_classifier(SHIPPED_CLASSIFIER, bad)
    check_encoder(classifier)
    assert bad.uses_torch and "so PyTorch is used" in caplog.text
    assert isinstance(bad.network, TorchNetwork) and isinstance(classifier.network, TorchNetwork)
    again = pickle.loads(pickle.dumps(bad))
    assert again.uses_torch, "workers know it"
    check_encoder(bad)


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
def test_signals_can_be_handled_after_models_were_freed() -> None:
    """OpenVINO gives a thread a stack for signals, and took it away with the first of two models."""
    code = (
        "import gc, os, signal; from narratives.embed import encode_all, load_classifier, load_encoder\n"
        "from narratives.workflows.match import SHIPPED_CLASSIFIER as path\n"
        "def use(): encoder = load_encoder(variant='fp32'); texts = ['A sentence.']; "
        "encode_all(load_classifier(path, encoder), texts); encode_all(encoder, texts)\n"
        "use(); gc.collect(); use(); gc.collect()\n"
        "signal.signal(signal.SIGALRM, lambda *_: print('handled'))\n"
        "os.kill(os.getpid(), signal.SIGALRM)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


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


def test_a_store_keeps_the_variant_of_its_vectors(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert load_store_encoder(store, "", "fp32").variant == "fp32"
    assert load_store_encoder(store, "", "bf16").variant == "bf16"
    store.vectors(BUNDLED_NAME, "bf16", 384).append(["A text."], np.eye(1, 384, dtype=np.float32))
    assert load_store_encoder(store, "").variant == "bf16"
    assert load_store_encoder(store, "", "bf16").variant == "bf16"
    with pytest.raises(ConfigError, match=r"--variant bf16, in which the store holds its vectors; got fp32"):
        load_store_encoder(store, "", "fp32")
