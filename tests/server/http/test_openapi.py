"""The description of the interface that clients are made from is committed: what changes in it is seen."""

import json
from pathlib import Path

import pytest

from ingest.pipeline.pipeline import Pipeline
from server.http.app import create_app
from server.settings import ServerSettings
from tests.harness import open_fake_knowledge_base

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_interface_is_the_one_that_is_described(
    settings: ServerSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with open_fake_knowledge_base(settings) as knowledge_base:
        app = create_app(knowledge_base, Pipeline(knowledge_base, [tmp_path], settings), settings)
        described = json.dumps(app.openapi(), ensure_ascii=False, indent=1) + "\n"
    if request.config.getoption("--refresh"):
        COMMITTED.write_text(described, "utf-8")
    assert described == COMMITTED.read_text("utf-8"), (
        f"the interface has changed; if that is meant, run: pytest {Path(__file__).relative_to(Path.cwd())} --refresh"
    )
