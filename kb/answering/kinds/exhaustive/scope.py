"""Where all of something is looked for: the documents or folders that a question names, or all that may answer."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from kb.answering.kinds.document.key_passages import passage_of
from kb.catalog.catalog import Catalog
from kb.text.terms import content_terms
from kb.values.documents import DocumentOutline
from kb.values.filters import Filters
from kb.values.passages import Passage, StoredChunk

GROUP_TOKENS = 240
"""So much of a document is read at once by a model; in tokens of the embedding model."""

_NAMED = 0.6  # who is named by this share of the words of title or file name is meant
_MOST_NAMED = 50


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
            yield from catalog.chunks_of(document_id)

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


def scope_of(question: str, filters: Filters, catalog: Catalog, frame: Collection[str]) -> Scope:
    """Finds out where to look.

    Args:
        frame: Terms that name what is looked for, and no document.
    """
    with catalog.snapshot():
        older = catalog.versions.among(filters).newest
        outlines = sorted((each for each in catalog.outlines(filters) if each.id not in older), key=lambda e: e.source)
        asked = [term for term in content_terms(question) if term not in frame]
        if documents := _named_documents(asked, outlines, catalog):
            names = " ".join(f"{title} {source}" for title, source in documents.values())
            return Scope(tuple(documents), replace(filters, document_ids=tuple(documents)), names)
        if folder := _named_folder(asked, outlines):
            inside = tuple(each.id for each in outlines if folder in PurePosixPath(each.source).parents)
            return Scope(inside, replace(filters, document_ids=inside), folder.name)
        return Scope(tuple(each.id for each in outlines), filters)


def _named_documents(
    asked: Sequence[str], outlines: Sequence[DocumentOutline], catalog: Catalog
) -> dict[str, tuple[str, str]]:
    shares = catalog.names.shares(asked, [each.id for each in outlines])
    best = sorted(shares, key=lambda key: -shares[key])[:_MOST_NAMED]
    found: dict[str, tuple[str, str]] = {}
    for document in filter(None, map(catalog.document, best)):
        names = (document.title, PurePosixPath(document.file.source).stem)
        if any(_share(name, asked) >= _NAMED for name in names):
            found[document.id] = (document.title, document.file.source)
    order = [each.id for each in outlines]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])))


def _share(name: str, asked: Sequence[str]) -> float:
    terms = set(content_terms(name))
    return len(terms.intersection(asked)) / len(terms) if terms else 0.0


def _named_folder(asked: Sequence[str], outlines: Sequence[DocumentOutline]) -> PurePosixPath | None:
    folders = {folder for each in outlines for folder in PurePosixPath(each.source).parents if folder.name}
    named = [folder for folder in folders if _share(folder.name, asked) == 1.0]
    return max(named, key=lambda folder: len(folder.parts), default=None)


def _joined(group: Sequence[StoredChunk], catalog: Catalog) -> Passage:
    passages = [passage_of(n, each) for n, each in enumerate(group, start=1)]
    first, last = passages[0], passages[-1]
    text = catalog.text(first.document_id, first.start, last.end) or ""
    parts = tuple(part for passage in passages for part in passage.parts)
    return replace(first, text=text, end=last.end, parts=parts)
