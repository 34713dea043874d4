import numpy as np
import pytest

from kb.errors import (
    InvalidRequest,
    RequestTooLarge,
)
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import AnswerDelta, AskOptions, Done, PassagesFound, Thinking
from kb.values.chat import Message, Turn
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.knowledge_base.knowledge_base_harness import BREAD, DOME, add, file_named


def test_question_gets_a_cited_answer(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "dome.md", DOME)
    answer = knowledge_base.ask("When does the second dome open?")
    assert answer.answer == "It opens at nine in the evening."
    assert (answer.answerable, answer.finish_reason, answer.model) == (True, "stop", "fake")
    (citation,) = answer.citations
    assert citation.verdict == "not_shown", "nobody judges here"
    assert citation.quote == knowledge_base.text(document_id, citation.start, citation.end) == DOME


def test_stream_ends_with_the_answer_that_ask_gives(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "dome.md", DOME)
    events = list(knowledge_base.ask_stream("When does the second dome open?"))
    assert isinstance(events[0], PassagesFound)
    assert isinstance(events[-1], Done)
    assert events[-1].answer.answer == knowledge_base.ask("When does the second dome open?").answer


def test_kind_that_is_named_is_taken(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "dome.md", DOME)
    assert (
        knowledge_base.ask("When does the second dome open?", options=AskOptions(kind="inventory")).kind == "inventory"
    )
    assert knowledge_base.ask("Which files mention the dome?", options=AskOptions(kind="lookup")).kind == "lookup"


@pytest.mark.parametrize("question", ["", "  \n ", "\u3000"])
def test_empty_question_is_refused(knowledge_base: KnowledgeBase, question: str) -> None:
    for work in (knowledge_base.ask, knowledge_base.ask_stream, knowledge_base.search):
        with pytest.raises(InvalidRequest, match="empty"):
            work(question)


def test_question_that_is_too_long_is_refused_with_its_length_and_the_limit(knowledge_base: KnowledgeBase) -> None:
    limit = knowledge_base.settings.max_question_chars
    for work in (knowledge_base.ask, knowledge_base.ask_stream, knowledge_base.search):
        with pytest.raises(RequestTooLarge, match=f"{limit + 1:,}.*{limit:,}"):
            work("x" * (limit + 1))
    knowledge_base.search("x" * limit)


def test_question_without_documents_is_not_answered(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    answer = knowledge_base.ask("When does the second dome open?")
    assert (answer.answerable, answer.finish_reason, answer.passages) == (False, "no_evidence", ())
    assert model.asked == []


@pytest.mark.parametrize(("thinking", "reasoning_tokens"), [("off", 0), ("short", 11), ("full", 22), (None, 22)])
def test_thinking_is_a_budget(settings: Settings, thinking: Thinking | None, reasoning_tokens: int) -> None:
    budgets = {"thinking": "full", "reasoning_short_tokens": 11, "reasoning_full_tokens": 22, "answer_tokens": 33}
    model = FakeLanguageModel(reasoning="Let us see.")
    with open_fake_knowledge_base(settings.model_copy(update=budgets), model=model) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        knowledge_base.ask("When does it open?", options=AskOptions(thinking=thinking))
    (options,) = model.options
    assert (options.reasoning_tokens, options.answer_tokens) == (reasoning_tokens, 33)


def test_follow_up_question_is_looked_for_together_with_the_one_before(knowledge_base: KnowledgeBase) -> None:
    add(knowledge_base, "dome.md", DOME)
    for number in range(30):
        add(knowledge_base, f"{number}.md", f"And it is wall number {number}, and it is old.")
    question, before = "And who built it?", Turn("When does the second dome open?", "At nine.")
    assert DOME not in [passage.text for passage in knowledge_base.ask(question).passages]
    assert DOME in [passage.text for passage in knowledge_base.ask(question, [before]).passages]


def test_number_of_passages_can_be_chosen(knowledge_base: KnowledgeBase) -> None:
    for number in range(9):
        add(knowledge_base, f"{number}.md", f"Wall number {number} is old.")
    assert len(knowledge_base.search("old wall")) == knowledge_base.settings.top_k
    assert len(knowledge_base.search("old wall", 2)) == 2
    (found, *_) = knowledge_base.ask_stream("old wall?", options=AskOptions(top_k=3, kind="lookup"))
    assert isinstance(found, PassagesFound)
    assert len(found.passages) == 3


def test_closing_the_stream_stops_the_model(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    add(knowledge_base, "dome.md", DOME)
    events = knowledge_base.ask_stream("When does the second dome open?")
    next(event for event in events if isinstance(event, AnswerDelta))
    events.close()
    assert model.finished == ["cancelled"]


def test_state_of_the_index_comes_with_the_answer(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.note_pending(3)
    knowledge_base.record_failure(file_named("broken.pdf"), "encrypted", "")
    knowledge_base.note_sync()
    index = knowledge_base.ask("When?").index
    assert (index.pending, index.failed) == (3, 1)
    assert index.last_sync
    assert index.last_sync is not None


def test_longest_answer_can_be_chosen_up_to_that_of_the_settings(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    add(knowledge_base, "dome.md", DOME)
    for wanted in (3, 100_000, None):
        list(knowledge_base.ask_stream("When does the dome open?", options=AskOptions(answer_tokens=wanted)))
    most = knowledge_base.settings.answer_tokens
    assert [options.answer_tokens for options in model.options] == [3, most, most]


def test_model_can_be_talked_to_without_documents(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    add(knowledge_base, "dome.md", DOME)
    *_, done = knowledge_base.talk([Message("user", "When does the dome open?")], "off", 5)
    assert isinstance(done, Done)
    assert (done.answer.reasoning, done.answer.citations, done.answer.passages) == ("", (), ())
    assert [message.content for message in model.asked[0]] == ["When does the dome open?"]
    with pytest.raises(RequestTooLarge):
        knowledge_base.talk([Message("user", "x" * 500_000)])


def test_texts_are_embedded_as_passages_or_as_questions(knowledge_base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    vectors = knowledge_base.embed([DOME, BREAD])
    assert vectors.shape == (2, embedder.dimension)
    assert embedder.embedded == [DOME, BREAD]
    assert np.allclose(knowledge_base.embed([DOME, BREAD], as_queries=True), vectors)
    assert embedder.embedded == [DOME, BREAD]


def test_question_about_documents_is_answered_from_the_catalog_without_the_model(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    add(knowledge_base, "dome.md", DOME)
    add(knowledge_base, "bread.md", BREAD)
    answer = knowledge_base.ask("Which files mention the dome?")
    assert (answer.kind, answer.answerable, answer.finish_reason) == ("inventory", True, "stop")
    assert [document.file.source for document in answer.documents] == ["dome.md"]
    assert {passage.source for passage in answer.passages} == {"dome.md"}
    assert "1 of 2 documents" in answer.answer
    assert model.asked == []


def test_question_about_documents_that_say_nothing_of_it_is_looked_up(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    add(knowledge_base, "dome.md", DOME)
    answer = knowledge_base.ask("Which files mention the zebra?")
    assert (answer.kind, answer.documents) == ("lookup", ())
    assert model.asked
