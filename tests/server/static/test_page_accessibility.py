"""What axe-core finds wrong with each place of the page, in light and dark: nothing."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.static.conftest import OpenPage

SAMPLES = Path(__file__).parents[3] / "sample_docs"
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
FINDINGS = """async () => {
  const level = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run({ runOnly: level, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}"""

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not AXE.exists():
        if "CI" in os.environ:
            pytest.fail("axe-core is not installed: make page")
        pytest.skip("axe-core is not installed: make page")
    folder = tmp_path_factory.mktemp("watched")
    for name in ("visitor-faq.md", "pika-p3-manual.pdf"):
        shutil.copy(SAMPLES / name, folder / name)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 no more than this")
    model = FakeLanguageModel("The guest house has 16 beds.\n\n| a | b |\n|---|---|\n| 1 | 2 |", "Let me see.")
    with serving(quick_settings(tmp_path_factory.mktemp("home")), folder, model=model) as served:
        assert served.pipeline.sync(60)
        yield served


def show_options(page: Page) -> None:
    page.click("#options-button")
    page.check("#effort [value=thorough]")
    page.select_option("#kind", "document")


def show_filters(page: Page) -> None:
    page.click("#filter-button")
    page.click(".option >> nth=0")


def show_answer(page: Page) -> None:
    page.fill("#question", "How many beds has the guest house?")
    with page.expect_response("**/turns"):
        page.press("#question", "Enter")


def show_conversations(page: Page) -> None:
    show_answer(page)
    page.click("#conversations-button")
    expect(page.locator(".conversation").first).to_be_visible()


def show_pages(page: Page) -> None:
    page.click('.document[data-source="pika-p3-manual.pdf"] .document-title')
    page.fill("#viewer-search", "battery")
    expect(page.locator(".sheet mark").first).to_be_in_viewport()
    page.click("#viewer-thumbnails-toggle")
    expect(page.locator(".text-layer span").first).to_be_attached()


def show_text(page: Page) -> None:
    page.click('.document[data-source="pika-p3-manual.pdf"] .document-title')
    page.fill("#viewer-search", "battery")
    page.click("#viewer-tab-text")
    expect(page.locator("#viewer .text mark")).to_be_visible()


def show_markdown(page: Page) -> None:
    page.click('.document[data-source="visitor-faq.md"] .document-title')
    page.fill("#viewer-search", "16 beds")
    expect(page.locator("#viewer .rendered mark")).to_be_visible()


def show_status(page: Page) -> None:
    page.click("#status-button")


SHOWN = [
    *(show_options, show_filters, show_answer, show_conversations),
    *(show_pages, show_text, show_markdown, show_status),
]


@pytest.mark.parametrize("show", SHOWN, ids=lambda show: show.__name__.removeprefix("show_"))
def test_nothing_is_found_wrong(service: Served, open_page: OpenPage, show: Callable[[Page], None]) -> None:
    with open_page(service.url) as page:
        page.emulate_media(reduced_motion="reduce")
        page.locator('.document[data-state="indexed"]').nth(1).wait_for()
        show(page)
        page.evaluate(AXE.read_text("utf-8"))
        found = {}
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            found[colours] = page.evaluate(FINDINGS)
        assert found == {"light": [], "dark": []}
