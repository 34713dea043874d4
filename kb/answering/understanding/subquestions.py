"""A question that asks several things → its parts, each to be searched and judged by itself; by rules.

Pure. A question that asks one thing comes back whole; in doubt it does. Conditions, relative and indirect clauses, and
whatever stands between quotation marks or brackets, are no parts. In Chinese and English the rules see more than the
embedding of a question does (see `decide` beside it); in others that decides, and signs tell where to cut.
"""

import re
from collections.abc import Iterator

from kb.text.scripts import HAN, is_cjk
from kb.text.terms import content_terms

MAX_PARTS = 3


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_QUOTED = _any_of(r'"[^"]*"', "“[^”]*”", "《[^》]*》", "「[^」]*」", "『[^』]*』", r"\([^)]*\)", "（[^）]*）")

_PREPOSITION = r"(?:about|at|by|for|from|in|of|on|since|to|under|until|with)"
_ASKING = rf"(?:{_PREPOSITION}\s+)?(?:who|whom|whose|what|when|where|which|why|how)\b"
_VERB = r"(?:is|are|was|were|do|does|did|can|could|will|would|should|must|may|might|has|have|had)\b"
_THING = (
    r"(?:an?|the|this|that|these|those|there|it|its|he|his|him|she|her|they|their|we|our|you|your|i|my"
    r"|(?-i:[A-Z])\w*)\b"
)

_BETWEEN = _any_of(
    r"(?<=[?？])\s*(?:(?:and|also)\s+)?(?=\S)",
    rf"\s*(?:[,;]\s*)?\b(?:and|as\s+well\s+as)\s+(?={_ASKING})",
    r"\s*[;；]\s*",
    r"\s*，\s*(?:以及|并且|而且)?",
    rf"(?<={HAN.pattern})\s*,\s*(?={HAN.pattern})",
    r"\s*以及\s*",
)

_SIGNS = (
    _any_of(r"(?<=[?？。])\s*(?=\S)", r"\s*[;；]\s*"),
    _any_of(r"、", r",?\s+(?:und|y|et)\s+"),
)
"""Between two questions in other languages, the strongest first."""

_BEGINNING = _any_of(rf"^(?:[^,]*,\s*)??(?:{_ASKING}|{_VERB}(?!\s+(?:you|any(?:one|body))\b))")
"""How a question begins, be it after a condition."""

_EMBEDDED = _any_of(rf"\b(?:{_ASKING}|that\b|whether\b)")
_INVERTED = rf"^{_ASKING}(?:\s+(?!(?:{_THING}|to\b))[\w-]+){{0,4}}?\s+{_VERB}"
_DIRECT = _any_of(
    rf"^{_VERB}",
    _INVERTED,
    rf"^(?:who|what|which|how\s+(?:many|much))\s+(?!(?:{_THING}|{_PREPOSITION}\b|and\b|or\b))\w[\w-]*\s",
)
"""The verb comes before what it is about, or nothing does but the question word: no clause like "when it rains"."""
_SURELY_DIRECT = _any_of(rf"{_INVERTED}\s+{_THING}", rf"^{_ASKING}\s+(?:do|does|did)\b", rf"^{_VERB}")
"""The same, and no relative clause either, as "who died" and "which was closed" can be."""
_UNFINISHED = _any_of(rf"\b(?:(?!have\b){_VERB}|not)$")
_UNFINISHED_UNLESS_DIRECT = _any_of(rf"\b(?:have|{_PREPOSITION})$")
"""As in "who lives in and who owns the house"; but "what does it have" and "what is it made of" are whole."""

_ASKS_IN_ENGLISH = _any_of(rf"\b{_ASKING}")
_ASKS_IN_CHINESE = re.compile(
    r"谁|什么|哪(?!怕)|[如为是有]何|何[时地处人种]|多少|怎|吗(?!啡)|是否|有没有|(\w)不\1"
    r"|(?<![好十百数])几(?![乎何率内十百千万])|(?<![许很众最更大])多[大长高重远久深宽]"
)
_HANGS_ON_THE_NEXT = _any_of(
    "^(?:如果|假如|若|要是|无论|不论|不管|除了|关于|由于|因为|根据|按照|随着|虽然|即使|只要|只有|不知道?|当)",
    "(?:之?[前后时]|(?<!什么)时候|期间|年来|以[来前后上下内外]|[春夏秋冬]天|的话|情况下|条件下|[中上下]|(?<!哪)里)$",
    "(?:说明|提到|说|写|规定|知道|记得|指出|认为|记载|告诉我?)[了过]?$",
    "(?:达到|超过|低于|高于|大于|小于|不足|升值|贬值|[升降]到)了?(?:多少|几)",
    r"^[在从自到于]?(?:哪[些个种位一]?|什么(?!时候开)|几[个位种]?)\w{0,3}$",
    r"^[在从]?(?:多\w|什么样|怎样)\w{0,6}的[^是有]{1,4}$",
)
"""Conditions, times, and what the rest is about: they may hold a question word, and ask nothing by themselves."""
_HANGS_ON_THE_ONE_BEFORE = _any_of(r"^\w{0,3}?(?:(?<![首成京])都|(?<!成)就(?!业)|(?<![人天])才|也(?!门)|则)", "^[会算]")
_COURTESY = _any_of(r"^(?:你|您|请问|能|可以|能否|是否)*(?:知道|告诉我|帮我|说说)\w{0,2}$")


def split(question: str, *, surely_several: bool = False) -> tuple[str, ...]:
    """Cuts a question into its parts.

    Args:
        surely_several: Whether its meaning says that it asks several things: where it is cut in languages whose words
            are not known here.

    Returns:
        One to `MAX_PARTS` questions; a later one may refer to the first.
    """
    pieces = _pieces(question, _BETWEEN)
    if _are_some(pieces) and (_are_chinese(pieces) if HAN.search(question) else _are_english(pieces)):
        return tuple(map(_as_question, pieces))
    is_known = _ASKS_IN_ENGLISH.search(question) or _ASKS_IN_CHINESE.search(question)
    return _split_by_signs(question) if surely_several and not is_known else (question,)


def _split_by_signs(question: str) -> tuple[str, ...]:
    """Cuts at the strongest signs that leave something to be asked on both sides."""
    cuts = (_pieces(question, signs) for signs in _SIGNS)
    return next((tuple(map(_as_question, pieces)) for pieces in cuts if _are_some(pieces)), (question,))


def _are_some(pieces: list[str]) -> bool:
    return 1 < len(pieces) <= MAX_PARTS and all(map(content_terms, pieces))


def _pieces(question: str, between: re.Pattern[str]) -> list[str]:
    return [piece for piece in _cut(question, between) if piece]


def _cut(question: str, between: re.Pattern[str]) -> Iterator[str]:
    start = 0
    for cut in between.finditer(without_quoted(question)):
        yield question[start : cut.start()].strip()
        start = cut.end()
    yield question[start:].strip()


def _are_english(pieces: list[str]) -> bool:
    """Whether each piece is a question of its own."""
    bare = [without_quoted(piece).rstrip("?. ") for piece in pieces]
    if any(map(_is_unfinished, bare[:-1])):
        return False
    is_embedding = False
    for place, piece in enumerate(bare):
        beginning = _BEGINNING.search(piece)
        if not beginning:
            return False
        follows = place and not pieces[place - 1].endswith("?")
        if follows and not (_SURELY_DIRECT if is_embedding else _DIRECT).search(piece):
            return False
        is_embedding = is_embedding or bool(_EMBEDDED.search(piece, beginning.end()))
    return True


def _is_unfinished(piece: str) -> bool:
    if _UNFINISHED_UNLESS_DIRECT.search(piece):
        return not _SURELY_DIRECT.search(piece)
    return bool(_UNFINISHED.search(piece))


def _are_chinese(pieces: list[str]) -> bool:
    bare = [without_quoted(piece).rstrip("?？.。 ") for piece in pieces]
    return (
        all(_ASKS_IN_CHINESE.search(piece) and not _COURTESY.search(piece) for piece in bare)
        and not any(_HANGS_ON_THE_NEXT.search(piece) for piece in bare[:-1])
        and not any(_HANGS_ON_THE_ONE_BEFORE.search(piece) for piece in bare[1:])
    )


def without_quoted(text: str) -> str:
    """The text of the same length, with nothing to read in its quotations."""
    return _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)


def _as_question(piece: str) -> str:
    piece = piece.strip().rstrip("?？.。 ")
    mark = "？" if any(map(is_cjk, piece)) else "?"
    return f"{piece[0].upper()}{piece[1:]}{mark}"
