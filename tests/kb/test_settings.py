import datetime
import os
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

from ingest.settings import IngestSettings
from kb.adapters.llama.options import EngineSettings
from kb.errors import SettingsError
from kb.settings import CONFIG_NAME, Settings, load
from kb.values.filters import Filters
from kb.wiring import engine_settings
from server.settings import ServerSettings

load_all = partial(load, kind=ServerSettings)


def write_config(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    path = home / CONFIG_NAME
    path.write_text(text, "utf-8")
    return path


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    assert load_all({}, home=tmp_path).port == 8321
    write_config(tmp_path, "port = 1")
    assert load_all({}, home=tmp_path).port == 1
    assert load_all({"KB_PORT": "2"}, home=tmp_path).port == 2
    assert load_all({"KB_PORT": "2"}, home=tmp_path, port=3).port == 3


def test_flag_that_is_none_and_variable_that_is_empty_decide_nothing(tmp_path: Path) -> None:
    write_config(tmp_path, "port = 1")
    assert load_all({"KB_PORT": ""}, home=tmp_path, port=None).port == 1


def test_file_is_looked_for_in_the_home_that_flag_or_environment_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_config(one, "port = 1")
    write_config(other, "port = 2")
    assert load_all({"KB_HOME": str(one)}).port == 1
    assert load_all({"KB_HOME": str(one)}, home=other).port == 2


def test_process_environment_is_read_where_no_other_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_TOP_K", "7")
    assert load().top_k == 7


def test_every_setting_can_come_from_the_environment(tmp_path: Path) -> None:
    defaults = load_all({}, home=tmp_path)
    special = {
        "home": str(tmp_path),
        "folders": str(tmp_path),
        "allowed_hosts": "kb.lan",
        "thinking": "full",
        "context_tokens": "4096",
        "public_url": "https://kb.lan",
        "otlp_endpoint": "http://127.0.0.1:4317",
        "proxy_from": "10.0.0.0/8",
        "proxy_rights": "read",
        "proxy_user_header": "Remote-User",
        "metrics_from": "10.0.0.0/8",
        "saved_filters": '{"field": {"tags": ["field"]}}',
    }
    for name in ServerSettings.model_fields:
        value = special.get(name) or str(getattr(defaults, name) or "1")
        loaded = load_all({"KB_HOME": str(tmp_path), f"KB_{name.upper()}": value})
        assert name in loaded.model_fields_set


def test_paths_are_absolute_and_a_folder_named_twice_is_watched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    listed = os.pathsep.join(["notes", "./notes", "", "~/papers"])
    settings = load_all({"KB_HOME": "~/kb", "KB_MODELS": "models", "KB_FOLDERS": listed})
    assert settings.home == tmp_path / "user" / "kb"
    assert settings.models == tmp_path / "models"
    assert settings.folders == (tmp_path / "notes", tmp_path / "user" / "papers")


def test_lists_may_be_lists_in_the_file_and_have_commas_in_the_environment(tmp_path: Path) -> None:
    write_config(tmp_path, 'folders = ["/a", "/b"]\nallowed_hosts = ["x"]')
    assert load_all({}, home=tmp_path).folders == (Path("/a"), Path("/b"))
    assert load_all({}, home=tmp_path).allowed_hosts == ("x",)
    assert load_all({"KB_ALLOWED_HOSTS": "kb.lan, box.lan,"}, home=tmp_path).allowed_hosts == ("kb.lan", "box.lan")


def test_filters_are_saved_as_tables_or_as_json(tmp_path: Path) -> None:
    write_config(tmp_path, '[saved_filters.field]\ntags = ["field"]\nsince = 2026-01-02')
    assert load_all({}, home=tmp_path).saved_filters == {
        "field": Filters(tags=("field",), since=datetime.date(2026, 1, 2))
    }
    given = {"KB_SAVED_FILTERS": '{"papers": {"folders": ["papers"], "types": ["pdf"]}}'}
    assert load_all(given, home=tmp_path).saved_filters == {"papers": Filters(folders=("papers",), types=("pdf",))}


@pytest.mark.parametrize("value", ['{"field": {"tag": ["x"]}}', '{"field": {"tags": [" "]}}', "[1]", "field"])
def test_filter_that_makes_no_sense_is_never_taken_for_all_documents(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=r"saved_filters.*must be like"):
        load_all({"KB_SAVED_FILTERS": value}, home=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "many"),
        ("port", "70000"),
        ("context_tokens", "10"),
        ("min_evidence", "1.5"),
        ("thinking", "long"),
        ("sync_seconds", "0"),
    ],
)
def test_value_that_cannot_work_is_named_with_the_places_to_correct_it(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"'{name}'.*'{value}'") as caught:
        load_all({f"KB_{name.upper()}": value}, home=tmp_path)
    assert f"KB_{name.upper()}" in caught.value.hint
    assert str(tmp_path / CONFIG_NAME) in caught.value.hint


def test_unknown_key_in_the_file_is_refused_by_name(tmp_path: Path) -> None:
    write_config(tmp_path, "prot = 8321")
    with pytest.raises(SettingsError, match="'prot'"):
        load_all({}, home=tmp_path)


@pytest.mark.parametrize("content", [b"port = = 1", b"\xff\xfe"], ids=["syntax", "encoding"])
def test_file_that_is_not_toml_is_refused_by_path(tmp_path: Path, content: bytes) -> None:
    path = write_config(tmp_path, "")
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=CONFIG_NAME):
        load_all({}, home=tmp_path)


def test_file_that_cannot_be_read_is_refused_by_path(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_all({}, home=tmp_path)


@pytest.mark.parametrize("kind", [Settings, IngestSettings])
def test_keys_of_the_rooms_above_are_left_to_them(tmp_path: Path, kind: type[Settings]) -> None:
    write_config(tmp_path, "port = 1\ntop_k = 7")
    settings = load({"KB_PORT": "2"}, kind=kind, home=tmp_path)
    assert type(settings) is kind
    assert settings.top_k == 7
    assert not hasattr(settings, "port")


def test_flag_that_the_kind_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'port'"):
        load({}, home=tmp_path, port=1)


def test_settings_do_not_change(settings: Settings) -> None:
    with pytest.raises(ValidationError):
        settings.top_k = 1


def test_every_setting_is_described() -> None:
    assert all(field.description for field in ServerSettings.model_fields.values())


def test_what_is_not_set_of_the_engine_is_left_to_choose(tmp_path: Path) -> None:
    assert engine_settings(load({}, home=tmp_path)) == EngineSettings()
    flags = {"context_tokens": 512, "threads": 2, "batch_tokens": 64, "flash_attention": "off", "gpu_layers": 0}
    assert engine_settings(load({"KB_KV_TYPE": "q8_0"}, home=tmp_path, **flags)) == EngineSettings(
        512, 2, 64, False, "q8_0", 0
    )
    assert engine_settings(load({"KB_FLASH_ATTENTION": "on"}, home=tmp_path)).flash_attention is True
