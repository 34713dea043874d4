"""The documents on the page, and what it tells of the service's state; the service is whole, its models are fakes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.harness import Served, quick_settings, serving
from tests.ingest.formats.pdf.made_pdfs import write
from tests.server.static.conftest import OpenPage

PAGE_SIZE = 100

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service with one document; each test that adds files has names of its own."""
    with serving(quick_settings(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("watched")) as served:
        served.write("beds.md", "# Beds\n\nThe guest house has 16 beds.\n")
        served.sync()
        yield served


@pytest.fixture
def page(service: Served, open_page: OpenPage) -> Iterator[Page]:
    """The page, with its document listed."""
    with open_page(service.url) as page:
        page.wait_for_selector(_row("beds.md"))
        yield page


def test_an_uploaded_file_is_listed_and_indexed(page: Page, service: Served, tmp_path: Path) -> None:
    note = tmp_path / "水箱.md"
    note.write_text("# 水箱\n\n东侧水箱的容量是 7300 升。\n", "utf-8")
    page.set_input_files("#upload-input", str(note))
    page.wait_for_selector(_row("水箱.md"))
    page.wait_for_selector('.upload[data-name="水箱.md"][data-state="indexed"]')
    assert (service.folder / "水箱.md").read_bytes() == note.read_bytes()


def test_a_broken_file_is_listed_with_its_reason(page: Page, service: Served) -> None:
    service.write("broken.pdf", b"%PDF-1.7\nno more than that")
    assert "broken" in page.inner_text(_row("broken.pdf", "failed")).lower()


def test_pages_without_text_are_told_in_both_languages(page: Page, service: Served, tmp_path: Path) -> None:
    scan = write(tmp_path / "scan.pdf", ["Before the scan.", lambda pdf: pdf.rect(10, 10, 90, 90), "After it."])
    service.write("partly.pdf", scan.read_bytes())
    assert "1 of 3 pages has no text: 2" in page.inner_text(_row("partly.pdf"))
    page.click("#language")
    assert "共 3 页，其中 1 页没有文字：第 2 页" in page.inner_text(_row("partly.pdf"))
    page.click("#language")


def test_a_forgotten_document_answers_no_more_and_its_file_stays(page: Page, service: Served) -> None:
    service.write("diary.md", "# Diary of a numbat\n\nNumbats eat termites.\n")
    page.click(f"{_row('diary.md')} [data-focus^='forget']")
    page.click("#confirm-yes")
    page.wait_for_selector(_row("diary.md"), state="detached")
    page.click(".forgotten summary")
    assert "diary.md" in page.inner_text('.forgotten [data-source="diary.md"]')
    assert page.locator(_row("diary.md", "failed")).count() == 0
    assert (service.folder / "diary.md").is_file()


def test_failed_files_are_tried_again_by_a_button(page: Page, service: Served) -> None:
    service.write("bad.pdf", b"%PDF-1.7\nno more than that")
    assert "next try: when the file changes" in page.inner_text(_row("bad.pdf", "failed"))
    with page.expect_response(lambda response: response.url.endswith("/sync?retry=true")) as answered:
        page.click('[data-group="failed"] .retry')
    assert answered.value.ok
    page.wait_for_selector('[data-group="failed"] .retry:enabled')
    expect(page.locator(_row("bad.pdf", "failed"))).to_have_count(1)


def test_a_new_file_is_told_by_the_stream_alone_and_the_list_is_read_a_page_at_a_time(
    page: Page, service: Served
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(service.url)))
    service.write("linen.md", "# Linen\n\nBed linen is provided.\n")
    page.wait_for_selector(_row("linen.md"))
    expect(page.locator("#documents-count")).to_have_text(str(len(service.documents)))
    assert set(asked) == {f"/documents?limit={PAGE_SIZE}"}


def test_of_many_documents_the_page_reads_more_only_where_they_are_wanted(
    tmp_path: Path, watched: Path, open_page: OpenPage
) -> None:
    with serving(quick_settings(tmp_path / "home"), watched) as served:
        for number in range(PAGE_SIZE + 20):
            tag = "rare" if number == PAGE_SIZE + 10 else "common"
            served.write(f"{number:03}.md", f"---\ntags: [{tag}]\n---\n# Note {number:03}\n\nText {number}.\n")
        served.sync()
        with open_page(served.url) as page:
            rows = page.locator('.document[data-state="indexed"]')
            expect(rows).to_have_count(PAGE_SIZE)
            assert page.inner_text("#documents-count") == "120"
            page.click('.more:has-text("Show 20 more")')
            expect(rows).to_have_count(PAGE_SIZE + 20)
            page.reload()
            expect(rows).to_have_count(PAGE_SIZE)
            page.click("#filter-button")
            page.click('[data-kind="tags"] .option:has-text("#rare")')
            expect(page.locator("#filter-count")).to_have_text("1 of 120 documents")
            page.reload()
            expect(rows).to_have_count(PAGE_SIZE)
            page.fill("#documents-filter", "Note 110")
            expect(rows).to_have_count(1)


def test_long_work_is_a_bar_and_goes_away(page: Page, service: Served) -> None:
    work = {"files_done": 120, "files_total": 900, "chunks_done": 1460}
    rates = {"files_per_second": 1.2, "chunks_per_second": 14.3, "seconds_left": 310.0}
    states = [
        {"work": {**work, **rates}, "current": "a/report.pdf"},
        {"building": {"label": "making a new index", "done": 3000, "total": 12000, "unit": "chunks"}},
    ]
    assert page.is_hidden("#work")
    page.route("**/events", lambda route: _tell(route, service, states.pop(0) if states else {}))
    page.reload()
    page.locator("#work-line", has_text="120 of 900 files").wait_for()
    shown = page.inner_text("#work")
    assert "about 5 min left" in shown
    assert "a/report.pdf" in shown
    assert "14 chunks/s" in shown
    assert page.evaluate("document.querySelector('#work-bar').position") == pytest.approx(120 / 900)
    page.locator("#work-line", has_text="3,000 of 12,000 chunks").wait_for()
    page.wait_for_selector("#work", state="hidden")


def test_what_stands_in_the_way_is_told_above_the_conversation(page: Page, service: Served) -> None:
    error = {"code": "storage", "message": "the disk is full", "hint": "free some space"}
    folders = [{"path": "/media/away", "reachable": False}]
    more = {"folders": folders, "unsupported": {".docx": 12}}
    page.route("**/events", lambda route: _tell(route, service, {"degraded": True, "error": error}, **more))
    page.reload()
    page.wait_for_selector('[data-notice="degraded"]')
    notices = page.inner_text("#notices")
    assert "/media/away" in notices
    assert "the disk is full" in notices
    page.click('[data-notice="degraded"] .dismiss')
    assert page.locator('[data-notice="degraded"]').count() == 0
    assert "12 .docx" in page.inner_text(".unsupported")


def test_a_service_that_cannot_be_reached_is_told_until_it_can(page: Page, console: list[str]) -> None:
    page.route("**/events", lambda route: route.abort())
    page.reload()
    page.locator('[data-notice="service"]', has_text="cannot reach the service").wait_for()
    page.unroute("**/events")
    page.wait_for_selector('[data-notice="service"]', state="detached")
    page.wait_for_selector(_row("beds.md"))
    console.clear()  # what is refused on purpose is in it


def test_a_page_out_of_sight_keeps_no_connection(page: Page, service: Served) -> None:
    show = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
        page.evaluate(show, True)
    service.write("unseen.md", "# Towels\n\nTowels are provided.\n")
    service.sync()
    assert page.locator(_row("unseen.md")).count() == 0
    page.evaluate(show, False)
    page.wait_for_selector(_row("unseen.md"))


def test_a_service_without_a_stream_is_asked_for_its_status(page: Page, console: list[str]) -> None:
    error = {"error": {"code": "not_found", "message": "no such route", "hint": ""}}
    page.route("**/events", lambda route: route.fulfill(status=404, json=error))
    with page.expect_response("**/status"):
        page.reload()
    expect(page.locator("#status-text")).to_have_text("fake")
    page.wait_for_selector(_row("beds.md"))
    console.clear()


def test_a_token_is_asked_for_once_and_serves_the_stream_too(
    tmp_path: Path, watched: Path, open_page: OpenPage, console: list[str]
) -> None:
    with serving(quick_settings(tmp_path / "home", token="correct horse battery"), watched) as served:
        served.write("beds.md", "# Beds\n\nThe guest house has 16 beds.\n")
        served.sync()
        with open_page(served.url) as page:
            page.fill("#token", "wrong")
            page.press("#token", "Enter")
            page.wait_for_selector("#token-rejected:visible")
            page.fill("#token", "correct horse battery")
            page.press("#token", "Enter")
            page.wait_for_selector(_row("beds.md"))
            served.write("linen.md", "# Linen\n\nBed linen is provided.\n")
            page.wait_for_selector(_row("linen.md"))
            assert page.is_hidden("#token-dialog")
    console.clear()


def _row(source: str, state: str = "indexed") -> str:
    return f'.document[data-source="{source}"][data-state="{state}"]'


def _tell(route: Route, service: Served, index: dict[str, object], **more: object) -> None:
    """Answers as a stream that tells one status and ends."""
    status = service.client.get("/status").json()
    status["index"].update(index)
    body = f"event: status\ndata: {json.dumps({**status, **more})}\n\n"
    route.fulfill(headers={"content-type": "text/event-stream"}, body=body)
