import logging

import pytest

from kb.observing import request_id
from kb.values.happenings import Happening, QuestionEnded
from tests.harness import Served

QUESTION = {"question": "When was the second dome repaired?"}


@pytest.mark.parametrize("brought", ["7f.A-1_x", "a" * 64])
def test_the_id_that_a_request_brings_is_given_back(service: Served, brought: str) -> None:
    assert service.client.get("/healthz", headers={"x-request-id": brought}).headers["x-request-id"] == brought


@pytest.mark.parametrize("brought", [None, "", "a" * 65, "a b", '"x"'])
def test_a_request_without_a_sound_id_gets_one(service: Served, brought: str | None) -> None:
    headers = {} if brought is None else {"x-request-id": brought}
    ids = {service.client.get("/nope", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(each) == 16 for each in ids)


@pytest.mark.parametrize("stream", [False, True])
def test_the_end_of_a_question_is_told_under_the_id_of_its_request(service: Served, stream: bool) -> None:
    told: list[str] = []

    def note(happening: Happening) -> None:
        if isinstance(happening, QuestionEnded):
            told.append(request_id.get())

    service.knowledge_base.observers.add(note)
    service.client.post("/ask", json=QUESTION | {"stream": stream}, headers={"x-request-id": f"mine-{stream}"})
    assert told == [f"mine-{stream}"]


def test_no_question_is_logged(service: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service.client.post("/ask", json={"question": "Where is the xylophone?"})
    own = [record.getMessage() for record in caplog.records if record.name.split(".")[0] in ("kb", "ingest", "server")]
    assert not any("xylophone" in message for message in own)
