"""Text → the terms by which it is found, and those of them that carry meaning. Pure."""

import re
from operator import add

from kb.text import numbers as figures
from kb.text.scripts import CJK, in_one_writing
from kb.text.sentences import join_broken_lines
from kb.text.words import marked_terms, word_terms

_JOINER = r"[-.&]|_+|(?<=\d)[,:/](?=\d)|(?<=[^\W\d_])['’](?=[^\W\d_])"
_TERM = re.compile(rf"(?P<cjk>[{CJK}]+)|(?P<word>[^\W_{CJK}]+(?:(?:{_JOINER})[^\W_{CJK}]+)*)")
_STOP_TERMS = (
    "a about all also an and any are as at be been but by can could did do doe does for from had has have he her"
    " his how i if in into is it its may more most no not of on onli or other our she should so some such than that"
    " the their them then there these they this those to was we were what when where which while who whi will with"
    " would you your"
)
_STOP_WORDS = frozenset(_STOP_TERMS.split())
_STOP_CHARACTERS = frozenset("的了是在及或被把这那哪此之吗呢吧么什谁")  # function words wherever they stand
_STOP_BIGRAM_CHARACTERS = _STOP_CHARACTERS | frozenset(  # elsewhere they are part of names: 成都, 华为, 和平
    "和与为将从到对于由以也都就而且但若则其个多少几何请问"
)


def search_terms(text: str) -> list[str]:
    """Cuts text into the terms by which it is found.

    The same thing gives the same terms however it is written: case, accents, full-width forms, traditional and
    simplified Chinese are folded. Words give their English stem (Porter2); names such as `snake_case`, `camelCase`,
    `os.path` or `up-to-date` themselves and their parts; numbers and dates what `kb.text.numbers` says; runs of
    Chinese, Japanese or Korean their bigrams. A line break inside such a run, or after a hyphen inside a word, is
    passed over.

    Returns:
        Terms as they stand there, as often as they stand there, without white space or quotation marks; then those of
        dates, shares and marked names (`--flag`, `C++`) that several of them make together.
    """
    return _terms(_folded(text))


def index_terms(text: str) -> list[str]:
    """What is stored of a text so that `search_terms` of a question find it.

    A question may be one Chinese character; it is looked for at the beginning of terms. So the last character of each
    run, which no bigram begins with, is a term of its own here.
    """
    return _terms(_folded(text), last_of_run=True)


def content_terms(text: str) -> list[str]:
    """The terms of `search_terms` that carry meaning: no stop words, no bigrams of function characters."""
    return [term for term in search_terms(text) if not _is_stop_term(term)]


def numbers(text: str) -> set[str]:
    """The numbers, dates and times in a text, in one writing. See `kb.text.numbers.numbers`."""
    return figures.numbers(_folded(text))


def _is_stop_term(term: str) -> bool:
    return term in _STOP_WORDS or not _STOP_CHARACTERS.isdisjoint(term) or _STOP_BIGRAM_CHARACTERS.issuperset(term)


def _folded(text: str) -> str:
    return join_broken_lines(in_one_writing(text))


def _terms(text: str, last_of_run: bool = False) -> list[str]:
    terms: list[str] = []
    for match in _TERM.finditer(text):
        if run := match["cjk"]:
            terms.extend(map(add, run, run[1:]))
            if last_of_run or len(run) == 1:
                terms.append(run[-1])
        else:
            terms.extend(word_terms(match["word"]))
    terms.extend(figures.worded_terms(text))
    terms.extend(marked_terms(text))
    return terms
