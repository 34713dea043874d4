from collections.abc import Sequence

import pytest

from kb.answering.drafting.verifying import MOST_STATEMENTS, checked_statements, passages_of
from kb.answering.engines.judges import Judges
from kb.errors import RequestTooLarge
from kb.values.answers import CheckedStatement
from kb.values.passages import Passage
from tests.fakes import CALIBRATION, FakeLanguageModel
from tests.kb.answering.kinds.lookup_harness import no_vectors

SOURCES = ["The second dome opens at nine in the evening. Bread is baked at six.", "第二个圆顶晚上九点打开。"]
TEXT = """# Report

The second dome opens at nine in the evening. In the evening one may enter the second dome.

- Bread is baked at seven.
- 第二个圆顶晚上九点打开。
"""


def checked(
    text: str,
    question: str = "",
    sources: Sequence[str] = SOURCES,
    margins: dict[str, float] | None = None,
) -> list[tuple[str, CheckedStatement]]:
    model = FakeLanguageModel(margins=margins or {})
    judge = Judges(lambda info: CALIBRATION).judge(model) if margins is not None else None
    events = checked_statements(text, question, lambda statement: passages_of(sources), judge, no_vectors)
    return [(text[each.start : each.end], each) for each in events if isinstance(each, CheckedStatement)]


def test_each_statement_of_a_text_gets_a_verdict_and_quotes() -> None:
    found = checked(TEXT, margins={"one may enter": 3.0, "at seven": -3.0})
    assert [(text, each.verdict) for text, each in found] == [
        ("The second dome opens at nine in the evening.", "supported"),
        ("In the evening one may enter the second dome.", "supported"),
        ("Bread is baked at seven.", "contradicted"),
        ("第二个圆顶晚上九点打开。", "supported"),
    ]
    assert [each.probability for _, each in found] == [
        None,
        pytest.approx(0.953, abs=1e-3),
        pytest.approx(0.047, abs=1e-3),
        None,
    ]
    first, second, third, fourth = ([(c.number, c.source, c.quote) for c in each.citations] for _, each in found)
    assert first == [(1, "1", "The second dome opens at nine in the evening.")]
    assert second[0] == first[0], "an equal quote keeps its number"
    assert third == [(2, "1", "Bread is baked at six.")]
    assert fourth == [(3, "2", "第二个圆顶晚上九点打开。")]


def test_where_nobody_judges_only_what_is_said_word_for_word_counts() -> None:
    assert [each.verdict for _, each in checked(TEXT)] == ["supported", "not_shown", "not_shown", "supported"]


def test_word_is_judged_with_the_question_that_it_answers() -> None:
    ((_, right),) = checked("Nine", "When does the second dome open?", margins={"Answer: Nine": 3.0})
    assert right.verdict == "supported"
    ((_, unjudged),) = checked("Nine", "When does the second dome open?")
    assert unjudged.verdict == "not_shown", "that it stands there does not make it the answer"


def test_without_any_passage_nothing_is_shown() -> None:
    assert [(each.verdict, each.citations) for _, each in checked("It is green.", sources=[])] == [("not_shown", ())]


def test_each_statement_is_looked_for_by_itself() -> None:
    asked: list[str] = []

    def find(statement: str) -> Sequence[Passage]:
        asked.append(statement)
        return passages_of(SOURCES)

    list(checked_statements("It opens at nine. It is green.", "", find, None, no_vectors))
    list(checked_statements("Nine", "When?", find, None, no_vectors))
    assert asked == ["It opens at nine.", "It is green.", "When? Nine"]


def test_endless_text_is_refused() -> None:
    with pytest.raises(RequestTooLarge, match="201 statements") as raised:
        checked("It is so. " * (MOST_STATEMENTS + 1))
    assert raised.value.hint
