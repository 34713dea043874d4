import json
from collections.abc import Iterator

import pytest

from kb.answering.engines.calibrations import Calibrations
from tests.fakes import CALIBRATION, FakeLanguageModel
from tests.harness import Served, quick_settings, serving

TEXT = "The second dome was repaired in March. It was repaired by Brandt. It is green."


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("papers")
    (folder / "dome.md").write_text("The second dome was repaired in March. Ilse Brandt did it.\n")
    (folder / "tea.md").write_text("Tea is green.\n")
    settings = quick_settings(home, models=home / "models")
    Calibrations(settings.models).keep(CALIBRATION)
    with serving(settings, folder, model=FakeLanguageModel(margins={"by Brandt": 3.0, "is green": -3.0})) as service:
        service.sync()
        yield service


def test_text_is_checked_against_the_documents(service: Served) -> None:
    found = service.client.post("/verify", json={"text": TEXT}).json()
    assert found["judge"] == "fake"
    assert [TEXT[each["start"] : each["end"]] for each in found["statements"]] == [
        "The second dome was repaired in March.",
        "It was repaired by Brandt.",
        "It is green.",
    ]
    assert [each["verdict"] for each in found["statements"]] == ["supported", "supported", "contradicted"]
    (citation,) = found["statements"][0]["citations"]
    assert (citation["source"], citation["quote"]) == ("dome.md", "The second dome was repaired in March.")
    text = service.client.get(f"/documents/{citation['document_id']}").json()["text"]
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert service.client.get("/status").json()["judge"]["state"] == "ready"


def test_statements_come_as_they_are_checked(service: Served) -> None:
    whole = service.client.post("/verify", json={"text": TEXT}).json()
    events = service.client.post("/verify", json={"text": TEXT, "stream": True})
    assert events.headers["content-type"].startswith("text/event-stream")
    told = [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, _, data in (part.partition("\n") for part in events.text.split("\n\n"))
        if name.startswith("event: ")
    ]
    assert [body for name, body in told if name == "statement"] == whole["statements"]
    assert told[-1] == ("done", whole)
    failed = service.client.post("/verify", json={"text": "It is. " * 201}, headers={"accept": "text/event-stream"})
    assert "event: error" in failed.text


def test_filters_and_given_sources_say_what_it_is_held_against(service: Served) -> None:
    said = "The second dome was repaired in March."
    (narrowed,) = service.client.post("/verify", json={"text": said, "filters": {"folders": ["tea.md"]}}).json()[
        "statements"
    ]
    assert (narrowed["verdict"], narrowed["citations"][0]["source"]) == ("not_shown", "tea.md")
    body = {"text": "It opens at nine.", "sources": ["Bread.", "It opens at nine."]}
    (given,) = service.client.post("/verify", json=body).json()["statements"]
    assert (given["verdict"], given["citations"][0]["source"]) == ("supported", "2")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": " "}, 400),
        ({}, 422),
        ({"text": "x" * 40_001}, 413),
        ({"text": "x", "sources": ["y" * 40_001]}, 413),
        ({"text": "It is. " * 201}, 413),
        ({"text": "x", "sources": ["y"] * 51}, 422),
        ({"text": "x", "filters": {"since": "2026-02-01", "until": "2026-01-01"}}, 400),
    ],
)
def test_what_cannot_be_checked_says_why(service: Served, body: object, status: int) -> None:
    response = service.client.post("/verify", json=body)
    assert response.status_code == status
    assert response.json()["error"]["hint"]
