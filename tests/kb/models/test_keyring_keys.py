"""Keys of servers in the keyring of the system, with the real package and a keyring of ours."""

import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from kb.errors import SettingsError
from kb.models.remote import RemoteModel
from kb.settings import load


class OurKeyring(KeyringBackend):
    """Keeps keys in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.keys = {("r1-kb", "api.deepseek.com"): "sk-of-deepseek\n", ("other", "h"): "sk-other"}

    def get_password(self, service: str, username: str) -> str | None:
        return self.keys.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[service, username] = password


@pytest.fixture(autouse=True)
def our_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", OurKeyring())


def key(home: Path, host: str, **more: str) -> str:
    settings = load({}, home=home, model="openai:m@https://h/v1", **more)
    return settings.key_for(RemoteModel("openai", "m", f"https://{host}/v1"))


def test_each_host_has_its_own_key_and_what_has_none_gets_what_is_set(tmp_path: Path) -> None:
    assert key(tmp_path, "api.deepseek.com", keyring="r1-kb") == "sk-of-deepseek"
    assert key(tmp_path, "h", keyring="r1-kb") == ""
    assert key(tmp_path, "h", keyring="r1-kb", api_key="sk-set") == "sk-set"
    assert key(tmp_path, "h", keyring="other", api_key="sk-set") == "sk-other"
    assert key(tmp_path, "elsewhere", keyring="other", api_key="sk-set") == ""


def test_without_the_setting_no_keyring_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert key(tmp_path, "api.deepseek.com") == ""


def test_missing_package_or_keyring_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
    with pytest.raises(SettingsError, match="cannot be read") as unreadable:
        key(tmp_path, "h", keyring="r1-kb")
    assert "KB_API_KEY_FILE" in unreadable.value.hint
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError, match="not installed") as missing:
        key(tmp_path, "h", keyring="r1-kb")
    assert "pip install" in missing.value.hint
