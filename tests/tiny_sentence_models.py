"""Tiny models in sentence-transformers' layout, as makers publish them: random weights, real files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

WIDTH = 32
_ENGLISH = "the dome opens at nine bread is baked from flour query passage instruct find".split()  # noqa: SIM905
WORDS = [*_ENGLISH, *":圆顶九点打开。."]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "<end>"]

Pooling = Literal["mean", "cls", "lasttoken"]
_FLAGS: Mapping[Pooling, str] = {"mean": "mean_tokens", "cls": "cls_token", "lasttoken": "lasttoken"}


def write_sentence_model(
    folder: Path,
    *,
    kind: Literal["bert", "qwen3"] = "bert",
    pooling: Pooling = "mean",
    settings: Mapping[str, Any] | None = None,
    positions: int = 64,
    max_length: int | None = None,
    dense: int = 0,
    dtype: str = "float32",
    include_prompt: bool = True,
) -> Path:
    """Writes a model with two layers.

    Args:
        kind: `bert` reads in both directions, with a token at either end; `qwen3` from left to right, padded on the
            left, with one at the end.
        settings: `config_sentence_transformers.json`.
        positions: For how many tokens it has places.
        max_length: What the tokenizer says of that; None: nothing.
        dense: Length of the vectors that a further layer makes; 0: there is none.
        include_prompt: Whether the prompt takes part in the pooling.
    """
    import torch
    from transformers import BertConfig, BertModel, Qwen3Config, Qwen3Model

    torch.manual_seed(1)
    shape: dict[str, Any] = {"vocab_size": len(SPECIAL) + len(WORDS), "hidden_size": WIDTH, "num_hidden_layers": 2}
    shape |= {"num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": positions}
    if kind == "bert":
        model: Any = BertModel(BertConfig(**shape, initializer_range=0.3))
    else:
        model = Qwen3Model(Qwen3Config(**shape, num_key_value_heads=1, head_dim=16, initializer_range=0.3))
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    _write_tokenizer(folder, kind, max_length)
    modules = ["Transformer", "Pooling", *(["Dense"] if dense else []), *(["Normalize"] if kind == "qwen3" else [])]
    listed = [
        {
            "idx": number,
            "name": str(number),
            "path": f"{number}_{module}" if number else "",
            "type": f"sentence_transformers.models.{module}",
        }
        for number, module in enumerate(modules)
    ]
    for module in listed[1:]:
        (folder / str(module["path"])).mkdir()
    write_json(folder / "modules.json", listed)
    flags = {f"pooling_mode_{flag}": mode == pooling for mode, flag in _FLAGS.items()}
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": WIDTH, "include_prompt": include_prompt, **flags},
    )
    if dense:
        _write_dense(folder / "2_Dense", dense)
    write_json(folder / "config_sentence_transformers.json", settings or {})
    return folder


def write_json(path: Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    path.write_text(json.dumps(value), "utf-8")


def _write_tokenizer(folder: Path, kind: str, max_length: int | None) -> None:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordLevel
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    places = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(WordLevel(places, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = ["[CLS]", "[SEP]"] if kind == "bert" else ["<end>"]
    template = "[CLS] $A [SEP]" if kind == "bert" else "$A <end>"
    tokenizer.post_processor = TemplateProcessing(template, None, [(end, places[end]) for end in ends])
    known = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    if max_length is not None:
        known["model_max_length"] = max_length  # type: ignore[assignment]
    side = "right" if kind == "bert" else "left"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, padding_side=side, **known).save_pretrained(folder)


def _write_dense(folder: Path, length: int) -> None:
    import torch
    from safetensors.torch import save_file

    write_json(
        folder / "config.json",
        {
            "in_features": WIDTH,
            "out_features": length,
            "bias": False,
            "activation_function": "torch.nn.modules.linear.Identity",
        },
    )
    save_file({"linear.weight": torch.randn(length, WIDTH)}, folder / "model.safetensors")
