from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.answering.kinds.exhaustive.reading import MOST_READ
from kb.answering.kinds.exhaustive.scope import GROUP_TOKENS
from kb.knowledge_base import KnowledgeBase
from kb.settings import load
from kb.values.answers import Answer, AskOptions, Done, Step
from kb.values.filters import EVERYTHING, Filters
from tests.fakes import FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.answering.kinds.document.document_harness import add

PHONES = "List all phone numbers."


@pytest.fixture
def model() -> FakeLanguageModel:
    return FakeLanguageModel("- Jane Doe\n- Old Ferro\n- the winch\n- nobody", margins={"“The winch”": -1.0, "“": 2.0})


@pytest.fixture
def knowledge_base(tmp_path: Path, model: FakeLanguageModel) -> Iterator[KnowledgeBase]:
    settings = load({}, home=tmp_path / "home", models=tmp_path / "models", min_evidence=0.0)
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        add(knowledge_base, "People/jane.md", "Jane Doe", ("Contact", "Phone: 555-0134."))
        add(knowledge_base, "People/ferro.md", "Old Ferro", ("Contact", "Call 555-0199 after 20:00."))
        add(
            knowledge_base,
            "shop.md",
            "The shop",
            ("", "The winch of the dome was built by Jane Doe and Old Ferro. Shop: 555-0177."),
        )
        yield knowledge_base


def items_of(answer: Answer) -> list[str]:
    return list(dict.fromkeys(answer.answer[each.answer_start : each.answer_end] for each in answer.citations))


def ask(knowledge_base: KnowledgeBase, question: str, filters: Filters = EVERYTHING) -> Answer:
    events = knowledge_base.ask_stream(question, options=AskOptions(kind="exhaustive", filters=filters))
    return next(event.answer for event in events if isinstance(event, Done))


def test_items_with_a_form_are_taken_from_all_passages_without_a_model(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    answer = ask(knowledge_base, PHONES)
    assert items_of(answer) == ["555-0199", "555-0134", "555-0177"], "in the order of the paths"
    assert "| 555-0134 | Phone: 555-0134. | Jane Doe › Contact |" in answer.answer
    assert answer.answer.endswith("3 found. Read: 3 passages of 3 documents. Nothing was left out.")
    assert (answer.kind, answer.answerable, answer.finish_reason, model.asked) == ("exhaustive", True, "stop", [])
    for citation in answer.citations:
        text = knowledge_base.text(citation.document_id, citation.start, citation.end)
        assert text == citation.quote
        assert answer.answer[citation.answer_start : citation.answer_end] in text


def test_scope_is_the_filter_or_what_the_question_names(knowledge_base: KnowledgeBase) -> None:
    assert items_of(ask(knowledge_base, PHONES, Filters(folders=("shop.md",)))) == ["555-0177"]
    assert items_of(ask(knowledge_base, "List all phone numbers in the folder People.")) == ["555-0199", "555-0134"]
    assert items_of(ask(knowledge_base, "List all phone numbers of Jane Doe.")) == ["555-0134"]


def test_other_items_are_read_by_the_model_and_looked_at(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    events = list(
        knowledge_base.ask_stream("List every person who is mentioned.", options=AskOptions(kind="exhaustive"))
    )
    steps = [(event.doing, event.number, event.of) for event in events if isinstance(event, Step)]
    looked_at = [("passage", number, 3) for number in (1, 2, 3)]
    copied_from = looked_at
    assert steps == [*looked_at, *copied_from, ("compose", 1, 1)]
    answer = ask(knowledge_base, "List every person who is mentioned.")
    assert items_of(answer) == ["Jane Doe", "Old Ferro"], "the winch is none, and nobody stands there"
    assert "1 that look alike were judged not to be meant." in answer.answer


def test_what_was_not_read_is_told(knowledge_base: KnowledgeBase) -> None:
    long = [("", f"Person {n} walks. " + "x" * GROUP_TOKENS) for n in range(MOST_READ + 5)]
    add(knowledge_base, "long.md", "Long", *long)
    answer = ask(knowledge_base, "List every person who is mentioned.")
    assert "Left out:" in answer.answer
    assert "Nothing was left out" not in answer.answer


def test_where_nothing_is_found_that_is_said(knowledge_base: KnowledgeBase) -> None:
    answer = ask(knowledge_base, "List all e-mail addresses.")
    assert (answer.answerable, answer.finish_reason) == (True, "stop"), "that there is none is an answer"
    assert answer.answer == "None was found. Read: 3 passages of 3 documents. Nothing was left out."


def test_what_is_found_under_no_form_is_read_by_the_model(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    assert items_of(ask(knowledge_base, "List all e-mail addresses that the winch has.")) == ["Jane Doe", "Old Ferro"]
    assert model.asked


def test_where_no_document_passes_it_is_a_lookup(knowledge_base: KnowledgeBase) -> None:
    assert ask(knowledge_base, PHONES, Filters(folders=("nowhere",))).kind == "lookup"
