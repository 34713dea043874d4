"""Words that exclude each other: where a quote has one and a sentence the other, they do not say the same.

Pure, for Chinese and English; a text that has both words of a pair is let through.
"""

import re

_COMPASS = {"east": "东", "south": "南", "west": "西", "north": "北"}
_DIRECTION = re.compile(
    r"(?:north|south)(?=east|west)|(?:north|south|east|west)(?=(?:ern|wards?)?\b)"
    r"|(?<=[以向往朝])[东南西北]{1,2}|[东南西北]{1,2}(?=[部边面侧岸端临起至接麓])",
    re.IGNORECASE,
)


def _pair(one: str, other: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE)


_PAIRS = (
    _pair(
        r"\b(?:more|greater|larger|higher|over|above|at least|exceed\w*)\b|多于|大于|高于|以上|至少|(?<!不)超过|不少于",
        r"\b(?:fewer|less|smaller|lower|under|below|at most)\b|少于|小于|低于|以下|至多|最多|不超过|不足",
    ),
    _pair(
        r"\b(?:increas|grow|grew|ris(?:e|en|es|ing)\b|rose\b)|增加|增长|上升|上涨|提高|涨",
        r"\b(?:decreas|declin|shr[aiu]nk|drop|fall(?:s|en|ing)?\b|fell\b)|减少|下降|下跌|降低|跌",
    ),
    _pair(r"\b(?:largest|biggest|highest|tallest|most)\b|最[大高多长]", r"\b(?:smallest|lowest|least)\b|最[小低少短]"),
    _pair(r"\boldest\b|最老|最年长|最古老", r"\byoungest\b|\bnewest\b|最年轻|最新"),
    _pair(r"\bbefore\b|之前|以前", r"\bafter\b|之后|以后"),
    _pair(r"\d\s*a\.?m\b|\bmorning\b|上午|早上|清晨", r"\d\s*p\.?m\b|\bafternoon\b|\bevening\b|下午|晚上|傍晚"),
    _pair(r"\b(?:all|every)\b|所有|全部", r"\bonly\b|只有|仅"),
)


def is_opposite(sentence: str, quote: str) -> bool:
    """Whether a sentence has one word of a pair, and a quote only the other."""
    return any(_which(pair, sentence) ^ _which(pair, quote) == {0, 1} for pair in _PAIRS)


def _which(pair: tuple[re.Pattern[str], ...], text: str) -> frozenset[int]:
    """Which words of a pair a text has, by their places; none where it has both."""
    found = frozenset(place for place, word in enumerate(pair) if word.search(text))
    return found if len(found) == 1 else frozenset()


def directions(text: str) -> frozenset[str]:
    """The points of the compass that a text speaks of, by one Chinese character each."""
    named = (match.group().lower() for match in _DIRECTION.finditer(text))
    return frozenset(way for name in named for way in _COMPASS.get(name, name))
