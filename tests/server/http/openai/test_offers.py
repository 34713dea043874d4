"""What a client may choose, where several folders are watched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AskOptions, Done
from kb.values.chat import Message
from kb.values.documents import Block, Chunk, Document, FileVersion
from server.http.openai.offers import UnknownModel, find_offer, offers
from tests.fakes import FakeLanguageModel
from tests.harness import Watched, open_fake_knowledge_base, quick_settings, watching


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    papers, notes = tmp_path / "papers", tmp_path / "notes"
    for folder, source in ((papers, "2024/a.md"), (papers, "b.md"), (notes, "2024/c.md"), (notes, "2025/d/e.md")):
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(f"The kiln is lit, says {source}.\n")
    with watching(quick_settings(tmp_path / "home"), papers, notes) as watched:
        assert watched.pipeline.sync(15)
        yield watched


def test_watched_folders_and_those_right_below_are_offered(watched: Watched) -> None:
    knowledge_base = watched.knowledge_base
    knowledge_base.models.wait_for_model(15)
    assert [offer.id for offer in offers(knowledge_base)] == [
        *("r1-kb", "r1-kb/2024", "r1-kb/2025", "r1-kb/notes", "r1-kb/papers"),
        "fake",
    ]
    found = {}
    for name in ("r1-kb", "r1-kb/2024", "r1-kb/notes"):
        filters = find_offer(knowledge_base, name).filters
        assert filters is not None
        found[name] = {passage.source for passage in knowledge_base.search("kiln", 50, filters)}
    assert found == {
        "r1-kb": {"2024/a.md", "b.md", "2024/c.md", "2025/d/e.md"},
        "r1-kb/2024": {"2024/a.md", "2024/c.md"},
        "r1-kb/notes": {"2024/c.md", "2025/d/e.md"},
    }


def test_saved_filters_are_offered_beside_folders(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntags: [field]\n---\nThe kiln is lit.\n")
    (tmp_path / "b.md").write_text("The kiln is cold.\n")
    saved = {"kilns": {"tags": ["field"]}}
    with watching(quick_settings(tmp_path / ".home", saved_filters=saved), tmp_path) as watched:
        watched.sync()
        filters = find_offer(watched.knowledge_base, "r1-kb/kilns").filters
        assert filters
        assert [passage.source for passage in watched.knowledge_base.search("kiln", 9, filters)] == ["a.md"]


def test_of_two_models_one_can_be_chosen_for_each_library_and_alone(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.md").write_text("The kiln is lit.\n")
    settings = quick_settings(tmp_path / ".home", small_model="small")
    large, small = FakeLanguageModel("The large kiln."), FakeLanguageModel("The small kiln.")
    with open_fake_knowledge_base(settings, model=large, small=small) as base:
        add(base, "papers/a.md")
        assert base.models.wait_for_model(15)
        libraries = ["r1-kb", "r1-kb:small", "r1-kb:large", "r1-kb/papers"]
        assert [offer.id for offer in offers(base)] == [*libraries, "fake", "small"]
        chosen = find_offer(base, "r1-kb/papers:small")
        assert (chosen.routing, chosen.filters) == ("small", find_offer(base, "r1-kb/papers").filters)
        for routing, said in (("small", "The small kiln."), ("large", "The large kiln.")):
            *_, done = base.ask_stream("Is the kiln lit?", options=AskOptions(routing=routing))  # type: ignore[arg-type]
            assert isinstance(done, Done)
            assert (done.answer.draft or done.answer.answer) == said
            *_, talked = base.talk([Message("user", "Hello")], routing=routing)  # type: ignore[arg-type]
            assert isinstance(talked, Done)
            assert talked.answer.answer == said
        for name in ("fake:small", "r1-kb:medium", "r1-kb/none:small"):
            with pytest.raises(UnknownModel):
                find_offer(base, name)


def add(base: KnowledgeBase, source: str) -> None:
    text = "The kiln is lit."
    document = Document(source, "text/markdown", text, (Block(0, len(text)),))
    base.replace(FileVersion("/notes", source, len(text), 1), document, [Chunk(0, len(text), text)])


def test_other_names_are_unknown(watched: Watched) -> None:
    for name in ("", "r1-kb/", "r1-kb/2026", "2024"):
        with pytest.raises(UnknownModel, match="is called"):
            find_offer(watched.knowledge_base, name)
