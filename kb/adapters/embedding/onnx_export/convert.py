"""Converts an embedding model for the processor, and compares the two: the child process of `backends`.

Runs as a child of low priority, so that the service gets back what it needs: several times the model's size in memory,
and torch. Ends with 0 if the folder now says what came of it, a refusal included; else the reason is on stderr, and
another try may do better.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from kb.adapters.embedding.onnx_embedder import OnnxEmbedder
from kb.adapters.embedding.onnx_export.graph import Pooling, build_graph
from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
from kb.errors import KBError, ModelLoadError
from kb.models.onnx_folder import Conversion, fingerprint, place_conversion, temporary_path
from kb.models.sentence_folder import prompts_of

LEAST_AGREEMENT = 0.98
"""Mean cosine with the original below which a conversion is refused."""

_NICENESS = 5
_LONG_TOKENS = 1024  # longer than passages ever are; a model that reads more takes memory for it
_POOLING_FLAGS = {
    mode: f"pooling_mode_{flag}"
    for mode, flag in {
        "cls": "cls_token",
        "max": "max_tokens",
        "mean": "mean_tokens",
        "mean_sqrt": "mean_sqrt_len_tokens",
        "weighted": "weightedmean_tokens",
        "last": "lasttoken",
    }.items()
}  # as sentence-transformers wrote them before it had the key `pooling_mode`
_SAMPLES = (
    "The observatory opens its dome at nine in the evening.",
    "How do I reset the password of the second administrator account?",
    "Bread is baked from flour, water, salt and yeast; the dough has to rest for at least an hour before it is shaped.",
    "def mean(values: list[float]) -> float:\n    return sum(values) / len(values)",
    "天文台晚上九点打开圆顶，参观者须提前一天预约。",
    "面包由面粉、水、盐和酵母制成，面团至少要醒一个小时。",
    "第二季度的营业收入比去年同期增长了百分之十二，主要来自海外市场。",
    "如何重置管理员密码？",
)


def convert(folder: Path) -> Conversion:
    """Converts a model and puts the result in place.

    Args:
        folder: Of an embedding model in sentence-transformers' layout.

    Returns:
        What was recorded; a refusal if the model is of a kind that is not known or the result differs too much.

    Raises:
        ModelLoadError: The original does not load.
        OSError: The folder cannot be written.
    """
    source, written = fingerprint(folder), temporary_path(folder)
    try:
        refusal = _build(folder, written)
        conversion = Conversion(source, refusal) if refusal else _compare(folder, written, source)
        place_conversion(folder, conversion, None if conversion.refusal else written)
    finally:
        written.unlink(missing_ok=True)
    return conversion


def _build(folder: Path, written: Path) -> str:
    """Writes the converted file, or gives the reason why there can be none."""
    try:
        written.write_bytes(build_graph(folder, _read_pooling(folder)).SerializeToString())
    except ModelLoadError as error:
        return error.message
    return ""


def _compare(folder: Path, written: Path, source: str) -> Conversion:
    original = SentenceTransformerEmbedder(folder, "")
    query_prompt, passage_prompt = prompts_of(folder)
    conversion = Conversion(
        source=source,
        model_bytes=written.stat().st_size,
        dimension=original.dimension,
        max_tokens=original.input_tokens,
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
    )
    agreement = _agreement(original, OnnxEmbedder(written, folder / "tokenizer.json", conversion, ""))
    if not agreement >= LEAST_AGREEMENT:  # a NaN is no agreement
        return Conversion(
            source, f"its vectors in 8 bit differ too much from the original's: mean cosine {agreement:.3f}"
        )
    return dataclasses.replace(conversion, agreement=round(agreement, 4))


def _agreement(original: SentenceTransformerEmbedder, converted: OnnxEmbedder) -> float:
    """Mean cosine, over passages, questions and a text that is longer than the model reads, or than passages are."""
    longest = " ".join(_SAMPLES) * (min(original.input_tokens, _LONG_TOKENS) // 100 + 2)
    cosines = (original.embed_passages([*_SAMPLES, longest]) * converted.embed_passages([*_SAMPLES, longest])).sum(1)
    questions = [float(original.embed_query(text) @ converted.embed_query(text)) for text in _SAMPLES]
    return float(np.mean([*cosines, *questions]))


def _read_pooling(folder: Path) -> Pooling:
    """How the model makes one vector of many; it must consist of that, a transformer before and a norm behind."""
    modules = _read_json(folder / "modules.json")
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise ModelLoadError(f"it is made of {', '.join(kinds)}")
    if modules[0]["path"]:
        raise ModelLoadError("its transformer lies in a folder of its own")
    if _read_json(folder / "sentence_bert_config.json").get("do_lower_case"):
        raise ModelLoadError("it wants its texts in lower case")
    config = _read_json(folder / modules[1]["path"] / "config.json")
    modes = [mode for mode, flag in _POOLING_FLAGS.items() if config.get(flag)]
    match modes or config.get("pooling_mode", "mean"):
        case ["mean"] | "mean" if config.get("include_prompt", True):
            return "mean"
        case ["cls"] | "cls" if config.get("include_prompt", True):
            return "cls"
    raise ModelLoadError("the way in which it makes one vector of many is neither the mean nor the first one")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def main() -> int:
    """Converts the model in the folder that is named on the command line."""
    os.nice(_NICENESS)
    try:
        convert(Path(sys.argv[1]))
    except (KBError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
