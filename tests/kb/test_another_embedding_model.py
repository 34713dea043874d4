"""Another embedding model in the settings, with vectors of another length, over real models, SQLite and Chroma."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from kb.errors import ModelLoadError
from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings, load
from kb.values.documents import Block, Chunk, Document, FileVersion
from kb.wiring import open_knowledge_base
from tests.tiny_gguf_embedders import tiny_bert

pytestmark = pytest.mark.timeout(180)  # several processes load llama.cpp

TEXTS = {
    "dome.md": "The observatory opens its dome at nine in the evening.",
    "bread.md": "Bread is baked from flour, water, salt and yeast.",
}
QUESTION = "When is the dome of the observatory opened?"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({}, home=tmp_path / "home", models=tmp_path / "models", embedding_model=str(model(tmp_path, 128)))


def model(folder: Path, width: int) -> Path:
    return tiny_bert(folder / f"tiny-{width}.gguf", [*TEXTS.values(), QUESTION], seed=width, width=width)


@contextmanager
def opened(settings: Settings) -> Iterator[KnowledgeBase]:
    with open_knowledge_base(settings) as knowledge_base:
        assert knowledge_base.wait_for_index(60)
        yield knowledge_base
    assert not embedding_processes()


def embedding_processes() -> list[psutil.Process]:
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "kb.adapters.llama.embedding.main" in child.cmdline()]


def index(knowledge_base: KnowledgeBase) -> None:
    for source, text in TEXTS.items():
        read = Document(source, "text/markdown", text, (Block(0, len(text)),))
        knowledge_base.replace(FileVersion("/notes", source, len(text), 1), read, [Chunk(0, len(text), text)])


def dimension(knowledge_base: KnowledgeBase) -> int:
    return knowledge_base.models.live_index().serving.embedder.dimension


def found(knowledge_base: KnowledgeBase) -> tuple[str, float | None]:
    first = knowledge_base.search(QUESTION, 1)[0]
    return first.source, first.similarity


def test_the_model_before_answers_until_all_is_embedded_anew_and_then_its_process_ends(
    settings: Settings, tmp_path: Path
) -> None:
    with opened(settings) as knowledge_base:
        index(knowledge_base)
        assert found(knowledge_base)[0] == "dome.md"
        assert len(embedding_processes()) == 1
    with opened(settings.model_copy(update={"embedding_model": str(model(tmp_path, 64))})) as knowledge_base:
        assert dimension(knowledge_base) == 128
        source, similarity = found(knowledge_base)
        assert source == "dome.md"
        assert similarity, "by its vector, not by its words alone"
        assert knowledge_base.index_work()
        assert len(embedding_processes()) == 2
        while knowledge_base.maintain():
            assert found(knowledge_base)[0] == "dome.md"
        assert dimension(knowledge_base) == 64
        source, similarity = found(knowledge_base)
        assert source == "dome.md"
        assert similarity
        assert knowledge_base.index_work() is None
        assert len(embedding_processes()) == 1


def test_where_the_model_before_is_gone_words_find_meanwhile(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(settings) as knowledge_base:
        index(knowledge_base)
    Path(settings.embedding_model).unlink()
    caplog.set_level(logging.WARNING)
    with opened(settings.model_copy(update={"embedding_model": str(model(tmp_path, 64))})) as knowledge_base:
        assert "words alone find what is not embedded anew" in caplog.text
        assert found(knowledge_base)[0] == "dome.md"
        while knowledge_base.maintain():
            pass
        assert found(knowledge_base)[1]


@pytest.mark.parametrize("name", ["bge-m4", "owner/repo/more", "/nowhere/model.gguf"])
def test_wrong_name_is_told_with_what_may_be_named(settings: Settings, name: str) -> None:
    with open_knowledge_base(settings.model_copy(update={"embedding_model": name})) as knowledge_base:
        with pytest.raises(ModelLoadError, match=r"KB_EMBEDDING_MODEL='.*' is neither a name of the catalog") as caught:
            knowledge_base.search(QUESTION, 1)
        assert "correct KB_EMBEDDING_MODEL" in caught.value.hint
