"""A browser, and the page of a whole service over fakes, for the tests of the page."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE_MS = 15_000

OpenPage = Callable[[str], AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of a module; while it is there, the thread has an event loop, which other tests do not bear."""
    if CHROMIUM is None and "CI" in os.environ:
        pytest.fail("no Chromium on this machine; in CI the page is never left untested")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def console() -> list[str]:
    """Errors in the browser's console, which fail a test that leaves them here."""
    return []


@pytest.fixture
def open_page(browser: Browser, console: list[str]) -> Iterator[OpenPage]:
    """Opens the page of a service in English, as in a fresh browser, until the block ends."""

    @contextmanager
    def opened(url: str) -> Iterator[Page]:
        context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: console.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(url)
        yield page
        context.close()

    yield opened
    assert console == []


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A folder to be watched, empty."""
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder
