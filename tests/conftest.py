"""Fixtures that several rooms use. Everything stands in `tmp_path`; nothing reads the developer's own settings."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from ingest.pipeline.pipeline import Pipeline
from kb.knowledge_base import KnowledgeBase
from kb.settings import load
from kb.wiring import open_knowledge_base
from server.settings import ServerSettings

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# A deadline measures how busy the machine is.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full",
        action="store_true",
        help="run the endurance tests at full length and ask all questions",
    )
    parser.addoption("--refresh", action="store_true", help="write the committed description of the interface anew")
    parser.addoption("--seed", type=int, default=1, help="of what the endurance tests do at random")


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Commands set levels and handlers for their whole process."""
    loggers = [logging.getLogger(name) for name in (None, "kb", "ingest", "server")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for name in ServerSettings.model_fields:
        if name != "models" or not request.node.get_closest_marker("models"):
            monkeypatch.delenv(f"KB_{name.upper()}", raising=False)
    monkeypatch.setenv("KB_HOME", str(tmp_path / "home"))


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    """Settings with a data directory of their own, and no waiting."""
    return load(kind=ServerSettings, home=tmp_path / "home", settle_seconds=0.05, sync_seconds=3600.0)


@pytest.fixture
def shared_data() -> Path:
    """Real documents beside the checkout; the test is skipped where they are not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{SHARED_DATA} is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def sample_knowledge_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """A knowledge base of the sample documents, with the default models of this machine."""
    folder = tmp_path_factory.mktemp("samples") / "sample_docs"
    shutil.copytree(ROOT / "sample_docs", folder)
    settings = load(kind=ServerSettings, home=tmp_path_factory.mktemp("home"), folders=[folder], settle_seconds=0.0)
    with open_knowledge_base(settings) as knowledge_base:
        pipeline = Pipeline(knowledge_base, settings.folders, settings)
        pipeline.start()
        try:
            assert pipeline.sync(timeout_seconds=300)
            yield knowledge_base
        finally:
            pipeline.stop()
