"""What became of the files behind an answer, end to end through the real pipeline."""

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.pipeline.freshness import FolderFreshness
from ingest.pipeline.pipeline import Pipeline
from kb.answering.sources.freshness import FreshPassages
from kb.knowledge_base import KnowledgeBase
from kb.ports import Vectors
from kb.settings import Settings
from kb.values.answers import Answer
from tests.fakes import FakeEmbedder
from tests.harness import (
    DeafWatcher,
    Watched,
    eventually,
    open_fake_knowledge_base,
    quick_settings,
    watching,
)

DOME = "# Dome\n\nThe second dome was repaired in March.\n"
OTTER = "# Otters\n\nOtters sleep while they float.\n"
QUESTION = "When was the second dome repaired?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Files come to rest so slowly that the watcher is always behind a question that is asked at once."""
    return quick_settings(tmp_path / "home", settle_seconds=0.25)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """No watcher follows a change before the question does."""
    monkeypatch.setattr("ingest.pipeline.pipeline.FolderWatcher", DeafWatcher)


@pytest.fixture
def watched(settings: Settings, folder: Path) -> Iterator[Watched]:
    with watching(settings, folder) as watched:
        watched.write("dome.md", DOME)
        watched.write("otter.md", OTTER)
        watched.sync()
        yield watched


def asked(watched: Watched) -> tuple[str, Answer]:
    """The texts from which the question is answered now, and the answer."""
    answer = watched.knowledge_base.ask(QUESTION)
    return " ".join(passage.text for passage in answer.passages), answer


def test_file_edited_a_moment_before_the_question_answers_with_its_new_text(watched: Watched) -> None:
    watched.write("dome.md", DOME.replace("in March", "in October, by Ilse Brandt"))
    text, answer = asked(watched)
    assert "October" in text
    assert "March" not in text
    assert (answer.index.refreshed, answer.index.stale) == (("dome.md",), ())
    assert asked(watched)[1].index.refreshed == ()


def test_file_deleted_a_moment_before_the_question_does_not_answer(watched: Watched) -> None:
    (watched.folder / "dome.md").unlink()
    text, answer = asked(watched)
    assert "dome" not in text
    assert (answer.index.refreshed, answer.index.stale) == (("dome.md",), ())
    assert watched.sources == ["otter.md"]


def test_file_renamed_a_moment_before_the_question_answers_under_its_new_name(deaf: None, watched: Watched) -> None:
    document_id = watched.documents["dome.md"].id
    (watched.folder / "dome.md").rename(watched.folder / "圆顶.md")
    _, answer = asked(watched)
    assert [passage.source for passage in answer.passages if passage.document_id == document_id] == ["圆顶.md"]
    assert answer.index.refreshed == ("圆顶.md",)


def test_file_that_became_unreadable_does_not_answer_and_is_listed(watched: Watched) -> None:
    watched.write("dome.md", b"")
    text, answer = asked(watched)
    assert "dome" not in text
    assert answer.index.refreshed == ("dome.md",)
    assert "dome.md" in watched.reasons


def test_folder_that_is_away_still_answers(watched: Watched) -> None:
    watched.folder.rename(watched.folder.with_name("away"))
    text, answer = asked(watched)
    assert "March" in text
    assert (answer.index.refreshed, answer.index.stale) == ((), ())
    watched.folder.with_name("away").rename(watched.folder)


def fresh_passages(watched: Watched, patience_seconds: float) -> FreshPassages:
    """The passages of the question, with less patience than usual."""
    return FreshPassages(
        lambda k: watched.knowledge_base.search(QUESTION, k),
        lambda key: {document.id: document for document in watched.knowledge_base.documents()}.get(key),
        FolderFreshness(watched.knowledge_base.folders, watched.pipeline.refresh),
        patience_seconds,
    )


class StuckEmbedder(FakeEmbedder):
    """Embeds passages only while it may."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stuck = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.is_stuck = not self.goes_on.is_set()
        self.goes_on.wait(20)
        return super().embed_passages(texts)


@pytest.mark.parametrize("edited", [DOME.replace("in March", "in October"), None])
def test_file_that_cannot_be_followed_in_time_does_not_answer_until_it_is(
    settings: Settings, folder: Path, edited: str | None
) -> None:
    embedder = StuckEmbedder()
    with watching(settings, folder, embedder=embedder) as watched:
        watched.write("dome.md", DOME)
        watched.write("otter.md", OTTER)
        watched.sync()
        embedder.goes_on.clear()
        watched.write("long.md", "Something else that keeps the writer busy.")
        assert eventually(lambda: embedder.is_stuck)
        if edited:
            watched.write("dome.md", edited)
        else:
            (folder / "dome.md").unlink()
        passages = fresh_passages(watched, patience_seconds=0.4)
        began = time.monotonic()
        found = passages.find(4)
        took = time.monotonic() - began
        embedder.goes_on.set()
        assert [passage.source for passage in found] == ["otter.md"]
        assert 0.4 <= took < 1.4
        text, answer = asked(watched)
        assert ("October" in text) == bool(edited)
        assert (answer.index.refreshed, answer.index.stale) == (("dome.md",), ())


class SlowEmbedder(FakeEmbedder):
    """Takes its time for each file, once it is told to."""

    seconds = 0.0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(self.seconds)
        return super().embed_passages(texts)


def test_file_behind_an_answer_comes_before_all_others_in_a_long_and_restless_run(
    settings: Settings, folder: Path
) -> None:
    embedder = SlowEmbedder()
    with watching(settings, folder, embedder=embedder) as watched:
        watched.write("z-dome.md", DOME)
        for number in range(60):
            watched.write(f"{number:02}.md", f"Report {number} about nothing in particular.")
        watched.sync()
        embedder.seconds = 0.1
        for number in range(60):
            watched.write(f"{number:02}.md", f"Report {number} about something else.")
        assert eventually(lambda: watched.pipeline.status.current)
        watched.write("z-dome.md", DOME.replace("March", "October"))
        answered = threading.Event()

        def scribble() -> None:
            while not answered.wait(0.02):
                watched.write("x.md", "Scribbled.")

        scribbling = threading.Thread(target=scribble)
        scribbling.start()
        found = fresh_passages(watched, patience_seconds=1.7).find(4)
        answered.set()
        scribbling.join()
        assert "October" in " ".join(passage.text for passage in found)
        assert len(watched.pipeline.status.pending) > 20


@pytest.fixture
def synced(settings: Settings, folder: Path) -> Iterator[KnowledgeBase]:
    """A knowledge base that was synced, and that nobody keeps up to date now."""
    (folder / "dome.md").write_text(DOME)
    with open_fake_knowledge_base(settings) as knowledge_base:
        pipeline = Pipeline(knowledge_base, [folder], settings)
        pipeline.start()
        assert pipeline.sync(15)
        pipeline.stop()
        yield knowledge_base


def test_pipeline_that_has_not_begun_begins_when_a_file_has_changed(synced: KnowledgeBase, folder: Path) -> None:
    pipeline = Pipeline(synced, [folder])
    synced.ask(QUESTION)
    assert pipeline.status.current is None
    assert not any(thread.name == "pipeline" for thread in threading.enumerate()), "nothing had changed"
    (folder / "dome.md").write_text(DOME.replace("March", "October"))
    answer = synced.ask(QUESTION)
    assert "October" in answer.passages[0].text
    assert answer.index.refreshed == ("dome.md",)
    pipeline.stop()


def test_documents_of_folders_that_are_not_watched_are_left_alone(
    synced: KnowledgeBase, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    Pipeline(synced, [tmp_path / "other"])
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "new.md").touch()
    answer = synced.ask(QUESTION)
    assert (answer.passages, answer.index.stale) == ((), ("dome.md",))
    assert len(synced.documents()) == 1


def test_pipeline_that_was_stopped_follows_nothing_and_keeps_nobody_waiting(
    synced: KnowledgeBase, folder: Path
) -> None:
    (folder / "dome.md").unlink()
    began = time.monotonic()
    answer = synced.ask(QUESTION)
    assert (answer.passages, answer.index.stale) == ((), ("dome.md",))
    assert time.monotonic() - began < 1
