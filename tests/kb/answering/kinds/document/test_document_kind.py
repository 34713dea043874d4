from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kb.answering.kinds.document.sections import LEAST_TOKENS
from kb.knowledge_base import KnowledgeBase
from kb.settings import load
from kb.values.answers import AskOptions, Step
from kb.values.filters import Filters
from tests.fakes import FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.kb.answering.kinds.document.document_harness import LEASE, add

SUMMARISE = "Summarise the lease in three bullet points."
WHOLE = AskOptions(kind="document")


@pytest.fixture
def model() -> FakeLanguageModel:
    return FakeLanguageModel("Rent and notice are agreed.")


@pytest.fixture
def knowledge_base(tmp_path: Path, model: FakeLanguageModel) -> Iterator[KnowledgeBase]:
    settings = load({}, home=tmp_path / "home", models=tmp_path / "models", min_evidence=0.0)
    with open_fake_knowledge_base(settings, model=model) as knowledge_base:
        yield knowledge_base


def test_each_section_becomes_a_cited_sentence(knowledge_base: KnowledgeBase) -> None:
    document_id = add(knowledge_base, "lease.md", "The lease", *LEASE)
    answer = knowledge_base.ask(SUMMARISE, options=WHOLE)
    assert answer.answer.count("Rent and notice are agreed.") == 3
    assert answer.answer.endswith("Read: “The lease”, 3 sections.")
    assert (answer.kind, answer.finish_reason, answer.answerable) == ("document", "stop", True)
    assert {citation.heading for citation in answer.citations} == {f"The lease › {name}" for name, _ in LEASE}
    for citation in answer.citations:
        assert knowledge_base.text(document_id, citation.start, citation.end) == citation.quote
        assert answer.answer[citation.answer_start : citation.answer_end] == "Rent and notice are agreed."


def test_progress_is_told_and_nothing_is_read_twice(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    add(knowledge_base, "lease.md", "The lease", *LEASE)
    steps = [event for event in knowledge_base.ask_stream(SUMMARISE, options=WHOLE) if isinstance(event, Step)]
    assert [(step.doing, step.number, step.of, step.about) for step in steps] == [
        ("section", n, 3, name) for n, (name, _) in enumerate(LEASE, start=1)
    ]
    asked = len(model.asked)
    first, second = (knowledge_base.ask(SUMMARISE, options=WHOLE) for _ in range(2))
    assert (first.answer, first.citations) == (second.answer, second.citations)
    assert len(model.asked) == asked


def test_work_that_was_stopped_goes_on_where_it_was(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    add(knowledge_base, "lease.md", "The lease", *LEASE)
    with closing(knowledge_base.ask_stream(SUMMARISE, options=WHOLE)) as events:
        next(event for event in events if isinstance(event, Step) and event.number == 3)
    steps = [event for event in knowledge_base.ask_stream(SUMMARISE, options=WHOLE) if isinstance(event, Step)]
    assert [step.number for step in steps] == [3]


def test_document_that_has_changed_is_read_anew(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    add(knowledge_base, "lease.md", "The lease", *LEASE)
    knowledge_base.ask(SUMMARISE, options=WHOLE)
    asked = len(model.asked)
    add(knowledge_base, "lease.md", "The lease", *LEASE[:2], ("Notice", "No notice can be given."), modified_ns=2_000)
    knowledge_base.ask(SUMMARISE, options=WHOLE)
    assert len(model.asked) > asked


def test_sections_are_put_together_where_fewer_sentences_are_wanted(
    knowledge_base: KnowledgeBase, model: FakeLanguageModel
) -> None:
    long = [(f"Part {n}", f"Rule {n} says that rent and notice are agreed. " * 10) for n in range(6)]
    assert all(len(text) > LEAST_TOKENS for _, text in long)
    add(knowledge_base, "lease.md", "The lease", *long)
    answer = knowledge_base.ask("Summarise the lease in two bullet points.", options=WHOLE)
    assert answer.answer.count("Rent and notice are agreed.") == 2
    assert len(model.asked) == 6 + 2


def test_where_several_may_be_meant_it_asks_back(knowledge_base: KnowledgeBase, model: FakeLanguageModel) -> None:
    ids = [add(knowledge_base, f"{name}/lease.md", f"Lease of the {name}", *LEASE) for name in ("flat", "garage")]
    answer = knowledge_base.ask("Summarise the lease.", options=WHOLE)
    assert (answer.finish_reason, answer.answerable, answer.citations) == ("choices", False, ())
    assert {document.id for document in answer.documents} == set(ids)
    assert "Lease of the flat (flat/lease.md)" in answer.answer
    assert not model.asked
    with closing(
        knowledge_base.ask_stream(
            "Summarise the lease.", options=AskOptions(kind="document", filters=Filters(document_ids=(ids[0],)))
        )
    ) as events:
        assert any(isinstance(event, Step) for event in events)


def test_question_about_no_document_is_a_lookup(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.ask("Summarise the lease.", options=WHOLE).kind == "lookup"
