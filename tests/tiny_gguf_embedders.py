"""Tiny GGUF embedding models for tests: real files for the real llama.cpp, without knowledge.

Texts that share words get like vectors: embeddings are random, and all that the one layer does is to bring the average
of what was read to each place. `tiny_bert` reads in both directions and knows whole words, as BERT does; `tiny_qwen`
reads from left to right and ends each text with a token of its own, as Qwen3-Embedding does.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import gguf
import numpy as np

from tests.tiny_gguf import encode_bytes, write_tensors

WIDTH = 128
BERT_TOKENS, QWEN_TOKENS = 256, 4096
_WORD = re.compile(r"[a-z]+|\d|[^\sa-z\d]")


def tiny_bert(
    path: Path,
    texts: Iterable[str],
    pooling: gguf.PoolingType | None = gguf.PoolingType.MEAN,
    *,
    name: str = "tiny bert",
    seed: int = 1,
    width: int = WIDTH,
) -> Path:
    """Writes a model of BERT's kind, which reads 256 tokens.

    Args:
        texts: Whose words it knows.
        pooling: How one vector is made of many; None: the header does not say.
    """
    words = sorted({word for text in texts for word in _WORD.findall(text.lower())})
    letters = "abcdefghijklmnopqrstuvwxyz"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [f"▁{piece}" for piece in sorted({*words, *letters})] + list(letters)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name(name)
    _write_shape(writer, width, BERT_TOKENS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*special, *pieces])
    writer.add_token_types([gguf.TokenType.CONTROL] * len(special) + [gguf.TokenType.NORMAL] * len(pieces))
    writer.add_token_type_count(2)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_mask_token_id(4)
    random = np.random.default_rng(seed)
    zero, one = np.zeros(width, np.float32), np.ones(width, np.float32)
    nothing = np.zeros((width, width), np.float32)
    write_tensors(
        writer,
        {
            "token_embd.weight": random.standard_normal((len(special) + len(pieces), width)).astype(np.float32),
            "position_embd.weight": np.zeros((BERT_TOKENS, width), np.float32),
            "token_types.weight": np.zeros((2, width), np.float32),
            "token_embd_norm.weight": one,
            "token_embd_norm.bias": zero,
            **{f"blk.0.attn_{part}.weight": nothing for part in ("q", "k")},
            **{f"blk.0.attn_{part}.weight": np.eye(width, dtype=np.float32) for part in ("v", "output")},
            **{f"blk.0.attn_{part}.bias": zero for part in ("q", "k", "v", "output")},
            "blk.0.attn_output_norm.weight": one,
            "blk.0.attn_output_norm.bias": zero,
            "blk.0.ffn_up.weight": np.zeros((2 * width, width), np.float32),
            "blk.0.ffn_up.bias": np.zeros(2 * width, np.float32),
            "blk.0.ffn_down.weight": np.zeros((width, 2 * width), np.float32),
            "blk.0.ffn_down.bias": zero,
            "blk.0.layer_output_norm.weight": one,
            "blk.0.layer_output_norm.bias": zero,
        },
    )
    return path


def tiny_qwen(
    path: Path,
    texts: Iterable[str],
    pooling: gguf.PoolingType | None = gguf.PoolingType.LAST,
    *,
    name: str = "Qwen3 Embedding tiny",
    adds_end: bool = True,
) -> Path:
    """Writes a model of Qwen3's kind, which reads 4096 tokens.

    Args:
        texts: Whose words it knows; all else it reads byte by byte.
        pooling: How one vector is made of many; None: the header does not say, as that of a model that writes.
        adds_end: Whether each text ends with a token of the model's own.
    """
    words = {encode_bytes(word) for text in texts for word in re.findall(r" ?[A-Za-z]+|[^\sA-Za-z\d]", text)}
    prefixes = {word[:length] for word in words for length in range(2, len(word) + 1)}
    merged = sorted(prefixes, key=lambda piece: (len(piece), piece))
    tokens = [encode_bytes(bytes([byte])) for byte in range(256)] + merged + ["<|endoftext|>", "<|im_end|>"]
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name(name)
    _write_shape(writer, WIDTH, QWEN_TOKENS)
    writer.add_layer_norm_rms_eps(1e-6)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * (len(tokens) - 2) + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_merges([f"{piece[:-1]} {piece[-1]}" for piece in merged])
    writer.add_eos_token_id(len(tokens) - 2)
    writer.add_pad_token_id(len(tokens) - 2)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(adds_end)
    random = np.random.default_rng(1)
    one = np.ones(WIDTH, np.float32)
    nothing, same = np.zeros((WIDTH, WIDTH), np.float32), np.eye(WIDTH, dtype=np.float32)
    write_tensors(
        writer,
        {
            "token_embd.weight": random.standard_normal((len(tokens), WIDTH)).astype(np.float32),
            "output_norm.weight": one,
            "blk.0.attn_norm.weight": one,
            **{f"blk.0.attn_{part}.weight": nothing for part in ("q", "k")},
            "blk.0.attn_v.weight": same,
            "blk.0.attn_output.weight": 10 * same,  # what was read counts more than the last token alone
            "blk.0.attn_q_norm.weight": np.ones(64, np.float32),
            "blk.0.attn_k_norm.weight": np.ones(64, np.float32),
            "blk.0.ffn_norm.weight": one,
            "blk.0.ffn_gate.weight": np.zeros((2 * WIDTH, WIDTH), np.float32),
            "blk.0.ffn_up.weight": np.zeros((2 * WIDTH, WIDTH), np.float32),
            "blk.0.ffn_down.weight": np.zeros((WIDTH, 2 * WIDTH), np.float32),
        },
    )
    return path


def _write_shape(writer: gguf.GGUFWriter, width: int, context_tokens: int) -> None:
    writer.add_context_length(context_tokens)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(2 * width)
    writer.add_block_count(1)
    writer.add_head_count(width // 64)
    writer.add_head_count_kv(width // 64)
    writer.add_key_length(64)
    writer.add_value_length(64)
