"""Asks a server what it is: its dialect, whether it has the model, how large the window is, whether the model thinks.

Invariant: it is asked only for lists and properties, never for an answer, which might cost something.
"""

import re
from dataclasses import dataclass
from typing import Any

from kb.adapters.openai_api.connection import Connection
from kb.adapters.openai_api.dialects import (
    BY_HOST,
    BY_OWNER,
    DEEPSEEK,
    LLAMA_SERVER,
    LM_STUDIO,
    OLLAMA,
    OLLAMA_THINKING,
    OTHER,
    Dialect,
    name_says_it_thinks,
)
from kb.errors import ModelMissing
from kb.generation.reasoning import CLOSER, OPENER
from kb.models.remote import RemoteModel

_OLLAMA_WINDOW_TOKENS = 8192
"""As large as that of a model on this machine: a larger one costs memory there at once."""

_NAMES_SHOWN = 8
_THINKS_IN_TEMPLATE = re.compile(r"enable_thinking|<think>|reasoning_content", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of a server and the model on it.

    Attributes:
        thinks: Whether the model is known to think before it answers.
        skips_thinking: What a reply is made to begin with so that the model does not think, where its template opens
            the thinking whatever is asked for; empty: that is not needed.
    """

    model: RemoteModel
    dialect: Dialect
    context_tokens: int
    thinks: bool
    skips_thinking: str = ""


async def discover(model: RemoteModel, connection: Connection, context_tokens: int = 0) -> Server:
    """Finds out what a server is.

    Args:
        context_tokens: The window to use; where the server has less, it has its way. 0: the server's.

    Raises:
        ModelMissing: The server does not have the model.
        ModelError: It cannot be reached, or refuses.
    """
    if model.protocol == "ollama":
        return await _ollama(model, connection, context_tokens)
    thinks = name_says_it_thinks(model.model)
    if dialect := BY_HOST.get(model.host):
        thinks = thinks or dialect is DEEPSEEK
        return Server(model, dialect, context_tokens or dialect.window_tokens, thinks)
    listed = _listed(await connection.ask(f"{model.url}/models"))
    mine = listed.get(model.model) or (next(iter(listed.values())) if listed else {})
    dialect = BY_OWNER.get(str(mine.get("owned_by", "")), OTHER)
    if dialect is OLLAMA:
        return await _ollama(model, connection, context_tokens)
    if listed and model.model not in listed and dialect is not LLAMA_SERVER:  # that one answers to any name
        raise _missing(model, listed)
    window = _number(mine, "max_model_len", "context_length", "max_context_length")
    skips = ""
    if dialect is LLAMA_SERVER:
        properties = await connection.ask(f"{model.root}/props") or {}
        window = _number(properties.get("default_generation_settings") or {}, "n_ctx") or window
        thinks = bool(_THINKS_IN_TEMPLATE.search(str(properties.get("chat_template") or "")))
        skips = await _skips_thinking(model, connection) if thinks else ""
    if dialect is LM_STUDIO:
        details = _listed(await connection.ask(f"{model.root}/api/v0/models")).get(model.model, {})
        window = _number(details, "loaded_context_length", "max_context_length")
    window = window or (context_tokens or dialect.window_tokens)
    return Server(model, dialect, min(context_tokens or window, window), thinks, skips)


async def _skips_thinking(model: RemoteModel, connection: Connection) -> str:
    asked = {"messages": [{"role": "user", "content": "?"}], "chat_template_kwargs": {"enable_thinking": False}}
    made = await connection.ask(f"{model.root}/apply-template", asked) or {}
    return f"{OPENER}\n\n{CLOSER}\n\n" if str(made.get("prompt")).rstrip().endswith(OPENER) else ""


async def _ollama(model: RemoteModel, connection: Connection, context_tokens: int) -> Server:
    shown = await connection.ask(f"{model.root}/api/show", {"model": model.model})
    if shown is None:
        installed = await connection.ask(f"{model.root}/api/tags") or {}
        names = {str(one.get("name")): one for one in installed.get("models") or ()}
        raise _missing(model, names, f"; `ollama pull {model.model}` fetches it")
    properties = shown.get("model_info") or {}
    length = next((value for key, value in properties.items() if key.endswith(".context_length")), 0)
    window = min(context_tokens or _OLLAMA_WINDOW_TOKENS, int(length) or OLLAMA.window_tokens)
    if "thinking" in (shown.get("capabilities") or ()):
        return Server(model, OLLAMA_THINKING, window, thinks=True)
    return Server(model, OLLAMA, window, name_says_it_thinks(model.model))


def _missing(model: RemoteModel, listed: dict[str, Any], hint: str = "") -> ModelMissing:
    names = ", ".join(sorted(listed)[:_NAMES_SHOWN]) or "none"
    return ModelMissing(
        f"the server {model.host} has no model {model.model!r}; it has: {names}", f"correct KB_MODEL{hint}"
    )


def _listed(answer: Any) -> dict[str, dict[str, Any]]:
    data = answer.get("data") if isinstance(answer, dict) else None
    return {str(one.get("id")): one for one in data or () if isinstance(one, dict)}


def _number(fields: dict[str, Any], *names: str) -> int:
    return next((int(value) for name in names if isinstance(value := fields.get(name), int) and value > 0), 0)
