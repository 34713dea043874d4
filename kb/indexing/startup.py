"""What is done before the first question: the index that answers is opened, or made anew where it cannot be.

No text is embedded here, whatever has happened to the index: that is left to the upkeep, while words, and the vectors
that are there, answer already.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from kb.catalog.catalog import Catalog
from kb.catalog.index_record import IndexRecord, Space
from kb.errors import StorageError, VectorIndexError
from kb.indexing.generations import Content, fill, new_record
from kb.indexing.live_index import LiveIndex
from kb.indexing.upkeep import Upkeep
from kb.observing import Observe, unobserved
from kb.ports import Embedder, IndexStores, VectorIndex
from kb.search.languages import MeasureBalance, no_balance
from kb.search.reranking import NO_RERANKING, Reranking

logger = logging.getLogger(__name__)

LoadModel = Callable[[Space], Embedder | None]


def open_index(
    catalog: Catalog,
    stores: IndexStores,
    space: Space,
    embedder: Embedder,
    load_model: LoadModel,
    reranking: Reranking = NO_RERANKING,
    measure: MeasureBalance = no_balance,
    observe: Observe = unobserved,
) -> Upkeep:
    """Opens the index, in step with the catalog.

    Where the embedding model is another one than before, the one before goes on answering if it still loads.

    Args:
        space: In which vectors ought to be, by the settings; its revision is taken from the catalog.
        embedder: The model of that space.
        load_model: Loads the model of another space; None if it is not there any more.
        reranking: Puts in order what is found.
        measure: Says how a model sees the languages.
        observe: Is told of searches and of new generations.

    Returns:
        Retrieval, ready for use, and the work that remains.
    """
    record = catalog.ledger.index_record()
    wanted = replace(space, revision=catalog.ledger.count("revision"))
    serving, model = _choose(catalog, record, wanted, embedder, load_model)
    index = _open_index(catalog, stores, record, serving)
    live_index = LiveIndex(catalog, model, index, serving, reranking, measure, observe)
    return Upkeep(catalog, stores, live_index, space, embedder)


def _choose(
    catalog: Catalog, record: IndexRecord | None, wanted: Space, embedder: Embedder, load_model: LoadModel
) -> tuple[Space, Embedder]:
    before = record.space if record else _space_without_record(catalog, wanted)
    if before.key == wanted.key or not catalog.embeddings.chunk_keys(before.key):
        return wanted, embedder
    if before.identity == wanted.identity:
        return before, embedder
    model = load_model(before)
    if model is None:
        logger.warning("the embedding model %s is gone: words alone find what is not embedded anew", before.identity)
        return wanted, embedder
    return before, model


def _space_without_record(catalog: Catalog, wanted: Space) -> Space:
    """The space of a catalog from before there were records; its model came from where the wanted one comes from."""
    spaces = catalog.embeddings.spaces()
    return wanted if wanted.key in spaces or not spaces else replace(wanted, identity=spaces[0], revision=0)


def _open_index(catalog: Catalog, stores: IndexStores, record: IndexRecord | None, space: Space) -> VectorIndex:
    index = _open_present(catalog, stores, record, space) if record and record.space.key == space.key else None
    if record is not None and index is not None:
        record = replace(record, space=space)
    else:
        record = new_record(catalog.ledger, space)
        index = _make(catalog, stores, record)
    with _closed_on_error(index):
        catalog.ledger.set_index(record)
    stores.keep_only(record.generation)
    return index


def _open_present(catalog: Catalog, stores: IndexStores, record: IndexRecord, space: Space) -> VectorIndex | None:
    index = stores.open(record.generation, space.key)
    if index is None:
        logger.warning("the vector index is missing or damaged: it is made anew from the catalog")
        return None
    try:
        with _closed_on_error(index):
            _fill(catalog, index, space, Content(index.ids()))
    except VectorIndexError as error:
        logger.warning("%s: it is made anew from the catalog", error.message)
        return None
    return index


def _make(catalog: Catalog, stores: IndexStores, record: IndexRecord) -> VectorIndex:
    index = stores.create(record.generation, record.space.key)
    try:
        _fill(catalog, index, record.space, Content())
    except VectorIndexError as error:  # words answer until it can be made
        logger.warning("%s: it is made as soon as that can be", error.message)
        catalog.ledger.add("renewals")
    except StorageError:
        index.close()
        raise
    return index


def _fill(catalog: Catalog, index: VectorIndex, space: Space, content: Content) -> None:
    for _ in fill(catalog, index, space.key, content):
        pass


@contextmanager
def _closed_on_error(index: VectorIndex) -> Iterator[None]:
    """Nobody else knows an index that is only being opened."""
    try:
        yield
    except StorageError:
        index.close()
        raise
