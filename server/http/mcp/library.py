"""What is asked of a knowledge base, near or far, in the values of the wire."""

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Protocol

from pydantic import BaseModel

from ingest.pipeline.pipeline import Pipeline
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AS_SET, AskOptions
from kb.values.chat import Turn
from kb.values.filters import EVERYTHING, Filters
from server.http import schemas
from server.http.state import read_stretch, report_documents
from server.http.streaming import wire_event


class Library(Protocol):
    """A knowledge base that is asked. `server.client.service.Service` is one, and so is `OwnLibrary`."""

    def ask(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[BaseModel, None, None]:
        """Yields the bodies of the answer's events; the last is the whole `schemas.Answer`.

        Closing the generator stops the work.

        Args:
            history: Earlier turns, oldest first.
            options: How it is to be answered; a server elsewhere is not told `answer_tokens` and `wishes`.
        """

    def search(self, query: str, top_k: int | None, filters: Filters = EVERYTHING) -> schemas.SearchResponse:
        """Finds passages."""

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[BaseModel, None, None]:
        """Yields the statements of a text as they are checked; the last is the whole `schemas.Verification`.

        Closing the generator stops the work.

        Args:
            question: What the text answers.
            sources: What it is held against; empty: the documents.
        """

    def documents(self, limit: int | None = None, cursor: str | None = None) -> schemas.DocumentList:
        """Lists what is indexed, and what is not; a page of it, or all. See `report_documents`."""

    def document(self, document_id: str, start: int = 0, end: int | None = None) -> schemas.DocumentText:
        """Reads a stretch of a document. See `read_stretch`."""


class OwnLibrary:
    """The knowledge base of this process."""

    def __init__(self, knowledge_base: KnowledgeBase, pipeline: Pipeline) -> None:
        self._knowledge_base = knowledge_base
        self._pipeline = pipeline

    def ask(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[BaseModel, None, None]:
        """See `Library`."""
        with closing(self._knowledge_base.ask_stream(question, history, options)) as events:
            for event in events:
                yield wire_event(event)[1]

    def search(self, query: str, top_k: int | None, filters: Filters = EVERYTHING) -> schemas.SearchResponse:
        """See `Library`."""
        return schemas.SearchResponse.model_validate({"passages": self._knowledge_base.search(query, top_k, filters)})

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[BaseModel, None, None]:
        """See `Library`."""
        with closing(self._knowledge_base.verify_stream(text, question, sources, filters)) as events:
            for event in events:
                yield wire_event(event)[1]

    def documents(self, limit: int | None = None, cursor: str | None = None) -> schemas.DocumentList:
        """See `Library`."""
        return report_documents(self._knowledge_base, self._pipeline, limit, cursor)

    def document(self, document_id: str, start: int = 0, end: int | None = None) -> schemas.DocumentText:
        """See `Library`."""
        return read_stretch(self._knowledge_base, document_id, start, end)
