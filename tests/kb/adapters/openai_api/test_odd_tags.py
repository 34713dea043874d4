"""Fifty ways in which models mark their reasoning, through every kind of server: no character of it in an answer."""

import itertools
import random

import pytest

from kb.adapters.openai_api.phases import Phases
from kb.adapters.openai_api.streaming import Piece
from kb.values.chat import Delta, GenerationOptions, Message
from tests.remote_doubles import VLLM, DashScope, DeepSeek, Double, LlamaServer, LMStudio, Ollama, OpenAI
from tests.remote_servers import engine

R, A = "qqq zzz", "It is on page nine."
"""No letter of the reasoning is in the answer."""

PAIRS = [
    ("<think>", "</think>"),
    ("<THINK>", "</THINK>"),
    ("<Think>", "</Think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
]
SHAPES = ["{o}{r}{c}{a}", "\n{o}\n{r}\n{c}\n\n{a}", "{o}{o}{r}{c}{c}{a}", "{r}{c}{a}"]
OTHERS = [
    f"<think>{R}</think>{A[:5]}<think>{R}</think>{A[5:]}",
    f"<think></think>{A}",
    f"</think>{A}",
    f"<|channel|>commentary<|message|>{R}<|end|><|start|>assistant<|channel|>final<|message|>{A}<|return|>",
]
OUTPUTS = [shape.format(o=o, c=c, r=R, a=A) for (o, c), shape in itertools.product(PAIRS, SHAPES)] + OTHERS
KINDS: list[type[Double]] = [VLLM, LlamaServer, Ollama, LMStudio, DeepSeek, DashScope, OpenAI]


def cut(text: str) -> list[str]:
    """Cuts a text into pieces of one to seven characters, always the same."""
    rest, pieces, sizes = text, [], random.Random(len(text))
    while rest:
        size = sizes.randint(1, 7)
        pieces.append(rest[:size])
        rest = rest[size:]
    return pieces


def test_there_are_fifty() -> None:
    assert len(OUTPUTS) >= 50


@pytest.mark.parametrize("thinking", [0, 256])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_character_of_reasoning_is_in_any_answer(
    kind: type[Double], thinking: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = kind(marked=["x"], model="qwq-32b")
    options = GenerationOptions(reasoning_tokens=thinking)
    with engine(double, monkeypatch) as model:
        for output in OUTPUTS:
            double.marked = cut(output)
            deltas = [item for item in model.stream([Message("user", "?")], options) if isinstance(item, Delta)]
            answer = "".join(delta.text for delta in deltas if delta.phase == "answer")
            separates_itself = kind not in (VLLM, LMStudio)
            if separates_itself and _has_no_opener(output):
                continue  # such a server has taken the opener out itself, with all that stood behind it
            assert "".join(answer.split()) == "".join(A.split()), output
            assert thinking or all(delta.phase == "answer" for delta in deltas)


def _has_no_opener(output: str) -> bool:
    return output.lstrip().startswith(R)


@pytest.mark.parametrize("output", OUTPUTS)
def test_first_reply_of_an_unknown_model_is_sorted_rightly(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine(VLLM(marked=cut(output)), monkeypatch) as model:
        items = model.stream([Message("user", "?")], GenerationOptions())
        answer = "".join(item.text for item in items if isinstance(item, Delta) and item.phase == "answer")
        assert "".join(answer.split()) == "".join(A.split())


def test_text_that_is_held_back_comes_whole_where_no_tag_does() -> None:
    phases = Phases(holds=True, shows_reasoning=True)
    assert [phases.feed(Piece(text=text)) for text in ("It", " is <b", " so")] == [[], [], []]
    assert phases.end() == [Delta("answer", "It is <b so")]


def test_reasoning_without_a_tag_that_breaks_off_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of R1 behind a server that was started without a parser of reasoning: the prompt has opened it."""
    double = VLLM(marked=[" qqq"] * 900 + ["</think>", A], model="deepseek-r1-distill-qwen-7b")
    options = GenerationOptions(reasoning_tokens=64, answer_tokens=40)
    with engine(double, monkeypatch) as model:
        items = [item for item in model.stream([Message("user", "?")], options) if isinstance(item, Delta)]
    assert "".join(item.text for item in items if item.phase == "answer") == A
    assert [chat["max_tokens"] for chat in double.chats] == [104, 40, 40 + 2048]
