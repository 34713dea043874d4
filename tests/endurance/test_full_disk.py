"""What a full disk stops says what to do, loses nothing, and goes on by itself when there is room again."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kb.adapters.chroma.local import ROOM_BYTES
from kb.models.fetch import RemoteFile, UrlFiles
from kb.models.store import ModelStore
from kb.values.progress import Progress
from tests.endurance.comparing import Words, differences, storage_differences
from tests.endurance.running import UPKEEP_SECONDS, OpenStores
from tests.fakes import FakeEmbedder
from tests.harness import Served, eventually, quick_settings, serving
from tests.model_sources import GGUF, answer_model, serve, sha256
from tests.server.http.routes_harness import error, upload
from tests.small_disk import SmallDisk, mounted

pytestmark = pytest.mark.slow

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
QUESTION = "When was the second dome repaired?"
LARGE = DOME + "The lantern of the dome shines at night.\n\n" * 8_000
RETRY_SECONDS = 0.5
DISK = "100m"
FILES = 40


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with mounted(tmp_path / "disk", DISK) as disk:
        yield disk


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pipeline.pipeline.RETRY_SECONDS", RETRY_SECONDS)
    monkeypatch.setattr("kb.models.loading.RETRY_SECONDS", RETRY_SECONDS)


def answers(service: Served) -> bool:
    """Whether what can be done without room is done."""
    found = service.client.post("/search", json={"query": "second dome"}).raise_for_status().json()["passages"]
    answer = service.client.post("/ask", json={"question": QUESTION, "kind": "lookup"}).raise_for_status().json()
    return "second dome" in found[0]["text"] and answer["answerable"]


def state(service: Served) -> dict[str, Any]:
    status: dict[str, Any] = service.client.get("/status").raise_for_status().json()
    return status


def model(service: Served) -> dict[str, Any]:
    found: dict[str, Any] = state(service)["models"]["answer"]
    return found


@pytest.mark.parametrize("left_bytes", [0, ROOM_BYTES // 2])
def test_indexing_goes_on_when_there_is_room(
    disk: SmallDisk, folder: Path, dice: random.Random, left_bytes: int
) -> None:
    words, stores = Words(dice), OpenStores(disk.path / "home")
    with serving(quick_settings(disk.path / "home"), folder, stores=stores) as service:
        service.write("dome.md", DOME)
        service.sync()
        for number in range(FILES):
            service.write(f"{number}.md", words.text(8))
        assert eventually(lambda: len(service.documents) > 5)
        disk.fill(left_bytes)
        assert eventually(lambda: state(service)["index"]["error"])
        assert "free some space" in state(service)["index"]["error"]["hint"]
        indexed = len(service.documents)
        assert 5 < indexed < FILES
        assert answers(service)
        disk.make_room()
        assert eventually(lambda: len(service.documents) == FILES + 1)
        service.sync()
        assert state(service)["index"]["error"] is None
        assert differences(folder, service.knowledge_base, words.made) == []
        home = disk.path / "home"
        eventually(lambda: not storage_differences(home, stores.ids), UPKEEP_SECONDS)
        assert storage_differences(home, stores.ids) == []


def test_uploads_are_whole_or_not_there(disk: SmallDisk, tmp_path: Path) -> None:
    folder = disk.path / "papers"
    folder.mkdir()
    with serving(quick_settings(tmp_path / "home", min_free_bytes=0), folder) as service:
        service.write("dome.md", DOME)
        service.sync()
        disk.fill(left_bytes=5 * len(LARGE) // 2)
        names = [f"large-{number}.md" for number in range(5)]
        with ThreadPoolExecutor(5) as clients:
            responses = dict(zip(names, clients.map(lambda name: upload(service, name, LARGE), names), strict=True))
        whole = {name for name, response in responses.items() if response.status_code == 201}
        assert 0 < len(whole) < 3
        for name in responses.keys() - whole:
            assert error(responses[name]) == (507, "storage")
            assert "free" in responses[name].json()["error"]["hint"]
        assert {path.name: path.stat().st_size for path in folder.iterdir()} == {
            "dome.md": len(DOME),
            **dict.fromkeys(whole, len(LARGE)),
        }
        assert answers(service)
        disk.make_room()
        assert upload(service, "more.md", LARGE).status_code == 201
        service.sync()
        assert set(service.sources) == {"dome.md", "more.md", *whole}


def kb(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a command on a data directory."""
    command = [sys.executable, "-m", "server", "--home", str(home), *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, "COLUMNS": "1000"}, capture_output=True, text=True, check=False)


def test_backup_is_whole_or_not_there_and_an_import_goes_on(disk: SmallDisk, folder: Path, tmp_path: Path) -> None:
    home, backups = tmp_path / "home", disk.path / "backups"
    backups.mkdir()
    with serving(quick_settings(home), folder) as service:
        service.write("dome.md", DOME)
        service.write("large.md", LARGE)
        service.sync()
        disk.fill(left_bytes=200_000)
        refused = kb(home, "backup", backups)
        assert refused.returncode == 1
        assert "space" in refused.stderr
        assert list(backups.iterdir()) == []
        assert answers(service)
        disk.make_room()
        assert kb(home, "backup", backups).returncode == 0
        before = [(each.id, each.file.sha256) for each in service.knowledge_base.documents()]
    (backup,) = backups.iterdir()
    kept, new = shutil.copy(backup, tmp_path), disk.path / "new"
    backup.unlink()
    disk.fill(left_bytes=200_000)
    refused = kb(new, "import", kept)
    assert refused.returncode == 1
    assert "run the same command again" in refused.stderr
    disk.make_room()
    assert kb(new, "import", kept).returncode == 0
    embedder = FakeEmbedder()
    with serving(quick_settings(new), folder, embedder=embedder) as service:
        service.sync()
        assert [(each.id, each.file.sha256) for each in service.knowledge_base.documents()] == before
        assert embedder.embedded == []
        assert answers(service)


def test_download_of_a_model_goes_on_where_it_was(disk: SmallDisk, folder: Path, tmp_path: Path) -> None:
    content = GGUF * 20

    def fill_once(progress: Progress) -> None:
        if len(server.ranges_asked) == 1 and progress.done == 0:
            disk.fill(left_bytes=len(content) // 2)

    def fetch(name: str) -> None:
        if name == "answering":
            store.pull("small", fill_once)

    with serve({"/model.gguf": content}) as server:
        source = UrlFiles(f"{server.url}/model.gguf", (RemoteFile("model.gguf", sha256(content), len(content)),))
        store = ModelStore(disk.path / "models", (answer_model("small", source, size_bytes=len(content)),))
        with serving(quick_settings(tmp_path / "home"), folder, before_loading=fetch) as service:
            service.write("dome.md", DOME)
            service.sync()
            assert eventually(lambda: "free some space" in (model(service)["error"] or {}).get("hint", ""))
            assert service.client.post("/search", json={"query": "second dome"}).json()["passages"]
            asked = service.client.post("/ask", json={"question": QUESTION, "kind": "lookup"})
            assert error(asked) == (507, "storage")
            disk.make_room()
            assert eventually(lambda: model(service)["state"] == "ready")
            assert answers(service)
            assert server.ranges_asked[0] == ""
            assert server.ranges_asked[-1].startswith("bytes=")
