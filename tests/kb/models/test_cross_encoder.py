"""A cross-encoder on its way from the hub into the models directory. The hub's client reads its variables when it is
imported, so each fetch runs in another process."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb.models.cross_encoder import is_cross_encoder
from kb.models.store import ModelStore
from tests.model_sources import FileServer, serve

NAME = "owner/some-reranker.v2"
CONFIG = {"architectures": ["XLMRobertaForSequenceClassification"]}
FILES = {
    "config.json": json.dumps(CONFIG).encode(),
    "tokenizer_config.json": b"{}",
    "tokenizer.json": b"{}",
    "model.safetensors": bytes(range(256)) * 100,
    "1_Dense/config.json": b"{}",
    "1_Dense/model.safetensors": b"dense",
    "sentencepiece.bpe.model": b"pieces",
    "pytorch_model.bin": b"the same weights",
    "onnx/model.onnx": b"the same weights",
    "onnx/config.json": b"{}",
    "README.md": b"# A reranker",
    "../outside.json": b"{}",
}
NOT_NEEDED = {"pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "README.md", "../outside.json"}


LIST = f"/api/models/{NAME}?blobs=true"


def hub(files: dict[str, bytes]) -> dict[str, bytes]:
    """What a hub has to say about a repository."""
    listed = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
    answers = {f"/{NAME}/resolve/main/{name}": content for name, content in files.items()}
    return {**answers, LIST: json.dumps({"siblings": listed}).encode()}


def pull(models: Path, endpoint: str, *arguments: str, embedder: bool = False) -> str:
    code = """
import sys
from pathlib import Path
from kb.errors import KBError
from kb.models.store import ModelStore
store = ModelStore.of_hub(Path(sys.argv[1]), NAMED)
seen = []
try:
    print(store.pull(sys.argv[2], seen.append, *sys.argv[3:]))
    print(seen[-1].done if len(seen) > 1 else "")
except KBError as error:
    print(error.message)
"""
    code = code.replace("NAMED", "embedder=sys.argv[2]" if embedder else "sys.argv[2]")
    done = subprocess.run(
        [sys.executable, "-c", code, str(models), NAME, *arguments],
        env=os.environ | {"HF_TOKEN": "", "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": endpoint},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def paths_asked(server: FileServer) -> list[str]:
    return [path for method, path, _ in server.requests if method == "GET"]


def test_what_is_needed_of_a_repository_is_fetched_and_found_from_then_on(tmp_path: Path) -> None:
    with serve(hub(FILES)) as server:
        said = pull(tmp_path, server.url)
        asked = paths_asked(server)
    folder = tmp_path / "rerankers" / NAME
    assert said.splitlines()[0] == str(folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == FILES.keys() - NOT_NEEDED
    assert all((folder / name).read_bytes() == FILES[name] for name in there)
    assert "safetensors" in asked[-1], "weights come last"
    assert not (tmp_path / ".partial" / "owner--some-reranker.v2").exists()
    assert ModelStore.of_hub(tmp_path, NAME).find(NAME) == folder


def test_what_came_before_an_interruption_is_not_fetched_again(tmp_path: Path) -> None:
    weights = f"/{NAME}/resolve/main/model.safetensors"
    with serve({path: content for path, content in hub(FILES).items() if path != weights}) as server:
        assert "no such file" in pull(tmp_path, server.url)
        server.files = hub(FILES)
        server.requests.clear()
        pull(tmp_path, server.url)
        assert [path for path in paths_asked(server) if "/1_Dense/" not in path] == [LIST, weights]
    assert (tmp_path / "rerankers" / NAME).is_dir()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({**FILES, "config.json": b'{"architectures": ["BertModel"]}'}, "it is not a cross-encoder"),
        ({name: FILES[name] for name in ("config.json", "pytorch_model.bin")}, "no weights in the safetensors format"),
        ({}, "no weights in the safetensors format"),
    ],
    ids=["other kind", "other format", "empty"],
)
def test_repository_with_something_else_is_refused_before_its_weights_come(
    tmp_path: Path, files: dict[str, bytes], reason: str
) -> None:
    with serve(hub(files)) as server:
        said = pull(tmp_path, server.url)
        assert not any(path.endswith("safetensors") for path in paths_asked(server))
    assert f"{NAME} could not be fetched" in said
    assert reason in said
    assert not (tmp_path / "rerankers").exists()


def test_list_that_cannot_be_read_is_no_traceback(tmp_path: Path) -> None:
    with serve({LIST: b"<!doctype html>"}) as server:
        assert "the list of its files cannot be read" in pull(tmp_path, server.url)


def test_name_that_the_hub_does_not_know_is_said(tmp_path: Path) -> None:
    with serve({}) as server:
        assert "no such file" in pull(tmp_path, server.url)


def test_hub_that_cannot_be_reached_fails_within_ten_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    assert "no connection" in pull(tmp_path, "http://127.0.0.1:9")
    assert time.monotonic() - began < 10


def test_folder_at_an_address_of_the_user_will_do_as_well(tmp_path: Path) -> None:
    with serve({f"/mirror/{name}": content for name, content in FILES.items()}) as server:
        pull(tmp_path, "http://127.0.0.1:9", f"{server.url}/mirror")
    folder = tmp_path / "rerankers" / NAME
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_folder_with_something_else_is_refused_and_does_not_stay(tmp_path: Path) -> None:
    wrong = {**FILES, "config.json": b'{"architectures": ["BertModel"]}'}
    with serve({f"/mirror/{name}": content for name, content in wrong.items()}) as server:
        assert "it is not a cross-encoder" in pull(tmp_path, "http://127.0.0.1:9", f"{server.url}/mirror")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_local_folder_goes_before_a_name_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).mkdir(parents=True)
    store = ModelStore.of_hub(tmp_path / "models", NAME)
    assert store.find(NAME) is None
    (tmp_path / NAME / "config.json").write_text(json.dumps(CONFIG))
    assert store.find(NAME) == tmp_path / NAME


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"config.json": CONFIG}, True),
        ({"config.json": {"architectures": ["BertModel"]}}, False),
        ({"config.json": {"architectures": None}}, False),
        ({"config.json": []}, False),
        ({"config_sentence_transformers.json": {"model_type": "CrossEncoder"}}, True),
        ({"config_sentence_transformers.json": {"model_type": "SentenceTransformer"}, "config.json": CONFIG}, False),
        ({"modules.json": [], "config.json": CONFIG}, False),
        ({}, False),
    ],
)
def test_cross_encoder_is_known_by_its_configuration(tmp_path: Path, files: dict[str, object], expected: bool) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert is_cross_encoder(tmp_path) is expected
