"""Fixtures of the commands; a module may have settings of its own, which they then use."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.settings import Settings
from server.cli.main import main
from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.cli.running import DOME, Ran, Run


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, settings: Settings
) -> Iterator[Run]:
    """Runs `kb` as its script does, in this process."""
    monkeypatch.setenv("KB_HOME", str(settings.home))
    monkeypatch.setenv("KB_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # `main` sets it; this takes it back
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
    for name in ("kb", "ingest", "server"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    return folder


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
