"""The page, as a person uses it: real server, real models, a real browser."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SAMPLES = Path(__file__).parents[3] / "sample_docs"
ANSWER_MS = 240_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.models,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    for name in ("visitor-faq.md", "pika-p3-manual.pdf"):
        shutil.copy(SAMPLES / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `kb serve` listens, once it is ready and has indexed the folder."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "server", "--home", str(home), "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        found = next(match for line in process.stderr if (match := re.search(r"http://\S+", line)))
        try:
            _wait_until_ready(found[0])
            yield found[0]
        finally:
            process.terminate()
            process.stderr.read()


@pytest.fixture
def page(url: str) -> Iterator["playwright.Page"]:
    """The page in English, in a fresh browser; errors in its console fail the test."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(locale="en-US", viewport={"width": 1400, "height": 900})
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        yield page
        browser.close()
        assert errors == []


def test_a_question_is_answered_and_its_citation_shows_the_quote_in_its_place(page: "playwright.Page") -> None:
    page.fill("#question", "How many beds does the guest house have?")
    page.press("#question", "Enter")
    page.wait_for_selector('.turn[data-state="done"]', timeout=ANSWER_MS)
    assert "16" in page.inner_text(".turn .answer")
    assert page.locator(".turn .passage").count() >= 1
    page.click('.turn [data-citation="1"]')
    mark = page.wait_for_selector("#viewer mark")
    assert "16 beds" in mark.inner_text()
    assert "visitor-faq.md" in page.inner_text("#viewer")
    page.keyboard.press("Escape")
    assert not page.is_visible("#viewer")


def test_a_question_that_waits_says_how_many_come_before_it(page: "playwright.Page") -> None:
    shown = page.evaluate(
        """async () => {
          const { Turn } = await import("/static/turn.js");
          const turn = new Turn("Why?", [], () => {}, null);
          return [2, 1, 0].map((place) => {
            turn.take("waiting", { place });
            return turn.node.querySelector(".stage").textContent;
          });
        }"""
    )
    assert shown == ["2 questions before yours… 0 s", "1 question before yours… 0 s", "Reading 0 passages… 0 s"]


def test_what_found_no_room_in_the_prompt_is_told_quietly_and_only_then(page: "playwright.Page") -> None:
    shown = page.evaluate(
        """async () => {
          const { Turn } = await import("/static/turn.js");
          const place = { document_id: "d", title: "T", source: "t.md", page: null, heading: "", start: 0, end: 4 };
          const passages = [1, 2].map((number) => ({ ...place, number, text: "text" }));
          const whole = { answer: "Yes.", citations: [], answerable: true, finish_reason: "stop", model: "m" };
          const rest = { timings: {}, index: { pending: 0 } };
          return [{ turns: 0, passages: [] }, { turns: 1, passages: [2] }].map((left_out) => {
            const turn = new Turn("Why?", [], () => {}, null);
            turn.take("passages", { passages });
            turn.take("done", { ...whole, ...rest, left_out });
            const marked = [...turn.node.querySelectorAll("[data-unseen]")].map((card) => card.dataset.passage);
            return [turn.node.querySelector(".note")?.textContent ?? "", marked];
          });
        }"""
    )
    told = "The model did not see 1 earlier question and 1 passage, for lack of room."
    assert shown == [["", []], [told, ["2"]]]


def test_thinking_is_left_to_the_service_unless_it_is_chosen(page: "playwright.Page") -> None:
    chosen = page.eval_on_selector_all("#thinking input", "all => all.map(({ value, checked }) => [value, checked])")
    assert chosen == [["auto", True], ["off", False], ["short", False], ["full", False]]


def test_a_question_can_be_narrowed_by_keyboard_and_stays_so_until_the_chip_goes(page: "playwright.Page") -> None:
    page.focus("#filter-button")
    page.keyboard.press("Enter")
    page.press('[data-kind="types"] .option:has-text("PDF")', "Enter")
    assert re.match(r"1 of \d+ documents", page.inner_text("#filter-count"))
    page.keyboard.press("Escape")
    assert page.is_hidden("#filter-panel")
    for question in ("How is the battery charged?", "How many beds are there?"):
        assert _sources_found(page, question) == {"pika-p3-manual.pdf"}
        assert page.inner_text(".turn:last-child .narrowed") == "PDF"
    page.click("#filter-chips button")
    assert "visitor-faq.md" in _sources_found(page, "How many beds does the guest house have?")


def test_one_document_alone_can_be_asked(page: "playwright.Page") -> None:
    page.click('.document[data-source="visitor-faq.md"] [data-focus^="only"]')
    assert page.evaluate("document.activeElement.id") == "question"
    assert page.locator("#filter-chips .filter-chip").count() == 1
    assert _sources_found(page, "How is the battery of the Pika charged?") == {"visitor-faq.md"}
    page.click("#new-conversation")
    assert page.is_hidden("#filter-chips")


def test_an_uploaded_file_is_listed_and_indexed(page: "playwright.Page", folder: Path, tmp_path: Path) -> None:
    note = tmp_path / "水箱.md"
    note.write_text("# 水箱\n\n东侧水箱的容量是 7300 升。\n", "utf-8")
    page.set_input_files("#upload-input", str(note))
    page.wait_for_selector('.document[data-source="水箱.md"][data-state="indexed"]', timeout=60_000)
    assert (folder / "水箱.md").read_bytes() == note.read_bytes()


def test_a_broken_file_is_listed_with_its_reason(page: "playwright.Page", folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nno more than that")
    failed = page.wait_for_selector('.document[data-source="broken.pdf"][data-state="failed"]', timeout=60_000)
    assert "broken" in failed.inner_text().lower()


def test_a_forgotten_document_answers_no_more_and_its_file_stays(page: "playwright.Page", folder: Path) -> None:
    (folder / "diary.md").write_text("# Diary of a numbat\n\nNumbats eat termites.\n", "utf-8")
    row = '.document[data-source="diary.md"][data-state="indexed"]'
    page.wait_for_selector(row, timeout=60_000)
    page.click(f"{row} [data-focus^='forget']")
    page.click("#confirm-yes")
    page.wait_for_selector(row, state="detached", timeout=30_000)
    page.click(".forgotten summary")
    assert "diary.md" in page.inner_text('.forgotten [data-source="diary.md"]')
    assert page.locator('.document[data-source="diary.md"][data-state="failed"]').count() == 0
    assert (folder / "diary.md").is_file()


def test_failed_files_are_tried_again_by_a_button(page: "playwright.Page", folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7\nno more than that")
    failed = '.document[data-source="bad.pdf"][data-state="failed"]'
    assert "next try: when the file changes" in page.wait_for_selector(failed, timeout=60_000).inner_text()
    with page.expect_response(lambda response: response.url.endswith("/sync?retry=true")) as answered:
        page.click('[data-group="failed"] .retry')
    assert answered.value.ok
    page.wait_for_selector('[data-group="failed"] .retry:enabled')
    assert page.locator(failed).count() == 1


def test_long_work_is_a_bar_and_goes_away(page: "playwright.Page") -> None:
    work = {"files_done": 120, "files_total": 900, "chunks_done": 1460}
    rates = {"files_per_second": 1.2, "chunks_per_second": 14.3, "seconds_left": 310.0}
    states = [
        {"work": {**work, **rates}, "current": "a/report.pdf"},
        {"building": {"label": "making a new index", "done": 3000, "total": 12000, "unit": "chunks"}},
    ]

    def answer(route: "playwright.Route") -> None:
        response = route.fetch()
        status = response.json()
        status["index"].update(states.pop(0) if states else {})
        route.fulfill(response=response, json=status)

    assert page.is_hidden("#work")
    page.route("**/status", answer)
    page.reload()
    page.locator("#work-line", has_text="120 of 900 files").wait_for()
    shown = page.inner_text("#work")
    assert "about 5 min left" in shown
    assert "a/report.pdf" in shown
    assert "14 chunks/s" in shown
    assert page.evaluate("document.querySelector('#work-bar').position") == pytest.approx(120 / 900)
    page.locator("#work-line", has_text="3,000 of 12,000 chunks").wait_for()
    page.wait_for_selector("#work", state="hidden")


def test_what_stands_in_the_way_is_told_above_the_conversation(page: "playwright.Page") -> None:
    def answer(route: "playwright.Route") -> None:
        response = route.fetch()
        status = response.json()
        error = {"code": "storage", "message": "the disk is full", "hint": "free some space"}
        status["index"].update({"degraded": True, "error": error})
        status["folders"].append({"path": "/media/away", "reachable": False})
        status["unsupported"] = {".docx": 12}
        route.fulfill(response=response, json=status)

    page.route("**/status", answer)
    page.reload()
    page.wait_for_selector('[data-notice="degraded"]')
    notices = page.inner_text("#notices")
    assert "/media/away" in notices
    assert "the disk is full" in notices
    page.click('[data-notice="degraded"] .dismiss')
    assert page.locator('[data-notice="degraded"]').count() == 0
    assert "12 .docx" in page.inner_text(".unsupported")


def test_the_page_speaks_chinese(page: "playwright.Page") -> None:
    page.select_option("#language", "zh") if page.locator("select#language").count() else page.click("#language")
    assert page.get_attribute("html", "lang").startswith("zh")
    assert re.search(r"[\u4e00-\u9fff]", page.get_attribute("#question", "placeholder") or page.inner_text("body"))


def test_the_page_fits_a_phone(page: "playwright.Page") -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def _sources_found(page: "playwright.Page", question: str) -> set[str]:
    """Asks, and gives the documents of the passages that are found; the answer is not waited for."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector(".turn:last-child .passage", state="attached", timeout=ANSWER_MS)
    sources = set(page.locator(".turn:last-child .passage .source").all_inner_texts())
    page.evaluate("document.querySelector('#stop').click()")
    page.wait_for_selector("#send:visible")
    return sources


def _wait_until_ready(url: str) -> None:
    for _ in range(600):
        if httpx.get(f"{url}/readyz", trust_env=False).is_success:
            httpx.post(f"{url}/sync", timeout=300, trust_env=False).raise_for_status()
            return
        time.sleep(0.5)
    raise AssertionError("the service did not get ready")
