"""Sentences, search terms and numbers of Chinese and English text, for search and for citations alike.

Pure. Knows no document structure beyond lines; offsets are half-open and count characters of the text given.
"""

import re
from operator import add
from typing import Literal

from kb.language import figures
from kb.language.characters import CJK, HAN, in_one_writing
from kb.language.words import marked_terms, word_terms

Span = tuple[int, int]

_LETTER = re.compile(r"[^\W\d_]")
_ASKING: dict[Literal["zh", "en"], re.Pattern[str]] = {
    "zh": re.compile(r"什么|怎|哪|谁|多少|几|为何|如何|何时|是否|有没有|[吗呢]"),
    "en": re.compile(
        r"\b(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can)\b", re.IGNORECASE
    ),
}

_CLOSERS = "\"'”’」』）)】》〉]"
_BOUNDARY = re.compile(
    rf"(?P<cjk>[。！？；…]+[{re.escape(_CLOSERS)}]*)"
    rf"|(?P<latin>[.!?]+[{re.escape(_CLOSERS)}]*)(?=\s|$|[{CJK}])"
    r"|(?P<paragraph>\n[ \t]*\n\s*)"
    r"|(?P<line>\n)(?=[ \t]*(?:[-*+•][ \t]|\d{1,3}[.)、][ \t]?|\||\#{1,6}[ \t]|>))"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"'])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp?|cf|vs|approx|ca|al|e\.g|i\.e|etc"
    r"|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|U\.S|U\.K|a\.m|p\.m)\.$"
)
_LIST_NUMBER = re.compile(r"\s*(?:[-*+•>#]+[ \t]+)*\d{1,3}\.")

_JOINER = r"[-.&]|_+|(?<=\d)[,:/](?=\d)|(?<=[^\W\d_])['’](?=[^\W\d_])"
_TERM = re.compile(rf"(?P<cjk>[{CJK}]+)|(?P<word>[^\W_{CJK}]+(?:(?:{_JOINER})[^\W_{CJK}]+)*)")
_BROKEN_LINE = re.compile(rf"(?<=[{CJK}])[ \t]*\n[ \t]*(?=[{CJK}])|(?<=[a-z])-\n[ \t]*(?=[a-z])")
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


def sentence_spans(text: str) -> list[Span]:
    """Cuts text into sentences.

    A sentence ends at Chinese or Latin end punctuation (closing quotes included), at a blank line, or before a line
    that starts a list item, a table row, a heading or a quotation. Any other single line break does not end one.

    Returns:
        Spans in order, without the white space around them; together they hold everything else.
    """
    spans: list[Span] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if _is_inside_sentence(text, start, match):
            continue
        _append_trimmed(spans, text, start, match.end())
        start = match.end()
    _append_trimmed(spans, text, start, len(text))
    return spans


def search_terms(text: str) -> list[str]:
    """Cuts text into the terms by which it is found.

    The same thing gives the same terms however it is written: case, accents, full-width forms, traditional and
    simplified Chinese are folded. Words give their English stem (Porter2); names such as `snake_case`, `camelCase`,
    `os.path` or `up-to-date` themselves and their parts; numbers and dates what `kb.language.figures` says; runs of
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


def join_broken_lines(text: str) -> str:
    """Removes line breaks that stand inside a run of Chinese, Japanese or Korean, or after a hyphen inside a word."""
    return _BROKEN_LINE.sub("", text)


def numbers(text: str) -> set[str]:
    """The numbers, dates and times in a text, in one writing. See `kb.language.figures.numbers`."""
    return figures.numbers(_folded(text))


def language(text: str) -> Literal["zh", "en"]:
    """Says in which language to answer: `zh` where Han characters are at least a fifth of the letters."""
    letters = len(_LETTER.findall(text))
    return "zh" if letters and len(HAN.findall(text)) * 5 >= letters else "en"


def asked_in(question: str) -> Literal["zh", "en"]:
    """Says in which language a question is asked: by the words that ask, since it may be about things in the other."""
    asks = [language for language, words in _ASKING.items() if words.search(question)]
    return asks[0] if len(asks) == 1 else language(question)


def is_cjk(term: str) -> bool:
    """Whether a term starts with a Chinese, Japanese or Korean character."""
    return bool(re.match(f"[{CJK}]", term))


def _is_inside_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if not match["latin"] or match.end() == len(text):
        return False
    following = text[match.end() :].lstrip(" \t")[:1]
    if _LIST_NUMBER.fullmatch(text, max(start, text.rfind("\n", 0, match.end()) + 1), match.end()):
        return following != "\n"
    return following.islower() or bool(_ABBREVIATION.search(text, max(start, match.end() - 12), match.end()))


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    trimmed = piece.strip()
    if trimmed:
        left = start + len(piece) - len(piece.lstrip())
        spans.append((left, left + len(trimmed)))


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
