"""An embedding model in llama.cpp, in a process of its own, behind the port of one.

A crash of llama.cpp ends that process: what was asked is asked once more of a new one. Knows nothing of llama.cpp,
which is never loaded into this process. Invariant: there is at most one child, and none after `close`.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from kb.adapters.llama.embedding.wire import (
    Counts,
    CountTokens,
    Embed,
    Embedded,
    EmbeddingInfo,
    EmbeddingSpec,
    FromChild,
    ToChild,
    decode_reply,
    encode_request,
    encode_spec,
)
from kb.adapters.llama.pipe import ChildPipe
from kb.errors import ModelError
from kb.models.prefixes import prefixes_of
from kb.observing import Observe, unobserved
from kb.ports import Vectors
from kb.values.happenings import ChildRestarted

logger = logging.getLogger(__name__)

_Child = ChildPipe[FromChild, EmbeddingInfo]

HANG_SECONDS = 600.0
"""After so long without an answer the process hangs: native code does, or the driver of a GPU."""

_MODULE = "kb.adapters.llama.embedding.main"
_TRIES = 2
_HINTS = (
    "choose a smaller model with KB_EMBEDDING_MODEL, fetch this one again, or set KB_GPU_LAYERS=0",
    "try again: it is started again by then; or choose another model with KB_EMBEDDING_MODEL",
)


class LlamaEmbedder:
    """Adapter of `kb.ports.Embedder`, and of `kb.ports.QueryBatches`. Safe for use by several threads.

    Args:
        path: The GGUF file; of a split model the first part.
        identity: See `kb.ports.Embedder`.
        threads: 0 takes the physical cores that this process may use.
        gpu_layers: Layers on the GPU, if llama.cpp was built for one; -1: all.
        observe: Is told of new processes.

    Raises:
        ModelMissing: There is no such file.
        ModelLoadError: It is no GGUF file, is damaged, does not fit into memory, is no embedding model, or ends the
            process.
    """

    def __init__(
        self, path: Path, identity: str, threads: int = 0, gpu_layers: int = -1, observe: Observe = unobserved
    ) -> None:
        self.identity = identity
        self._spec = EmbeddingSpec(path.absolute(), threads, gpu_layers)
        self._observe = observe
        self._lock = threading.Lock()  # guards the two below
        self._closed = False
        self._child = _started(self._spec)
        try:
            info = self._child.info()
            assert info, "without a limit of time it is loaded, or an error"
            self._prefixes = prefixes_of(path.stem, info.title)
            self._info = info
            self.max_tokens = info.text_tokens - self.count_tokens([self._prefixes.passage])[0]
        except BaseException:
            self.close()
            raise

    @property
    def dimension(self) -> int:
        """See `kb.ports.Embedder`."""
        return self._info.dimension

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `kb.ports.Embedder`."""
        counts = self._ask(CountTokens(tuple(texts)))
        assert isinstance(counts, Counts)
        return list(counts.tokens)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.Embedder`."""
        return self._embed([self._prefixes.passage + text for text in texts], is_question=False)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `kb.ports.QueryBatches`."""
        return self._embed([self._prefixes.query + text for text in texts], is_question=True)

    def embed_query(self, text: str) -> Vectors:
        """See `kb.ports.Embedder`."""
        vector: Vectors = self.embed_queries([text])[0]
        return vector

    def close(self) -> None:
        """Ends the process. Closing twice does nothing."""
        with self._lock:
            self._closed = True
        self._child.close()

    def _embed(self, texts: Sequence[str], *, is_question: bool) -> Vectors:
        embedded = self._ask(Embed(tuple(texts), is_question))
        assert isinstance(embedded, Embedded)
        return embedded.vectors

    def _ask(self, request: ToChild) -> FromChild:
        """Asks the process; a new one, where it ended meanwhile."""
        for tries_left in reversed(range(_TRIES)):
            child = self._sound_child()
            try:
                child.info()
                return child.call(lambda number: encode_request(number, request), HANG_SECONDS)
            except ModelError as error:
                if not (child.has_ended and tries_left) or self._closed:
                    raise
                logger.warning("%s; it is started again", error.message)
        raise AssertionError("the last try returns or raises")

    def _sound_child(self) -> _Child:
        with self._lock:
            if self._closed:
                raise ModelError(f"the model {self._spec.path.name} is closed", "open the data directory again")
            if self._child.has_ended:
                self._observe(ChildRestarted("embedder"))
                self._child = _started(self._spec)
            return self._child


def _started(spec: EmbeddingSpec) -> _Child:
    """A running child; its model is being loaded."""
    what, first = f"the embedding model {spec.path.name}", encode_spec(spec)
    return ChildPipe(_MODULE, what, first, decode_reply, lambda _: False, EmbeddingInfo, _HINTS)
