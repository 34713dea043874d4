import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
import typer.main

import server.cli.main
from kb.errors import ModelMissing
from kb.settings import Settings
from kb.values.answers import Thinking
from server.cli.main import exit_code, main
from server.cli.serving import listen
from tests.fakes import FakeLanguageModel
from tests.harness import Served, eventually, open_fake_knowledge_base, quick_settings, serving
from tests.server.http.test_app import error_classes

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
QUESTION = "When was the second dome repaired?"
COMMANDS = ("serve", "ask", "chat", "search", "add", "sync", "forget", "reindex", "status", "doctor")
EXIT_CODES = {
    2: ("InvalidRequest", "RequestTooLarge", "UnsupportedType", "SettingsError"),
    4: ("ModelError", "ModelMissing", "ModelDownloadError", "ModelLoadError", "PromptTooLong", "ModelBusy"),
    5: ("DataDirectoryLocked",),
}


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What it said of an error, on one line; nothing else may be said of one."""
        assert "Traceback" not in self.err
        assert self.out == ""
        assert "error:" in self.err
        assert "→" in self.err, "a hint"
        return " ".join(self.err.split())


Run = Callable[..., Ran]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, settings: Settings
) -> Iterator[Run]:
    """Runs `kb` as its script does, in this process."""
    monkeypatch.setenv("KB_HOME", str(settings.home))
    monkeypatch.setenv("KB_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")
    root = logging.getLogger()
    handlers = root.handlers[:]

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["kb", *map(str, arguments)])
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        return Ran(code, *capfd.readouterr())

    yield run
    root.handlers[:] = handlers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests that need one; each uses files of its own."""
    folder = tmp_path_factory.mktemp("papers")
    (folder / "dome.md").write_text(DOME)
    model = FakeLanguageModel("The second dome was repaired in March.", "Look for [the dome].")
    with serving(quick_settings(tmp_path_factory.mktemp("home")), folder, model=model) as service:
        service.sync()
        yield service


@pytest.fixture
def served(run: Run, service: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The service, which `run` talks to."""
    monkeypatch.setenv("KB_HOME", str(service.knowledge_base.settings.home))
    return service


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_that_it_accepts(run: Run, command: str) -> None:
    shown = run(command, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"kb {command}" in shown.out.partition("Example")[2]


def test_help_of_all_names_all_commands_and_the_exit_codes(run: Run) -> None:
    for shown in (run("--help"), run()):
        assert all(f" {command} " in shown.out for command in (*COMMANDS, "models", "eval", "bench"))
        assert "5 another process has the data directory open" in " ".join(shown.out.replace("│", " ").split())


def test_no_command_is_without_a_test_of_its_help() -> None:
    assert set(typer.main.get_command(server.cli.main.app).commands) == {*COMMANDS, "models", "eval", "bench"}


def test_help_comes_at_once_because_nothing_heavy_is_imported() -> None:
    program = (
        "import sys, server.cli.main; "
        "print([name for name in ('torch', 'chromadb', 'llama_cpp', 'numpy', 'httpx', 'pypdf', 'fastapi', 'watchdog')"
        " if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_version_is_printed(run: Run) -> None:
    assert run("--version").out.strip().split(".")[0].isdigit()


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["ask"], ["search", "x", "--top-k", "0"], ["serve", "--port", "x"]]
)
def test_wrong_use_ends_with_2(run: Run, arguments: list[str]) -> None:
    used = run(*arguments)
    assert (used.code, used.out) == (2, "")
    assert "Traceback" not in used.err


def test_each_error_has_its_exit_code() -> None:
    for kind in error_classes():
        expected = next((code for code, names in EXIT_CODES.items() if kind.__name__ in names), 1)
        assert exit_code(kind("", "")) == expected, kind


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


def test_file_and_folder_are_added_and_indexed(run: Run, served: Served, tmp_path: Path) -> None:
    more = tmp_path / "more"
    (more / "sub").mkdir(parents=True)
    (more / "sub" / "otter.md").write_text("# Otters\n\nOtters float.\n")
    (more / "picture.png").write_bytes(b"")
    single = tmp_path / "quokka [1].md"
    single.write_text("# Quokka\n\nQuokkas smile.\n")
    added = run("add", single, more)
    assert added.code == 0
    assert {"otter.md", "quokka [1].md"} <= set(served.sources)
    assert "picture.png" not in {path.name for path in served.folder.iterdir()}
    assert f"{single} → {served.folder}/quokka [1].md" in added.out
    assert f"{len(served.sources)} documents" in added.out


def test_sync_and_status_tell_what_is_not_indexed_and_why(run: Run, served: Served) -> None:
    served.write("broken [x].pdf", b"%PDF-1.7 broken")
    assert "1 file not indexed" in run("sync").out
    shown = run("status")
    assert "broken [x].pdf: " in shown.out
    assert str(served.folder) in shown.out
    assert "fake (ready)" in shown.out
    assert "tried once: " in shown.out
    assert "1 file not indexed" in run("sync", "--retry").out


def test_document_is_forgotten_and_its_file_is_not(run: Run, served: Served) -> None:
    path = served.write("secrets/diary [x].md", "# Diary\n\nA numbat eats termites.\n")
    other = served.write("secrets/other.md", "# Other\n\nA bilby digs.\n")
    failed = served.client.post("/sync").json()["failed"]
    forgotten = run("forget", path, "secrets/other.md")
    assert forgotten.code == 0
    assert forgotten.out.splitlines() == [f"forgotten: {path}", f"forgotten: {other}"]
    assert "untouched" in forgotten.err
    assert path.is_file()
    assert served.finds("numbat") == []
    assert "  secrets/diary [x].md (" in run("status").out
    assert served.client.post("/sync").json()["failed"] == failed
    again = run("forget", path)
    assert again.code == 1
    assert "forgotten already" in again.message


def test_what_cannot_be_forgotten_is_told_and_nothing_else_is_forgotten_either(run: Run, served: Served) -> None:
    asked = run("forget", "dome.md", "dmoe.md")
    assert asked.code == 1
    assert "did you mean dome.md" in asked.message
    assert "dome.md" in served.sources


@pytest.mark.parametrize("arguments", [[], ["--embed"]])
def test_reindex_waits_and_says_what_there_is(run: Run, served: Served, arguments: list[str]) -> None:
    before = served.documents["dome.md"].indexed_at
    made = run("reindex", *arguments)
    assert made.code == 0
    assert f"{len(served.sources)} documents" in made.out
    assert served.documents["dome.md"].indexed_at > before


def test_reindex_that_nobody_waits_for_comes_back_at_once(run: Run, served: Served) -> None:
    before = served.documents["dome.md"].indexed_at
    assert "read anew" in run("reindex", "--no-wait").out
    assert eventually(lambda: served.documents["dome.md"].indexed_at > before)


def test_what_cannot_be_added_is_told(run: Run, served: Served, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "program.exe").write_bytes(b"MZ")
    for path, said in (
        (tmp_path / "missing.md", "does not exist"),
        (tmp_path / "empty", "can be read"),
        (tmp_path / "program.exe", "type that cannot be read"),
    ):
        added = run("add", path)
        assert added.code == 2
        assert said in added.message


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


def test_status_needs_neither_server_nor_models(run: Run, settings: Settings, folder: Path) -> None:
    shown = run("status", "--json")
    status = json.loads(shown.out)
    assert (status["documents"], status["folders"], status["ready"]) == (0, [], False)
    (settings.home / "kb.toml").write_text(f'folders = ["{folder}", "{folder}-missing"]')
    folders = json.loads(run("status", "--json").out)["folders"]
    assert [entry["reachable"] for entry in folders] == [True, False]


@pytest.mark.parametrize("command", ["sync", "add"])
def test_without_a_folder_there_is_nothing_to_sync(run: Run, folder: Path, command: str) -> None:
    ran = run(command, *([folder / "dome.md"] if command == "add" else []))
    assert ran.code == 2
    assert "no folder to watch" in ran.message


def test_home_may_be_given_on_the_command_line(run: Run, tmp_path: Path) -> None:
    assert run("--home", tmp_path / "other", "status").code == 0
    assert (tmp_path / "other" / "catalog.sqlite3").is_file()


def test_folder_that_is_missing_is_told(run: Run, tmp_path: Path) -> None:
    ran = run("serve", tmp_path / "missing", "--port", "0")
    assert ran.code == 2
    assert f"{tmp_path / 'missing'} is not a folder" in ran.message


def test_port_in_use_is_told(run: Run, folder: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        ran = run("serve", folder, "--port", str(port))
    assert ran.code == 2
    assert f"port {port} of 127.0.0.1 is in use" in ran.message


def test_other_addresses_want_a_token(run: Run, folder: Path) -> None:
    ran = run("serve", folder, "--host", "0.0.0.0")
    assert ran.code == 2
    assert "KB_TOKEN" in ran.message


def test_bad_setting_is_told(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_PORT", "many")
    ran = run("status")
    assert ran.code == 2
    assert "KB_PORT" in ran.message
    monkeypatch.delenv("KB_PORT")
    settings.home.mkdir()
    (settings.home / "kb.toml").write_text("port = [")
    ran = run("status")
    assert ran.code == 2
    assert "kb.toml" in ran.message


def test_data_directory_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    ran = run("--home", "/proc/no-such-place", "status")
    assert ran.code == 1
    assert "cannot be used" in ran.message
    (tmp_path / "file").write_text("")
    assert run("--home", tmp_path / "file" / "home", "status").message


@pytest.mark.parametrize("arguments", [["serve", "."], ["sync"], ["forget", "dome.md"]])
def test_second_process_is_told_within_two_seconds_that_another_has_the_data_directory(
    settings: Settings, arguments: list[str]
) -> None:
    command = [sys.executable, "-m", "server", "--home", str(settings.home), *arguments]

    def seconds() -> float:
        began = time.monotonic()
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1"})
        ended = time.monotonic()
        assert (ran.returncode, ran.stdout) == (5, "")
        assert "has the data directory" in ran.stderr
        assert "Traceback" not in ran.stderr
        return ended - began

    with open_fake_knowledge_base(settings):
        assert any(seconds() < 2 for _ in range(3)), "three times, because others may use this machine, too"


def test_second_server_is_told_where_the_first_one_listens(run: Run, served: Served) -> None:
    ran = run("serve", served.folder, "--port", "0")
    assert ran.code == 5
    assert served.url in ran.message
