"""The reranker, a cross-encoder through sentence-transformers.

Loads a local folder only and opens no socket; runs no code that comes with a model. Safe for use by several threads,
one at a time: each call keeps all cores busy as it is.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb.errors import ModelError, ModelLoadError
from kb.models.cross_encoder import is_cross_encoder
from kb.ports import Vectors

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH_SIZE = 16

_KIND_HINT = "KB_RERANKER wants a cross-encoder with one score, for example BAAI/bge-reranker-v2-m3"
_LOAD_HINT = "remove that folder, to have it fetched again, or choose another model with KB_RERANKER"
_RUN_HINT = "choose another reranker, or none, with KB_RERANKER"


class CrossEncoderReranker:
    """Adapter of `kb.ports.Reranker`.

    Args:
        folder: A cross-encoder with one score, as sentence-transformers and transformers write them.
        identity: Name of the model.

    Raises:
        ModelLoadError: The folder holds something else, or a model that does not load.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        if not is_cross_encoder(folder):
            raise ModelLoadError(f"{identity} is not a cross-encoder, by the configuration in {folder}", _KIND_HINT)
        self.identity = identity
        self._model: CrossEncoder | None = _load(folder, identity)
        self._lock = threading.Lock()

    def scores(self, query: str, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Reranker`."""
        from torch.nn import Identity

        with self._lock:
            if self._model is None:
                raise ModelError(f"the reranker {self.identity} is closed", "open the data directory again")
            try:
                # The logits as they are: a sigmoid brings near ones together until they are equal.
                scores = self._model.predict(
                    [(query, text) for text in texts],
                    batch_size=BATCH_SIZE,
                    show_progress_bar=False,
                    activation_fn=Identity(),
                )
            except (RuntimeError, ValueError, MemoryError) as error:
                raise ModelError(f"the reranker {self.identity} failed: {error}", _RUN_HINT) from error
        if not np.isfinite(scores).all():
            raise ModelError(f"the reranker {self.identity} gave scores that are no numbers", _RUN_HINT)
        return np.asarray(scores, dtype=np.float32)

    def close(self) -> None:
        """See `kb.ports.Reranker`."""
        with self._lock:
            self._model = None


def _load(folder: Path, identity: str) -> "CrossEncoder":
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        model: CrossEncoder = CrossEncoder(str(folder), local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, MemoryError, SafetensorError) as error:
        raise ModelLoadError(f"the reranker in {folder} does not load: {error}", _LOAD_HINT) from error
    if model.num_labels != 1:
        raise ModelLoadError(f"{identity} has {model.num_labels} scores for a text, not one", _KIND_HINT)
    return model
