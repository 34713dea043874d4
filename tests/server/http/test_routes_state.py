import datetime
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.errors import ModelMissing
from kb.ports import Vectors
from server.http import schemas
from tests.fakes import FakeEmbedder
from tests.harness import Served, eventually, quick_settings, serving
from tests.server.http.routes_harness import DOME, OTTER, error, failure_of, give_up


def test_sync_returns_when_the_index_equals_the_folder(service: Served) -> None:
    service.write("synced.md", "# Synced\n\nWombats dig.\n")
    result = service.client.post("/sync").json()
    assert "synced.md" in service.sources
    assert (result["documents"], result["chunks"]) == service.knowledge_base.counts()
    failures = service.client.get("/status").json()["failures"]
    assert result["failed"] == len([failure for failure in failures if failure["kind"] != "forgotten"])


def test_failed_files_are_tried_again_at_the_user_s_word(service: Served) -> None:
    give_up(service, "given-up.md", "# Given up\n\nNumbats eat termites.\n")
    failure = failure_of(service, "given-up.md")
    assert (failure["kind"], failure["next_try_at"], failure["attempts"]) == ("quarantined", None, 1)
    service.client.post("/sync")
    assert service.finds("numbats") == []
    service.client.post("/sync", params={"retry": True})
    assert service.finds("numbats") == ["given-up.md"]
    assert error(service.client.post("/sync", params={"retry": "perhaps"})) == (422, "invalid")


def test_next_try_is_told(service: Served) -> None:
    document = give_up(service, "later.md", "# Later\n\nBilbies dig.\n")
    next_try_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    service.knowledge_base.record_failure(document.file, "busy", "wait", next_try_at=next_try_at)
    told = failure_of(service, "later.md")
    assert datetime.datetime.fromisoformat(str(told["next_try_at"])) == next_try_at
    assert told["attempts"] == 2
    service.client.post("/sync?retry=true")


@pytest.mark.parametrize("body", [None, {}, {"embed": False}, {"embed": True}])
def test_all_is_read_anew_while_the_old_index_answers(service: Served, body: dict[str, bool] | None) -> None:
    service.sync()
    before = {source: document.indexed_at for source, document in service.documents.items()}
    embedded = len(service.embedder.embedded)
    response = service.client.post("/reindex", json=body)
    assert (response.status_code, response.json().keys()) == (202, {"message"})
    assert service.finds("second dome") == ["dome.md"]
    assert eventually(lambda: all(service.documents[source].indexed_at > before[source] for source in before))
    assert eventually(lambda: service.client.get("/status").json()["index"]["building"] is None)
    embeds = body == {"embed": True}
    assert eventually(lambda: (len(service.embedder.embedded) > embedded) is embeds)
    assert service.finds("second dome") == ["dome.md"]


def test_reindex_takes_no_other_wishes(service: Served) -> None:
    assert error(service.client.post("/reindex", json={"all": True})) == (422, "invalid")


def test_files_of_unknown_types_are_counted_and_are_no_failures(service: Served) -> None:
    for name in ("letter.doc", "Other.DOC", "picture.zip", "Makefile"):
        service.write(name, "text")
    service.sync()
    status = service.client.get("/status").json()
    assert {extension: status["unsupported"][extension] for extension in (".doc", ".zip", "")} == {
        ".doc": 2,
        ".zip": 1,
        "": 1,
    }
    assert not {"letter.doc", "Makefile"} & {failure["source"] for failure in status["failures"]}


def test_long_work_shows_how_far_it_is(tmp_path: Path) -> None:
    goes_on = threading.Event()

    class SlowEmbedder(FakeEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Vectors:
            if any("wait" in text for text in texts):
                goes_on.wait(20)
            return super().embed_passages(texts)

    folder = tmp_path / "papers"
    folder.mkdir()
    with serving(quick_settings(tmp_path / "home"), folder, embedder=SlowEmbedder()) as service:
        service.sync()
        assert service.client.get("/status").json()["index"]["work"] is None
        for number in range(5):
            service.write(f"{number}.md", f"# {number}\n\nPlease wait for {number}.\n")
        assert eventually(lambda: service.client.get("/status").json()["index"]["current"])
        index = service.client.get("/status").json()["index"]
        assert 1 <= index["work"]["files_total"] <= 5
        assert index["work"].keys() == schemas.Work.model_fields.keys()
        goes_on.set()
        service.sync()
        index = service.client.get("/status").json()["index"]
        assert index["work"] is index["building"] is None


def test_status_counts_and_tells_what_failed_and_why(service: Served) -> None:
    service.write("broken.pdf", b"%PDF-1.7 broken")
    service.sync()
    status = service.client.get("/status").json()
    assert (status["documents"], status["chunks"]) == service.knowledge_base.counts()
    assert status["folders"] == [{"path": str(service.folder), "reachable": True}]
    assert status["min_evidence"] == service.knowledge_base.settings.min_evidence
    assert status["index"]["pending"] == 0
    assert status["index"]["current"] is status["index"]["error"] is None
    synced = datetime.datetime.fromisoformat(status["index"]["last_sync"])
    assert abs(synced - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    assert {role: model and model["state"] for role, model in status["models"].items()} == {
        "answer": "ready",
        "small": None,
        "embedding": "ready",
        "reranker": None,
    }
    assert status["judge"] == {"state": "uncalibrated", "progress": None, "note": ""}
    (failure,) = [failure for failure in status["failures"] if failure["source"] == "broken.pdf"]
    assert failure["reason"]
    listed = service.client.get("/documents").json()
    assert listed["failures"] == status["failures"]
    assert status["documents"] == len(listed["documents"])


def test_lists_survive_names_and_times_that_are_odd(service: Served) -> None:
    service.write("line\nbreak.md", OTTER)
    bad = service.folder / b"caf\xe9.md".decode(errors="surrogateescape")
    bad.write_text("text")
    future = service.write("future.md", OTTER)
    os.utime(future, (10**12, 10**12))
    service.sync()
    listed = service.client.get("/documents").json()
    sources = {document["source"] for document in listed["documents"]}
    assert {"line\nbreak.md", "future.md"} <= sources
    assert "caf\N{REPLACEMENT CHARACTER}.md" in {failure["source"] for failure in listed["failures"]}
    assert service.client.get("/status").status_code == 200


def test_liveness_and_readiness(service: Served) -> None:
    assert service.client.get("/healthz").json() == {"message": "ok"}
    assert service.client.get("/readyz").json() == {"message": "ready"}


def test_while_models_are_missing_all_says_so_and_search_works_once_it_can(tmp_path: Path) -> None:
    may_load = threading.Event()

    def before_loading(name: str) -> None:
        if name == "answering":
            raise ModelMissing("no answering model", "kb models pull")
        may_load.wait(20)

    (tmp_path / "dome.md").write_text(DOME)
    settings = quick_settings(tmp_path / ".home")
    with serving(settings, tmp_path, before_loading=before_loading) as service:
        assert error(service.client.get("/readyz")) == (503, "not_ready")
        status = service.client.get("/status").json()
        assert (status["ready"], status["models"]["embedding"]["state"]) == (False, "loading")
        assert eventually(lambda: service.client.get("/status").json()["models"]["answer"]["state"] == "failed")
        may_load.set()
        service.sync()
        assert service.client.post("/search", json={"query": "dome"}).json()["passages"]
        response = service.client.post("/ask", json={"question": "When was the second dome repaired?"})
        assert error(response) == (503, "no_model")
        assert response.json()["error"]["hint"] == "kb models pull"
        assert error(service.client.get("/readyz")) == (503, "not_ready")


def test_reranker_that_cannot_be_had_is_told_and_nothing_else_suffers(tmp_path: Path) -> None:
    def before_loading(name: str) -> None:
        if name == "reranker":
            raise ModelMissing("the hub cannot be reached", "set HF_ENDPOINT")

    (tmp_path / "dome.md").write_text(DOME)
    settings = quick_settings(tmp_path / ".home", reranker="owner/reranker")
    with serving(settings, tmp_path, before_loading=before_loading) as service:
        service.sync()
        assert service.client.post("/search", json={"query": "dome"}).json()["passages"]
        assert eventually(lambda: service.client.get("/readyz").status_code == 200)
        assert eventually(lambda: service.client.get("/status").json()["models"]["reranker"]["state"] == "failed")
        told = service.client.get("/status").json()["models"]["reranker"]
        assert (told["name"], told["note"]) == ("owner/reranker", "searches go on without it")
        assert told["error"]["hint"] == "set HF_ENDPOINT"
