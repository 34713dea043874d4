"""Lengths of prompts for models that count, and for those that do not."""

import pytest

from kb.answering.prompts.tokens import EstimatedTokens, token_counter
from kb.ports import LanguageModel, Looker, Restartable, TokenCounter
from kb.settings import Settings
from kb.values.answers import Answer, AskOptions
from kb.values.chat import Message
from tests.fakes import FakeEngine, FakeLanguageModel
from tests.harness import watching

QUESTION = "When was the second dome repaired?"


def test_model_that_counts_is_asked() -> None:
    model = FakeLanguageModel()
    assert token_counter(model) is model


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("word", 2),
        ("The second dome was repaired in March.", 14),
        ("第二个圆顶在三月修好了。", 15),
        ("2026-11-28", 11),
        ("naïve", 3),
    ],
)
def test_else_it_is_estimated_with_a_margin(text: str, tokens: int) -> None:
    assert EstimatedTokens().count_tokens(text) == tokens


def test_estimate_of_a_prompt_has_room_for_what_a_template_adds() -> None:
    messages = [Message("system", "word"), Message("user", "word")]
    assert EstimatedTokens().prompt_tokens(messages) == 2 * 2 + 3 * 8


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The second dome was repaired in March; no. {} was not, said the report of the year. ", QUESTION),
        ("第二个圆顶在三月修好了，第{}个没有，年度报告这样写道。", "第二个圆顶是什么时候修好的？"),
    ],
    ids=["English", "Chinese"],
)
@pytest.mark.parametrize("context_tokens", [1024, 4096])
def test_model_that_neither_counts_nor_shows_probabilities_answers(
    settings: Settings, sentence: str, question: str, context_tokens: int
) -> None:
    """As an engine afar is: a name, a stream, and an error where the prompt is too long."""
    folder = settings.home.parent / "papers"
    folder.mkdir()
    for number in range(8):
        text = "".join(sentence.format(part) for part in range(number, number + 40))
        (folder / f"{number}.md").write_text(f"# Domes {number}\n\n{text}\n", "utf-8")
    model = FakeEngine(context_tokens=context_tokens)
    plain: LanguageModel = model
    assert not isinstance(plain, TokenCounter | Looker | Restartable)
    given = settings.model_copy(update={"answer_tokens": 200, "passage_tokens": 600, "min_evidence": 0.01})
    with watching(given, folder, model=plain) as watched:
        watched.sync()
        answer: Answer = watched.knowledge_base.ask(question, options=AskOptions(kind="lookup"))
    assert (answer.answer, answer.model) == ("The answer is forty-two.", "fake")
    assert answer.timings.prompt_tokens + 200 <= context_tokens
    assert answer.timings.prompt_tokens > 300, "the budget is made use of"
