"""Which documents there are, and how many: read from the catalog, without a model.

A question may name a period, kinds of files, folders, and words; what it names is looked up, and the answer says
how that was counted. Where words are named that no document holds, or nothing was named and words are left over, it is
not sure what was meant, and the question is answered as any other.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

from kb.answering.kinds.inventory.listing import MAX_LISTED, listing_text, overview_text
from kb.answering.kinds.inventory.period import period_in
from kb.answering.kinds.inventory.topics import MarkedQuestion, Topics
from kb.answering.understanding.labelled_questions import read_questions
from kb.catalog.catalog import Catalog
from kb.text.scripts import in_one_writing
from kb.text.terms import search_terms
from kb.values.documents import DocumentInfo, DocumentOutline
from kb.values.filters import EVERYTHING, Filters

_LATIN = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found.

    Attributes:
        documents: Those that the answer names, newest first.
        text: The answer.
    """

    documents: tuple[DocumentInfo, ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question asks for: `filters` by name, `words` by what the documents say."""

    filters: Filters
    words: tuple[str, ...]


class Inventory:
    """Answers questions about documents from the catalog.

    Args:
        today: In the time zone of the user.
    """

    def __init__(self, catalog: Catalog, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        self._catalog = catalog
        self._today = today

    @cached_property
    def _topics(self) -> Topics:
        marked = (each for each in read_questions() if each.decision.kind == "inventory" and each.split == "fit")
        return Topics(MarkedQuestion(each.question, each.topics) for each in marked)

    def answer(self, question: str, filters: Filters = EVERYTHING) -> Listing | None:
        """Lists the documents that a question asks for.

        Args:
            filters: Which documents count at all.

        Returns:
            None: it is not sure what is asked for.
        """
        with self._catalog.snapshot():
            counted = self._catalog.outlines(filters)
            asked = self._asked(question, counted)
            found = self._found(asked, counted)
            if not counted or (asked.words and not found):
                return None
            named = filter(None, (self._catalog.document(each.id) for each in (*found[:MAX_LISTED], *found[-1:])))
            documents = {each.id: each for each in named}
        titles = {key: each.title for key, each in documents.items()}
        if asked.words or asked.filters:
            text = listing_text(question, found, titles, len(counted), asked.words, asked.filters)
        else:
            text = overview_text(question, found, titles)
        return Listing(tuple(documents[each.id] for each in found[:MAX_LISTED]), text)

    def _asked(self, question: str, documents: Sequence[DocumentOutline]) -> _Asked:
        text = in_one_writing(question)
        filters = EVERYTHING
        if period := period_in(text, self._today()):
            filters = replace(filters, since=period.since, until=period.until)
            text = f"{text[: period.start]} {text[period.end :]}"
        words = self._topics.of(text)
        types, words = _named(_types(documents), [*words, *_LATIN.findall(text)], words)
        folders, words = _named(_folders(documents), words, words)
        return _Asked(replace(filters, types=types, folders=folders), tuple(words))

    def _found(self, asked: _Asked, documents: list[DocumentOutline]) -> list[DocumentOutline]:
        if asked.filters:
            passing = {each.id for each in self._catalog.outlines(asked.filters)}
            documents = [each for each in documents if each.id in passing]
        return self._holding(asked.words, documents) if asked.words else documents

    def _holding(self, words: Sequence[str], documents: list[DocumentOutline]) -> list[DocumentOutline]:
        """The documents that hold all of some words in one place, or whose file or tags are named so."""
        terms = [term for word in words for term in search_terms(word)]
        holders = self._catalog.keywords.holders(terms)
        return [each for each in documents if each.id in holders or _is_named(each, terms)]


def _is_named(document: DocumentOutline, terms: Sequence[str]) -> bool:
    name = f"{document.source}\n{document.tags}"
    folded = in_one_writing(name).casefold()
    return all(term in folded for term in terms) and set(terms) <= set(search_terms(name))


def _types(documents: Iterable[DocumentOutline]) -> dict[str, str]:
    """Kinds of files that there are, by how they may be called."""
    kinds = {name for each in documents for name in (each.suffix, each.media_type.rpartition("/")[2])} - {""}
    return {**{f"{name}s": name for name in kinds}, **{name: name for name in kinds}}


def _folders(documents: Iterable[DocumentOutline]) -> dict[str, str]:
    """Folders that there are, by the name of the last."""
    folders = {PurePosixPath(folder) for folder in {each.folder for each in documents}}
    parents = {parent for folder in folders for parent in (folder, *folder.parents) if parent.name}
    return {in_one_writing(parent.name).casefold(): str(parent) for parent in sorted(parents, reverse=True)}


def _named(names: dict[str, str], spoken: Sequence[str], words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """What is named by one of some words, and the words without those."""
    found = {word: names[word.casefold()] for word in spoken if word.casefold() in names}
    return tuple(dict.fromkeys(found.values())), [word for word in words if word not in found]
