"""Serves the doubles of `tests.remote_doubles` over real sockets, and opens the models on them."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from kb.adapters.openai_api.model import RemoteLanguageModel, open_remote_model
from kb.models.remote import remote_model
from tests.remote_doubles import DashScope, DeepSeek, Double, Ollama, OpenAI, Refusal, openai_error


@contextmanager
def serving(double: Double) -> Iterator[str]:
    """Serves a double on a free port.

    Yields:
        Its address, with `/v1` but for Ollama.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer("GET", None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            self._answer("POST", json.loads(body) if body else None)

        def _answer(self, method: str, body: Any) -> None:
            self.path = urlsplit(self.path).path  # whole where it comes as to a proxy
            double.requests.append((method, self.path, body))
            double.headers.append(dict(self.headers))
            try:
                if double.key and self.headers.get("authorization") != f"Bearer {double.key}":
                    said = self.headers.get("authorization")
                    raise openai_error(401, f"Incorrect API key provided: {said}", "invalid_api_key")
                if not double.is_chat(self.path):
                    self._json(200, double.handle(method, self.path, body), {})
                    return
                double.chats.append(body)
                if double.failures:
                    raise double.failures.pop(0)
                double.check(body)
                if body.get("stream"):
                    self._stream(body)
                else:
                    self._json(200, double.look(body), {})
            except Refusal as refusal:
                self._json(refusal.status, refusal.body, refusal.headers)

        def _json(self, status: int, body: object, headers: Mapping[str, str]) -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, body: dict[str, Any]) -> None:
            double.running += 1
            try:
                self._wait(double.silence)
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for place, line in enumerate(double.reply(body)):
                    self._wait(double.pause)
                    if place == double.break_after:
                        self.close_connection = True
                        return
                    if place == double.error_after:
                        line = double.error_line()
                    data = line.encode()
                    self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    self.wfile.flush()
                    if place == double.error_after:
                        break
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                double.closed_by_client.append(time.monotonic())
                self.close_connection = True
            finally:
                double.running -= 1

        def _wait(self, seconds: float) -> None:
            """Waits, and notices as soon as the client has gone, as a real server does."""
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                self.connection.settimeout(min(left, 0.02))
                try:
                    if self.connection.recv(1) == b"":
                        raise ConnectionResetError
                except TimeoutError:
                    pass
                finally:
                    self.connection.settimeout(None)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that has gone

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_address[1]}{'' if isinstance(double, Ollama) else '/v1'}"
    try:
        yield double.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


HOSTS: Mapping[type[Double], str] = {
    DeepSeek: "api.deepseek.com",
    DashScope: "dashscope.aliyuncs.com",
    OpenAI: "api.openai.com",
}
"""What is known by its host is reached through a proxy, which a double can be as well."""


def name_of(double: Double, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a model on a double that is being served is written in the settings."""
    if host := HOSTS.get(type(double)):
        monkeypatch.setenv("HTTP_PROXY", double.url.removesuffix("/v1"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        return f"openai:{double.model}@http://{host}/v1"
    return f"{'ollama' if isinstance(double, Ollama) else 'openai'}:{double.model}@{double.url}"


@contextmanager
def engine(double: Double, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[RemoteLanguageModel]:
    """Serves a double, and opens the model on it."""
    with serving(double):
        model = remote_model(name_of(double, monkeypatch))
        assert model
        opened = open_remote_model(model, options.pop("key", double.key), **options)
        try:
            yield opened
        finally:
            opened.close()
