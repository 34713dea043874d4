"""A prompt that was read before it is asked: the answer is the same, and comes sooner."""

import pytest

from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Look, Looked, Message
from tests.harness import eventually
from tests.kb.adapters.llama.in_process_harness import LONG_QUESTION, QUESTION, Models, count_evaluated, reply
from tests.tiny_gguf import END

SOURCES = "The kiln is fired at 1,260 degrees. " * 12


def asking(question: str) -> list[Message]:
    return [Message("user", f"{SOURCES}{question}\nAnswer.")]


def look_at(question: str) -> Look:
    return Look((Message("user", f"{SOURCES}{question}\nYes or No?"),), "Yes", "No")


def test_what_was_read_ahead_is_not_read_again(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models(remembers=True)
    evaluated = count_evaluated(monkeypatch)
    model.read_ahead([asking("How hot is"), look_at("How hot is").messages])
    begun = 1 + len(f"user\n{SOURCES}How hot is\n")  # a control token, and one for each character
    assert eventually(lambda: sum(evaluated) == begun)
    evaluated.clear()
    *_, end = model.stream_after_looks(
        [look_at("How hot is the kiln?")], asking("How hot is the kiln?"), GenerationOptions(answer_tokens=1)
    )
    assert isinstance(end, GenerationEnd)
    assert sum(evaluated) < 100 < begun < end.prompt_tokens


def test_answer_is_what_it_would_have_been(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model, other = models(remembers=True), models(remembers=True)
    looks, options = [look_at("How hot?")], GenerationOptions(answer_tokens=20)
    evaluated = count_evaluated(monkeypatch)
    model.read_ahead([asking("How")])
    assert eventually(lambda: sum(evaluated) == model.prompt_tokens(asking("How")))
    ahead, plain = (list(each.stream_after_looks(looks, asking("How hot?"), options)) for each in (model, other))
    kinds = Looked, Delta, GenerationEnd
    assert [item for item in ahead if isinstance(item, kinds)] == [item for item in plain if isinstance(item, kinds)]


def test_question_does_not_wait_for_what_is_read_ahead(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models(["\n", "Because", END], feed_forward=16_384)
    evaluated = count_evaluated(monkeypatch)
    model.read_ahead([LONG_QUESTION])
    assert eventually(lambda: bool(evaluated))
    assert reply(model)[1] == "Because"
    assert sum(evaluated) < model.prompt_tokens(LONG_QUESTION) / 2
    assert max(evaluated) <= 16


def test_what_does_not_fit_is_not_read(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models(["\n", "Because", END], context_tokens=128)
    evaluated = count_evaluated(monkeypatch)
    model.read_ahead([LONG_QUESTION])
    assert reply(model, GenerationOptions(answer_tokens=10))[1] == "Because"
    assert sum(evaluated) <= model.prompt_tokens(QUESTION) + 1
