"""What the commands of the terminal need, from a running server or from the data directory itself.

Both speak in the wire's values, so the terminal draws one kind of thing. `server.client.connection` chooses between
them.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from kb.errors import InvalidRequest
from kb.values.answers import AS_SET, AskOptions
from kb.values.chat import Turn
from server.http import schemas
from server.http.mcp.library import Library

if TYPE_CHECKING:
    from kb.knowledge_base import KnowledgeBase

Watch = Callable[[schemas.Status], None]
ShowLoading = Callable[["KnowledgeBase", bool], None]


class Service(Library, Protocol):
    """A knowledge base, near or far."""

    def prepare(self, question: str, history: Sequence[Turn] = (), options: AskOptions = AS_SET) -> None:
        """Prepares for a question that is being written; does not wait for anything. See `KnowledgeBase.prepare`."""

    def latest_conversation(self) -> schemas.Conversation | None:
        """The conversation that was kept last; None: there is none."""

    def keep_turn(self, conversation_id: str, turn: schemas.TurnToKeep) -> str:
        """Adds a turn to a conversation that is kept.

        Args:
            conversation_id: Empty: a new one.

        Returns:
            Its id; empty where none is kept.
        """

    def status(self) -> schemas.Status:
        """The state of the service."""

    def add(self, path: Path) -> schemas.UploadResponse:
        """Copies a file into the first watched folder."""

    def forget(self, document_ids: Sequence[str]) -> None:
        """Removes documents from the index; their files stay where they are.

        Raises:
            NotFound: There is no such document.
        """

    def sync(self, watch: Watch, *, retry: bool = False) -> schemas.SyncResponse:
        """Brings the index up to date.

        Args:
            watch: Sees the state every now and then.
            retry: Whether files that failed before are tried again though they have not changed.
        """

    def start_reindex(self, *, embed: bool) -> schemas.Message:
        """Asks for all files to be read anew and for a new vector index.

        Args:
            embed: Whether embeddings are computed anew, too.
        """

    def reindex(self, watch: Watch, *, embed: bool) -> schemas.SyncResponse:
        """Does what `start_reindex` asks for, and waits until the new index answers."""

    def close(self) -> None:
        """Gives back what it holds."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that the user named.

    Raises:
        InvalidRequest: It is not there, or cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InvalidRequest(f"{path} does not exist", "check how it is written") from error
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", "check who may read it") from error
    with file:
        yield file
