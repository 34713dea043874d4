"""A knowledge base opened by this process, because nobody else has it open."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel

from ingest.folders.intake import place
from ingest.folders.listing import UNREADABLE_CHARACTER, is_reachable, readable
from ingest.pipeline.pipeline import Pipeline
from ingest.settings import IngestSettings
from kb.errors import SettingsError
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AS_SET, AskOptions
from kb.values.chat import Heartbeat, Turn
from kb.values.filters import EVERYTHING, Filters
from server.client.polling import polling
from server.client.service import ShowLoading, Watch, opened
from server.http import schemas
from server.http.conversations import read_conversation
from server.http.state import read_stretch, report_documents, report_status, sync_now
from server.http.streaming import wire_event


class Local:
    """Works on the data directory itself.

    Args:
        knowledge_base: Is closed with it.
        show_loading: Called before something needs a model, with whether that is the answering model too: waits, and
            shows how far it is.
        settings: Which folders are watched, and how.
    """

    def __init__(self, knowledge_base: KnowledgeBase, show_loading: ShowLoading, settings: IngestSettings) -> None:
        self._knowledge_base = knowledge_base
        self._show_loading = show_loading
        self._settings = settings
        folders = watched_folders(settings, knowledge_base, required=False)
        self._pipeline = Pipeline(knowledge_base, folders, settings)

    def close(self) -> None:
        """Closes the data directory."""
        self._pipeline.stop()
        self._knowledge_base.close()

    def ask(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[BaseModel, None, None]:
        """See `Service`."""
        self._show_loading(self._knowledge_base, True)
        self._knowledge_base.models.wait_for_reranker()
        with closing(self._knowledge_base.ask_stream(question, history, options)) as events:
            for event in events:
                if not isinstance(event, Heartbeat):  # nobody else asks here
                    yield wire_event(event)[1]

    def prepare(self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET) -> None:
        """See `Service`."""
        self._knowledge_base.prepare(question, history, options)

    def search(self, query: str, top_k: int | None, filters: Filters = EVERYTHING) -> schemas.SearchResponse:
        """See `Service`."""
        self._show_loading(self._knowledge_base, False)
        self._knowledge_base.models.wait_for_reranker()
        return schemas.SearchResponse.model_validate({"passages": self._knowledge_base.search(query, top_k, filters)})

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[BaseModel, None, None]:
        """See `Service`."""
        self._show_loading(self._knowledge_base, True)
        with closing(self._knowledge_base.verify_stream(text, question, sources, filters)) as events:
            for event in events:
                if not isinstance(event, Heartbeat):
                    yield wire_event(event)[1]

    def latest_conversation(self) -> schemas.Conversation | None:
        """See `Service`."""
        found = self._knowledge_base.conversations.list(limit=1)
        return read_conversation(self._knowledge_base, found[0].id) if found else None

    def keep_turn(self, conversation_id: str, turn: schemas.TurnToKeep) -> str:
        """See `Service`."""
        kept = self._knowledge_base.conversations
        if not kept.keeps:
            return ""
        conversation_id = conversation_id or kept.begin()
        kept.add(conversation_id, turn.to_core())
        return conversation_id

    def status(self) -> schemas.Status:
        """See `Service`."""
        return report_status(self._knowledge_base, self._pipeline)

    def add(self, path: Path) -> schemas.UploadResponse:
        """See `Service`."""
        root = watched_folders(self._settings, self._knowledge_base)[0]
        with opened(path) as file:
            placed = place(root, path.name, file)
        source = placed.relative_to(root).as_posix()
        self._knowledge_base.clear_failure(str(root), source)
        uploaded = schemas.Uploaded(root=str(root), source=source, size_bytes=placed.stat().st_size)
        return schemas.UploadResponse(uploaded=[uploaded])

    def documents(self, limit: int | None = None, cursor: str | None = None) -> schemas.DocumentList:
        """See `Service`."""
        return report_documents(self._knowledge_base, self._pipeline, limit, cursor)

    def document(self, document_id: str, start: int = 0, end: int | None = None) -> schemas.DocumentText:
        """See `Service`."""
        return read_stretch(self._knowledge_base, document_id, start, end)

    def forget(self, document_ids: Sequence[str]) -> None:
        """See `Service`."""
        for document_id in document_ids:
            self._knowledge_base.forget(document_id)
        self._show_loading(self._knowledge_base, False)
        self._maintain()

    def sync(self, watch: Watch, *, retry: bool = False) -> schemas.SyncResponse:
        """See `Service`."""
        folders = watched_folders(self._settings, self._knowledge_base)
        self._show_loading(self._knowledge_base, False)
        self._pipeline.stop()  # one that has run before cannot start again
        self._pipeline = Pipeline(self._knowledge_base, folders, self._settings)
        self._pipeline.start()
        with polling(lambda: watch(self.status())):
            result = sync_now(self._knowledge_base, self._pipeline, retry=retry)
            self._pipeline.stop()
            self._maintain()
        return result

    def start_reindex(self, *, embed: bool) -> schemas.Message:
        """See `Service`."""
        self._pipeline.reindex(embed=embed)
        return schemas.Message(message="the next `kb serve` or `kb sync` reads everything anew and makes a new index")

    def reindex(self, watch: Watch, *, embed: bool) -> schemas.SyncResponse:
        """See `Service`."""
        self.start_reindex(embed=embed)
        began = time.monotonic()
        result = self.sync(watch)
        return result.model_copy(update={"seconds": round(time.monotonic() - began, 2)})

    def _maintain(self) -> None:
        """Does what a server would do when it has time: nobody else will."""
        while self._knowledge_base.maintain():
            pass


def watched_folders(
    settings: IngestSettings, knowledge_base: KnowledgeBase, given: Sequence[Path] = (), *, required: bool = True
) -> tuple[Path, ...]:
    """The folders to watch: those given, else those of the settings, else those of the last time.

    Args:
        required: Whether there must be one, and those given or set must exist.

    Raises:
        SettingsError: They cannot be watched.
    """
    named = tuple(given) or settings.folders
    folders = named or tuple(Path(folder.root) for folder in knowledge_base.folders())
    if required:
        _check(folders, named)
    return tuple(folder.resolve() for folder in folders)


def _check(folders: Sequence[Path], named: Sequence[Path]) -> None:
    if not folders:
        raise SettingsError("no folder to watch", "name one: `kb serve FOLDER`, or set KB_FOLDERS")
    for folder in named:
        if not is_reachable(folder):
            raise SettingsError(f"{folder} is not a folder that can be read", "make it, or name another one")
        if UNREADABLE_CHARACTER in readable(str(folder.resolve())):
            raise SettingsError(f"the name of the folder {readable(str(folder))} is not valid UTF-8", "rename it")
