"""The embedding model, through sentence-transformers. Sole importer of it.

Loads a local folder only and opens no socket. Safe for use by several threads: a question is embedded while a
document is.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kb.errors import ModelLoadError
from kb.models.sentence_folder import prompts_of
from kb.ports import Vectors

_CHARS_PER_TOKEN = 64  # more of a text is not read, as it cannot matter: tokenizing takes many times its length

BATCH_SIZE = 16
ACCELERATOR_BATCH_SIZE = 128
"""On a graphics processor. Texts of 45 tokens a second on an H100, in batches of 16, 64 and 128: 2200, 5000, 6100."""


class SentenceTransformerEmbedder:
    """Adapter of `kb.ports.Embedder`.

    Args:
        folder: A model in sentence-transformers' layout, with prompts of its own if it needs any.
        identity: Model and version; see `kb.ports.Embedder.identity`.

    Raises:
        ModelLoadError: The folder holds no model that loads.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        try:
            self._model = SentenceTransformer(str(folder), local_files_only=True)
            self._count = _token_counter(folder)
            self._query_prompt, self._passage_prompt = prompts_of(folder)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelLoadError(
                f"the embedding model in {folder} does not load: {error}",
                "remove that folder; it is fetched again at the next start",
            ) from error
        self._model.eval()
        self._identity = identity
        self._tokenizing = threading.Lock()

    @property
    def identity(self) -> str:
        """See `kb.ports.Embedder`."""
        return self._identity

    @property
    def dimension(self) -> int:
        """See `kb.ports.Embedder`."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """See `kb.ports.Embedder`."""
        return int(self._model.max_seq_length or 512)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `kb.ports.Embedder`."""
        return self._count(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Embedder`. Batches hold texts of like length, so that little is computed on padding."""
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        batch_size = BATCH_SIZE if self._model.device.type == "cpu" else ACCELERATOR_BATCH_SIZE
        for i in range(0, len(by_length), batch_size):
            batch = by_length[i : i + batch_size]
            vectors[batch] = self._embed([texts[j] for j in batch], self._passage_prompt)
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """See `kb.ports.Embedder`."""
        vector: Vectors = self._embed([text], self._query_prompt)[0]
        return vector

    def _embed(self, texts: list[str], prompt: str) -> Vectors:
        import torch

        texts = [text[: self.max_tokens * _CHARS_PER_TOKEN] for text in texts]
        # A fast tokenizer refuses two callers at once; the network, where the time goes, takes any number.
        with self._tokenizing:
            features = self._model.preprocess(texts, prompt=prompt)
        features = {name: value.to(self._model.device) for name, value in features.items() if torch.is_tensor(value)}
        with torch.inference_mode():
            vectors: torch.Tensor = self._model(features)["sentence_embedding"]
            normalised = torch.nn.functional.normalize(vectors, dim=1)
        return normalised.float().cpu().numpy()


def _token_counter(folder: Path) -> Callable[[Sequence[str]], list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    return count
