import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kb.models.download
import kb.models.mirrors.wheels
from kb.errors import ModelDownloadError
from kb.models.download import require_answer
from kb.models.fetch import HubFiles, Meter, RemoteFile, UrlFiles, check_files
from kb.values.progress import Progress
from tests.model_sources import serve

CONTENT = bytes(range(256)) * 8192  # 2 MiB


def silent_meter() -> Meter:
    return Meter("model", None, lambda _: None)


def test_an_address_where_nobody_listens_fails_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ModelDownloadError, match="no connection"):
        UrlFiles("http://127.0.0.1:9/model.gguf", (RemoteFile("model.gguf"),)).fetch(tmp_path, silent_meter())
    assert time.monotonic() - started < 5


def test_a_host_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kb.models.download.ANSWER_SECONDS < 10
    monkeypatch.setattr(kb.models.download, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/model.gguf"
        started = time.monotonic()
        with pytest.raises(ModelDownloadError, match="no answer within"):
            UrlFiles(url, (RemoteFile("model.gguf"),)).fetch(tmp_path, silent_meter())
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://127.0.0.1:9", "http://127.0.0.1:9"])
def test_a_proxy_that_does_not_work_is_a_reason(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    started = time.monotonic()
    with pytest.raises(ModelDownloadError, match="no connection"):
        require_answer("http://models.example/model.gguf")
    assert time.monotonic() - started < 5


def test_several_files_come_from_one_folder_and_those_that_are_there_are_left_alone(tmp_path: Path) -> None:
    files = {"/model/config.json": b"{}", "/model/sub/weights.bin": CONTENT}
    source_files = (RemoteFile("config.json"), RemoteFile("sub/weights.bin"))
    seen: list[Progress] = []
    with serve(files) as server:
        source = UrlFiles(f"{server.url}/model/", source_files)
        meter = Meter("model", len(CONTENT) + 100, seen.append)
        source.fetch(tmp_path, meter)
        meter.finish()
        assert (tmp_path / "sub" / "weights.bin").read_bytes() == CONTENT
        server.requests.clear()
        source.fetch(tmp_path, silent_meter())
        assert server.ranges_asked == []
    assert (seen[0].done, seen[0].total) == (0, len(CONTENT) + 100)
    assert (seen[-1].done, seen[-1].total) == (len(CONTENT) + 2, len(CONTENT) + 2)


def run_hub_source(folder: Path, *revision: str, **environment: str) -> str:
    """Fetches in another process, because the hub's client reads its variables when it is imported."""
    code = """
import sys
from pathlib import Path
from kb.errors import ModelDownloadError
from kb.models.fetch import HubFiles, Meter, RemoteFile
source = HubFiles("owner/repo", (RemoteFile("model.gguf"),), *sys.argv[2:])
try:
    source.fetch(Path(sys.argv[1]), Meter("model", None, lambda progress: None))
    print(source.description, "ok")
except ModelDownloadError as error:
    print(error.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), *revision],
        env=os.environ | {"HF_TOKEN": "", "HF_HUB_OFFLINE": "0"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_hub_is_where_hf_endpoint_says(tmp_path: Path) -> None:
    with serve({"/owner/repo/resolve/main/model.gguf": CONTENT}) as server:
        said = run_hub_source(tmp_path, HF_ENDPOINT=server.url)
        assert said == f"Hugging Face ({server.url}/owner/repo) ok"
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_revision_pins_what_the_hub_gives(tmp_path: Path) -> None:
    files = {"/owner/repo/resolve/614241f/model.gguf": CONTENT, "/owner/repo/resolve/main/model.gguf": b"changed since"}
    with serve(files) as server:
        assert run_hub_source(tmp_path, "614241f", HF_ENDPOINT=server.url).endswith("ok")
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_the_hub_is_not_asked_when_it_is_set_offline(tmp_path: Path) -> None:
    with serve({"/owner/repo/resolve/main/model.gguf": CONTENT}) as server:
        said = run_hub_source(tmp_path, HF_ENDPOINT=server.url, HF_HUB_OFFLINE="1")
        assert said == "not asked, because HF_HUB_OFFLINE is set"
        assert server.requests == []


def test_a_hub_that_cannot_be_reached_fails_within_ten_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    assert "no connection" in run_hub_source(tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert time.monotonic() - started < 10


def test_progress_is_reported_at_most_ten_times_a_second_and_at_the_end() -> None:
    seen: list[Progress] = []
    meter = Meter("model", 1000, seen.append)
    for done in range(901):
        meter.show(done)
    meter.finish()
    assert len(seen) <= 4
    assert (seen[0].done, seen[0].total) == (0, 1000)
    assert (seen[-1].done, seen[-1].total) == (900, 900)


def test_what_is_not_gguf_is_deleted_where_no_sha256_is_known(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"<!doctype html>")
    with pytest.raises(ModelDownloadError, match="not a GGUF file"):
        check_files(HubFiles("owner/repo", (RemoteFile("model.gguf"),)), tmp_path, silent_meter())
    assert not (tmp_path / "model.gguf").exists()
