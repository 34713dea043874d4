"""Files that bring scripts along, in a real browser: nothing in them may run, wherever they are opened or shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.harness import Served, quick_settings, serving
from tests.ingest.formats.pdf.made_pdfs import of_objects
from tests.server.static.conftest import OpenPage

SCRIPT = "fetch('/status?ran'); document.title = 'ran'; alert('ran')"
HTML = f"""<title>Otters</title><h1>Otters sleep</h1><p>They float in the bay.</p>
<script>{SCRIPT}</script><img src=x onerror="{SCRIPT}"><svg onload="{SCRIPT}"></svg>
<iframe srcdoc="<script>{SCRIPT}</script>"></iframe><a href="javascript:{SCRIPT}">seals</a>
<form action="javascript:{SCRIPT}"><button autofocus onfocus="{SCRIPT}">seals</button></form>
<meta http-equiv="refresh" content="0;url=javascript:{SCRIPT}">
"""
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"><script>{SCRIPT}</script></svg>'
FILES = {
    "page.html": HTML,
    "page.htm": f"<!doctype html><html><body>{HTML}</body></html>",
    "note.md": f"# Otters\n\nThey float.\n\n{HTML}\n\n[seals](javascript:{SCRIPT})\n\n{SVG}\n",
    "text.txt": HTML,
    "table.csv": f"animal,words\notter,{SVG}\nseal,<script>{SCRIPT}</script>\n",
    "values.json": f'{{"animal": "<script>{SCRIPT}</script>"}}',
    "code.js": f"{SCRIPT}\n",
    "guide.rst": f"Otters\n======\n\n.. raw:: html\n\n   <script>{SCRIPT}</script>\n",
    "mail.eml": f"Subject: Otters\nContent-Type: text/html\n\n{HTML}",
}

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("watched")
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    content = b"BT /F 30 Tf 120 520 Td (Otters float in the bay every day) Tj ET"
    of_objects(
        folder / "paper.pdf",
        b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\('ran'\\))>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    with serving(quick_settings(tmp_path_factory.mktemp("home")), folder) as served:
        assert served.pipeline.sync(60)
        assert {*served.sources} == {*FILES, "paper.pdf"}
        yield served


@pytest.fixture
def ran(service: Served, open_page: OpenPage, console: list[str]) -> Iterator[tuple[Page, list[str]]]:
    """The page, and what has given itself away as having run. What a policy refuses is told in the console, too."""
    signs: list[str] = []
    with open_page(service.url) as page:
        page.on("dialog", lambda dialog: (signs.append(dialog.message), dialog.dismiss()))
        page.context.on("request", lambda request: signs.append(request.url) if "ran" in request.url else None)
        page.locator('.document[data-state="indexed"]').nth(len(FILES)).wait_for()
        yield page, signs
    console.clear()


@pytest.mark.parametrize("source", FILES)
def test_an_original_runs_nothing_when_it_is_opened(service: Served, ran: tuple[Page, list[str]], source: str) -> None:
    page, signs = ran
    page.goto(f"{service.url}/documents/{service.documents[source].id}/file")
    assert page.evaluate("document.contentType") == "text/plain"
    assert page.evaluate("self.origin") == "null"
    page.wait_for_timeout(100)
    assert (signs, page.title() == "ran") == ([], False)


def test_nothing_runs_where_documents_are_shown(service: Served, ran: tuple[Page, list[str]]) -> None:
    page, signs = ran
    for source in [*FILES, "paper.pdf"]:
        page.click(f'.document[data-source="{source}"] .document-title')
        expect(page.locator("#viewer-title")).to_have_text(service.documents[source].title)
        expect(page.locator("#viewer-body")).not_to_have_attribute("aria-busy", "true")
        for link in page.locator("#viewer-body a").all():
            assert not (link.get_attribute("href") or "").startswith("javascript")
        if page.is_visible("#viewer-tab-text"):
            page.click("#viewer-tab-text")
            expect(page.locator("#viewer-body .text")).to_be_visible()
            page.click("#viewer-tab-shown")
        page.click("#viewer-close")
    page.wait_for_timeout(100)
    assert (signs, page.title() == "ran") == ([], False)


@pytest.mark.parametrize(("source", "media_type"), [("paper.pdf", "application/pdf"), ("page.html", "text/plain")])
def test_originals_have_their_media_type_and_are_never_sniffed(service: Served, source: str, media_type: str) -> None:
    headers = service.client.get(f"/documents/{service.documents[source].id}/file").headers
    assert headers["content-type"].partition(";")[0] == media_type
    assert headers["x-content-type-options"] == "nosniff"
    assert ("sandbox" in headers["content-security-policy"]) == (media_type != "application/pdf")


def test_an_original_is_the_file_itself(service: Served) -> None:
    served = service.client.get(f"/documents/{service.documents['page.html'].id}/file")
    assert served.content == Path(service.folder, "page.html").read_bytes()
