"""Which document a question means, and which part of it: by name, heading, number, page or recency, or by the filter.

Names say more than contents: only where no name has a word of the question, what the search finds decides.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from kb.catalog.catalog import Catalog
from kb.search.recency import asks_for_newest
from kb.text.numerals import NUMERAL, value
from kb.text.scripts import in_one_writing
from kb.text.terms import content_terms, search_terms
from kb.values.documents import DocumentInfo
from kb.values.filters import Filters
from kb.values.passages import Passage, StoredChunk

MAX_CHOICES = 8
"""So many documents are offered where it is not sure which one is meant."""

_AS_GOOD = 0.75  # who is named by this share of what names the best may be meant as well
_MOSTLY = 0.6  # of what is found for a question that names none, one document has at least this share

_PAGES = re.compile(
    r"\b(?:pages?|pp?\.|seiten?|páginas?|s\.)\s*(?P<first>\d+)(?:\s*(?:-|–|to|bis|a|à)\s*(?P<last>\d+))?"
    r"|第?(?P<erste>\d+)(?:\s*(?:-|–|~|到|至)\s*第?(?P<letzte>\d+))?\s*[页頁ページ]",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"\b(?:chapter|section|part|item|kapitel|abschnitt|chapitre|capítulo|sección)\s*(?P<latin>\d+(?:\.\d+)*)"
    rf"|第(?P<han>\d+|{NUMERAL})[章节節部條条]",
    re.IGNORECASE,
)

FindPassages = Callable[[Filters], Sequence[Passage]]
"""Finds the passages for the question, best first, in the documents that pass."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document.

    Attributes:
        chunks: In order.
        name: As the document calls it; empty: it is the whole.
    """

    chunks: tuple[StoredChunk, ...]
    name: str = ""


def documents_meant(question: str, filters: Filters, catalog: Catalog, find: FindPassages) -> list[DocumentInfo]:
    """The documents that a question may mean.

    Returns:
        One, if that is sure; several to choose from, the likeliest first; none where no document passes.
    """
    with catalog.snapshot():
        older = catalog.versions.among(filters).newest
        outlines = [each for each in catalog.outlines(filters) if each.id not in older]
        newest = [each.id for each in outlines]
        if path := max((each.source for each in outlines if each.source in question), key=len, default=""):
            newest = [each.id for each in outlines if each.source == path]
        likely = newest if len(newest) < 2 else _likely(question, newest, catalog, lambda: find(filters))
        documents = (catalog.document(key) for key in likely[:MAX_CHOICES])
        return [document for document in documents if document]


def part_meant(question: str, document: DocumentInfo, chunks: Sequence[StoredChunk]) -> Part:
    """The part of a document that a question means: some pages, a numbered chapter, or what stands under a heading that
    it names; else all of it."""
    text = in_one_writing(question)
    if match := _PAGES.search(text):
        first = int(match["first"] or match["erste"])
        last = int(match["last"] or match["letzte"] or first)
        if chosen := [each for each in chunks if each.chunk.page and first <= each.chunk.page <= last]:
            return Part(tuple(chosen), match[0].strip())
    if heading := _heading_meant(text, document, chunks):
        return Part(tuple(each for each in chunks if heading in each.chunk.headings), heading)
    return Part(tuple(chunks))


def _likely(
    question: str, newest: Sequence[str], catalog: Catalog, find: Callable[[], Sequence[Passage]]
) -> Sequence[str]:
    named = _best(catalog.names.shares(content_terms(question), newest))
    if asks_for_newest(question):
        return [key for key in newest if not named or key in named][:1]
    return sorted(named, key=lambda key: (-named[key], newest.index(key))) or _found(find(), newest) or newest


def _best(shares: Mapping[str, float]) -> dict[str, float]:
    best = max(shares.values(), default=0.0)
    return {key: share for key, share in shares.items() if share >= _AS_GOOD * best > 0}


def _found(passages: Sequence[Passage], among: Collection[str]) -> list[str]:
    """The documents in which most is found: one, if it has most of it."""
    worth: dict[str, int] = {}
    for place, passage in enumerate(passages):
        if passage.document_id in among:
            worth[passage.document_id] = worth.get(passage.document_id, 0) + len(passages) - place
    ranked = sorted(worth, key=lambda key: -worth[key])
    return ranked[:1] if ranked and worth[ranked[0]] >= _MOSTLY * sum(worth.values()) else ranked


def _heading_meant(question: str, document: DocumentInfo, chunks: Sequence[StoredChunk]) -> str:
    headings = list(dict.fromkeys(heading for each in chunks for heading in each.chunk.headings))
    if match := _NUMBERED.search(question):
        number = match["latin"] or value(match["han"])
        return next((each for each in headings if _number_of(each) == number), "")
    asked = set(search_terms(question))
    of_name = set(search_terms(f"{document.title}\n{document.file.source}"))
    named = [(terms, each) for each in headings if (terms := set(content_terms(each))) and terms <= asked]
    return max(((len(terms), each) for terms, each in named if not terms <= of_name), default=(0, ""))[1]


def _number_of(heading: str) -> str:
    """The number that a heading begins with, in figures; empty where it has none."""
    match = re.match(
        rf"[^\W\d]*\s*(?P<figures>\d+(?:\.\d+)*)|第?(?P<han>{NUMERAL})[、章节部條条.]", in_one_writing(heading)
    )
    return (match["figures"] or value(match["han"])) if match else ""
