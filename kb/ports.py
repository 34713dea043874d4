"""The seams: what the core asks of an embedding model, a language model, a vector index, and the files behind it.

Adapters live in `kb.adapters` and `kb.catalog`, and for files outside of kb. One suite of tests runs over each adapter
of a model or an index and its fake.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from kb.values.chat import Generated, GenerationOptions, Heartbeat, LanguageModelInfo, Look, Message
from kb.values.documents import DocumentInfo
from kb.values.personal import Personal

FindPersonal = Callable[[str], Sequence[Personal]]
"""Finds personal data in a text, in its order, none within another."""

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns text into vectors whose dot product says how near two meanings are."""

    @property
    def identity(self) -> str:
        """Model and version; vectors of different identities are never compared."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens, without what the model puts around it; of what is longer, the end is not read."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text, without special tokens."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embeds texts that are to be found.

        Returns:
            `(n, d) float32`, unit norm, in the order of the texts.
        """

    def embed_query(self, text: str) -> Vectors:
        """Embeds a question.

        Returns:
            `(d,) float32`, unit norm.
        """


@runtime_checkable
class QueryBatches(Protocol):
    """An embedding model that embeds many questions at once, since each call costs it time. Without it, one by one."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embeds questions.

        Returns:
            `(n, d) float32`, unit norm, in the order of the texts.
        """


def embed_queries(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Embeds one question or more, at once where the model can. See `QueryBatches`."""
    if isinstance(embedder, QueryBatches):
        return embedder.embed_queries(texts)
    return np.stack([embedder.embed_query(text) for text in texts])


class Reranker(Protocol):
    """Reads question and text together and says how well one answers the other: slower than vectors, and sharper."""

    @property
    def identity(self) -> str:
        """Name of the model."""

    def scores(self, query: str, texts: Sequence[str]) -> Vectors:
        """Weighs texts for a question; of what is longer than the model reads, it sees the beginning.

        Returns:
            `(n,) float32`, in the order of the texts; larger is better, comparable within one call only.

        Raises:
            ModelError: The model failed, or is closed.
        """

    def close(self) -> None:
        """Frees the memory."""


class LanguageModel(Protocol):
    """Writes text that follows messages, reasoning apart from answer.

    That is all that is asked of one. Where an adapter is a `TokenCounter`, a `Looker` or `Restartable` as well, that is
    made use of; each says what is done without it.
    """

    @property
    def info(self) -> LanguageModelInfo:
        """Name, abilities and limits of the model."""

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        """Generates a reply.

        Closing the generator stops generation, also while the prompt is being processed.

        Yields:
            Deltas as they come, a heartbeat at least every second while there are none; exactly one `GenerationEnd`,
            last.

        Raises:
            PromptTooLong: Messages and budgets do not fit into the context window.
            ModelBusy: The queue is full.
            ModelError: The model failed, or is closed; unless the message says otherwise, it will answer the next time.
        """

    def close(self) -> None:
        """Stops what is running and frees the memory."""


@runtime_checkable
class TokenCounter(Protocol):
    """Counts tokens as a language model does. Without it, `kb.answering.prompts.tokens` estimates, with a margin."""

    def count_tokens(self, text: str) -> int:
        """Counts the tokens of a text, control tokens read as plain text.

        Raises:
            ModelError: The model failed, or is closed.
        """

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """Counts the tokens of the whole prompt that the messages make, template included.

        Raises:
            ModelError: The model failed, or is closed.
        """


@runtime_checkable
class Looker(Protocol):
    """A language model whose probabilities can be read.

    Without it, the evidence of the search alone decides what is answered, and `kb.judging.one_word` judges.
    """

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        """Does what `LanguageModel.stream` does, and has looks before.

        All is one request in the queue: what their prompts begin with is evaluated once, and nobody comes between.

        Args:
            messages: Empty: nothing is generated, and the end comes after the looks.

        Yields:
            One `Looked` before all else but heartbeats; then what `stream` yields. Where the time is up during the
            looks, they show nothing.

        Raises:
            PromptTooLong: A prompt of a look, or messages and budgets, do not fit into the context window.
            ModelBusy: As `stream`.
            ModelError: As `stream`.
        """


@runtime_checkable
class AheadReader(Protocol):
    """A language model that can read a prompt before it is asked. Without it, it begins to read with the question."""

    def read_ahead(self, prompts: Sequence[Sequence[Message]]) -> None:
        """Has what some prompts begin with read, so that the next of them needs less time; does not wait for it.

        It is done while nobody asks, and given up at once when somebody does, or when something else is to be read.
        What does not fit is not read, and nothing is said.

        Args:
            prompts: One or more.
        """


@runtime_checkable
class Measured(Protocol):
    """A language model that was measured, to run as fast as it can. Without it, it runs as it is set."""

    def measure_again(self, is_idle: Callable[[], bool]) -> bool:
        """Measures again, if other work disturbed the measurement; a question that comes meanwhile ends it.

        Args:
            is_idle: Whether nobody waits for the model.

        Returns:
            Whether the model runs as an undisturbed measurement says.
        """


class Judge(Protocol):
    """Reads sources and says how likely they bear out what is stated. Without one, only what they say word for word
    counts as borne out."""

    def judge(
        self, passages: Sequence[str], statement: str, question: str = ""
    ) -> Generator[Heartbeat, None, float | None]:
        """Judges a statement.

        Closing the generator stops the work.

        Args:
            passages: One or more.
            question: What the statement answers; a whole sentence is judged without it.

        Yields:
            Heartbeats, as `LanguageModel.stream`.

        Returns:
            A calibrated probability in 0…1; None: it cannot tell, or not now.

        Raises:
            ModelError: The model failed, or is closed.
        """

    def close(self) -> None:
        """Frees the memory that is its own."""


@runtime_checkable
class Restartable(Protocol):
    """A language model that may come down, and can be started again. Without it, it is taken to be up at all times."""

    def ready(self, timeout_seconds: float) -> bool:
        """Whether it can answer now; one that has come down is started again, and waited for.

        Args:
            timeout_seconds: How long to wait for it.

        Raises:
            ModelError: It cannot be started again, or is closed.
        """


class VectorIndex(Protocol):
    """Nearest neighbours by cosine. Derived data: it can be lost and rebuilt."""

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Adds vectors, or replaces those of the same id.

        Args:
            ids: Unique.
            vectors: `(n, d) float32`, unit norm.
        """

    def delete(self, ids: Iterable[str]) -> None:
        """Removes vectors; ids that are not there are ignored."""

    def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Finds the k nearest.

        Args:
            vector: `(d,) float32`, unit norm.

        Returns:
            Ids with their cosine in -1…1, nearest first.
        """

    def ids(self) -> set[str]:
        """All ids in the index."""

    def clear(self) -> None:
        """Empties the index by making it anew."""

    def close(self) -> None:
        """Releases files."""


class IndexStores(Protocol):
    """Where the generations of the vector index are kept."""

    def create(self, generation: str, space: str) -> VectorIndex:
        """Makes an empty index.

        Args:
            generation: A name that was never used.
            space: Key of the space in which its vectors lie.
        """

    def open(self, generation: str, space: str) -> VectorIndex | None:
        """Opens an index; None if it is not there, or damaged."""

    def keep_only(self, *generations: str) -> None:
        """Removes everything but these, with all its files."""


class Freshness(Protocol):
    """Knows the files that documents were read from, and whether they are still what they were."""

    def drifted(self, documents: Sequence[DocumentInfo]) -> list[DocumentInfo]:
        """Those documents whose file is gone, or has other content than when it was indexed.

        A file that cannot be looked at now, because its drive is away, is taken to be as it was.
        """

    def refresh(self, documents: Sequence[DocumentInfo], timeout_seconds: float) -> None:
        """Has the index follow what became of the files, and waits until it has, but not for longer than it may."""
