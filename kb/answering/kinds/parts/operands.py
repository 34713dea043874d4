"""The numbers that a calculation needs: copied from passages by the model, and then held against them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kb.answering.kinds.parts.calculation import Operand
from kb.text.amounts import Amount, amounts_in, days_in
from kb.text.languages import language
from kb.text.numerals import NUMERAL
from kb.text.quantities import MEASURES
from kb.text.scripts import in_one_writing, is_cjk
from kb.text.sentences import is_whole_sentence, join_broken_lines, sentence_spans
from kb.text.terms import content_terms
from kb.values.passages import Passage

MOST_OPERANDS = 12

_MOST_QUOTED = 300
"""A sentence of more characters, such as a table, is not shown in the place of a name."""

_LINE = re.compile(
    r"^[ \t]*(?:[-*•][ \t]*|\d{1,2}[.)][ \t]+)?(?:(?P<name>[^\n]*\S)[ \t]*[:：][ \t]*)?"
    r"(?P<written>\S[^\n]*?)[ \t]*[.。]?[ \t]*$",
    re.MULTILINE,
)
_RESULT = re.compile(r"\s*[=＝≈≅].*")
_BETWEEN = re.compile(r"[+＋*×÷/;；、><]|\s[-−–x]\s|(?<!\d)[,，]|[,，](?!\d)|\b(?:and|und|et|y)\b|[和与]")
_YEAR = re.compile(r"(?<![\d.,])(?:1\d|20)\d\d(?![\d.,]\d|\d)\s?年?")
_FIGURE = re.compile(rf"\d[\d,]*(?:\.\d+)?|{NUMERAL}(?=[{MEASURES}万亿])|{NUMERAL}(?<=..)")
_NUMBER = re.compile(rf"[$€£¥]?\s?\d[\d,]*(?:\.\d+)?(?:\s?(?:[%‰°℃µ€$£¥A-Za-z²³]+|[千万亿]*[{MEASURES}]))?")
_IN_CHARACTERS = re.compile(rf"(?:{NUMERAL}[万亿]?)+")


@dataclass(frozen=True, slots=True)
class Copied:
    """A number that was copied, and is really there.

    Attributes:
        passage: That holds it.
    """

    operand: Operand
    passage: Passage


def days_given(question: str) -> list[Operand]:
    """The days that a question names itself."""
    return [Operand(question, str(each.day), each, "{}", is_quoted=True) for each in days_in(question)]


def copied_numbers(reply: str, passages: Sequence[Passage], question: str = "") -> list[Copied]:
    """The numbers of a reply that a passage has; what was reckoned or made up is left out.

    Args:
        question: A number without a name is of what the sentence says that holds it, if that has words of the question.
    """
    found: dict[tuple[str, Amount], Copied] = {}
    for line in _LINE.finditer(reply):
        for copied in _copied_in(line, passages, question):
            if _has_another(copied, found.values()):
                found.setdefault((copied.operand.name.casefold(), copied.operand.amount), copied)
    return list(found.values())[:MOST_OPERANDS]


def _copied_in(line: re.Match[str], passages: Sequence[Passage], question: str) -> Iterator[Copied]:
    """What stands before a sign of equality is copied; what stands behind it is reckoned."""
    name, written = (line["name"] or "").strip(" *_`"), _RESULT.sub("", line["written"]).strip(" *_`")
    parts = [part for part in _BETWEEN.split(written) if amounts_in(part)]
    is_one = len(amounts_in(written)) == 1
    if name and (is_one or len({amount.value for part in parts for amount in amounts_in(part)}) == 1):
        yield from filter(None, [_copied(name, written if is_one else parts[-1].strip(), passages)])
        return
    for part in parts:
        numbers = list(_NUMBER.finditer(_YEAR.sub(_blank, part)))
        if len(numbers) == 1 and (unnamed := _unnamed(numbers[0][0].strip(), passages, question)):
            yield unnamed


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _unnamed(written: str, passages: Sequence[Passage], question: str) -> Copied | None:
    """A number with the sentence that holds it and shares most words with the question."""
    figure, asked = _FIGURE.search(written), set(content_terms(question))
    holding = [
        (len(asked.intersection(content_terms(sentence))), sentence, passage)
        for passage in passages
        for start, end in sentence_spans(passage.text)
        if figure and _has_figure(sentence := passage.text[start:end].strip(), figure[0]) and _says_of_what(sentence)
    ]
    shared, sentence, passage = max(holding, key=lambda each: each[0], default=(0, "", None))
    if not shared or passage is None or figure is None:
        return None
    own = written if written in sentence else figure[0]  # what follows it in a reply need not be its unit
    amounts = amounts_in(own)
    amount = _held(own, amounts[0], passage) if len(amounts) == 1 else None
    if amount is None:
        return None
    sentence = " ".join(join_broken_lines(sentence).split())
    operand = _operand(sentence if len(sentence) <= _MOST_QUOTED else "", own, amount)
    return Copied(replace(operand, is_quoted=bool(operand.name)), passage)


def _says_of_what(sentence: str) -> bool:
    """Whether a stretch of text says what its numbers are of: a whole sentence does, and a line with one number.

    Of a table, the row and the column say that.
    """
    return is_whole_sentence(sentence) or len(amounts_in(_YEAR.sub(_blank, sentence))) == 1


def _has_another(copied: Copied, before: Iterable[Copied]) -> bool:
    """Whether the passage has the number once more than it was copied: one place is not of two things."""
    value, text = copied.operand.amount.value, copied.passage.text
    figure = _FIGURE.search(copied.operand.written)
    places = sum(other.value == value for other in amounts_in(text))
    places = max(places, len(_places(text, figure[0])) if figure else 0, 1)
    return places > sum(each.passage is copied.passage and each.operand.amount.value == value for each in before)


def _copied(name: str, written: str, passages: Sequence[Passage]) -> Copied | None:
    amounts = amounts_in(written)
    if len(amounts) != 1:
        return None
    holding = [(passage, amount) for passage in passages if (amount := _held(written, amounts[0], passage))]
    if not holding:
        return None
    passage, amount = max(holding, key=lambda pair: _shared(name, pair[0]))
    if content_terms(name) and not _shared(name, passage) and language(name) == language(passage.text):
        return None  # a number of another thing
    return Copied(_operand(name, written, amount), passage)


def _held(written: str, amount: Amount, passage: Passage) -> Amount | None:
    """The amount, with its dimension as far as it is known, if a passage has it."""
    for other in [*amounts_in(passage.text), *days_in(passage.name)]:
        if other.value == amount.value and other.fits(amount):
            return amount if amount.dimension else other
    own = _FIGURE.search(written)
    is_there = own and _has_figure(passage.text, own[0]) and _rest(written) in in_one_writing(passage.text)
    return amount if is_there else None  # its unit stands in the head of the table


def _shared(name: str, passage: Passage) -> int:
    """How many terms of a name a passage has, with its own name and headings."""
    headings = {heading for part in passage.parts for heading in part.headings}
    held = in_one_writing("\n".join([passage.name, *headings, passage.text])).lower()
    terms = set(content_terms(held))
    return sum(term in terms or (is_cjk(term[0]) and term in held) for term in set(content_terms(name)))


def _operand(name: str, written: str, amount: Amount) -> Operand:
    for number in (_FIGURE, _IN_CHARACTERS):
        template, count = number.subn("{}", written.replace("{", "").replace("}", ""), count=1)
        ones = amounts_in(template.format(1)) if count and not _FIGURE.search(template) else []
        if len(ones) == 1 and amount.day is None and ones[0].dimension in ("", amount.dimension):
            return Operand(name, written, amount, template, ones[0].value)
    return Operand(name, written, amount, f"{{}} {amount.unit}".rstrip(), amount.scale)


def _has_figure(text: str, figure: str) -> bool:
    return bool(_places(text, figure))


def _places(text: str, figure: str) -> list[str]:
    return re.findall(rf"(?<![\d.,]){re.escape(figure)}(?![\d]|[.,]\d)", text)


def _rest(written: str) -> str:
    """What stands after the number."""
    return in_one_writing(_FIGURE.sub("", written, count=1)).strip()
