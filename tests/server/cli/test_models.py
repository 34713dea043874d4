import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kb import settings
from kb.errors import InvalidRequest, ModelDownloadError, ModelMissing, NotFound
from kb.models.catalog import DEFAULT_ANSWER_MODEL, FALLBACK_ANSWER_MODEL
from kb.models.store import ModelStore
from server.cli.models import app
from server.settings import ServerSettings
from tests.model_sources import serve
from tests.tiny_e5 import write_tiny_model

GGUF = b"GGUF and more"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KB_MODEL", "KB_EMBEDDING_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KB_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def place(tmp_path: Path, name: str) -> Path:
    model = ModelStore(tmp_path).known(name)
    assert model
    path = tmp_path / "models" / name / model.sources[0].files[0].name
    path.parent.mkdir(parents=True)
    path.write_bytes(GGUF)
    return path


def row(output: str, name: str) -> list[str]:
    return next(line for line in output.splitlines() if line.startswith(name)).split()


def test_list_says_what_is_here_and_what_is_in_use(tmp_path: Path) -> None:
    place(tmp_path, FALLBACK_ANSWER_MODEL)
    place(tmp_path, "smollm2-135m-instruct")
    output = run("list").stdout
    assert row(output, DEFAULT_ANSWER_MODEL)[1:5] == ["1.1", "GB", "-", "Thinks"]
    assert row(output, FALLBACK_ANSWER_MODEL)[1:6] == ["13", "bytes", "in", "use", "Answers"]
    assert row(output, "smollm2-135m-instruct")[1:5] == ["13", "bytes", "yes", "Far"]
    assert "Qwen2.5-Coder-1.5B-Instruct answers; it is not an R1 distill" in output


def test_list_shows_models_that_are_not_in_the_catalog(tmp_path: Path) -> None:
    path = tmp_path / "models" / "hf" / "owner" / "repo" / "own.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(GGUF)
    assert row(run("list").stdout, "hf:owner/repo/own.gguf")[1:] == ["13", "bytes", "yes"]


def test_pull_fetches_from_an_address_and_says_where_the_model_is(tmp_path: Path) -> None:
    with serve({"/own.gguf": GGUF}) as server:
        result = run("pull", "hf:owner/repo/own.gguf", "--url", f"{server.url}/own.gguf")
    path = tmp_path / "models" / "hf" / "owner" / "repo" / "own.gguf"
    assert path.read_bytes() == GGUF
    assert result.stdout == f"hf:owner/repo/own.gguf is here: {path}\n"
    assert "13 bytes of 13 bytes" in result.stderr


def test_reranker_of_the_settings_is_listed_pulled_and_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_RERANKER", "owner/reranker")
    assert row(run("list").stdout, "owner/reranker")[3] == "-"
    config = json.dumps({"architectures": ["BertForSequenceClassification"]}).encode()
    files = {"config.json": config, "tokenizer.json": b"{}", "tokenizer_config.json": b"{}", "model.safetensors": b"1"}
    with serve({f"/mirror/{name}": content for name, content in files.items()}) as server:
        result = run("pull", "owner/reranker", "--url", f"{server.url}/mirror")
    folder = tmp_path / "models" / "rerankers" / "owner" / "reranker"
    assert result.stdout == f"owner/reranker is here: {folder}\n"
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    assert row(run("list").stdout, "owner/reranker")[3:5] == ["in", "use"]
    with pytest.raises(InvalidRequest, match="cannot answer"):
        run("use", "owner/reranker")


def test_errors_pass_through_for_the_command_line_to_explain() -> None:
    with pytest.raises(NotFound):
        run("pull", "nonsense")
    with pytest.raises(ModelDownloadError):
        run("pull", DEFAULT_ANSWER_MODEL, "--url", "http://127.0.0.1:9/x.gguf")


def test_path_prints_the_path_alone(tmp_path: Path) -> None:
    path = place(tmp_path, FALLBACK_ANSWER_MODEL)
    assert run("path", FALLBACK_ANSWER_MODEL).stdout == f"{path}\n"
    with pytest.raises(ModelMissing, match="is not on this machine"):
        run("path", DEFAULT_ANSWER_MODEL)


def test_use_writes_the_model_and_leaves_the_rest_as_it_was(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    config = home / "kb.toml"
    config.write_text('# my settings\nport = 9000  # not 8321\nmodel = "old"  # try others\n', "utf-8")
    place(tmp_path, FALLBACK_ANSWER_MODEL)
    output = run("use", FALLBACK_ANSWER_MODEL).stdout
    expected = f'# my settings\nport = 9000  # not 8321\nmodel = "{FALLBACK_ANSWER_MODEL}"  # try others\n'
    assert config.read_text("utf-8") == expected
    assert f"is now in {config}" in output
    assert "answers" in output
    assert [path.name for path in home.iterdir()] == ["kb.toml"]
    assert sys.platform == "win32" or config.stat().st_mode & 0o077 == 0, "a token may stand in it"


def test_use_makes_the_file_and_says_when_the_model_is_not_here_yet(home: Path) -> None:
    output = run("use", "deepseek-r1-distill-qwen-7b").stdout
    assert (home / "kb.toml").read_text("utf-8") == 'model = "deepseek-r1-distill-qwen-7b"\n'
    assert "is not here; `kb models pull deepseek-r1-distill-qwen-7b` fetches it" in output


def test_use_follows_a_link_to_the_settings(home: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "kb.toml"
    real.parent.mkdir()
    real.write_text("port = 9000\n", "utf-8")
    home.mkdir()
    (home / "kb.toml").symlink_to(real)
    run("use", DEFAULT_ANSWER_MODEL)
    assert (home / "kb.toml").is_symlink()
    assert real.read_text("utf-8") == f'port = 9000\nmodel = "{DEFAULT_ANSWER_MODEL}"\n'


def test_use_takes_a_file_from_anywhere_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'my "own".gguf'
    path.write_bytes(GGUF)
    monkeypatch.chdir(tmp_path)
    run("use", path.name)
    assert settings.load(kind=ServerSettings).model == str(path)


def test_use_refuses_what_cannot_answer_or_is_not_there(home: Path) -> None:
    with pytest.raises(InvalidRequest, match="is an embedding model"):
        run("use", "multilingual-e5-small")
    with pytest.raises(NotFound):
        run("use", "nowhere.gguf")
    assert not (home / "kb.toml").exists()


def test_use_says_that_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MODEL", FALLBACK_ANSWER_MODEL)
    output = run("use", DEFAULT_ANSWER_MODEL).stdout
    assert f"KB_MODEL is set, and goes before the file: {FALLBACK_ANSWER_MODEL} stays in use" in output


def test_help_shows_examples() -> None:
    for command in ("list", "pull", "path", "use"):
        assert f"kb models {command}" in run(command, "--help").stdout


def test_pull_without_a_name_fetches_what_finds_and_what_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "e5"
    folder.mkdir()
    monkeypatch.setenv("KB_EMBEDDING_MODEL", str(write_tiny_model(folder)))
    monkeypatch.setenv("KB_EMBEDDING_BACKEND", "torch")
    monkeypatch.setenv("KB_MODEL", "unheard-of")
    with pytest.raises(NotFound, match="unheard-of"):
        run("pull")
    place(tmp_path, FALLBACK_ANSWER_MODEL)
    monkeypatch.delenv("KB_MODEL")
    assert run("pull").stdout == "the models that find and answer are here\n"
