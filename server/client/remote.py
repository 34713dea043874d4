"""A knowledge base behind a running server, over HTTP."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ingest.folders.intake import clean_name
from kb import errors
from kb.errors import KBError
from kb.values.answers import AS_SET, AskOptions
from kb.values.chat import Turn
from kb.values.filters import EVERYTHING, Filters
from server.client.polling import POLL_SECONDS, polling
from server.client.service import Watch, opened
from server.http import schemas

Body = TypeVar("Body", bound=BaseModel)

MAX_REPLY_BYTES = 250_000_000
"""Of one reply: the list of half a million documents."""

MAX_LINE_BYTES = 10_000_000
"""Of a stream: its longest holds a whole answer with its passages."""

_ANSWER_EVENTS: Mapping[str, type[BaseModel]] = {
    "passages": schemas.PassagesEvent,
    "waiting": schemas.WaitingEvent,
    "step": schemas.StepEvent,
    "reasoning": schemas.ReasoningEvent,
    "answer": schemas.AnswerEvent,
    "citation": schemas.Citation,
    "done": schemas.Answer,
}
_CHECK_EVENTS: Mapping[str, type[BaseModel]] = {
    "waiting": schemas.WaitingEvent,
    "statement": schemas.CheckedStatement,
    "done": schemas.Verification,
}

_ERRORS: dict[str, type[KBError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KBError)
}


class Remote:
    """Talks to a server; its errors are raised here as what they were there.

    Args:
        url: Where it listens.
        token: Empty if it asks for none.
    """

    def __init__(self, url: str, token: str) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=httpx.Timeout(10, read=None), trust_env=False
        )
        self._url = url

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def ask(
        self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET
    ) -> Generator[BaseModel, None, None]:
        """See `Service`."""
        how = {"kind": options.kind, "effort": options.effort, "model": options.routing, "stream": True}
        return self._events("/ask", _asked(question, history, options) | how, _ANSWER_EVENTS)

    def prepare(self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET) -> None:
        """See `Service`."""
        with self._errors():
            self._client.post("/prepare", json=_asked(question, history, options))

    def search(self, query: str, top_k: int | None, filters: Filters = EVERYTHING) -> schemas.SearchResponse:
        """See `Service`."""
        body = {"query": query, "top_k": top_k, "filters": _sent(filters)}
        return self._call(schemas.SearchResponse, "POST", "/search", json=body)

    def verify(
        self, text: str, question: str = "", sources: Sequence[str] = (), filters: Filters = EVERYTHING
    ) -> Generator[BaseModel, None, None]:
        """See `Service`."""
        body = {
            "text": text,
            "question": question,
            "sources": list(sources),
            "filters": _sent(filters),
            "stream": True,
        }
        return self._events("/verify", body, _CHECK_EVENTS)

    def latest_conversation(self) -> schemas.Conversation | None:
        """See `Service`."""
        found = self._call(schemas.ConversationList, "GET", "/conversations?limit=1").conversations
        return self._call(schemas.Conversation, "GET", f"/conversations/{quote(found[0].id)}") if found else None

    def keep_turn(self, conversation_id: str, turn: schemas.TurnToKeep) -> str:
        """See `Service`."""
        if not conversation_id:
            if not self._call(schemas.ConversationList, "GET", "/conversations?limit=1").keeps:
                return ""
            conversation_id = self._call(schemas.Conversation, "POST", "/conversations").id
        body = turn.model_dump(mode="json")
        self._call(schemas.Message, "POST", f"/conversations/{quote(conversation_id)}/turns", json=body)
        return conversation_id

    def status(self) -> schemas.Status:
        """See `Service`."""
        return self._call(schemas.Status, "GET", "/status")

    def add(self, path: Path) -> schemas.UploadResponse:
        """See `Service`."""
        with opened(path) as file:
            files = {"files": (clean_name(path.name), file)}
            return self._call(schemas.UploadResponse, "POST", "/documents", files=files)

    def documents(self, limit: int | None = None, cursor: str | None = None) -> schemas.DocumentList:
        """See `Service`."""
        page = {name: value for name, value in (("limit", limit), ("cursor", cursor)) if value is not None}
        return self._call(schemas.DocumentList, "GET", "/documents", params=page)

    def document(self, document_id: str, start: int = 0, end: int | None = None) -> schemas.DocumentText:
        """See `Service`."""
        stretch = {"start": start} if end is None else {"start": start, "end": end}
        return self._call(schemas.DocumentText, "GET", f"/documents/{quote(document_id, safe='')}", params=stretch)

    def forget(self, document_ids: Sequence[str]) -> None:
        """See `Service`."""
        for document_id in document_ids:
            self._call(schemas.Message, "DELETE", f"/documents/{quote(document_id, safe='')}")

    def sync(self, watch: Watch, *, retry: bool = False) -> schemas.SyncResponse:
        """See `Service`."""
        with polling(lambda: watch(self.status())):
            return self._call(schemas.SyncResponse, "POST", "/sync", params={"retry": retry})

    def start_reindex(self, *, embed: bool) -> schemas.Message:
        """See `Service`."""
        return self._call(schemas.Message, "POST", "/reindex", json={"embed": embed})

    def reindex(self, watch: Watch, *, embed: bool) -> schemas.SyncResponse:
        """See `Service`."""
        began = time.monotonic()
        self.start_reindex(embed=embed)
        result = self.sync(watch)
        self._wait_until_built(watch)
        return result.model_copy(update={"seconds": round(time.monotonic() - began, 2)})

    def _wait_until_built(self, watch: Watch) -> None:
        while (status := self.status()).index.building:
            watch(status)
            time.sleep(POLL_SECONDS)

    def _events(
        self, path: str, body: Mapping[str, object], kinds: Mapping[str, type[BaseModel]]
    ) -> Generator[BaseModel, None, None]:
        """The events of a stream as they come.

        Args:
            kinds: Their bodies by name; the last is `done`.
        """
        with self._errors(), self._client.stream("POST", path, json=body) as response:
            if response.is_error:
                raise _error_of(_whole(response.iter_bytes()).decode("utf-8", "replace"))
            name = ""
            for line in _lines(response.iter_bytes()):
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "error":
                    raise _error_of(value)
                elif field == "data" and name in kinds:  # a newer server may say more
                    yield kinds[name].model_validate_json(value)
            if name != "done":
                raise KBError("the answer broke off: the server said no more", "ask again; its log may tell why")

    def _call(self, shape: type[Body], method: str, path: str, **options: Any) -> Body:
        with self._errors(), self._client.stream(method, path, **options) as response:
            content = _whole(response.iter_bytes())
            if response.is_error:
                raise _error_of(content.decode("utf-8", "replace"))
            return shape.model_validate_json(content)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise KBError(
                f"the server at {self._url} does not answer: {error or type(error).__name__}",
                "is it being stopped? start it with `kb serve`",
            ) from error
        except (ValidationError, UnicodeDecodeError, _EndlessReply) as error:
            raise KBError(
                f"what listens at {self._url} does not answer as r1-kb does",
                "stop it, or remove server.json from the data directory; then start `kb serve` again",
            ) from error


def _asked(question: str, history: Sequence[Turn], options: AskOptions) -> dict[str, Any]:
    turns = [schemas.Turn.model_validate(turn).model_dump() for turn in history]
    how = {"thinking": options.thinking, "top_k": options.top_k, "filters": _sent(options.filters)}
    return {"question": question, "history": turns, **how}


def _sent(filters: Filters) -> dict[str, Any]:
    return schemas.Filters.model_validate(filters).model_dump(mode="json")


class _EndlessReply(Exception):
    """More came than any reply has."""


def _whole(chunks: Iterable[bytes]) -> bytes:
    whole = bytearray()
    for chunk in chunks:
        whole += chunk
        if len(whole) > MAX_REPLY_BYTES:
            raise _EndlessReply
    return bytes(whole)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Cuts a stream of events into lines. httpx would end a line at U+2028 and others, which JSON need not escape."""
    rest = b""
    for chunk in chunks:
        if len(rest) > MAX_LINE_BYTES:
            raise _EndlessReply
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode()


def _error_of(text: str) -> KBError:
    try:
        sent = schemas.ErrorResponse.model_validate_json(text).error
    except ValidationError:
        return KBError(f"the server answered: {text[:200]}", "is it r1-kb that listens there?")
    error = _ERRORS.get(sent.code, KBError)(sent.message, sent.hint)
    error.code = sent.code
    return error
