"""Passages to cite, and the citations of a sentence."""

from collections.abc import Sequence

from kb.citing.citations import Citer
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


def cite_all(sentence: str, *passages: Passage, question: str = QUESTION) -> tuple[Citation, ...]:
    return Citer(question, passages).cite(sentence, (0, len(sentence)))


def cite(sentence: str, *passages: Passage, question: str = QUESTION) -> Citation | None:
    """The first citation of a sentence."""
    return next(iter(cite_all(sentence, *passages, question=question)), None)


def supported(sentence: str, *passages: Passage, question: str = QUESTION) -> str:
    """The quote that supports a sentence."""
    citation = cite(sentence, *passages, question=question)
    assert citation is not None
    assert citation.verified
    return citation.quote


def is_verified(sentence: str, *passages: Passage, question: str = QUESTION) -> bool:
    citation = cite(sentence, *passages, question=question)
    return citation is not None and citation.verified


HARBOUR = "The harbour master is Anna Meier. Ships of 4.5 million tons a year pass the eastern lock. It rains."
LOCK = "The eastern lock was opened in 1934. Its gates weigh 120 tons each. Tourists like to watch."
