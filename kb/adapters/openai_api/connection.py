"""Requests to one server: key, proxy, TLS, retries; errors in plain words.

Knows no dialect. Invariants: the key goes to this server and nowhere else, redirects are not followed, and neither key
nor body is logged; after the first byte of a reply nothing is tried again.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from kb.adapters.openai_api import errors
from kb.errors import ModelBusy, ModelError, ModelUnreachable
from kb.models.remote import RemoteModel

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""For questions about the server, which it answers at once."""

PAUSES_SECONDS = (0.3, 1.0, 3.0)
"""Before a request is tried again, where the server does not say how long."""

LONGEST_PAUSE_SECONDS = 20.0
"""Where a server wants more, whoever asks is told so instead."""

_MAX_BODY_BYTES = 8_000_000


class Connection:
    """A pool of connections to one server; for one event loop.

    Args:
        key: Sent as bearer; empty: none is.
    """

    def __init__(self, model: RemoteModel, key: str) -> None:
        self._model = model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        try:  # what listens on this machine is not asked for through a proxy
            self._client = httpx.AsyncClient(headers=headers, timeout=timeout, trust_env=model.is_elsewhere)
        except (ValueError, ImportError, OSError) as error:
            raise errors.of_failure(model, error) from error

    async def ask(self, url: str, body: object = None, seconds: float = ANSWER_SECONDS) -> Any:
        """Gets a URL, or posts a body to it, and reads the JSON that comes; tried again as `opened`.

        Args:
            seconds: How long all of that may take.

        Returns:
            None if there is no such thing there, or it is no JSON.

        Raises:
            ModelError: It cannot be reached, or refuses.
        """
        try:
            async with asyncio.timeout(seconds), self.opened(url, body) as response:
                return _json(await _whole(response))
        except TimeoutError as error:
            raise errors.of_failure(self._model, httpx.ReadTimeout("")) from error
        except errors.NotServed:
            return None

    @asynccontextmanager
    async def opened(self, url: str, body: object = None) -> AsyncIterator[httpx.Response]:
        """Sends a request, and gives the response once it has begun with a success.

        What fails before that is tried again where it may go well then: a connection that the server has just given
        up, a server that is overloaded or restarts.

        Raises:
            ModelError: It cannot be reached, or refuses.
        """
        response = await self._begun(url, body)
        try:
            yield response
        except (httpx.HTTPError, OSError) as error:
            raise errors.of_failure(self._model, error) from error
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def _begun(self, url: str, body: object) -> httpx.Response:
        for pause in PAUSES_SECONDS:
            try:
                return await self._send(url, body)
            except _Again as again:
                seconds = pause if again.seconds is None else again.seconds
                if seconds > LONGEST_PAUSE_SECONDS:
                    raise again.error from again
                logger.info("%s: tried again in %.1f s", again.error.message, seconds)
            await asyncio.sleep(seconds)
        try:
            return await self._send(url, body)
        except _Again as again:
            raise again.error from again

    async def _send(self, url: str, body: object) -> httpx.Response:
        try:
            request = self._client.build_request("GET" if body is None else "POST", url, json=body)
            response = await self._client.send(request, stream=True)
            if response.is_success:
                return response
            try:
                said = await _whole(response)
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            failure = errors.of_failure(self._model, error)
            is_final = isinstance(error, httpx.ProxyError | httpx.ConnectTimeout)
            if isinstance(failure, ModelUnreachable) and not is_final:
                raise _Again(failure) from error
            raise failure from error
        wait = errors.retry_after(response.headers)
        failure = errors.of_status(self._model, response.status_code, said, wait)
        if isinstance(failure, ModelUnreachable | ModelBusy):
            raise _Again(failure, wait)
        raise failure


class _Again(Exception):
    """What went wrong may go well a moment later.

    Args:
        seconds: When, if the server says so.
    """

    def __init__(self, error: ModelError, seconds: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.seconds = seconds


async def _whole(response: httpx.Response) -> bytes:
    body = b""
    async for data in response.aiter_bytes():
        body += data
        if len(body) > _MAX_BODY_BYTES:
            break
    return body


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
