"""Which of the two adapters embeds, and how a model comes to be prepared; the conversion runs in a real child."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kb.processor
from kb.adapters.embedding.backends import describe_backend, open_embedder, prepare_embedder
from kb.adapters.embedding.onnx_embedder import OnnxEmbedder
from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
from kb.errors import KBError, ModelLoadError
from kb.models.onnx_folder import Conversion, fingerprint, model_path, place_conversion, read_conversion
from kb.processor import has_accelerator
from kb.values.progress import Progress
from tests.tiny_e5 import write_tiny_model

pytestmark = pytest.mark.timeout(300)  # a child of low priority imports torch


def ignore(progress: Progress) -> None:
    pass


def never(progress: Progress) -> None:
    raise AssertionError(f"nothing was to be done: {progress}")


@pytest.fixture(autouse=True)
def no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.adapters.embedding.backends.has_accelerator", lambda: False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_model(tmp_path_factory.mktemp("model"))
    prepare_embedder(folder, ignore, "onnx")
    assert read_conversion(folder)
    return folder


@pytest.fixture
def model(prepared: Path, tmp_path: Path) -> Path:
    """A copy to change, as prepared as the original: times of change are kept."""
    return Path(shutil.copytree(prepared, tmp_path / "model"))


def refuse(folder: Path) -> None:
    place_conversion(folder, Conversion(fingerprint(folder), refusal="it is made of wood"))


def test_a_prepared_model_is_used_at_once_and_its_vectors_have_an_identity_of_their_own(prepared: Path) -> None:
    embedder = open_embedder(prepared, "tiny@q4", never)
    assert isinstance(embedder, OnnxEmbedder)
    assert embedder.identity == "tiny@q4+int8"
    assert describe_backend(prepared).startswith("in 8 bit by ONNX Runtime, cosine 1.000")


def test_torch_can_be_insisted_on(prepared: Path) -> None:
    embedder = open_embedder(prepared, "tiny@q4", never, "torch")
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert embedder.identity == "tiny@q4"
    assert describe_backend(prepared, "torch") == "in torch, as set"


def test_torch_embeds_on_a_graphics_processor(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.adapters.embedding.backends.has_accelerator", lambda: True)
    assert isinstance(open_embedder(prepared, "tiny", never), SentenceTransformerEmbedder)
    assert "graphics processor" in describe_backend(prepared)
    assert isinstance(open_embedder(prepared, "tiny", never, "onnx"), OnnxEmbedder)


def test_a_damaged_file_is_made_anew(model: Path) -> None:
    path, expected = model_path(model), open_embedder(model, "tiny", never).embed_query("green tea")
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    seen: list[Progress] = []
    embedder = open_embedder(model, "tiny", seen.append)
    assert isinstance(embedder, OnnxEmbedder)
    np.testing.assert_array_equal(embedder.embed_query("green tea"), expected)
    assert path.read_bytes() == whole
    assert (seen[0].label, seen[0].total) == ("preparing model for this processor", None)
    assert seen[-1].done == seen[-1].total


def test_torch_stands_in_for_a_model_that_cannot_be_converted_and_it_is_not_tried_again(
    model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(model)
    embedder = open_embedder(model, "tiny@q4", never)
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert embedder.identity == "tiny@q4"
    assert "it is made of wood" in caplog.text
    assert describe_backend(model) == "in torch, which is slower: it is made of wood"


def test_where_onnx_is_insisted_on_a_model_that_cannot_be_converted_is_an_error(model: Path) -> None:
    refuse(model)
    with pytest.raises(ModelLoadError, match="it is made of wood") as caught:
        open_embedder(model, "tiny", never, "onnx")
    assert "KB_EMBEDDING_BACKEND" in caught.value.hint


def test_torch_stands_in_where_nothing_can_be_written(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = model / "model_int8.2.json"
    record.unlink()
    record.mkdir()  # as if the folder were read-only, for a user who may write everywhere
    assert isinstance(open_embedder(model, "tiny", ignore), SentenceTransformerEmbedder)
    assert "model_int8.2.json" in caplog.text
    assert describe_backend(model) == "prepared for this processor when it is first used"


def test_a_model_that_does_not_load_at_all_is_an_error(model: Path) -> None:
    (model / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ModelLoadError, match=str(model)):
        open_embedder(model, "tiny", ignore)


def test_preparing_ends_when_the_report_raises(model: Path) -> None:
    (model / "model.safetensors").touch()

    def stop(progress: Progress) -> None:
        raise KBError("closed")

    with pytest.raises(KBError, match="closed"):
        open_embedder(model, "tiny", stop)
    assert read_conversion(model) is None


def test_a_service_with_a_prepared_model_needs_no_torch(prepared: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from kb.adapters.embedding.backends import open_embedder\n"
        f"open_embedder(Path({str(prepared)!r}), 'tiny', print).embed_passages(['green tea', 'tea'])\n"
        "print(*sorted({'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == (["torch"] if kb.processor.has_accelerator() else [])


def test_torch_without_support_for_graphics_processors_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cpu")
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it now fails
    assert has_accelerator() is False


def test_torch_is_asked_where_a_device_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("kb.processor._DEVICES", (str(tmp_path / "absent"),))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert has_accelerator() is False
    monkeypatch.setattr("kb.processor._DEVICES", (str(tmp_path),))
    with pytest.raises(ImportError):
        has_accelerator()


def test_reranker_is_no_embedding_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["BertForSequenceClassification"]}')
    with pytest.raises(ModelLoadError, match="is a reranker") as caught:
        open_embedder(tmp_path, "m", never)
    assert "KB_EMBEDDING_MODEL" in caught.value.hint
