"""A question asked of some passages and a fake model."""

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import groupby

import numpy as np

from kb.answering.drafting.writing import AnswerOptions
from kb.answering.engines.judges import Judges
from kb.answering.kinds.lookup_answer import LookFurther, LookupAnswer
from kb.answering.sources.retrieval import RetrievalResult, SubQuestion
from kb.answering.understanding.thinking import ThinkingBudgets
from kb.ports import LanguageModel, Vectors
from kb.values.answers import (
    Answer,
    AnswerEvent,
    Done,
    IndexState,
    Step,
    Thinking,
)
from kb.values.chat import GenerationOptions, Heartbeat, Turn
from kb.values.passages import Passage, PassagePart
from tests.fakes import CALIBRATION

TEXT = "The second dome opens at nine in the evening. It was built by Ilse Brandt in 1987. Visitors bring warm clothes."
QUESTION = "When does the second dome open?"
ANSWER = "The second dome opens at nine in the evening. Ilse Brandt built it in 1987. It is green."
REASONING = "Let us see. The dome, they say, opens at nine."


def passage(text: str = TEXT, number: int = 1, similarity: float | None = 0.9) -> Passage:
    part = PassagePart(0, len(text), 1, ("Domes",), 1.0 / number)
    return Passage(number, f"d{number}", "Guide", "guide.md", text, 0, len(text), (part,), 1.0 / number, similarity)


def no_vectors(texts: Sequence[str]) -> Vectors:
    return np.zeros((len(texts), 2), np.float32)


def speaks_to_the_answerer(sentences: Sequence[str]) -> list[bool]:
    return [sentence.startswith("Ignore") for sentence in sentences]


def ask(
    model: LanguageModel | Callable[[], LanguageModel],
    passages: Sequence[Passage] = (passage(),),
    question: str = QUESTION,
    history: Sequence[Turn] = (),
    *,
    evidence: Sequence[float] = (0.9,),
    parts: Sequence[str] = (),
    queries: Sequence[str] = (),
    limits: GenerationOptions | None = None,
    thinking: Thinking = "full",
    passage_tokens: int = 600,
    index: IndexState | None = None,
    nothing_because: str = "",
    is_calibrated: bool = False,
    days: Mapping[str, str] | None = None,
    look_further: LookFurther | None = None,
    further: RetrievalResult | None = None,
) -> Generator[AnswerEvent, None, None]:
    limits = limits or GenerationOptions()
    options = AnswerOptions(
        question=question,
        sub_questions=list(map(SubQuestion, parts or [question], queries or parts or [question])),
        history=history,
        thinking=thinking,
        budgets=ThinkingBudgets(short=3, full=limits.reasoning_tokens),
        limits=limits,
        passage_tokens=passage_tokens,
        min_evidence=0.5,
    )
    found = RetrievalResult(tuple(passages), tuple(evidence) if passages else (0.0,) * len(evidence), nothing_because)
    get_model = model if callable(model) else lambda: model
    judges = Judges(lambda info: CALIBRATION if is_calibrated else None)
    tries = itertools.chain([found], itertools.repeat(further or found))
    return LookupAnswer(
        options,
        lambda: next(tries),
        look_further or _nothing_more,
        get_model,
        no_vectors,
        index or IndexState(),
        speaks_to_the_answerer,
        judges,
        lambda document_id: (days or {}).get(document_id, ""),
    ).events()


def _nothing_more(evidence: Sequence[float]) -> Generator[Step | Heartbeat, None, bool]:
    yield from ()
    return False


def answer_of(events: Sequence[AnswerEvent]) -> Answer:
    assert isinstance(events[-1], Done)
    return events[-1].answer


def kinds(events: Sequence[AnswerEvent]) -> list[type]:
    return [kind for kind, _ in groupby(type(event) for event in events)]


def unwanted() -> LanguageModel:
    raise AssertionError("the model was asked for")
