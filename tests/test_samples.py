"""The whole way, on real parts: the sample folder, the real models, questions whose answers no model can know."""

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.values.answers import Answer

ROOT = Path(__file__).parents[1]
QUESTIONS = json.loads((ROOT / "tests/sample_questions.json").read_text("utf-8"))
SUFFIXES = {".md", ".pdf"}

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def knowledge_base(sample_knowledge_base: KnowledgeBase) -> KnowledgeBase:
    """The sample documents, when the answering model is there too."""
    sample_knowledge_base.models.wait_for_model()
    return sample_knowledge_base


@pytest.fixture(scope="module")
def answers(knowledge_base: KnowledgeBase, request: pytest.FixtureRequest) -> list[tuple[dict[str, Any], Answer]]:
    """Two questions of each language, or all with `--full`."""
    asked = QUESTIONS["answerable"]
    if not request.config.getoption("--full"):
        asked = [question for tongue in ("en", "zh") for question in asked if question["language"] == tongue][1::2]
    return [(question, knowledge_base.ask(question["question"])) for question in asked]


def test_every_sample_document_is_indexed(knowledge_base: KnowledgeBase) -> None:
    there = {path.name for path in (ROOT / "sample_docs").rglob("*") if path.suffix in SUFFIXES}
    assert {Path(document.file.source).name for document in knowledge_base.documents()} == there
    assert knowledge_base.failures() == []


def test_answers_hold_the_fact_and_cite_its_place(answers: list[tuple[dict[str, Any], Answer]]) -> None:
    wrong = [
        (question["question"], answer.answer, _cited(answer))
        for question, answer in answers
        if not _right(question, answer)
    ]
    assert {question["language"] for question, _ in answers} == {"en", "zh"}
    assert len(wrong) <= 1, wrong


def test_every_quote_stands_at_its_offsets(
    knowledge_base: KnowledgeBase, answers: list[tuple[dict[str, Any], Answer]]
) -> None:
    citations = [citation for _, answer in answers for citation in answer.citations]
    assert citations
    for citation in citations:
        assert knowledge_base.text(citation.document_id, citation.start, citation.end) == citation.quote


def test_passages_come_within_three_tenths_of_a_second(answers: list[tuple[dict[str, Any], Answer]]) -> None:
    assert statistics.median(answer.timings.retrieve_ms for _, answer in answers) < 300


def test_document_in_another_language_is_found_among_the_first_four(knowledge_base: KnowledgeBase) -> None:
    missed = [
        question["question"]
        for question in QUESTIONS["cross_language"]
        if question["source"]
        not in [passage.source for passage in knowledge_base.search(question["question"], top_k=4)]
    ]
    assert len(missed) <= 2, missed


def _right(question: dict[str, Any], answer: Answer) -> bool:
    first = answer.citations[0] if answer.citations else None
    return (
        any(fact.lower() in answer.answer.lower() for fact in question["contains"])
        and first is not None
        and first.source == question["source"]
        and question["page"] in (None, first.page)
        and (question["heading"] is None or first.heading.split(" › ")[-1] == question["heading"])
    )


def _cited(answer: Answer) -> str:
    return "; ".join(f"{c.source} p{c.page} {c.heading}" for c in answer.citations[:1]) or "nothing"
