"""What the model is asked beside writing: whether the answer is there, and whether what it wrote is borne out."""

import pytest

from kb.values.answers import (
    AnswerDelta,
    CitationFound,
)
from tests.fakes import FakeLanguageModel
from tests.kb.answering.kinds.lookup_harness import ANSWER, QUESTION, answer_of, ask


@pytest.mark.parametrize(("margin", "is_answered"), [(3.0, True), (-3.0, False)])
def test_what_the_model_thinks_of_the_sources_is_evidence_too(margin: float, is_answered: bool) -> None:
    model = FakeLanguageModel(ANSWER, margins={QUESTION: margin})
    events = list(ask(model, evidence=[0.9], is_calibrated=True))
    answer = answer_of(events)
    assert (answer.answerable, answer.finish_reason) == (is_answered, "stop" if is_answered else "no_evidence")
    assert (answer.evidence >= 0.5) == is_answered
    assert (answer.answer == ANSWER) == is_answered
    assert model.finished == ["stop" if is_answered else "cancelled"], "nothing is generated in vain"


PARTS = ("When does the second dome open?", "What does it cost?")


def test_parts_without_a_source_are_named_and_the_model_is_asked_for_the_others() -> None:
    model = FakeLanguageModel(ANSWER, margins={PARTS[0]: 3.0, PARTS[1]: -3.0})
    events = list(ask(model, question=" ".join(PARTS), parts=PARTS, evidence=[0.9, 0.9], is_calibrated=True))
    answer = answer_of(events)
    assert (answer.unanswered, answer.answerable) == (PARTS[1:], True)
    assert answer.answer.startswith(ANSWER)
    assert PARTS[1] in answer.answer.removeprefix(ANSWER)
    assert answer.answer == "".join(event.text for event in events if isinstance(event, AnswerDelta))
    assert all(citation.answer_end <= len(ANSWER) for citation in answer.citations), "a remark is not cited"
    assert PARTS[1] not in model.asked[-1][-1].content
    assert model.finished == ["cancelled", "stop"], "what was begun with the whole question is broken off"


def test_parts_are_judged_by_the_search_alone_where_a_look_would_tell_nothing() -> None:
    model = FakeLanguageModel(ANSWER)
    answer = answer_of(list(ask(model, question=" ".join(PARTS), parts=PARTS, evidence=[0.9, 0.2])))
    assert (answer.unanswered, len(model.asked)) == (PARTS[1:], 1)
    second_alone = answer_of(list(ask(model, question=" ".join(PARTS), parts=PARTS, evidence=[0.2, 0.9])))
    assert second_alone.unanswered == PARTS[:1]
    assert PARTS[0] not in model.asked[-1][-1].content


def test_question_without_a_source_for_any_part_is_declined() -> None:
    model = FakeLanguageModel(ANSWER, margins=dict.fromkeys(PARTS, -3.0))
    answer = answer_of(list(ask(model, question=" ".join(PARTS), parts=PARTS, evidence=[0.9, 0.9], is_calibrated=True)))
    assert (answer.answerable, answer.unanswered, answer.finish_reason) == (False, (), "no_evidence")


def test_each_statement_is_judged_when_the_answer_is_out_and_its_citations_come_again() -> None:
    said = "The second dome opens at nine in the evening."
    model = FakeLanguageModel(
        f"{said} It was Brandt who built it. It is green.", margins={"Brandt who": 3.0, "green": -3.0}
    )
    events = list(ask(model, is_calibrated=True))
    cited = [event.citation for event in events if isinstance(event, CitationFound)]
    assert [(each.verdict, each.probability) for each in cited[:3]] == [
        ("supported", None),  # word for word: nobody need judge that
        ("not_shown", None),
        ("not_shown", None),
    ]
    assert [(each.verdict, each.verified, each.probability) for each in cited[3:]] == [
        ("supported", True, 0.953),
        ("not_shown", False, 0.047),
    ]
    assert answer_of(events).citations == (cited[0], *cited[3:])
    assert (answer_of(events).answerable, answer_of(events).draft) == (True, "")


@pytest.mark.parametrize(("question", "is_chinese"), [(QUESTION, False), ("第二个圆顶几点开门？", True)])
def test_answer_that_is_not_borne_out_is_a_draft_and_no_answer(question: str, is_chinese: bool) -> None:
    wrong = "The second dome opens at six in the morning. It was built by Ilse Brandt and Ole Meier."
    model = FakeLanguageModel(wrong, margins={"morning": -3.0, "Meier": -3.0})
    events = list(ask(model, question=question, is_calibrated=True))
    answer = answer_of(events)
    assert (answer.answerable, answer.finish_reason, answer.draft) == (False, "unsupported", wrong)
    assert ("文档" in answer.answer) == is_chinese
    assert answer.answer != wrong == "".join(event.text for event in events if isinstance(event, AnswerDelta))
    assert {citation.verdict for citation in answer.citations} == {"contradicted"}


def test_answer_of_which_one_statement_is_borne_out_is_one() -> None:
    model = FakeLanguageModel("It opens at night. It is green.", margins={"at night.": 3.0, "green": -3.0})
    assert answer_of(list(ask(model, is_calibrated=True))).answerable
