"""Words that have changed places between a quote and a sentence: all are there, and still it says another thing.

Pure. It looks at what stands beside what, and knows no grammar: a passive, or another order of the same clauses, is let
through.
"""

import re
from collections.abc import Container, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from kb.citing.analysed_text import AnalysedText
from kb.text.quantities import are_among, quantities
from kb.text.scripts import CJK, HAN, in_one_writing

_KEY = re.compile(
    r"(?P<number>\d+(?:[.,:]\d+)*)|(?P<name>[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*)*)"
    rf"|(?P<word>[{CJK}]|[^\W_]+)|(?P<sign>[^\w\s])"
)
_ARTICLE = re.compile(r"(?:The|A|An|In|On|At|It|He|She|They|This|That)\s+(?=[A-Z])")
_UNTELLING = frozenset("和与及或跟的了是于在年月日个") | {
    *("and", "or", "the", "a", "an", "of", "in", "on", "at", "was", "is", "were", "are", "who", "which", "that"),
}

_CLAUSE_END = re.compile(r"[，。；：！？,;]")
_PASSIVE = re.compile("[被由受遭]|为.{1,8}所")

_Key = tuple[str, str]
_Placed = dict[_Key, tuple[set[str], set[str]]]
_NONE: tuple[set[str], set[str]] = (set(), set())

_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:[.,:'’-][^\W_{CJK}]+)*")
_VERBATIM_SHARE = 0.6
_GAP_TOKENS = 12


def is_turned_round(sentence: str, quote: str) -> bool:
    """Whether two numbers or two names have changed places: one stands beside the word that the other stands beside.

    "Brandt beat Meier" is not what "Meier beat Brandt" says, nor "from 5 to 10" what "from 10 to 5" does.
    """
    ours, theirs = _placed_keys(sentence), _placed_keys(quote)
    return _has_changed_sides(sentence, quote) or any(
        _took_place_of(ours, theirs, key, other)
        for key in ours
        if key in theirs
        for other in theirs
        if other != key and other[0] == key[0]
    )


def _has_changed_sides(sentence: str, quote: str) -> bool:
    """Whether two Chinese words stand on the other side each of what is between them: 甲打败了乙 is not 乙打败了甲."""
    ours, theirs = (_CLAUSE_END.split(re.sub(r"\s", "", in_one_writing(text))) for text in (sentence, quote))
    return any(_are_crossed(one, other) for one in ours for other in theirs)


def _are_crossed(ours: str, theirs: str) -> bool:
    if bool(_PASSIVE.search(ours)) != bool(_PASSIVE.search(theirs)):
        return False
    blocks = SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks()
    for place, other, size in blocks:
        left, right = _pairs(ours[:other]), _pairs(ours[other + size :])
        their_left, their_right = _pairs(theirs[:place]), _pairs(theirs[place + size :])
        if size > 1 and left & their_right - their_left and right & their_left - their_right:
            return True
    return False


def _pairs(text: str) -> set[str]:
    return {"".join(pair) for pair in pairwise(text) if all(map(HAN.match, pair))}


def _took_place_of(ours: _Placed, theirs: _Placed, key: _Key, other: _Key) -> bool:
    """Whether a sentence puts one name or number beside a word that only another one stands beside in the quote."""
    sides = zip(ours[key], ours.get(other, _NONE), theirs[key], theirs[other], strict=True)
    return any(
        word and word in their_other and word not in their_own and word not in our_other
        for our_own, our_other, their_own, their_other in sides
        for word in our_own
    )


def _placed_keys(text: str) -> _Placed:
    """The numbers and names of a text, with the words to their left and right; none where a sign stands."""
    tokens = [(match.lastgroup or "", match.group()) for match in _KEY.finditer(_ARTICLE.sub("", in_one_writing(text)))]
    words = [word.lower() if kind == "word" and word.lower() not in _UNTELLING else "" for kind, word in tokens]
    placed: _Placed = {}
    for key, before, after in zip(tokens, ["", *words], [*words[1:], ""], strict=False):
        if key[0] in ("number", "name"):
            left, right = placed.setdefault(key, (set(), set()))
            left.add(before)
            right.add(after)
    return placed


def puts_in_place_of(sentence: str, quote: str, known: Container[str], elsewhere: Container[str]) -> bool:
    """Whether a sentence is a quote with one stretch exchanged for words from another place.

    Args:
        known: Terms that may stand in for others, for example for "it": those of the question.
        elsewhere: Terms that are taken for words from another place; others are taken for paraphrase.
    """
    ours, theirs = _TOKEN.findall(in_one_writing(sentence)), _TOKEN.findall(in_one_writing(quote))
    blocks = _common_stretches([token.lower() for token in theirs], [token.lower() for token in ours])
    if sum(size for *_, size in blocks) < _VERBATIM_SHARE * len(ours):
        return False
    for place, other, from_place, from_other in _gaps(blocks, len(ours), len(theirs)):
        put, left_out = (
            AnalysedText(_stretch(ours, place, other)),
            AnalysedText(_stretch(theirs, from_place, from_other)),
        )
        content_words = [word for word in put.content_words if not word.is_in(known)]
        is_from_elsewhere = bool(content_words) and all(
            word.is_in(elsewhere) and not word.is_in(left_out.terms) for word in content_words
        )
        put_number, left_number = (
            quantities(_text(tokens[begin : end + 1]), ones=True)
            for tokens, begin, end in ((ours, place, other), (theirs, from_place, from_other))
        )
        is_other_number = left_number and not are_among(put_number, left_number)
        if (is_from_elsewhere and left_out.size) or is_other_number:
            return True
    return False


def _common_stretches(theirs: Sequence[str], ours: Sequence[str]) -> list[tuple[int, int, int]]:
    """Places in both and lengths; a single character of a longer run is no more than chance."""
    blocks = SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks()
    return [(a, b, size) for a, b, size in blocks if size > 1 or (size and len(theirs[a]) > 1)]


def _gaps(blocks: Sequence[tuple[int, int, int]], ours: int, theirs: int) -> Iterator[tuple[int, int, int, int]]:
    """The stretches between the common ones, where both have something and neither has much."""
    for (a, b, size), (next_a, next_b, _) in pairwise([(0, 0, 0), *blocks, (theirs, ours, 0)]):
        if 0 < next_a - a - size <= _GAP_TOKENS and 0 < next_b - b - size <= _GAP_TOKENS:
            yield b + size, next_b, a + size, next_a


def _stretch(tokens: Sequence[str], begin: int, end: int) -> str:
    """The text of some tokens; of a single Chinese character with the one before, for alone it says nothing."""
    is_character = end - begin == 1 and bool(re.match(f"[{CJK}]", tokens[begin]))
    return _text(tokens[begin - 1 if is_character and begin else begin : end])


def _text(tokens: Sequence[str]) -> str:
    return re.sub(rf"(?<=[{CJK}]) (?=[{CJK}])", "", " ".join(tokens))
