import json
from pathlib import Path

import pytest

from kb.errors import ModelBusy, PromptTooLong
from kb.values.answers import Answer
from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving
from tests.server.http.routes_harness import DOME, document_id, error, events


def test_answer_as_json_has_its_citation_and_all_that_belongs_to_it(service: Served) -> None:
    answer = service.client.post("/ask", json={"question": "When was the second dome repaired?"}).json()
    assert answer["answer"] == "The second dome was repaired in March."
    assert answer["reasoning"].strip() == "Look for the dome."
    assert (answer["answerable"], answer["model"], answer["finish_reason"]) == (True, "fake", "stop")
    (citation,) = answer["citations"]
    assert (citation["number"], citation["source"], citation["verified"]) == (1, "dome.md", True)
    text = service.client.get(
        f"/documents/{citation['document_id']}", params={"start": citation["start"], "end": citation["end"]}
    ).json()["text"]
    assert text == citation["quote"]
    assert answer["answer"][citation["answer_start"] : citation["answer_end"]].strip() == answer["answer"]
    assert service.client.get(citation["url"]).text == DOME
    assert answer["passages"][0]["source"] == "dome.md"
    assert answer["timings"]["total_ms"] > 0
    assert answer["index"]["pending"] == 0
    assert answer.keys() == Answer.__dataclass_fields__.keys()


@pytest.mark.parametrize("asked_by", ["body", "header"])
def test_answer_as_events_comes_in_order_and_ends_with_the_whole(service: Served, asked_by: str) -> None:
    body = {"question": "When was the second dome repaired?", "stream": asked_by == "body"}
    headers = {"accept": "text/event-stream"} if asked_by == "header" else {}
    response = service.client.post("/ask", json=body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    found = events(response)
    names = [name for name, _ in found]
    assert (names[0], names[-1]) == ("passages", "done")
    assert set(names) == {"passages", "reasoning", "answer", "citation", "done"}
    assert names.index("reasoning") < names.index("answer") < names.index("citation")
    whole = found[-1][1]
    assert "".join(str(body["text"]) for name, body in found if name == "answer") == whole["answer"]
    assert "".join(str(body["text"]) for name, body in found if name == "reasoning") == whole["reasoning"]
    assert [body for name, body in found if name == "citation"] == whole["citations"]
    assert found[0][1]["passages"] == whole["passages"]


def test_history_and_choices_reach_the_model(service: Served) -> None:
    history = [{"question": "What about the dome?", "answer": "It was repaired."}]
    body = {"question": "When?", "history": history, "thinking": "off", "top_k": 1}
    answer = service.client.post("/ask", json=body).json()
    assert (answer["reasoning"], len(answer["passages"])) == ("", 1)
    assert answer["passages"][0]["source"] == "dome.md"


def test_search_finds_passages_and_nothing_more(service: Served) -> None:
    found = service.client.post("/search", json={"query": "second dome", "top_k": 1}).json()
    assert [passage["source"] for passage in found["passages"]] == ["dome.md"]
    assert found.keys() == {"passages"}


def test_only_documents_that_pass_the_filters_answer(service: Served) -> None:
    service.write("reports/2024/tower.md", "---\ntags: [Kiln]\ndate: 2024-05-01\n---\nThe kiln tower was lit in May.\n")
    service.write("reports/2025/tower.txt", "The kiln tower was lit again in June.\n")
    service.sync()
    everything = {"since": "1970-01-01", "until": None, "document_ids": []}

    def sources(**filters: object) -> list[str]:
        body = {"query": "kiln tower", "top_k": 50, "filters": {**everything, **filters}}
        return sorted({passage["source"] for passage in service.client.post("/search", json=body).json()["passages"]})

    may, june = "reports/2024/tower.md", "reports/2025/tower.txt"
    assert {"dome.md", may, june} <= set(sources())
    assert sources(folders=["reports/"]) == [may, june]
    assert sources(folders=[f"{service.folder}/reports/2024"]) == sources(tags=["KILN"]) == [may]
    assert sources(types=["text/plain"], folders=["reports"]) == [june]
    assert sources(since="2024-05-01", until="2024-05-01") == [may]
    assert sources(document_ids=[document_id(service, june)]) == [june]
    body = {"question": "When was the kiln tower lit?", "filters": {"document_ids": [document_id(service, june)]}}
    assert {passage["source"] for passage in service.client.post("/ask", json=body).json()["passages"]} == {june}


@pytest.mark.parametrize(("question", "said"), [("When was it lit?", "filters"), ("窑是什么时候点燃的？", "筛选")])
def test_filters_that_nothing_passes_are_the_answer(service: Served, question: str, said: str) -> None:
    answer = service.client.post("/ask", json={"question": question, "filters": {"tags": ["unknown"]}}).json()
    assert (answer["answerable"], answer["finish_reason"], answer["passages"]) == (False, "no_evidence", [])
    assert said in answer["answer"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"since": "2024-02-01", "until": "2024-01-01"}, (400, "invalid_request")),
        ({"folders": [""]}, (400, "invalid_request")),
        ({"document_ids": ["x"] * 1001}, (400, "invalid_request")),
        ({"since": "yesterday"}, (422, "invalid")),
        ({"tag": ["x"]}, (422, "invalid")),
        ({"tags": "x"}, (422, "invalid")),
        ({"tags": ["\ud800"]}, (422, "invalid")),
        ({"tags": ["a\0b"]}, (422, "invalid")),
        ({"folders": ["\0"]}, (422, "invalid")),
        ({"document_ids": ["1\0"]}, (422, "invalid")),
        (["papers"], (422, "invalid")),
    ],
)
def test_filters_that_make_no_sense_are_refused(service: Served, filters: object, expected: tuple[int, str]) -> None:
    for path, name in (("/ask", "question"), ("/search", "query")):
        body = json.dumps({name: "dome", "filters": filters})
        response = service.client.post(path, content=body, headers={"content-type": "application/json"})
        assert error(response) == expected


def test_null_is_no_filter(service: Served) -> None:
    found = service.client.post("/search", json={"query": "second dome", "top_k": 1, "filters": None}).json()
    assert [passage["source"] for passage in found["passages"]] == ["dome.md"]


def test_without_documents_nothing_is_generated(tmp_path: Path) -> None:
    model = FakeLanguageModel()
    with serving(quick_settings(tmp_path / "home"), tmp_path, model=model) as service:
        answer = service.client.post("/ask", json={"question": "Why?"}).json()
        assert (answer["answerable"], answer["finish_reason"], answer["citations"]) == (False, "no_evidence", [])
        assert answer["answer"]
        assert model.asked == []


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ModelBusy("8 questions wait", "ask again", retry_after_seconds=12), (429, "busy")),
        (PromptTooLong("too many tokens", "ask less"), (413, "prompt_too_long")),
    ],
)
def test_failure_of_the_model_is_a_status_or_the_last_event(
    tmp_path: Path, failure: ModelBusy | PromptTooLong, expected: tuple[int, str]
) -> None:
    (tmp_path / "dome.md").write_text(DOME)
    settings = quick_settings(tmp_path / ".home")
    with serving(settings, tmp_path, model=FakeLanguageModel(fails=failure)) as service:
        service.sync()
        response = service.client.post("/ask", json={"question": "When was the second dome repaired?"})
        assert error(response) == expected
        assert response.headers.get("retry-after") == ("12" if expected[0] == 429 else None)
        body = {"question": "When was the second dome repaired?", "stream": True}
        found = events(service.client.post("/ask", json=body))
        assert (found[0][0], found[-1][0]) == ("passages", "error")
        assert found[-1][1] == response.json()


def test_history_beyond_all_bounds_is_refused_at_once(service: Served) -> None:
    turns = [{"question": "What then?", "answer": "word " * 20_000}] * 5
    answer = service.client.post("/ask", json={"question": "When was the dome repaired?", "history": turns})
    assert error(answer) == (413, "too_large")


def test_body_that_cannot_be_read_is_refused_with_a_hint(service: Served) -> None:
    response = service.client.post("/ask", content=b"[" * 100_000, headers={"content-type": "application/json"})
    assert error(response) == (400, "invalid_request")
    assert response.json()["error"]["hint"]


def test_question_that_is_being_written_is_read_ahead(tmp_path: Path) -> None:
    model = FakeLanguageModel()
    (tmp_path / "notes").mkdir()
    with serving(quick_settings(tmp_path / "home"), tmp_path / "notes", model=model) as served:
        served.write("dome.md", DOME)
        served.sync()
        served.knowledge_base.models.wait_for_model()
        body = {"question": "When was the second dome", "top_k": 1}
        response = served.client.post("/prepare", json=body)
        assert (response.status_code, response.content) == (204, b"")
        assert "The second dome was repaired in March." in model.read[0][0][-1].content
        assert error(served.client.post("/prepare", json={"question": ""})) == (400, "invalid_request")
        assert error(served.client.post("/prepare", json={**body, "stream": True})) == (422, "invalid")
