"""`/v1/embeddings`."""

import numpy as np
import pytest
from openai import OpenAI

from tests.fakes import FakeEmbedder
from tests.harness import Served

MODEL = "multilingual-e5-small"


def test_official_client_gets_the_vectors_of_the_model(service: Served) -> None:
    texts = [f"The dome number {n}." for n in range(70)]
    with OpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
        packed = client.embeddings.create(model=MODEL, input=texts)
        plain = client.embeddings.create(model="r1-kb", input=texts[0], encoding_format="float")
    expected = FakeEmbedder().embed_passages(texts)
    assert [one.index for one in packed.data] == list(range(70))
    assert np.array_equal(np.array([one.embedding for one in packed.data], dtype=np.float32), expected)
    assert np.allclose(plain.data[0].embedding, expected[0])
    assert plain.usage.total_tokens == 5


def test_questions_are_embedded_as_such(service: Served) -> None:
    before = len(service.embedder.embedded)
    body = {"model": MODEL, "input": "Which dome?", "input_type": "query"}
    response = service.client.post("/v1/embeddings", json=body)
    assert response.status_code == 200
    assert len(service.embedder.embedded) == before
    assert response.json()["data"][0]["embedding"] == FakeEmbedder().embed_query("Which dome?").tolist()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input": ""}, 400),
        ({"input": []}, 400),
        ({"input": ["dome", " "]}, 400),
        ({"input": [1, 2, 3]}, 400),
        ({"input": "word " * 600}, 400),
        ({"input": "dome", "dimensions": 7}, 400),
        ({"input": "dome", "dimensions": 256}, 200),
        ({"input": "dome", "model": "text-embedding-3-small"}, 404),
    ],
)
def test_what_cannot_be_embedded_is_refused(service: Served, body: dict[str, object], status: int) -> None:
    response = service.client.post("/v1/embeddings", json={"model": MODEL, **body})
    assert response.status_code == status
    if status != 200:
        assert response.json()["error"]["message"]
