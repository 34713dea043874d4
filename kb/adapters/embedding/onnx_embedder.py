"""The embedding model on the processor, through ONNX Runtime. Sole importer of it; torch is not needed.

Texts are embedded one at a time, each by one thread, as many at once as there are cores: nothing is computed on
padding, no thread spins while it waits, and a question never waits for a batch. Opens no socket.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from kb.errors import ModelLoadError
from kb.models.onnx_folder import Conversion
from kb.ports import Vectors
from kb.processor import usable_cores

_LOG_ERRORS_ONLY = 3
_CHARS_PER_TOKEN = 64  # more of a text is not read, as it cannot matter: tokenizing takes many times its length


class OnnxEmbedder:
    """Adapter of `kb.ports.Embedder`.

    One text at a time on each of 2 cores (AVX2; paragraphs of 135 tokens) gave 25 texts/s, where batches with two
    threads inside gave 16 with 1 text, 20 with 4 and 16 with 16.

    Args:
        model: The converted file.
        tokenizer: Of the model, in the format of `tokenizers`.
        conversion: What is known about the file.
        identity: Model and version; see `kb.ports.Embedder.identity`.

    Attributes:
        max_tokens: See `kb.ports.Embedder`.

    Raises:
        ModelLoadError: The file is damaged.
    """

    def __init__(self, model: Path, tokenizer: Path, conversion: Conversion, identity: str) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # none of its own: it works in the caller's
        options.log_severity_level = _LOG_ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except (
            errors.Fail,
            errors.InvalidArgument,
            errors.InvalidGraph,
            errors.InvalidProtobuf,
            errors.NoSuchFile,
        ) as error:
            raise ModelLoadError(
                f"the embedding model in {model.parent} does not load: {error}",
                "remove that folder; it is fetched again at the next start",
            ) from error
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._text_tokens = conversion.max_tokens - self._tokenizer.num_special_tokens_to_add(False)
        self._conversion = conversion
        self._identity = identity
        self._threads = usable_cores()
        self.max_tokens = self._text_tokens - self.count_tokens([conversion.passage_prompt])[0]

    @property
    def identity(self) -> str:
        """See `kb.ports.Embedder`."""
        return self._identity

    @property
    def dimension(self) -> int:
        """See `kb.ports.Embedder`."""
        return self._conversion.dimension

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `kb.ports.Embedder`."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Embedder`. Long texts go first, so that the threads end at about the same time."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)

        def embed(i: int) -> None:
            vectors[i] = self._embed(self._conversion.passage_prompt + texts[i])

        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        if len(texts) < 2 or self._threads < 2:
            for i in by_length:
                embed(i)
            return vectors
        with ThreadPoolExecutor(min(self._threads, len(texts)), "embed") as pool:
            for _ in pool.map(embed, by_length):
                pass
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """See `kb.ports.Embedder`."""
        return self._embed(self._conversion.query_prompt + text)

    def _embed(self, text: str) -> Vectors:
        text = text[: self._text_tokens * _CHARS_PER_TOKEN]
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        encoding.truncate(self._text_tokens)
        ids = np.array([self._tokenizer.post_process(encoding).ids], dtype=np.int64)
        vector: Vectors = self._session.run(["vector"], {"ids": ids})[0][0]
        return vector
