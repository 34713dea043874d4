"""Conversations that are kept, over the running service."""

from pathlib import Path

import pytest

from tests.harness import Served, quick_settings, serving
from tests.server.http.routes_harness import document_id, error

QUESTION = "When was the second dome repaired?"


def kept(service: Served, question: str = QUESTION) -> str:
    """Asks, and keeps the answer as the page does; the conversation's address."""
    answer = service.client.post("/ask", json={"question": question}).json()
    made = service.client.post("/conversations")
    assert made.status_code == 201
    url = f"/conversations/{made.json()['id']}"
    assert service.client.post(f"{url}/turns", json={**answer, "question": question}).status_code == 201
    return url


def standings(service: Served, url: str) -> list[str]:
    turns = service.client.get(url).json()["turns"]
    return [citation["standing"] for turn in turns for citation in turn["citations"]]


def test_an_answer_is_kept_with_its_citations(service: Served) -> None:
    url = kept(service)
    conversation = service.client.get(url).json()
    (turn,) = conversation["turns"]
    assert conversation["title"] == turn["question"] == QUESTION
    assert turn["answer"] == "The second dome was repaired in March."
    assert turn["citations"][0]["quote"] == turn["answer"]
    assert turn["citations"][0]["url"].startswith("/documents/")
    assert "reasoning" not in turn
    listed = service.client.get("/conversations", params={"q": "second dome"}).json()
    assert listed["keeps"]
    assert url.removeprefix("/conversations/") in [each["id"] for each in listed["conversations"]]


def test_it_is_renamed_exported_and_deleted(service: Served) -> None:
    url = kept(service)
    assert service.client.patch(url, json={"title": "Domes"}).is_success
    exported = service.client.get(f"{url}/export")
    assert exported.headers["content-disposition"].startswith("attachment")
    assert exported.text == (
        f"# Domes\n\n## {QUESTION}\n\nThe second dome was repaired in March.[^1]\n\n"
        "[^1]: Dome (dome.md, Dome) “The second dome was repaired in March.”\n"
    )
    assert service.client.delete(url).is_success
    for response in (service.client.get(url), service.client.delete(url), service.client.get(f"{url}/export")):
        assert error(response) == (404, "not_found")


def test_citations_say_what_has_become_of_them(service: Served) -> None:
    text = "The walrus counter shows 41 walruses today."
    service.write("walrus.md", f"# Walrus\n\n{text}\n")
    service.sync()
    start = len("# Walrus\n\n")
    place = {"document_id": document_id(service, "walrus.md"), "title": "Walrus", "source": "walrus.md", "page": None}
    span = {"quote": text, "start": start, "end": start + len(text), "answer_start": 0, "answer_end": 3}
    citation = {**place, **span, "heading": "", "number": 1, "verified": True, "score": 1.0}
    url = f"/conversations/{service.client.post('/conversations').json()['id']}"
    turn = {"question": "How many walruses?", "answer": "41.", "citations": [citation]}
    assert service.client.post(f"{url}/turns", json=turn).status_code == 201
    assert standings(service, url) == ["there"]
    service.write("walrus.md", f"# Walrus\n\nA new beginning.\n\n{text}\n")
    service.sync()
    assert standings(service, url) == ["there"]
    moved = service.client.get(url).json()["turns"][0]["citations"][0]
    assert moved["start"] == start + len("A new beginning.\n\n")
    service.write("walrus.md", "# Walrus\n\nThe walrus counter shows 42 walruses today.\n")
    service.sync()
    assert standings(service, url) == ["changed"]
    service.client.delete(f"/documents/{place['document_id']}").raise_for_status()
    assert standings(service, url) == ["gone"]
    assert service.client.get(url).json()["turns"][0]["citations"][0]["quote"] == ""


@pytest.mark.parametrize("turn", [{}, {"question": ""}, {"question": "a", "answer": "x" * 200_001}])
def test_what_is_no_turn_is_refused(service: Served, turn: dict[str, str]) -> None:
    url = f"/conversations/{service.client.post('/conversations').json()['id']}"
    assert error(service.client.post(f"{url}/turns", json=turn)) == (422, "invalid")


def test_nothing_is_kept_where_that_is_switched_off(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    with serving(quick_settings(tmp_path / "home", keep_conversations="off"), folder) as service:
        assert error(service.client.post("/conversations")) == (400, "invalid_request")
        assert service.client.get("/conversations").json() == {"conversations": [], "keeps": False}
    assert not list((tmp_path / "home").glob("conversations*"))
