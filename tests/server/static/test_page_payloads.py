"""A survey of scripts wherever a page shows what others wrote: text, titles, names, questions, answers, links.

The browser passes over the page's policy, so that what is shown must be harmless by itself; the policy is then tried
alone.
"""

import re
from collections.abc import Iterator
from html import escape

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.static.conftest import PATIENCE_MS, OpenPage
from tests.server.static.payloads import PAYLOADS

SAFE_LINKS = ("", ":", "http:", "https:", "mailto:")
DANGEROUS = """() => [...document.querySelectorAll("body *")].flatMap((node) => [
    ...(/^(script|iframe|object|embed|base|meta|link|style|math)$/i.test(node.localName) ? [node.outerHTML] : []),
    ...[...node.attributes]
        .filter(({ name, value }) => /^on|^srcdoc$/.test(name) || (name === "style" && /url|animation/.test(value)))
        .map(({ name, value }) => `${name}=${value}`),
])"""

AT_A_TIME = 8
"""Payloads in a question."""

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("default"), pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Each payload as the name, the title, a heading and the text of a document, and all of them as an answer."""
    folder = tmp_path_factory.mktemp("watched")
    for number, payload in enumerate(PAYLOADS):
        name = f"{number:02} {payload}".replace("/", "∕").encode()[:200].decode(errors="ignore")
        (folder / f"{name}.md").write_text(f"Otters float.\n\n# {payload}\n\n{payload}\n", "utf-8")
        page = f"<title>{escape(payload)}</title><p>Seals swim.</p><h1>{payload}</h1>{payload}"
        (folder / f"{number:02}.html").write_text(page, "utf-8")
    model = FakeLanguageModel("\n\n".join(PAYLOADS), "\n\n".join(PAYLOADS))
    with serving(quick_settings(tmp_path_factory.mktemp("home")), folder, model=model) as served:
        assert served.pipeline.sync(60)
        assert served.reasons == {}
        assert len(served.sources) == 2 * len(PAYLOADS) == 80
        yield served


class Signs(list[str]):
    """What has given itself away as having run, or as having been fetched from elsewhere."""

    def watch(self, page: Page, url: str) -> None:
        page.context.expose_binding("ran", lambda source, *_: self.append(f"ran in {source['frame'].url}"))
        page.on("dialog", lambda dialog: (self.append(dialog.message), dialog.dismiss()))
        page.context.route(
            lambda asked: not asked.startswith((url, "data:", "about:", "blob:")),
            lambda route: (self.append(route.request.url), route.abort()),
        )


@pytest.fixture
def signs() -> Signs:
    return Signs()


@pytest.fixture
def page(service: Served, browser: Browser, signs: Signs) -> Iterator[Page]:
    """The page without its policy, all documents listed."""
    context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 900}, bypass_csp=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    signs.watch(page, service.url)
    page.goto(service.url)
    page.locator('.document[data-state="indexed"]').nth(2 * len(PAYLOADS) - 1).wait_for()
    yield page
    context.close()


def assert_harmless(page: Page, signs: Signs) -> None:
    """Nothing ran, and nothing stands in the page that would run if it were touched."""
    page.wait_for_timeout(30)
    found = page.evaluate(DANGEROUS)
    links = page.eval_on_selector_all("a, area, form", "all => all.map((node) => node.protocol ?? '')")
    assert (found, set(links) - {*SAFE_LINKS}, list(signs)) == ([], set(), [])
    assert page.evaluate("document.baseURI").startswith(page.url.partition("#")[0])


def test_a_payload_without_a_wall_runs(browser: Browser, service: Served) -> None:
    """Otherwise this survey would see nothing."""
    for payload in PAYLOADS[0], PAYLOADS[8], PAYLOADS[18], PAYLOADS[26], PAYLOADS[29]:
        signs, context = Signs(), browser.new_context()
        page = context.new_page()
        signs.watch(page, service.url)
        page.set_content(f"<!doctype html><body>{payload}")
        page.wait_for_timeout(200)
        context.close()
        assert signs, payload


def test_nothing_runs_in_lists_and_in_the_viewer(service: Served, page: Page, signs: Signs) -> None:
    assert_harmless(page, signs)
    for title in page.locator(".document .document-title").all():
        title.click()
        expect(page.locator("#viewer-body")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator("#viewer-body")).to_contain_text(re.compile("Otters float|Seals swim"))
        assert_harmless(page, signs)
        page.click("#viewer-close")


def test_nothing_runs_in_links_to_documents(page: Page, signs: Signs) -> None:
    for payload in PAYLOADS:
        page.evaluate("(id) => { location.hash = `document=${encodeURIComponent(id)}&start=${id}`; }", payload)
        expect(page.locator("#viewer-title")).to_have_text(payload)
        assert_harmless(page, signs)


def test_nothing_runs_in_questions_reasoning_answers_and_conversations(page: Page, signs: Signs) -> None:
    for number in range(0, len(PAYLOADS), AT_A_TIME):
        page.fill("#question", "\n\n".join(PAYLOADS[number : number + AT_A_TIME]))
        page.press("#question", "Enter")
        page.wait_for_selector('.turn:is([data-state="done"], [data-state="none"])')
        assert_harmless(page, signs)
        page.click("#new-conversation")
    page.reload()
    page.click("#conversations-button")
    expect(page.locator(".conversation").nth(1)).to_be_visible()
    assert_harmless(page, signs)


def test_nothing_runs_that_is_put_into_the_page_itself(
    service: Served, open_page: OpenPage, console: list[str]
) -> None:
    """The policy alone, as if nothing had been made harmless."""
    signs = Signs()
    with open_page(service.url) as page:
        signs.watch(page, service.url)
        for payload in PAYLOADS:
            page.evaluate("(html) => { document.body.insertAdjacentHTML('beforeend', `<div>${html}</div>`); }", payload)
        page.wait_for_timeout(300)
    assert signs == []
    assert any("Content Security Policy" in said for said in console)
    console.clear()
