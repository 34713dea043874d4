"""Things that a question sets side by side: each is searched for by itself, too, so that none takes another's place.

The question is cut where it joins what it names, in the six languages whose joining words are known here; a piece need
not be a name alone, since it is searched for together with the question. Pure.
"""

import re
from collections.abc import Sequence

from kb.answering.sources.retrieval import Search, SubQuestion, SubQuestionSearch
from kb.answering.sources.widening import in_order
from kb.answering.understanding.subquestions import without_quoted
from kb.text.terms import content_terms
from kb.values.passages import Passage

MOST_THINGS = 4

_JOINING = re.compile(
    r"\b(?:and|or|with|than|against|versus|vs|und|oder|mit|als|gegenüber|et|ou|avec|que|y|o|e|con|frente\sa)\b\.?"
    r"|[,、，]|[和与跟及]|(?<![对百])比(?![例率较赛如])|还是|(?<=[^\W\d_])(?:と|より|や|か(?=、))",
    re.IGNORECASE,
)


def things_in(question: str) -> tuple[str, ...]:
    """The pieces of a question between its joining words.

    Returns:
        Two to `MOST_THINGS`; none where it joins nothing.
    """
    bare, pieces, start = without_quoted(question), list[str](), 0
    for joint in _JOINING.finditer(bare):
        pieces.append(question[start : joint.start()].strip(" ?？.。"))
        start = joint.end()
    pieces.append(question[start:].strip(" ?？.。"))
    named = [piece for piece in pieces if content_terms(piece)]
    return tuple(named[-MOST_THINGS:]) if len(named) > 1 else ()


def search_for_each(things: Sequence[str], search: Search) -> Search:
    """A search for a question that takes turns with one for each thing."""
    if not things:
        return search

    def found(query: str, top_k: int) -> tuple[Passage, ...]:
        queries = [query, *(f"{thing}. {query}" for thing in things)]
        searches = SubQuestionSearch([SubQuestion(each, each) for each in queries], search)
        return in_order(searches.passages(top_k))

    return found
