import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from ingest.pipeline.pipeline import Pipeline
from kb import errors
from kb.errors import KBError, ModelBusy, SettingsError
from kb.settings import Settings
from kb.values.answers import Answer, AnswerDelta, Done, PassagesFound, ReasoningDelta, Step
from kb.values.chat import Heartbeat
from server.http import schemas
from server.http.app import create_app
from server.http.errors import status_of
from server.http.openai import schemas as openai_schemas
from server.http.streaming import wire_event
from tests.harness import open_fake_knowledge_base

STATUS = {
    "KBError": 500,
    "SettingsError": 500,
    "InvalidRequest": 400,
    "RequestTooLarge": 413,
    "UnsupportedType": 415,
    "NotFound": 404,
    "DataDirectoryLocked": 409,
    "StorageError": 507,
    "SchemaMismatch": 507,
    "VectorIndexError": 507,
    "UnreadableFile": 500,
    "ModelError": 503,
    "ModelMissing": 503,
    "ModelDownloadError": 503,
    "ModelLoadError": 503,
    "ModelUnreachable": 503,
    "PromptTooLong": 413,
    "ModelBusy": 429,
}


def error_classes() -> list[type[KBError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KBError)]


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """The service without a running pipeline; its routes may be added to."""
    with open_fake_knowledge_base(settings) as knowledge_base:
        app = create_app(knowledge_base, Pipeline(knowledge_base, [tmp_path], settings), settings)
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            yield client


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_each_error_has_its_status_and_keeps_code_message_and_hint(client: TestClient, kind: type[KBError]) -> None:
    @client.app.get("/failing")
    def failing() -> None:
        raise kind("it failed", "do this")

    response = client.get("/failing")
    assert (response.status_code, status_of(kind("", ""))) == (STATUS[kind.__name__], STATUS[kind.__name__])
    assert response.json() == {"error": {"code": kind.code, "message": "it failed", "hint": "do this"}}


def test_every_code_stands_for_one_error() -> None:
    assert len({kind.code for kind in error_classes()}) == len(error_classes())


def test_busy_says_when_to_come_again(client: TestClient) -> None:
    @client.app.get("/failing")
    def failing() -> None:
        raise ModelBusy("full", "later", retry_after_seconds=17)

    assert client.get("/failing").headers["retry-after"] == "17"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/static/nothing.js", 404, "not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("DELETE", "/ask", 405, "wrong_method"),
        ("POST", "/status", 405, "wrong_method"),
    ],
)
def test_what_there_is_not_is_told_in_the_same_form(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["error"].keys() == {"code", "message", "hint"}


def test_error_that_nobody_foresaw_tells_no_secrets(client: TestClient) -> None:
    @client.app.get("/failing")
    def failing() -> None:
        raise ZeroDivisionError("secret text of a document")

    response = client.get("/failing")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "error")
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"question": 7}',
        b'{"question": "\\ud800"}',
        b'{"question": "why\\u0000"}',
        b'{"question": "why?", "top_k": 0}',
        b'{"question": "why?", "top_k": 51}',
        b'{"question": "why?", "thinking": "hard"}',
        b'{"question": "why?", "history": [{"question": "a"}]}',
        b'{"question": "why?", "unknown": 1}',
        json.dumps({"question": "why?", "history": [{"question": "a", "answer": "b"}] * 51}).encode(),
        b'{"question": "why?", "history": [{"question": "a", "answer": "\\udfff"}]}',
        b"\xff\xfe",
    ],
)
def test_invalid_questions_are_refused_with_the_reason(client: TestClient, body: bytes) -> None:
    response = client.post("/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    error = response.json()["error"]
    assert error["message"]
    assert error["code"] in ("invalid", "invalid_request")


@pytest.mark.parametrize(("question", "status"), [("", 400), (" \n", 400), ("?" * 4001, 413)])
def test_empty_and_endless_questions_are_refused(client: TestClient, question: str, status: int) -> None:
    for path, body in (("/ask", {"question": question}), ("/search", {"query": question})):
        assert client.post(path, json=body).status_code == status


def test_page_and_its_parts_are_served(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("main.js", "style.css", "favicon.svg"):
        assert f"static/{name}" in page.text
        assert client.get(f"/static/{name}").status_code == 200


def test_description_of_the_interface_names_every_route_and_every_error_body(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert {
        "/ask",
        "/search",
        "/verify",
        "/documents",
        "/documents/{document_id}",
        "/prepare",
        "/documents/{document_id}/file",
        "/documents/{document_id}/links",
        "/documents/{document_id}/pages",
        "/documents/{document_id}/pages/{page}",
        "/documents/{document_id}/pages/{page}/boxes",
        "/documents/{document_id}/pages/{page}/text",
        "/documents/{document_id}/markdown",
        "/documents/{document_id}/search",
        "/conversations",
        "/conversations/{conversation_id}",
        "/conversations/{conversation_id}/turns",
        "/conversations/{conversation_id}/export",
        "/status",
        "/events",
        "/sync",
        "/reindex",
        "/healthz",
        "/readyz",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/responses",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/retrieval",
        "/metrics",
        "/session",
    } == set(described["paths"])
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            assert route["summary"], f"{method} {path}"
            assert "text/event-stream" in str(route) or path != "/ask"


def test_description_of_a_stream_names_each_event(client: TestClient) -> None:
    answered = client.get("/openapi.json").json()["paths"]["/ask"]["post"]["responses"]["200"]
    events = (Heartbeat(), PassagesFound(()), Step("part"), ReasoningDelta(""), AnswerDelta(""), Done(Answer()))
    names = [*(wire_event(event)[0] for event in events), "citation", "error"]
    assert sorted(re.findall(r"^- `(\w+)`:", answered["description"], re.MULTILINE)) == sorted(names)
    example = answered["content"]["text/event-stream"]["example"]
    assert set(re.findall(r"^event: (\w+)$", example, re.MULTILINE)) <= set(names)


def test_service_that_others_could_reach_is_not_made_without_a_token(settings: Settings, tmp_path: Path) -> None:
    with open_fake_knowledge_base(settings) as knowledge_base:
        pipeline = Pipeline(knowledge_base, [tmp_path], settings)
        with pytest.raises(SettingsError, match="read your documents"):
            create_app(knowledge_base, pipeline, settings.model_copy(update={"host": "0.0.0.0"}))
        create_app(knowledge_base, pipeline, settings.model_copy(update={"host": "0.0.0.0", "token": "long"}))


def test_further_names_come_from_the_settings(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"allowed_hosts": ("kb.home",)})
    with open_fake_knowledge_base(settings) as knowledge_base:
        pipeline = Pipeline(knowledge_base, [tmp_path], settings)
        client = TestClient(create_app(knowledge_base, pipeline, settings), base_url="http://kb.home")
        assert client.get("/healthz").status_code == 200
        assert client.get("/healthz", headers={"host": "other.home"}).status_code == 403


def test_each_field_of_the_wire_is_described_and_plain_ones_have_an_example() -> None:
    models = [
        model
        for room in (schemas, openai_schemas)
        for model in vars(room).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__.startswith(room.__name__)
    ]
    fields = [(f"{model.__name__}.{name}", field) for model in models for name, field in model.model_fields.items()]
    assert [name for name, field in fields if not field.description] == []
    assert [name for name, field in fields if field.annotation in (str, int, float, bool) and not field.examples] == []
