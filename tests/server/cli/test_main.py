import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import server.cli.main
from kb.settings import Settings
from server.cli.main import exit_code
from server.serving import listen
from tests.harness import Served, open_fake_knowledge_base, quick_settings
from tests.server.cli.running import Run
from tests.server.http.test_app import error_classes

COMMANDS = (
    "serve",
    "ask",
    "chat",
    "search",
    "verify",
    "calibrate",
    "add",
    "sync",
    "forget",
    "reindex",
    "status",
    "doctor",
    "mcp",
    "export",
    "import",
    "backup",
)

GROUPS = ("models", "eval", "bench", "token")

EXIT_CODES = {
    2: ("InvalidRequest", "RequestTooLarge", "UnsupportedType", "SettingsError"),
    4: (
        "ModelError",
        "ModelMissing",
        "ModelDownloadError",
        "ModelLoadError",
        "ModelUnreachable",
        "PromptTooLong",
        "ModelBusy",
    ),
    5: ("DataDirectoryLocked",),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_that_it_accepts(run: Run, command: str) -> None:
    shown = run(command, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"kb {command}" in shown.out.partition("Example")[2]


def test_help_of_all_names_all_commands_and_the_exit_codes(run: Run) -> None:
    for shown in (run("--help"), run()):
        assert all(f" {command} " in shown.out for command in (*COMMANDS, *GROUPS))
        assert "5 another process has the data directory open" in " ".join(shown.out.replace("│", " ").split())


def test_no_command_is_without_a_test_of_its_help() -> None:
    assert set(typer.main.get_command(server.cli.main.app).commands) == {*COMMANDS, *GROUPS}


def test_help_comes_at_once_because_nothing_heavy_is_imported() -> None:
    program = (
        "import sys, server.cli.main; "
        "print([name for name in ('torch', 'chromadb', 'llama_cpp', 'numpy', 'httpx', 'pypdf', 'fastapi', 'watchdog')"
        " if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_nothing_that_lies_in_the_working_directory_is_imported(tmp_path: Path) -> None:
    for name in ("json", "pathlib", "typing", "typer", "rich", "kb"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    command = [sys.executable, "-m", "server", "--version"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    starts_another = (
        "import subprocess, sys; sys.path[0] = sys.argv.pop(); import server.cli.main\n"
        "server.cli.main.app = lambda: subprocess.run([sys.executable, '-c', 'import json'], check=True)\n"
        "server.cli.main.main()"  # as multiprocessing does for its own purposes
    )
    command = [sys.executable, "-c", starts_another, str(Path(server.cli.main.__file__).parents[2])]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert not (tmp_path / "imported").exists()


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
def test_second_process_is_told_at_once_that_another_has_the_data_directory(
    settings: Settings, arguments: list[str]
) -> None:
    command = [sys.executable, "-m", "server", "--home", str(settings.home), *arguments]

    def work_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    began = work_seconds()
    subprocess.run([sys.executable, "-c", "import kb.wiring, ingest.pipeline.pipeline, server.cli.main"], check=True)
    importing_seconds = work_seconds() - began
    with open_fake_knowledge_base(settings):
        before = work_seconds()
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1"})
    assert (ran.returncode, ran.stdout) == (5, "")
    assert "has the data directory" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert work_seconds() - before < 2 * importing_seconds + 1, "hardly more than the modules take on this machine"


def test_second_server_is_told_where_the_first_one_listens(run: Run, served: Served) -> None:
    ran = run("serve", served.folder, "--port", "0")
    assert ran.code == 5
    assert served.url in ran.message
