"""One GGUF model in llama.cpp: tokens in, tokens out.

It knows nothing of messages, phases, queues or threads. It uses the C interface, because the class `llama_cpp.Llama`
samples each token anew from the seed outside of its own loop, cuts tokens of more than 32 bytes, and redirects the
stderr of the whole process. What it has read, and keeps of that, is in `kb.adapters.llama.cache`.
"""

import contextlib
import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kb.adapters.llama.cache import MOST_BYTES, KeyValueCache
from kb.adapters.llama.memory import ModelShape, free_bytes
from kb.adapters.llama.model_file import ModelFile, can_use_gpu
from kb.adapters.llama.native import native
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.templates import MARKERS, Segment, Vocabulary
from kb.errors import ModelError, ModelLoadError
from kb.processor import usable_cores

_FLASH_ATTENTION = {None: -1, False: 0, True: 1}  # LLAMA_FLASH_ATTN_TYPE_… in llama.h
_KV_TYPE = {"f16": 1, "q8_0": 8}  # GGML_TYPE_… in ggml.h
_SHARE_FOR_COPIES = 4  # of the memory that is left, one part in so many
_TAG = re.compile(r"<.+>", re.DOTALL)


class Llama:
    """A loaded model with one context, for one thread at a time; only `tokenize` and
    `encode` may be called beside the others.

    Args:
        path: The GGUF file; of a split model the first part.
        options: How to run it.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, does not fit into memory, or does not generate text.
    """

    def __init__(self, path: Path, options: EngineOptions) -> None:
        self._native = native()
        self._cpp = self._native.knowledge_base
        self._path = path
        self._release = contextlib.ExitStack()
        self._pointer: Any = None
        try:
            self._load_model(path, options.gpu_layers)
            self._release.callback(self._free_context)
            self.renew_context(options)
        except ModelLoadError:
            self.close()
            raise
        self.device = "gpu" if options.gpu_layers and can_use_gpu() else "cpu"
        self._lookalikes = self._find_lookalikes()
        self.vocabulary = self._read_vocabulary()

    def renew_context(self, options: EngineOptions) -> None:
        """Gives the model a new, empty context in the place of the one that it has.

        Args:
            options: How to run it from now on; the layers on the GPU stay where they are.

        Raises:
            ModelLoadError: It does not fit into memory, or llama.cpp cannot run this model so.
        """
        self._free_context()
        self.batch_tokens = options.batch_tokens
        self.context_tokens = min(options.context_tokens, self.shape.trained_tokens)
        parameters = self._cpp.llama_context_default_params()
        parameters.n_ctx = self.context_tokens
        parameters.n_batch = parameters.n_ubatch = options.batch_tokens
        parameters.n_threads = parameters.n_threads_batch = options.threads or usable_cores()
        parameters.flash_attn_type = _FLASH_ATTENTION[options.flash_attention]
        parameters.type_k = parameters.type_v = _KV_TYPE[options.kv_type]
        self._native.errors.clear()
        self._pointer = self._cpp.llama_init_from_model(self._model, parameters)
        if not self._pointer:
            raise ModelLoadError(
                f"no context of {self.context_tokens} tokens could be made for {self._path}: {self._native.reason()}",
                "set KB_CONTEXT_TOKENS lower, or choose a smaller model",
            )
        self._cache = KeyValueCache(self._cpp, self._pointer, min(MOST_BYTES, free_bytes() // _SHARE_FOR_COPIES))

    @property
    def room_tokens(self) -> int:
        """How many more tokens the context window takes."""
        return self.context_tokens - len(self._cache.tokens)

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Turns text into tokens, without adding any at either end.

        Args:
            text: Half surrogate pairs in it count as question marks.
            control: Whether control tokens written in the text are meant; otherwise they are plain text.
        """
        parts = [text] if control else self._cut_lookalikes(text)
        return [token for part in parts for token in self._file.tokenize(part, control=control)]

    def encode(self, prompt: Sequence[Segment]) -> list[int]:
        """Turns a rendered prompt into tokens."""
        return [token for segment in prompt for token in self.tokenize(segment.text, control=segment.is_control)]

    def bytes_of(self, token: int) -> bytes:
        """The text of a token in UTF-8, which may be a part of a character; empty for a control token."""
        length = -64
        while length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = self._cpp.llama_token_to_piece(self._vocabulary, token, buffer, -length, 0, False)
        return buffer.raw[:length]

    def is_end(self, token: int) -> bool:
        """Whether the model says with this token that its reply is finished."""
        return bool(self._cpp.llama_vocab_is_eog(self._vocabulary, token))

    def keep_prefix(self, tokens: Sequence[int]) -> int:
        """Makes the context begin as a prompt does, as far as that was read before.

        Returns:
            How many tokens of the prompt are evaluated already. At least one is not: sampling needs the last one's
            logits.
        """
        return self._cache.begin(tokens)

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Appends tokens to the context.

        Args:
            tokens: At most `batch_tokens`.

        Raises:
            ModelError: llama.cpp failed.
        """
        array = (self._cpp.llama_token * len(tokens))(*tokens)
        if code := self._cpp.llama_decode(self._pointer, self._cpp.llama_batch_get_one(array, len(tokens))):
            raise ModelError(
                f"llama.cpp could not evaluate {len(tokens)} tokens after {len(self._cache.tokens)} others"
                f" (code {code})",
                "ask again; if it happens again, restart the service or use another model",
            )
        self._cache.tokens.extend(tokens)

    def evaluate_last(self, token: int) -> tuple[float, ...]:
        """Appends one token to the context, and shows the last hidden state behind it.

        With states on, llama.cpp computes logits for each token of a batch: a fifth more work for a whole prompt.

        Returns:
            `d` numbers, with the precision of half a float.

        Raises:
            ModelError: llama.cpp failed.
        """
        self._cpp.llama_set_embeddings(self._pointer, True)
        try:
            self.evaluate([token])
        finally:
            self._cpp.llama_set_embeddings(self._pointer, False)
        pointer = self._cpp.llama_get_embeddings_ith(self._pointer, -1)
        if not pointer:
            return ()
        state = np.ctypeslib.as_array(pointer, shape=(self._cpp.llama_model_n_embd(self._model),))
        return tuple(state.astype(np.float16).tolist())

    def margin(self, one: int, other: int) -> float:
        """How much likelier one token is to come next than another: the logarithm of the ratio."""
        logits = self._cpp.llama_get_logits_ith(self._pointer, -1)
        return float(logits[one] - logits[other])

    @contextlib.contextmanager
    def sampler(self, temperature: float, top_p: float, seed: int) -> Iterator[Callable[[], int]]:
        """Makes a function that picks the next token.

        Args:
            temperature: 0 picks the most likely token, always.
            top_p: Share of probability that is sampled from, in 0…1.
            seed: Makes the picks repeatable.
        """
        cpp = self._cpp
        chain = cpp.llama_sampler_chain_init(cpp.llama_sampler_chain_default_params())
        if temperature > 0:
            cpp.llama_sampler_chain_add(chain, cpp.llama_sampler_init_top_p(top_p, 1))
            cpp.llama_sampler_chain_add(chain, cpp.llama_sampler_init_temp(temperature))
            cpp.llama_sampler_chain_add(chain, cpp.llama_sampler_init_dist(seed & 0xFFFFFFFF))
        else:
            cpp.llama_sampler_chain_add(chain, cpp.llama_sampler_init_greedy())
        try:
            yield lambda: int(cpp.llama_sampler_sample(chain, self._pointer, -1))
        finally:
            cpp.llama_sampler_free(chain)

    def close(self) -> None:
        """Frees the memory. Nothing else may be called afterwards."""
        self._release.close()

    def _cut_lookalikes(self, text: str) -> Iterator[str]:
        """Cuts a text inside of whatever llama.cpp would read as a tag even in plain text."""
        start = 0
        for lookalike in self._lookalikes.finditer(text):
            yield text[start : lookalike.start() + 1]
            start = lookalike.start() + 1
        yield text[start:]

    def _load_model(self, path: Path, gpu_layers: int) -> None:
        self._file = ModelFile(path, gpu_layers, "KB_MODEL")
        self._release.callback(self._file.close)
        self._model, self._vocabulary = self._file.pointer, self._file.vocabulary
        self.metadata = self._file.metadata
        architecture = self._file.architecture
        if self._cpp.llama_model_has_encoder(self._model) or self._file.of_architecture("attention.causal") == "false":
            raise ModelLoadError(
                f"{path} holds a model of type {architecture!r}, which does not generate text",
                "choose an instruction-tuned language model",
            )
        self.shape = self._read_shape()
        buffer = ctypes.create_string_buffer(256)
        self._cpp.llama_model_desc(self._model, buffer, len(buffer))
        self.description = buffer.value.decode("utf-8", "replace")

    def _free_context(self) -> None:
        if self._pointer:
            self._cpp.llama_free(self._pointer)
        self._pointer = None

    def _read_shape(self) -> ModelShape:
        cpp, model = self._cpp, self._model
        head_size = self._file.of_architecture("attention.key_length")
        return ModelShape(
            layers=int(cpp.llama_model_n_layer(model)),
            kv_heads=int(cpp.llama_model_n_head_kv(model)),
            head_size=int(head_size or cpp.llama_model_n_embd(model) // max(1, cpp.llama_model_n_head(model))),
            trained_tokens=int(cpp.llama_model_n_ctx_train(model)),
            vocabulary=int(cpp.llama_vocab_n_tokens(self._vocabulary)),
        )

    def _find_lookalikes(self) -> re.Pattern[str]:
        """A pattern of all "user-defined" tokens that look like tags.

        llama.cpp leaves alone control tokens in plain text, but not these; and in the distillations of R1 `<think>` and
        `<｜Assistant｜>` are of this kind.
        """
        user_defined = self._cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        texts = [
            self._cpp.llama_vocab_get_text(self._vocabulary, token).decode("utf-8", "replace")
            for token in range(self._cpp.llama_vocab_n_tokens(self._vocabulary))
            if self._cpp.llama_vocab_get_attr(self._vocabulary, token) & user_defined
        ]
        alternatives = "|".join(re.escape(text) for text in texts if _TAG.fullmatch(text)) or "(?!)"
        return re.compile(f"(?={alternatives})")

    def _read_vocabulary(self) -> Vocabulary:
        def text(token: int) -> str:
            return str(self._cpp.llama_vocab_get_text(self._vocabulary, token).decode("utf-8")) if token >= 0 else ""

        return Vocabulary(
            bos=text(self._cpp.llama_vocab_bos(self._vocabulary)),
            eos=text(self._cpp.llama_vocab_eos(self._vocabulary)),
            adds_bos=bool(self._cpp.llama_vocab_get_add_bos(self._vocabulary)),
            markers=frozenset(marker for marker in MARKERS if len(self.tokenize(marker, control=True)) == 1),
        )
