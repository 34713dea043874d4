from collections.abc import Sequence

import numpy as np
import pytest

from kb.answering.drafting.draft import Draft
from kb.citing.citations import Citer
from kb.ports import Vectors
from kb.values.answers import AnswerDelta, CitationFound
from kb.values.chat import Delta
from kb.values.passages import Passage, PassagePart

TEXT = "The second dome opens at nine in the evening."
QUESTION = "When does the second dome open?"


def no_vectors(texts: Sequence[str]) -> Vectors:
    return np.zeros((len(texts), 2), np.float32)


@pytest.fixture
def draft() -> Draft:
    part = PassagePart(0, len(TEXT), 1, (), 1.0)
    passage = Passage(1, "d1", "Guide", "guide.md", TEXT, 0, len(TEXT), (part,), 1.0, 0.9)
    return Draft(QUESTION, Citer(QUESTION, [passage], no_vectors))


def test_remark_stands_on_a_line_of_its_own_below_the_answer(draft: Draft) -> None:
    list(draft.add(Delta("answer", "At nine.")))
    list(draft.finish())
    assert list(draft.remark("No source for the rest.")) == [AnswerDelta("\n\nNo source for the rest.")]
    assert draft.answer == "At nine.\n\nNo source for the rest."


def test_remark_in_the_place_of_an_answer_begins_it(draft: Draft) -> None:
    assert list(draft.remark("No source.")) == [AnswerDelta("No source.")]
    assert draft.answer == "No source."


def test_remark_is_not_cited_even_if_it_says_what_a_source_says(draft: Draft) -> None:
    list(draft.add(Delta("answer", TEXT)))
    list(draft.finish())
    cited = draft.citations
    assert [citation.quote for citation in cited] == [TEXT]
    assert [type(event) for event in draft.remark(TEXT)] == [AnswerDelta]
    assert draft.citations == cited


@pytest.mark.parametrize("length", [1, 3, 7, 100])
def test_citation_comes_right_behind_what_it_supports(draft: Draft, length: int) -> None:
    answer = f"{TEXT} {TEXT}\n\n| when |\n|---|\n| {TEXT} |\nIt is green."
    pieces = [answer[start : start + length] for start in range(0, len(answer), length)]
    told = ""
    for event in [*(event for piece in pieces for event in draft.add(Delta("answer", piece))), *draft.finish()]:
        if isinstance(event, AnswerDelta):
            told += event.text
        elif isinstance(event, CitationFound):
            behind = told[event.citation.answer_end :]
            assert len(told) >= event.citation.answer_end
            assert not any(character.isalnum() for character in behind), behind
    assert told == draft.answer == answer
    assert len(draft.citations) == 4
