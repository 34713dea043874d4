"""Before a question is answered, the files of the passages that were found are checked against the index.

What has changed is followed for a short while and searched again; whoever knows files does that, behind the port
`Freshness`. No passage gets past here whose file is gone or holds something else by then.
"""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace

from kb.ports import Freshness
from kb.values.answers import AnswerEvent, Done
from kb.values.documents import DocumentInfo
from kb.values.passages import Passage

REFRESH_SECONDS = 3.0
"""How long one question waits for changed files: enough for a note to come to rest, be read and embedded."""


class FreshPassages:
    """Finds the passages of one question, and tells what became of their files.

    Args:
        search: Finds so many passages.
        document: Gives a document by its id, or None.
        files: None: files are not checked.
        patience_seconds: How long changed files are waited for.

    Attributes:
        stale: Paths of documents that were left out, because their files could not be followed in time.
    """

    def __init__(
        self,
        search: Callable[[int], Sequence[Passage]],
        document: Callable[[str], DocumentInfo | None],
        files: Freshness | None,
        patience_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self._search = search
        self._document = document
        self._files = files
        self._patience_seconds = patience_seconds
        self._refreshed: tuple[str, ...] = ()
        self.stale: tuple[str, ...] = ()

    def find(self, top_k: int) -> tuple[Passage, ...]:
        """Finds passages, and finds them again if files behind them have changed.

        Passages of files that could not be followed in time are left out; the next best take their place.

        Args:
            top_k: How many.
        """
        if self._files is None:
            return tuple(self._search(top_k))
        deadline = time.monotonic() + self._patience_seconds
        tried: dict[DocumentInfo, None] = {}
        passages, documents = self._look(top_k)
        while drifted := self._files.drifted(documents):
            # Each version once: one that is still behind after that will not be there in time.
            untried = [document for document in drifted if document not in tried]
            left = deadline - time.monotonic()
            if not untried or left <= 0:
                passages, drifted = self._leave_out(self._files, drifted, passages, top_k)
                break
            self._files.refresh(untried, left)
            tried.update(dict.fromkeys(untried))
            passages, documents = self._look(top_k)
        stale_ids = {document.id for document in drifted}
        self.stale = _distinct(document.file.source for document in drifted)
        self._refreshed = _distinct(map(self._source, (known for known in tried if known.id not in stale_ids)))
        return tuple(replace(passage, number=number) for number, passage in enumerate(passages, start=1))

    def declared(self, events: Generator[AnswerEvent, None, None]) -> Generator[AnswerEvent, None, None]:
        """The events of an answer; in the last, its index says what became of the files."""
        with closing(events):
            for event in events:
                if isinstance(event, Done):
                    index = replace(event.answer.index, refreshed=self._refreshed, stale=self.stale)
                    yield Done(replace(event.answer, index=index))
                else:
                    yield event

    def _look(self, top_k: int) -> tuple[list[Passage], list[DocumentInfo]]:
        """Passages with their documents; without those that were removed since the search."""
        found = self._search(top_k)
        ids = dict.fromkeys(passage.document_id for passage in found)
        documents = {key: document for key in ids if (document := self._document(key))}
        return [passage for passage in found if passage.document_id in documents], list(documents.values())

    def _leave_out(
        self, files: Freshness, drifted: Sequence[DocumentInfo], passages: Sequence[Passage], top_k: int
    ) -> tuple[list[Passage], list[DocumentInfo]]:
        """Passages without those of some documents, and all documents that are left out."""
        ids = {document.id for document in drifted}
        more, documents = self._look(top_k + sum(passage.document_id in ids for passage in passages))
        left_out = {document.id: document for document in (*drifted, *files.drifted(documents))}
        return [passage for passage in more if passage.document_id not in left_out][:top_k], list(left_out.values())

    def _source(self, known: DocumentInfo) -> str:
        """Where a document is now, or was."""
        return (self._document(known.id) or known).file.source


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
