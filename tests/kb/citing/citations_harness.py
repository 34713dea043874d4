"""Passages to cite, and the citations of a sentence."""

from collections.abc import Sequence

from kb.citing.citations import Alignment, Citer
from kb.values.answers import Citation
from kb.values.passages import Passage, PassagePart

DOME = (
    "The observatory stands on Mount Aurora. The second dome opens at nine in the evening."
    " It was built by Ilse Brandt in 1987 and cost 1,250 crowns. Visitors bring warm clothes."
)
BREAD = "Bread is baked from flour, water and salt. The oven must reach 230 degrees at nine in the morning."
CHINESE = "天文台位于极光山。第二个圆顶晚上九点打开。它由布兰特于1987年建造，耗资1250克朗。参观者要带厚衣服。"
QUESTION = "When does the second dome open?"


def passage(text: str, number: int = 1, start: int = 50, parts: Sequence[PassagePart] = ()) -> Passage:
    whole = (PassagePart(start, start + len(text), 3, ("Domes",)),)
    return Passage(
        number,
        f"d{number}",
        f"Title {number}",
        f"{number}.md",
        text,
        start,
        start + len(text),
        tuple(parts) or whole,
        1.0,
    )


def align(statement: str, *passages: Passage, question: str = QUESTION) -> Alignment:
    """Where a statement is held against."""
    alignment = Citer(question, passages).align(statement)
    assert alignment is not None
    return alignment


def quotes(statement: str, *passages: Passage, question: str = QUESTION) -> list[str]:
    """What it is held against, the best first."""
    return [quote.analysed_text.text for quote in align(statement, *passages, question=question).quotes]


def cite_all(statement: str, *passages: Passage, question: str = QUESTION) -> tuple[Citation, ...]:
    """Its citations, were it borne out."""
    citer = Citer(question, passages)
    alignment = citer.align(statement)
    return citer.citations(alignment, (0, len(statement)), "supported") if alignment else ()


HARBOUR = "The harbour master is Anna Meier. Ships of 4.5 million tons a year pass the eastern lock. It rains."
LOCK = "The eastern lock was opened in 1934. Its gates weigh 120 tons each. Tourists like to watch."
