"""The measurements against the plain way, as commands, with tiny models: all figures come, and none is nonsense."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kb.errors import InvalidRequest, KBError, ModelMissing
from server.cli.bench import app
from server.measure.bench.embedding_sides import Side, open_ours
from tests.server.cli.eval.sets import ENGLISH, write_squad
from tests.tiny_e5 import write_tiny_model
from tests.tiny_gguf import END, tiny_chat

SAMPLES = Path(__file__).parents[4] / "sample_docs"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `kb bench`; gives the figures by their names."""
    (tmp_path / "e5").mkdir()
    model = tiny_chat(tmp_path / "tiny.gguf", ["\n", *"abcdefghijklmnopqrstuvwxyz", END])
    for name, value in {
        "EMBEDDING_MODEL": write_tiny_model(tmp_path / "e5"),
        "MODEL": model,
        "MODELS": tmp_path / "models",
        "CONTEXT_TOKENS": 8192,
        "THREADS": 1,
        "BATCH_TOKENS": 256,
        "FLASH_ATTENTION": "off",
        "KV_TYPE": "f16",
        "GPU_LAYERS": 0,
        "MIN_EVIDENCE": 0,
    }.items():
        monkeypatch.setenv(f"KB_{name}", str(value))

    def run(*arguments: str | Path) -> dict[str, Any]:
        words = [*map(str, arguments), "--json"]
        printed = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
        return {figure["what"]: figure for figure in printed}

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    shutil.copy(SAMPLES / "visitor-faq.md", folder)
    shutil.copy(SAMPLES / "pika-p3-manual.pdf", folder)
    return folder


@pytest.mark.parametrize("command", ["search", "answer", "ingest", "embed"])
def test_help_has_examples(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    assert f"kb bench {command}" in shown.partition("Example")[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_folders_are_indexed_in_both_ways(run: Run, folder: Path) -> None:
    figures = run("ingest", folder)
    assert figures["files"]["ours"] == figures["files"]["plain"] == 2
    assert figures["files that failed"]["ours"] == 0
    for name in ("chunks", "seconds", "chunks/s", "peak memory, MB"):
        assert figures[name]["ours"] > 0
        assert figures[name]["ratio"] == pytest.approx(figures[name]["ours"] / figures[name]["plain"])
    assert run("ingest", folder, "--no-plain")["chunks"]["plain"] is None


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_embedding_is_measured_in_both_ways(run: Run, folder: Path, tmp_path: Path) -> None:
    figures = run("embed", folder, "--texts", "4")
    assert figures["texts/s, best of rounds"]["ratio"] > 0
    assert 0.9 < figures["cosine between the two, mean"]["ours"] <= 1.001
    assert not any("recall" in name for name in figures)
    figures = run("embed", "--squad", write_squad(tmp_path / "tiny.json", ENGLISH), "--texts", "4")
    assert 0 <= figures["tiny: recall@1"]["plain"] <= figures["tiny: recall@5"]["plain"] <= 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_answers_are_measured_against_llama_cpp_and_a_plain_prompt(run: Run, tmp_path: Path, folder: Path) -> None:
    pairs = tmp_path / "pairs.json"
    pairs.write_text(json.dumps([["How many beds are there?", "How is a bed booked?"]]))
    figures = run("answer", folder, "--pairs", pairs, "--rounds", "1", "--tokens", "8")
    assert figures["generated tokens/s"]["ours"] > 0
    assert figures["first token, s"]["ours"] > 0
    assert figures["first token, s"]["plain"] > 0
    assert figures["declined, of 1 pairs of questions"]["ours"] == 0
    several = {"Dome": {"The first dome was built in 1998.": [("a", "When was it?", "1998"), ("b", "What?", "dome")]}}
    figures = run("answer", "--squad", write_squad(tmp_path / "tiny.json", several), "--rounds", "0")
    assert "generated tokens/s" not in figures
    assert figures["declined, of 1 pairs of questions"]["ours"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ingest", "{tmp}/missing"], "is not a folder"),
        (["embed", "{tmp}"], "no paragraphs"),
        (["embed", "--squad", "{tmp}/missing.json"], "does not exist"),
        (["answer", "{tmp}/missing"], "is not a folder"),
        (["answer", "{tmp}"], "what is to be asked"),
        (["answer", "{tmp}", "--pairs", "{tmp}/tiny.gguf"], "no list of pairs"),
    ],
)
def test_what_cannot_be_measured_is_told(run: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        run(*(argument.format(tmp=tmp_path) for argument in arguments))


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_model_that_does_not_load_is_an_error_and_not_the_end_of_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(KBError, match="has ended"):
        Side(open_ours, tmp_path / "empty")


def test_without_a_model_there_are_no_answers(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").unlink()
    with pytest.raises(ModelMissing):
        run("answer", "--limit", "0")
