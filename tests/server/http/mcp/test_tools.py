"""The tools over HTTP, by the official client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from mcp import Client

from tests.harness import Served
from tests.server.http.routes_harness import DOME

QUESTION = "When was the second dome repaired?"
Value = TypeVar("Value")


def over_http(service: Served, use: Callable[[Client], Awaitable[Value]], mode: str = "auto") -> Value:
    async def run() -> Value:
        async with Client(f"{service.url}/mcp", mode=mode) as client:
            return await use(client)

    return asyncio.run(run())


def call(service: Served, tool: str, **arguments: object) -> Any:
    return over_http(service, lambda client: client.call_tool(tool, arguments))


def test_tools_only_read_and_tell_what_they_give(service: Served) -> None:
    listed = over_http(service, lambda client: client.list_tools()).tools
    assert [tool.name for tool in listed] == ["search", "ask", "verify", "read", "list_documents"]
    for tool in listed:
        assert tool.annotations
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.annotations.open_world_hint is False
        assert tool.title
        assert tool.description
        assert tool.output_schema
        assert tool.output_schema["properties"]
        described = [field.get("description") for field in tool.input_schema["properties"].values()]
        assert all(described), tool.name


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_answer_is_that_of_ask(service: Served, mode: str) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    result = over_http(
        service, lambda client: client.call_tool("ask", {"question": QUESTION}, progress_callback=note), mode
    )
    asked = service.client.post("/ask", json={"question": QUESTION}).json()
    assert not result.is_error
    assert result.structured_content == {
        name: asked[name] for name in ("answer", "answerable", "citations", "unanswered", "disagreement", "model")
    }
    content: Any = result.content
    text, link = content
    assert text.text == f"{asked['answer']}\n[1] dome.md · Dome: “{asked['answer']}”"
    assert (link.type, link.name) == ("resource_link", "dome.md")
    assert [one[:2] for one in told] == [(1, 4), (3, 4), (4, 4)]
    assert told[0][2]
    assert "passages found" in told[0][2]


def test_text_is_checked_as_by_verify(service: Served) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    arguments = {"text": "The second dome was repaired in March. It is green."}
    result = over_http(service, lambda client: client.call_tool("verify", arguments, progress_callback=note))
    assert result.structured_content == service.client.post("/verify", json=arguments).json()
    content: Any = result.content
    text, link = content
    assert text.text.splitlines()[0] == "supported: The second dome was repaired in March."
    assert (link.type, link.name) == ("resource_link", "dome.md")
    assert told == [(1, None, "1 statements checked"), (2, None, "2 statements checked")]
    given = call(service, "verify", text="It opens at nine.", sources=["It opens at nine."])
    assert given.structured_content["statements"][0]["verdict"] == "supported"
    assert [part.type for part in given.content] == ["text"], "a given source has no address"


def test_search_is_that_of_search(service: Served) -> None:
    result = call(service, "search", query="second dome", top_k=1, filters={"types": ["md"]})
    found = service.client.post("/search", json={"query": "second dome", "top_k": 1}).json()
    assert result.structured_content == found
    assert "The second dome was repaired in March." in result.content[0].text
    assert json.dumps(call(service, "search", query="dome", filters={"tags": ["none"]}).structured_content) == (
        '{"passages": []}'
    )


def test_document_is_read_by_offsets_and_as_a_resource(service: Served) -> None:
    document_id = service.documents["dome.md"].id
    result = call(service, "read", document_id=document_id, start=8, end=23)
    assert result.structured_content["text"] == "The second dome"
    uri = f"kb://documents/{document_id}"
    resource: Any = over_http(service, lambda client: client.read_resource(uri))
    assert resource.contents[0].text == DOME
    service.write("long.md", "word " * 6000)
    service.sync()
    uri = f"kb://documents/{service.documents['long.md'].id}"
    resource = over_http(service, lambda client: client.read_resource(uri))
    text = resource.contents[0].text
    assert text.endswith("more characters: call `read` with start 20000]")


def test_documents_are_listed_page_by_page(service: Served) -> None:
    service.write("other.md", "Other words.\n")
    service.sync()
    first = call(service, "list_documents", limit=1).structured_content
    second = call(service, "list_documents", limit=1, cursor=first["next"]).structured_content
    assert first["total"] >= 2
    assert [page["documents"][0]["source"] for page in (first, second)] == service.sources[:2]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search", {"query": ""}, "at least 1 item"),
        ("search", {"query": "x", "top_k": 51}, "less than or equal to 50"),
        ("search", {"query": "x", "filters": {"tag": ["y"]}}, "Extra inputs"),
        ("search", {"query": "x", "filters": {"tags": [""]}}, "empty value"),
        ("ask", {"question": " "}, "the question is empty: write a question"),
        ("ask", {}, "Field required"),
        ("verify", {"text": " "}, "the text is empty: give a text with a statement"),
        ("verify", {"text": "It is. " * 201}, "201 statements"),
        ("read", {"document_id": "nothing"}, "no document has the id 'nothing'"),
        ("list_documents", {"cursor": "nowhere"}, "no page begins at 'nowhere'"),
    ],
)
def test_errors_are_text_for_the_model(service: Served, tool: str, arguments: dict[str, object], said: str) -> None:
    result = call(service, tool, **arguments)
    assert result.is_error
    assert said in result.content[0].text
