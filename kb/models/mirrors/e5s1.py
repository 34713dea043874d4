"""Reads the `E5S1` format, multilingual-e5-small in 4 bit with its tokenizer, and writes what transformers loads.

Knows nothing about where the file comes from or where the folder goes. Every length in the file is checked before it is
used: a damaged file gives `ModelDownloadError`, never a wrong model.
"""

import itertools
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from kb.errors import ModelDownloadError

FloatArray = npt.NDArray[np.float32]

SUFFIX = ".e5s1"
_MAGIC = b"E5S1"
_VERSION = 1
_F32, _Q4_0 = 0, 1
_BLOCK_WEIGHTS = 32
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_BLOCK_WEIGHTS // 2,))])  # ggml's block_q4_0
_LARGEST_DIMENSION = 1 << 20

_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """The header: i32 each, but for the epsilon."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Unigram pieces with their log probabilities, and the ids of the four special ones."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unknown: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the directory: where a tensor lies, in bytes from the start of the file."""

    dtype: int
    count: int
    offset: int
    size_bytes: int


class _Reader:
    """A cursor over the file that refuses to read past its end."""

    def __init__(self, path: Path, data: memoryview) -> None:
        self.path = path
        self.data = data
        self.position = 0

    def fail(self, what: str) -> NoReturn:
        raise ModelDownloadError(f"{self.path.name} is damaged: {what}", "fetch it again")

    def take(self, size_bytes: int, what: str) -> memoryview:
        end = self.position + size_bytes
        if size_bytes < 0 or end > len(self.data):
            self.fail(f"it ends inside {what}")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def numbers(self, layout: str, what: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout), what))

    def text(self, raw: memoryview, what: str) -> str:
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError:
            self.fail(f"{what} is not UTF-8")

    def array(self, dtype: str, count: int, what: str) -> npt.NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize, what), dtype=dtype)


def convert(source: Path, folder: Path) -> None:
    """Writes `config.json`, `model.safetensors`, `tokenizer.json` and `tokenizer_config.json` of a `BertModel`.

    Args:
        source: A file in the `E5S1` format.
        folder: Must exist; files of these names in it are replaced.

    Raises:
        ModelDownloadError: The file is cut off, damaged, or of another format.
    """
    reader = _Reader(source, memoryview(source.read_bytes()))
    shape = _read_header(reader)
    vocabulary = _read_vocabulary(reader, shape)
    directory = _read_directory(reader)
    _write_weights(reader, shape, directory, folder / "model.safetensors")
    _write_tokenizer(shape, vocabulary, folder)
    _write_json(folder / "config.json", _config(shape, vocabulary))


def _read_header(reader: _Reader) -> _Shape:
    if bytes(reader.take(len(_MAGIC), "the magic number")) != _MAGIC:
        reader.fail("it does not start with E5S1")
    version, *numbers, block = reader.numbers("I7ifi", "the header")
    if version != _VERSION or block != _BLOCK_WEIGHTS:
        reader.fail(f"version {version} with blocks of {block} is not known")
    shape, sizes = _Shape(*numbers), numbers[:-1]
    if not all(0 < size <= _LARGEST_DIMENSION for size in sizes) or shape.hidden % shape.heads:
        reader.fail(f"impossible dimensions {sizes}")
    if shape.hidden % _BLOCK_WEIGHTS or shape.feed_forward % _BLOCK_WEIGHTS:
        reader.fail(f"rows of {shape.hidden} and {shape.feed_forward} do not fill whole blocks")
    return shape


def _read_vocabulary(reader: _Reader, shape: _Shape) -> _Vocabulary:
    count, *special, blob_bytes = reader.numbers("5iQ", "the tokenizer's header")
    if not 0 < count <= shape.vocabulary or not all(0 <= id_ < count for id_ in special):
        reader.fail(f"impossible vocabulary of {count} pieces")
    offsets = reader.array("<u4", count + 1, "the piece offsets").tolist()
    scores = reader.array("<f4", count, "the piece scores").tolist()
    blob = reader.take(blob_bytes, "the pieces")
    if offsets[0] != 0 or offsets[-1] != blob_bytes or any(a > b for a, b in itertools.pairwise(offsets)):
        reader.fail("the piece offsets are out of order")
    pieces = [
        (reader.text(blob[start:end], "a piece"), score)
        for (start, end), score in zip(itertools.pairwise(offsets), scores, strict=True)
    ]
    if len(dict(pieces)) < count:
        reader.fail("its vocabulary holds a piece twice")
    _, normalizer_bytes = reader.numbers("iI", "the normalizer's header")
    reader.take(normalizer_bytes, "the normalizer")  # a table of NFKC, which `tokenizers` brings itself
    return _Vocabulary(pieces, *special)


def _read_directory(reader: _Reader) -> dict[str, _Entry]:
    (count,) = reader.numbers("i", "the directory")
    directory = {}
    for _ in range(count):
        (name_bytes,) = reader.numbers("H", "the directory")
        name = reader.text(reader.take(name_bytes, "the directory"), "a tensor's name")
        directory[name] = _Entry(*reader.numbers("BIQQ", "the directory"))
    return directory


def _tensor(reader: _Reader, directory: dict[str, _Entry], name: str, *shape: int) -> FloatArray:
    entry = directory.get(name)
    if entry is None:
        reader.fail(f"tensor {name} is missing")
    if entry.count != int(np.prod(shape)):
        reader.fail(f"tensor {name} has {entry.count} weights, not {shape}")
    expected_bytes = {_F32: entry.count * 4, _Q4_0: entry.count // _BLOCK_WEIGHTS * _BLOCK.itemsize}.get(entry.dtype)
    if entry.size_bytes != expected_bytes:
        reader.fail(f"tensor {name} has {entry.size_bytes} bytes in type {entry.dtype}")
    reader.position = entry.offset
    raw = reader.take(entry.size_bytes, f"tensor {name}")
    weights = np.frombuffer(raw, "<f4").astype(np.float32) if entry.dtype == _F32 else _dequantise(raw)
    if not np.isfinite(weights).all():
        reader.fail(f"tensor {name} holds numbers that are not finite")
    return weights.reshape(shape)


def _dequantise(raw: memoryview) -> FloatArray:
    """Q4_0: byte j of a block holds weight j in its low nibble and weight j + 16 in its high one."""
    blocks = np.frombuffer(raw, _BLOCK)
    nibbles = np.concatenate((blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4), axis=1)
    weights = nibbles.astype(np.float32)
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, np.newaxis]
    return weights


def _write_weights(reader: _Reader, shape: _Shape, directory: dict[str, _Entry], path: Path) -> None:
    from safetensors.numpy import save_file

    def read(name: str, *dimensions: int) -> FloatArray:
        return _tensor(reader, directory, name, *dimensions)

    hidden, wide = shape.hidden, shape.feed_forward
    tensors = {
        "embeddings.word_embeddings.weight": read("emb.word", shape.vocabulary, hidden),
        "embeddings.position_embeddings.weight": read("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": read("emb.type", shape.types, hidden),
        "embeddings.LayerNorm.weight": read("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": read("emb.ln.b", hidden),
        # The pooler is part of the architecture and of no use to mean pooling; zeros keep the loader from warning.
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    for layer in range(shape.layers):
        for short, long in _LAYER_PARTS.items():
            rows = wide if short == "fi" else hidden
            columns = () if short in ("aln", "oln") else (wide if short == "fo" else hidden,)
            prefix = f"encoder.layer.{layer}.{long}"
            tensors[f"{prefix}.weight"] = read(f"l{layer}.{short}.w", rows, *columns)
            tensors[f"{prefix}.bias"] = read(f"l{layer}.{short}.b", rows)
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors lets only the owner read; the models directory may be shared


def _write_tokenizer(shape: _Shape, vocabulary: _Vocabulary, folder: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    pieces = vocabulary.pieces
    bos, eos = pieces[vocabulary.bos][0], pieces[vocabulary.eos][0]
    pad, unknown = pieces[vocabulary.pad][0], pieces[vocabulary.unknown][0]
    tokenizer = Tokenizer(models.Unigram(pieces, vocabulary.unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in (bos, pad, eos, unknown)])
    tokenizer.save(str(folder / "tokenizer.json"))
    tokens = {"bos_token": bos, "eos_token": eos, "cls_token": bos, "sep_token": eos}
    tokens |= {"pad_token": pad, "unk_token": unknown}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.positions}
    _write_json(folder / "tokenizer_config.json", tokens | settings)


def _config(shape: _Shape, vocabulary: _Vocabulary) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.feed_forward,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": float(f"{shape.epsilon:.6g}"),
        "hidden_act": "gelu",
        "pad_token_id": vocabulary.pad,
        "dtype": "float32",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
