"""The network of any sentence-transformers model, computed by PyTorch."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from narratives.embed.network import BATCH_ROWS, MAX_TOKENS, Features, Piece, Tokens, make_batches
from narratives.model.text import VectorArray

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Tensor: TypeAlias = NDArray[np.floating[Any]]
HEAD = "head."  # where the names of a classifier's own tensors begin


class TorchNetwork:
    """A sentence-transformers model, or a classifier that was trained from it, with its `tensors`."""

    def __init__(self, model: SentenceTransformer, tensors: Mapping[str, Tensor] | None = None) -> None:
        import torch

        self._model = model
        self.workers = max(1, torch.get_num_threads())
        self._classifier = _restore_classifier(model, tensors) if tensors else None
        self.pools_tokens = self._classifier is not None or _takes_mean(model)
        # Models that look up words one by one need no padding.
        self._tokeniser = _ModelTokeniser(model) if hasattr(model[0], "auto_model") else None

    def make_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[Piece], Features]]:
        """Cut texts into batches of one padded length each."""
        if self._tokeniser:
            yield from make_batches(self._tokeniser, texts)
            return
        for start in range(0, len(texts), BATCH_ROWS):
            chunk = texts[start : start + BATCH_ROWS]
            pieces = [Piece(start + row, 1, 0, np.zeros((0, 2), np.int64)) for row in range(len(chunk))]
            yield pieces, cast("Features", self._model.preprocess([_get_prompt(self._model) + text for text in chunk]))

    def start_thread(self) -> None:
        """Use one thread for a batch, as sums depend on the number of threads."""
        import torch

        torch.set_num_threads(1)

    def compute(self, features: Features, count: int) -> list[VectorArray]:
        """Compute the states (t, d) of the tokens of each row, (1, k) outputs for a classifier."""
        import torch

        given = {name: torch.as_tensor(values) for name, values in features.items()}
        with torch.inference_mode():
            if self._classifier:
                transformer, head = self._classifier
                states = transformer(input_ids=given["input_ids"], attention_mask=given["attention_mask"])
                outputs: VectorArray = head(states.last_hidden_state.float(), given["attention_mask"]).numpy()
                return list(outputs[:count, None])
            output = self._model(given)
            if not self.pools_tokens:
                return list(output["sentence_embedding"].float()[:count, None].numpy())
            states, mask = output["token_embeddings"].float().numpy(), features["attention_mask"]
            return [states[row, : mask[row].sum()] for row in range(count)]


class _ModelTokeniser:
    """The tokeniser of a model, whose prompt comes before each text."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._tokenizer, self._prompt = model.tokenizer, _get_prompt(model)
        self._has_offsets = bool(getattr(self._tokenizer, "is_fast", False))
        self.limit = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
        own = len(self._tokenizer.tokenize(self._prompt)) if self._has_offsets else 0
        self.reserved = self._tokenizer.num_special_tokens_to_add() + own

    def cut(self, texts: Sequence[str], *, truncate: bool = False) -> list[Tokens]:
        """Return the tokens of each text with its prompt; offsets are those of the text without it."""
        settings = {"truncation": True, "max_length": self.limit} if truncate else {"verbose": False}
        asked = [self._prompt + text for text in texts]
        found = dict(self._tokenizer(asked, return_offsets_mapping=self._has_offsets, **settings))
        offsets = found.pop("offset_mapping", [[] for _ in texts])
        return [
            Tokens(
                {name: values[row] for name, values in found.items()},
                np.array(offsets[row], np.int64).reshape(-1, 2) - len(self._prompt),
            )
            for row in range(len(texts))
        ]

    def pad(self, rows: Sequence[Tokens], length: int) -> Features:
        """Return arrays (r, length) of the features of rows."""
        features = [dict(row.features) for row in rows]
        return dict(self._tokenizer.pad(features, padding="max_length", max_length=length, return_tensors="np"))


def _get_prompt(model: SentenceTransformer) -> str:
    """Return what the model wants before each text."""
    return model.prompts.get(model.default_prompt_name or "", "") or ""


def _takes_mean(model: SentenceTransformer) -> bool:
    """Whether a text's vector is the mean of its tokens' states, without a prompt and with their offsets."""
    kinds = [type(module).__name__ for module in model]
    if _get_prompt(model) or kinds[:2] != ["Transformer", "Pooling"] or any(kind != "Normalize" for kind in kinds[2:]):
        return False
    mode = cast("Any", model[1]).get_config_dict().get("pooling_mode")
    return mode == "mean" and bool(getattr(model.tokenizer, "is_fast", False))


def make_head(count: int, width: int) -> torch.nn.Module:
    """Make the last layer of a classifier with `count` outputs, for states of `width` numbers."""
    import torch

    class Head(torch.nn.Module):
        """One attention over the tokens, at first the mean, and one linear output for each narrative."""

        def __init__(self) -> None:
            super().__init__()
            self.query = torch.nn.Parameter(torch.zeros(count, width))
            self.weight = torch.nn.Parameter(torch.zeros(count, width))
            self.bias = torch.nn.Parameter(torch.zeros(count))

        def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            attention = states @ self.query.T / math.sqrt(width)
            attention = attention.masked_fill(mask[:, :, None] == 0, -1e9).softmax(dim=1)
            outputs: torch.Tensor = (attention * (states @ self.weight.T)).sum(dim=1) + self.bias
            return outputs

    return Head()


def _restore_classifier(
    model: SentenceTransformer, tensors: Mapping[str, Tensor]
) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Return the transformer with the trained layers, and the head."""
    import torch

    parts: dict[bool, dict[str, torch.Tensor]] = {True: {}, False: {}}
    for name, tensor in tensors.items():
        if name != "held_out":
            parts[name.startswith(HEAD)][name.removeprefix(HEAD)] = torch.from_numpy(tensor)
    transformer: Any = copy.deepcopy(model[0].auto_model)
    transformer.load_state_dict(parts[False], strict=False)
    head = make_head(*tensors[f"{HEAD}weight"].shape)
    head.load_state_dict(parts[True])
    return transformer.eval(), head.eval()
