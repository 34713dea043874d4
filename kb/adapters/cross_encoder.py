"""Cross-encoders through sentence-transformers: the reranker, and the judge of entailment.

They load a local folder only and open no socket; no code that comes with a model is run. Safe for use by several
threads, one at a time: each call keeps all cores busy as it is.
"""

import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.errors import ModelError, ModelLoadError
from kb.models.cross_encoder import is_cross_encoder
from kb.ports import Vectors
from kb.values.chat import Heartbeat

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH_SIZE = 16


class CrossEncoderReranker:
    """Adapter of `kb.ports.Reranker`.

    Args:
        folder: A cross-encoder with one score, as sentence-transformers and transformers write them.
        identity: Name of the model.

    Raises:
        ModelLoadError: The folder holds something else, or a model that does not load.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.identity = identity
        self._model = _Model(folder, identity, "KB_RERANKER")
        if self._model.labels != 1:
            raise ModelLoadError(
                f"{identity} has {self._model.labels} scores for a text, not one",
                "KB_RERANKER wants a cross-encoder with one score, for example BAAI/bge-reranker-v2-m3",
            )

    def scores(self, query: str, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Reranker`."""
        return self._model.scores([(query, text) for text in texts])

    def close(self) -> None:
        """See `kb.ports.Reranker`."""
        self._model.close()


class EntailmentJudge:
    """Adapter of `kb.ports.Judge`: a model of natural language inference reads each passage beside the statement.

    Args:
        folder: A cross-encoder with a label for entailment, as sentence-transformers and transformers write them.
        identity: Name of the model.

    Raises:
        ModelLoadError: The folder holds something else, or a model that does not load.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.identity = identity
        self._model = _Model(folder, identity, "KB_JUDGE")
        place = self._model.place_of("entail")
        if place is None or self._model.labels < 2:
            raise ModelLoadError(
                f"{identity} has no label for entailment",
                "KB_JUDGE wants a cross-encoder for natural language inference, for example"
                " MoritzLaurer/mDeBERTa-v3-base-mnli-xnli",
            )
        self._entailment = place

    def judge(
        self, passages: Sequence[str], statement: str, question: str = ""
    ) -> Generator[Heartbeat, None, float | None]:
        """See `kb.ports.Judge`. The likeliest passage counts."""
        claim = f"{question} {statement}".strip()
        likely = 0.0
        for start in range(0, len(passages), BATCH_SIZE):
            yield Heartbeat()
            scores = self._model.scores([(passage, claim) for passage in passages[start : start + BATCH_SIZE]])
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            likely = max(likely, float((shares[:, self._entailment] / shares.sum(axis=1)).max()))
        return likely

    def close(self) -> None:
        """Frees the memory."""
        self._model.close()


class _Model:
    """A loaded cross-encoder.

    Args:
        setting: What names it.
    """

    def __init__(self, folder: Path, identity: str, setting: str) -> None:
        if not is_cross_encoder(folder):
            raise ModelLoadError(
                f"{identity} is not a cross-encoder, by the configuration in {folder}",
                f"choose another model with {setting}",
            )
        self._identity = identity
        self._setting = setting
        self._model: CrossEncoder | None = self._load(folder)
        self._lock = threading.Lock()
        self.labels: int = self._model.num_labels

    def place_of(self, label: str) -> int | None:
        """Where the score of a label stands that begins so, in any case; None: there is none."""
        names: dict[Any, str] = getattr(getattr(self._model, "config", None), "id2label", None) or {}
        return next((int(place) for place, name in names.items() if str(name).lower().startswith(label)), None)

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """The logits as they are, since a sigmoid brings near ones together until they are equal: `(n,)`, or `(n, k)`
        of k labels, float32."""
        from torch.nn import Identity

        with self._lock:
            if self._model is None:
                raise ModelError(f"the model {self._identity} is closed", "open the data directory again")
            try:
                scores = self._model.predict(
                    list(pairs), batch_size=BATCH_SIZE, show_progress_bar=False, activation_fn=Identity()
                )
            except (RuntimeError, ValueError, MemoryError) as error:
                hint = f"choose another model, or none, with {self._setting}"
                raise ModelError(f"the model {self._identity} failed: {error}", hint) from error
        if not np.isfinite(scores).all():
            hint = f"choose another model, or none, with {self._setting}"
            raise ModelError(f"the model {self._identity} gave scores that are no numbers", hint)
        return np.asarray(scores, dtype=np.float32)

    def close(self) -> None:
        """Frees the memory."""
        with self._lock:
            self._model = None

    def _load(self, folder: Path) -> "CrossEncoder":
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        try:
            model: CrossEncoder = CrossEncoder(str(folder), local_files_only=True)
        except (OSError, ValueError, RuntimeError, KeyError, ImportError, MemoryError, SafetensorError) as error:
            hint = f"remove that folder, to have it fetched again, or choose another model with {self._setting}"
            raise ModelLoadError(f"the model in {folder} does not load: {error}", hint) from error
        return model
