import pytest

from kb.judging.one_word import OneWordLooks, looker_of
from kb.judging.support import look_at
from kb.ports import Looker
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Look, Looked, Message
from tests.fakes import FakeEngine, FakeLanguageModel

QUESTION = (Message("user", "Is it?"),)


@pytest.mark.parametrize(
    ("reply", "words", "margin"),
    [
        ("Yes", ("Yes", "No"), 1.0),
        ("**yes**, it is.", ("Yes", "No"), 1.0),
        ("No.", ("Yes", "No"), -1.0),
        ("The sources say so.", ("Yes", "No"), 0.0),
        ("", ("Yes", "No"), 0.0),
        ("“对”", ("对", "错"), 1.0),
        ("错。", ("对", "错"), -1.0),
        ("不对", ("对", "错"), 0.0),
        ("没有", ("有", "没有"), -1.0),
    ],
)
def test_first_word_of_the_reply_is_the_margin(reply: str, words: tuple[str, str], margin: float) -> None:
    model = FakeEngine(reply, "Let us see.")
    items = list(OneWordLooks(model).stream_after_looks([Look(QUESTION, *words)], (), GenerationOptions()))
    assert [item for item in items if isinstance(item, Looked)] == [Looked((margin,))]
    assert isinstance(items[-1], GenerationEnd)
    assert not any(isinstance(item, Delta) for item in items)
    assert (model.options[0].reasoning_tokens, model.options[0].answer_tokens) == (0, 8)


def test_several_looks_come_before_the_reply() -> None:
    model = FakeEngine("Yes, it opens.")
    looks = [Look(QUESTION, "Yes", "No"), look_at(["It opens."], "It opens.")]
    items = list(OneWordLooks(model).stream_after_looks(looks, QUESTION, GenerationOptions()))
    shown = [item for item in items if isinstance(item, Looked | Delta)]
    assert shown[0] == Looked((1.0, 1.0))
    assert "".join(item.text for item in shown[1:] if isinstance(item, Delta)) == "Yes, it opens."
    assert len(model.asked) == 3


def test_model_that_shows_its_probabilities_is_asked_for_them() -> None:
    model = FakeLanguageModel()
    assert looker_of(model) is model
    engine = FakeEngine()
    assert not isinstance(engine, Looker)
    assert isinstance(looker_of(engine), Looker)
