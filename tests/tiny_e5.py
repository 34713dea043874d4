"""Writes tiny files in the `E5S1` format: random weights, a dozen pieces, the layout of the real one."""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from kb.models.sentence_folder import assemble

HIDDEN, LAYERS, HEADS, WIDE, VOCABULARY, POSITIONS, TYPES = 32, 2, 2, 64, 20, 64, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁query", "▁passage", ":", "▁tea", "▁green", "茶", "绿", "s", "<mask>"]
BLOCK = 32


@dataclass
class TinyE5:
    """Attributes can be changed before `write`, to write a damaged file."""

    magic: bytes = b"E5S1"
    version: int = 1
    pieces: list[str] = field(default_factory=lambda: list(PIECES))
    weights: dict[str, npt.NDArray[np.float32]] = field(default_factory=lambda: random_weights())

    def write(self, path: Path) -> Path:
        header = self.magic + struct.pack(
            "<I7ifi", self.version, HIDDEN, LAYERS, HEADS, WIDE, VOCABULARY, POSITIONS, TYPES, 1e-12, BLOCK
        )
        encoded = [piece.encode() for piece in self.pieces]
        offsets = np.cumsum([0, *map(len, encoded)]).astype("<u4")
        scores = np.array([0.0 if piece.startswith("<") else -2.0 - len(piece) for piece in self.pieces], "<f4")
        tokenizer = struct.pack("<5iQ", len(self.pieces), 0, 2, 1, 3, int(offsets[-1]))
        tokenizer += offsets.tobytes() + scores.tobytes() + b"".join(encoded)
        tokenizer += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF21, 1, ord("A"))
        tensors = {name: (quantised(name), encode(name, values)) for name, values in self.weights.items()}
        directory_bytes = 4 + sum(2 + len(name) + 21 for name in tensors)
        offset = len(header) + len(tokenizer) + directory_bytes
        directory = struct.pack("<i", len(tensors))
        for name, (dtype, data) in tensors.items():
            directory += struct.pack("<H", len(name)) + name.encode()
            directory += struct.pack("<BIQQ", dtype, self.weights[name].size, offset, len(data))
            offset += len(data)
        path.write_bytes(header + tokenizer + directory + b"".join(data for _, data in tensors.values()))
        return path


def random_weights() -> dict[str, npt.NDArray[np.float32]]:
    """All tensors of the model; those that are stored in 4 bit are already multiples of their block's scale."""
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (VOCABULARY, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (TYPES, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for part, rows, columns in (
            ("q", HIDDEN, HIDDEN),
            ("k", HIDDEN, HIDDEN),
            ("v", HIDDEN, HIDDEN),
            ("ao", HIDDEN, HIDDEN),
            ("fi", WIDE, HIDDEN),
            ("fo", HIDDEN, WIDE),
        ):
            shapes |= {f"l{layer}.{part}.w": (rows, columns), f"l{layer}.{part}.b": (rows,)}
        shapes |= {f"l{layer}.{part}.{end}": (HIDDEN,) for part in ("aln", "oln") for end in "wb"}
    random = np.random.default_rng(7)
    weights = {}
    for name, shape in shapes.items():
        if quantised(name):
            nibbles = random.integers(-8, 8, (int(np.prod(shape)) // BLOCK, BLOCK))
            scales = random.choice([0.125, 0.25, 0.5], (len(nibbles), 1))
            weights[name] = (nibbles * scales).astype(np.float32).reshape(shape)
        else:
            weights[name] = random.normal(1.0 if "ln.w" in name else 0.0, 0.1, shape).astype(np.float32)
    return weights


def quantised(name: str) -> int:
    """The dtype code of a tensor: 1 for 4 bit, 0 for float32."""
    return int(name == "emb.word" or (name.endswith(".w") and "ln." not in name))


def encode(name: str, values: npt.NDArray[np.float32]) -> bytes:
    """Q4_0 written weight by weight, as the format is described, for the tensors that are in 4 bit."""
    if not quantised(name):
        return values.astype("<f4").tobytes()
    data = bytearray()
    for block in values.reshape(-1, BLOCK):
        scale = next(
            s for s in (0.5, 0.25, 0.125) if all(float(w / s).is_integer() and -8 <= w / s <= 7 for w in block)
        )
        nibbles = [int(weight / scale) + 8 for weight in block]
        data += struct.pack("<e", scale)
        data += bytes(nibbles[j] | nibbles[j + 16] << 4 for j in range(16))
    return bytes(data)


def write_tiny_model(folder: Path) -> Path:
    """Writes a model that sentence-transformers loads, whose weights are small, as those of a trained model are."""
    TinyE5().write(folder / "tiny.e5s1")
    model = assemble(folder, "tiny.e5s1", "tiny", "a test")
    path = model / "model.safetensors"
    tensors = load_file(path)
    for name, values in tensors.items():
        if "encoder" in name and values.ndim > 1:
            values *= np.float32(0.1)
    save_file(tensors, path, metadata={"format": "pt"})
    return model
