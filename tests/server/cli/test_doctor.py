import json
import os
import socket
from pathlib import Path

import pytest

from kb.adapters.llama.memory import ModelShape
from kb.adapters.llama.options import EngineOptions, EngineSettings
from kb.adapters.llama.tuning_cache import CACHE_NAME, Measurement, TuningCache
from kb.settings import Settings
from kb.wiring import engine_settings
from server.cli.doctor import examine
from server.terminal.diagnosis import Diagnosis
from tests.harness import open_fake_knowledge_base, quick_settings, take_permission
from tests.tiny_gguf import tiny_chat


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home", models=tmp_path / "models")


def diagnosis(settings: Settings, text: str) -> Diagnosis:
    found = [diagnosis for diagnosis in examine(settings) if text in diagnosis.text]
    assert found, f"nothing is said about {text}"
    return found[0]


def test_fresh_installation_has_nothing_bad_and_its_models_still_to_come(settings: Settings) -> None:
    diagnoses = examine(settings)
    assert [diagnosis for diagnosis in diagnoses if diagnosis.level == "bad"] == []
    assert diagnosis(settings, "llama-cpp-python").level == "good"
    assert diagnosis(settings, "no server running").level == "good"
    for text in ("embedding model", "answering model"):
        assert diagnosis(settings, text).level == "note"
        assert "kb models pull" in diagnosis(settings, text).hint


def test_looking_changes_nothing_and_connects_to_nobody(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    examine(settings)
    assert list(tmp_path.iterdir()) == []


def test_everything_bad_has_a_hint(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = settings.model_copy(
        update={"home": tmp_path / "file" / "home", "folders": (tmp_path / "missing", tmp_path / "file")}
    )
    bad = [diagnosis for diagnosis in examine(broken) if diagnosis.level == "bad"]
    assert len(bad) == 3
    assert all(diagnosis.hint for diagnosis in bad)


def test_data_directory_that_is_a_file_is_bad(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert diagnosis(settings.model_copy(update={"home": tmp_path / "file"}), "cannot be written").level == "bad"


def test_reranker_is_looked_for_and_searches_go_on_without_it(settings: Settings, tmp_path: Path) -> None:
    assert not any("searches go on" in found.text for found in examine(settings))
    away = diagnosis(settings.model_copy(update={"reranker": "owner/some-reranker"}), "some-reranker")
    assert (away.level, "is not here yet; searches go on without it" in away.text) == ("note", True)
    assert "`kb models pull owner/some-reranker`" in away.hint
    wrong = diagnosis(settings.model_copy(update={"reranker": "nonsense"}), "neither a folder")
    assert (wrong.level, "KB_RERANKER" in wrong.hint) == ("note", True)

    (tmp_path / "model").mkdir()
    local = settings.model_copy(update={"reranker": str(tmp_path / "model")})
    (tmp_path / "model" / "modules.json").write_text("[]")
    assert diagnosis(local, "is not a cross-encoder").level == "note"
    (tmp_path / "model" / "modules.json").unlink()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))
    assert diagnosis(local, f"reranker {tmp_path / 'model'}").level == "good"


SHAPE = ModelShape(layers=1, kv_heads=1, head_size=64, trained_tokens=16_384, vocabulary=300)


def with_model(settings: Settings, tmp_path: Path, **more: object) -> Settings:
    return settings.model_copy(update={"model": str(tiny_chat(tmp_path / "tiny.gguf")), **more})


def keep(settings: Settings, measurement: Measurement) -> None:
    TuningCache(settings.models / CACHE_NAME).keep(Path(settings.model), engine_settings(settings), measurement)


def test_model_that_was_never_loaded_is_still_to_be_measured(settings: Settings, tmp_path: Path) -> None:
    assert diagnosis(with_model(settings, tmp_path), "is measured when it first loads").level == "note"


def test_each_choice_for_the_model_is_shown_with_its_source_speed_and_window(
    settings: Settings, tmp_path: Path
) -> None:
    chosen = with_model(settings, tmp_path, batch_tokens=64)
    keep(chosen, Measurement(EngineOptions(1024, 2, 64), ("threads",), 80.4, 19.6, SHAPE, 8192, False, 1.0))
    text = diagnosis(chosen, "llama.cpp runs it").text
    assert "2 threads (measured), batches of 64 tokens (set), flash attention as llama.cpp sees fit (default)" in text
    assert "80 tokens/s read and 20 written when measured while other processes were busy" in text
    assert "GPU" not in text
    assert "context window of 8192 tokens (memory)" in diagnosis(chosen, "context window").text


def test_layers_on_the_gpu_are_shown_where_there_is_one(settings: Settings, tmp_path: Path) -> None:
    chosen = with_model(settings, tmp_path)
    keep(chosen, Measurement(EngineOptions(4096, 1), ("gpu_layers",), 8000.0, 300.0, SHAPE, 4096, True))
    assert "all layers on the GPU (measured); 8000 tokens/s read" in diagnosis(chosen, "1 thread (default)").text


def test_model_that_memory_is_too_short_for_is_bad(settings: Settings, tmp_path: Path) -> None:
    chosen = with_model(settings, tmp_path)
    huge = ModelShape(layers=10_000, kv_heads=10_000, head_size=128, trained_tokens=16_384, vocabulary=300)
    keep(chosen, Measurement(EngineOptions(1024, 2), (), 1.0, 1.0, huge, 8192, False))
    short = diagnosis(chosen, "are missing")
    assert (short.level, "KB_CONTEXT_TOKENS" in short.hint) == ("bad", True)


def test_what_is_all_set_by_hand_is_shown_without_a_measurement(settings: Settings, tmp_path: Path) -> None:
    by_hand = {"context_tokens": 2048, "threads": 3, "batch_tokens": 64, "flash_attention": "on", "kv_type": "q8_0"}
    chosen = with_model(settings, tmp_path, gpu_layers=0, **by_hand)
    assert EngineSettings(2048, 3, 64, True, "q8_0", 0) == engine_settings(chosen)
    assert "3 threads (set), batches of 64 tokens (set)" in diagnosis(chosen, "llama.cpp runs it").text
    assert "context window of 2048 tokens (set)" in diagnosis(chosen, "context window").text


def test_running_server_is_named(settings: Settings) -> None:
    with (
        open_fake_knowledge_base(settings) as knowledge_base,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        knowledge_base.announce(url)
        assert f"process {os.getpid()} at {url}" in diagnosis(settings, "data directory").text
    assert "no server running" in diagnosis(settings, "data directory").text


def test_watched_folders_are_looked_at(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    watched = settings.model_copy(update={"folders": (tmp_path / "papers", tmp_path / "usb")})
    assert diagnosis(watched, str(tmp_path / "papers")).level == "good"
    assert diagnosis(watched, str(tmp_path / "usb")).level == "bad"


def test_what_may_not_be_entered_is_bad_and_no_traceback(settings: Settings, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    take_permission(closed)
    inside = settings.model_copy(update={"home": closed / "home", "folders": (closed / "papers",)})
    assert diagnosis(inside, "cannot be written").level == "bad"
    assert diagnosis(inside, str(closed / "papers")).level == "bad"
    closed.chmod(0o700)


@pytest.mark.parametrize(("setting", "what"), [("embedding_model", "all documents"), ("reranker", "passages")])
def test_host_that_reads_documents_is_named(settings: Settings, setting: str, what: str) -> None:
    def reading(url: str) -> Diagnosis:
        named = quick_settings(settings.home, models=settings.models, **{setting: f"openai:reader@{url}"})
        return diagnosis(named, "reader on")

    seen = reading("https://api.example.com/v1")
    assert (seen.level, what in seen.text) == ("note", True)
    assert f"KB_{setting.upper()}" in seen.hint
    assert reading("http://127.0.0.1:8000").level == "good"


def test_host_that_sees_passages_is_named(settings: Settings, tmp_path: Path) -> None:
    def remote(url: str, **more: object) -> Settings:
        return quick_settings(settings.home, models=settings.models, model=f"openai:big@{url}", **more)

    seen = diagnosis(remote("https://api.example.com/v1"), "big on api.example.com")
    assert (seen.level, "sees questions and passages" in seen.text) == ("note", True)
    assert "KB_LOCAL_ONLY" in seen.hint
    assert diagnosis(remote("http://127.0.0.1:8000"), "big on 127.0.0.1").level == "good"
    (tmp_path / "key").write_text("sk-0123456789")
    plain = remote("http://api.example.com", api_key_file=str(tmp_path / "key"))
    assert diagnosis(plain, "unencrypted").level == "note"
    assert not any("sk-0123456789" in f"{found.text}{found.hint}" for found in examine(plain))
    assert diagnosis(remote("http://h", api_key_file=str(tmp_path / "none")), "cannot be read").level == "bad"


def test_chroma_server_is_named(settings: Settings) -> None:
    there = settings.model_copy(update={"chroma": "http://127.0.0.1:8000"})
    assert diagnosis(there, "Chroma server http://127.0.0.1:8000").level == "good"
