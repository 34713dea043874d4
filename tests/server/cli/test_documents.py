import json
from pathlib import Path

import pytest

from kb.settings import Settings
from tests.harness import Served, eventually, quick_settings
from tests.server.cli.running import Run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


def test_file_and_folder_are_added_and_indexed(run: Run, served: Served, tmp_path: Path) -> None:
    more = tmp_path / "more"
    (more / "sub").mkdir(parents=True)
    (more / "sub" / "otter.md").write_text("# Otters\n\nOtters float.\n")
    (more / "picture.zip").write_bytes(b"")
    single = tmp_path / "quokka [1].md"
    single.write_text("# Quokka\n\nQuokkas smile.\n")
    added = run("add", single, more)
    assert added.code == 0
    assert {"otter.md", "quokka [1].md"} <= set(served.sources)
    assert "picture.zip" not in {path.name for path in served.folder.iterdir()}
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
