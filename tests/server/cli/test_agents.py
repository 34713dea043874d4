"""`kb mcp` as agents start it: a process of its own, spoken to over its pipes."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from kb.settings import Settings
from tests.harness import Served, quick_settings
from tests.server.cli.running import QUESTION

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


def through_pipes(*calls: tuple[str, dict[str, object]]) -> list[Any]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "server", "mcp"],
        env=dict(os.environ),
        cwd=ROOT,
    )

    async def run() -> list[Any]:
        async with Client(stdio_client(parameters)) as client:
            assert [tool.name for tool in (await client.list_tools()).tools][:2] == ["search", "ask"]
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(run())


def test_agent_is_answered_by_the_running_service(served: Served) -> None:
    answered, found, failed = through_pipes(
        ("ask", {"question": QUESTION}),
        ("search", {"query": "second dome"}),
        ("read", {"document_id": "nothing"}),
    )
    asked = served.client.post("/ask", json={"question": QUESTION}).json()
    assert answered.structured_content["citations"] == asked["citations"]
    assert found.structured_content == served.client.post("/search", json={"query": "second dome"}).json()
    assert failed.is_error
