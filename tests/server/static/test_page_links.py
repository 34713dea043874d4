"""Links into documents, which other programs show beside their answers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.static.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    model = FakeLanguageModel("The guest house has 16 beds.")
    settings = quick_settings(tmp_path_factory.mktemp("home"))
    with serving(settings, tmp_path_factory.mktemp("watched"), model=model) as served:
        served.write("beds.md", "# Beds\n\nThere are 🙂 rooms. The guest house has 16 beds.\n")
        served.sync()
        yield served


def test_link_of_a_source_opens_the_document_with_its_quote(service: Served, open_page: OpenPage) -> None:
    question = {"role": "user", "content": "How many beds has the guest house?"}
    answered = service.client.post("/v1/chat/completions", json={"model": "r1-kb", "messages": [question]}).json()
    (source,) = answered["choices"][0]["message"]["annotations"]
    with open_page(source["url_citation"]["url"]) as page:
        expect(page.locator("#viewer mark")).to_have_text(source["source"]["quote"])
        expect(page.locator("#viewer-title")).to_have_text("Beds")
        page.evaluate("location.hash = 'document=' + new URLSearchParams(location.hash.slice(1)).get('document')")
        expect(page.locator("#viewer mark")).to_have_count(0)
        expect(page.locator("#viewer .rendered")).to_contain_text("16 beds")


@pytest.mark.parametrize("link", ["#document=nothing&start=-1&end=x", "#", "#start=3"])
def test_link_that_leads_nowhere_does_no_harm(
    service: Served, open_page: OpenPage, console: list[str], link: str
) -> None:
    with open_page(f"{service.url}/{link}") as page:
        expect(page.locator("#question")).to_be_visible()
        if "document" in link:
            expect(page.locator("#viewer")).to_contain_text("no document has the id")
            assert any("404" in said for said in console)
    console.clear()
