"""The official client of the OpenAI API, against the service."""

import asyncio

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.harness import Served

QUESTION = "When was the second dome repaired?"
ANSWER = "The second dome was repaired in March. [1]"


def test_answer_with_its_sources(service: Served) -> None:
    with OpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
        answered = client.chat.completions.create(model="r1-kb", messages=[{"role": "user", "content": QUESTION}])
        message = answered.choices[0].message
        assert message.content == ANSWER
        assert message.model_extra
        assert message.model_extra["reasoning_content"].strip() == "Look for the dome."
        assert message.annotations
        cited = message.annotations[0].url_citation
        assert ANSWER[cited.start_index : cited.end_index] == "[1]"
        assert answered.usage
        assert answered.usage.total_tokens > 0


def test_stream(service: Served) -> None:
    with OpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
        stream = client.chat.completions.create(
            model="r1-kb",
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER
    assert chunks[-1].usage
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_asynchronous_stream(service: Served) -> None:
    async def ask() -> str:
        async with AsyncOpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
            stream = await client.chat.completions.create(
                model="r1-kb", messages=[{"role": "user", "content": QUESTION}], stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(ask()) == ANSWER


def test_models_and_errors(service: Served) -> None:
    with OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as client:
        assert next(iter(client.models.list())).id == "r1-kb"
        assert client.models.retrieve("r1-kb").owned_by == "r1-kb"
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": QUESTION}])
        assert missing.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError, match="n is 2"):
            client.chat.completions.create(model="r1-kb", messages=[{"role": "user", "content": QUESTION}], n=2)
