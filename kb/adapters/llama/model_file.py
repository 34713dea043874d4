"""A GGUF file as llama.cpp has it: loaded, with what its header says, and its tokens. Knows no context."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kb.adapters.llama.native import native
from kb.errors import ModelLoadError, ModelMissing

_ALL_LAYERS = 2**31 - 1


class ModelFile:
    """A loaded file.

    Args:
        path: The GGUF file; of a split model the first part.
        gpu_layers: Layers on the GPU; negative: all.
        setting: What names it.

    Attributes:
        pointer: For llama.cpp; valid until `close`.
        vocabulary: Likewise.
        metadata: All of the header but arrays, as text.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, or does not fit into memory.
    """

    def __init__(self, path: Path, gpu_layers: int, setting: str) -> None:
        library = native()
        self._cpp = library.knowledge_base
        if not path.is_file():
            raise ModelMissing(f"there is no model file {path}", f"fetch the model again, or correct {setting}")
        library.errors.clear()
        parameters = self._cpp.llama_model_default_params()
        parameters.n_gpu_layers = _ALL_LAYERS if gpu_layers < 0 else gpu_layers
        self.pointer: Any = self._cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self.pointer:
            raise ModelLoadError(
                f"{path} could not be loaded: {library.reason()}",
                "it is damaged, no GGUF file, or too large for the memory: fetch it again, or choose a smaller model",
            )
        self.vocabulary: Any = self._cpp.llama_model_get_vocab(self.pointer)
        self.metadata = self._read_metadata()

    @property
    def architecture(self) -> str:
        """As the header calls it."""
        return self.metadata.get("general.architecture", "")

    def of_architecture(self, key: str) -> str | None:
        """A value that the header has under the name of the architecture."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def tokenize(self, text: str, *, special: bool = False, control: bool = False) -> list[int]:
        """Turns text into tokens.

        Args:
            text: Half surrogate pairs in it count as question marks.
            special: Whether the model's own tokens go to the ends.
            control: Whether control tokens written in the text are meant; otherwise they are plain text.
        """
        data = text.encode("utf-8", "replace")
        count = -(len(data) + 8)
        while count < 0:
            tokens = (self._cpp.llama_token * -count)()
            count = self._cpp.llama_tokenize(self.vocabulary, data, len(data), tokens, -count, special, control)
        return list(tokens[:count])

    def close(self) -> None:
        """Frees the memory. Nothing else may be called afterwards."""
        self._cpp.llama_model_free(self.pointer)

    def _read_metadata(self) -> dict[str, str]:
        def text(read: Callable[..., int], index: int) -> str:
            buffer = ctypes.create_string_buffer(read(self.pointer, index, None, 0) + 1)
            read(self.pointer, index, buffer, len(buffer))
            return buffer.value.decode("utf-8", "replace")

        key, value = self._cpp.llama_model_meta_key_by_index, self._cpp.llama_model_meta_val_str_by_index
        return {text(key, i): text(value, i) for i in range(self._cpp.llama_model_meta_count(self.pointer))}


def can_use_gpu() -> bool:
    """Whether llama.cpp was built for a GPU and sees one."""
    return bool(native().knowledge_base.llama_supports_gpu_offload())
