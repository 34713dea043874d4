from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kb.values.happenings import ChildRestarted, EngineFailed
from tests.fakes import FakeLanguageModel
from tests.harness import Served, eventually, quick_settings, serving
from tests.server.http.metrics.reading import scraped, value
from tests.server.http.routes_harness import DOME

SECRET = "xylophone"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    model = FakeLanguageModel("The second dome was repaired in March.", "Look for the dome.")
    with serving(quick_settings(tmp_path / "home"), folder, model=model) as service:
        service.sync()
        yield service


def ask(service: Served, question: str = "When was the second dome repaired?", **more: object) -> None:
    service.client.post("/ask", json={"question": question, **more}).raise_for_status()


def test_a_question_is_counted_with_its_times_and_tokens(service: Served) -> None:
    ask(service, thinking="short")
    client = service.client
    how = {"kind": "lookup", "effort": "short", "model": "fake", "outcome": "answered"}
    assert value(client, "kb_questions_total", **how) == 1
    model = {"gen_ai_operation_name": "chat", "gen_ai_request_model": "fake"}
    assert value(client, "gen_ai_server_request_duration_seconds_count", **model, error_type="") == 1
    assert value(client, "gen_ai_server_time_to_first_token_seconds_count", **model) == 1
    assert value(client, "gen_ai_client_token_usage_sum", **model, gen_ai_token_type="input") > 10
    assert value(client, "gen_ai_client_token_usage_sum", **model, gen_ai_token_type="output") > 5
    assert value(client, "kb_search_seconds_count", part="dense") >= 1
    assert value(client, "kb_cache_total", cache="question_vector") >= 2
    assert value(client, "http_server_request_duration_seconds_count", http_route="/ask") == 1


def test_a_declined_question_is_counted_as_such(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    with serving(quick_settings(tmp_path / "home", min_evidence=1.0), folder) as service:
        service.sync()
        ask(service)
        assert value(service.client, "kb_questions_total", outcome="declined", model="none") == 1


def test_a_question_that_fails_is_counted_with_its_reason(service: Served) -> None:
    service.knowledge_base.models.answering_model.close()
    assert service.client.post("/ask", json={"question": "When was the second dome repaired?"}).status_code == 503
    assert value(service.client, "kb_questions_total", outcome="failed") == 1
    assert value(service.client, "gen_ai_server_request_duration_seconds_count", error_type="model_error") == 1
    assert value(service.client, "kb_model_ready", model="answering") == 0


def test_a_question_that_nobody_waits_for_is_counted_as_left(service: Served) -> None:
    body = {"question": "When was the second dome repaired?", "stream": True}
    with service.client.stream("POST", "/ask", json=body) as response:
        next(response.iter_raw(1))
    assert eventually(lambda: "left" in str(scraped(service.client).get("kb_questions_total")))


def test_talk_is_a_kind_of_its_own(service: Served) -> None:
    models = [model["id"] for model in service.client.get("/v1/models").json()["data"]]
    body = {"model": models[-1], "messages": [{"role": "user", "content": "hello"}]}
    service.client.post("/v1/chat/completions", json=body).raise_for_status()
    assert value(service.client, "kb_questions_total", kind="talk") == 1


def test_the_index_and_what_was_done_to_it(service: Served) -> None:
    service.write("broken.pdf", b"%PDF-1.4 broken")
    service.sync()
    client = service.client
    assert value(client, "kb_index_documents") == 1
    assert value(client, "kb_index_chunks") == 1
    assert value(client, "kb_index_failed_files") == 1
    assert value(client, "kb_index_pending_files") == 0
    assert value(client, "kb_index_last_sync_timestamp_seconds") > 1_700_000_000
    assert value(client, "kb_files_total", outcome="indexed") == 1
    assert value(client, "kb_files_total", outcome="unreadable") == 1
    assert value(client, "kb_file_chunks_total") == 1
    assert value(client, "kb_disk_free_bytes", place="data") > 0
    service.client.post("/reindex").raise_for_status()
    assert eventually(lambda: value(client, "kb_index_generations_total") == 1)


def test_what_happens_to_engines_and_children(service: Served) -> None:
    service.knowledge_base.observe(ChildRestarted("engine"))
    service.knowledge_base.observe(EngineFailed("model_unreachable"))
    assert value(service.client, "kb_child_restarts_total", child="engine") == 1
    assert value(service.client, "kb_child_restarts_total", child="reader") == 0
    assert value(service.client, "kb_remote_engine_errors_total", error_type="model_unreachable") == 1


def test_no_question_and_no_name_of_a_document_is_told(service: Served) -> None:
    service.write(f"{SECRET}.md", f"# {SECRET}\n\nThe {SECRET} is here.\n")
    service.sync()
    ask(service, f"Where is the {SECRET}?")
    service.client.post("/search", json={"query": SECRET})
    service.client.get(f"/{SECRET}")
    service.client.request(SECRET.upper(), "/status")
    service.client.get(f"/documents/{SECRET}")
    assert SECRET not in service.client.get("/metrics").text.lower()


def test_openmetrics_is_given_to_who_accepts_it(service: Served) -> None:
    response = service.client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


@pytest.mark.parametrize(("networks", "status"), [("", 401), ("127.0.0.0/8, ::1", 200), ("10.0.0.0/8", 401)])
def test_named_addresses_read_metrics_without_the_token(tmp_path: Path, networks: str, status: int) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    with serving(quick_settings(tmp_path / "home", token="secret", metrics_from=networks), folder) as service:
        assert httpx.get(f"{service.url}/metrics", trust_env=False).status_code == status
        assert httpx.get(f"{service.url}/status", trust_env=False).status_code == 401
        assert service.client.get("/metrics").status_code == 200
