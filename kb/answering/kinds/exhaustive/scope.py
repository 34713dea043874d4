"""Where all of something is looked for: the documents or folders that a question names, or all that may answer."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from kb.answering.kinds.document.key_passages import passage_of
from kb.catalog.catalog import Catalog
from kb.text.scripts import CJK, in_one_writing
from kb.text.terms import content_terms
from kb.values.documents import DocumentOutline
from kb.values.filters import MAX_VALUES, Filters
from kb.values.passages import Passage, StoredChunk

GROUP_TOKENS = 240
"""So much of a document is read at once by a model; in tokens of the embedding model."""

NEARNESS = 0.03
"""Documents that are farther from a question than the nearest one, by more than this, are of something else.

A difference of scores, on the scale of the search's own embedding model. Of 36 lists of one document each, in two
languages, 24 of them about documents that nobody here had seen, the nearest document is the right one for 34; for 31 no
other is so near. Of 12 lists that stand in two or three documents, all but one document are. Counted from what the
search finds for these questions.
"""

_INSIDE = re.compile(rf"[{CJK}]+?(?=[里中内])")
_NAMED = 0.5  # who is named by this share of the words that do not say what is looked for is meant


@dataclass(frozen=True, slots=True)
class Scope:
    """Documents.

    Attributes:
        document_ids: In the order of their paths; older versions of another are not among them.
        filters: That they pass.
        named: What the question calls them; empty: it names none.
    """

    document_ids: tuple[str, ...]
    filters: Filters
    named: str = ""

    def chunks(self, catalog: Catalog) -> Iterator[StoredChunk]:
        """All of their chunks, document by document, in order."""
        for document_id in self.document_ids:
            yield from catalog.chunks.of_document(document_id)

    def groups(self, catalog: Catalog) -> Iterator[Passage]:
        """The same, as stretches that are read at once."""
        group: list[StoredChunk] = []
        for stored in self.chunks(catalog):
            tokens = sum(each.chunk.tokens for each in group) + stored.chunk.tokens
            if group and (group[-1].document_id != stored.document_id or tokens > GROUP_TOKENS):
                yield _joined(group, catalog)
                group = []
            group.append(stored)
        if group:
            yield _joined(group, catalog)


def nearest(scope: Scope, near: Sequence[Passage]) -> Scope:
    """The documents of a scope that are about as near to the question as the nearest.

    Args:
        near: What the search has found; empty: nothing is near, and all are left.
    """
    scores: dict[str, float] = {}
    for passage in near:
        scores[passage.document_id] = max(passage.score, scores.get(passage.document_id, passage.score))
    least = max(scores.values(), default=0.0) - NEARNESS
    chosen = tuple(each for each in scope.document_ids if scores.get(each, least - 1) >= least)
    return replace(scope, document_ids=chosen) if chosen else scope


def scope_of(question: str, filters: Filters, catalog: Catalog, frame: Collection[str]) -> Scope:
    """Finds out where to look.

    Args:
        frame: Terms that name what is looked for, and no document.
    """
    with catalog.snapshot():
        older = catalog.versions.among(filters).newest
        outlines = sorted((each for each in catalog.outlines(filters) if each.id not in older), key=lambda e: e.source)
        named = _named(question, frame, outlines, catalog)
        if not named:
            return Scope(tuple(each.id for each in outlines), filters)
        names = " ".join(f"{each.title} {each.file.source}" for each in map(catalog.document, named) if each)
        return Scope(named, replace(filters, document_ids=named[:MAX_VALUES]), names)


def _named(
    question: str, frame: Collection[str], outlines: Sequence[DocumentOutline], catalog: Catalog
) -> tuple[str, ...]:
    """The documents in whose titles and paths most of what is asked stands; none if that is less than half.

    Chinese has no gaps between words, so half means nothing there; what stands before 里 names the place.
    """
    inside = " ".join(_INSIDE.findall(in_one_writing(question)))
    asked = {term for term in content_terms(inside or question) if term not in frame}
    held = catalog.names.held(sorted(asked), [each.id for each in outlines])
    most = max(held.values(), default=0)
    if not most or (most < _NAMED * len(asked) and not inside):
        return ()
    return tuple(each.id for each in outlines if held.get(each.id) == most)


def _joined(group: Sequence[StoredChunk], catalog: Catalog) -> Passage:
    passages = [passage_of(n, each) for n, each in enumerate(group, start=1)]
    first, last = passages[0], passages[-1]
    text = catalog.text(first.document_id, first.start, last.end) or ""
    parts = tuple(part for passage in passages for part in passage.parts)
    return replace(first, text=text, end=last.end, parts=parts)
