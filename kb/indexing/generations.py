"""Vector indexes side by side: one answers while another is filled, each in a store of its own.

An index is never repaired and never emptied. Whatever is wrong with it, or newly wanted of it, a new generation is
filled from the embeddings in the catalog and takes its place; no embedding model is asked.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from kb.catalog.catalog import Catalog
from kb.catalog.index_record import IndexRecord, Space
from kb.catalog.ledger import Ledger
from kb.ports import VectorIndex
from kb.search.dense import vector_id

FILL_BATCH = 1000
"""Vectors added to an index at a time: a fraction of a second."""


def new_record(ledger: Ledger, space: Space) -> IndexRecord:
    """Describes an index that is about to be made, under a name that was never used."""
    return IndexRecord(secrets.token_hex(8), space, ledger.count("forgotten"), ledger.count("renewals"))


@dataclass
class Content:
    """What is in an index.

    Attributes:
        present: The ids.
        dead: How many vectors were deleted from it; they keep their room.
    """

    present: set[str] = field(default_factory=set)
    dead: int = 0


def fill(catalog: Catalog, index: VectorIndex, space: str, content: Content) -> Iterator[None]:
    """Puts an index in step with the catalog, from stored embeddings.

    Chunks that have no embedding in this space yet are left out.

    Args:
        space: Key of the space of the index.
        content: Of the index; kept up to date.

    Yields:
        After each batch. Documents may come and go meanwhile: at the end of the iteration, all are heeded that came
        or went before its last step.
    """
    while True:
        wanted = {vector_id(*key): key[1] for key in catalog.embeddings.chunk_keys(space)}
        surplus, missing = content.present - wanted.keys(), sorted(wanted.keys() - content.present)
        if not surplus and not missing:
            return
        index.delete(surplus)
        content.present -= surplus
        content.dead += len(surplus)
        for i in range(0, len(missing), FILL_BATCH):
            batch = missing[i : i + FILL_BATCH]
            index.upsert(batch, catalog.embeddings.get(space, [wanted[key] for key in batch]))
            content.present |= set(batch)
            yield
