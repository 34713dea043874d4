"""The vector index on a Chroma server (`chroma run`): a collection for each generation.

Derived data here as well: whatever happens to the server, the catalog has every embedding. Invariant: an index that may
have lost something says so instead of answering, and is then made anew; a collection that is gone is never made again
under its name. Nothing connects before the first vector comes or is asked for, so that a server that is away keeps
nobody from starting.
"""

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx

from kb.adapters.chroma.local import chromadb_package, cosine_of
from kb.errors import SettingsError, VectorIndexError
from kb.ports import VectorIndex, Vectors

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000  # The server takes bodies of 40 MB; a thousand vectors of 1,024 numbers are half of that.
ANSWER_SECONDS = 60.0

CHECK_SECONDS = 10.0
"""So often a search looks whether the server has as many vectors as it was given: it may be another one by now."""


class ChromaServer:
    """A server, and the client to it, which is made when it is first needed.

    Args:
        url: `http://HOST:PORT`.

    Raises:
        SettingsError: The address cannot be read.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise SettingsError(
                f"{url!r} is no address of a Chroma server", "write KB_CHROMA=http://HOST:PORT, as `chroma run` says it"
            )
        self.url = url.rstrip("/")
        self._host, self._port, self._is_tls = parts.hostname, port, parts.scheme == "https"
        self._client: Client | None = None
        self._lock = threading.Lock()

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """The client; what fails inside the block is a `VectorIndexError`."""
        chromadb_package()
        from chromadb.errors import ChromaError

        try:
            yield self._connected()
        except (ChromaError, httpx.HTTPError, OSError, ValueError, RuntimeError) as error:
            raise VectorIndexError(
                f"the Chroma server {self.url} failed: {str(error) or type(error).__name__}",
                "start it (`chroma run`), or correct or remove KB_CHROMA; the index is then made anew by itself",
            ) from error

    def _connected(self) -> "Client":
        with self._lock:
            if self._client is None:
                chromadb = chromadb_package()
                from chromadb.config import Settings

                settings = Settings.model_construct(anonymized_telemetry=False)
                where = {"host": self._host, "port": self._port, "ssl": self._is_tls}
                client = chromadb.HttpClient(**where, settings=settings)
                # The client waits for ever, and has no argument for that.
                if session := getattr(getattr(client, "_server", None), "_session", None):
                    session.timeout = httpx.Timeout(ANSWER_SECONDS, connect=10)
                self._client = cast("Client", client)
            return self._client


class ChromaServerIndex:
    """Adapter of `kb.ports.VectorIndex`, over one collection of a server.

    Args:
        name: Of the collection.
        is_there: Whether the collection was made before; one that is not is made with its first vector.
    """

    def __init__(self, server: ChromaServer, name: str, *, is_there: bool = False) -> None:
        self._server = server
        self._name = name
        self._collection: Collection | None = None
        self._is_there = is_there
        self._ids: set[str] = set()
        self._checked = 0.0
        self._lost = False
        self._lock = threading.Lock()  # guards what is known of the ids, and who writes
        self._writers = 0
        self._written = 0

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See `kb.ports.VectorIndex`."""
        if len(set(ids)) < len(ids):
            raise VectorIndexError("an id comes twice")
        if not ids:
            return
        with self._writing(make=True) as collection:
            for i in range(0, len(ids), BATCH_SIZE):
                batch = slice(i, i + BATCH_SIZE)
                collection.upsert(ids=list(ids[batch]), embeddings=vectors[batch])
                with self._lock:
                    self._ids.update(ids[batch])

    def delete(self, ids: Iterable[str]) -> None:
        """See `kb.ports.VectorIndex`."""
        with self._lock:
            known = iter([key for key in ids if key in self._ids])
        while batch := list(islice(known, BATCH_SIZE)):
            with self._writing() as collection:
                collection.delete(ids=batch)
                with self._lock:
                    self._ids.difference_update(batch)

    def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """See `kb.ports.VectorIndex`."""
        self._check_whole()
        if not self._is_there:
            return []
        with self._opened() as collection:
            self._check_count(collection)
            found = collection.query(query_embeddings=vector.tolist(), n_results=k, include=["distances"])
        distances = found["distances"] or [[]]
        return [(key, cosine_of(distance)) for key, distance in zip(found["ids"][0], distances[0], strict=True)]

    def ids(self) -> set[str]:
        """See `kb.ports.VectorIndex`."""
        self._check_whole()
        if not self._is_there:
            return set()
        with self._opened() as collection:
            ids = set(collection.get(include=[])["ids"])
        with self._lock:
            self._ids = set(ids)
        return ids

    def clear(self) -> None:
        """See `kb.ports.VectorIndex`."""
        with self._server.client() as client:
            if self._is_there:
                client.delete_collection(self._name)
        self._collection, self._is_there, self._ids = None, False, set()

    def close(self) -> None:
        """See `kb.ports.VectorIndex`; the client is shared, and stays."""

    @contextmanager
    def _writing(self, *, make: bool = False) -> Iterator["Collection"]:
        """What fails in the block may have been done in part: from then on the index answers no more."""
        self._check_whole()
        with self._lock:
            self._writers += 1
        try:
            with self._opened(make=make) as collection:
                yield collection
        except VectorIndexError:
            self._lost = True
            raise
        finally:
            with self._lock:
                self._writers -= 1
                self._written += 1

    @contextmanager
    def _opened(self, *, make: bool = False) -> Iterator["Collection"]:
        with self._server.client() as client:
            if self._collection is None and make and not self._is_there:
                self._collection = client.create_collection(
                    self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
                )
                self._is_there = True
            elif self._collection is None:
                self._collection = client.get_collection(self._name, embedding_function=None)
            yield self._collection

    def _check_whole(self) -> None:
        if self._lost:
            raise VectorIndexError(
                f"the Chroma server {self._server.url} has not taken all", "it is made anew by itself"
            )

    def _check_count(self, collection: "Collection") -> None:
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS:
            return
        with self._lock:
            expected, written, writers = len(self._ids), self._written, self._writers
        count = collection.count()
        with self._lock:
            is_at_rest = not writers and not self._writers and written == self._written
        if not is_at_rest:
            return
        if count != expected:
            self._lost = True
            raise VectorIndexError(
                f"the Chroma server {self._server.url} has {count} vectors where there were {expected}",
                "it is made anew by itself",
            )
        self._checked = now


class ChromaServerStores:
    """Adapter of `kb.ports.IndexStores`: the collections of one data directory on a server.

    Args:
        url: `http://HOST:PORT`.
        owner: A file with what tells the collections of this data directory from those of others; made if it is not
            there.

    Raises:
        SettingsError: The address cannot be read.
    """

    def __init__(self, url: str, owner: Path) -> None:
        self._server = ChromaServer(url)
        if not owner.exists():
            owner.write_text(secrets.token_hex(6), "ascii")
        self._prefix = f"r1-kb-{owner.read_text('ascii').strip()}-"

    def create(self, generation: str, space: str) -> VectorIndex:
        """See `kb.ports.IndexStores`."""
        return ChromaServerIndex(self._server, self._name(generation, space))

    def open(self, generation: str, space: str) -> VectorIndex | None:
        """See `kb.ports.IndexStores`."""
        name = self._name(generation, space)
        try:
            with self._server.client() as client:
                client.get_collection(name, embedding_function=None)
        except VectorIndexError as error:
            logger.warning("%s", error.message)
            return None
        return ChromaServerIndex(self._server, name, is_there=True)

    def keep_only(self, *generations: str) -> None:
        """See `kb.ports.IndexStores`; what a server that is away keeps too long, goes the next time."""
        kept = tuple(f"{self._prefix}{generation}-" for generation in generations)
        try:
            with self._server.client() as client:
                for name in _names(client.list_collections):
                    if name.startswith(self._prefix) and not name.startswith(kept):
                        client.delete_collection(name)
        except VectorIndexError as error:
            logger.warning("%s", error.message)

    def _name(self, generation: str, space: str) -> str:
        return f"{self._prefix}{generation}-{hashlib.sha256(space.encode()).hexdigest()[:16]}"


def _names(list_collections: Callable[..., Sequence["Collection"]]) -> list[str]:
    names: list[str] = []
    while page := list_collections(limit=100, offset=len(names)):
        names += [collection.name for collection in page]
    return names
