"""The embedding model, through sentence-transformers. Sole importer of it.

Loads a local folder only and opens no socket. Safe for use by several threads: a question is embedded while a
document is.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb.errors import ModelLoadError
from kb.models.sentence_folder import prompts_of
from kb.ports import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

MOST_TOKENS = 8192
"""Read of a text, by models that could read more: memory grows with its square."""

_ANY_TEXT = "?"
_CHARS_PER_TOKEN = 64  # more of a text is not read, as it cannot matter: tokenizing takes many times its length

BATCH_SIZE = 16
ACCELERATOR_BATCH_SIZE = 128
"""On a graphics processor. Texts of 45 tokens a second on an H100, in batches of 16, 64 and 128: 2200, 5000, 6100."""


class SentenceTransformerEmbedder:
    """Adapter of `kb.ports.Embedder`.

    Args:
        folder: A model in sentence-transformers' layout, with prompts of its own if it needs any.
        identity: Model and version; see `kb.ports.Embedder.identity`.

    Attributes:
        input_tokens: Longest input in tokens, prompt and special tokens included.
        max_tokens: See `kb.ports.Embedder`.
        dimension: See `kb.ports.Embedder`.

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
            self._tokenizer = _tokenizer(self._model, folder)
            self._query_prompt, self._passage_prompt = prompts_of(folder)
        except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
            raise ModelLoadError(
                f"the embedding model in {folder} does not load: {error}",
                "remove that folder, to have it fetched again, or choose another model with KB_EMBEDDING_MODEL",
            ) from error
        self._model.eval()
        self._identity = identity
        self._tokenizing = threading.Lock()
        self.input_tokens = self._limit_input()
        ends = self._tokenizer.num_special_tokens_to_add(False)
        self.max_tokens = self.input_tokens - ends - self.count_tokens([self._passage_prompt])[0]
        self.dimension = self._embed([_ANY_TEXT], "").shape[1]

    @property
    def identity(self) -> str:
        """See `kb.ports.Embedder`."""
        return self._identity

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `kb.ports.Embedder`."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

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

        texts = [text[: self.input_tokens * _CHARS_PER_TOKEN] for text in texts]
        # A fast tokenizer refuses two callers at once; the network, where the time goes, takes any number.
        with self._tokenizing:
            features = self._model.preprocess(texts, prompt=prompt)
        features = {
            name: value.to(self._model.device) if torch.is_tensor(value) else value for name, value in features.items()
        }
        with torch.inference_mode():
            vectors: torch.Tensor = self._model(features)["sentence_embedding"].float()
            normalised = torch.nn.functional.normalize(vectors, dim=1)
        return normalised.cpu().numpy()

    def _limit_input(self) -> int:
        """How much the model reads; where its tokenizer knows no limit, what there are places for, and no more than
        memory allows."""
        config = getattr(self._model.transformers_model, "config", None)
        places = getattr(config, "max_position_embeddings", None)
        named = self._model.max_seq_length
        limit = min(value for value in (named, places, MOST_TOKENS) if value and value > 0)
        if named != limit and self._model.transformers_model is not None:
            self._model.max_seq_length = limit
        return int(limit)


def _tokenizer(model: "SentenceTransformer", folder: Path) -> "Tokenizer":
    """One for counting, that neither cuts nor pads."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if path.exists():
        tokenizer = Tokenizer.from_file(str(path))
    else:
        own = getattr(model.tokenizer, "backend_tokenizer", model.tokenizer)
        if not isinstance(own, Tokenizer):
            raise ValueError("it has no tokenizer.json, and none can be made of what it has")
        tokenizer = Tokenizer.from_str(own.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
