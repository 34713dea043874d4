"""`/v1/chat/completions`, byte by byte, over the whole service."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from kb.errors import KBError, ModelBusy
from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.http.openai.reading import chat, marks, streamed, whole

QUESTION = "When was the second dome repaired?"
ANSWER = "The second dome was repaired in March."


def test_answer_is_that_of_ask_with_its_places(service: Served) -> None:
    asked = service.client.post("/ask", json={"question": QUESTION}).json()
    response = chat(service, QUESTION)
    message = whole(response)
    assert message["content"] == f"{asked['answer']} [1]" == f"{ANSWER} [1]"
    assert message["reasoning_content"] == asked["reasoning"]
    assert message["role"] == "assistant"
    (annotation,) = message["annotations"]
    assert annotation["type"] == "url_citation"
    assert [annotation["source"]] == asked["citations"]
    assert marks(message["content"], [annotation]) == ["[1]"]
    cited, place = asked["citations"][0], urlsplit(annotation["url_citation"]["url"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{service.url}/"
    assert parse_qs(place.fragment) == {
        "document": [cited["document_id"]],
        "start": [str(cited["start"])],
        "end": [str(cited["end"])],
    }
    assert annotation["url_citation"]["title"] == "dome.md · Dome"
    completion = response.json()
    assert completion["object"] == "chat.completion"
    assert completion["model"] == "r1-kb"
    assert (completion["answered_by"], completion["instead"]) == (asked["model"], "")
    assert completion["choices"][0]["finish_reason"] == "stop"
    usage, spent = completion["usage"], asked["timings"]
    assert usage["prompt_tokens"] == spent["prompt_tokens"]
    assert usage["completion_tokens"] == spent["reasoning_tokens"] + spent["answer_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == spent["reasoning_tokens"]


def test_stream_has_role_then_reasoning_then_content_then_sources(service: Served) -> None:
    response = chat(service, QUESTION, stream=True, stream_options={"include_usage": True})
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    stream, message = streamed(response), whole(chat(service, QUESTION))
    assert stream.ended
    assert stream.comments > 0
    assert stream.deltas[0] == {"role": "assistant", "content": ""}
    assert all(len(delta) == 1 for delta in stream.deltas[1:])
    keys = [next(iter(delta)) for delta in stream.deltas[1:]]
    assert keys == sorted(keys, key=["reasoning_content", "content", "annotations"].index)
    assert stream.text() == message["content"]
    assert stream.text("reasoning_content") == message["reasoning_content"]
    assert stream.end["finish_reason"] == "stop"
    assert stream.end["delta"]["annotations"] == message["annotations"]
    assert [chunk["answered_by"] for chunk in stream.chunks if "answered_by" in chunk] == ["fake"]
    *chunks, last = stream.chunks
    assert [chunk["usage"] for chunk in chunks] == [None] * len(chunks)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0
    assert len({(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in stream.chunks}) == 1
    assert last["object"] == "chat.completion.chunk"


def test_without_the_wish_no_usage_is_streamed(service: Served) -> None:
    stream = streamed(chat(service, QUESTION, stream=True))
    assert stream.ended
    assert not any("usage" in chunk for chunk in stream.chunks)


def test_open_webui_gets_its_sources_as_events_and_not_twice(service: Served) -> None:
    stream = streamed(chat(service, QUESTION, stream=True, headers={"X-KB-Task": ""}))
    assert "annotations" not in stream.end["delta"]
    found, source = stream.events
    assert found["type"] == "status"
    assert found["data"]["done"] is True
    assert source["type"] == "source"
    assert source["data"]["source"]["name"] == source["data"]["metadata"][0]["name"] == "dome.md · Dome"
    assert source["data"]["document"] == [ANSWER]
    assert source["data"]["source"]["url"].startswith(f"{service.url}/#document=")
    assert stream.text() == f"{ANSWER} [1]"
    assert "event" in stream.chunks[-2], "when all is judged, right before the end"


@pytest.mark.parametrize("header", ["X-KB-Task", "X-OpenWebUI-Chat-Id"])
def test_open_webui_gets_annotations_where_nothing_is_streamed(service: Served, header: str) -> None:
    assert len(whole(chat(service, QUESTION, headers={header: ""}))["annotations"]) == 1


def test_cherry_studio_gets_links_at_the_end(service: Served) -> None:
    headers = {"X-Title": "Cherry Studio"}
    content = whole(chat(service, QUESTION, headers=headers))["content"]
    assert content.startswith(f"{ANSWER} [1]\n\n---\n\n- [1] [dome.md · Dome]({service.url}/#document=")
    assert content.endswith(f": “{ANSWER}”")
    assert streamed(chat(service, QUESTION, stream=True, headers=headers)).text() == content


def test_what_the_documents_do_not_hold_is_declined_with_the_nearest_passages(tmp_path: Path) -> None:
    (tmp_path / "dome.md").write_text("# Dome\n\nThe second dome was repaired in March.\n")
    with serving(quick_settings(tmp_path / ".home", min_evidence=1.0), tmp_path) as service:
        service.sync()
        asked = service.client.post("/ask", json={"question": "Who?"}).json()
        message = whole(chat(service, "Who?"))
        refusal, waiting = message["content"], " Files that"  # which is said while a file of the service itself is seen
        assert refusal.partition(waiting)[0] == asked["answer"].partition(waiting)[0]
        assert [annotation["source"] for annotation in message["annotations"]] == asked["passages"]
        assert marks(message["content"], message["annotations"]) == [""]
        stream = streamed(chat(service, "Who?", stream=True, headers={"X-KB-Task": ""}))
        assert [event["type"] for event in stream.events] == ["status", "source"]
        headers = {"X-Title": "Cherry Studio"}
        assert "\n- [dome.md · Dome](" in whole(chat(service, "Who?", headers=headers))["content"]


def test_earlier_turns_are_the_context_of_a_question(service: Served) -> None:
    message = whole(chat(service, "What about the second dome?", "It was repaired. [1]", "When?"))
    assert message["annotations"][0]["source"]["source"] == "dome.md"


def test_folder_answers_alone_and_the_model_without_documents(service: Served) -> None:
    service.write("minutes/2024/dome.md", "The second dome was painted in June.\n")
    service.sync()
    ids = [model["id"] for model in service.client.get("/v1/models").json()["data"]]
    assert ids == ["r1-kb", "r1-kb/minutes", "fake"]
    passages = [
        annotation["source"]["source"]
        for annotation in whole(chat(service, "Who painted it?", model="r1-kb/minutes"))["annotations"]
    ]
    assert set(passages) <= {"minutes/2024/dome.md"}
    stream = streamed(chat(service, QUESTION, model="r1-kb/minutes", stream=True, headers={"X-KB-Task": ""}))
    assert stream.events[0]["data"]["description"] == "Passages read: 1"
    alone = whole(chat(service, "Write a poem.", model="fake", messages=[{"role": "user", "content": "Write a poem."}]))
    assert alone["content"] == ANSWER
    assert alone["annotations"] == []


def test_models_are_described(service: Served) -> None:
    listed = service.client.get("/v1/models").json()
    assert listed["object"] == "list"
    library = listed["data"][0]
    assert library == service.client.get("/v1/models/r1-kb").json()
    assert library["context_length"] == 4096
    assert library["created"] > 1_700_000_000
    missing = service.client.get("/v1/models/gpt-5")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("stream", [False, True])
def test_background_tasks_are_answered_at_once_and_search_nothing(tmp_path: Path, stream: bool) -> None:
    model = FakeLanguageModel()
    with serving(quick_settings(tmp_path / "home"), tmp_path, model=model) as service:
        task = "### Task:\nGenerate 1-3 broad tags\n<chat_history>\nUSER: x\n</chat_history>"
        response = chat(service, task, stream=stream)
        text = streamed(response).text() if stream else whole(response)["content"]
        assert json.loads(text) == {"tags": []}
        titled = chat(service, "words of an administrator", stream=stream, headers={"X-KB-Task": "title_generation"})
        text = streamed(titled).text() if stream else whole(titled)["content"]
        assert text == "words of an administrator"
        assert model.asked == []
        other = chat(service, "merge this", headers={"X-KB-Task": "moa_response_generation"})
        assert whole(other)["content"] == "The answer is forty-two."
        assert [message.content for message in model.asked[0]] == ["merge this"]


def test_what_means_nothing_here_is_ignored(service: Served) -> None:
    tools = [{"type": "function", "function": {"name": f"tool_{n}", "parameters": {}}} for n in range(36)]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    response = chat(
        service,
        messages=[{"role": "user", "name": "ada", "content": [{"type": "text", "text": QUESTION}, image]}],
        tools=tools,
        tool_choice="auto",
        temperature=0.3,
        top_p=1,
        seed=7,
        stream=None,
        stream_options=None,
        stop=None,
        n=1,
        user="ada",
        response_format={"type": "text"},
    )
    assert whole(response)["content"] == f"{ANSWER} [1]"


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_longest_answer_is_kept_to(service: Served, limit: str) -> None:
    response = chat(service, QUESTION, **{limit: 3})
    assert whole(response)["content"].startswith("The second dome")
    assert len(whole(response)["content"].split()) <= 4
    assert response.json()["choices"][0]["finish_reason"] == "length"
    assert streamed(chat(service, QUESTION, stream=True, **{limit: 3})).end["finish_reason"] == "length"


@pytest.mark.parametrize("stop", [" repaired", [" repaired", "March"]])
def test_stop_ends_the_answer(service: Served, stop: object) -> None:
    response = chat(service, QUESTION, stop=stop)
    assert whole(response)["content"] == "The second dome was"
    assert response.json()["choices"][0]["finish_reason"] == "stop"
    stream = streamed(chat(service, QUESTION, stop=stop, stream=True))
    assert stream.text() == "The second dome was"
    assert stream.ended


def test_thinking_can_be_switched_off(service: Served) -> None:
    assert whole(chat(service, QUESTION, reasoning_effort="none"))["reasoning_content"] is None


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"n": 2}, 400, "invalid_request", None),
        ({"n": 0}, 400, "invalid_request", None),
        ({"model": "gpt-5"}, 404, "model_not_found", "model"),
        ({"model": "r1-kb/nowhere"}, 404, "model_not_found", "model"),
        ({"messages": []}, 400, "invalid_request", "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "invalid_request", None),
        ({"max_tokens": 0}, 400, "invalid_request", "max_tokens"),
        ({"messages": [{"role": "user", "content": "?" * 4001}]}, 413, "too_large", None),
        (
            {"messages": [{"role": "user", "content": "a\0b"}]},
            400,
            "invalid_request",
            "messages.0.content.constrained-str",
        ),
    ],
)
def test_errors_have_the_form_that_clients_read(
    service: Served, body: dict[str, object], status: int, code: str, param: str | None
) -> None:
    for stream in (False, True):
        response = chat(service, **{"messages": [{"role": "user", "content": QUESTION}], "stream": stream, **body})
        error = response.json()["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        assert (response.status_code, error["code"]) == (status, code), error
        assert (error["param"] or "").split(".")[0] == (param or "").split(".")[0]
        assert error["type"] == ("not_found_error" if status == 404 else "invalid_request_error")
        assert error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_busy_model_is_told_by_the_status_also_of_a_stream(tmp_path: Path, stream: bool) -> None:
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")

    class Busy(FakeLanguageModel):
        def stream(self, messages: object, options: object) -> object:  # type: ignore[override]
            raise ModelBusy("8 questions wait", "ask again", retry_after_seconds=12)

    with serving(quick_settings(tmp_path / ".home"), tmp_path, model=Busy()) as service:
        service.sync()
        response = chat(service, QUESTION, stream=stream)
        assert response.status_code == 429
        assert response.headers["retry-after"] == "12"
        assert response.json()["error"] == {
            "message": "8 questions wait: ask again",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        }


def test_failure_on_the_way_is_the_last_event(tmp_path: Path) -> None:
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")
    with serving(
        quick_settings(tmp_path / ".home"), tmp_path, model=FakeLanguageModel(fails=KBError("it broke", "mend it"))
    ) as service:
        service.sync()
        stream = streamed(chat(service, QUESTION, stream=True))
        assert not stream.ended
        assert stream.chunks[-1] == {
            "error": {"message": "it broke: mend it", "type": "server_error", "param": None, "code": "error"}
        }
        assert chat(service, QUESTION).status_code == 500


def test_guard_stands_before_it(tmp_path: Path) -> None:
    with serving(quick_settings(tmp_path / "home", token="s3cret"), tmp_path) as service:
        refused = service.client.get("/v1/models", headers={"authorization": "Bearer wrong"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "no_token")
        assert service.client.get("/v1/models").status_code == 200
        assert service.client.get("/v1/models", headers={"host": "evil.example"}).status_code == 403
        foreign = {"origin": "http://evil.example"}
        assert chat(service, "Hello", headers=foreign).status_code == 403


def test_links_lead_to_the_address_that_is_set(tmp_path: Path) -> None:
    (tmp_path / "dome.md").write_text("The second dome was repaired in March.\n")
    settings = quick_settings(tmp_path / ".home", public_url="https://kb.home/docs/")
    with serving(settings, tmp_path, model=FakeLanguageModel(ANSWER)) as service:
        service.sync()
        (annotation,) = whole(chat(service, QUESTION))["annotations"]
        assert annotation["url_citation"]["url"].startswith("https://kb.home/docs/#document=")
