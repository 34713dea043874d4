"""A GGUF embedding model: on its way into the models directory, and known by its bytes."""

import logging
from pathlib import Path

import pytest

from kb.errors import ModelDownloadError, ModelLoadError
from kb.models.catalog import CatalogModel
from kb.models.fetch import RemoteFile, UrlFiles
from kb.models.hub_folder import HubFolder
from kb.models.named import fetched
from kb.models.store import ModelStore
from tests.model_sources import GGUF, NOWHERE, ignore, serve, sha256


def model(*sources: UrlFiles) -> CatalogModel:
    return CatalogModel("tiny-gguf", "tiny", "embedding", False, 1000, "MIT", "", sources)


def test_file_is_put_in_a_folder_of_its_own_and_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with serve({"/m.gguf": GGUF}) as server:
        file = RemoteFile("m.gguf", sha256(GGUF))
        store = ModelStore(tmp_path, (model(UrlFiles(f"{server.url}/m.gguf", (file,))),))
        path = store.pull("tiny-gguf", ignore)
    assert path == store.find("tiny-gguf") == tmp_path / "tiny-gguf" / "m.gguf"
    assert path.read_bytes() == GGUF
    assert store.identity(path).startswith("m@")
    assert not caplog.records


def test_what_comes_without_a_known_digest_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with serve({"/m.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, (model(UrlFiles(f"{server.url}/m.gguf", (RemoteFile("m.gguf"),))),))
        store.pull("tiny-gguf", ignore)
    (record,) = caplog.records
    assert "no SHA-256 of it is known beforehand" in record.getMessage()


def test_folder_of_a_commit_is_known_beforehand_and_one_of_a_branch_is_not() -> None:
    def check(_: Path) -> None:
        raise AssertionError

    assert HubFolder("owner/repo", check, (), "3d7cfbdacd47fdda877c5cd8a79fbcc4f2a574f3").is_pinned
    assert not HubFolder("owner/repo", check, ()).is_pinned


def test_identity_follows_the_bytes_and_not_the_place(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    first, moved, other = tmp_path / "a" / "m.gguf", tmp_path / "b" / "m.gguf", tmp_path / "c" / "m.gguf"
    for path, content in ((first, GGUF), (moved, GGUF), (other, GGUF[:-1] + b"x")):
        path.parent.mkdir()
        path.write_bytes(content)
    assert store.identity(first) == store.identity(moved) != store.identity(other)


def test_half_a_download_and_another_file_are_told_and_not_kept(tmp_path: Path) -> None:
    with serve({"/m.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, (model(UrlFiles(f"{server.url}/m.gguf", (RemoteFile("m.gguf", "0" * 64),))),))
        with pytest.raises(ModelDownloadError, match="wrong SHA-256"):
            store.pull("tiny-gguf", ignore)
    assert store.find("tiny-gguf") is None


def test_setting_that_names_no_model_is_told_with_what_it_may_name(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, (model(UrlFiles(NOWHERE, (RemoteFile("m.gguf"),))),))
    with pytest.raises(ModelLoadError, match=r"KB_EMBEDDING_MODEL='tiny-gguff' is neither a name") as wrong:
        fetched(store, "tiny-gguff", "KB_EMBEDDING_MODEL", "a name", ignore)
    assert "did you mean tiny-gguf" in wrong.value.hint
    with pytest.raises(ModelDownloadError, match="no connection") as away:
        fetched(store, "tiny-gguf", "KB_EMBEDDING_MODEL", "a name", ignore)
    assert "HTTPS_PROXY" in away.value.hint
    assert "KB_EMBEDDING_MODEL" in away.value.hint
