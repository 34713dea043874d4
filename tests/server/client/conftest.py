from pathlib import Path

import pytest

from kb.settings import Settings
from tests.harness import quick_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    return folder


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Settings:
    return quick_settings(tmp_path / "home", folders=(folder,), token="s3cret")
