import datetime
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from kb.errors import ModelBusy, ModelMissing, PromptTooLong
from kb.ports import Vectors
from kb.values.answers import Answer
from kb.values.documents import DocumentInfo, FailureKind
from server.http import schemas
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import Served, eventually, quick_settings, serving

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
OTTER = "# Otters\n\nOtters sleep\N{LINE SEPARATOR}while they float.\x85\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for all tests of this file; each uses files of its own."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("papers")
    (folder / "dome.md").write_text(DOME)
    settings = quick_settings(home, max_file_bytes=100_000)
    model = FakeLanguageModel("The second dome was repaired in March.", "Look for the dome.")
    with serving(settings, folder, model=model) as service:
        service.sync()
        yield service


def error(response: httpx.Response) -> tuple[int, str]:
    body = response.json()["error"]
    assert body.keys() == {"code", "message", "hint"}
    assert body["message"]
    return response.status_code, body["code"]


def events(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    found = []
    for block in response.content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def document_id(service: Served, source: str) -> str:
    listed = service.client.get("/documents").json()["documents"]
    return next(str(document["id"]) for document in listed if document["source"] == source)


def give_up(service: Served, source: str, text: str) -> DocumentInfo:
    """Has a file listed as quarantined though it could be read by now."""
    service.write(source, text)
    service.sync()
    document = service.documents[source]
    service.knowledge_base.remove(document.id)
    service.knowledge_base.record_failure(document.file, "its reader ended", "mend it", kind=FailureKind.QUARANTINED)
    return document


def failure_of(service: Served, source: str) -> dict[str, object]:
    failures = service.client.get("/status").json()["failures"]
    return next(failure for failure in failures if failure["source"] == source)


def upload(service: Served, name: str, content: str | bytes) -> httpx.Response:
    return service.client.post("/documents", files={"files": (name, content)})


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


def test_text_is_read_by_span_at_most_so_much_at_a_time(service: Served) -> None:
    service.write("long.txt", "0123456789" * 3000)
    service.sync()
    path = f"/documents/{document_id(service, 'long.txt')}"

    def read(**span: int) -> tuple[int, int, str]:
        body = service.client.get(path, params=span).json()
        return body["start"], body["end"], body["text"]

    assert read(start=5, end=12) == (5, 12, "5678901")
    start, end, text = read()
    assert (start, end, len(text)) == (0, 20_000, 20_000)
    assert read(start=29_998) == (29_998, 30_000, "89")
    assert read(start=50_000)[2] == read(start=7, end=3)[2] == ""
    for span in ({"start": -1}, {"start": 10**30}, {"end": 10**19}):
        assert error(service.client.get(path, params=span)) == (422, "invalid")


@pytest.mark.parametrize("unknown", ["0000000000000000", "%2e%2e", "a%00b", "%ff", "x" * 3000])
def test_unknown_documents_are_not_found(service: Served, unknown: str) -> None:
    for suffix in ("", "/file"):
        assert error(service.client.get(f"/documents/{unknown}{suffix}"))[0] == 404
    assert service.client.delete(f"/documents/{unknown}").status_code in (404, 405)


def test_original_file_is_shown_under_its_name(service: Served) -> None:
    service.write("sub/手册 [1].md", "# 手册\n\n<script>alert(1)</script>\n")
    service.sync()
    response = service.client.get(f"/documents/{document_id(service, 'sub/手册 [1].md')}/file")
    assert response.text == "# 手册\n\n<script>alert(1)</script>\n"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-disposition"].startswith("inline")
    assert response.headers["x-content-type-options"] == "nosniff"


def test_original_file_is_never_one_outside_the_folder(service: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    path = service.write("swapped.md", "# Swapped\n\nAn innocent text.\n")
    service.sync()
    url = f"/documents/{document_id(service, 'swapped.md')}/file"
    assert service.client.get(url).status_code == 200
    path.unlink()
    path.symlink_to(secret)
    assert error(service.client.get(url)) == (404, "not_found")
    path.unlink()
    path.symlink_to(path.name)
    assert error(service.client.get(url)) == (404, "not_found")
    path.unlink()
    assert error(service.client.get(url)) == (404, "not_found")


def test_folder_that_was_swapped_for_a_link_gives_nothing_away(service: Served, tmp_path: Path) -> None:
    (tmp_path / "inner.md").write_text("secret")
    path = service.write("inner/inner.md", "# Inner\n\nAn innocent text.\n")
    service.sync()
    url = f"/documents/{document_id(service, 'inner/inner.md')}/file"
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path)
    assert error(service.client.get(url)) == (404, "not_found")
    path.parent.unlink()


def test_forgotten_document_stays_forgotten_until_its_file_changes(service: Served) -> None:
    path = service.write("forgotten.md", "# Forgotten\n\nPlatypus lay eggs.\n")
    service.sync()
    forgotten = document_id(service, "forgotten.md")
    assert "forgotten.md" in service.client.delete(f"/documents/{forgotten}").json()["message"]
    assert service.finds("platypus") == []
    assert error(service.client.get(f"/documents/{forgotten}")) == (404, "not_found")
    service.sync()
    assert service.finds("platypus") == []
    assert path.is_file()
    assert failure_of(service, "forgotten.md")["kind"] == "forgotten"
    assert service.client.get("/status").json()["index"]["failed"] == 0
    assert service.client.post("/sync?retry=true").json()["failed"] == 0
    assert service.finds("platypus") == []
    path.write_text("# Forgotten\n\nPlatypus lay eggs, and sting.\n")
    service.sync()
    assert service.finds("platypus") == ["forgotten.md"]


def test_forgotten_document_is_back_when_it_is_uploaded_again(service: Served) -> None:
    content = "# Again\n\nEchidnas lay eggs, too.\n"
    upload(service, "again.md", content)
    service.sync()
    service.client.delete(f"/documents/{document_id(service, 'again.md')}")
    uploaded = upload(service, "again.md", content).json()["uploaded"]
    assert [file["source"] for file in uploaded] == ["again.md"]
    service.sync()
    assert service.finds("echidnas") == ["again.md"]


def test_upload_is_indexed_by_itself(service: Served) -> None:
    response = upload(service, "quokka.md", "# Quokka\n\nQuokkas smile.\n")
    assert response.status_code == 201
    assert response.json() == {
        "uploaded": [
            {"root": str(service.folder), "source": "quokka.md", "size_bytes": len("# Quokka\n\nQuokkas smile.\n")}
        ]
    }
    assert eventually(lambda: service.finds("quokkas") == ["quokka.md"])


def test_several_files_can_be_uploaded_at_once(service: Served) -> None:
    files = [("files", (name, b"# Many\n\nThe same.\n")) for name in ("one.md", "two.md")]
    uploaded = service.client.post("/documents", files=files).json()["uploaded"]
    assert [file["source"] for file in uploaded] == ["one.md", "two.md"]


def test_upload_never_leaves_the_folder_nor_replaces_a_file(service: Served) -> None:
    before = set(service.folder.parent.iterdir())
    for name in ("../../escaped.md", "/etc/escaped.md", "..\\escaped.md", "sub/../../escaped.md"):
        uploaded = upload(service, name, name).json()["uploaded"][0]
        assert uploaded["source"].startswith("escaped")
        assert (service.folder / uploaded["source"]).read_text() == name
    assert set(service.folder.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("program.exe", b"MZ", (415, "unsupported_type")),
        ("...", b"text", (400, "invalid_request")),
        ("large.md", b"x" * 100_001, (413, "too_large")),
        ("larger.md", b"x" * 1_200_000, (413, "too_large")),
    ],
)
def test_uploads_that_cannot_be_taken_are_refused(
    service: Served, name: str, content: bytes, expected: tuple[int, str]
) -> None:
    before = sorted(service.folder.iterdir())
    assert error(upload(service, name, content)) == expected
    assert sorted(service.folder.iterdir()) == before


def test_endless_upload_is_cut_off(service: Served) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
        while True:
            yield b"x" * 65_536

    headers = {"content-type": "multipart/form-data; boundary=x"}
    try:
        response = service.client.post("/documents", content=pieces(), headers=headers)
    except httpx.WriteError:
        return  # the connection may be closed before the answer is read
    assert error(response) == (413, "too_large")


@pytest.mark.parametrize("body", [b"", b"--x\r\nbroken", b"--x--\r\n"])
def test_upload_without_a_file_is_refused(service: Served, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert error(service.client.post("/documents", content=body, headers=headers))[0] in (400, 422)


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
    for name in ("letter.docx", "Other.DOCX", "picture.png", "Makefile"):
        service.write(name, "text")
    service.sync()
    status = service.client.get("/status").json()
    assert {extension: status["unsupported"][extension] for extension in (".docx", ".png", "")} == {
        ".docx": 2,
        ".png": 1,
        "": 1,
    }
    assert not {"letter.docx", "Makefile"} & {failure["source"] for failure in status["failures"]}


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
        "embedding": "ready",
        "reranker": None,
    }
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


def test_upload_into_a_folder_that_is_away_does_not_make_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    with serving(quick_settings(tmp_path / "home"), folder) as service:
        service.sync()
        folder.rename(tmp_path / "away")
        assert error(upload(service, "a.md", "text")) == (507, "storage")
        service.sync()
        assert service.client.get("/status").json()["folders"] == [{"path": str(folder), "reachable": False}]
        assert service.sources == ["dome.md"]
