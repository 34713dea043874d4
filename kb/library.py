"""The only wiring: `open_library` makes a `KnowledgeBase` of its parts.

    from kb.library import open_library

    with open_library() as library:
        print(library.ask("What did we decide about the second dome?").answer)

Opening is quick: models load in the background, or when they are first needed.
"""

import logging
from pathlib import Path

from kb.catalog import Catalog
from kb.embedding import open_embedder
from kb.errors import KBError, ModelLoadError
from kb.index_record import Space
from kb.knowledge_base import KnowledgeBase, ModelStatus
from kb.llm import LlamaModel
from kb.loading import Loading, Report
from kb.lock import DataDirectoryLock
from kb.models import ModelStore
from kb.ports import Embedder, LanguageModel
from kb.settings import Settings, load
from kb.startup import open_retrieval
from kb.upkeep import Upkeep
from kb.vectors import ChromaStores

__all__ = ["CATALOG_NAME", "INDEX_NAME", "KnowledgeBase", "ModelStatus", "open_library"]

logger = logging.getLogger(__name__)

CATALOG_NAME = "catalog.sqlite3"
INDEX_NAME = "chroma"


def open_library(settings: Settings | None = None) -> KnowledgeBase:
    """Opens a data directory.

    Args:
        settings: None: from environment and `kb.toml`.

    Raises:
        DataDirectoryLocked: Another process has it open.
        StorageError: It cannot be read or written.
    """
    settings = settings or load()
    lock = DataDirectoryLock(settings.home)
    try:
        catalog = Catalog(settings.home / CATALOG_NAME)
    except KBError:
        lock.release()
        raise
    retrieval = Loading("embedding model", lambda report: _load_retrieval(settings, catalog, report))
    model = Loading("answering model", lambda report: _load_model(settings, report))
    return KnowledgeBase(settings, lock, catalog, retrieval, model)


def _load_retrieval(settings: Settings, catalog: Catalog, report: Report) -> Upkeep:
    store = ModelStore(settings.models)
    folder = store.find(settings.embedding_model) or store.pull(settings.embedding_model, report)
    embedder = open_embedder(folder, store.identity(folder), report, settings.embedding_backend)
    space = Space(embedder.identity, model=settings.embedding_model, folder=str(folder))
    stores = ChromaStores(settings.home / INDEX_NAME)
    upkeep = open_retrieval(catalog, stores, space, embedder, lambda other: _load_other(store, other, report))
    try:
        upkeep.retrieval.passages("warm-up", 1)  # the first search of a process takes several times as long
    except KBError:
        upkeep.close()
        raise
    return upkeep


def _load_other(store: ModelStore, space: Space, report: Report) -> Embedder | None:
    """Loads the model of a space that is not the one by the settings, as far as it is still on this machine."""
    for folder in filter(None, (store.find(space.model), store.find(space.folder))):
        identity = store.identity(folder)
        if space.identity.startswith(identity):
            try:
                embedder = open_embedder(folder, identity, report, "torch" if space.identity == identity else "onnx")
            except ModelLoadError as error:
                logger.warning("%s", error.message)
                continue
            if embedder.identity == space.identity:
                return embedder
    return None


def _load_model(settings: Settings, report: Report) -> LanguageModel:
    store = ModelStore(settings.models)
    name = store.choose_answer_model(settings.model)
    path: Path | None = store.find(name) if name else None
    if name is None:
        name, path = store.pull_default_answer_model(report)
    elif path is None:
        path = store.pull(name, report)
    return LlamaModel(
        path,
        name,
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        gpu_layers=settings.gpu_layers,
        queue_size=settings.queue_size,
    )
