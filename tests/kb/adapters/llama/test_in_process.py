"""What a model says, token by token, and what a reader gets of it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from kb.adapters.llama.context import Llama
from kb.adapters.llama.in_process import LlamaModel
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.process import LlamaProcess
from kb.errors import ModelLoadError
from kb.values.chat import Delta, GenerationOptions
from tests.kb.adapters.llama.in_process_harness import ENDLESS, LONG_QUESTION, QUESTION, Models, count_evaluated, reply
from tests.kb.adapters.llama.test_templates import ENDLESS_TEMPLATE
from tests.tiny_gguf import END, tiny_chat, tiny_r1


def test_characters_that_are_spread_over_tokens_come_out_whole(models: Models) -> None:
    sky = "天".encode()
    model = models(["\n", sky[:1], sky[1:2], sky[2:], "!", END])
    deltas = [item.text for item in model.stream(QUESTION, GenerationOptions()) if isinstance(item, Delta)]
    assert [text for text in deltas if text] == ["天", "!"]


def test_character_that_the_budget_cuts_off_is_left_out(models: Models) -> None:
    sky = "天".encode()
    model = models(["\n", "Sky: ", sky[:1], sky[1:2], sky[2:], END])
    _, answer, end = reply(model, GenerationOptions(answer_tokens=3))
    assert (answer, end.finish_reason) == ("Sky: ", "length")


def test_broken_character_is_left_out(models: Models) -> None:
    model = models(["\n", "Sky: ", "天".encode()[:2], "blue", END])
    assert reply(model)[1] == "Sky: blue"


def test_character_that_is_cut_off_in_the_reasoning_is_not_finished_by_the_answer(models: Models) -> None:
    sky = "天".encode()
    model = models(["\n", sky[:1], sky[1:2], END], ["\n\n", sky[2:], "Because", END], r1=True)
    assert reply(model, GenerationOptions(reasoning_tokens=2))[:2] == ("", "Because")


def test_endless_reasoning_is_closed_by_force(models: Models) -> None:
    model = models(["\n", *ENDLESS, ENDLESS[0]], ["\n\n", "Because", ".", END], r1=True)
    reasoning, answer, end = reply(model, GenerationOptions(reasoning_tokens=50))
    assert len(reasoning.split()) == 50
    assert (answer, end.finish_reason, end.reasoning_tokens) == ("Because.", "stop", 50)


def test_reasoning_that_goes_in_circles_is_closed_before_its_budget(models: Models) -> None:
    model = models(["\n", " on", " and", " on"], ["\n\n", "Because", ".", END], r1=True)
    _, answer, end = reply(model, GenerationOptions(reasoning_tokens=1000))
    assert answer == "Because."
    assert end.reasoning_tokens < 200


def test_model_that_stops_while_it_thinks_answers_all_the_same(models: Models) -> None:
    model = models(["\n", "Hm", END], ["\n\n", "Because", ".", END], r1=True)
    assert reply(model)[:2] == ("Hm", "Because.")


def test_model_that_thinks_again_in_its_answer_is_kept_apart(models: Models) -> None:
    model = models(["\n", "Hm", "</think>", "Be", "<think>", "Oh", END], ["\n\n", "cause", END], r1=True)
    reasoning, answer, _ = reply(model)
    assert (reasoning, answer) == ("Hm Oh", "Be cause")


def test_answer_that_goes_in_circles_ends(models: Models) -> None:
    _, answer, end = reply(models(["\n", " on", " and", " on"]), GenerationOptions(answer_tokens=4000))
    assert end.finish_reason == "length"
    assert end.answer_tokens < 200
    assert answer.startswith("on and on")


def test_model_that_begins_to_think_unasked_is_made_to_answer(models: Models) -> None:
    model = models(["\n", "<th", "ink>", "Hm", END], ["\n\n", "Because", END])
    assert reply(model)[:2] == ("", "Because")


def test_prompt_seen_before_is_not_read_again(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models(["\n", "Because", END])
    evaluated = count_evaluated(monkeypatch)
    first = reply(model, messages=LONG_QUESTION)
    assert sum(evaluated) > model.prompt_tokens(LONG_QUESTION)
    evaluated.clear()
    assert reply(model, messages=LONG_QUESTION) == first
    assert sum(evaluated) < 10


def test_what_is_known_about_the_model_comes_from_its_file(models: Models) -> None:
    info = models(["\n", "Because", END], r1=True).info
    assert (info.name, info.reasons, info.context_tokens) == ("tiny", True, 16_384)
    assert info.description.startswith("llama")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", [LlamaModel, LlamaProcess])
@pytest.mark.parametrize(
    ("template", "reason"), [("{% for %}", "broken"), (ENDLESS_TEMPLATE, "does not end within a second")]
)
def test_model_with_a_broken_or_endless_template_does_not_load(
    tmp_path: Path, kind: type[LlamaModel | LlamaProcess], template: str, reason: str
) -> None:
    path = tiny_chat(tmp_path / "tiny.gguf", template=template)
    with pytest.raises(ModelLoadError, match=f"{path}: the chat template inside the model file .*{reason}"):
        kind(path, "tiny", EngineOptions(512))


class Script:
    """What a model says, token by token, instead of what it would have said, and which of it was thought.

    Thoughts are made of the letter r, answers of a. Tags come as tokens where they are meant, in their places, doubled
    or not at all, and in pieces of text where they are only quoted.
    """

    QUOTED: ClassVar = [["<th", "ink>"], ["</", "think", ">"], ["<", "think>"], ["</think", ">"], ["</thi"]]

    def __init__(self, seed: int, tokenize: Callable[..., list[int]], end: int) -> None:
        random = Random(seed)
        self.tokens: list[int] = []
        self.answered = 0
        phase = "reasoning"
        for _ in range(random.randint(2, 6)):
            for piece in random.choice(self.QUOTED) if random.random() < 0.4 else []:
                self.tokens += tokenize(piece, control=False)
            for _ in range(random.randint(0, 3)):
                self.answered += phase == "answer"
                self.tokens += tokenize(" rrr" if phase == "reasoning" else " aaa", control=False)
            tag, phase = random.choice([("<think>", "reasoning"), ("</think>", "answer")])
            self.tokens += tokenize(tag, control=True) * random.choice([1, 1, 2])
        if phase == "reasoning":
            # It stops without having closed, and is made to answer.
            self.tokens += [*tokenize(" rrr", control=False), end]
        self.tokens += [*tokenize(" aaa", control=False), end]
        self.answered += 1


@pytest.mark.models
@pytest.mark.timeout(600)
def test_fifty_outputs_with_tags_in_all_the_wrong_places_show_no_character_of_reasoning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripts: dict[int, Script] = {}

    @contextlib.contextmanager
    def scripted(self: Llama, temperature: float, top_p: float, seed: int) -> Iterator[Callable[[], int]]:
        end = self.tokenize(self.vocabulary.eos, control=True)[0]
        scripts[seed] = Script(seed, self.tokenize, end)
        yield iter(scripts[seed].tokens).__next__

    monkeypatch.setattr(Llama, "sampler", scripted)
    model = LlamaModel(tiny_r1(), "tiny-r1", EngineOptions(2048))
    try:
        for seed in range(50):
            reasoning, answer, end = reply(model, GenerationOptions(200, 200, seed=seed))
            assert end.finish_reason == "stop"
            assert "r" not in answer
            assert "think>" not in answer
            assert answer.count("aaa") == scripts[seed].answered
            assert "a" not in reasoning
    finally:
        model.close()


@pytest.mark.models
@pytest.mark.timeout(600)
def test_real_r1_vocabulary_goes_through_both_phases() -> None:
    model = LlamaModel(tiny_r1(), "tiny-r1", EngineOptions(2048))
    try:
        reasoning, answer, end = reply(model, GenerationOptions(reasoning_tokens=12, answer_tokens=12))
    finally:
        model.close()
    assert model.info.reasons
    assert (end.reasoning_tokens, end.answer_tokens, end.finish_reason) == (12, 12, "length")
    assert reasoning
    assert answer
    assert "think>" not in answer
