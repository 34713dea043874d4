"""`/mcp` as a route: who may enter, what leaves, and who goes away."""

import asyncio
import json
import threading
from pathlib import Path

import httpx
import pytest
from mcp import Client

from kb.answering.engines.calibrations import Calibrations
from tests.fakes import CALIBRATION, FakeLanguageModel
from tests.harness import eventually, quick_settings, serving
from tests.server.http.openai.test_leaving import Slow
from tests.server.http.test_connections import connect

CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "ask", "arguments": {"question": "When was the dome repaired?"}},
}
HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}


def test_guard_stands_before_it(tmp_path: Path) -> None:
    with serving(quick_settings(tmp_path / "home", token="s3cret"), tmp_path) as service:

        def status(**headers: str) -> int:
            listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            response = httpx.post(f"{service.url}/mcp", json=listed, headers=HEADERS | headers, trust_env=False)
            return response.status_code

        mine = {"authorization": "Bearer s3cret"}
        assert status(**mine) == 200
        assert status() == 401
        assert status(**mine, host="evil.example") == 403
        assert status(**mine, origin="http://evil.example") == 403
        assert status(**mine, origin=service.url) == 200


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25"])
def test_handshake_is_answered_in_the_revision_that_is_asked_for(tmp_path: Path, version: str) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    }
    with serving(quick_settings(tmp_path / "home"), tmp_path) as service:
        headers = {"accept": HEADERS["accept"]}
        response = service.client.post("/mcp", json=hello, headers=headers)
        assert response.status_code == 200
        assert response.headers["x-content-type-options"] == "nosniff"
        line = next(line for line in response.text.splitlines() if line.startswith("data: {"))
        result = json.loads(line.removeprefix("data: "))["result"]
        assert result["protocolVersion"] == version
        assert result["serverInfo"]["name"] == "r1-kb"
        assert service.client.post("/mcp", content=b"{", headers=headers).status_code == 400


def test_client_that_goes_away_stops_the_work(tmp_path: Path) -> None:
    model = Slow()
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")
    with serving(quick_settings(tmp_path / ".home", answer_tokens=2000), tmp_path, model=model) as service:
        service.sync()
        body = json.dumps(CALL).encode()
        lines = [f"{name}: {value}" for name, value in (HEADERS | {"host": "localhost"}).items()]
        head = "\r\n".join(["POST /mcp HTTP/1.1", *lines, "content-type: application/json"])
        with connect(service) as connection:
            connection.sendall(f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            assert eventually(model.is_asked.is_set)
        assert eventually(lambda: model.finished == ["cancelled"], 2.0)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("ask", {"question": "When was the dome repaired?"}), ("verify", {"text": "It was repaired in June."})],
)
def test_cancelled_call_stops_the_work(tmp_path: Path, tool: str, arguments: dict[str, str]) -> None:
    model = Slow()
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")

    async def ask_and_give_up(url: str) -> None:
        async with Client(f"{url}/mcp") as client:
            asking = asyncio.create_task(client.call_tool(tool, arguments))
            assert await asyncio.to_thread(model.is_asked.wait, 15)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await asyncio.to_thread(eventually, lambda: model.finished == ["cancelled"], 2.0)

    settings = quick_settings(tmp_path / ".home", answer_tokens=2000)
    Calibrations(settings.models).keep(CALIBRATION)
    with serving(settings, tmp_path, model=model) as service:
        service.sync()
        asyncio.run(ask_and_give_up(service.url))


def test_service_ends_while_a_tool_works(tmp_path: Path) -> None:
    goes_on = threading.Event()
    model = FakeLanguageModel("One two three.", goes_on=goes_on)
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")
    with serving(quick_settings(tmp_path / ".home"), tmp_path, model=model) as service:
        service.sync()
        body = json.dumps(CALL).encode()
        head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\naccept: application/json, text/event-stream\r\n"
        connection = connect(service)
        connection.sendall(
            f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        )
        assert eventually(lambda: model.asked)
        goes_on.set()
    connection.close()
