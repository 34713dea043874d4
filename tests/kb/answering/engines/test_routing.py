"""Which engine answers, and what an engine elsewhere is never told."""

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest

from kb.answering.engines.calibrations import Calibrations
from kb.answering.engines.local_only import LocalOnly
from kb.answering.engines.routing import Role, role_for
from kb.answering.understanding.form import Form
from kb.errors import ModelUnreachable
from kb.knowledge_base import KnowledgeBase
from kb.ports import LanguageModel
from kb.values.answers import Answer, AskOptions, QuestionKind
from kb.values.chat import Turn
from kb.values.documents import Block, Chunk, Document, DocumentInfo, FileVersion
from kb.values.filters import Filters
from tests.fakes import CALIBRATION, FakeLanguageModel
from tests.harness import open_fake_knowledge_base, quick_settings
from tests.remote_doubles import DeepSeek
from tests.remote_servers import engine

LARGE = "openai:some-model@https://api.deepseek.com/v1"
SECRET = "The safe of the observatory opens with the number 4711."
OPEN = "The dome of the observatory opens at nine in the evening."
TAGGED = "The diary says that the observatory was founded by Ada."


@pytest.mark.parametrize(
    ("routing", "form", "parts", "evidence", "role"),
    [
        ("auto", "sentence", 1, 0.95, "small"),
        ("auto", "sentence", 1, 0.6, "large"),
        ("auto", "sentence", 2, 0.95, "large"),
        ("auto", "calculation", 1, 0.95, "large"),
        ("small", "calculation", 2, 0.1, "small"),
        ("large", "sentence", 1, 0.95, "large"),
    ],
)
def test_plain_questions_are_for_the_small_engine(
    routing: str, form: Form, parts: int, evidence: float, role: Role
) -> None:
    assert role_for(routing, form, parts, evidence, must_stay=False, here=["small"]) == role  # type: ignore[arg-type]


@pytest.mark.parametrize(("here", "role"), [([], None), (["small"], "small"), (["large", "small"], "large")])
def test_what_must_stay_is_for_an_engine_here(here: list[Role], role: Role | None) -> None:
    assert role_for("large", "sentence", 1, 0.5, must_stay=True, here=here) == role


def document(source: str, tags: tuple[str, ...] = (), root: str = "/home/ada/notes") -> DocumentInfo:
    file = FileVersion(root, source, 1, 1)
    return DocumentInfo("id", file, "title", "text/markdown", tags, None, None, 1, 1, datetime.datetime.now())


@pytest.mark.parametrize(
    ("entry", "source", "tags", "is_held"),
    [
        ("private/", "private/a.md", (), True),
        ("Private", "deep/private/er/a.md", (), True),
        ("private", "a.md", ("Private",), True),
        ("#private", "a.md", ("private",), True),
        ("private/", "privately/a.md", (), False),
        ("private/", "a-private.md", ("privates",), False),
        ("/home/ada/notes/", "a.md", (), True),
        ("notes/tax", "tax/2024.md", (), True),
        ("tax/2024.md", "tax/2024.md", (), True),
        ("tax/2024.md", "tax/2025.md", (), False),
        ("财务", "财务/工资.md", (), True),
    ],
)
def test_folders_and_tags_that_stay(entry: str, source: str, tags: tuple[str, ...], is_held: bool) -> None:
    assert LocalOnly([entry]).holds(document(source, tags)) is is_held


def test_document_that_is_gone_stays_if_any_does() -> None:
    assert LocalOnly(["private"]).holds(None)
    assert not LocalOnly([]).holds(None)
    assert not LocalOnly([]).holds(document("private/a.md", ("private",)))


def add(knowledge_base: KnowledgeBase, source: str, text: str, tags: tuple[str, ...] = ()) -> None:
    read = Document(source, "text/markdown", text, (Block(0, len(text)),), tags=tags)
    knowledge_base.replace(FileVersion("/notes", source, len(text), 1), read, [Chunk(0, len(text), text)])


@contextmanager
def notes(
    tmp_path: Path, large: LanguageModel, small: LanguageModel | None = None, **more: object
) -> Iterator[KnowledgeBase]:
    names = {"model": LARGE, "small_model": "a-small-model" if small else "", "local_only": "private/,diary"}
    settings = quick_settings(tmp_path / "home", **{**names, "top_k": 3, **more})
    with open_fake_knowledge_base(settings, model=large, small=small) as knowledge_base:
        add(knowledge_base, "private/safe.md", SECRET)
        add(knowledge_base, "open/dome.md", OPEN)
        add(knowledge_base, "open/diary.md", TAGGED, ("diary",))
        add(knowledge_base, "open/cook.md", "The cook serves soup on Mondays.")
        add(knowledge_base, "open/bus.md", "Bus twelve stops beside the gate.")
        yield knowledge_base


KINDS: tuple[QuestionKind | None, ...] = (None, *get_args(QuestionKind))
QUESTIONS = [
    "What number opens the safe of the observatory?",
    "When does the dome of the observatory open?",
    "Who founded the observatory, says the diary?",
    "When does the cook serve soup?",
    "Where does bus twelve stop?",
    "And what number does it open with?",
    "Does the cook serve soup on Mondays?",
    "Which bus stops beside the gate?",
    "Summarise the file safe.md.",
    "List all numbers that stand in my notes.",
    "What number opens the safe of the observatory, and when does its dome open?",
    "What are the key points of diary.md?",
    "Find all the times and dates in the documents.",
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("requests", [20, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("has_small", [True, False])
def test_of_two_hundred_requests_none_holds_what_must_stay(
    has_small: bool, requests: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = DeepSeek()
    small = FakeLanguageModel("The small one: 4711.") if has_small else None
    history = [Turn("What is in the safe?", SECRET), Turn("And the diary?", TAGGED)]
    with engine(double, monkeypatch) as large, notes(tmp_path, large, small, top_k=1, routing="large") as base:
        answers: list[Answer] = []
        while len(double.chats) < requests:
            question = QUESTIONS[len(answers) % len(QUESTIONS)]
            kind = KINDS[len(answers) // 2 % len(KINDS)]
            answers.append(base.ask(question, history if len(answers) % 2 else (), options=AskOptions(kind=kind)))
            assert len(answers) < 20 * requests
    sent = json.dumps(double.requests, ensure_ascii=False)
    assert "dome of the observatory opens at nine" in sent
    for secret in ("4711", "safe of the observatory opens", "diary says", "founded by Ada"):
        assert secret not in sent
    if has_small:
        assert any(answer.model == "fake" and "4711" in answer.answer for answer in answers)


def test_without_an_engine_here_the_rest_answers_and_says_what_stayed(tmp_path: Path) -> None:
    large = FakeLanguageModel(OPEN)
    with notes(tmp_path, large) as base:
        answer = base.ask("When does the dome of the observatory open?")
    assert (answer.answerable, answer.left_out.kept_here) == (True, 2)
    assert [passage.source for passage in answer.passages][:1] == ["open/dome.md"]
    assert all(SECRET not in message.content for asked in large.asked for message in asked)


@pytest.mark.parametrize(
    ("question", "words"),
    [("What number opens the safe?", "KB_SMALL_MODEL"), ("number 4711 opens the safe 对吗？", "不得离开本机")],
)
def test_where_nothing_else_answers_the_reason_is_told(question: str, words: str, tmp_path: Path) -> None:
    large = FakeLanguageModel(OPEN)
    with notes(tmp_path, large, top_k=1, min_evidence=0.01) as base:
        answer = base.ask(question)
    assert (answer.finish_reason, answer.left_out.kept_here, large.asked) == ("no_evidence", 1, [])
    assert words in answer.answer


def test_list_of_what_has_a_form_needs_no_engine_where_none_may_read_on(tmp_path: Path) -> None:
    large = FakeLanguageModel(OPEN)
    private = AskOptions(kind="exhaustive", filters=Filters(folders=("private",)))
    with notes(tmp_path, large) as base:
        answer = base.ask("List all e-mail addresses that the winch has.", options=private)
    assert (answer.kind, answer.finish_reason, large.asked) == ("exhaustive", "stop", [])
    assert answer.answer.startswith("None was found.")


def test_small_engine_stands_in_for_a_large_one_that_is_away_and_says_so(tmp_path: Path) -> None:
    away = FakeLanguageModel(fails=ModelUnreachable("the server api.deepseek.com is away"))
    small = FakeLanguageModel("It opens at nine.")
    with notes(tmp_path, away, small, local_only="", routing="large") as base:
        answer = base.ask("When does the dome of the observatory open?")
    assert (answer.answer, answer.model) == ("It opens at nine.", "fake")
    assert "api.deepseek.com is away" in answer.instead
    away = FakeLanguageModel(fails=ModelUnreachable("the server api.deepseek.com is away"))
    with (
        notes(tmp_path / "off", away, FakeLanguageModel(), local_only="", routing="large", fallback="off") as base,
        pytest.raises(ModelUnreachable),
    ):
        base.ask("When does the dome of the observatory open?")


def test_server_that_was_away_at_the_start_is_asked_again(tmp_path: Path) -> None:
    tries: list[str] = []

    def before(name: str) -> None:
        if name == "answering":
            tries.append(name)
            if len(tries) < 2:
                raise ModelUnreachable("it is away")

    settings = quick_settings(tmp_path / "home", model=LARGE, small_model="small", routing="large")
    large, small = FakeLanguageModel("From afar."), FakeLanguageModel("From here.")
    with open_fake_knowledge_base(settings, model=large, small=small, before_loading=before) as base:
        add(base, "dome.md", OPEN)
        answers = [base.ask("When does the dome of the observatory open?") for _ in range(2)]
    assert [(answer.answer, bool(answer.instead)) for answer in answers] == [
        ("From here.", True),
        ("From afar.", False),
    ]


def test_small_engine_looks_and_the_large_one_writes(tmp_path: Path) -> None:
    large, small = FakeLanguageModel("From afar."), FakeLanguageModel("From here.", margins={"dome": -20.0})
    models = tmp_path / "models"
    Calibrations(models).keep(CALIBRATION)
    with notes(tmp_path, large, small, local_only="", routing="large", min_evidence=0.3, models=models) as base:
        answer = base.ask("When does the dome of the observatory open?")
    assert (answer.finish_reason, large.asked, small.asked) == ("no_evidence", [], [])
