import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.generation.reasoning import CLOSER, OPENER, Phase, ReasoningSplitter, ends_in_loop

PHASES: list[Phase] = ["reasoning", "answer"]

pieces = st.lists(st.sampled_from([OPENER, CLOSER, "<", "</", "think", ">", "<th", "ink>", " ", "\n", "a", "中"]))
phases = st.sampled_from(PHASES)


def split(feeds: list[str], phase: Phase, *, tags_in_text: bool = True) -> dict[str, str]:
    splitter = ReasoningSplitter(phase, tags_in_text=tags_in_text)
    deltas = [delta for feed in feeds for delta in splitter.feed(feed)] + splitter.flush()
    assert all(delta.text for delta in deltas)
    return {phase: "".join(delta.text for delta in deltas if delta.phase == phase) for phase in PHASES}


@pytest.mark.parametrize(
    ("phase", "text", "reasoning", "answer"),
    [
        ("reasoning", "Hm.\n</think>\n\nYes.", "Hm.\n", "Yes."),
        ("reasoning", "<think>\nHm.</think>Yes.", "Hm.", "Yes."),
        ("reasoning", "<think><think>Hm.</think></think> Yes.", "Hm.", "Yes."),
        ("reasoning", "Hm, never closed", "Hm, never closed", ""),
        ("reasoning", "</think>Yes.", "", "Yes."),
        ("answer", "Yes.", "", "Yes."),
        ("answer", "<think>Hm.</think>\n\nYes.", "Hm.", "Yes."),
        ("answer", "\n</think>\n\nYes.", "", "Yes."),
        ("answer", "Yes.</think> It is.", "", "Yes. It is."),
        ("answer", "Yes.<think>Hm.</think>It is.", "Hm.", "Yes. It is."),
        ("answer", "a < b </thin", "", "a < b </thin"),
    ],
)
def test_reasoning_and_answer_come_apart(phase: Phase, text: str, reasoning: str, answer: str) -> None:
    assert split([text], phase) == {"reasoning": reasoning, "answer": answer}


@given(pieces, phases, st.data())
def test_how_the_text_is_cut_changes_nothing(parts: list[str], phase: Phase, data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    feeds = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for tags_in_text in (True, False):
        expected = split([text], phase, tags_in_text=tags_in_text)
        assert split(feeds, phase, tags_in_text=tags_in_text) == expected


@given(pieces, phases, st.booleans())
@example(["</th", CLOSER, "ink>"], "answer", True)
@example(["</th", OPENER, "a", CLOSER, "ink>"], "answer", True)
def test_no_tag_ever_comes_out_as_answer(parts: list[str], phase: Phase, tags_in_text: bool) -> None:
    answer = split(parts, phase, tags_in_text=tags_in_text)["answer"]
    assert OPENER not in answer
    assert CLOSER not in answer


@given(st.lists(st.tuples(st.text("rs"), st.text("xy")), max_size=5))
def test_no_character_of_reasoning_comes_out_as_answer(rounds: list[tuple[str, str]]) -> None:
    text = "".join(f"{OPENER}{reasoning}{CLOSER}{answer}" for reasoning, answer in rounds)
    found = split(list(text), "answer")
    assert found["reasoning"].replace(" ", "") == "".join(reasoning for reasoning, _ in rounds)
    assert found["answer"].replace(" ", "") == "".join(answer for _, answer in rounds)


def test_what_is_certain_is_given_out_at_once() -> None:
    splitter = ReasoningSplitter("reasoning")
    assert [delta.text for delta in splitter.feed("Let us see.</th")] == ["Let us see."]
    assert splitter.feed("ink>") == []
    assert splitter.phase == "answer"


def test_forced_end_gives_out_what_was_held_back_as_reasoning() -> None:
    splitter = ReasoningSplitter("reasoning")
    splitter.feed("Let us</th")
    (held,) = splitter.force_close()
    assert (held.phase, held.text) == ("reasoning", "</th")
    (answer,) = splitter.feed("\n\nYes.")
    assert (answer.phase, answer.text) == ("answer", "Yes.")


def test_where_tags_are_tokens_a_quoted_tag_does_not_end_the_reasoning() -> None:
    splitter = ReasoningSplitter("reasoning", tags_in_text=False)
    deltas = splitter.feed("The document says </think> here.") + splitter.switch_to("answer") + splitter.feed("Yes.")
    assert [(delta.phase, delta.text) for delta in deltas] == [
        ("reasoning", "The document says </think> here."),
        ("answer", "Yes."),
    ]


@pytest.mark.parametrize("period", [1, 2, 7, 31, 32, 100, 128])
def test_endless_repetition_is_a_loop(period: int) -> None:
    assert ends_in_loop([7, 8, 9, *list(range(1000, 1000 + period)) * 100])


@pytest.mark.parametrize(
    "tokens",
    [[], [1], [1] * 95, list(range(5000)), list(range(100)) * 2, [1, 2] * 100 + [3]],
    ids=["nothing", "one", "short row", "all different", "said twice", "went on"],
)
def test_what_may_be_meant_is_no_loop(tokens: list[int]) -> None:
    assert not ends_in_loop(tokens)
