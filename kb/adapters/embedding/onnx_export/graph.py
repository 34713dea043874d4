"""Writes the network of a BERT-like embedding model as an ONNX graph for one text at a time, most of it in 8 bit.

Reads `config.json` and `model.safetensors`; needs neither torch nor transformers. One text without padding needs no
attention mask, and its vector does not depend on what else is embedded at the time: the scale of the activations, which
ONNX Runtime finds as it runs, is that text's own.

ONNX Runtime's fused operators are used directly, because no exporter arrives at them: `torch.onnx.export` takes half a
minute and several GB, and its graph's attention is not recognised by the optimiser of onnxruntime 1.32.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from kb.errors import ModelLoadError

if TYPE_CHECKING:
    from onnx import ModelProto

Pooling = Literal["mean", "cls"]
FloatArray = npt.NDArray[np.float32]

_FAMILIES = {"bert": False, "roberta": True, "xlm-roberta": True, "camembert": True}
"""Kinds of model with BERT's layers; whether they count positions from behind the padding token's."""

_MICROSOFT = "com.microsoft"  # the domain of ONNX Runtime's own operators
_OPSET, _MICROSOFT_OPSET, _FORMAT = 20, 1, 10

_LARGEST_WEIGHT = 63
"""7 bit: processors without VNNI add two products in 16 bit, and 8-bit weights would overflow there. ONNX Runtime's
quantiser calls it `reduce_range`."""

_BLOCK, _ZERO, _ACTIVATIONS_IN_8_BIT = 256, 128, 4
"""Of `MatMulNBits`: the largest block there is, what stands for 0, and its level of accuracy."""


@dataclass(frozen=True, slots=True)
class _Shape:
    layers: int
    heads: int
    epsilon: float
    first_position: int


class _Weights:
    """The tensors of a model by their names in BERT, whatever stands before these."""

    def __init__(self, opened: Any) -> None:
        known = "embeddings.word_embeddings.weight"
        self._opened = opened
        self._prefix = next(name for name in opened.keys() if name.endswith(known)).removesuffix(known)  # noqa: SIM118

    def __getitem__(self, name: str) -> FloatArray:
        return np.asarray(self._opened.get_tensor(self._prefix + name), dtype=np.float32)


def build_graph(folder: Path, pooling: Pooling) -> "ModelProto":
    """Builds the network: token ids `ids (1, n) int64` in, `vector (1, d) float32` of unit norm out.

    Args:
        folder: With `config.json` and `model.safetensors`.
        pooling: How the vectors of the tokens become one.

    Raises:
        ModelLoadError: The model is of another kind, or its files do not fit together; the message is the reason.
    """
    from safetensors import SafetensorError, safe_open

    shape = _read_shape(folder / "config.json")
    try:
        with safe_open(folder / "model.safetensors", framework="numpy") as opened:
            return _build(shape, _Weights(opened), pooling)
    except (OSError, SafetensorError, StopIteration, TypeError, ValueError) as error:
        raise ModelLoadError(f"its weights cannot be used: {error}") from error


def _read_shape(path: Path) -> _Shape:
    try:
        config = json.loads(path.read_text("utf-8"))
        family = config["model_type"]
        if family not in _FAMILIES:
            raise ModelLoadError(f"its kind, {family}, has other layers than BERT")
        for key, expected in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
            if config.get(key, expected) != expected:
                raise ModelLoadError(f"its {key} is {config[key]}")
        return _Shape(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            first_position=int(config["pad_token_id"]) + 1 if _FAMILIES[family] else 0,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelLoadError(f"its config.json cannot be used: {error!r}") from error


class _Graph:
    """Nodes and constants as they are added; each operation gives the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.add_many(1, operator, *inputs, domain=domain, **attributes)[0]

    def add_many(self, count: int, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> list[str]:
        from onnx import helper

        outputs = [f"n{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs

    def linear(self, x: str, weight: FloatArray, bias: FloatArray | None = None) -> str:
        """Multiplies in 8 bit: weights with a scale for each output, activations with one for the whole text."""
        columns = weight.T
        scale = _scales(columns, axis=0)
        quantised = np.round(columns / scale).astype(np.int8)
        named_bias = "" if bias is None else self.constant(bias)
        inputs = (x, self.constant(quantised), self.constant(scale[0]), "", named_bias)
        return self.add("DynamicQuantizeMatMul", *inputs, domain=_MICROSOFT)

    def linear_in_blocks(self, x: str, weight: FloatArray, bias: FloatArray) -> str:
        """Multiplies in 8 bit where a few activations dwarf the rest: each block of inputs has scales of its own, of
        the weights for each output, and of the activations for each token."""
        outputs, inputs = weight.shape
        columns = np.pad(weight, ((0, 0), (0, -inputs % _BLOCK))).reshape(outputs, -1, _BLOCK)
        scale = _scales(columns, axis=2)
        quantised = (np.round(columns / scale) + _ZERO).astype(np.uint8)
        named = (self.constant(quantised), self.constant(scale[..., 0]), "", "", self.constant(bias))
        sizes = {"K": inputs, "N": outputs, "bits": 8, "block_size": _BLOCK}
        return self.add("MatMulNBits", x, *named, domain=_MICROSOFT, accuracy_level=_ACTIVATIONS_IN_8_BIT, **sizes)

    def norm_of_sum(self, x: str, y: str, weights: Sequence[FloatArray], epsilon: float) -> str:
        """Layer norm of x + y, several times as fast as `SkipLayerNormalization`; `weights` are its weight and bias."""
        return self.add("LayerNormalization", self.add("Add", x, y), *map(self.constant, weights), epsilon=epsilon)


def _build(shape: _Shape, weights: _Weights, pooling: Pooling) -> "ModelProto":
    from onnx import TensorProto, helper

    graph = _Graph()
    x = _embed_tokens(graph, shape, weights)
    for number in range(shape.layers):
        x = _encode(graph, shape, weights, f"encoder.layer.{number}", x)
    if pooling == "mean":
        x = graph.add("ReduceMean", x, graph.constant(np.array([1])), keepdims=0)
    else:
        x = graph.add("Gather", x, graph.constant(np.array(0)), axis=1)
    graph.nodes.append(helper.make_node("LpNormalization", [x], ["vector"], axis=1, p=2))
    dimension = len(weights["embeddings.LayerNorm.weight"])
    made = helper.make_graph(
        graph.nodes,
        "embedder",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, dimension])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, _MICROSOFT_OPSET)]
    return helper.make_model(made, opset_imports=opsets, ir_version=_FORMAT, producer_name="r1-kb")


def _embed_tokens(graph: _Graph, shape: _Shape, weights: _Weights) -> str:
    from onnx import TensorProto

    words = weights["embeddings.word_embeddings.weight"]
    scale = _scales(words, axis=1)
    rows = graph.add("Gather", graph.constant(np.round(words / scale).astype(np.int8)), "ids")
    scales = graph.add("Gather", graph.constant(scale), "ids")
    x = graph.add("Mul", graph.add("Cast", rows, to=TensorProto.FLOAT), scales)
    places = weights["embeddings.position_embeddings.weight"][shape.first_position :]
    places = places + weights["embeddings.token_type_embeddings.weight"][0]
    zero, length = graph.constant(np.array([0])), graph.add("Shape", "ids", start=1)
    x = graph.add("Add", x, graph.add("Slice", graph.constant(places), zero, length, zero))
    norm = [graph.constant(weights[f"embeddings.LayerNorm.{part}"]) for part in ("weight", "bias")]
    return graph.add("LayerNormalization", x, *norm, epsilon=shape.epsilon)


def _encode(graph: _Graph, shape: _Shape, weights: _Weights, layer: str, x: str) -> str:
    def norm(part: str) -> list[FloatArray]:
        return [weights[f"{layer}.{part}.LayerNorm.{name}"] for name in ("weight", "bias")]

    def dense(part: str) -> list[FloatArray]:
        return [weights[f"{layer}.{part}.dense.{name}"] for name in ("weight", "bias")]

    projections = [f"{layer}.attention.self.{name}" for name in ("query", "key", "value")]
    weight = np.concatenate([weights[f"{name}.weight"] for name in projections])
    bias = np.concatenate([weights[f"{name}.bias"] for name in projections])
    parts = graph.add_many(3, "Split", graph.linear(x, weight, bias), axis=2, num_outputs=3)
    attended = graph.add("MultiHeadAttention", *parts, domain=_MICROSOFT, num_heads=shape.heads)
    y = graph.linear(attended, *dense("attention.output"))
    x = graph.norm_of_sum(x, y, norm("attention.output"), shape.epsilon)
    y = graph.linear(x, weights[f"{layer}.intermediate.dense.weight"])
    y = graph.add("BiasGelu", y, graph.constant(weights[f"{layer}.intermediate.dense.bias"]), domain=_MICROSOFT)
    # What comes out of GELU has a few values that dwarf the rest: with one scale for all, this product alone would cost
    # half the accuracy, and in 32 bit it would take four tenths of the time.
    y = graph.linear_in_blocks(y, *dense("output"))
    return graph.norm_of_sum(x, y, norm("output"), shape.epsilon)


def _scales(weights: FloatArray, axis: int) -> FloatArray:
    largest: FloatArray = np.abs(weights).max(axis, keepdims=True) / np.float32(_LARGEST_WEIGHT)
    largest[largest == 0] = 1
    return largest
