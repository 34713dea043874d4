"""Questions on the page, as a person asks them in a real browser; the service is whole, its models are fakes."""

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.static.conftest import OpenPage

SAMPLES = Path(__file__).parents[3] / "sample_docs"
ANSWER = "The guest house has 16 beds in eight rooms.\n\n- **Bed linen** is provided."

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service with two documents and a model that thinks, for tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("watched")
    for name in ("visitor-faq.md", "pika-p3-manual.pdf"):
        shutil.copy(SAMPLES / name, folder / name)
    model = FakeLanguageModel(ANSWER, "Let me see.")
    with serving(quick_settings(tmp_path_factory.mktemp("home")), folder, model=model) as served:
        served.sync()
        yield served


@pytest.fixture
def page(service: Served, open_page: OpenPage) -> Iterator[Page]:
    """The page, with all documents listed."""
    with open_page(service.url) as page:
        page.locator('.document[data-state="indexed"]').nth(1).wait_for()
        yield page


def test_a_question_is_answered_and_its_citation_shows_the_quote_in_its_place(page: Page) -> None:
    page.click("#options-button")
    page.check("#thinking [value=full]")
    page.fill("#question", "How many beds does the guest house have?")
    page.press("#question", "Enter")
    page.wait_for_selector('.turn[data-state="done"]')
    assert "16" in page.inner_text(".turn .answer")
    assert page.inner_text(".turn .answer li strong") == "Bed linen"
    assert page.locator(".turn .passage").count() >= 1
    assert "Let me see." in page.text_content(".turn .reasoning-text")
    page.click('.turn [data-citation="1"]')
    assert "16 beds" in page.inner_text("#viewer mark")
    assert "visitor-faq.md" in page.inner_text("#viewer")
    page.keyboard.press("Escape")
    assert not page.is_visible("#viewer")


def test_an_answer_that_is_stopped_keeps_what_has_come(watched: Path, tmp_path: Path, open_page: OpenPage) -> None:
    (watched / "beds.md").write_text("# Beds\n\nThe guest house has 16 beds.\n", "utf-8")
    goes_on = threading.Event()
    model = FakeLanguageModel("The guest house has 16 beds.", goes_on=goes_on)
    with serving(quick_settings(tmp_path / "home"), watched, model=model) as served:
        served.sync()
        with open_page(served.url) as page:
            page.fill("#question", "How many beds has the guest house?")
            page.press("#question", "Enter")
            page.wait_for_selector(".turn .passage", state="attached")
            page.click("#stop")
            page.wait_for_selector('.turn[data-state="cancelled"]')
            assert "Stopped." in page.inner_text(".turn .ending")
            assert page.is_visible("#send")
            goes_on.set()


def test_a_question_that_waits_says_how_many_come_before_it(page: Page) -> None:
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


def test_step_says_what_is_being_done_also_between_pieces_of_the_answer(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
          const { Turn } = await import("/static/turn.js");
          const turn = new Turn("Why?", [], () => {}, null);
          const stage = turn.node.querySelector(".stage");
          turn.take("step", { doing: "part", number: 1, of: 2, about: "A?" });
          const first = stage.textContent;
          turn.take("answer", { text: "It is a." });
          const between = stage.hidden;
          turn.take("step", { doing: "section", number: 14, of: 0, about: "B" });
          return [first, between, stage.textContent];
        }"""
    )
    assert shown == ["Looking up part 1/2: A? 0 s", True, "Reading section 14: B 0 s"]


def test_where_several_documents_may_be_meant_one_of_them_is_chosen(page: Page) -> None:
    chosen = page.evaluate(
        """async () => {
          const { Turn } = await import("/static/turn.js");
          const chosen = [];
          const turn = new Turn("Summarise it.", [], () => {}, null, ({ id }) => chosen.push(id));
          const documents = ["a", "b"].map((id) => ({ id, title: `The ${id}`, source: `${id}.md` }));
          const rest = { citations: [], answerable: false, timings: {}, index: { pending: 0 } };
          turn.take("done", { answer: "Which?", finish_reason: "choices", documents, ...rest });
          const buttons = [...turn.node.querySelectorAll(".choices button")];
          buttons[1].click();
          return [...buttons.map((button) => button.textContent), ...chosen, turn.exchange];
        }"""
    )
    assert chosen == ["The a a.md", "The b b.md", "b", None]


def test_answer_is_copied_as_markdown_with_footnotes(page: Page) -> None:
    written = page.evaluate(
        """async () => {
          const { answerAsMarkdown } = await import("/static/copy.js");
          const place = { title: "T", source: "t.md", page: null, heading: "H" };
          const citations = [
            { ...place, number: 1, verdict: "supported", quote: "one  two", answer_end: 4 },
            { ...place, number: 2, verdict: "not_shown", quote: "three", answer_end: 8 },
            { ...place, number: 1, verdict: "supported", quote: "one  two", answer_end: 12 },
          ];
          return answerAsMarkdown("Yes. No. Oh.", citations);
        }"""
    )
    notes = "[^1]: T (t.md, H): “one two”\n[^2]: T (t.md, H): “three”\n"
    assert written == f"Yes.[^1] No.[^2]? Oh.[^1]\n\n{notes}"


def test_what_found_no_room_in_the_prompt_is_told_quietly_and_only_then(page: Page) -> None:
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


def test_an_answer_says_in_how_many_places_it_holds_personal_data(page: Page) -> None:
    notes = page.evaluate(
        """async () => {
          const { Turn } = await import("/static/turn.js");
          const whole = { answer: "Ring 1 or 2.", citations: [], answerable: true, finish_reason: "stop", model: "m" };
          return [[], [5, 10].map((start) => ({ kind: "phone", start, end: start + 1 }))].map((personal) => {
            const turn = new Turn("Why?", [], () => {}, null);
            turn.take("done", { ...whole, timings: {}, index: { pending: 0 }, personal });
            return turn.node.querySelector(".note")?.textContent ?? "";
          });
        }"""
    )
    assert notes == ["", "The answer holds personal data in 2 places."]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("# One *two* #\n\nthree", "<h3>One <em>two</em></h3><p>three</p>"),
        ("1. a\n   - `b|c`\n2. d", "<ol><li>a<ul><li><code>b|c</code></li></ul></li><li>d</li></ol>"),
        ("> **q**\n\n---", "<blockquote><p><strong>q</strong></p></blockquote><hr>"),
        ("```py\n# no\n```", '<div class="code"><pre tabindex="0"><code># no</code></pre></div>'),
        (
            "| a | b |\n|---|---|\n| 1 | 2 |",
            '<div class="table" tabindex="0"><table><thead><tr><th>a</th><th>b</th></tr></thead>'
            "<tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>",
        ),
        ("<b>no</b> [l](http://x)", "<p>&lt;b&gt;no&lt;/b&gt; [l](http://x)</p>"),
    ],
    ids=["heading", "list", "quote", "code", "table", "no markup"],
)
def test_the_markdown_of_an_answer_becomes_elements(page: Page, source: str, shown: str) -> None:
    script = """async (source) => {
      const { AnswerView } = await import("/static/answer-view.js");
      const node = document.createElement("div");
      new AnswerView(node, () => null).update(source, []);
      return node.innerHTML;
    }"""
    assert page.evaluate(script, source) == shown


def test_thinking_is_left_to_the_service_unless_it_is_chosen(page: Page) -> None:
    page.click("#options-button")
    assert page.is_visible("#thinking")
    chosen = page.eval_on_selector_all("#thinking input", "all => all.map(({ value, checked }) => [value, checked])")
    assert chosen == [["auto", True], ["off", False], ["short", False], ["full", False]]


def test_a_question_can_be_narrowed_by_keyboard_and_stays_so_until_the_chip_goes(page: Page) -> None:
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


def test_one_document_alone_can_be_asked(page: Page) -> None:
    page.click('.document[data-source="visitor-faq.md"] [data-focus^="only"]')
    assert page.evaluate("document.activeElement.id") == "question"
    assert page.locator("#filter-chips .filter-chip").count() == 1
    assert _sources_found(page, "How is the battery of the Pika charged?") == {"visitor-faq.md"}
    page.click("#new-conversation")
    assert page.is_hidden("#filter-chips")


def test_the_page_speaks_chinese(page: Page) -> None:
    page.click("#language")
    assert page.get_attribute("html", "lang").startswith("zh")
    assert re.search(r"[\u4e00-\u9fff]", page.get_attribute("#question", "placeholder"))


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def _sources_found(page: Page, question: str) -> set[str]:
    """Asks, and gives the documents of the passages that are found."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector(".turn:last-child[data-state=done]")
    return set(page.locator(".turn:last-child .passage .source").all_inner_texts())


def test_a_question_is_prepared_while_it_is_typed(watched: Path, tmp_path: Path, open_page: OpenPage) -> None:
    (watched / "beds.md").write_text("# Beds\n\nThe guest house has 16 beds.\n", "utf-8")
    model = FakeLanguageModel(ANSWER)
    with serving(quick_settings(tmp_path / "home"), watched, model=model) as service:
        service.sync()
        service.knowledge_base.models.wait_for_model()
        with open_page(service.url) as page:
            with page.expect_response("**/prepare") as prepared:
                page.locator("#question").press_sequentially("How many beds", delay=10)
            assert prepared.value.status == 204
            assert "16 beds" in model.read[0][0][-1].content
            assert model.asked == []
            with page.expect_response("**/prepare"):
                page.locator("#question").press_sequentially(" does the guest house have?", delay=10)
            page.press("#question", "Enter")
            page.wait_for_selector('.turn[data-state="done"]')
    assert len(model.asked) == 1
