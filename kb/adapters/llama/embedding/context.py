"""One embedding model in llama.cpp: texts in, vectors out. For one thread; `tokens` may be called beside it.

How many vectors become one is what the header says. Invariant: what is longer than the model reads loses its end, and
never the tokens that the model puts around a text.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kb.adapters.llama.model_file import ModelFile, can_use_gpu
from kb.adapters.llama.native import native
from kb.errors import ModelError, ModelLoadError
from kb.ports import Vectors
from kb.processor import usable_cores

BATCH_TOKENS, GPU_BATCH_TOKENS = 512, 2048
"""Read at once, and the longest text: models that read in both directions need it in one batch. Models with an output
layer compute it for each token, which takes 600 kB a token with a vocabulary of 152k."""

MOST_TEXTS = 32
"""In a batch."""

_MEAN, _CLS, _LAST, _RANK = 1, 2, 3, 4  # LLAMA_POOLING_TYPE_… in llama.h
_NO_FLASH_ATTENTION = 0  # LLAMA_FLASH_ATTN_TYPE_DISABLED in llama.h
_F32 = 0  # GGML_TYPE_F32 in ggml.h
_OTHER = "choose an embedding model, such as qwen3-embedding-0.6b-gguf (`kb models list`), with KB_EMBEDDING_MODEL"


class EmbeddingContext:
    """A loaded model.

    Args:
        path: The GGUF file; of a split model the first part.
        threads: 0 takes the physical cores that this process may use.
        gpu_layers: Layers on the GPU, if llama.cpp was built for one; -1: all.

    Attributes:
        dimension: Length of a vector.
        max_tokens: Longest input, the tokens at its ends included.
        batch_tokens: Most tokens evaluated at once.
        title: What the header calls the model; may be empty.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, does not fit into memory, or is no embedding model.
    """

    def __init__(self, path: Path, threads: int = 0, gpu_layers: int = -1) -> None:
        self._native = native()
        self._cpp = self._native.knowledge_base
        self._path = path
        with contextlib.ExitStack() as release:
            self._file = ModelFile(path, gpu_layers, "KB_EMBEDDING_MODEL")
            release.callback(self._file.close)
            self._check_pooling()
            on_gpu = gpu_layers != 0 and can_use_gpu()
            self.batch_tokens = GPU_BATCH_TOKENS if on_gpu else BATCH_TOKENS
            self.max_tokens = min(int(self._cpp.llama_model_n_ctx_train(self._file.pointer)), self.batch_tokens)
            self.dimension = int(self._cpp.llama_model_n_embd_out(self._file.pointer))
            self.title = self._file.metadata.get("general.name", "")
            self._pointer = self._open_context(threads)
            release.callback(self._cpp.llama_free, self._pointer)
            self._batch = self._cpp.llama_batch_init(self.batch_tokens, 0, 1)
            release.callback(self._cpp.llama_batch_free, self._batch)
            self._before, self._behind = self._find_ends()
            self._release = release.pop_all()

    @property
    def end_tokens(self) -> int:
        """How many tokens the model puts around a text."""
        return len(self._before) + len(self._behind)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without those at its ends; control tokens are plain text."""
        return self._file.tokenize(text)

    def with_ends(self, tokens: Sequence[int]) -> list[int]:
        """What the model is given of a text: not more than it reads, and never nothing."""
        return [*self._before, *tokens[: self.max_tokens - self.end_tokens], *self._behind] or self.tokens(".")

    def embed(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Embeds texts.

        Args:
            texts: Tokens as of `with_ends`; at most `MOST_TEXTS`, and at most `batch_tokens` together.

        Returns:
            `(n, d) float32`, unit norm.

        Raises:
            ModelError: llama.cpp failed.
        """
        self._fill(texts)
        memory = self._cpp.llama_get_memory(self._pointer)
        if memory:
            self._cpp.llama_memory_clear(memory, True)
        evaluate = self._cpp.llama_decode if memory else self._cpp.llama_encode
        if code := evaluate(self._pointer, self._batch):
            raise ModelError(
                f"llama.cpp could not embed {self._batch.n_tokens} tokens (code {code})",
                "if it happens again, restart the service or choose another model with KB_EMBEDDING_MODEL",
            )
        vectors = np.array([self._vector(place) for place in range(len(texts))], dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self._path.name} gives vectors that are no numbers", _OTHER)
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit

    def close(self) -> None:
        """Frees the memory. Nothing else may be called afterwards."""
        self._release.close()

    def _vector(self, place: int) -> Any:
        pointer = self._cpp.llama_get_embeddings_seq(self._pointer, place)
        if not pointer:
            raise ModelError(f"{self._path.name} gave no vector for a text", _OTHER)
        return np.ctypeslib.as_array(pointer, shape=(self.dimension,)).copy()

    def _fill(self, texts: Sequence[Sequence[int]]) -> None:
        batch, filled = self._batch, 0
        for place, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[filled], batch.pos[filled], batch.logits[filled] = token, position, True
                batch.seq_id[filled][0], batch.n_seq_id[filled] = place, 1
                filled += 1
        batch.n_tokens = filled

    def _check_pooling(self) -> None:
        pooling = int(self._file.of_architecture("pooling_type") or 0)
        if pooling == _RANK:
            raise ModelLoadError(f"{self._path} is a reranker, not an embedding model", _OTHER)
        if pooling not in (_MEAN, _CLS, _LAST):
            raise ModelLoadError(
                f"{self._path} is no embedding model: its header ({self._file.architecture}) does not say how to make"
                " one vector of a text",
                _OTHER,
            )

    def _open_context(self, threads: int) -> Any:
        parameters = self._cpp.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = self.batch_tokens
        parameters.n_seq_max, parameters.kv_unified = MOST_TEXTS, True
        parameters.n_threads = parameters.n_threads_batch = threads or usable_cores()
        parameters.embeddings = True
        # What a text is embedded with must not show in its vector: half floats, in either of these, would.
        parameters.flash_attn_type = _NO_FLASH_ATTENTION
        parameters.type_k = parameters.type_v = _F32
        self._native.errors.clear()
        pointer = self._cpp.llama_init_from_model(self._file.pointer, parameters)
        if not pointer:
            raise ModelLoadError(
                f"no context of {self.batch_tokens} tokens could be made for {self._path}: {self._native.reason()}",
                "free some memory, or choose a smaller model with KB_EMBEDDING_MODEL",
            )
        return pointer

    def _find_ends(self) -> tuple[list[int], list[int]]:
        """The tokens that the model puts before and behind a text, told from one."""
        plain, whole = self._file.tokenize("a"), self._file.tokenize("a", special=True)
        for start in range(len(whole) - len(plain) + 1):
            if plain and whole[start : start + len(plain)] == plain:
                return whole[:start], whole[start + len(plain) :]
        return [], []
