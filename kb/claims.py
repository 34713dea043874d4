"""What a quote must say, too, for a sentence to be borne out: its numbers, its names, and whether it says yes or no.

Pure, for Chinese and English. It judges surfaces, not meaning: it can miss a support that is worded otherwise, and is
meant to err on that side.
"""

import re

from kb.dates import without_worded_dates
from kb.numerals import NUMERAL, value
from kb.text import content_terms, numbers, search_terms

_CARDINALS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NUMBER_WORDS = {word: str(n) for words in (_CARDINALS, _ORDINALS) for n, word in enumerate(words, start=2)}
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE)

_MEASURES = (
    "年日号天周时点分秒度米里斤两元块人位名个只座台次遍篇章页层级岁票张块篓匾锅把条件间家项种倍成"  # 月: kb.dates
)
_CHINESE_NUMBER = re.compile(rf"(?<=第){NUMERAL}|(?!百分之){NUMERAL}(?=[{_MEASURES}]|小时|公里)")

_NAME = re.compile(r"(?<![.!?:。！？：“\"'\s])\s+([A-Z][\w-]+)")
_NEGATION = re.compile(r"\b(?:not|no|never|none|nor|neither|cannot|without)\b|n['’]t\b|[不没无未]", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;，；、]\s*")


def is_borne_out(sentence: str, quote: str, context: str, question: str) -> bool:
    """Whether nothing in a sentence speaks against its being what a quote says.

    Args:
        sentence: Of an answer.
        quote: Of a document in the same language.
        context: Title and headings of the quote, which may hold a year or a name that the quote leaves out.
        question: May hold names that the quote replaces by a pronoun.
    """
    return (
        quantities(sentence) <= quantities(f"{context}\n{quote}")
        and _names(sentence) <= set(search_terms(f"{question}\n{context}\n{quote}"))
        and _is_negated(sentence) == _is_negated(_nearest_clause(sentence, quote))
    )


def quantities(text: str) -> set[str]:
    """The numbers of a text, written in figures, English or Chinese words, all in figures."""
    words = {_NUMBER_WORDS[match.lower()] for match in _NUMBER_WORD.findall(text)}
    chinese = {value(match) for match in _CHINESE_NUMBER.findall(text) if match != "一"}
    return numbers(text) | words | chinese


def _names(sentence: str) -> set[str]:
    """Terms of the capitalised words that neither begin a sentence nor belong to a date."""
    names = _NAME.findall(without_worded_dates(sentence))
    return {term for name in names for term in content_terms(name.replace("-", " "))}


def _nearest_clause(sentence: str, quote: str) -> str:
    terms = set(content_terms(sentence))
    return max(_CLAUSE.split(quote), key=lambda clause: len(terms.intersection(content_terms(clause))))


def _is_negated(text: str) -> bool:
    return bool(_NEGATION.search(text))
