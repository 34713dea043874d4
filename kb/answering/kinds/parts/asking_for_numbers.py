"""How a model is asked to copy the numbers or the dates that a calculation needs. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from kb.answering.prompts.prompt import build_prompt
from kb.text.amounts import amounts_in, days_in
from kb.text.languages import asked_in
from kb.values.answers import Operation
from kb.values.documents import DocumentInfo
from kb.values.passages import Passage

Copying = Literal["numbers", "dates"]

REPLY_TOKENS = 120

_PROMPTS: dict[Copying, dict[str, str]] = {
    "numbers": {
        "en": "{sources}\n\nQuestion: {question}\nCopy the numbers that are needed to answer this from the sources, one"
        " on each line: name: number unit. Copy each number and unit exactly, and do not calculate.",
        "zh": "{sources}\n\n问题：{question}\n请从资料中抄出回答这个问题所需的数字，每行一个，格式为“名称：数字 单位”。"
        "数字和单位必须照抄原文，不要计算。",
    },
    "dates": {
        "en": "{sources}\n\nQuestion: {question}\nCopy the dates that are needed to answer this from the sources, one"
        " on each line: name: date. Copy each date exactly, and do not calculate.",
        "zh": "{sources}\n\n问题：{question}\n请从资料中抄出回答这个问题所需的日期，每行一个，格式为“名称：日期”。"
        "日期必须照抄原文，不要计算。",
    },
}
_EXAMPLES: dict[Copying, dict[str, tuple[tuple[str, str, str], ...]]] = {
    "numbers": {
        "en": (
            (
                'Sources:\n\n<source title="Shop">\nThe red lamp costs 12.50 € and weighs 2 kg. The blue lamp is 9 €'
                " and the green one 11 €.\n</source>",
                "How much do the red lamp and the blue lamp cost together?",
                "red lamp: 12.50 €\nblue lamp: 9 €",
            ),
            (
                'Sources:\n\n<source title="Boats">\nBoat Length Mast Crew\n'
                "Heron 9 m 12 m 4\nTern 7 m 10 m 2\n</source>",
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
    },
    "dates": {
        "en": (
            (
                'Sources:\n\n<source title="Log of the Heron">\nThe Heron was launched on 3 May 2021 and first went to'
                " Arne on 12 June 2021. Her mast was new then.\n</source>",
                "How many days after her launch did the Heron first go to Arne?",
                "launch: 3 May 2021\nfirst went to Arne: 12 June 2021",
            ),
        ),
        "zh": (
            (
                '资料：\n\n<source title="苍鹭号">\n苍鹭号2021年5月3日下水，'
                "2021年6月12日第一次开往北港，桅杆是新的。\n</source>",
                "苍鹭号下水后过了多少天才第一次开往北港？",
                "下水：2021年5月3日\n第一次开往北港：2021年6月12日",
            ),
        ),
    },
}


def what_to_copy(operation: Operation) -> Copying:
    """What a calculation is made with."""
    return "dates" if operation == "days" else "numbers"


def asking_for_numbers(
    question: str,
    passages: Sequence[Passage],
    count_tokens: Callable[[str], int],
    budget_tokens: int,
    copying: Copying = "numbers",
) -> str:
    """Asks a model for the numbers that a question needs; only the parts of passages that have any are shown."""
    sources = build_prompt(question, with_numbers(passages), (), count_tokens, budget_tokens).sources
    return _PROMPTS[copying][asked_in(question)].format(sources=sources, question=question)


def with_dates(passages: Sequence[Passage], document_of: Callable[[Passage], DocumentInfo | None]) -> list[Passage]:
    """Passages whose names say of which day their documents are."""
    dates = [document.date if (document := document_of(each)) else None for each in passages]
    return [
        replace(each, title=f"{each.name}, {date}") if date else each
        for each, date in zip(passages, dates, strict=True)
    ]


def examples_in(question: str, copying: Copying = "numbers") -> list[tuple[str, str]]:
    """How such prompts are replied to, in the language of a question."""
    spoken = asked_in(question)
    prompt = _PROMPTS[copying][spoken]
    return [
        (prompt.format(sources=sources, question=asked), reply) for sources, asked, reply in _EXAMPLES[copying][spoken]
    ]


def with_numbers(passages: Sequence[Passage]) -> list[Passage]:
    """Passages with only those of their parts that have a number; whole ones where their names have a day."""
    kept = [
        (passage, tuple(part for part in passage.parts if named or amounts_in(_text(passage, part.start, part.end))))
        for passage in passages
        for named in [bool(days_in(passage.name))]
    ]
    return [replace(passage, parts=parts) for passage, parts in kept if parts]


def _text(passage: Passage, start: int, end: int) -> str:
    return passage.text[start - passage.start : end - passage.start]
