"""A question asked in a conversation → one that can be searched for by itself; by rules, without a model.

Pure. Knows what was asked and answered before, and nothing about documents. A question that can stand alone comes back
unchanged, so that a change of topic is not disturbed by the turns before it.
"""

import re
from collections.abc import Sequence

from kb.text.scripts import in_one_writing, is_cjk
from kb.text.sentences import sentence_spans
from kb.text.terms import content_terms
from kb.values.chat import Turn

MAX_QUESTION_CHARS = 300
MAX_ANSWER_CHARS = 150
"""What is carried over from earlier turns; an embedding model reads only so far, and must still see the question."""

# What a question must say of its own to stand alone, in the measure of `_substance`.
_ENOUGH = 4
_ENOUGH_IN_PARALLEL = 8
_ENOUGH_WITH_REFERENCE = 14


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_COURTESY = _any_of(r"^\W*(?:(?:thanks|thank you|ok|okay|great|谢谢|好的|对了)\W+)+")

_PARALLEL = _any_of(
    r"^\W*(?:and|but|or|so|then|what about|how about|what of)\b",
    r"^\W*(?:那么?|还有|另外|而|但|可是|然后|后来|具体|比(?![亚利尔特例如较]))",
    r"呢\W*$",
)
"""How a question begins or ends that says only in what it differs from the one before."""

_REFERENCE = _any_of(
    r"\b(?:he|him|his|she|hers?|(?!(?-i:IT)\b)its?|they|them|theirs?|these|else|instead|others?|another)\b",
    r"\bthe (?:former|latter|same)\b|\b(?:the\s+\w+|which|that)\s+ones?\b",
    r"\bthis\b(?!\s+(?:year|month|week|morning|evening))|\bthose\b(?!\s+who)",
    # Not the conjunction: "is it true that", "the ripples that cross".
    r"^\W*that\b|\bthat\s+(?:day|night|evening|month|year|time)\b|\bthat(?:\s+\w+)?\W*$",
    r"\b(?:is|was|are|were|do|does|did|about|after|before|like|than|for|with|of|in|at|on|by|from|to)\s+that\b",
    r"\b(?:ones?|then|there|after|afterwards|before|earlier|later)\W*$",
    r"它|(?<!其)他|她|前者|后者|另一|其中|这|那(?=[里儿边个些次天时位种本])|(?<=\w)那(?!么)",
)
"""Words that stand for something said before."""

_NO_REFERENCE = _any_of(
    r"\b(?:is|was)\s+it\s+\w+\s+(?:to|that|if)\b|\bit\s+takes?\s+to\b|\bit\s+(?:rain|snow|freeze)s?\b",
    r"\b(?-i:He\s+[A-Z])",  # a family name
)
"""What looks like a reference and is none."""

_NEW_THING = _any_of(
    r"\b(?:is|are|was|were)\s+there\s+(?:an?|any)\b",
    r"\bwh(?:o|at)\s+(?:is|are|was|were)\s+(?:an?\b|(?-i:[A-Z]))",
    r"有没有|^有.*吗\W*$",
)
"""A question whether there is something, or who or what it is: however short, it brings its own subject."""

_LIGHT = _any_of(
    r"\bhow\s+(?:long|much|many|often|far|old)\b",
    r"\b(?:please|tell|give|show|me|exactly|explain|elaborate|details?|examples?|next)\b",
    r"多少|多久|多长时间|什么时候|时候|什么|怎么样?|怎样|为什么|为何|如何|哪里|哪儿|哪些|哪个|请问|具体|一共|总共",
    r"应该|需要|可以|详细|说说|讲讲|解释|介绍|一下|更多|例子|继续",
    r"[哪谁几吗呢吧啊能会要是有叫在的了过得地着和与也都还就那这]",
)
"""Words of a question that name nothing."""

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


def self_contained(question: str, history: Sequence[Turn]) -> str:
    """Makes a question findable without the conversation that it is part of.

    Args:
        history: Oldest first.

    Returns:
        The question; where it leans on earlier turns, after what it needs of them.
    """
    earlier = answer = ""
    for turn in history:
        earlier, answer = _resolved(turn.question, earlier, answer), turn.answer
    return _resolved(question, earlier, answer)


def _resolved(question: str, earlier: str, answer: str) -> str:
    plain = _COURTESY.sub("", in_one_writing(question))
    refers = _refers(plain)
    if not earlier or _stands_alone(plain, refers):
        return question
    earlier = earlier[-MAX_QUESTION_CHARS:]
    # A reference may mean what the answer named; a parallel question leaves the answer behind.
    carried = [earlier, _first_sentence(answer)] if refers else [_with_likes_replaced(earlier, plain)]
    return "\n".join(filter(None, [*carried, question]))


def _refers(question: str) -> bool:
    """Whether a question means something that was said before, be it with no word of its own: "Why?"."""
    return bool(_REFERENCE.search(_NO_REFERENCE.sub("", question))) or not _substance(question)


def _stands_alone(question: str, refers: bool) -> bool:
    if refers:
        return _substance(question) >= _ENOUGH_WITH_REFERENCE
    if _PARALLEL.search(question):
        return _substance(_without_likes(question)) >= _ENOUGH_IN_PARALLEL
    return bool(_NEW_THING.search(question)) or _substance(question) >= _ENOUGH


def _substance(question: str) -> int:
    """How much a question says: two for each word that means something, one for each Chinese character."""
    bare = _LIGHT.sub(" ", question)
    words = "".join(" " if is_cjk(character) else character for character in bare).split()
    return 2 * sum(bool(content_terms(word)) for word in words) + sum(map(is_cjk, bare))


def _without_likes(question: str) -> str:
    for kind in _KINDS:
        question = kind.sub(" ", question)
    return question


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
