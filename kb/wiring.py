"""The only wiring: `open_knowledge_base` makes a `KnowledgeBase` of its parts. The only importer of adapters.

Opening is quick: models load in the background, or when they are first needed.
"""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from kb.adapters.chroma.local import ChromaStores
from kb.adapters.chroma.server import ChromaServerStores
from kb.adapters.cross_encoder import CrossEncoderReranker, EntailmentJudge
from kb.adapters.embedding.backends import EmbeddingBackend, describe_backend, open_embedder, prepare_embedder
from kb.adapters.llama.embedding.embedder import LlamaEmbedder
from kb.adapters.llama.options import EngineSettings
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.tuning import Tuning as Tuning
from kb.adapters.llama.tuning import recall
from kb.adapters.llama.tuning_cache import CACHE_NAME
from kb.adapters.llama.wire import Untuned
from kb.adapters.openai_api.model import open_remote_model
from kb.adapters.openai_api.texts import RemoteEmbedder, RemoteReranker
from kb.adapters.personal_data import find_personal
from kb.answering.engines.models import Models
from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.data_directory import CATALOG_NAME, DataDirectoryLock, close_to_others
from kb.errors import KBError, ModelError
from kb.indexing.startup import open_index
from kb.indexing.upkeep import Upkeep
from kb.knowledge_base import KnowledgeBase
from kb.models.gguf_file import is_gguf
from kb.models.loading import Loading
from kb.models.named import fetched
from kb.models.remote import RemoteModel, remote_model
from kb.models.store import ModelStore
from kb.observing import Observe, Observers, unobserved
from kb.ports import Embedder, FindPersonal, IndexStores, Judge, LanguageModel, Reranker
from kb.processor import Quiet
from kb.search.languages import measure
from kb.search.reranking import NO_RERANKING, Reranking, reranking_with
from kb.settings import Settings, load
from kb.values.closable import close
from kb.values.personal import none_found
from kb.values.progress import Progress, Report

logger = logging.getLogger(__name__)

INDEX_NAME = "chroma"
INDEX_OWNER_NAME = "chroma-owner"

# The first search of a process takes several times as long, and so does the first one for a common word.
_WARM_UP = "What is the name of the one that was in it for the first time, and how many are there? 这是什么时候？"


def open_knowledge_base(
    settings: Settings | None = None, wrap: Callable[[Embedder], Embedder] = lambda embedder: embedder
) -> KnowledgeBase:
    """Opens a data directory.

    Args:
        settings: None: from environment and `kb.toml`.
        wrap: Puts something around the embedding model, for measurements; if that makes other vectors, it must have
            another identity.

    Raises:
        DataDirectoryLocked: Another process has it open.
        StorageError: It cannot be read or written.
    """
    settings = settings or load()
    personal = none_found if settings.pii == "off" else find_personal(settings.pii_regions)
    lock = DataDirectoryLock(settings.home)
    close_to_others(settings.home)
    try:
        catalog = Catalog(settings.home / CATALOG_NAME)
    except KBError:
        lock.release()
        raise
    observers = Observers()
    upkeep = Loading(
        "embedding model", lambda report: _load_index(settings, catalog, wrap, reranking, observers, report)
    )
    quiet = Quiet()
    at_rest = functools.partial(_at_rest, upkeep, quiet)
    load_model = functools.partial(_load_model, settings=settings, observe=observers, at_rest=at_rest)
    model = Loading("answering model", lambda report: load_model(settings.model, report))
    small = Loading("small model", lambda report: load_model(settings.small_model, report))
    reranker = Loading("reranker", lambda report: _load_reranker(settings, upkeep, report))
    reranking = reranking_with(reranker, settings.rerank_depth) if settings.reranker else NO_RERANKING
    judge = Loading("judge", lambda report: _load_judge(settings, upkeep, report))
    models = Models(
        settings,
        upkeep,
        model,
        reranker if settings.reranker else None,
        judge if settings.judge else None,
        small if settings.small_model else None,
        quiet,
    )
    return KnowledgeBase(settings, lock, catalog, models, observers=observers, find_personal=personal)


def _load_index(
    settings: Settings,
    catalog: Catalog,
    wrap: Callable[[Embedder], Embedder],
    reranking: Reranking,
    observe: Observe,
    report: Report,
) -> Upkeep:
    store = _embedders(settings)
    loaded, folder = _load_embedder(settings, report, observe)
    embedder = wrap(loaded)
    space = Space(embedder.identity, model=settings.embedding_model, folder=folder)
    load_other = functools.partial(_load_other, settings, store, report)
    try:
        upkeep = open_index(catalog, _index_stores(settings), space, embedder, load_other, reranking, measure, observe)
    except KBError:
        close(embedder)
        raise
    try:
        upkeep.live_index.passages(_WARM_UP, 1)
    except KBError:
        upkeep.close()
        raise
    return upkeep


def _index_stores(settings: Settings) -> IndexStores:
    here = ChromaStores(settings.home / INDEX_NAME)
    if not settings.chroma:
        return here
    there = ChromaServerStores(settings.chroma, settings.home / INDEX_OWNER_NAME)
    here.keep_only()  # no vector of what is forgotten stays behind
    return there


def _load_other(settings: Settings, store: ModelStore, report: Report, space: Space) -> Embedder | None:
    """Loads the model of a space that is not the one by the settings, as far as it is still on this machine.

    One on a server is not asked any more: it is not in the settings.
    """
    for folder in filter(None, (store.find(space.model), store.find(space.folder))):
        identity = store.identity(folder)
        if space.identity.startswith(identity):
            try:
                backend: EmbeddingBackend = "torch" if space.identity == identity else "onnx"
                embedder = _open_embedder(folder, identity, report, backend, settings)
            except ModelError as error:
                logger.warning("%s", error.message)
                continue
            if embedder.identity == space.identity:
                return embedder
            close(embedder)
    return None


def _open_embedder(
    path: Path,
    identity: str,
    report: Report,
    backend: EmbeddingBackend,
    settings: Settings,
    observe: Observe = unobserved,
) -> Embedder:
    if is_gguf(path):
        return LlamaEmbedder(path, identity, gpu_layers=settings.gpu_layers, observe=observe)
    return open_embedder(path, identity, report, backend)


def _load_reranker(settings: Settings, upkeep: Loading[Upkeep], report: Report) -> Reranker:
    name = settings.reranker
    if remote := settings.remote_reranker:
        logger.info("questions and passages go to %s", remote.host)
        return RemoteReranker(remote, settings.key_for(remote), _to_hide(settings, remote))
    return CrossEncoderReranker(_cross_encoder(settings, name, "KB_RERANKER", upkeep, report), name)


def _load_judge(settings: Settings, upkeep: Loading[Upkeep], report: Report) -> Judge:
    name = settings.judge
    return EntailmentJudge(_cross_encoder(settings, name, "KB_JUDGE", upkeep, report), name)


def _cross_encoder(settings: Settings, name: str, setting: str, upkeep: Loading[Upkeep], report: Report) -> Path:
    """The folder of a cross-encoder; it is fetched if it is not there.

    Args:
        setting: What names it.
    """
    with suppress(KBError):
        upkeep.wait()  # before, there is nothing to read; and the first passages come sooner
    store = ModelStore.of_hub(settings.models, name, hub=settings.hub)
    folder = fetched(store, name, setting, "a folder with a cross-encoder nor a name like owner/repo", report)
    report(Progress(name, 1, 1))
    return folder


def load_answering_model(settings: Settings, report: Report) -> LanguageModel:
    """Loads the answering model of the settings; fetches it if it is not there.

    Raises:
        ModelError: It cannot be had, or does not load.
    """
    return _load_model(settings.model, report, settings)


def _load_model(
    setting: str,
    report: Report,
    settings: Settings,
    observe: Observe = unobserved,
    at_rest: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> LanguageModel:
    if remote := remote_model(setting):
        return _open_remote(remote, settings, report, observe)
    name, path = ModelStore(settings.models, hub=settings.hub).answering(setting, report)
    untuned = Untuned(engine_settings(settings), settings.models / CACHE_NAME)
    with nullcontext() if recall_tuning(path, settings) else at_rest():
        return LlamaProcess(path, name, untuned, queue_size=settings.queue_size, observe=observe)


@contextmanager
def _at_rest(upkeep: Loading[Upkeep], quiet: Quiet) -> Iterator[None]:
    """A block in which a model can be measured: nothing else is loaded, and nothing indexed."""
    with suppress(KBError):
        upkeep.wait()
    with quiet.kept():
        yield


def _open_remote(remote: RemoteModel, settings: Settings, report: Report, observe: Observe) -> LanguageModel:
    report(Progress(remote.model, 1, 1))
    logger.info("questions and passages go to %s", remote.host)
    key, window, queue = settings.key_for(remote), settings.context_tokens, settings.queue_size
    find = _to_hide(settings, remote)
    return open_remote_model(remote, key, context_tokens=window, queue_size=queue, observe=observe, find=find)


def _to_hide(settings: Settings, remote: RemoteModel) -> FindPersonal:
    """Finds what a model on a server must not see; on this machine it may see all."""
    hides = settings.pii in ("mask-remote", "mask") and remote.is_elsewhere
    return find_personal(settings.pii_regions) if hides else none_found


def engine_settings(settings: Settings) -> EngineSettings:
    """What was set by hand of how llama.cpp runs the answering model."""
    return EngineSettings(
        context_tokens=settings.context_tokens or None,
        threads=settings.threads or None,
        batch_tokens=settings.batch_tokens or None,
        flash_attention=None if settings.flash_attention == "auto" else settings.flash_attention == "on",
        kv_type=None if settings.kv_type == "auto" else settings.kv_type,
        gpu_layers=None if settings.gpu_layers < 0 else settings.gpu_layers,
    )


def recall_tuning(path: Path, settings: Settings) -> Tuning | None:
    """How llama.cpp would run the model at a path now, without loading it; None if that is not measured yet.

    Raises:
        ModelLoadError: The file cannot be read, or memory is too short.
    """
    return recall(path, engine_settings(settings), settings.models / CACHE_NAME)


def load_embedder(settings: Settings, report: Report) -> Embedder:
    """Loads the embedding model of the settings alone, for measurements; fetches it if it is not there.

    Raises:
        ModelError: It cannot be had, or does not load.
    """
    embedder, _ = _load_embedder(settings, report)
    return embedder


def _load_embedder(settings: Settings, report: Report, observe: Observe = unobserved) -> tuple[Embedder, str]:
    """The embedding model, and the folder or file that it was loaded from; empty for one on a server."""
    if remote := settings.remote_embedder:
        logger.info("documents and questions go to %s", remote.host)
        return RemoteEmbedder(remote, settings.key_for(remote), _to_hide(settings, remote)), ""
    store = _embedders(settings)
    path = _embedding_model(store, settings, report)
    backend = settings.embedding_backend
    return _open_embedder(path, store.identity(path), report, backend, settings, observe), str(path)


def _embedding_model(store: ModelStore, settings: Settings, report: Report) -> Path:
    forms = "a name of the catalog, owner/repo, hf:owner/repo/file.gguf, nor a folder or GGUF file that is here"
    return fetched(store, settings.embedding_model, "KB_EMBEDDING_MODEL", forms, report)


def _embedders(settings: Settings) -> ModelStore:
    return ModelStore.of_hub(settings.models, embedder=settings.embedding_model, hub=settings.hub)


def fetch_models(settings: Settings, report: Report) -> None:
    """Fetches the models that find and answer, and prepares them, so that the first start is quick.

    Raises:
        ModelError: One of them cannot be had.
        StorageError: The disk is full or cannot be written.
    """
    store = _embedders(settings)
    if not settings.remote_embedder:
        prepare_embedding(_embedding_model(store, settings, report), settings, report)
    if not remote_model(settings.model):
        store.answering(settings.model, report)


def prepare_embedding(folder: Path, settings: Settings, report: Report) -> None:
    """Prepares an embedding model for this machine, so that the first start is quick."""
    if not is_gguf(folder):
        prepare_embedder(folder, report, settings.embedding_backend)


def describe_embedding(folder: Path, settings: Settings) -> str:
    """Says in a few words what computes the embeddings of a model, and why."""
    return "in llama.cpp" if is_gguf(folder) else describe_backend(folder, settings.embedding_backend)
