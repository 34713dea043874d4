"""The events of an answer that names documents, which needs no model."""

from collections.abc import Callable, Generator

from kb.answering.clock import QuestionClock
from kb.answering.inventory import Listing
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, IndexState, PassagesFound
from kb.values.filters import Filters
from kb.values.passages import Passage


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
