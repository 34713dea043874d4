"""Names of files that would do something to a terminal, or look like other names, through each command."""

import json
from pathlib import Path

import pytest

from kb.settings import Settings
from tests.harness import Served, quick_settings
from tests.server.cli.running import DOME, Ran, Run

HOSTILE = "a\x1b]0;owned\x07\x1b[31m\x9b2J\u202egpj\u2066\nerror: forged "
OBEYED = set("\x00\x07\x1b\x7f\x9b\u202e\u2066")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


@pytest.fixture
def hostile(served: Served) -> Served:
    served.write(f"{HOSTILE}good.md", DOME)
    served.write(f"{HOSTILE}bad.pdf", b"%PDF-1.7 broken")
    served.write(f"x.{HOSTILE}", b"")
    served.sync()
    return served


def check(shown: Ran) -> None:
    assert not OBEYED & set(shown.out + shown.err)
    assert "\nerror: forged" not in shown.out + shown.err


def test_no_command_lets_a_name_reach_the_terminal_as_it_is(run: Run, hostile: Served) -> None:
    for command in (["status"], ["search", "dome"], ["ask", "When was the second dome repaired?"], ["sync"]):
        shown = run(*command)
        assert shown.code == 0
        check(shown)
    forgotten = run("forget", f"{HOSTILE}good.md")
    assert "good.md" in forgotten.out
    check(forgotten)


def test_json_has_the_name_as_it_is_and_nothing_that_a_terminal_obeys(run: Run, hostile: Served) -> None:
    shown = run("status", "--json")
    check(shown)
    assert f"{HOSTILE}bad.pdf" in [failure["source"] for failure in json.loads(shown.out)["failures"]]
    check(run("search", "dome", "--json"))


def test_file_with_such_a_name_is_not_added_and_the_error_is_harmless(
    run: Run, hostile: Served, tmp_path: Path
) -> None:
    path = tmp_path / f"{HOSTILE}more.md"
    path.write_text(DOME)
    shown = run("add", path)
    assert shown.code == 2
    assert "rename the file" in shown.message
    check(shown)
