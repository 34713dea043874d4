from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kb.errors import InvalidRequest
from server.cli.main import app
from tests.harness import quick_settings, watching


@pytest.fixture(autouse=True)
def papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = quick_settings(tmp_path / "home")
    monkeypatch.setenv("KB_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "lease.md").write_text("# Lease\n\nThe rent is 840 euros.")
    with watching(settings, tmp_path / "papers") as watched:
        watched.sync()
    return tmp_path / "papers"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def test_library_moves_to_another_data_directory(papers: Path, tmp_path: Path) -> None:
    exported = run("export", tmp_path / "library.kbz")
    assert (exported.exit_code, exported.stdout[:24]) == (0, "1 documents, 1 passages,")
    moved = papers.rename(tmp_path / "moved")
    imported = run("--home", tmp_path / "new", "import", tmp_path / "library.kbz", "--folder", f"{papers}={moved}")
    assert (imported.exit_code, imported.stdout[:24]) == (0, "1 documents, 1 passages,")
    with watching(quick_settings(tmp_path / "new"), moved) as watched:
        watched.sync()
        assert (watched.sources, watched.embedder.embedded) == (["lease.md"], [])


def test_pair_of_folders_is_two_paths(tmp_path: Path) -> None:
    run("export", tmp_path / "library.kbz")
    with pytest.raises(InvalidRequest, match="OLD=NEW"):
        run("--home", tmp_path / "new", "import", tmp_path / "library.kbz", "--folder", "/papers")


def test_only_so_many_backups_are_kept_and_nothing_else_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    older = [f"r1-kb-2020010{day}-120000.kbz" for day in range(1, 5)]
    for name in (*older, "r1-kb-notes.txt", "other.kbz"):
        (folder / name).touch()
    assert run("backup", folder, "--keep", 2).exit_code == 0
    kept = {path.name for path in folder.iterdir()}
    assert kept & set(older) == {older[-1]}
    assert len(kept) == 4
    assert kept > {"r1-kb-notes.txt", "other.kbz"}
