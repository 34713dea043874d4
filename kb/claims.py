"""What a quote must say, too, for a sentence to be borne out: its numbers, its names, and whether it says yes or no.

Pure, for Chinese and English. It judges surfaces, not meaning: it can miss a support that is worded otherwise, and is
meant to err on that side.
"""

import re

from kb.text import content_terms, numbers, search_terms

_CARDINALS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NUMBER_WORDS = {word: str(n) for words in (_CARDINALS, _ORDINALS) for n, word in enumerate(words, start=2)}
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE)

_DIGITS = {character: n for n, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MEASURES = "年月日号天周时点分秒度米里斤两元块人位名个只座台次遍篇章页层级岁票张块篓匾锅把条件间家项种倍成"
_NUMERAL = "[零〇一二两三四五六七八九十百千]+"
_CHINESE_NUMBER = re.compile(rf"(?<=第){_NUMERAL}|{_NUMERAL}(?=[{_MEASURES}]|小时|公里)")

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
    chinese = {str(_chinese_value(match)) for match in _CHINESE_NUMBER.findall(text) if match != "一"}
    return numbers(text) | words | chinese


def _chinese_value(numeral: str) -> int:
    total, digit = 0, 0
    for character in numeral:
        if character in _PLACES:
            total += max(digit, 1) * _PLACES[character]
            digit = 0
        else:
            digit = digit * 10 + _DIGITS[character]
    return total + digit


def _names(sentence: str) -> set[str]:
    """Terms of the capitalised words that do not begin a sentence."""
    return {term for name in _NAME.findall(sentence) for term in content_terms(name)}


def _nearest_clause(sentence: str, quote: str) -> str:
    terms = set(content_terms(sentence))
    return max(_CLAUSE.split(quote), key=lambda clause: len(terms.intersection(content_terms(clause))))


def _is_negated(text: str) -> bool:
    return bool(_NEGATION.search(text))
