import pytest

from kb.answering.drafting.disagreement import other_value
from kb.values.answers import Answer, CitationFound
from kb.values.chat import Turn
from tests.fakes import FakeLanguageModel
from tests.kb.answering.kinds.lookup_harness import answer_of, ask, passage

QUESTION = "How deep does the copper cable lie?"
ANSWER = "The copper cable lies 0.7 m deep."
OLD, NEW = passage(ANSWER, 1), passage("The copper cable of the mast lies 0.9 m deep.", 2)
DAYS = {"d1": "2024-03-01", "d2": "2025-04-08"}
BEARS_OUT_BOTH = {"Statement: The copper cable lies 0.9": 3.0}
BEARS_OUT_SHORT = {
    "The mast?\nHow deep does the copper cable lie?\nAnswer: 0.9": 3.0,
    "The mast?\nHow deep does the copper cable lie?\nAnswer: 0.7": -3.0,
    "How deep?\nAnswer: 0.7": 3.0,
}
BEARS_OUT_ITS_OWN = {"0.9 m deep.\nStatement: The copper cable lies 0.7": -3.0, **BEARS_OUT_BOTH}


def answered(margins: dict[str, float], passages: tuple[object, ...] = (OLD, NEW)) -> tuple[Answer, list[object]]:
    model = FakeLanguageModel(ANSWER, margins={"the answer to this question": 3.0, **margins})
    events = list(ask(model, passages, QUESTION, is_calibrated=True, days=DAYS))  # type: ignore[arg-type]
    return answer_of(events), list(events)


def test_both_values_are_told_newest_first_and_both_are_cited() -> None:
    answer, events = answered(BEARS_OUT_ITS_OWN)
    head, first, second = answer.answer.removeprefix(ANSWER).strip().splitlines()
    assert head == "The documents state different values, newest first:"
    assert (first, second) == ("- 0.9 (guide.md, 2025-04-08)", "- 0.7 (guide.md, 2024-03-01)")
    assert [(each.value, each.document_id, each.day) for each in answer.disagreement] == [
        ("0.9", "d2", "2025-04-08"),
        ("0.7", "d1", "2024-03-01"),
    ]
    cited = {answer.answer[each.answer_start : each.answer_end]: each.document_id for each in answer.citations}
    assert cited[first.removeprefix("- ")] == "d2"
    assert cited[second.removeprefix("- ")] == "d1"
    assert {each.citation.document_id for each in events if isinstance(each, CitationFound)} == {"d1", "d2"}


@pytest.mark.parametrize("margins", [{}, {"Statement: The copper cable lies 0.9": -3.0}, BEARS_OUT_BOTH])
def test_where_the_judge_is_not_sure_of_both_nothing_is_said(margins: dict[str, float]) -> None:
    sure = {"0.9 m deep.\nStatement: The copper cable lies 0.7": 3.0}
    assert answered({**sure, **margins})[0].disagreement == ()


def test_follow_up_is_held_against_other_places_as_a_question_that_stands_alone() -> None:
    model = FakeLanguageModel("0.7 m", margins={"the answer to this question": 3.0, **BEARS_OUT_SHORT})
    history, queries = [Turn("What is the mast's copper cable?", "A strip.")], [f"The mast?\n{QUESTION}"]
    events = ask(model, (OLD, NEW), "How deep?", history, is_calibrated=True, days=DAYS, queries=queries)
    assert len(answer_of(list(events)).disagreement) == 2


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,  # it agrees
        "The copper cable of the mast lies 0.7 m deep, 86 m of it.",  # so does this
        "The copper cable lies 900 kg deep.",  # another dimension
        "The bakery opens at 9 in the morning.",  # about something else
        "The copper cable lies in the ground.",  # no value
        "The copper cable lies 0.5 m to 0.9 m deep.",  # two values
    ],
)
def test_what_agrees_or_is_about_something_else_is_no_other_value(text: str) -> None:
    assert other_value(ANSWER, QUESTION, passage(text)) is None


@pytest.mark.parametrize(
    ("statement", "text", "changed"),
    [
        (ANSWER, "The copper cable of the mast lies 0.9 m deep.", "The copper cable lies 0.9 m deep."),
        ("The ferry leaves on 3 May 2025.", "The ferry leaves on 5 May 2025.", "The ferry leaves on 5 may 2025."),
        ("客舍一共有 16 张床。", "客舍一共有 18 张床。", "客舍一共有 18 张床。"),
        ("The house has 16 beds.", "The house has 18 beds in 4 rooms.", "The house has 18 beds."),
    ],
)
def test_other_value_takes_the_place_of_the_first(statement: str, text: str, changed: str) -> None:
    found = other_value(statement, "", passage(text))
    assert found is not None
    assert found.statement.lower() == changed.lower()
