"""Models from ModelScope: found by its list, checked by its digests, and the hub stands in."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.errors import ModelDownloadError
from kb.models.cross_encoder import is_cross_encoder
from kb.models.fetch import HubFiles, RemoteFile, UrlFiles
from kb.models.store import ModelStore
from tests.model_sources import GGUF, FileServer, answer_model, ignore, serve, sha256

REPO = "owner/some-model-GGUF"
API = f"/api/v1/models/{REPO}"
CONFIG = json.dumps({"architectures": ["XLMRobertaForSequenceClassification"]}).encode()


def repository(files: dict[str, bytes], **digests: str) -> dict[str, bytes]:
    """What ModelScope has to say about a repository, as `modelscope/hub/api.py` reads it."""
    listed = [{"Path": "folder", "Name": "folder", "Type": "tree", "Size": 0, "Sha256": ""}] + [
        {
            "Path": name,
            "Name": name.rsplit("/")[-1],
            "Type": "blob",
            "Size": len(content),
            "Sha256": digests.get(name, sha256(content)),
        }
        for name, content in files.items()
    ]
    answer = {"Code": 200, "Success": True, "Message": "success", "Data": {"Files": listed, "IsVisual": 0}}
    contents = {
        f"{API}/repo?Revision=master&FilePath={name.replace('/', '%2F')}": content for name, content in files.items()
    }
    return {f"{API}/repo/files?Revision=master&Recursive=true": json.dumps(answer).encode(), **contents}


@pytest.fixture
def modelscope(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serve(repository({"q4/model.gguf": GGUF, "README.md": b"#"})) as server:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
        yield server


def store(folder: Path, *sources: HubFiles | UrlFiles, name: str = "tiny") -> ModelStore:
    return ModelStore(folder, (answer_model(name, *sources),), hub="modelscope")


def on_hub(digest: str = "", name: str = "q4/model.gguf") -> HubFiles:
    return HubFiles(REPO, (RemoteFile(name, digest, len(GGUF)),))


def test_file_of_the_hub_comes_from_there_and_is_checked(tmp_path: Path, modelscope: FileServer) -> None:
    for name, digest in (("tiny", ""), ("checked", sha256(GGUF))):
        assert store(tmp_path, on_hub(digest), name=name).pull(name, ignore).read_bytes() == GGUF
    assert all("huggingface" not in path for _, path, _ in modelscope.requests)


def test_interrupted_download_goes_on_where_it_was(tmp_path: Path, modelscope: FileServer) -> None:
    modelscope.redirect_headers = {}  # as it sends on to where the bytes are
    modelscope.cut_after = [10**6, 100_000]
    assert store(tmp_path, on_hub()).pull("tiny", ignore).read_bytes() == GGUF
    assert "bytes=100000-" in modelscope.ranges_asked


@pytest.mark.parametrize(
    ("digest", "name", "reason"),
    [("0" * 64, "q4/model.gguf", "another file"), ("", "q8/model.gguf", "no file q8/model.gguf")],
)
def test_other_file_is_not_even_fetched_and_the_next_source_is_asked(
    tmp_path: Path, modelscope: FileServer, monkeypatch: pytest.MonkeyPatch, digest: str, name: str, reason: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelDownloadError, match=reason) as caught:
        store(tmp_path, on_hub(digest, name)).pull("tiny", ignore)
    assert "Hugging Face" in caught.value.message
    assert not any("FilePath" in path for _, path, _ in modelscope.requests)


def test_what_came_must_be_what_the_list_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with serve(repository({"q4/model.gguf": GGUF}, **{"q4/model.gguf": "1" * 64})) as server:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
        with pytest.raises(ModelDownloadError, match="wrong SHA-256"):
            store(tmp_path, on_hub()).pull("tiny", ignore)
    assert not list(tmp_path.rglob("*.gguf"))


@pytest.mark.parametrize("said", [b"{}", b"<html>", b'{"Data": {"Files": [{}]}}', b'{"Data": null}'])
def test_list_that_is_none_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with serve({f"{API}/repo/files?Revision=master&Recursive=true": said}) as server:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
        with pytest.raises(ModelDownloadError, match="list of its files"):
            store(tmp_path, on_hub()).pull("tiny", ignore)


def test_any_file_of_a_repository_can_be_named(tmp_path: Path, modelscope: FileServer) -> None:
    there = ModelStore(tmp_path, hub="modelscope")
    assert there.pull(f"hf:{REPO}/q4/model.gguf", ignore).read_bytes() == GGUF


def test_cross_encoder_comes_with_what_it_needs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"config.json": CONFIG, "tokenizer.json": b"{}", "model.safetensors": GGUF, "pytorch_model.bin": GGUF}
    with serve(repository(files)) as server:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
        there = ModelStore.of_hub(tmp_path, REPO, hub="modelscope")
        folder = there.pull(REPO, ignore)
    assert is_cross_encoder(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]


def test_what_is_not_of_the_hub_and_an_address_of_ones_own_stay(tmp_path: Path, modelscope: FileServer) -> None:
    with serve({"/model.gguf": GGUF}) as server:
        source = UrlFiles(f"{server.url}/model.gguf", (RemoteFile("model.gguf"),))
        assert store(tmp_path / "a", source).pull("tiny", ignore).read_bytes() == GGUF
        assert store(tmp_path / "b", on_hub(name="model.gguf")).pull("tiny", ignore, f"{server.url}/model.gguf")
    assert modelscope.requests == []
