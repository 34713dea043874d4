import dataclasses
import json
import logging
import time
from pathlib import Path

import pytest

from kb.adapters.llama.context import Llama
from kb.adapters.llama.memory import ModelShape
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.tuning import choose, recall, tune
from kb.adapters.llama.tuning_cache import Measurement, TuningCache, weights_bytes
from kb.adapters.llama.wire import Untuned
from kb.errors import ModelLoadError, ModelMissing
from tests.harness import take_permission
from tests.tiny_gguf import END, tiny_chat

QWEN = ModelShape(layers=28, kv_heads=2, head_size=128, trained_tokens=32_768, vocabulary=151_936)
MEASURED = Measurement(EngineOptions(1024, threads=3), ("threads",), 80.0, 20.0, QWEN, 8192, on_gpu=False)
BY_HAND = EngineSettings(2048, threads=1, batch_tokens=64, flash_attention=True, kv_type="q8_0", gpu_layers=0)
AUTOMATIC = EngineSettings()
ROOMY = 16 * 10**9


class Loads:
    """Counts how often a model is loaded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        loads, load = self, Llama.__init__

        def counting(llama: Llama, path: Path, options: EngineOptions) -> None:
            loads.count += 1
            load(llama, path, options)

        monkeypatch.setattr(Llama, "__init__", counting)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    return Loads(monkeypatch)


@pytest.fixture(autouse=True)
def undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that run beside these shall not count as a disturbance."""
    monkeypatch.setattr("kb.adapters.llama.speed.DISTURBANCE", 1e9)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_chat(tmp_path / "tiny.gguf", ["\n", "Hello", END])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "models" / "tuning.json"


def test_second_load_measures_nothing_and_chooses_the_same(model: Path, cache: Path, loads: Loads) -> None:
    first = tune(model, AUTOMATIC, cache)
    assert loads.count == 1
    assert (first.context_tokens, first.threads > 0) == (8192, True)
    assert tune(model, AUTOMATIC, cache) == first
    assert loads.count == 1


def test_everything_set_by_hand_is_taken_as_it_is_and_nothing_measured(model: Path, cache: Path, loads: Loads) -> None:
    assert dataclasses.asdict(tune(model, BY_HAND, cache)) == dataclasses.asdict(BY_HAND)
    tuning = recall(model, BY_HAND, cache)
    assert tuning
    assert set(tuning.sources.values()) == {"set"}
    assert (loads.count, cache.exists()) == (0, False)


@pytest.mark.parametrize(
    "name", ["threads", "batch_tokens", "flash_attention", "kv_type", "gpu_layers", "context_tokens"]
)
def test_each_value_set_by_hand_wins(name: str, model: Path, cache: Path) -> None:
    value = getattr(BY_HAND, name)
    given = dataclasses.replace(AUTOMATIC, **{name: value})
    assert getattr(tune(model, given, cache), name) == value
    tuning = recall(model, given, cache)
    assert tuning
    assert tuning.sources[name] == "set"


@pytest.mark.parametrize("by_hand", [EngineSettings(context_tokens=2048), EngineSettings(flash_attention=False)])
def test_other_values_by_hand_are_measured_anew(
    by_hand: EngineSettings, model: Path, cache: Path, loads: Loads
) -> None:
    tune(model, AUTOMATIC, cache)
    tune(model, by_hand, cache)
    assert loads.count == 2
    tune(model, by_hand, cache)
    assert loads.count == 2


def test_model_that_may_not_be_read_is_told(tmp_path: Path, cache: Path) -> None:
    secret = tmp_path / "secret.gguf"
    secret.write_bytes(b"GGUF")
    take_permission(secret)
    with pytest.raises(ModelLoadError, match="cannot be read"):
        tune(secret, AUTOMATIC, cache)


def test_another_machine_measures_for_itself(
    model: Path, cache: Path, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune(model, AUTOMATIC, cache)
    with monkeypatch.context() as other:
        other.setattr("kb.adapters.llama.tuning_cache.describe_engine", lambda: "another processor; 64 cores")
        assert recall(model, AUTOMATIC, cache) is None
        tune(model, AUTOMATIC, cache)
    assert loads.count == 2
    tune(model, AUTOMATIC, cache)
    assert loads.count == 2


def test_another_model_under_the_same_name_is_measured(model: Path, cache: Path, loads: Loads) -> None:
    tune(model, AUTOMATIC, cache)
    tiny_chat(model, ["\n", "Bye", END], feed_forward=64)
    tune(model, AUTOMATIC, cache)
    assert loads.count == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "\xff",
        '{"version": 0, "measurements": {}}',
        '{"version": 1, "measurements": []}',
        '{"version": 1}',
    ],
)
def test_damaged_cache_is_measured_again_and_replaced(content: str, model: Path, cache: Path, loads: Loads) -> None:
    cache.parent.mkdir()
    cache.write_bytes(content.encode("latin-1"))
    tune(model, AUTOMATIC, cache)
    tune(model, AUTOMATIC, cache)
    assert loads.count == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("options", {"threads": "many"}), ("options", {"pace": 1}), ("shape", {}), ("shape", None), ("compared", 7)],
)
def test_damaged_entry_is_measured_again(field: str, value: object, model: Path, cache: Path, loads: Loads) -> None:
    tune(model, AUTOMATIC, cache)
    content = json.loads(cache.read_text())
    (entry,) = content["measurements"].values()
    entry[field] = value
    cache.write_text(json.dumps(content))
    assert recall(model, AUTOMATIC, cache) is None
    tune(model, AUTOMATIC, cache)
    assert loads.count == 2


def test_cache_that_cannot_be_written_costs_a_measurement_each_time(
    model: Path, cache: Path, loads: Loads, caplog: pytest.LogCaptureFixture
) -> None:
    cache.parent.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "kb"):
        assert tune(model, EngineSettings(threads=1), cache).threads == 1
        assert tune(model, EngineSettings(threads=1), cache).context_tokens == 8192
    assert loads.count == 2
    assert "cannot be written" in caplog.text


def test_disturbed_measurement_counts_for_an_hour(
    model: Path, cache: Path, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:
        busy.setattr("kb.adapters.llama.speed.DISTURBANCE", -1e9)
        tune(model, AUTOMATIC, cache)
    tune(model, AUTOMATIC, cache)
    assert loads.count == 1
    disturbed = TuningCache(cache).find(model, AUTOMATIC)
    assert disturbed
    TuningCache(cache).keep(model, AUTOMATIC, dataclasses.replace(disturbed, disturbed_at=time.time() - 3601))
    for _ in range(3):
        tune(model, AUTOMATIC, cache)
    assert loads.count == 2


def test_models_do_not_push_each_other_out(model: Path, cache: Path, tmp_path: Path, loads: Loads) -> None:
    other = tiny_chat(tmp_path / "other.gguf", ["\n", "Bye", END], feed_forward=64)
    for path in (model, other, model, other):
        tune(path, AUTOMATIC, cache)
    assert loads.count == 2


def test_nothing_is_recalled_of_what_was_never_measured(model: Path, cache: Path, loads: Loads) -> None:
    assert recall(model, AUTOMATIC, cache) is None
    assert loads.count == 0


def test_missing_model_is_named(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ModelMissing, match=r"nowhere\.gguf"):
        tune(tmp_path / "nowhere.gguf", AUTOMATIC, cache)


def test_choice_says_where_each_value_comes_from() -> None:
    tuning = choose(MEASURED, EngineSettings(batch_tokens=32), 10**9, ROOMY)
    assert tuning.options == EngineOptions(8192, threads=3, batch_tokens=32)
    assert tuning.sources == {
        "context_tokens": "memory",
        "threads": "measured",
        "batch_tokens": "set",
        "flash_attention": "default",
        "kv_type": "default",
        "gpu_layers": "default",
    }
    assert tuning.context_bytes == 8192 * QWEN.token_bytes("f16")


def test_scarce_memory_makes_the_cache_smaller_which_needs_flash_attention() -> None:
    tuning = choose(MEASURED, AUTOMATIC, 1_117_320_768, int(1.56e9))
    assert (tuning.options.kv_type, tuning.options.flash_attention, tuning.sources["kv_type"]) == (
        "q8_0",
        True,
        "memory",
    )


def test_without_flash_attention_the_cache_stays_as_it_is() -> None:
    tuning = choose(MEASURED, EngineSettings(flash_attention=False), 1_117_320_768, int(1.56e9))
    assert (tuning.options.kv_type, tuning.options.context_tokens) == ("f16", 3797)


def test_window_set_by_hand_is_taken_however_little_memory_there_is() -> None:
    assert choose(MEASURED, EngineSettings(context_tokens=30_000), 10**9, 0).options.context_tokens == 30_000


def test_too_little_memory_is_an_error() -> None:
    with pytest.raises(ModelLoadError, match="are missing"):
        choose(MEASURED, AUTOMATIC, 10**9, 10**9)


def test_weights_on_the_gpu_need_no_other_memory() -> None:
    on_gpu = dataclasses.replace(MEASURED, on_gpu=True, most_context_tokens=4096)
    assert choose(on_gpu, AUTOMATIC, 40 * 10**9, 2 * 10**9).options.context_tokens == 4096
    with pytest.raises(ModelLoadError, match="are missing"):
        choose(on_gpu, EngineSettings(gpu_layers=14), 40 * 10**9, 2 * 10**9)


def test_all_parts_of_a_split_model_count(tmp_path: Path) -> None:
    for number, size in ((1, 10), (2, 200), (3, 3000)):
        (tmp_path / f"big-0000{number}-of-00003.gguf").write_bytes(bytes(size))
    (tmp_path / "big-00001-of-00002.gguf").write_bytes(bytes(5))
    assert weights_bytes(tmp_path / "big-00001-of-00003.gguf") == 3210


def test_measurement_comes_back_as_it_was_kept(model: Path, cache: Path) -> None:
    TuningCache(cache).keep(model, AUTOMATIC, MEASURED)
    assert TuningCache(cache).find(model, AUTOMATIC) == MEASURED


def test_only_the_newest_measurements_are_kept(model: Path, cache: Path) -> None:
    kept = TuningCache(cache)
    for threads in range(1, 61):
        kept.keep(model, EngineSettings(threads=threads), MEASURED)
        kept.keep(model, AUTOMATIC, MEASURED)
    found = [threads for threads in range(1, 61) if kept.find(model, EngineSettings(threads=threads))]
    assert found == list(range(12, 61))
    assert kept.find(model, AUTOMATIC) == MEASURED


def test_model_in_a_process_of_its_own_is_tuned_there(model: Path, cache: Path, loads: Loads) -> None:
    settings = EngineSettings(context_tokens=2048, threads=1, batch_tokens=128, flash_attention=False)
    running = LlamaProcess(model, "tiny", Untuned(settings, cache))
    running.close()
    assert running.info.context_tokens == 2048
    assert loads.count == 0
    assert TuningCache(cache).find(model, settings)
