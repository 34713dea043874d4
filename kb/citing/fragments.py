"""Short answers, judged together with the question: a yes, a name, a number, a noun.

Pure. A word or two say nothing alone, and that they stand in a text does not make them an answer: they must be of the
kind that is asked for, and the question must be about the place where they stand. Errs on the side of doubt.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from kb.citing.analysed_text import AnalysedText
from kb.text.quantities import quantities
from kb.text.scripts import in_one_writing
from kb.text.sentences import Span
from kb.text.terms import search_terms

_POLARITY = re.compile(
    r"\W*(?:(?P<yes>yes|correct|true|right|是的?|对的?|有的?|可以的?|能|会|正确)"
    r"|(?P<no>no|false|incorrect|不是的?|否|没有|不可以|不能|不会|不对))\W*",
    re.IGNORECASE,
)
_OPEN_QUESTION = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how)\b|谁|什么|哪|何|多少|几|怎|为啥|多[大长高久远]", re.IGNORECASE
)
_NUMBER_ASKED = re.compile(
    r"\bhow (?:many|old|long ago|far|tall)\b|\b(?:what|which) (?:year|percent|date)"
    r"|多少(?!钱)|几[个位次年岁座人名支]|哪一?年|百分",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?P<number>\d+(?:[.,:]\d+)*)|(?P<name>(?<=\S )[A-Z][\w'’-]*(?:\s(?:of\s|the\s)?[A-Z][\w'’-]*)*)")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

_NEAR_CHARS = 60
_NEARER = 1.2


def polarity(sentence: str, question: str) -> Literal["yes", "no"] | None:
    """What a bare yes or no says; None for all else, and where the question cannot be answered so."""
    match = _POLARITY.fullmatch(sentence)
    if match is None or _OPEN_QUESTION.search(question):
        return None
    return "yes" if match["yes"] else "no"


def is_open(question: str) -> bool:
    """Whether a question asks for more than yes or no."""
    return bool(_OPEN_QUESTION.search(question))


def is_of_kind_asked(answer: str, question: str) -> bool:
    """Whether an answer has a number where one is asked for."""
    return not _NUMBER_ASKED.search(question) or bool(quantities(answer, ones=True))


def has_nearer_rival(answer: str, question: AnalysedText, quote: str) -> bool:
    """Whether another name or number of a quote stands clearly nearer to the words of the question than the answer.

    Args:
        answer: A name or a number; nothing else has rivals.
        quote: In a script with capital letters, where it is about names.
    """
    text = in_one_writing(quote)
    answer = in_one_writing(answer).strip(' \n.。,，;；"“”')
    start = text.find(answer) if answer else -1
    kind = _KEY.match(f" x {answer}", 3)
    if start < 0 or kind is None:
        return False
    own = (start, start + len(answer))
    rivals = [
        match.span()
        for match in _KEY.finditer(text)
        if match.lastgroup == kind.lastgroup
        and (match.end() <= own[0] or match.start() >= own[1])
        and question.terms.isdisjoint(search_terms(match.group()))
    ]
    places = list(_places_of_question(text, question))
    nearness = _nearness(own, places)
    return any(_nearness(rival, places) > _NEARER * nearness for rival in rivals)


def _places_of_question(text: str, question: AnalysedText) -> Iterator[Sequence[Span]]:
    """For each word of the question the places where it stands in a text."""
    words = [(frozenset(search_terms(match.group())), match.span()) for match in _WORD.finditer(text)]
    for word in question.content_words:
        yield [span for terms, span in words if word.is_in(terms)]


def _nearness(span: Span, places: Sequence[Sequence[Span]]) -> float:
    start, end = span
    nearness = 0.0
    for spans in places:
        distances = [max(0, start - other[1], other[0] - end) for other in spans if not start <= other[0] < end]
        nearness += math.exp(-min(distances) / _NEAR_CHARS) if distances else 0.0
    return nearness
