"""`kb doctor`: what could keep r1-kb from working here. Looks only; changes nothing and opens no connection."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ingest.folders.listing import is_reachable
from kb.data_directory import find_owner
from kb.errors import SettingsError
from kb.models.cross_encoder import is_cross_encoder
from kb.models.remote import RemoteModel, remote_model
from kb.models.store import ModelStore
from kb.wiring import describe_embedding
from server.cli.engine_view import describe_engine
from server.settings import ServerSettings
from server.terminal.diagnosis import Diagnosis

PACKAGES = (
    "llama-cpp-python",
    "sentence-transformers",
    "torch",
    "chromadb",
    "pypdf",
    "pypdfium2",
    "watchdog",
    "fastapi",
)

LOW_DISK_BYTES = 2_000_000_000
"""Below this, a model may not fit."""


def examine(settings: ServerSettings) -> list[Diagnosis]:
    """Looks at packages, folders, disk and models."""
    return [*_packages(), *_data_directory(settings.home), *_disk(settings), *_folders(settings), *_models(settings)]


def _packages() -> Iterator[Diagnosis]:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield Diagnosis("good", f"Python {sys.version.split()[0]}; {', '.join(versions)}")
    if missing:
        yield Diagnosis("bad", f"not installed: {', '.join(missing)}", "install the project again: `make run`")


def _data_directory(home: Path) -> Iterator[Diagnosis]:
    existing = _existing(home)
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Diagnosis("bad", f"the data directory {home} cannot be written", "check permissions, or set KB_HOME")
    elif owner := find_owner(home):
        yield Diagnosis("good", f"data directory {home}, served by process {owner.pid} at {owner.url}")
    else:
        yield Diagnosis("good", f"data directory {home}, no server running")


def _disk(settings: ServerSettings) -> Iterator[Diagnosis]:
    for name, folder in (("data", settings.home), ("models", settings.models)):
        free = shutil.disk_usage(_existing(folder)).free
        text = f"{free / 1e9:.1f} GB free for {name} ({folder})"
        yield Diagnosis("good", text) if free > LOW_DISK_BYTES else Diagnosis("note", text, "free some space")


def _folders(settings: ServerSettings) -> Iterator[Diagnosis]:
    for folder in settings.folders:
        if is_reachable(folder):
            yield Diagnosis("good", f"watched folder {folder}")
        else:
            yield Diagnosis(
                "bad", f"the watched folder {folder} is not there or cannot be read", "make it, or change KB_FOLDERS"
            )


def _models(settings: ServerSettings) -> Iterator[Diagnosis]:
    store = ModelStore.of_hub(settings.models, settings.reranker, embedder=settings.embedding_model)
    embedding = store.find(settings.embedding_model)
    if there := settings.remote_embedder:
        yield from _reading(there, "the embedding model", "sees all documents and questions", settings)
    elif embedding:
        how = describe_embedding(embedding, settings)
        yield Diagnosis("good", f"embedding model {store.identity(embedding)}, {how}")
    else:
        pull = f"`kb models pull {settings.embedding_model}` or the next `kb serve` fetches it"
        yield Diagnosis("note", f"the embedding model {settings.embedding_model} is not here yet", pull)
    if settings.chroma:
        yield Diagnosis("good", f"the vector index is kept by the Chroma server {settings.chroma}")
    if there := settings.remote_reranker:
        yield from _reading(there, "the reranker", "sees questions and passages", settings)
    elif settings.reranker:
        yield _reranker(settings.reranker, store)
    if remote := remote_model(settings.model):
        yield from _remote(remote, store, settings)
        return
    name = store.choose_answer_model(settings.model)
    path = store.find(name) if name else None
    if path:
        yield Diagnosis("good", store.describe_choice(name))
        yield from describe_engine(path, settings)
    else:
        yield Diagnosis(
            "note", "no answering model is here yet", "`kb models pull NAME` or the next `kb serve` fetches one"
        )


def _remote(remote: RemoteModel, store: ModelStore, settings: ServerSettings) -> Iterator[Diagnosis]:
    text = store.describe_choice(settings.model)
    yield (
        Diagnosis("note", text, "KB_LOCAL_ONLY keeps folders and tags here")
        if remote.is_elsewhere
        else Diagnosis("good", text)
    )
    yield from _key(remote, settings)


def _reading(remote: RemoteModel, role: str, sees: str, settings: ServerSettings) -> Iterator[Diagnosis]:
    text = f"{role} is {remote.model} on {remote.host}"
    if remote.is_elsewhere:
        yield Diagnosis("note", f"{text}, which {sees}", f"{remote.setting} can name one on this machine")
    else:
        yield Diagnosis("good", text)
    yield from _key(remote, settings)


def _key(remote: RemoteModel, settings: ServerSettings) -> Iterator[Diagnosis]:
    try:
        has_key = bool(settings.key_for(remote))
    except SettingsError as error:
        yield Diagnosis("bad", error.message, error.hint)
        return
    if has_key and remote.is_elsewhere and remote.url.startswith("http:"):
        yield Diagnosis("note", f"the key travels to {remote.host} unencrypted", f"write https:// in {remote.setting}")


def _reranker(name: str, store: ModelStore) -> Diagnosis:
    folder = store.find(name)
    if folder and is_cross_encoder(folder):
        return Diagnosis("good", f"reranker {name}")
    without = "searches go on without it"
    if folder:
        return Diagnosis("note", f"{name} is not a cross-encoder; {without}", "correct or remove KB_RERANKER")
    if store.known(name):
        pull = f"`kb models pull {name}` or the next `kb serve` fetches it, where the hub can be reached"
        return Diagnosis("note", f"the reranker {name} is not here yet; {without}", pull)
    return Diagnosis(
        "note",
        f"the reranker {name} is neither a folder with a cross-encoder nor a name like owner/repo; {without}",
        "correct or remove KB_RERANKER",
    )


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if os.access(parent, os.F_OK))
