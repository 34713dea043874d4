import json
import os
import socket
from pathlib import Path

import pytest

from kb.settings import Settings
from server.doctor import Finding, examine
from tests.harness import open_fake_library, quick_settings, take_permission


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home", models=tmp_path / "models")


def finding(settings: Settings, text: str) -> Finding:
    found = [finding for finding in examine(settings) if text in finding.text]
    assert found, f"nothing is said about {text}"
    return found[0]


def test_fresh_installation_has_nothing_bad_and_its_models_still_to_come(settings: Settings) -> None:
    findings = examine(settings)
    assert [finding for finding in findings if finding.level == "bad"] == []
    assert finding(settings, "llama-cpp-python").level == "good"
    assert finding(settings, "no server running").level == "good"
    for text in ("embedding model", "answering model"):
        assert finding(settings, text).level == "note"
        assert "kb models pull" in finding(settings, text).hint


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
    bad = [finding for finding in examine(broken) if finding.level == "bad"]
    assert len(bad) == 3
    assert all(finding.hint for finding in bad)


def test_data_directory_that_is_a_file_is_bad(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert finding(settings.model_copy(update={"home": tmp_path / "file"}), "cannot be written").level == "bad"


def test_reranker_is_looked_for_and_searches_go_on_without_it(settings: Settings, tmp_path: Path) -> None:
    assert not any("searches go on" in found.text for found in examine(settings))
    away = finding(settings.model_copy(update={"reranker": "owner/some-reranker"}), "some-reranker")
    assert (away.level, "is not here yet; searches go on without it" in away.text) == ("note", True)
    assert "`kb models pull owner/some-reranker`" in away.hint
    wrong = finding(settings.model_copy(update={"reranker": "nonsense"}), "neither a folder")
    assert (wrong.level, "KB_RERANKER" in wrong.hint) == ("note", True)

    (tmp_path / "model").mkdir()
    local = settings.model_copy(update={"reranker": str(tmp_path / "model")})
    (tmp_path / "model" / "modules.json").write_text("[]")
    assert finding(local, "is not a cross-encoder").level == "note"
    (tmp_path / "model" / "modules.json").unlink()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))
    assert finding(local, f"reranker {tmp_path / 'model'}").level == "good"


def test_running_server_is_named(settings: Settings) -> None:
    with open_fake_library(settings) as library:
        library.announce("http://127.0.0.1:8321")
        assert f"process {os.getpid()} at http://127.0.0.1:8321" in finding(settings, "data directory").text
    assert "no server running" in finding(settings, "data directory").text


def test_watched_folders_are_looked_at(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    watched = settings.model_copy(update={"folders": (tmp_path / "papers", tmp_path / "usb")})
    assert finding(watched, str(tmp_path / "papers")).level == "good"
    assert finding(watched, str(tmp_path / "usb")).level == "bad"


def test_what_may_not_be_entered_is_bad_and_no_traceback(settings: Settings, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    take_permission(closed)
    inside = settings.model_copy(update={"home": closed / "home", "folders": (closed / "papers",)})
    assert finding(inside, "cannot be written").level == "bad"
    assert finding(inside, str(closed / "papers")).level == "bad"
    closed.chmod(0o700)
