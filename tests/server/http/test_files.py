import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from ingest.folders import intake
from tests.harness import Served, eventually, quick_settings, serving
from tests.server.http.routes_harness import document_id, error, upload
from tests.small_disk import mounted

LARGE = b"x" * 1_500_000
"""More than an upload may have to be held in memory."""


def original(service: Served, source: str) -> str:
    return f"/documents/{document_id(service, source)}/file"


def test_parts_of_an_original_file_can_be_asked_for(service: Served) -> None:
    service.write("parts.txt", "0123456789")
    service.sync()
    url = original(service, "parts.txt")

    def get(ranges: str) -> httpx.Response:
        return service.client.get(url, headers={"range": f"bytes={ranges}"})

    assert service.client.get(url).headers["content-length"] == "10"
    assert (get("2-4").status_code, get("2-4").text) == (206, "234")
    assert (get("-3").text, get("8-").text) == ("789", "89")
    assert get("20-30").status_code == 416
    assert "234" in get("2-4,6-7").text
    assert "67" in get("2-4,6-7").text


def test_original_file_that_is_a_pipe_by_now_keeps_nobody_waiting(service: Served) -> None:
    path = service.write("pipe.md", "# Pipe\n\nAn innocent text.\n")
    service.sync()
    url = original(service, "pipe.md")
    path.unlink()
    os.mkfifo(path)
    assert error(service.client.get(url)) == (404, "not_found")
    path.unlink()


def test_original_file_is_never_one_outside_while_a_link_comes_and_goes(service: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    path = service.write("coming.md", "# Coming\n\nAn innocent text.\n")
    service.sync()
    url = original(service, "coming.md")
    aside, link, done = path.with_name(".aside"), path.with_name(".link"), threading.Event()
    link.symlink_to(secret)

    def swap() -> None:
        while not done.is_set():
            path.rename(aside)
            link.rename(path)
            path.rename(link)
            aside.rename(path)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        shown = {service.client.get(url).text for _ in range(150)}
    finally:
        done.set()
        swapping.join()
    assert not [text for text in shown if "secret" in text]
    path.unlink()


def test_no_file_stays_open_when_its_original_was_shown(service: Served) -> None:
    service.write("closed.txt", "text")
    service.sync()
    url = original(service, "closed.txt")

    def is_open(descriptor: Path) -> bool:
        try:
            return "closed.txt" in str(descriptor.readlink())
        except FileNotFoundError:  # it has been closed since
            return False

    for ranges in ("bytes=0-1", "bytes=9-", "bytes=0-0,2-2"):
        service.client.get(url, headers={"range": ranges})
    with service.client.stream("GET", url):
        pass
    assert eventually(lambda: not any(map(is_open, Path("/proc/self/fd").iterdir())))


@pytest.mark.parametrize("name", ["a\x1b[31mb.md", "a\u202eb.md", "a\u2066b.md", "a\x9bb.md"])
def test_upload_under_a_name_that_cannot_be_seen_as_it_is_is_refused(service: Served, name: str) -> None:
    before = sorted(service.folder.iterdir())
    body = f'--x\r\ncontent-disposition: form-data; name="files"; filename="{name}"\r\n\r\ntext\r\n--x--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = service.client.post("/documents", content=body.encode(), headers=headers)
    assert error(response) == (400, "invalid_request")
    assert response.json()["error"]["hint"] == "rename the file"
    assert sorted(service.folder.iterdir()) == before


def test_upload_of_a_file_that_is_taken_away_at_once_is_answered(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place_and_lose(folder: Path, name: str, content: BinaryIO) -> Path:
        path = intake.place(folder, name, content)
        path.unlink()
        return path

    monkeypatch.setattr("server.http.files.place", place_and_lose)
    response = upload(service, "lost.md", "# Lost\n")
    assert response.status_code == 201
    assert response.json()["uploaded"][0]["size_bytes"] == len("# Lost\n")


def test_what_a_killed_upload_has_left_is_gone_after_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    code = (
        "import os, sys; from pathlib import Path; from ingest.folders.intake import place\n"
        "class Breaks:\n"
        "    def read(self, size=-1): os._exit(9)\n"
        "place(Path(sys.argv[1]), 'a.md', Breaks())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=Path(__file__).parents[3])
    assert [path.name[:10] for path in folder.iterdir()] == [".incoming-"]
    with serving(quick_settings(tmp_path / "home"), folder) as service:
        service.sync()
        assert list(folder.iterdir()) == []
        assert service.client.get("/documents").json()["documents"] == []


def test_upload_that_the_temporary_disk_has_no_room_for_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    with mounted(tmp_path / "tiny", "100k") as disk:
        monkeypatch.setattr("tempfile.tempdir", str(disk.path))
        with serving(quick_settings(tmp_path / "home"), folder) as service:
            response = upload(service, "large.md", LARGE)
            assert error(response) == (507, "storage")
            assert str(disk.path) in response.json()["error"]["hint"]
            assert upload(service, "small.md", "# Small\n").status_code == 201
