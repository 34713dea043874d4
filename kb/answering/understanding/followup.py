"""A question asked in a conversation → one that can be searched for by itself; without a model.

Pure. Knows what was asked and answered before, and nothing about documents. A question that can stand alone comes back
unchanged, so that a change of topic is not disturbed by the turns before it; whether it can is decided elsewhere.
"""

import re
from collections.abc import Callable, Sequence

from kb.answering.understanding.decide import Decision
from kb.text.scripts import in_one_writing
from kb.text.sentences import sentence_spans
from kb.values.chat import Turn

MAX_QUESTION_CHARS = 300
MAX_ANSWER_CHARS = 150
"""What is carried over from earlier turns; an embedding model reads only so far, and must still see the question."""

Decide = Callable[[str], Decision]
"""Tells whether a question leans on what was said before."""

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_HAN_NUMBER = r"[〇零一二三四五六七八九十百\d]+"
_KINDS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<value>\d{4}-\d\d-\d\d)(?!\d)",
        rf"(?<!\d)(?P<value>\d{{1,2}})(?=\s+(?:{_MONTH})\b)",
        rf"\b(?:{_MONTH})\s+(?P<value>\d{{1,2}})(?!\d)",
        rf"\b(?P<value>{_MONTH})\b",
        rf"月\s*(?P<value>{_HAN_NUMBER})\s*[日号]",
        rf"(?P<value>{_HAN_NUMBER})\s*月",
        r"(?<!\d)(?P<value>(?:19|20)\d\d(?:[-/–]\d\d(?![-\d]))?)(?!\d)",
        r"(?P<value>[〇零一二三四五六七八九]{4})年",
        rf"第\s*(?P<value>{_HAN_NUMBER})",
        r"(?<!per )\b(?P<value>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b",
        r"\b(?P<family>step|section|chapter|part|page|table|figure|position)\s+(?P<value>\d+)",
        r"(?<![A-Za-z\d])(?P<family>[A-Z]{1,4}-?)(?P<value>\d+)(?![A-Za-z\d])",
        r"《(?P<value>[^》]+)》",
    )
)
"""Things of which one takes the place of another: days, months, years, ordinals, numbered parts, codes, titles.

Of 36 questions "And in the quarter ended …?" to four quarterly reports of one company, 27 found the right report first
with the quarter replaced, and 16 with both quarters in the query.
"""


def self_contained(question: str, history: Sequence[Turn], decide: Decide) -> str:
    """Makes a question findable without the conversation that it is part of.

    Args:
        history: Oldest first.

    Returns:
        The question; where it leans on earlier turns, after what it needs of them.
    """
    earlier = answer = ""
    for turn in history:
        earlier, answer = _resolved(turn.question, earlier, answer, decide), turn.answer
    return _resolved(question, earlier, answer, decide)


def _resolved(question: str, earlier: str, answer: str, decide: Decide) -> str:
    if not earlier or not (decision := decide(question)).leans:
        return question
    earlier = earlier[-MAX_QUESTION_CHARS:]
    # A reference may mean what the answer named; else the answer is left behind.
    likes_replaced = _with_likes_replaced(earlier, in_one_writing(question))
    carried = [earlier, _first_sentence(answer)] if decision.refers else [likes_replaced]
    return "\n".join(filter(None, [*carried, question]))


def _with_likes_replaced(earlier: str, question: str) -> str:
    for kind in _KINDS:
        new = list(kind.finditer(question))
        if len(new) == 1:
            earlier = _replaced(earlier, kind, new[0])
    return earlier


def _replaced(earlier: str, kind: re.Pattern[str], new: re.Match[str]) -> str:
    """Puts something new in the place of its like, if there is just one of it."""
    old = [match for match in kind.finditer(earlier) if _family(match) == _family(new)]
    if len({match["value"] for match in old}) == 1:
        for match in reversed(old):
            earlier = earlier[: match.start("value")] + new["value"] + earlier[match.end("value") :]
    return earlier


def _family(match: re.Match[str]) -> str:
    return match.groupdict().get("family", "").lower()


def _first_sentence(text: str) -> str:
    return next((text[start:end][:MAX_ANSWER_CHARS] for start, end in sentence_spans(text)), "")
