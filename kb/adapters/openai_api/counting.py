"""Counts tokens by the server's own tokenizer. Knows two ways: messages at once, or the text its template makes."""

from collections.abc import Sequence
from typing import Any

from kb.adapters.openai_api.connection import Connection
from kb.adapters.openai_api.discovery import Server
from kb.errors import ModelError
from kb.values.chat import Message

_REMEMBERED = 4096
"""Texts whose count is remembered: passages are counted again and again."""


class Counter:
    """Counts tokens; for one event loop."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._known: dict[str, int] = {}

    async def text(self, text: str) -> int:
        """Counts the tokens of a text, without what marks its beginning.

        Raises:
            ModelError: The server cannot be reached, or does not say.
        """
        if not text:
            return 0
        if text not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = await self._tokens(self._body_of_text(text))
        return self._known[text]

    async def prompt(self, messages: Sequence[Message]) -> int:
        """Counts the tokens of the prompt that messages make.

        Raises:
            ModelError: The server cannot be reached, or does not say.
        """
        wire = [{"role": message.role, "content": message.content} for message in messages]
        if self._server.dialect.counts == "messages":
            return await self._tokens({"model": self._server.model.model, "messages": wire})
        made = await self._connection.ask(f"{self._server.model.root}/apply-template", {"messages": wire})
        prompt = made.get("prompt") if isinstance(made, dict) else None
        if not isinstance(prompt, str):
            raise self._silent("/apply-template")
        return await self._tokens({"content": prompt, "add_special": True, "parse_special": True})

    def _body_of_text(self, text: str) -> dict[str, Any]:
        if self._server.dialect.counts == "messages":
            return {"model": self._server.model.model, "prompt": text, "add_special_tokens": False}
        return {"content": text, "add_special": False, "parse_special": False}

    async def _tokens(self, body: dict[str, Any]) -> int:
        answer = await self._connection.ask(f"{self._server.model.root}/tokenize", body)
        if isinstance(answer, dict):
            if isinstance(count := answer.get("count"), int):
                return count
            if isinstance(tokens := answer.get("tokens"), list):
                return len(tokens)
        raise self._silent("/tokenize")

    def _silent(self, path: str) -> ModelError:
        return ModelError(
            f"the server {self._server.model.host} does not say at {path} how long a text is",
            "update the server, or look at its log",
        )
