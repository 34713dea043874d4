"""What was read once is not read again, though other prompts came between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.adapters.llama.cache import LEAST_TOKENS
from kb.adapters.llama.context import Llama
from kb.adapters.llama.options import EngineOptions
from tests.tiny_gguf import tiny_chat

LONG = LEAST_TOKENS + 10
PROMPTS = [letter * LONG + "?\n" for letter in "abcdef"]


@pytest.fixture
def llama(tmp_path: Path) -> Iterator[Llama]:
    model = Llama(tiny_chat(tmp_path / "tiny.gguf", remembers=True), EngineOptions(2048, threads=1))
    yield model
    model.close()


def read(llama: Llama, text: str) -> tuple[int, list[int]]:
    """Reads a prompt and writes on; returns how much of it was there, and what was written."""
    prompt = llama.tokenize(text, control=False)
    kept = llama.keep_prefix(prompt)
    for start in range(kept, len(prompt), llama.batch_tokens):
        llama.evaluate(prompt[start : start + llama.batch_tokens])
    written: list[int] = []
    with llama.sampler(0.0, 1.0, 0) as sample:
        for _ in range(5):
            written.append(sample())
            llama.evaluate(written[-1:])
    return kept, written


def test_prompt_is_there_after_others_and_goes_on_as_before(llama: Llama) -> None:
    written = [read(llama, prompt)[1] for prompt in PROMPTS]
    assert len(set(map(tuple, written))) > 1
    for prompt, before in zip(PROMPTS, written, strict=True):
        assert read(llama, prompt) == (len(prompt) - 1, before)


@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
def test_it_is_there_however_the_cache_is_kept(llama: Llama, kv_type: str) -> None:
    options: dict[str, EngineOptions] = {
        "f16": EngineOptions(2048, threads=1, flash_attention=False),
        "q8_0": EngineOptions(2048, threads=1, flash_attention=True, kv_type="q8_0"),
    }
    llama.renew_context(options[kv_type])
    _, before = read(llama, PROMPTS[0])
    read(llama, PROMPTS[1])
    assert read(llama, PROMPTS[0]) == (len(PROMPTS[0]) - 1, before)


def test_another_question_on_the_same_sources_costs_only_itself(llama: Llama) -> None:
    sources = "The sources. " * 40
    read(llama, f"{sources}First?\n")
    read(llama, PROMPTS[0])
    kept, written = read(llama, f"{sources}Second?\n")
    assert kept == len(sources)
    llama.renew_context(EngineOptions(2048, threads=1))
    assert read(llama, f"{sources}Second?\n") == (0, written)


def test_short_prompts_are_not_kept(llama: Llama) -> None:
    read(llama, "Short?\n")
    read(llama, PROMPTS[0])
    assert read(llama, "Short?\n")[0] == 0


def test_what_has_not_been_used_for_longest_gives_way(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    room = round(2.5 * LONG * llama.shape.token_bytes("f16"))
    monkeypatch.setattr("kb.adapters.llama.context.MOST_BYTES", room)
    llama.renew_context(EngineOptions(2048, threads=1))
    a, b, c, d = PROMPTS[:4]
    assert [read(llama, prompt)[0] > 0 for prompt in (a, b, c, d, b, c, d)] == [False] * 4 + [True, False, True]


def test_without_memory_nothing_is_kept(llama: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.adapters.llama.context.MOST_BYTES", 0)
    llama.renew_context(EngineOptions(2048, threads=1))
    assert [read(llama, prompt)[0] for prompt in (*PROMPTS[:2], PROMPTS[0])] == [0, 0, 0]
