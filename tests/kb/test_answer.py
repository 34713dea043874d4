from collections.abc import Callable, Generator, Sequence
from itertools import groupby

import numpy as np
import pytest

from kb.answer import Request, answer_events
from kb.errors import ModelBusy, ModelMissing
from kb.generation import Generated, GenerationOptions, Message
from kb.ports import LanguageModel, Vectors
from kb.text import sentence_spans
from kb.types import (
    Answer,
    AnswerDelta,
    AnswerEvent,
    CitationFound,
    Done,
    Heartbeat,
    IndexState,
    Passage,
    PassagePart,
    PassagesFound,
    ReasoningDelta,
    Turn,
)
from tests.fakes import FakeLanguageModel

TEXT = "The second dome opens at nine in the evening. It was built by Ilse Brandt in 1987. Visitors bring warm clothes."
QUESTION = "When does the second dome open?"
ANSWER = "The second dome opens at nine in the evening. Ilse Brandt built it in 1987. It is green."
REASONING = "Let us see. The dome, they say, opens at nine."


def passage(text: str = TEXT, number: int = 1, similarity: float | None = 0.9) -> Passage:
    part = PassagePart(0, len(text), 1, ("Domes",), 1.0 / number)
    return Passage(number, f"d{number}", "Guide", "guide.md", text, 0, len(text), (part,), 1.0 / number, similarity)


def no_vectors(texts: Sequence[str]) -> Vectors:
    return np.zeros((len(texts), 2), np.float32)


def ask(
    model: LanguageModel | Callable[[], LanguageModel],
    passages: Sequence[Passage] = (passage(),),
    question: str = QUESTION,
    history: Sequence[Turn] = (),
    *,
    min_similarity: float = 0.0,
    options: GenerationOptions | None = None,
    passage_tokens: int = 600,
    index: IndexState | None = None,
) -> Generator[AnswerEvent, None, None]:
    request = Request(
        question=question,
        history=history,
        options=options or GenerationOptions(),
        passage_tokens=passage_tokens,
        min_similarity=min_similarity,
    )
    get_model = model if callable(model) else lambda: model
    return answer_events(request, lambda: tuple(passages), get_model, no_vectors, index or IndexState())


def answer_of(events: Sequence[AnswerEvent]) -> Answer:
    assert isinstance(events[-1], Done)
    return events[-1].answer


def kinds(events: Sequence[AnswerEvent]) -> list[type]:
    return [kind for kind, _ in groupby(type(event) for event in events)]


def unwanted() -> LanguageModel:
    raise AssertionError("the model was asked for")


def test_events_come_in_the_order_in_which_a_reader_needs_them() -> None:
    events = list(ask(FakeLanguageModel("It opens at nine.", REASONING)))
    assert kinds(events) == [PassagesFound, Heartbeat, ReasoningDelta, AnswerDelta, CitationFound, Done]


def test_answer_at_the_end_is_what_was_streamed() -> None:
    index = IndexState(pending=3, failed=1)
    events = list(ask(FakeLanguageModel(ANSWER, REASONING), index=index))
    answer = answer_of(events)
    assert answer.answer == ANSWER == "".join(event.text for event in events if isinstance(event, AnswerDelta))
    assert answer.reasoning == REASONING == "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert answer.citations == tuple(event.citation for event in events if isinstance(event, CitationFound))
    assert PassagesFound(answer.passages) == events[0]
    assert (answer.answerable, answer.model, answer.finish_reason, answer.index) == (True, "fake", "stop", index)


def test_passages_are_out_before_the_model_is_asked_for() -> None:
    events = ask(unwanted)
    assert next(events) == PassagesFound((passage(),))
    with pytest.raises(AssertionError, match="asked for"):
        next(events)


def test_citations_of_a_sentence_come_as_soon_as_it_has_ended() -> None:
    text = ""
    ends = [end for _, end in sentence_spans(ANSWER)]
    for event in ask(FakeLanguageModel(ANSWER)):
        if isinstance(event, AnswerDelta):
            text += event.text
        elif isinstance(event, CitationFound):
            end = event.citation.answer_end
            assert end in ends
            assert len(text) <= end + len(" sentence"), "at most a word later, which tells that it has ended"


def test_each_citation_names_its_stretch_of_the_answer() -> None:
    answer = answer_of(list(ask(FakeLanguageModel(ANSWER))))
    stretches = [answer.answer[citation.answer_start : citation.answer_end] for citation in answer.citations]
    sentences = [ANSWER[start:end] for start, end in sentence_spans(ANSWER)]
    assert stretches == [sentence for sentence in sentences if sentence in stretches]
    assert [stretch for stretch, citation in zip(stretches, answer.citations, strict=True) if citation.verified] == (
        sentences[:2]
    )
    assert all(TEXT[citation.start : citation.end] == citation.quote for citation in answer.citations)


def test_reasoning_never_reaches_answer_or_citations() -> None:
    reasoning = f"{TEXT} So the answer is nine. </think> <think> Ilse Brandt."
    events = list(ask(FakeLanguageModel("It opens at nine.", reasoning)))
    answer = answer_of(events)
    assert answer.answer == "It opens at nine."
    assert answer.reasoning == reasoning
    assert all(citation.answer_end <= len(answer.answer) for citation in answer.citations)


@pytest.mark.parametrize("passages", [[], [passage(similarity=0.5)]], ids=["no passages", "none near enough"])
@pytest.mark.parametrize(("question", "is_chinese"), [(QUESTION, False), ("圆顶几点打开？", True)])
def test_without_evidence_the_model_is_never_asked(passages: list[Passage], question: str, is_chinese: bool) -> None:
    events = list(ask(unwanted, passages, question, min_similarity=0.8))
    answer = answer_of(events)
    assert kinds(events) == [PassagesFound, AnswerDelta, Done]
    assert (answer.answerable, answer.finish_reason, answer.citations) == (False, "no_evidence", ())
    assert answer.passages == tuple(passages)
    assert ("文档" in answer.answer) == is_chinese
    assert answer.answer == "".join(event.text for event in events if isinstance(event, AnswerDelta))


def test_one_passage_that_is_near_enough_is_evidence() -> None:
    passages = [passage(similarity=0.5), passage(number=2, similarity=0.8)]
    assert answer_of(list(ask(FakeLanguageModel(), passages, min_similarity=0.8))).answerable


class KeepingModel(FakeLanguageModel):
    """Holds on to its streams, so that they end by being closed and not by being forgotten."""

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        self.kept = super().stream(messages, options)
        return self.kept


@pytest.mark.parametrize("after", [Heartbeat, ReasoningDelta, AnswerDelta])
def test_closing_the_events_stops_the_model(after: type) -> None:
    model = KeepingModel(ANSWER, REASONING)
    events = ask(model)
    next(event for event in events if isinstance(event, after))
    assert model.finished == []
    events.close()
    assert model.finished == ["cancelled"]


def test_closing_before_the_passages_costs_nothing() -> None:
    model = FakeLanguageModel()
    ask(model).close()
    assert model.asked == []


def test_error_of_the_model_reaches_the_reader_after_the_passages() -> None:
    events = ask(FakeLanguageModel(fails=ModelBusy("full")))
    assert isinstance(next(events), PassagesFound)
    with pytest.raises(ModelBusy):
        list(events)

    def missing() -> LanguageModel:
        raise ModelMissing("none")

    events = ask(missing)
    assert isinstance(next(events), PassagesFound)
    with pytest.raises(ModelMissing):
        next(events)


def test_answer_that_was_cut_off_says_so() -> None:
    answer = answer_of(list(ask(FakeLanguageModel(ANSWER), options=GenerationOptions(answer_tokens=4))))
    assert (answer.finish_reason, answer.answer) == ("length", "The second dome opens")


def test_budgets_reach_the_model() -> None:
    model = FakeLanguageModel(ANSWER, REASONING)
    options = GenerationOptions(reasoning_tokens=2, answer_tokens=9, seed=5)
    answer = answer_of(list(ask(model, options=options)))
    assert model.options == [options]
    assert answer.reasoning == "Let us"
    assert (answer.timings.reasoning_tokens, answer.timings.answer_tokens) == (2, 9)


def test_times_are_in_order_and_tokens_are_counted() -> None:
    timings = answer_of(list(ask(FakeLanguageModel(ANSWER, REASONING)))).timings
    assert timings.first_reasoning_ms is not None
    assert timings.first_answer_ms is not None
    assert 0 <= timings.retrieve_ms <= timings.prompt_ms <= timings.first_reasoning_ms
    assert timings.first_reasoning_ms <= timings.first_answer_ms <= timings.total_ms
    assert timings.prompt_tokens > len(TEXT.split())
    assert answer_of(list(ask(FakeLanguageModel(ANSWER)))).timings.first_reasoning_ms is None


def test_model_is_given_passages_history_and_question() -> None:
    model = FakeLanguageModel()
    list(ask(model, [passage(), passage("Another text.", 2)], history=[Turn("Who?", "Ilse.")]))
    (messages,) = model.asked
    everything = "\n".join(message.content for message in messages)
    for wanted in (TEXT, "Another text.", "Who?", "Ilse.", QUESTION):
        assert wanted in everything


@pytest.mark.parametrize("context_tokens", [700, 1000, 4096])
@pytest.mark.parametrize("reasoning", ["", REASONING])
def test_prompt_fits_into_the_context_window_whatever_is_asked(context_tokens: int, reasoning: str) -> None:
    model = FakeLanguageModel("Nine.", reasoning, context_tokens=context_tokens)
    passages = [passage("word " * 900, number) for number in range(1, 5)]
    history = [Turn("question " * 50, "answer " * 50)] * 20
    options = GenerationOptions(reasoning_tokens=200, answer_tokens=200)
    answer = answer_of(list(ask(model, passages, "why " * 60, history, options=options, passage_tokens=5000)))
    assert answer.answer == "Nine."
    assert answer.timings.prompt_tokens + (400 if reasoning else 200) <= context_tokens
    (messages,) = model.asked
    assert "word" in messages[-1].content
