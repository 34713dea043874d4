"""Answers that name documents, without a model."""

from collections.abc import Callable, Generator

from kb.answering.drafting.clock import QuestionClock
from kb.answering.kinds.inventory.inventory import Inventory, Listing
from kb.answering.kinds.kind import Asked, Resources
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, IndexState, PassagesFound
from kb.values.filters import Filters
from kb.values.passages import Passage


class InventoryKind:
    """Adapter of `kb.answering.kinds.kind.Kind`.

    Args:
        inventory: Of the documents.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def events(self, asked: Asked, _: Resources) -> Generator[AnswerEvent, None, None] | None:
        """See `Kind`."""
        if not asked.stands_alone or (listing := self._inventory.answer(asked.question, asked.filters)) is None:
            return None
        return listed_events(
            listing, lambda chosen: asked.live_index.passages(asked.question, asked.top_k, chosen), asked.index
        )


def listed_events(
    listing: Listing, find: Callable[[Filters], tuple[Passage, ...]], index: IndexState
) -> Generator[AnswerEvent, None, None]:
    """Tells what was found in the catalog.

    Args:
        find: Finds passages of some documents.
        index: How current the index is.

    Yields:
        `PassagesFound` first, `Done` last.
    """
    clock = QuestionClock()
    named = Filters(document_ids=tuple(document.id for document in listing.documents))
    passages = find(named) if named else ()
    clock.mark("retrieve_ms")
    yield PassagesFound(passages)
    clock.mark("first_answer_ms")
    yield AnswerDelta(listing.text)
    yield Done(
        Answer(
            answer=listing.text,
            passages=passages,
            answerable=True,
            finish_reason="stop",
            timings=clock.timings(),
            index=index,
            evidence=1.0,
            kind="inventory",
            documents=listing.documents,
        )
    )
