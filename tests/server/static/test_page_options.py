"""How questions are asked: how thoroughly, as what kind, and whether a single key leads to the question box."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.static.conftest import OpenPage

TEXT = "The guest house has 16 beds."

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "beds.md").write_text(f"# Beds\n\n{TEXT}\n", "utf-8")
    with serving(quick_settings(tmp_path_factory.mktemp("home")), folder, model=FakeLanguageModel(TEXT)) as served:
        served.sync()
        yield served


@pytest.fixture
def page(service: Served, open_page: OpenPage) -> Iterator[Page]:
    with open_page(service.url) as page:
        page.locator('.document[data-state="indexed"]').wait_for()
        yield page


def _asked(page: Page) -> tuple[str | None, str | None]:
    """Asks, and gives the effort and the kind that the service is asked for."""

    def is_question(request: Request) -> bool:
        return request.url.endswith("/ask")

    page.fill("#question", "How many beds has the guest house?")
    with page.expect_request(is_question) as sent:
        page.press("#question", "Enter")
    page.wait_for_selector(".turn:last-child[data-state=done]")
    body = sent.value.post_data_json or {}
    return body.get("effort"), body.get("kind")


def test_effort_is_kept_and_a_kind_is_chosen_for_one_question(page: Page) -> None:
    assert _asked(page) == (None, None)
    page.click("#options-button")
    page.check("#effort [value=thorough]")
    page.select_option("#kind", "lookup")
    expect(page.locator("#options-button")).to_have_accessible_name("Options · thorough · one fact")
    assert _asked(page) == ("thorough", "lookup")
    expect(page.locator("#options-panel")).to_be_hidden()
    expect(page.locator("#options-chosen")).to_have_text("thorough")
    assert _asked(page) == ("thorough", None)
    page.reload()
    page.click("#language")
    expect(page.locator("#options-chosen")).to_have_text("深入检索")
    assert _asked(page) == ("thorough", None)


def test_options_are_reached_and_left_by_keyboard(page: Page) -> None:
    page.focus("#options-button")
    page.keyboard.press("Enter")
    expect(page.locator("#options-panel")).to_be_focused()
    expect(page.locator("#options-button")).to_have_attribute("aria-expanded", "true")
    page.focus("#effort [value=quick]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#effort [value=auto]")).to_be_checked()
    page.keyboard.press("Enter")
    assert page.locator(".turn").count() == 0
    page.keyboard.press("Escape")
    expect(page.locator("#options-panel")).to_be_hidden()
    expect(page.locator("#options-button")).to_be_focused()


def test_the_single_key_can_be_turned_off_and_stays_so(page: Page) -> None:
    page.focus("#language")
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()
    page.click("#options-button")
    page.uncheck("#shortcut")
    for _ in range(2):
        expect(page.locator("#keys")).to_have_text("Enter to ask, Shift + Enter for a new line")
        page.focus("#language")
        page.keyboard.press("/")
        expect(page.locator("#language")).to_be_focused()
        page.reload()


def test_escape_stops_the_answer_but_first_closes_what_is_open(
    tmp_path: Path, watched: Path, open_page: OpenPage
) -> None:
    goes_on = threading.Event()
    (watched / "beds.md").write_text(f"# Beds\n\n{TEXT}\n", "utf-8")
    model = FakeLanguageModel(TEXT, goes_on=goes_on)
    with serving(quick_settings(tmp_path / "home"), watched, model=model) as served:
        served.sync()
        with open_page(served.url) as page:
            page.click("#options-button")
            page.check("#effort [value=thorough]")
            page.fill("#question", "Who has 16 beds?")
            page.press("#question", "Enter")
            expect(page.locator(".turn .stage")).to_contain_text("Looking for the words under which it may stand")
            expect(page.locator("#announcer")).to_contain_text("Looking for the words")
            expect(page.locator("#keys")).to_have_text("Esc to stop")
            page.click("#options-button")
            page.keyboard.press("Escape")
            expect(page.locator("#options-panel")).to_be_hidden()
            expect(page.locator("#stop")).to_be_visible()
            page.keyboard.press("Escape")
            page.wait_for_selector(".turn[data-state=cancelled]")
            expect(page.locator("#keys")).to_contain_text("Enter to ask")
            goes_on.set()
