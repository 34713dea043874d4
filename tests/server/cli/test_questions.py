import io
import json
from pathlib import Path
from typing import get_args

import pytest

from kb.errors import ModelMissing
from kb.settings import Settings
from kb.values.answers import Thinking
from tests.harness import Served, quick_settings, serving
from tests.server.cli.running import QUESTION, Run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


def test_question_is_answered_with_its_source(run: Run, served: Served) -> None:
    asked = run("ask", QUESTION, "--reasoning")
    assert asked.code == 0
    assert asked.out.startswith("The second dome was repaired in March.")
    assert "[1] dome.md" in asked.out
    assert "Look for [the dome]." in asked.err
    assert "Look for" not in asked.out


def test_answer_as_json_is_nothing_but_json(run: Run, served: Served) -> None:
    asked = run("-v", "ask", "--json", "--top-k", "1", "--thinking", "off", QUESTION)
    answer = json.loads(asked.out)
    assert (answer["answer"], len(answer["passages"])) == ("The second dome was repaired in March.", 1)
    for command in (["search", "--json", "dome"], ["status", "--json"]):
        assert json.loads(run(*command).out)


@pytest.mark.parametrize("thinking", get_args(Thinking))
def test_each_way_to_think_can_be_chosen_and_is_in_the_help(run: Run, served: Served, thinking: str) -> None:
    assert run("ask", "--thinking", thinking, QUESTION).code == 0
    assert thinking in run("ask", "--thinking", "hard", QUESTION).message
    for command in ("ask", "chat"):
        words = " ".join(run(command, "--help").out.replace("│", " ").split())
        assert thinking in words.partition("reasoning model may think:")[2].partition("--")[0]


def test_question_without_an_answer_ends_with_3(run: Run, settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path):
        asked = run("ask", QUESTION)
        assert asked.code == 3
        assert asked.out.strip()
        assert json.loads(run("ask", "--json", QUESTION).out)["answerable"] is False
        assert run("search", "dome").code == 3


def test_text_is_checked_statement_by_statement(
    run: Run, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = tmp_path / "draft.md"
    draft.write_text("# Dome\n\nThe second dome was repaired in March. It is green.\n", "utf-8-sig")
    checked = run("verify", str(draft))
    assert checked.code == 3, "not all is borne out"
    lines = [line for line in checked.out.splitlines() if line and not line.startswith(" ")]
    assert [line.split("  ")[0].strip() for line in lines] == [
        "supported",
        "not shown",
    ]
    assert "dome.md" in checked.out
    assert "no model has judged" in checked.err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"The second dome was repaired in March.")))
    piped = run("verify", "-", "--json")
    assert piped.code == 0
    assert json.loads(piped.out)["statements"][0]["verdict"] == "supported"
    draft.write_bytes(b"\xff\xfe\x00")
    for name in (str(draft), str(tmp_path / "missing")):
        assert "cannot be read" in run("verify", name).message


@pytest.fixture
def narrowed(served: Served) -> Served:
    """The service with documents that filters can tell apart."""
    served.write("kilns/2024/a.md", "---\ntags: [Kiln]\ndate: 2024-05-01\n---\nThe kiln was lit in May.\n")
    served.write("kilns/2025/b.txt", "The kiln was lit again in June.\n")
    served.sync()
    return served


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--in", "kilns/"], ["kilns/2024/a.md", "kilns/2025/b.txt"]),
        (["--in", "kilns/2024", "--in", "kilns/2025/b.txt"], ["kilns/2024/a.md", "kilns/2025/b.txt"]),
        (["--in", "{folder}/kilns/2024"], ["kilns/2024/a.md"]),
        (["--in", "kilns", "--type", "TXT"], ["kilns/2025/b.txt"]),
        (["--tag", "kiln"], ["kilns/2024/a.md"]),
        (["--since", "2024-05-01", "--until", "2024-05-01"], ["kilns/2024/a.md"]),
        (["--document", "kilns/2025/b.txt", "--document", "{folder}/dome.md"], ["dome.md", "kilns/2025/b.txt"]),
    ],
)
def test_options_narrow_a_search(run: Run, narrowed: Served, options: list[str], expected: list[str]) -> None:
    given = [option.format(folder=narrowed.folder) for option in options]
    found = run("search", "when was the kiln lit", "--top-k", "50", "--json", *given)
    assert sorted({passage["source"] for passage in json.loads(found.out)["passages"]}) == expected


def test_folder_that_is_there_is_meant_before_one_below_a_watched_folder(
    run: Run, narrowed: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    search = ("search", "when was the kiln lit", "--in")
    monkeypatch.chdir(narrowed.folder / "kilns")
    assert "a.md" in run(*search, "2024").out
    assert "a.md" in run(*search, "..").out
    assert run(*search, "2026").code == 3
    (tmp_path / "link").symlink_to(narrowed.folder / "kilns" / "2024")
    assert "a.md" in run(*search, tmp_path / "link").out
    (tmp_path / "kilns").mkdir()
    monkeypatch.chdir(tmp_path)
    nothing = run(*search, "kilns")
    assert (nothing.code, nothing.out) == (3, "")
    assert "within the filters" in nothing.err


def test_question_that_no_document_may_answer_is_told_so(run: Run, narrowed: Served) -> None:
    answered = run("ask", QUESTION, "--tag", "unknown")
    assert answered.code == 3
    assert "Within the filters" in answered.out
    asked = run("ask", QUESTION, "--document", "dome.md", "--json")
    assert {passage["source"] for passage in json.loads(asked.out)["passages"]} == {"dome.md"}


@pytest.mark.parametrize(
    "options",
    [["--in", ""], ["--tag", " "], ["--since", "2024-02-01", "--until", "2024-01-01"], ["--document", "kilns"]],
)
def test_options_that_make_no_sense_are_told(run: Run, narrowed: Served, options: list[str]) -> None:
    for command in ("ask", "search"):
        refused = run(command, "kiln", *options)
        assert refused.code == 2
        assert refused.message


def test_document_that_is_not_there_cannot_answer(run: Run, narrowed: Served) -> None:
    refused = run("search", "kiln", "--document", "dom.md")
    assert refused.code == 1
    assert "did you mean" in refused.message


def test_error_of_the_server_has_the_exit_code_that_it_has_here(run: Run, settings: Settings, folder: Path) -> None:
    def before_loading(name: str) -> None:
        if name == "answering":
            raise ModelMissing("no answering model is here", "`kb models pull` fetches one")

    with serving(settings, folder, before_loading=before_loading) as served:
        served.sync()
        asked = run("ask", QUESTION)
    assert asked.code == 4
    assert "no answering model is here" in asked.err
    assert "→ `kb models pull` fetches one" in asked.err


@pytest.mark.parametrize("arguments", [["ask", "--thinking", "hard", "Why?"], ["ask", " "], ["search", ""]])
def test_questions_that_make_no_sense_end_with_2(run: Run, served: Served, arguments: list[str]) -> None:
    asked = run(*arguments)
    assert asked.code == 2
    assert asked.message


def test_question_that_is_no_text_is_no_traceback(run: Run, served: Served) -> None:
    asked = run("ask", b"caf\xe9 dome?".decode(errors="surrogateescape"))
    assert asked.code in (0, 3)
    assert "Traceback" not in asked.err
