"""A model on a server: how its name is written in the settings, and which host would see what it is asked.

Opens no connection. A name never holds a key.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from kb.errors import SettingsError

_FORM = "write openai:MODEL@URL or ollama:MODEL@URL, for example openai:qwen3-32b@http://127.0.0.1:8000/v1"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model that answers over HTTP.

    Attributes:
        protocol: `openai`: chat completions; `ollama`: Ollama's own, which has a window that can be set.
        model: As the server calls it.
        url: Without a slash at the end; of `openai` with the `/v1`.
        setting: Which setting names it.
    """

    protocol: Literal["openai", "ollama"]
    model: str
    url: str
    setting: str = "KB_MODEL"

    @property
    def host(self) -> str:
        """Name or address of the machine, in lower case, without a port."""
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def is_elsewhere(self) -> bool:
        """Whether what it is asked leaves this machine."""
        return self.host not in _LOOPBACK

    @property
    def root(self) -> str:
        """The address of the server, without `/v1`."""
        return self.url.removesuffix("/v1")


def remote_model(name: str, setting: str = "KB_MODEL") -> RemoteModel | None:
    """Reads the name of a model on a server.

    Args:
        name: `openai:MODEL@URL` or `ollama:MODEL@URL`.
        setting: Which setting holds it.

    Returns:
        None if it names no model on a server.

    Raises:
        SettingsError: It begins as one, but model or address are missing or odd.
    """
    protocol, colon, rest = name.partition(":")
    if not colon or protocol not in ("openai", "ollama"):
        return None
    model, _, url = rest.rpartition("@http")
    url = f"http{url}".rstrip("/")
    try:
        parts = urlsplit(url)
        is_odd = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        is_odd = True
    if not model or is_odd:
        raise SettingsError(f"the model {_without_secrets(name)!r} has no name or no address that can be read", _FORM)
    if parts.username or parts.password:
        raise SettingsError(
            f"the address of the model {model!r} holds a name or a password",
            "take them out: the key belongs into KB_API_KEY or KB_API_KEY_FILE",
        )
    if protocol == "ollama":
        return RemoteModel("ollama", model, url.removesuffix("/v1"), setting)
    return RemoteModel("openai", model, url if parts.path else f"{url}/v1", setting)


def _without_secrets(name: str) -> str:
    before, at, after = name.rpartition("@")
    return f"{before.split('//')[0]}@{after}" if at and "//" in before else name
