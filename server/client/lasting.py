"""The knowledge base for a process that outlives servers: whoever has it now answers, and each call finds out anew."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pydantic import BaseModel

from kb.data_directory import find_owner
from kb.values.answers import AS_SET, AskOptions
from kb.values.chat import Turn
from kb.values.filters import EVERYTHING, Filters
from server.client.connection import connect
from server.client.service import Service, ShowLoading
from server.http import schemas
from server.settings import ServerSettings


class LastingService:
    """What `server.http.mcp.library.Library` asks for; safe for use by several threads.

    A server that comes, goes or moves to another port is no matter. Where there is none, the data directory is opened
    at the first call and kept: loading models takes too long to do it for each.
    """

    def __init__(self, settings: ServerSettings, show_loading: ShowLoading) -> None:
        self._settings = settings
        self._show_loading = show_loading
        self._lock = threading.Lock()
        self._kept = ExitStack()
        self._own: Service | None = None

    def close(self) -> None:
        """Gives the data directory back."""
        self._kept.close()

    def ask(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[BaseModel, None, None]:
        """See `Service`."""
        with self._service() as service:
            yield from service.ask(question, history, options)

    def search(self, query: str, top_k: int | None, filters: Filters = EVERYTHING) -> schemas.SearchResponse:
        """See `Service`."""
        with self._service() as service:
            return service.search(query, top_k, filters)

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[BaseModel, None, None]:
        """See `Service`."""
        with self._service() as service:
            yield from service.verify(text, question, sources, filters)

    def documents(self, limit: int | None = None, cursor: str | None = None) -> schemas.DocumentList:
        """See `Service`."""
        with self._service() as service:
            return service.documents(limit, cursor)

    def document(self, document_id: str, start: int = 0, end: int | None = None) -> schemas.DocumentText:
        """See `Service`."""
        with self._service() as service:
            return service.document(document_id, start, end)

    @contextmanager
    def _service(self) -> Iterator[Service]:
        with self._lock:
            if self._own is None and find_owner(self._settings.home) is None:
                self._own = self._kept.enter_context(connect(self._settings, self._show_loading))
        if self._own:
            yield self._own
        else:
            with connect(self._settings, self._show_loading) as service:
                yield service
