"""The numbers that a calculation needs: copied from passages by the model, and then held against them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from kb.answering.kinds.parts.calculation import Operand
from kb.answering.prompts.prompt import build_prompt
from kb.text.amounts import Amount, amounts_in
from kb.text.languages import asked_in, language
from kb.text.numerals import NUMERAL
from kb.text.quantities import MEASURES
from kb.text.scripts import in_one_writing, is_cjk
from kb.text.terms import content_terms
from kb.values.passages import Passage

MOST_OPERANDS = 12
REPLY_TOKENS = 120

_PROMPT = {
    "en": "{sources}\n\nQuestion: {question}\nCopy the numbers that are needed to answer this from the sources, one on"
    " each line: name: number unit. Copy each number and unit exactly, and do not calculate.",
    "zh": "{sources}\n\n问题：{question}\n请从资料中抄出回答这个问题所需的数字，每行一个，格式为“名称：数字 单位”。"
    "数字和单位必须照抄原文，不要计算。",
}
_EXAMPLES = {
    "en": (
        (
            'Sources:\n\n<source title="Shop">\nThe red lamp costs 12.50 € and weighs 2 kg. The blue lamp is 9 € and'
            " the green one 11 €.\n</source>",
            "How much do the red lamp and the blue lamp cost together?",
            "red lamp: 12.50 €\nblue lamp: 9 €",
        ),
        (
            'Sources:\n\n<source title="Boats">\nBoat Length Mast Crew\nHeron 9 m 12 m 4\nTern 7 m 10 m 2\n</source>',
            "Which boat is longer, the Heron or the Tern?",
            "Heron: 9 m\nTern: 7 m",
        ),
    ),
    "zh": (
        (
            '资料：\n\n<source title="商店">\n红灯每盏12.5元，重2公斤。蓝灯9元，绿灯11元。\n</source>',
            "红灯和蓝灯一共多少钱？",
            "红灯：12.5 元\n蓝灯：9 元",
        ),
        (
            '资料：\n\n<source title="报表">\n项目 2020年（万元） 2021年（万元）\n'
            "收入 35.2 41.7\n支出 30.1 33.4\n</source>",
            "2021年的收入比2020年多多少万元？",
            "2021年收入：41.7 万元\n2020年收入：35.2 万元",
        ),
    ),
}
_LINE = re.compile(
    r"^\s*(?:[-*•]\s*|\d{1,2}[.)]\s+)?(?P<name>[^\n]*\S)\s*[:：]\s*(?P<written>\S[^\n]*?)\s*[.。]?\s*$", re.MULTILINE
)
_FIGURE = re.compile(rf"\d[\d,]*(?:\.\d+)?|{NUMERAL}(?=[{MEASURES}万亿])|{NUMERAL}(?<=..)")
_IN_CHARACTERS = re.compile(rf"(?:{NUMERAL}[万亿]?)+")


@dataclass(frozen=True, slots=True)
class Copied:
    """A number that was copied, and is really there.

    Attributes:
        passage: That holds it.
    """

    operand: Operand
    passage: Passage


def asking_for_numbers(
    question: str, passages: Sequence[Passage], count_tokens: Callable[[str], int], budget_tokens: int
) -> str:
    """Asks a model for the numbers that a question needs; only the parts of passages that have any are shown."""
    sources = build_prompt(question, with_numbers(passages), (), count_tokens, budget_tokens).sources
    return _PROMPT[asked_in(question)].format(sources=sources, question=question)


def examples_in(question: str) -> list[tuple[str, str]]:
    """How such prompts are replied to, in the language of a question."""
    prompt, examples = _PROMPT[asked_in(question)], _EXAMPLES[asked_in(question)]
    return [(prompt.format(sources=sources, question=asked), reply) for sources, asked, reply in examples]


def with_numbers(passages: Sequence[Passage]) -> list[Passage]:
    """Passages with only those of their parts that have a number."""
    kept = [
        (passage, tuple(part for part in passage.parts if amounts_in(_text(passage, part.start, part.end))))
        for passage in passages
    ]
    return [replace(passage, parts=parts) for passage, parts in kept if parts]


def copied_numbers(reply: str, passages: Sequence[Passage]) -> list[Copied]:
    """The lines of a reply whose number a passage has; what was reckoned or made up is left out."""
    found: dict[tuple[str, Amount], Copied] = {}
    for line in _LINE.finditer(reply):
        copied = _copied(line["name"].strip(" *_`"), line["written"].strip(" *_`"), passages)
        if copied and _has_another(copied, found.values()):
            found.setdefault((copied.operand.name.casefold(), copied.operand.amount), copied)
    return list(found.values())[:MOST_OPERANDS]


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
    for other in amounts_in(passage.text):
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


def _text(passage: Passage, start: int, end: int) -> str:
    return passage.text[start - passage.start : end - passage.start]
