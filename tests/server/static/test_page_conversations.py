"""Conversations that are kept, on the page in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.static.conftest import OpenPage

TEXT = "The guest house has 16 beds."
QUESTION = "How many beds has the guest house?"

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture
def service(tmp_path: Path, watched: Path) -> Iterator[Served]:
    with serving(quick_settings(tmp_path / "home"), watched, model=FakeLanguageModel(TEXT)) as served:
        served.write("beds.md", f"# Beds\n\n{TEXT}\n")
        served.sync()
        yield served


@pytest.fixture
def page(service: Served, open_page: OpenPage) -> Iterator[Page]:
    with open_page(service.url) as page:
        yield page


def ask(page: Page, question: str = QUESTION) -> None:
    page.fill("#question", question)
    with page.expect_response("**/turns"):
        page.press("#question", "Enter")


def open_first(page: Page) -> None:
    page.click("#conversations-button")
    page.click(".conversation-name")
    expect(page.locator("#conversations-panel")).to_be_hidden()


def test_a_conversation_is_found_again_and_goes_on(page: Page, service: Served) -> None:
    ask(page)
    ask(page, "And how many rooms?")
    page.reload()
    expect(page.locator(".turn")).to_have_count(0)
    page.click("#conversations-button")
    page.fill("#conversations-search", "no such words")
    expect(page.locator(".conversation")).to_have_count(0)
    page.fill("#conversations-search", "16 beds")
    expect(page.locator(".conversation-title")).to_have_text(QUESTION)
    page.click(".conversation-name")
    expect(page.locator(".turn .question")).to_have_text([QUESTION, "And how many rooms?"])
    expect(page.locator(".turn .note.warning")).to_have_count(0)
    page.click('.turn [data-citation="1"] >> nth=0')
    expect(page.locator("#viewer mark")).to_have_text(TEXT)
    ask(page, "Are there more?")
    (kept,) = service.knowledge_base.conversations.list()
    assert kept.turns == 3


def test_an_old_answer_says_which_of_its_citations_have_changed(page: Page, service: Served) -> None:
    ask(page)
    service.write("beds.md", "# Beds\n\nThe guest house has 18 beds.\n")
    service.sync()
    page.reload()
    open_first(page)
    expect(page.locator(".turn .note.warning")).to_contain_text("1 of 1 citation")
    page.click(".turn [data-standing=changed]")
    expect(page.locator("#viewer-changed blockquote")).to_have_text(TEXT)
    expect(page.locator("#viewer-body")).to_contain_text("18 beds")
    expect(page.locator("#viewer-body mark")).to_have_count(0)


def test_it_is_renamed_exported_and_deleted(page: Page, service: Served, tmp_path: Path) -> None:
    ask(page)
    page.click("#conversations-button")
    page.click('.conversation [aria-label^="Rename"]')
    page.fill(".conversation-field", "Beds of the guest house")
    page.press(".conversation-field", "Enter")
    expect(page.locator(".conversation-title")).to_have_text("Beds of the guest house")
    with page.expect_download() as downloading:
        page.click('.conversation [aria-label^="Export"]')
    assert downloading.value.suggested_filename == "Beds of the guest house.md"
    downloading.value.save_as(tmp_path / "exported.md")
    assert f"[^1]: Beds (beds.md, Beds) “{TEXT}”" in (tmp_path / "exported.md").read_text("utf-8")
    page.click('.conversation [aria-label^="Delete"]')
    page.click('.conversation [aria-label="Delete for good"]')
    expect(page.locator(".conversation")).to_have_count(0)
    assert service.knowledge_base.conversations.list() == []


def test_nothing_is_kept_where_that_is_switched_off(tmp_path: Path, watched: Path, open_page: OpenPage) -> None:
    settings = quick_settings(tmp_path / "home", keep_conversations="off")
    with serving(settings, watched, model=FakeLanguageModel(TEXT)) as served:
        served.write("beds.md", f"# Beds\n\n{TEXT}\n")
        served.sync()
        with open_page(served.url) as page:
            page.click("#conversations-button")
            expect(page.locator("#conversations-off")).to_be_visible()
            page.keyboard.press("Escape")
            page.fill("#question", QUESTION)
            page.press("#question", "Enter")
            page.wait_for_selector('.turn[data-state="done"]')
            expect(page.locator(".turn .problem")).to_have_count(0)
        assert served.knowledge_base.conversations.list() == []
