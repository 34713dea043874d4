"""What Dify asks, as it asks."""

import pytest

from tests.harness import Served


def retrieve(service: Served, **body: object) -> list[dict[str, object]]:
    response = service.client.post("/retrieval", json=body)
    assert response.status_code == 200, response.text
    assert response.json().keys() == {"records"}
    records: list[dict[str, object]] = response.json()["records"]
    return records


def test_registration_has_no_body(service: Served) -> None:
    response = service.client.post("/retrieval")
    assert (response.status_code, response.json()) == (200, {"records": []})


def test_records_are_the_passages_of_a_search(service: Served) -> None:
    found = service.client.post("/search", json={"query": "second dome"}).json()["passages"]
    records = retrieve(
        service,
        query="second dome",
        knowledge_id="r1-kb",
        retrieval_setting={"top_k": 4, "score_threshold": 0.0},
        metadata_condition=None,
    )
    assert [record["content"] for record in records] == [passage["text"] for passage in found]
    record, passage = records[0], found[0]
    assert record["title"] == "Dome"
    assert record["score"] == passage["similarity"]
    metadata = record["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["url"].startswith(f"{service.url}/#document={passage['document_id']}&")
    assert metadata["document_name"] == "dome.md"
    assert (metadata["source"], metadata["type"], metadata["tags"]) == ("dome.md", "text/markdown", [])


def test_anything_may_be_null(service: Served) -> None:
    assert retrieve(service, query=None, knowledge_id=None, retrieval_setting=None, metadata_condition=None) == []
    assert retrieve(service, query="second dome", knowledge_id=None, retrieval_setting=None)
    assert retrieve(service, query="second dome", retrieval_setting={"top_k": None, "score_threshold": None})
    nothing = {"logical_operator": None, "conditions": None}
    assert retrieve(service, query="second dome", metadata_condition=nothing)


def test_threshold_number_and_conditions_are_kept_to(service: Served) -> None:
    for number in range(3):
        service.write(f"kilns/{number}.md", f"---\ntags: [t{number}]\n---\nThe kiln number {number} is lit.\n")
    service.sync()
    assert len(retrieve(service, query="kiln", retrieval_setting={"top_k": 2})) == 2
    assert len(retrieve(service, query="kiln", retrieval_setting={"top_k": 1000})) >= 3
    assert retrieve(service, query="kiln", retrieval_setting={"top_k": 4, "score_threshold": 1.0}) == []
    tagged = {"conditions": [{"name": "tags", "comparison_operator": "is", "value": "t2"}]}
    (record,) = retrieve(service, query="kiln", retrieval_setting={"top_k": 1}, metadata_condition=tagged)
    assert "number 2" in str(record["content"])


@pytest.mark.parametrize("name", ["r1-kb/huts", "huts"])
def test_folder_is_a_knowledge_base_of_its_own(service: Served, name: str) -> None:
    service.write("huts/hut.md", "The hut has a dome.\n")
    service.sync()
    (record,) = retrieve(service, query="dome", knowledge_id=name)
    assert record["title"] == "hut"


def test_unknown_knowledge_base_is_told(service: Served) -> None:
    response = service.client.post("/retrieval", json={"query": "dome", "knowledge_id": "nowhere"})
    assert response.status_code == 404
    assert "r1-kb" in response.json()["error"]["hint"]
