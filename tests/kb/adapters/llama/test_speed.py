import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from kb.adapters.llama.context import Llama
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.speed import LARGE_BATCH_TOKENS, measure
from kb.errors import ModelLoadError
from tests.tiny_gguf import END, tiny_chat

QUICK, SLOW = 0.00001, 0.0002


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_chat(tmp_path / "tiny.gguf", ["\n", "Hello", END])


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4)


class Pace:
    """Makes llama.cpp as slow as a test wants, by the clock that it measures with, and notes the options."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: list[EngineOptions] = []
        self.evaluated: list[int] = []
        self.clock = 0.0
        self.seconds: Any = lambda options, tokens: QUICK
        pace, renew, evaluate = self, Llama.renew_context, Llama.evaluate

        def noting(llama: Llama, options: EngineOptions) -> None:
            pace.tried.append(options)
            renew(llama, options)

        def delayed(llama: Llama, tokens: Sequence[int]) -> None:
            pace.evaluated.append(len(tokens))
            seconds = pace.seconds(pace.tried[-1], len(tokens))
            time.sleep(seconds)
            pace.clock += seconds
            evaluate(llama, tokens)

        monkeypatch.setattr(Llama, "renew_context", noting)
        monkeypatch.setattr(Llama, "evaluate", delayed)
        monkeypatch.setattr(time, "perf_counter", lambda: pace.clock)


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Pace:
    return Pace(monkeypatch)


def test_speeds_and_shape_are_told(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: 0.002 * tokens
    found = measure(model, EngineSettings(threads=1, batch_tokens=128))
    assert 100 < found.prompt_tokens_per_second < 1000
    assert 100 < found.generation_tokens_per_second < 1000
    assert (found.shape.layers, found.shape.trained_tokens, found.on_gpu) == (1, 16_384, False)
    assert found.compared == ("flash_attention",)


@pytest.mark.usefixtures("four_cores")
def test_fewer_threads_are_taken_where_they_are_faster(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: SLOW * tokens * options.threads
    found = measure(model, EngineSettings(flash_attention=False, batch_tokens=128))
    assert (found.options.threads, found.compared) == (1, ("threads",))


@pytest.mark.usefixtures("four_cores")
def test_search_for_threads_ends_where_fewer_are_no_faster(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: SLOW * tokens * (1 if options.threads > 2 else 3)
    assert measure(model, EngineSettings(flash_attention=False, batch_tokens=128)).options.threads == 4
    assert 1 not in {options.threads for options in pace.tried}


def test_what_is_hardly_faster_does_not_take_the_place_of_the_default(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: 4 * SLOW * tokens * (0.97 if options.flash_attention is False else 1)
    assert measure(model, EngineSettings(threads=1, batch_tokens=128)).options.flash_attention is None


def test_flash_attention_is_left_out_where_it_is_slower(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: SLOW * tokens * (1 if options.flash_attention is False else 2)
    assert measure(model, EngineSettings(threads=1, batch_tokens=128)).options.flash_attention is False


def test_large_batches_are_tried_only_where_prompts_are_read_quickly(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: 0.004 * tokens
    slow = measure(model, EngineSettings(threads=1, flash_attention=False))
    assert (slow.options.batch_tokens, slow.compared) == (128, ())
    pace.seconds = lambda options, tokens: 0.01
    quick = measure(model, EngineSettings(threads=1, flash_attention=False))
    assert (quick.options.batch_tokens, quick.compared) == (LARGE_BATCH_TOKENS, ("batch_tokens",))


def test_what_is_set_by_hand_is_not_varied(model: Path, pace: Pace) -> None:
    by_hand = EngineSettings(threads=3, batch_tokens=32, flash_attention=True, kv_type="q8_0", gpu_layers=0)
    found = measure(model, by_hand)
    assert found.compared == ()
    assert {(each.threads, each.batch_tokens, each.flash_attention, each.kv_type) for each in pace.tried} == {
        (3, 32, True, "q8_0")
    }


def test_slow_model_is_measured_with_fewer_tokens(model: Path, pace: Pace) -> None:
    pace.seconds = lambda options, tokens: 0.03 * tokens
    found = measure(model, EngineSettings(threads=1, flash_attention=False))
    assert max(pace.evaluated) < 50
    assert found.prompt_tokens_per_second == pytest.approx(33, rel=0.2)


class Graphics:
    """A GPU that takes so many layers with so long a context, or none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.takes: Any = lambda options: True
        graphics, load = self, Llama.__init__

        def loading(llama: Llama, path: Path, options: EngineOptions) -> None:
            if options.gpu_layers and not graphics.takes(options):
                raise ModelLoadError("out of memory on the GPU")
            load(llama, path, options)

        monkeypatch.setattr(Llama, "__init__", loading)
        monkeypatch.setattr("kb.adapters.llama.speed.can_use_gpu", lambda: True)


@pytest.fixture
def graphics(monkeypatch: pytest.MonkeyPatch) -> Graphics:
    return Graphics(monkeypatch)


def test_all_layers_go_to_the_gpu_where_they_fit(model: Path, graphics: Graphics) -> None:
    found = measure(model, EngineSettings(threads=1))
    assert (found.options.gpu_layers, found.most_context_tokens, found.on_gpu) == (-1, 8192, True)
    assert "gpu_layers" in found.compared


def test_context_is_shorter_where_the_gpu_has_no_room_for_more(model: Path, graphics: Graphics) -> None:
    graphics.takes = lambda options: options.context_tokens <= 4096
    found = measure(model, EngineSettings(threads=1))
    assert (found.options.gpu_layers, found.most_context_tokens) == (-1, 4096)


def test_model_that_does_not_fit_into_the_gpu_runs_without(model: Path, graphics: Graphics) -> None:
    graphics.takes = lambda options: False
    found = measure(model, EngineSettings(threads=1))
    assert (found.options.gpu_layers, found.most_context_tokens) == (0, 8192)


def test_layers_set_by_hand_that_do_not_fit_are_an_error(model: Path, graphics: Graphics) -> None:
    graphics.takes = lambda options: False
    with pytest.raises(ModelLoadError, match="out of memory on the GPU"):
        measure(model, EngineSettings(gpu_layers=7))


def test_file_that_does_not_load_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("These are my notes. " * 100)
    with pytest.raises(ModelLoadError, match="magic"):
        measure(tmp_path / "notes.gguf", EngineSettings())
