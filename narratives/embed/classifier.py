"""A fine-tuned copy of the encoder that says, for each narrative, whether a paragraph advances it.

The embeddings and the lowest third of the encoder's layers stay as they are. The layers above are trained, with one
attention over the tokens and one linear output for each narrative (label-wise attention, Mullenbach et al. 2018).
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from narratives.embed.encoder import SentenceEncoder, encode_all
from narratives.embed.network import Network, multiplies_bf16
from narratives.embed.torch_network import HEAD, Tensor, make_head
from narratives.model import EncoderError, Text, VectorArray

if TYPE_CHECKING:
    import torch

TRAINING_VERSION = 3  # raise it when training gives another result
FROZEN_SHARE = 1 / 3  # of the layers, from below
MAX_TRAINING_TOKENS = 128
BATCH_ROWS = 24
LEARNING_RATE, HEAD_RATE = 1e-4, 2e-3
WARM_UP_SHARE = 0.1
PASSES = 3
MAX_POSITIVE_WEIGHT = 20.0
# Rows of similar length are batched together, among the rows of this many batches.
SORTED_BATCHES = 32


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """n texts to train on, for k narratives.

    `labels` (n, k) says which narratives a text advances; pairs that are not `known` (n, k) are ignored. `weights`
    (n,) are the weights of the texts.
    """

    texts: Sequence[str]
    labels: NDArray[np.bool_]
    known: NDArray[np.bool_]
    weights: NDArray[np.float32]


class ParagraphClassifier(SentenceEncoder):
    """Outputs of k narratives for a text, as log-odds; an output depends on its text alone.

    It has the interface of an encoder: `dimension` is k, and `encode` yields float32 rows of k outputs. It reads the
    texts exactly as the encoder that it was trained from does, with the same guarantees.
    """

    def __init__(
        self, encoder: SentenceEncoder, tensors: Mapping[str, Tensor], name: str, metadata: Mapping[str, Any]
    ) -> None:
        super().__init__(encoder._source, name, encoder.variant, offline=encoder._offline)
        self.metadata = metadata
        self._encoder, self._tensors = encoder, tensors

    def __reduce__(self) -> tuple[Callable[..., ParagraphClassifier], tuple[object, ...]]:
        """Return what makes the classifier again in another process."""
        return type(self), (self._encoder, self._tensors, self.name, self.metadata)

    @property
    def dimension(self) -> int:
        """The number of narratives."""
        return len(self._tensors[f"{HEAD}bias"])

    @property
    def languages(self) -> frozenset[str]:
        """The languages of the encoder."""
        return self._encoder.languages

    @property
    def held_out(self) -> VectorArray:
        """The outputs (n, k) of the n texts that it was trained on, of classifiers that did not see their documents."""
        return self._tensors["held_out"].astype(np.float32)

    @property
    def base(self) -> SentenceEncoder:
        """The encoder that it was trained from."""
        return self._encoder

    @cached_property
    def network(self) -> Network:
        """What computes the outputs."""
        return self._encoder.open_network(self._tensors)

    def _join(self, pieces: Sequence[tuple[object, VectorArray]], text: Text) -> VectorArray:
        """Return the highest outputs: a text advances what one of its pieces advances."""
        highest: VectorArray = np.concatenate([outputs for _, outputs in pieces]).max(axis=0)
        return highest


def load_classifier(
    path: Path,
    encoder: SentenceEncoder,
    hint: str = "Delete it to do without it, or run `train` again.",
    sha256: str = "",
) -> ParagraphClassifier:
    """Read a classifier that `dump_classifier` made; torch is not imported before it is used.

    Its name contains the start of the file's sha256. Its `metadata` has what was given to `dump_classifier`, and the
    name of the `model` that it was trained from, which the caller compares with the encoder's. Raises EncoderError
    where the file is missing or damaged, or is not the one with this `sha256`.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = path.read_bytes()
        tensors, metadata = load(content), json.loads(_read_header(path)["classifier"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise EncoderError(f"a classifier at {path}", str(error), hint) from error
    digest = hashlib.sha256(content).hexdigest()
    if sha256 and digest != sha256:
        raise EncoderError(f"a classifier at {path} with sha256 {sha256}", digest, hint)
    return ParagraphClassifier(encoder, tensors, f"classifier-{digest[:12]}", metadata)


def _read_header(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return dict(file.metadata() or {})


def dump_classifier(classifier: ParagraphClassifier, held_out: VectorArray, metadata: Mapping[str, Any]) -> bytes:
    """Return a file of the trained tensors and the outputs out of fold (n, k) in half precision, with `metadata`."""
    from safetensors.numpy import save

    tensors = {**classifier._tensors, "held_out": held_out}
    # One entry, because the library writes several in any order, and the file is named by its content.
    entry = json.dumps({"model": classifier._encoder.name, **metadata}, sort_keys=True)
    content: bytes = save({key: value.astype(np.float16) for key, value in tensors.items()}, {"classifier": entry})
    return content


def train_classifier(
    encoder: SentenceEncoder,
    rows: TrainingRows,
    directions: NDArray[np.float32],
    progress: Callable[[int, int, float], None],
    checkpoint: Path | None = None,
    seed: int = 0,
) -> ParagraphClassifier:
    """Train a classifier; `directions` (k, d) are where its output weights begin, such as exemplars less background.

    The loss is the binary cross-entropy of the known pairs, with the positive pairs of a narrative weighted by the
    root of their rarity. Products of matrices are computed in bf16 where `trains_in_bf16`, and parameters kept in fp32:
    this takes half of the time. `progress` is called with the steps done, all steps, and the mean loss of this pass.
    After each pass the state is written to `checkpoint`; if that file exists, training continues from it.
    """
    run = _TrainingRun(encoder, rows, directions)
    first = run.load(checkpoint) if checkpoint and checkpoint.exists() else 0
    for number in range(first, PASSES):
        run.train_one_pass(number, seed, progress)
        if checkpoint:
            run.save(checkpoint, number + 1)
    tensors = {key: value.detach().numpy().copy() for key, value in run.parameters.items()}
    return ParagraphClassifier(encoder, tensors, "classifier", {})


def trains_in_bf16(encoder: SentenceEncoder) -> bool:
    """Whether training multiplies matrices in bf16: with an encoder in bf16, on a CPU that does it fast."""
    return encoder.variant == "bf16" and multiplies_bf16()


def compute_mean_states(classifier: ParagraphClassifier, texts: Sequence[str]) -> VectorArray:
    """Compute the mean of the last states of each text's tokens in the trained network, (n, width).

    A text that is longer than the model reads has the highest values of its pieces.
    """
    width = classifier._tensors[f"{HEAD}weight"].shape[1]
    means = {
        f"{HEAD}query": np.zeros((width, width), np.float32),
        f"{HEAD}weight": np.eye(width, dtype=np.float32),
        f"{HEAD}bias": np.zeros(width, np.float32),
    }
    return encode_all(ParagraphClassifier(classifier._encoder, {**classifier._tensors, **means}, "states", {}), texts)


def add_output(
    classifier: ParagraphClassifier, weights: VectorArray, bias: float, after: int | None = None
) -> ParagraphClassifier:
    """Return the classifier with one more output, a linear function of the mean state: weights (width,) and bias.

    It comes after the first `after` outputs, in place of any others; by default after all.
    """
    tensors = dict(classifier._tensors)
    # A query of zeros attends to all tokens alike.
    rows = {"query": np.zeros_like(weights)[None], "weight": weights[None], "bias": np.array([bias])}
    for name, row in rows.items():
        kept = tensors[f"{HEAD}{name}"][:after].astype(np.float32)
        tensors[f"{HEAD}{name}"] = np.concatenate([kept, row], dtype=np.float32)
    return ParagraphClassifier(classifier._encoder, tensors, classifier.name, classifier.metadata)


class _TrainingRun:
    """The network, the optimiser and the rows as tensors."""

    def __init__(self, encoder: SentenceEncoder, rows: TrainingRows, directions: NDArray[np.float32]) -> None:
        import torch

        self._tokenizer, self._half = encoder.model.tokenizer, trains_in_bf16(encoder)
        self._transformer = cast("Any", copy.deepcopy(encoder.model[0].auto_model))
        self._transformer.float()
        self._head = cast("Any", make_head(*directions.shape))
        accepted, rejected = (rows.labels & rows.known).sum(axis=0), (~rows.labels & rows.known).sum(axis=0)
        rarity = np.maximum(rejected, 1) / np.maximum(accepted, 1)
        with torch.no_grad():
            self._head.weight.copy_(torch.from_numpy(directions))
            self._head.bias.copy_(torch.from_numpy(-np.log(rarity).astype(np.float32)))
        tuned = _select_tuned(self._transformer)
        self.parameters = {**tuned, **{f"{HEAD}{key}": value for key, value in self._head.named_parameters()}}
        groups = [
            {"params": list(tuned.values()), "lr": LEARNING_RATE},
            {"params": list(self._head.parameters()), "lr": HEAD_RATE},
        ]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
        self._tokens = [
            self._tokenizer(text, truncation=True, max_length=MAX_TRAINING_TOKENS)["input_ids"] for text in rows.texts
        ]
        self._positive = torch.from_numpy(np.sqrt(rarity).clip(1, MAX_POSITIVE_WEIGHT).astype(np.float32))
        self._labels = torch.from_numpy(rows.labels.astype(np.float32))
        self._weights = torch.from_numpy((rows.known * rows.weights[:, None]).astype(np.float32))
        self._steps = math.ceil(len(self._tokens) / BATCH_ROWS)

    def train_one_pass(self, number: int, seed: int, progress: Callable[[int, int, float], None]) -> None:
        """Train on every row once. The order of the rows depends on the seed and the number of the pass."""
        import torch

        torch.manual_seed(seed + number)
        batches = _make_training_batches([len(row) for row in self._tokens], np.random.default_rng([seed, number]))
        self._transformer.train()
        all_steps, total = PASSES * self._steps, 0.0
        for done, batch in enumerate(batches, 1):
            step = number * self._steps + done
            self._set_rates(min(step / (WARM_UP_SHARE * all_steps), (all_steps - step + 1) / all_steps))
            total += self._train_on(batch)
            progress(step, all_steps, total / done)

    def save(self, path: Path, passes: int) -> None:
        """Write the parameters and the state of the optimiser after so many passes."""
        from safetensors.torch import save_file

        tensors: dict[str, torch.Tensor] = {}
        for name, parameter in self.parameters.items():
            state = self._optimiser.state[parameter]
            tensors |= {name: parameter.detach(), f"{name}:m": state["exp_avg"], f"{name}:v": state["exp_avg_sq"]}
        temporary = path.with_suffix(".part")
        save_file(tensors, temporary, {"passes": str(passes), "steps": str(passes * self._steps)})
        temporary.replace(path)

    def load(self, path: Path) -> int:
        """Continue from a saved state, and return its number of passes."""
        import torch
        from safetensors.torch import load_file

        tensors, metadata = load_file(path), _read_header(path)
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[name])
                self._optimiser.state[parameter] = {
                    "step": torch.tensor(float(metadata["steps"])),
                    "exp_avg": tensors[f"{name}:m"],
                    "exp_avg_sq": tensors[f"{name}:v"],
                }
        return int(metadata["passes"])

    def _set_rates(self, factor: float) -> None:
        for group, rate in zip(self._optimiser.param_groups, (LEARNING_RATE, HEAD_RATE), strict=True):
            group["lr"] = rate * factor

    def _train_on(self, batch: list[int]) -> float:
        import torch

        features = self._tokenizer.pad([{"input_ids": self._tokens[row]} for row in batch], return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16, enabled=self._half):
            states = self._transformer(input_ids=features["input_ids"], attention_mask=features["attention_mask"])
        outputs = self._head(states.last_hidden_state.float(), features["attention_mask"])
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            outputs, self._labels[batch], self._weights[batch], pos_weight=self._positive, reduction="none"
        )
        loss = losses.sum(dim=1).mean()
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), 1.0)
        self._optimiser.step()
        return float(loss.detach())


def _select_tuned(transformer: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """Freeze all parameters but those of the upper layers, and return these by name."""
    import torch

    lists = {name: module for name, module in transformer.named_modules() if isinstance(module, torch.nn.ModuleList)}
    name = next((name for name in lists if name.endswith("layer")), "")
    if not name:
        raise EncoderError("a model with transformer layers", type(transformer).__name__, "Train with another --model.")
    layers = len(lists[name])
    upper = tuple(f"{name}.{number}." for number in range(round(layers * FROZEN_SHARE), layers))
    for name, parameter in transformer.named_parameters():
        parameter.requires_grad = name.startswith(upper)
    return {name: parameter for name, parameter in transformer.named_parameters() if parameter.requires_grad}


def _make_training_batches(lengths: Sequence[int], draw: np.random.Generator) -> list[list[int]]:
    """Shuffle rows into batches of rows of similar length."""
    rows = draw.permutation(len(lengths)).tolist()
    batches = []
    for start in range(0, len(rows), BATCH_ROWS * SORTED_BATCHES):
        part = sorted(rows[start : start + BATCH_ROWS * SORTED_BATCHES], key=lengths.__getitem__)
        batches += [part[first : first + BATCH_ROWS] for first in range(0, len(part), BATCH_ROWS)]
    return [batches[number] for number in draw.permutation(len(batches))]
