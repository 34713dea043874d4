import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Watched, quick_settings, watching


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watching(quick_settings(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("watched")) as shared:
        yield shared


@pytest.fixture
def watched(shared: Watched) -> Iterator[Watched]:
    """A folder of the test's own, in one that is watched already."""
    folder = shared.folder / "own"
    folder.mkdir()
    shared.sync()
    yield Watched(shared.knowledge_base, shared.pipeline, folder, shared.embedder)
    shutil.rmtree(folder)
    shared.sync()
    assert shared.sources == []
