"""`/v1/responses`: the same answers as of a chat, read by the official client."""

import httpx
import openai
import pytest
from openai import OpenAI

from tests.harness import Served
from tests.server.http.openai.reading import chat, whole

QUESTION = "When was the second dome repaired?"


def respond(service: Served, **body: object) -> httpx.Response:
    return service.client.post("/v1/responses", json={"model": "r1-kb", "input": QUESTION, **body})


def test_answer_is_that_of_a_chat(service: Served) -> None:
    message = whole(chat(service, QUESTION))
    with OpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
        response = client.responses.create(model="r1-kb", input=QUESTION)
    assert (response.status, response.output_text) == ("completed", message["content"])
    thought, said = response.output
    assert thought.type == "reasoning"
    assert thought.summary[0].text == message["reasoning_content"]
    assert said.type == "message"
    (cited,) = said.content[0].annotations  # type: ignore[union-attr]
    expected = {"type": "url_citation", **message["annotations"][0]["url_citation"]}
    assert cited.model_dump(exclude_none=True) == expected
    assert response.usage
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert response.usage.output_tokens_details.reasoning_tokens > 0
    assert response.model_extra
    assert response.model_extra["answered_by"] == "fake"


def test_stream_is_put_together_by_the_official_client(service: Served) -> None:
    whole_answer = respond(service).json()
    with (
        OpenAI(base_url=f"{service.url}/v1", api_key="none") as client,
        client.responses.stream(model="r1-kb", input=QUESTION) as stream,
    ):
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert kinds[-3:] == ["response.content_part.done", "response.output_item.done", "response.completed"]
    written = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    thought = "".join(event.delta for event in events if event.type == "response.reasoning_summary_text.delta")
    assert final.output_text == written == whole_answer["output"][1]["content"][0]["text"]
    assert thought == whole_answer["output"][0]["summary"][0]["text"]
    assert kinds.count("response.output_text.annotation.added") == 1


def test_conversation_is_read_as_that_of_a_chat(service: Served) -> None:
    said = [
        {"role": "user", "content": [{"type": "input_text", "text": "Is there a second dome?"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes. [1]"}]},
        {"type": "function_call_output", "call_id": "x", "output": "42"},
        {"role": "user", "content": QUESTION},
    ]
    turns = ("Is there a second dome?", "Yes. [1]", QUESTION)
    text = respond(service, input=said, instructions="Be brief.").json()["output"][-1]["content"][0]["text"]
    assert text == whole(chat(service, *turns))["content"]
    alone = respond(service, model="fake", reasoning={"effort": "none"}, max_output_tokens=2).json()
    assert (alone["status"], alone["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert [item["type"] for item in alone["output"]] == ["message"]


def test_what_makes_no_sense_is_refused(service: Served) -> None:
    with OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(openai.BadRequestError, match="previous_response_id"):
            client.responses.create(model="r1-kb", input=QUESTION, previous_response_id="resp_1")
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="gpt-5", input=QUESTION)
    assert [respond(service, input=given).status_code for given in ("", [], [{"type": "x"}], 7)] == [400] * 4
