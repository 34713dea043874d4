"""The vector index, in Chroma, on this machine.

Derived data: Chroma's files do not survive every crash, and a truncated one kills the process that opens it. So
`is_sound` looks from a child process first, and what is unsound is not opened: an index is made anew beside it, as a
store of its own, from the catalog, which holds every embedding. Nothing is written where the disk is nearly full.
"""

import hashlib
import logging
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from kb import children
from kb.children import ChildNotStarted
from kb.errors import StorageError, VectorIndexError
from kb.ports import VectorIndex, Vectors

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

logger = logging.getLogger(__name__)

BATCH_SIZE = 5000  # Chroma takes at most 5461 at a time.

ROOM_BYTES = 64_000_000
"""So much of the disk must be free for a write: where there is no room left in the middle of one, Chroma (1.5.9) waits
for its own locks for up to 1000 s, or leaves files that it cannot read."""

MADE_ANEW = "it is made anew by itself; until then, passages are found by their words"

PROBE_SECONDS = 60.0
_PROBE = "kb.adapters.chroma.probe"


class ChromaIndex:
    """Adapter of `kb.ports.VectorIndex`, over one collection of a local Chroma store.

    Args:
        path: Folder of the store; made if it is not there. One process at a time.
        space: Key of the space in which the vectors lie; each has a collection of its own.

    Raises:
        VectorIndexError: The store does not open.
    """

    def __init__(self, path: Path, space: str) -> None:
        self._name = _collection_name(space)
        self._is_new = not path.exists()
        self._is_closed = False
        with _translated(path):
            self._client = open_client(path)
            self._collection = self._open_collection()
        self._path = path

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See `kb.ports.VectorIndex`."""
        with self._writing():
            if self._is_new and ids:
                self._collection.upsert(ids=[ids[0]], embeddings=vectors[:1])
                self._blank_files()
                self._is_new = False
            for i in range(0, len(ids), BATCH_SIZE):
                batch = slice(i, i + BATCH_SIZE)
                self._collection.upsert(ids=list(ids[batch]), embeddings=vectors[batch])

    def delete(self, ids: Iterable[str]) -> None:
        """See `kb.ports.VectorIndex`."""
        remaining = iter(ids)
        with self._writing():
            while batch := list(islice(remaining, BATCH_SIZE)):
                self._collection.delete(ids=batch)

    def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """See `kb.ports.VectorIndex`."""
        with self._using():
            found = self._collection.query(query_embeddings=vector.tolist(), n_results=k, include=["distances"])
        distances = found["distances"] or [[]]
        return [(key, cosine_of(distance)) for key, distance in zip(found["ids"][0], distances[0], strict=True)]

    def ids(self) -> set[str]:
        """See `kb.ports.VectorIndex`."""
        with self._using():
            return set(self._collection.get(include=[])["ids"])

    def clear(self) -> None:
        """See `kb.ports.VectorIndex`."""
        with self._writing():
            self._client.delete_collection(self._name)
            self._collection = self._open_collection()

    def close(self) -> None:
        """See `kb.ports.VectorIndex`."""
        self._is_closed = True
        self._client.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A store in which a write has failed may hold its own locks for as long as it is open: it is closed."""
        try:
            with self._using():
                check_room(self._path)
                yield
        except VectorIndexError:
            self.close()
            raise

    @contextmanager
    def _using(self) -> Iterator[None]:
        if self._is_closed:
            raise VectorIndexError(f"the vector index {self._path} has failed, or is closed", MADE_ANEW)
        with _translated(self._path):
            yield

    def _blank_files(self) -> None:
        """Overwrites what a new store holds that nobody wrote.

        With the first vector, hnswlib writes room for a hundred out of memory as it finds it: in a process that lives
        for long, vectors and text of other documents. None of it counts before the thousandth vector is written.
        """
        for name in ("data_level0.bin", "length.bin"):
            for path in self._path.rglob(name):
                with path.open("r+b") as file:
                    file.write(bytes(path.stat().st_size))

    def _open_collection(self) -> "Collection":
        return self._client.get_or_create_collection(
            self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )


class ChromaStores:
    """Adapter of `kb.ports.IndexStores`: a folder with a Chroma store for each generation.

    Args:
        path: Holds nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, generation: str, space: str) -> VectorIndex:
        """See `kb.ports.IndexStores`."""
        self._path.mkdir(0o700, parents=True, exist_ok=True)  # Chroma's files are readable by everybody
        check_room(self._path)
        return ChromaIndex(self._path / generation, space)

    def open(self, generation: str, space: str) -> VectorIndex | None:
        """See `kb.ports.IndexStores`."""
        path = self._path / generation
        if not path.exists() or not is_sound(path):
            return None
        try:
            return ChromaIndex(path, space)
        except VectorIndexError as error:
            logger.warning("%s", error.message)
            return None

    def keep_only(self, *generations: str) -> None:
        """See `kb.ports.IndexStores`."""
        if self._path.is_dir():
            for path in self._path.iterdir():
                if path.name not in generations:
                    remove(path)


def check_room(path: Path) -> None:
    """Looks whether a store may be written to.

    Raises:
        StorageError: The disk is nearly full.
    """
    free_bytes = shutil.disk_usage(path).free
    if free_bytes < ROOM_BYTES:
        raise StorageError(
            f"the disk of {path} is nearly full: {free_bytes / 1e6:.0f} MB are free, the vector index needs"
            f" {ROOM_BYTES / 1e6:.0f} MB",
            "free some space; what waits goes on by itself then",
        )


def is_sound(path: Path) -> bool:
    """Whether a store opens and answers, tried in a child process that may crash in our place.

    Args:
        path: Folder of the store; one that is not there is sound.

    Raises:
        VectorIndexError: There is no process to try it in.
    """
    if not path.exists():
        return True
    try:
        return children.watch(children.start(_PROBE, str(path)), PROBE_SECONDS) == 0
    except ChildNotStarted as error:
        raise VectorIndexError(f"the vector index {path} cannot be tried out: {error.message}", error.hint) from error


def remove(path: Path) -> None:
    """Removes a store with all its files, or one of its files; what is not there is ignored."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    chromadb_package()
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, OSError, ValueError, RuntimeError) as error:
        raise VectorIndexError(f"the vector index {path} failed: {error}", MADE_ANEW) from error


def open_client(path: Path) -> "Client":
    """Opens a store, or makes one, without telling anybody.

    Settings that are constructed like this heed neither the environment nor a file `.env` in the working directory,
    which could name a server that is to get all vectors.
    """
    chromadb = chromadb_package()
    from chromadb.config import Settings

    settings = Settings.model_construct(anonymized_telemetry=False)
    return cast("Client", chromadb.PersistentClient(str(path), settings=settings))


def chromadb_package() -> ModuleType:
    """The package, whatever a file `.env` in the working directory says."""
    try:
        import chromadb
    except ValueError:  # It has read `.env`, and found there what is not for Chroma.
        sys.modules["chromadb.config"].Settings.model_config["env_file"] = None
        import chromadb
    return chromadb


def _collection_name(space: str) -> str:
    return "chunks-" + hashlib.sha256(space.encode()).hexdigest()[:16]


def cosine_of(distance: float) -> float:
    """The cosine that Chroma calls a distance, in -1…1."""
    return max(-1.0, min(1.0, 1.0 - float(distance)))  # rounding may have led a little beyond
