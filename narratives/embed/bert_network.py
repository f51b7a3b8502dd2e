"""The network of the bundled model, BERT (Devlin et al. 2019), computed by OpenVINO.

It starts in half a second, where importing PyTorch and loading the model take six, and computes faster. The libraries
of PyTorch are not imported.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.embed.network import Features, Piece, Tokens, make_batches, multiplies_bf16
from narratives.embed.torch_network import HEAD, Tensor
from narratives.model.text import VectorArray

if TYPE_CHECKING:
    from openvino import CompiledModel, Model, Node

MASKED = -1e9  # is added to the weight of a token that only fills a row
_core_lock = threading.Lock()


class BertNetwork:
    """The model in `folder`, or a classifier that was trained from it: its `tensors` replace those of the model.

    With the `variant` bf16, a CPU that multiplies in bf16 does so, except for the head of a classifier. Another CPU
    computes in fp32, which is faster there: the cosine of the two is above 0.9999.
    """

    pools_tokens = True

    def __init__(self, folder: Path, variant: str, tensors: Mapping[str, Tensor] | None = None) -> None:
        from safetensors.numpy import load_file

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors") | dict(tensors or {})
        self.workers = _count_workers()
        self._tokeniser = _BertTokeniser(folder)
        self._head = _compile(_build_head(weights), "f32", self.workers) if tensors else None
        precision = "bf16" if variant == "bf16" and multiplies_bf16() else "f32"
        self._states = _compile(_Graph(weights, config).build(), precision, self.workers)
        self._requests = threading.local()

    def make_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[Piece], Features]]:
        """Cut texts into batches of one padded length each."""
        return make_batches(self._tokeniser, texts)

    def start_thread(self) -> None:
        """Make the requests of a thread: a request computes one batch at a time."""
        self._requests.states = self._states.create_infer_request()
        self._requests.head = self._head.create_infer_request() if self._head else None

    def compute(self, features: Features, count: int) -> list[VectorArray]:
        """Compute the states (t, d) of the tokens of each row, (1, k) outputs for a classifier."""
        ids, mask = features["input_ids"], features["attention_mask"]
        states: VectorArray = self._requests.states.infer([ids, mask])[0]
        if self._requests.head:
            return list(self._requests.head.infer([states, mask])[0][:count, None])
        return [states[row, : mask[row].sum()] for row in range(count)]


def _count_workers() -> int:
    """The number of processors that this process may use, or that OMP_NUM_THREADS allows as for other libraries."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    if allowed.isdigit() and int(allowed):
        return int(allowed)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _load_library() -> Any:  # noqa: ANN401  (a module without types)
    # With the library come tools that report their use to its makers. Without this package they cannot.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@cache
def _open_core() -> Any:  # noqa: ANN401
    """Open the library's runtime, once for the process.

    It gives the calling thread a stack for signals. A second one would take it away when it is freed: the next signal,
    such as Ctrl-C, would then end the process.
    """
    return _load_library().Core()


def _compile(graph: Model, precision: str, workers: int) -> CompiledModel:
    """Compile a graph so that each of its requests uses one thread, on whichever processor is free."""
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": str(workers),
        "INFERENCE_NUM_THREADS": str(workers),
        "ENABLE_CPU_PINNING": "NO",
    }
    with _core_lock:
        return _open_core().compile_model(graph, "CPU", settings)


class _BertTokeniser:
    """The tokeniser of the model in a folder, with the settings that sentence-transformers reads there."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        settings = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        self.limit = int(settings["max_seq_length"])
        self._whole, self._truncating = (Tokenizer.from_file(str(folder / "tokenizer.json")) for _ in range(2))
        for tokenizer in (self._whole, self._truncating):
            tokenizer.no_padding()
        self._whole.no_truncation()
        self._truncating.enable_truncation(self.limit)
        self.reserved = self._whole.num_special_tokens_to_add(False)

    def cut(self, texts: Sequence[str], *, truncate: bool = False) -> list[Tokens]:
        """Return the tokens of each text."""
        found = (self._truncating if truncate else self._whole).encode_batch(texts)
        return [Tokens({"input_ids": one.ids}, np.array(one.offsets, np.int64).reshape(-1, 2)) for one in found]

    def pad(self, rows: Sequence[Tokens], length: int) -> Features:
        """Return ids and mask (r, length) of rows; id 0 fills them up."""
        ids, mask = (np.zeros((len(rows), length), np.int64) for _ in range(2))
        for place, row in enumerate(rows):
            ids[place, : row.number] = row.features["input_ids"]
            mask[place, : row.number] = 1
        return {"input_ids": ids, "attention_mask": mask}


class _Graph:
    """Makes the graph of BERT from its weights, which have the names of the transformers library.

    The weights are taken out of the dictionary, so that they are in memory once.
    """

    def __init__(self, weights: dict[str, Tensor], config: Mapping[str, Any]) -> None:
        self._library, self._weights, self._config = _load_library(), weights, config
        self._ops = self._library.opset13

    def build(self) -> Model:
        """Build the graph: ids and mask (r, t) of whole numbers to states (r, t, d)."""
        ops = self._ops
        ids, mask = (ops.parameter([-1, -1], np.int64) for _ in range(2))
        states = self._embed(ids)
        bias = ops.unsqueeze(_weigh_tokens(mask, ops), ops.constant([1, 2]))
        for number in range(self._config["num_hidden_layers"]):
            states = self._add_layer(states, bias, f"encoder.layer.{number}.")
        return self._library.Model([states], [ids, mask], "bert")

    def _embed(self, ids: Node) -> Node:
        """Embed words and their places; all are of the first kind of sentence."""
        ops, start = self._ops, "embeddings."
        places = self._get(f"{start}position_embeddings.weight") + self._get(f"{start}token_type_embeddings.weight")[0]
        length = ops.gather(ops.shape_of(ids), ops.constant([1]), ops.constant(0))
        first = ops.slice(ops.constant(places), ops.constant([0]), length, ops.constant([1]), ops.constant([0]))
        words = ops.gather(ops.constant(self._get(f"{start}word_embeddings.weight")), ids, ops.constant(0))
        return self._normalise(ops.add(words, ops.unsqueeze(first, ops.constant(0))), f"{start}LayerNorm")

    def _add_layer(self, states: Node, bias: Node, start: str) -> Node:
        ops = self._ops
        heads, width = self._config["num_attention_heads"], self._config["hidden_size"]
        apart, swapped = ops.constant([0, 0, heads, width // heads]), ops.constant([0, 2, 1, 3])
        query, key, value = (
            ops.transpose(ops.reshape(self._project(states, f"{start}attention.self.{name}"), apart, True), swapped)
            for name in ("query", "key", "value")
        )
        mixed = ops.transpose(ops.scaled_dot_product_attention(query, key, value, bias), swapped)
        mixed = self._project(ops.reshape(mixed, ops.constant([0, 0, width]), True), f"{start}attention.output.dense")
        states = self._normalise(ops.add(mixed, states), f"{start}attention.output.LayerNorm")
        inner = ops.gelu(self._project(states, f"{start}intermediate.dense"), "ERF")
        return self._normalise(
            ops.add(self._project(inner, f"{start}output.dense"), states), f"{start}output.LayerNorm"
        )

    def _project(self, states: Node, name: str) -> Node:
        ops, weight = self._ops, self._get(f"{name}.weight")
        product = ops.matmul(states, ops.constant(weight), False, True)
        return ops.add(product, ops.constant(self._get(f"{name}.bias")[None, None]))

    def _normalise(self, states: Node, name: str) -> Node:
        ops = self._ops
        scaled = ops.mvn(states, ops.constant([-1]), True, self._config["layer_norm_eps"], "INSIDE_SQRT")
        scaled = ops.multiply(scaled, ops.constant(self._get(f"{name}.weight")[None, None]))
        return ops.add(scaled, ops.constant(self._get(f"{name}.bias")[None, None]))

    def _get(self, name: str) -> Tensor:
        return np.asarray(self._weights.pop(name), np.float32)


def _weigh_tokens(mask: Node, ops: Any) -> Node:  # noqa: ANN401
    """Return what is added to the weight of each token (r, t): 0, and MASKED for one that only fills its row."""
    filled = ops.subtract(ops.constant(np.float32(1)), ops.convert(mask, np.float32))
    return ops.multiply(filled, ops.constant(np.float32(MASKED)))


def _build_head(weights: Mapping[str, Tensor]) -> Model:
    """Build the graph of a classifier's head: states (r, t, d) and mask (r, t) to outputs (r, k)."""
    library = _load_library()
    ops = library.opset13
    query, weight, bias = (weights[f"{HEAD}{name}"].astype(np.float32) for name in ("query", "weight", "bias"))
    states, mask = ops.parameter([-1, -1, query.shape[1]], np.float32), ops.parameter([-1, -1], np.int64)
    scaled = ops.constant(query / np.float32(np.sqrt(query.shape[1])))
    filled = ops.unsqueeze(_weigh_tokens(mask, ops), ops.constant([2]))
    attention = ops.softmax(ops.add(ops.matmul(states, scaled, False, True), filled), 1)
    weighted = ops.multiply(attention, ops.matmul(states, ops.constant(weight), False, True))
    outputs = ops.add(ops.reduce_sum(weighted, ops.constant([1]), False), ops.constant(bias[None]))
    return library.Model([outputs], [states, mask], "head")
