"""A word or a name of a program → the terms it is found by: English stems, and the parts of a name.

Pure. Words come in one writing (`kb.text.scripts`). All writings of a name give the same first term:
`max_bytes`, `maxBytes`, `max-bytes`, `MaxBytes`.
"""

import re
from functools import lru_cache

from snowballstemmer import stemmer

from kb.text.numbers import number_terms
from kb.text.scripts import without_accents

_STEMMER = stemmer("english")
_POSSESSIVE = re.compile("['’][sS]$")
_APOSTROPHE = re.compile("['’]")
_FIGURES = re.compile(r"\d[\d.,:/-]*")
_COUNTED = re.compile(r"(\d+)(?:st|nd|rd|th|s)", re.IGNORECASE)  # 2nd, 1990s
_NUMBER = r"\d+(?:\.\d+)*"
_PART = re.compile(rf"{_NUMBER}|[A-Z]{{2,}}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_PART_BEYOND_ASCII = re.compile(rf"{_NUMBER}|[^\W\d_]+")
_MARKED = re.compile(  # begins with the mark, for which the engine looks quickly
    r"--(?<![\w-]--)[A-Za-z][\w-]*|@(?<!\w@)[A-Za-z]\w*|_(?<!\w_)_?[A-Za-z]\w*"
)
_MARK_BEHIND = re.compile(r"(?:\+\+(?<=\b[A-Za-z]\+\+)|#(?<=\b[A-Za-z]#))(?![A-Za-z_])")


@lru_cache(maxsize=65536)
def word_terms(word: str) -> tuple[str, ...]:
    """The terms of a run of letters and digits, with what may join them: `-`, `.`, `_`, `&`, an apostrophe.

    Returns:
        The whole, then its parts if it has several.
    """
    if _FIGURES.fullmatch(word):
        return number_terms(word)
    word = _APOSTROPHE.sub("", _POSSESSIVE.sub("", word))
    if counted := _COUNTED.fullmatch(word):
        return (counted[1],)
    parts = (_PART if word.isascii() else _PART_BEYOND_ASCII).findall(word)
    whole = _stem("".join(parts))
    if len(parts) == len("".join(parts)) or len(parts) == 1:  # U.S., R&D
        return (whole,)
    return (whole, *(term for part in parts for term in _part_terms(part)))


def marked_terms(text: str) -> list[str]:
    """Names whose marks belong to them, as they are written: `--flag`, `@property`, `__init__`, `C++`, `C#`."""
    names = _MARKED.findall(text)
    names += [text[match.start() - 1 : match.end()] for match in _MARK_BEHIND.finditer(text)]
    return [name.casefold() for name in names]


def _part_terms(part: str) -> tuple[str, ...]:
    return number_terms(part) if part[0].isdigit() else (_stem(part),)


def _stem(word: str) -> str:
    stem: str = _STEMMER.stemWord(word.casefold())
    return stem if stem.isascii() else without_accents(stem)
