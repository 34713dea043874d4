"""Open WebUI in a browser: answer, reasoning fold, and sources that can be clicked."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.clients.conftest import ANSWER, QUESTION, program
from tests.harness import Served, eventually
from tests.server.static.conftest import browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("default"),
]

SETTINGS = {
    "WEBUI_AUTH": "False",
    "WEBUI_SECRET_KEY": "test",
    "USE_SLIM_DOCKER": "true",  # does without what its slim requirements leave out
    "OFFLINE_MODE": "True",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_OLLAMA_API": "False",
    "DEFAULT_MODELS": "r1-kb",
    "RAG_EMBEDDING_ENGINE": "openai",
    "OPENAI_API_KEYS": "none",
    "OPENAI_API_CONFIGS": '{"0": {"headers": {"X-KB-Task": "{{TASK}}"}}}',
}
START_SECONDS = 240


@contextmanager
def open_webui(service_url: str, data: Path) -> Iterator[str]:
    """Runs it over a service, with a folder of its own."""
    command = program("open-webui")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    data.mkdir()
    own = {"DATA_DIR": str(data), "HOME": str(data), "CORS_ALLOW_ORIGIN": url, "PORT": str(port)}
    api = {"OPENAI_API_BASE_URLS": f"{service_url}/v1", "RAG_OPENAI_API_BASE_URL": f"{service_url}/v1"}
    with (data / "log").open("w") as log:
        started = subprocess.Popen(
            [command, "serve", "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **SETTINGS, **own, **api, "RAG_OPENAI_API_KEY": "none"},
            cwd=data,
            stdout=log,
            stderr=log,
        )
    try:
        assert eventually(lambda: _answers(url) or started.poll() is not None, START_SECONDS)
        assert started.poll() is None, (data / "log").read_text()[-2000:]
        yield url
    finally:
        started.kill()
        started.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def ask(page: Page, url: str, question: str, answer_ms: float = 60_000) -> str:
    """Asks in a new chat; gives the answer as it is shown when its sources are there."""
    page.goto(url, wait_until="domcontentloaded")
    box = page.locator("#chat-input")
    box.wait_for(timeout=120_000)
    for name in ("Okay, Let's Go!", "Got it", "Close"):
        if (button := page.get_by_role("button", name=name)).count():
            button.first.click()
    box.click()
    page.keyboard.type(question)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Source").last.wait_for(timeout=answer_ms)
    return page.locator(".chat-assistant").last.inner_text()


def test_answer_fold_and_sources_are_shown(service: Served, tmp_path: Path, browser: Browser) -> None:  # noqa: F811
    with open_webui(service.url, tmp_path / "webui") as url:
        page = browser.new_page(locale="en-US", viewport={"width": 1100, "height": 760})
        page.route(lambda address: "127.0.0.1" not in address, lambda route: route.abort())
        shown = ask(page, url, QUESTION)
        assert ANSWER.removesuffix(".") in shown
        assert page.get_by_text("Thought for").count()
        page.get_by_role("button", name="Source").last.click()
        source = page.locator("button[id^=source-]").first
        source.wait_for()
        assert "dome.md" in source.inner_text()
        source.click()
        quoted = page.get_by_role("dialog").last
        quoted.wait_for()
        assert ANSWER in quoted.inner_text()
        link = quoted.get_by_role("link").first.get_attribute("href")
        assert link
        assert link.startswith(f"{service.url}/#document=")
        page.close()
