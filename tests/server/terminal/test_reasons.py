import pytest

from kb.values.answers import Answer, FinishReason, IndexState, LeftOut, Timings
from server.http import schemas
from server.terminal.reasons import no_room, personal, reasons
from tests.kb.answering.kinds.lookup_harness import passage


def answer(
    text: str = "It opens at nine.",
    finish_reason: FinishReason = "stop",
    index: IndexState | None = None,
    *,
    found: bool = True,
    evidence: float = 0.9,
    model: str = "fake",
    unanswered: tuple[str, ...] = (),
    left_out: LeftOut | None = None,
) -> schemas.Answer:
    passages = (passage(),) if found else ()
    is_answer = finish_reason != "no_evidence" and bool(text)
    return schemas.Answer.model_validate(
        Answer(
            *(text, "The guide says nine.", (), passages, is_answer, model, finish_reason),
            *(Timings(), index or IndexState(), evidence, unanswered, left_out or LeftOut()),
        )
    )


def test_refusal_is_explained_by_the_evidence_and_what_is_needed() -> None:
    refused = answer("No.", "no_evidence", evidence=0.4996, model="")
    said = " ".join(reasons(refused, 0.5))
    assert "was not asked" in said
    assert "0.49 of 1, and 0.5 is needed" in said, "what is too little never looks like enough"
    assert "0.49 of 1; see" in " ".join(reasons(refused)), "what is needed is not known"


def test_refusal_after_a_look_does_not_say_that_the_model_was_not_asked() -> None:
    said = " ".join(reasons(answer("No.", "no_evidence", evidence=0.2), 0.5))
    assert "The model was asked" in said
    assert "0.20" in said


def test_refusal_without_anything_found_tells_no_evidence() -> None:
    said = " ".join(reasons(answer("No.", "no_evidence", found=False, evidence=0.0, model=""), 0.5))
    assert "nothing was found at all" in said
    assert "0.00" not in said


def test_answer_as_it_should_be_needs_no_explanation() -> None:
    assert list(reasons(answer(), 0.5)) == []
    assert "length limit" in " ".join(reasons(answer(finish_reason="length")))
    assert "broken off" in " ".join(reasons(answer(finish_reason="cancelled")))
    assert "wrote nothing" in " ".join(reasons(answer("")))
    assert "a.md, b.md" in " ".join(reasons(answer(index=IndexState(stale=("a.md", "b.md")))))
    assert "Who paid?" in " ".join(reasons(answer(unanswered=("Who paid?",))))
    assert "3 earlier turns" in " ".join(reasons(answer(left_out=LeftOut(3))))
    assert "2 sentences" in " ".join(reasons(answer(left_out=LeftOut(instructions=2))))


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (LeftOut(), ""),
        (LeftOut(1), "The model did not see 1 earlier turn, for lack of room"),
        (LeftOut(passages=(4,)), "The model did not see passage 4, for lack of room"),
        (LeftOut(2, (3, 4)), "The model did not see 2 earlier turns and passages 3, 4, for lack of room"),
    ],
)
def test_what_the_model_did_not_see_is_said_in_one_sentence(left_out: LeftOut, said: str) -> None:
    assert no_room(schemas.LeftOut.model_validate(left_out)) == said


def test_personal_data_is_counted_by_kind() -> None:
    found = [schemas.PersonalData(kind=kind, start=0, end=1) for kind in ("phone", "id_number", "phone")]
    assert personal(found) == "It holds personal data: 2 × phone, 1 × id number"
    assert personal([]) == ""
