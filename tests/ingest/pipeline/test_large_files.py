"""A large document takes its time, and holds nobody up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb.settings import Settings
from tests.harness import PATIENCE_SECONDS, Watched, eventually, watching
from tests.ingest.pipeline.parts import DOME, OTTER, PacedEmbedder, long_text

BATCHES = 38
LARGE = long_text(BATCHES * 128)


@pytest.fixture
def paced() -> Iterator[PacedEmbedder]:
    embedder = PacedEmbedder()
    yield embedder
    embedder.go_on()


@pytest.fixture
def watched(settings: Settings, folder: Path, paced: PacedEmbedder) -> Iterator[Watched]:
    """A small document is indexed, and a large one is being embedded."""
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder, embedder=paced) as watched:
        watched.sync()
        watched.write("large.md", LARGE)
        assert eventually(lambda: watched.pipeline.status.current == "large.md")
        yield watched
        paced.go_on()


def test_new_small_file_is_indexed_before_a_large_one_is_done(watched: Watched, paced: PacedEmbedder) -> None:
    watched.write("otter.md", OTTER)
    assert paced.go_on_until(lambda: watched.finds("float") == ["otter.md"], BATCHES - 1)
    assert "large.md" not in watched.sources
    assert eventually(lambda: watched.pipeline.status.current == "large.md")
    paced.go_on()
    watched.sync()
    assert watched.sources == ["dome.md", "large.md", "otter.md"]
    assert len(paced.embedded) == len(set(paced.embedded)), "nothing was embedded twice"


def test_new_file_of_like_length_is_listed_meanwhile(watched: Watched, paced: PacedEmbedder) -> None:
    watched.write("larger.md", LARGE + OTTER)
    assert paced.go_on_until(lambda: watched.pipeline.status.pending == ("larger.md",), BATCHES - 1)
    assert eventually(lambda: watched.pipeline.status.current == "large.md")
    assert watched.knowledge_base.index_state().pending == 2


def test_document_that_is_deleted_meanwhile_answers_no_more(watched: Watched, paced: PacedEmbedder) -> None:
    (watched.folder / "dome.md").unlink()
    assert paced.go_on_until(lambda: watched.finds("dome") == [], BATCHES - 1)
    assert watched.sources == []


def test_document_that_is_renamed_meanwhile_is_followed(watched: Watched, paced: PacedEmbedder) -> None:
    (watched.folder / "dome.md").rename(watched.folder / "kuppel.md")
    assert paced.go_on_until(lambda: watched.finds("dome") == ["kuppel.md"], BATCHES - 1)


def test_work_on_a_file_that_is_gone_is_dropped(watched: Watched, paced: PacedEmbedder) -> None:
    (watched.folder / "large.md").unlink()
    paced.go_on_until(lambda: watched.pipeline.status.current is None, 4)
    watched.sync()
    assert (watched.sources, watched.reasons) == (["dome.md"], {})
    assert len(paced.embedded) < 5 * 128
    assert watched.knowledge_base.index_state().pending == 0


def test_work_on_a_file_that_has_changed_begins_anew(watched: Watched, paced: PacedEmbedder) -> None:
    watched.write("large.md", OTTER)
    paced.go_on_until(lambda: watched.finds("float") == ["large.md"], 4)
    watched.sync()
    assert watched.finds("float") == ["large.md"]
    assert len(paced.embedded) < 5 * 128


def test_old_version_answers_until_the_new_one_is_whole(settings: Settings, folder: Path, paced: PacedEmbedder) -> None:
    (folder / "large.md").write_text(DOME)
    with watching(settings, folder, embedder=paced) as watched:
        watched.sync()
        watched.write("large.md", LARGE)
        watched.write("otter.md", OTTER)
        assert paced.go_on_until(lambda: watched.finds("float"), BATCHES - 1)
        assert watched.finds("dome") == ["large.md"]
        assert watched.finds("Chapter 7") == []
        paced.go_on()
        watched.sync()
        assert (watched.finds("dome"), watched.finds("Chapter 7")) == ([], ["large.md"])


def test_who_is_in_a_hurry_does_not_wait_for_another_file_of_like_length(
    settings: Settings, folder: Path, paced: PacedEmbedder
) -> None:
    other = long_text(BATCHES * 128, "Verse")
    (folder / "other.md").write_text(other)
    with watching(settings, folder, embedder=paced) as watched:
        watched.sync()
        watched.write("large.md", LARGE)
        assert eventually(lambda: watched.pipeline.status.current == "large.md")
        watched.write("other.md", other + OTTER)
        (known,) = watched.documents.values()
        place = (known.file.root, known.file.source)
        with ThreadPoolExecutor(1) as asking:
            refreshed = asking.submit(watched.pipeline.refresh, [place], PATIENCE_SECONDS)
            assert paced.go_on_until(refreshed.done, BATCHES - 1)
            assert refreshed.result()
        assert watched.finds("float") == ["other.md"]
        assert watched.sources == ["other.md"]
        paced.go_on()


def test_what_was_embedded_of_a_file_that_changes_is_not_embedded_again(
    settings: Settings, folder: Path, paced: PacedEmbedder
) -> None:
    with watching(settings.model_copy(update={"settle_seconds": 1.0}), folder, embedder=paced) as watched:
        watched.sync()
        watched.write("large.md", LARGE)
        paced.go_on_until(lambda: len(paced.embedded) > 3 * 128, BATCHES)
        watched.write("large.md", LARGE + OTTER)
        paced.go_on()
        watched.sync()
        assert watched.finds("float") == ["large.md"]
        assert len(paced.embedded) == len(set(paced.embedded))
